"""The pictures of the page, as SVG; the same data give the same file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from examples.scenes import CLASSES
from study import pixel
from study.curves import DTYPES, Point, apart, curve
from study.losses import LOSSES
from study.protocol import FILTERS, KERNELS
from study.source import TABLE, Cell

COLOURS = dict(zip(LOSSES, [*(f"C{i}" for i in range(10)), "black"], strict=True))
STYLES: tuple[dict[str, Any], ...] = (
    {"linestyle": "-", "linewidth": 3},
    {"linestyle": "--"},
    {"linestyle": ":"},
)
"""For curves that lie on one another."""


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "seglosses"
    matplotlib.rcParams["font.size"] = 8
    import matplotlib.pyplot

    return matplotlib.pyplot


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    _pyplot().close(figure)


def draw_losses(path: Path) -> None:
    """Every loss against ŷ for y = 1."""
    figure, axes = _pyplot().subplots(figsize=(5, 4))
    for name, (loss, hyperparameters) in pixel.LOSSES.items():
        values, _ = pixel.value_and_slope(loss, hyperparameters)
        axes.plot(pixel.PREDICTIONS, values, label=name, linestyle="--" if "power" in name else "-")
    axes.set(xlabel="ŷ", ylabel="loss", ylim=(-0.05, 3))
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, path)


def draw_powers(path: Path) -> None:
    """J_p for several p, its derivative, and where that is 0."""
    figure, (left, right) = _pyplot().subplots(1, 2, figsize=(8, 3.5))
    for p in pixel.POWERS:
        values, slopes = pixel.power_jaccard(p)
        style = {"label": f"p = {p:g}", "linestyle": "-" if 1 <= p <= 2 else ":"}
        (line,) = left.plot(pixel.PREDICTIONS, values, **style)
        right.plot(pixel.PREDICTIONS, slopes, **style)
        lowest = values.argmin()
        left.plot(pixel.PREDICTIONS[lowest], values[lowest], "o", color=line.get_color(), markersize=4)
    left.set(xlabel="ŷ", ylabel="J_p", title="J_p, with its least value marked")
    right.set(xlabel="ŷ", ylabel="∂J_p/∂ŷ", title="its derivative")
    right.axhline(0, color="black", linewidth=0.5)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    left.legend()
    _save(figure, path)


def draw_scenes(images: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """A contact sheet: the images above their labels."""
    figure, axes = _pyplot().subplots(2, len(images), figsize=(len(images), 2.2))
    for column, image, label in zip(axes.T, images, labels, strict=True):
        column[0].imshow(image, cmap="gray_r", vmin=0, vmax=1)
        column[1].imshow(np.ma.masked_equal(label, 0), cmap="tab10", vmin=1, vmax=CLASSES - 1)
        for panel in column:
            panel.set(xticks=[], yticks=[])
    _save(figure, path)


def draw_iou(values: Mapping[Cell, Sequence[float]], losses: Sequence[str], path: Path) -> None:
    """Each run a dot, the means of a loss joined, with their standard deviation; the source's means as crosses."""
    figure, panels = _pyplot().subplots(1, len(KERNELS), sharey=True, figsize=(9, 4))
    for kernel, axes in zip(KERNELS, panels, strict=True):
        for i, loss in enumerate(losses):
            aside = 2 ** (0.08 * (i - (len(losses) - 1) / 2))
            colour = COLOURS[loss]
            there = [filters for filters in FILTERS if values.get(Cell(loss, filters, kernel))]
            runs = [values[Cell(loss, filters, kernel)] for filters in there]
            at = [aside * filters for filters in there]
            for x, some in zip(at, runs, strict=True):
                axes.plot([x] * len(some), some, ".", color=colour, alpha=0.4, markersize=4)
            spread = [np.std(some, ddof=1) if len(some) > 1 else 0.0 for some in runs]
            axes.errorbar(at, [np.mean(some) for some in runs], spread, color=colour, label=loss, capsize=2)
            source = [
                (aside * filters, TABLE[cell].mean)
                for filters in FILTERS
                if (cell := Cell(loss, filters, kernel)) in TABLE
            ]
            if source:
                axes.plot(*zip(*source, strict=True), "x", color=colour, markersize=6)
        axes.set_xscale("log", base=2)
        axes.set_xticks(FILTERS, [str(filters) for filters in FILTERS])
        axes.set(title=f"kernel {kernel}", xlabel="filters")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("mean IoU, 11 classes")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=4)
    _save(figure, path)


def draw_curves(points: Sequence[Point], names: Mapping[str, str], path: Path) -> None:
    """The losses of each framework by step, and how far they are from PyTorch's."""
    losses = list(dict.fromkeys(point.loss for point in points))
    frameworks = list(dict.fromkeys(point.framework for point in points))
    figure, panels = _pyplot().subplots(
        2, len(losses), squeeze=False, sharex=True, figsize=(3 * len(losses), 5)
    )
    for loss, (above, below) in zip(losses, panels.T, strict=True):
        for framework, style in zip(frameworks, STYLES, strict=True):
            values = curve(points, framework, "float32", loss)
            above.plot(range(1, len(values) + 1), values, label=names[framework], **style)
        for framework in frameworks[1:]:
            for dtype in DTYPES:
                difference = apart(points, framework, dtype, loss)
                label = f"{names[framework]}, {dtype}"
                below.plot(range(1, len(difference) + 1), difference, ".", label=label)  # no line through 0
        above.set(title=loss)
        below.set(yscale="log", ylim=(1e-17, 1e-3), xlabel="step")
        for axes in (above, below):
            axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("loss")
    panels[1][0].set_ylabel("relative difference to PyTorch")
    panels[0][-1].legend()
    panels[1][-1].legend(loc="center", bbox_to_anchor=(0.5, 0.4))  # between the points of the two dtypes
    figure.tight_layout()
    _save(figure, path)


def draw_runs(values: Mapping[str, Sequence[float]], what: str, path: Path) -> None:
    """Each run a dot, the mean of a loss a bar."""
    figure, axes = _pyplot().subplots(figsize=(6, 0.35 * len(values) + 0.8))
    for place, some in enumerate(values.values()):
        axes.plot(some, [place] * len(some), ".", color="C0", alpha=0.6)
        if some:
            axes.plot([np.mean(some)], [place], "|", color="black", markersize=14)
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()
    axes.set(xlabel=what)
    axes.grid(alpha=0.3)
    _save(figure, path)


def draw_errors(errors: Mapping[str, np.ndarray], wanted: float, path: Path) -> None:
    """By epoch: the mean over seeds, from the least to the greatest shaded; `(seeds, epochs)` for each loss."""
    figure, axes = _pyplot().subplots(figsize=(6, 3.5))
    for loss, some in errors.items():
        epochs = range(1, some.shape[1] + 1)
        (line,) = axes.plot(epochs, some.mean(0), label=loss)
        axes.fill_between(epochs, some.min(0), some.max(0), color=line.get_color(), alpha=0.15, linewidth=0)
    axes.axhline(wanted, color="black", linewidth=0.5)
    axes.set(xlabel="epoch", ylabel="error on the validation scenes, in pixels", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, path)


def draw_maps(maps: Sequence[Mapping[str, np.ndarray]], path: Path) -> None:
    """A row for each scene; what is not the scene or its labels is as dark as it is great, each picture by itself."""
    names = list(maps[0])
    shape = (len(maps), len(names))
    figure, panels = _pyplot().subplots(*shape, squeeze=False, figsize=(1.3 * shape[1], 1.4 * shape[0]))
    for line, of_scene in zip(panels, maps, strict=True):
        for panel, (name, values) in zip(line, of_scene.items(), strict=True):
            if name == "labels":
                panel.imshow(np.ma.masked_equal(values, 0), cmap="tab10", vmin=1, vmax=CLASSES - 1)
            else:
                panel.imshow(values, cmap="gray_r", vmin=0)
            panel.set(xticks=[], yticks=[])
    for panel, name in zip(panels[0], names, strict=True):
        panel.set_title(name, fontsize=7)
    _save(figure, path)
