"""The page and its pictures, from the tables of results alone."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import seglosses_core as core
from examples.scenes import CLASSES
from examples.unet_torch import SLOPE, UNet
from study import curves, figures, pixel
from study.curves import DTYPES, TOLERANCE, Point, apart
from study.losses import FINE_TUNING, LOSSES
from study.outcomes import (
    DRIFT,
    WHAT_THE_SOURCE_SAYS,
    beyond,
    claims_table,
    comparison,
    how_it_is_tested,
    learnt_powers,
    orders,
    stopped_early,
    verdicts,
)
from study.protocol import FILTERS, FULL, KERNELS, Protocol, further_runs, source_runs
from study.results import Row, protocol_of, read
from study.source import REFERENCE
from study.text import fixed, table
from study.training import make_scenes

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "study" / "results.csv"
CURVES = ROOT / "study" / "curves.csv"
DOCS = ROOT / "docs"

FRAMEWORK_NAMES = {"torch": "PyTorch", "jax": "JAX", "tensorflow": "Keras on TensorFlow"}
SHOWN_SCENES = 8


def write(
    results: Path = RESULTS, curve_points: Path = CURVES, docs: Path = DOCS, mnist: Path | None = None
) -> None:
    """`study.md` and its pictures. MNIST's scenes are shown only if `mnist` says where its files are."""
    rows, points = read(results, Row), curves.read(curve_points)
    protocol = protocol_of(rows, FULL)
    sections = {
        "Protocol": [
            PROTOCOL,
            choices(protocol),
            time_taken(rows),
            sizes(),
            settings(),
            show_scenes(protocol, docs, mnist),
        ],
        "The source's table and ours": comparison(rows, docs),
        "Which claims hold": [
            verdicts(rows),
            claims_table(rows),
            stopped_early(rows),
            WHAT_THE_SOURCE_SAYS,
            how_it_is_tested(),
            orders(rows),
        ],
        "Other losses": beyond(rows, docs),
        "Where the learnt p ends": [DRIFT, learnt_powers(rows, protocol)],
        "Losses of one pixel": [ONE_PIXEL, show_losses(docs)],
        "Why 1 ≤ p ≤ 2": [VALID_POWERS, stationary_points(), show_powers(docs)],
        "The same step in three frameworks": [SAME_STEP, *same_step(points, docs)],
        "What is there": [progress(rows)],
    }
    parts = [INTRODUCTION]
    for title, texts in sections.items():
        parts += [f"## {title}", *texts]
    text = "\n\n".join(part.strip("\n") for part in parts if part) + "\n"
    (docs / "study.md").write_text(text, encoding="utf-8")


# -- what there is ----------------------------------------------------------------------------------------------------

INTRODUCTION = f"""# A study of power losses

{REFERENCE}:
small U-Nets on scenes of digits, trained with cross-entropy, Jaccard and power Jaccard. Here is that experiment again,
with further losses. `make study` carries out the runs that are missing, then writes this page from
`study/results.csv` and `study/curves.csv`; `python -m study --report` writes the page only, and `python -m study
--help` tells how to choose runs, take MNIST's digits and use a GPU."""


def progress(rows: Sequence[Row]) -> str:
    planned = source_runs() + further_runs()
    there = {row.run for row in rows}
    if not rows:
        return f"No run yet: {len(planned)} are planned. What needs no runs is shown below."
    texts = [f"{len(there & set(planned))} of {len(planned)} runs."]
    if not there.issuperset(planned):
        counts = Counter(run.loss for run in there)
        wanted = Counter(run.loss for run in planned)
        texts.append("Missing are " + "; ".join(
            f"{loss}: {wanted[loss] - counts[loss]} of {wanted[loss]}"
            for loss in LOSSES
            if counts[loss] < wanted[loss]
        ) + ".")  # fmt: skip
    untrained = [str(row.run) for row in rows if row.best_epoch == 0]
    if untrained:
        texts.append(
            "Without a finite validation loss, and so tested as they began: " + "; ".join(untrained) + "."
        )
    about = {
        "time": f"{sum(row.seconds for row in rows) / 3600:.3g} hours of one thread",
        "device": "; ".join(dict.fromkeys(row.device for row in rows)),
        "versions": "; ".join(dict.fromkeys(row.versions for row in rows)),
        "dates": " to ".join(dict.fromkeys((min(r.date for r in rows), max(r.date for r in rows)))),
    }
    return " ".join(texts) + "\n\n" + table(("", ""), about.items())


# -- protocol ---------------------------------------------------------------------------------------------------------

PROTOCOL = f"""The network is a U-Net of three levels with {CLASSES} outputs; a seed is one repetition, and the same
for every loss: it means initial weights, the order of scenes and their shifts.

The source leaves some of it open. Chosen here, beside what the table marks *here*:

- *Filters* are those of the first level. Two convolutions a level, each with batch normalisation and a leaky rectifier
  of slope {SLOPE}. Plain rectifiers are 0 on one side, and {CLASSES} classes can hardly be told apart by the two
  channels that the smallest network has at its end.
- Sums of region losses run over the batch, which is not this library's default: most digits are absent from most
  scenes, and per image an absent class asks for nothing but probabilities of exactly 0.
- The validation loss decides when training stops, and the epoch in which it was least is tested.
- All runs have the same scenes."""

CHOICES = {
    "digits": ("here", "come with the package; the source's are MNIST's, which `--mnist` takes"),
    "size": ("here", "pixels along a side"),
    "instances": ("here", "digits tried in each scene"),
    "least_digit": ("here", "pixels along a side: scikit-learn's digits have 8 and are not made smaller"),
    "greatest_digit": ("here", ""),
    "overlap": ("here", "share of a digit that may cover others"),
    "imbalance": ("here", "0: each image of a digit as likely as any other"),
    "noise": ("here", "standard deviation; ink is 0.3 to 1"),
    "scenes_seed": ("here", ""),
    "train": ("source", "scenes"),
    "validation": ("source", "scenes, of digits that training does not have"),
    "test": ("source", "scenes, of digits that neither has"),
    "epochs": ("source", "at most"),
    "rate": ("source", "of Adam"),
    "patience": ("source", "epochs without improvement, then training stops"),
    "plateau": ("source", "such epochs, then the rate is reduced"),
    "plateau_factor": ("here", "what it is reduced by"),
    "fine_tuning_rate": (
        "here",
        "of " + " and ".join(f"*{loss}*" for loss in LOSSES if loss in FINE_TUNING),
    ),
    "batch_size": ("here", "scenes"),
    "shift": ("here", "pixels at most along both axes, around the border; the source says random shifts"),
}


def choices(protocol: Protocol) -> str:
    values = dataclasses.asdict(protocol)
    lines = [(name.replace("_", " "), str(values[name]), *about) for name, about in CHOICES.items()]
    return table(("", "value", "from", ""), lines)


def time_taken(rows: Sequence[Row]) -> str:
    """Why the scenes are as small as they are."""
    if not rows:
        return ""
    mean = np.mean([row.seconds for row in rows])
    return (
        f"The size is chosen for two cores to finish the source's {len(source_runs())} runs in an evening: a run"
        f" took {mean / 60:.1f} minutes of one core on average, which is {len(source_runs()) * mean / 7200:.1f} hours"
        f" for them on two. Scenes of twice the side have four times the pixels."
    )


def settings() -> str:
    """Of each loss, but for what all have in common."""
    common = vars(core.CrossEntropyLoss()).keys() - {"reduction"}
    lines = []
    for name, make in LOSSES.items():
        with torch.no_grad():
            loss = make().bound()
        texts = [
            f"{key}={float(value) if key == 'p' else value}"
            for key, value in vars(loss).items()
            if key not in common | {"cost"}
        ]
        lines.append((name, f"`{type(loss).__name__}`", f"`{', '.join(texts)}`"))
    return table(("", "class", "hyper-parameters"), lines) + "\n\n" + SETTINGS


SETTINGS = """The learnt p starts from the value given. The pointwise exponential loss is used as fine-tuning: it starts
from what cross-entropy has trained, with a rate of its own. That is a second training, so *cross-entropy, continued*
is the same with cross-entropy in its place, to tell what the loss gives from what training longer gives."""


def sizes() -> str:
    lines = [
        (f"kernel {kernel}", *(str(_weights(filters, kernel)) for filters in FILTERS)) for kernel in KERNELS
    ]
    return table(("weights", *(f"{filters} filters" for filters in FILTERS)), lines)


def _weights(filters: int, kernel: int) -> int:
    network = UNet(CLASSES, filters, kernel)
    return sum(weight.numel() for weight in network.parameters())


def show_scenes(protocol: Protocol, docs: Path, mnist: Path | None) -> str:
    if protocol.digits == "MNIST" and mnist is None:
        return "The scenes are shown where `--mnist` says where MNIST's files are."
    images, labels, _ = make_scenes(protocol, "test", mnist)
    figures.draw_scenes(images[:SHOWN_SCENES], labels[:SHOWN_SCENES], docs / "study-scenes.svg")
    return (
        f"![Scenes and their labels](study-scenes.svg)\n\nScenes of the test set above their labels. Of its pixels"
        f" {100 * (labels == 0).mean():.0f} % are background."
    )


# -- one pixel --------------------------------------------------------------------------------------------------------

ONE_PIXEL = """The source's figure: one pixel with y = 1, its loss against the prediction ŷ. The distance-aware
cross-entropy is the focal loss there. The locally adaptive loss needs neighbours and the center loss features, so
neither is a function of ŷ."""


def show_losses(docs: Path) -> str:
    figures.draw_losses(docs / "study-losses.svg")
    return "![Every loss against ŷ](study-losses.svg)"


VALID_POWERS = """For one pixel with y = 1, and ε = 0 to be short,

    J_p = 1 − ŷ/D,  D = 1 + ŷ^p − ŷ
    ∂J_p/∂ŷ = (ŷ (p ŷ^(p−1) − 1) − D)/D² = ((p − 1) ŷ^p − 1)/D².

The derivative is 0 at ŷ* = (1/(p − 1))^(1/p), below 0 before it and above 0 after. At ŷ = 1, where D = 1, it is p − 2.
For p > 2 the least value lies at ŷ* < 1: the loss pulls a right prediction back. For 1 < p ≤ 2 it lies at ŷ* ≥ 1, so
that the loss falls up to ŷ = 1; at p = 2 it is flat there. For p ≤ 1 there is no ŷ*, and the loss of this one pixel
falls throughout, for p = 0.5 too. What speaks against p < 1 is a pixel with y = 0, in a sum with others: there

    ∂J_p/∂ŷ = I p ŷ^(p−1)/D²,  I = Σyŷ,  D = Σŷ^p + Σy^p − I

has no bound as ŷ falls to 0, so the pull is strongest where the prediction is right already. Hence 1 ≤ p ≤ 2."""


def stationary_points() -> str:
    lines: list[tuple[str, ...]] = []
    for p in pixel.POWERS:
        values, slopes = pixel.power_jaccard(p)
        at = pixel.stationary(p)
        lowest = values.argmin()
        lines.append((
            f"{p:g}", "none" if at is None else f"{at:.3f}", f"{pixel.PREDICTIONS[lowest]:.3f}",
            fixed(values[lowest]), fixed(slopes[-1]), "yes" if 1 <= p <= 2 else "no",
        ))  # fmt: skip
    header = (
        "p",
        "ŷ* by the formula",
        "least J_p in [0, 1] found at",
        "its value",
        "slope at ŷ = 1",
        "valid",
    )
    return table(header, lines)


def show_powers(docs: Path) -> str:
    figures.draw_powers(docs / "study-powers.svg")
    return "![J_p for several p, and its derivative](study-powers.svg)\n\nDotted: p outside its range."


# -- the same step ----------------------------------------------------------------------------------------------------

SAME_STEP = f"""The same network, written with `torch.nn`, with `jax.lax` and as a functional Keras model on TensorFlow,
from the same initial weights on the same batches: the network, the loss of this library and the gradients are each
framework's own, the step of Adam is one text in NumPy. Adam's ε stands elsewhere in each framework's own optimiser:
PyTorch and optax add {curves.EPSILON:g} to √v̂ after the bias correction, as is done here, Keras adds
{curves.KERAS_EPSILON:g} to √v before it, which in the first step is
{curves.KERAS_EPSILON / math.sqrt(1 - curves.BETA_2):.1e} after it.
`python -m study --curves` measures, into `study/curves.csv`. A test asks for relative differences below
{TOLERANCE["float32"]:g} in float32 and {TOLERANCE["float64"]:g} in float64."""


def same_step(points: Sequence[Point], docs: Path) -> list[str]:
    if not points:
        return ["Not measured yet."]
    frameworks = list(dict.fromkeys(point.framework for point in points))
    versions = dict.fromkeys(f"{point.framework} {point.version}" for point in points)
    losses = dict.fromkeys(point.loss for point in points)
    lines = [
        (loss, dtype, *(f"{apart(points, framework, dtype, loss).max():.1e}" for framework in frameworks[1:]))
        for loss in losses
        for dtype in DTYPES
    ]
    header = ("loss", "", *(f"{FRAMEWORK_NAMES[framework]} from PyTorch" for framework in frameworks[1:]))
    figures.draw_curves(points, FRAMEWORK_NAMES, docs / "study-curves.svg")
    steps = max(point.step for point in points)
    return [
        f"The largest relative difference in {steps} steps, with {', '.join(versions)}:",
        table(header, lines),
        "![Loss by step in three frameworks](study-curves.svg)\n\nAbove in float32.",
    ]
