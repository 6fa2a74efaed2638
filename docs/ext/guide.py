"""The pictures and the numbers of the guide: drawn from the losses, read from the rows of the study."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import seglosses_core as core
from ext.pictures import CROSS_ENTROPY, Called, P, Scene, curve, half_right, of_one_pixel, plt
from study import papers, papers_page
from study.claims import CONTRADICTED, HOLDS, by_seed, judge, verdict
from study.losses import LOSSES
from study.other_sources import OTHERS
from study.protocol import FILTERS, KERNELS, SEEDS
from study.report import RESULTS
from study.results import Row, read
from study.source import CLAIMS, Cell
from study.statistics import LEVEL, WANTED_POWER

COLOURS = ("0.35", "#2563eb", "#dc2626", "#059669", "#d97706")


def single(kind: type[core.Loss], **options: object) -> Called:
    return Called(kind(activation="sigmoid", **options), softmax=False)


# -- pictures ---------------------------------------------------------------------------------------------------------


def draw_values() -> None:
    """Value and derivative of a few losses, of one pixel."""
    shown = {
        "cross-entropy": CROSS_ENTROPY,
        "focal, γ = 2": single(core.FocalLoss, alpha=None),
        "Dice": single(core.DiceLoss),
        "power Jaccard, p = 2": single(core.PowerJaccardLoss),
        "Dice, log": single(core.DiceLoss, log=True),
    }
    _, axes = plt.subplots(1, 2, figsize=(5.8, 2.9), layout="constrained")
    for (name, loss), colour in zip(shown.items(), COLOURS, strict=True):
        for panel, numbers in zip(axes, curve(loss, of_one_pixel()), strict=True):
            panel.plot(P, numbers, color=colour, linewidth=1.8, label=name)
    axes[0].set(title="value", xlabel="p of the pixel's own class", xlim=(0, 1), ylim=(0, 3))
    axes[1].set(title="derivative with respect to z", xlabel="p of the pixel's own class", xlim=(0, 1))
    axes[0].legend(fontsize=8)


def draw_sizes() -> None:
    """How hard a loss pulls at an object in all, by the object's size."""
    sides = np.arange(1, 33)
    losses = {
        "cross-entropy": CROSS_ENTROPY, "focal, γ = 2": single(core.FocalLoss, alpha=None),
        "Dice": single(core.DiceLoss), "Tversky, β = 0.9": single(core.TverskyLoss, alpha=0.1, beta=0.9),
    }  # fmt: skip
    _, panel = plt.subplots(figsize=(5.2, 2.9), layout="constrained")
    for (name, loss), colour in zip(losses.items(), COLOURS, strict=False):
        pulls = []
        for side in sides:
            labels = np.zeros((64, 64), np.int64)
            labels[:side, :side] = 1
            _, slopes = loss(Scene(labels, np.where(labels == 1, -1.0, -4.0)))
            pulls.append(-slopes[labels == 1].sum())
        panel.plot(sides**2 / 64**2, pulls, color=colour, linewidth=1.8, label=name)
    panel.set(
        xscale="log",
        yscale="log",
        xlabel="share of the image that the object fills",
        ylabel="pull at the object",
    )
    panel.legend(fontsize=8)


def draw_pushes() -> None:
    """Where losses push, in the scene of their pages."""
    scene = half_right()
    shown = {
        "cross-entropy": CROSS_ENTROPY, "focal": single(core.FocalLoss, alpha=None), "Dice": single(core.DiceLoss),
        "Lovász": single(core.LovaszSoftmaxLoss), "boundary": single(core.BoundaryLoss),
        "Hausdorff": single(core.HausdorffDTLoss), "blob": single(core.BlobLoss),
    }  # fmt: skip
    _, axes = plt.subplots(2, 4, figsize=(5.6, 3.2), layout="constrained")
    pictures = {"prediction": 1 / (1 + np.exp(-scene.z))} | {
        name: -loss(scene)[1] for name, loss in shown.items()
    }
    for panel, (name, picture) in zip(axes.flat, pictures.items(), strict=True):
        most = np.abs(picture).max()
        grey = name == "prediction"
        panel.imshow(
            picture,
            cmap="gray_r" if grey else "RdBu_r",
            vmin=0 if grey else -most,
            vmax=1.6 if grey else most,
        )
        panel.contour(scene.labels, [0.5], colors="0.3", linewidths=0.6)
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set(visible=True, linewidth=0.5)
        panel.grid(visible=False)
        panel.set_title(name, fontsize=8)


# -- numbers ----------------------------------------------------------------------------------------------------------

ROWS = read(RESULTS, Row)


def complete(loss: str) -> bool:
    """Whether every network has all seeds of it."""
    cells = [Cell(loss, filters, kernel) for filters in FILTERS for kernel in KERNELS]
    return all(len(by_seed(ROWS, cell)) == len(SEEDS) for cell in cells)


def scores() -> str:
    """The mean IoU of each loss that is complete, the best of each network in bold."""
    networks = [(filters, kernel) for kernel in KERNELS for filters in FILTERS]
    means = {
        loss: [float(np.mean(list(by_seed(ROWS, Cell(loss, *network)).values()))) for network in networks]
        for loss in filter(complete, LOSSES)
    }
    best = np.max(list(means.values()), axis=0)
    head = " | ".join(f"{filters} filters, {kernel}×{kernel}" for filters, kernel in networks)
    lines = [f"|  | {head} |", "|---" * (len(networks) + 1) + "|"]
    for loss, line in means.items():
        cells = (f"**{x:.3f}**" if x == most else f"{x:.3f}" for x, most in zip(line, best, strict=True))
        lines.append(f"| {loss} | {' | '.join(cells)} |")
    return "\n".join(lines)


def answers() -> Iterator[str]:
    """Each comparison that was planned, in a sentence."""
    for claim in CLAIMS:
        found = judge(ROWS, claim)
        if found is None:
            continue
        said = {HOLDS: "Ahead", CONTRADICTED: "Behind"}.get(verdict(found), "Not told apart")
        p = "< 0.001" if found.p < 0.001 else f"= {found.p:.3f}"
        yield (
            f"- *{claim.ahead}* against *{claim.behind}*, {claim.text}: **{said}**, by {found.difference:+.3f} ±"
            f" {found.half_width:.3f} (p {p})."
        )


def decided() -> str:
    """The claims of the sources that hold or do not, by source."""
    rows = papers.rows_of(papers.FOLDER)
    said = {"Power losses": papers_page.powers(ROWS)}
    said |= {source.title: papers_page.sentences(source, rows[name]) for name, source in OTHERS.items()}
    parts = []
    for title, lines in said.items():
        chosen = [line for line in lines if line.startswith(("- **Holds", "- **Contradicted"))]
        parts += [f"*{title}*", "\n".join(chosen)] if chosen else []
    return "\n\n".join(parts)


def unknown() -> str:
    """What the rows do not tell."""
    missing = [loss for loss in LOSSES if not complete(loss)]
    untrained = len(core.LOSSES) - len(
        {type(make()).__name__ for loss, make in LOSSES.items() if complete(loss)}
    )
    most = max(
        len(by_seed(ROWS, Cell(loss, filters, kernel)))
        for loss in missing
        for filters in FILTERS
        for kernel in KERNELS
    )
    return (
        f"{len(ROWS)} runs, {len(SEEDS)} seeds of each loss and network above. A difference is called *ahead* or"
        f" *behind* where p < {LEVEL} in the paired t-test over seeds; so few seeds find only large ones with a"
        f" probability of {WANTED_POWER:.0%}.\n\n"
        f"Not known: {untrained} of the {len(core.LOSSES)} losses have not been compared in it at all, or not"
        f" with all seeds. For {'; '.join(missing)}, at most {most} of {len(SEEDS)} seeds are there, which says nothing"
        " about their order."
    )
