"""The page and its pictures, from the tables of results alone."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

import seglosses_core as core
from examples.scenes import CLASSES
from examples.unet_torch import SLOPE, UNet
from study import curves, figures, pixel
from study.claims import (
    CONTRADICTED,
    DIGITS,
    HOLDS,
    MAIN,
    METRICS,
    NOT_MEASURED,
    VERDICTS,
    by_seed,
    in_source,
    judge,
    order,
    verdict,
)
from study.curves import DTYPES, TOLERANCE, Point, apart
from study.losses import FINE_TUNING, FURTHER, LOSSES, SOURCE
from study.protocol import FILTERS, FULL, KERNELS, SEEDS, Protocol, further_runs, source_runs
from study.results import Row, read
from study.source import CLAIMS, POWER, REFERENCE, TABLE, Cell
from study.statistics import (
    LEVEL,
    WANTED_POWER,
    Comparison,
    Summary,
    compare,
    detectable,
    least_rank_p,
    power,
    summarize,
)
from study.training import make_scenes

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "study" / "results.csv"
CURVES = ROOT / "study" / "curves.csv"
DOCS = ROOT / "docs"

LEARNT = "power Jaccard, p learned"
FRAMEWORK_NAMES = {"torch": "PyTorch", "jax": "JAX", "tensorflow": "Keras on TensorFlow"}
SHOWN_SCENES = 8


def write(
    results: Path = RESULTS, curve_points: Path = CURVES, docs: Path = DOCS, mnist: Path | None = None
) -> None:
    """`study.md` and its pictures. MNIST's scenes are shown only if `mnist` says where its files are."""
    rows, points = read(results, Row), curves.read(curve_points)
    protocol = protocol_of(rows)
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


def protocol_of(rows: Sequence[Row]) -> Protocol:
    """That of the runs, which all have the same; the planned one if there are none."""
    if not rows:
        return FULL
    given = dict(setting.split("=", 1) for setting in rows[0].protocol.split("; "))
    return Protocol(**{name: type(getattr(FULL, name))(text) for name, text in given.items()})


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


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
    return " ".join(texts) + "\n\n" + _table(("", ""), about.items())


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
    return _table(("", "value", "from", ""), lines)


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
    return _table(("", "class", "hyper-parameters"), lines) + "\n\n" + SETTINGS


SETTINGS = """The learnt p starts from the value given. The pointwise exponential loss is used as fine-tuning: it starts
from what cross-entropy has trained, with a rate of its own. That is a second training, so *cross-entropy, continued*
is the same with cross-entropy in its place, to tell what the loss gives from what training longer gives."""


def sizes() -> str:
    lines = [
        (f"kernel {kernel}", *(str(_weights(filters, kernel)) for filters in FILTERS)) for kernel in KERNELS
    ]
    return _table(("weights", *(f"{filters} filters" for filters in FILTERS)), lines)


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


# -- tables of IoU ----------------------------------------------------------------------------------------------------

LOST = 0.01

TABLES = f"""Mean over seeds ± standard deviation (of a sample: its squares are divided by the count less one). The
source does not say whether its mean IoU counts the background, so ours is given over all 11 classes and over the 10
digits; IoU is that of all pixels of the test set. The scenes are not the source's: the order of the losses
can be compared with its own, neither the values nor the size of a difference.

*Epochs* is their mean; how many runs were ended by their limit while they still improved; and in how many
of them a digit was not learnt, its IoU below {LOST}."""


def summary_text(found: Summary | None) -> str:
    """With the count of seeds where some are missing."""
    if found is None:
        return "missing"
    spread = "" if math.isnan(found.deviation) else f" ± {found.deviation:.4f}"
    return f"{found.mean:.4f}{spread}{_seeds(found.number)}"


def _seeds(count: int) -> str:
    return "" if count == len(SEEDS) else f" ({count} of {len(SEEDS)})"


def iou_table(rows: Sequence[Row], losses: Iterable[str], kernel: int) -> str:
    lines: list[tuple[str, ...]] = []
    for loss in losses:
        cells = [Cell(loss, filters, kernel) for filters in FILTERS]
        of_loss: list[tuple[str, list[Summary | None]]] = []
        if loss in SOURCE:
            of_loss.append(("source", [TABLE[cell] for cell in cells]))
        for metric in METRICS:
            of_loss.append((metric, [summarize([*by_seed(rows, cell, metric).values()]) for cell in cells]))
        for i, (about, found) in enumerate(of_loss):
            lines.append(("" if i else loss, about, *map(summary_text, found)))
        lines.append(("", "epochs", *(how_it_ended(rows, cell) for cell in cells)))
    return _table((f"kernel {kernel}", "", *(f"{filters} filters" for filters in FILTERS)), lines)


def how_it_ended(rows: Iterable[Row], cell: Cell) -> str:
    there = [row for row in rows if (row.loss, row.filters, row.kernel) == cell]
    if not there:
        return ""
    texts = [f"{np.mean([row.epochs for row in there]):.0f}"]
    if ended := sum(map(ended_by_the_limit, there)):
        texts.append(f"limit {ended}")
    if lost := sum(min(row.iou[1:]) < LOST for row in there):
        texts.append(f"digit lost {lost}")
    return "; ".join(texts)


def ended_by_the_limit(row: Row) -> bool:
    """And not by a validation loss that no longer falls."""
    protocol = protocol_of([row])
    return row.epochs == protocol.epochs and row.epochs - row.best_epoch < protocol.patience


def draw(rows: Sequence[Row], losses: Iterable[str], path: Path, about: str) -> str:
    """A picture of the losses that there are, if there are any."""
    there = [loss for loss in losses if any(row.loss == loss for row in rows)]
    if not there:
        return ""
    cells = [Cell(loss, filters, kernel) for loss in there for filters in FILTERS for kernel in KERNELS]
    figures.draw_iou({cell: [*by_seed(rows, cell).values()] for cell in cells}, there, path)
    return f"![Mean IoU by filters and kernel]({path.name})\n\n{about}"


def comparison(rows: Sequence[Row], docs: Path) -> list[str]:
    about = (
        "Dots are runs, lines join their means, bars are standard deviations, crosses are the source's means."
    )
    tables = [iou_table(rows, SOURCE, kernel) for kernel in KERNELS]
    return [TABLES, *tables, draw(rows, SOURCE, docs / "study-iou.svg", about)]


def beyond(rows: Sequence[Row], docs: Path) -> list[str]:
    text = "The same networks, scenes and seeds with losses that the source does not train. No claim is tested here."
    trained = {row.kernel for row in rows if row.loss in FURTHER}
    if trained != set(KERNELS):
        text += (
            f" There are no such runs yet with kernel {', '.join(map(str, sorted(set(KERNELS) - trained)))}."
        )
    tables = [iou_table(rows, FURTHER, kernel) for kernel in KERNELS if kernel in trained]
    return [text, *tables, draw(rows, LOSSES, docs / "study-losses-iou.svg", "All losses, drawn as above.")]


# -- claims -----------------------------------------------------------------------------------------------------------

WHAT_THE_SOURCE_SAYS = """Where the claims come from:

- *Kernel 3*, and there *few filters*: on scenes of digits the source finds power Jaccard ahead with the smaller kernel,
  and of small models in general that power losses beat the classical Jaccard.
- *All networks*: its general conclusion is that power losses improve on cross-entropy and Jaccard in what it tested.
- *Kernel 5*: no conclusion of the source, but what its table says there, where power Jaccard is last in three networks
  of four. This and the claim for all networks can both hold only if kernel 3 outweighs it.

The source concludes for little data, too. No run here varies the amount of data, so that is not tested."""


def how_it_is_tested() -> str:
    seeds, interval, wanted = len(SEEDS), f"{100 * (1 - LEVEL):.0f} %", f"{100 * WANTED_POWER:.0f} %"
    return f"""Runs of one seed are a pair, so losses are compared by the paired t-test over seeds: for each seed the
difference of the losses' mean IoU, averaged over the networks that the claim speaks of. *Holds* is p < {LEVEL} with the
difference on the claim's side, *contradicted* on the other; no verdict is given before all {seeds} seeds are there.
Differences are given with their {interval} confidence interval. All runs have the same scenes: interval and p speak of
other weights and orders on these scenes, not of other scenes.

{seeds} seeds see large effects only. A true difference of one standard deviation of the differences is found with a
probability of {100 * power(1.0, seeds):.0f} %; a probability of {wanted} needs {detectable(seeds):.2f} standard
deviations, with ten seeds {detectable(10):.2f}. *Detectable* is the latter as a difference in IoU, at the
spread of these few runs. So *not shown* is not *refuted*. The test takes the differences as normal, which {seeds}
values cannot show; a test of signs or ranks, which does not, cannot go below p = {least_rank_p(seeds):.4f} with
{seeds} pairs. Where there is no difference, {LEVEL * len(CLAIMS):.1f} of the {len(CLAIMS)} verdicts come out by chance,
and of the {NETWORK_TESTS} tests network by network {LEVEL * NETWORK_TESTS:.1f}, so those bear no verdict."""


NETWORK_TESTS = len(FILTERS) * len(KERNELS) * (len(SOURCE) - 1)


def stopped_early(rows: Sequence[Row]) -> str:
    """Few filters and kernel 3 is where the first claim looks."""
    few = [row for row in rows if row.loss in SOURCE and row.kernel == 3 and row.filters in CLAIMS[0].filters]
    ended = sum(map(ended_by_the_limit, few))
    if not ended:
        return ""
    return (
        f"With few filters and kernel 3 the limit of epochs ended {ended} of {len(few)} runs while they still"
        f" improved. So the first claims compare how far each loss comes in {protocol_of(few).epochs} epochs,"
        " as in the source, and not where it would end."
    )


def verdicts(rows: Sequence[Row]) -> str:
    found = [(claim, judge(rows, claim)) for claim in CLAIMS]
    totals = []
    for about, concluded in (("The source's {} conclusions", True), ("The {} readings of its table", False)):
        words = [verdict(result) for claim, result in found if claim.concluded == concluded]
        total = ", ".join(f"{words.count(word)} × {word}" for word in VERDICTS if word in words)
        totals.append(f"{about.format(len(words))}: {total}.")
    texts = []
    for claim, result in found:
        if result is None or verdict(result) in (HOLDS, NOT_MEASURED):
            continue
        if verdict(result) == CONTRADICTED:
            texts.append(f"- {claim}? No: behind by {-result.difference:.4f}.")
        else:
            side = "ahead" if result.difference > 0 else "behind"
            texts.append(
                f"- {claim}? Not shown: {side} by {abs(result.difference):.4f}, where {result.detectable:.4f} would"
                f" have been found with a probability of {100 * WANTED_POWER:.0f} %."
            )
    return "\n".join([" ".join(totals), "", *texts])


def claims_table(rows: Sequence[Row]) -> str:
    lines: list[tuple[str, ...]] = []
    for claim in CLAIMS:
        result, digits = (judge(rows, claim, metric) for metric in (MAIN, DIGITS))
        word = verdict(result)
        lines.append((
            str(claim), f"{in_source(claim):+.4f}", difference_text(result), p_text(result),
            "" if result is None or word == NOT_MEASURED else f"{result.detectable:.4f}",
            f"**{word}**" if word == CONTRADICTED else word,
            difference_text(digits), p_text(digits),
        ))  # fmt: skip
    header = ("claim", "source", f"here, {MAIN}", "p", "detectable", "verdict", f"here, {DIGITS}", "p")
    return _table(header, lines)


def difference_text(found: Comparison | None) -> str:
    if found is None:
        return "missing"
    return f"{found.difference:+.4f} ± {found.half_width:.4f}{_seeds(found.seeds)}"


def p_text(found: Comparison | None) -> str:
    if found is None or found.seeds < len(SEEDS):
        return ""
    if math.isnan(found.p):
        return "no spread"
    return f"{found.p:.3f}" if found.p >= 0.001 else "< 0.001"


def orders(rows: Sequence[Row]) -> str:
    """Network by network."""
    others = [loss for loss in SOURCE if loss != POWER]
    lines: list[tuple[str, ...]] = []
    compared = []
    for kernel in KERNELS:
        for filters in FILTERS:
            theirs = order({loss: TABLE[Cell(loss, filters, kernel)].mean for loss in SOURCE})
            found = {loss: by_seed(rows, Cell(loss, filters, kernel)) for loss in SOURCE}
            seeds = set.intersection(*(set(values) for values in found.values()))
            found = {loss: {seed: values[seed] for seed in seeds} for loss, values in found.items()}
            ours = []
            if seeds:
                ours = order({loss: float(np.mean([*values.values()])) for loss, values in found.items()})
            if len(seeds) == len(SEEDS):
                compared.append((theirs, ours))
            tests = [compare(found[POWER], found[other]) for other in others]
            lines.append((
                str(kernel), str(filters), " > ".join(theirs), " > ".join(ours) or "missing",
                *(text for test in tests for text in (difference_text(test), p_text(test))),
            ))  # fmt: skip
    header = ["kernel", "filters", "order in the source", "order here"]
    header += [text for other in others for text in (f"{POWER} − {other}", "p")]
    summary = f"Network by network; none has all {len(SEEDS)} seeds of all three losses yet."
    if compared:
        summary = (
            f"Network by network, {len(compared)} of {len(TABLE) // len(SOURCE)} with all seeds of all three losses:"
            f" the order is the source's in {sum(theirs == ours for theirs, ours in compared)}, the first is the"
            f" source's in {sum(theirs[0] == ours[0] for theirs, ours in compared)}."
        )
    return f"{summary}\n\n{_table(header, lines)}"


# -- the learnt power -------------------------------------------------------------------------------------------------

DRIFT = """The source proposes to learn p. By gradient descent on the loss itself p can only rise. For fixed
predictions, with I = Σyŷ and D = Σŷ^p + Σy^p − I,

    J_p = 1 − (I + ε)/(D + ε)
    ∂J_p/∂p = (I + ε)/(D + ε)² · (Σ ŷ^p ln ŷ + Σ y^p ln y) ≤ 0,

since ln ŷ ≤ 0, and y^p ln y = 0 for y = 0 and y = 1. It is 0 only where every prediction is 0 or 1. Whatever the data,
a larger p makes the loss smaller: p goes to the end of its range unless training stops before, and where it is then
says how long training was, not which p segments best. Early stopping sees a validation loss that falls with p, too.
*By the clock* is where p would be after as many steps of the rate's full length, all upwards; where a
plateau reduced the rate, p is below that."""


def learnt_powers(rows: Sequence[Row], protocol: Protocol) -> str:
    lines: list[tuple[str, ...]] = []
    for kernel in KERNELS:
        cells = [
            [row for row in rows if (row.loss, row.filters, row.kernel) == (LEARNT, filters, kernel)]
            for filters in FILTERS
        ]
        if not any(cells):
            continue
        ends = [summarize([row.p for row in some if row.p is not None]) for some in cells]
        clock = [summarize([by_the_clock(row.best_epoch, protocol) for row in some]) for some in cells]
        epochs = [summarize([float(row.best_epoch) for row in some]) for some in cells]
        lines += [
            (f"kernel {kernel}", "p", *map(summary_text, ends)),
            ("", "by the clock", *map(summary_text, clock)),
            ("", "epochs", *("" if found is None else f"{found.mean:.0f}" for found in epochs)),
        ]
    if not lines:
        return "No such run yet."
    return _table(("", "", *(f"{filters} filters" for filters in FILTERS)), lines)


def by_the_clock(epochs: int, protocol: Protocol) -> float:
    """1 + sigmoid of what the raw parameter is after that many epochs of steps as long as the rate."""
    start = LOSSES[LEARNT]().bound().p.item() - 1  # type: ignore[attr-defined]
    steps = epochs * math.ceil(protocol.train / protocol.batch_size)
    return 1 + 1 / (1 + math.exp(-(math.log(start / (1 - start)) + protocol.rate * steps)))


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


def fixed(value: float) -> str:
    """Four digits, and no sign on a zero that rounding has left one."""
    return f"{round(value, 4) + 0.0:.4f}"


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
    return _table(header, lines)


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
        _table(header, lines),
        "![Loss by step in three frameworks](study-curves.svg)\n\nAbove in float32.",
    ]
