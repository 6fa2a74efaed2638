"""Pictures of losses, drawn by calling them: value and slope against p, and where a loss pushes in a small scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

import seglosses_core as core
from ext.catalogue import Documented, family_of

matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "svg.hashsalt": "seglosses", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.alpha": 0.25, "axes.titlesize": 9, "legend.frameon": False,
    }
)  # fmt: skip
from matplotlib import pyplot as plt  # noqa: E402

P = np.linspace(0.01, 0.99, 99)
Z = np.log(P / (1 - P))
SIDE = 40

NEEDED: dict[str, dict[str, Any]] = {
    "LogitAdjustedCrossEntropyLoss": {"priors": [9, 1]},
    "LocallyAdaptiveLoss": {"standardize": False},
    "EnsembleLoss": {"losses": [core.DiceLoss(activation="sigmoid"), core.CrossEntropyLoss(activation="sigmoid")]},
    "combo_loss": {},
    "UnifiedFocalLoss": {},
    "ExponentialLogarithmicLoss": {},
}  # fmt: skip
"""What two classes need to be told apart, beside the defaults."""


@dataclass
class Scene:
    """One image, label 1 in the foreground, and the logits of that."""

    labels: np.ndarray
    z: np.ndarray
    inputs: dict[str, np.ndarray] = field(default_factory=dict)


def discs() -> np.ndarray:
    """The number of each pixel's disc: a large one and a small one."""
    y, x = np.mgrid[:SIDE, :SIDE]
    instances = np.zeros((SIDE, SIDE), np.int64)
    instances[(y - 17) ** 2 + (x - 15) ** 2 < 10.5**2] = 1
    instances[(y - 30) ** 2 + (x - 32) ** 2 < 3.5**2] = 2
    return instances


def of_one_pixel() -> Callable[[float], Scene]:
    return lambda z: Scene(
        np.ones((1, 1), np.int64), np.full((1, 1), z), {"instances": np.ones((1, 1, 1), np.int64)}
    )


def of_all_pixels() -> Callable[[float], Scene]:
    """Every pixel has the same probability for its own label."""
    instances = discs()
    return lambda z: Scene(
        (instances > 0).astype(np.int64), np.where(instances > 0, z, -z), {"instances": instances[None]}
    )


def half_right() -> Scene:
    """A prediction of the large disc that is shifted, of the small one that is weak, with a spot that is wrong."""
    instances = discs()
    y, x = np.mgrid[:SIDE, :SIDE]

    def near(row: float, column: float, radius: float) -> np.ndarray:
        return radius - np.hypot(y - row, x - column)

    z = np.maximum.reduce([near(18, 18, 9), near(30, 32, 3.5) - 2.5, near(7, 34, 3) - 1])
    return Scene((instances > 0).astype(np.int64), 3 * np.tanh(z / 2), {"instances": instances[None]})


@dataclass
class Called:
    """A loss on a scene, with one class if it can be: the value and the slopes with respect to the foreground's
    logits."""

    loss: Any
    softmax: bool

    def __call__(self, scene: Scene) -> tuple[float, np.ndarray]:
        z = scene.z[None, None]
        logits = np.concatenate([np.zeros_like(z), z], axis=1) if self.softmax else z
        given = {name: scene.inputs[name] for name in self.loss.inputs if name in scene.inputs}
        value, slopes = self.loss.value_and_grad(logits, scene.labels[None], **given)
        return float(value), np.asarray(slopes)[0, -1]


def called(one: Documented) -> Called:
    """With defaults, but for the activation."""
    options = NEEDED.get(one.__name__, {})
    if "losses" in options or not isinstance(one, type):
        loss = one(**options)
        return Called(loss, softmax=loss.activation == "softmax")
    try:
        loss = one(activation="sigmoid", **options)
        Called(loss, softmax=False)(half_right())
    except ValueError:
        return Called(one(activation="softmax", **options), softmax=True)
    return Called(loss, softmax=False)


CROSS_ENTROPY = called(core.CrossEntropyLoss)


# -- value and slope ----------------------------------------------------------------------------------------------


def curve(loss: Called, scene_at: Callable[[float], Scene]) -> tuple[np.ndarray, np.ndarray]:
    """The value, and the slope with respect to z, which all pixels have towards their own label, at each p."""
    values, slopes = [], []
    for z in Z:
        scene = scene_at(float(z))
        value, slope = loss(scene)
        values.append(value)
        slopes.append((slope * np.where(scene.labels == 1, 1, -1)).sum())
    return np.asarray(values), np.asarray(slopes)


def draw_curves(one: Documented, path: Path) -> bool:
    """Whether it is of one pixel; where that says nothing, of a whole scene."""
    loss, single = called(one), True
    values, slopes = np.zeros_like(P), np.zeros_like(P)
    if family_of(one) != "shape":
        values, slopes = curve(loss, of_one_pixel())
    if not np.abs(slopes).max() > 1e-3:
        single = False
        values, slopes = curve(loss, of_all_pixels())
    where = "a pixel" if single else "each pixel"
    figure, axes = plt.subplots(1, 2, figsize=(5.6, 2.5), layout="constrained")
    for panel, ours, theirs, title in (
        (axes[0], values, -np.log(P), "value"),
        (axes[1], slopes, P - 1, "derivative with respect to z"),
    ):
        panel.plot(P, theirs, "--", color="0.55", linewidth=1.2, label="cross-entropy")
        panel.plot(P, ours, color="#2563eb", linewidth=2, label=one.__name__)
        panel.set(title=title, xlabel=f"p of {where}'s own class", xlim=(0, 1))
    span = values.max() - values.min()
    axes[0].set_ylim(values.min() - 0.06 * span, max(values.max() + 0.06 * span, min(2.5, values.max() * 3)))
    axes[0].legend(fontsize=8)
    save(figure, path)
    return single


# -- a scene ------------------------------------------------------------------------------------------------------


def draw_push(one: Documented, path: Path) -> None:
    """What gradient descent does to each logit: up is red, down is blue."""
    scene = half_right()
    _, slopes = called(one)(scene)
    _, plain = CROSS_ENTROPY(scene)
    figure, axes = plt.subplots(1, 4, figsize=(5.6, 1.7), layout="constrained")
    pictures = (
        ("target", scene.labels, "gray_r", 1.6), ("prediction p", 1 / (1 + np.exp(-scene.z)), "gray_r", 1.6),
        ("cross-entropy", -plain, "RdBu_r", np.abs(plain).max()),
        (one.__name__, -slopes, "RdBu_r", np.abs(slopes).max()),
    )  # fmt: skip
    for panel, (title, picture, colours, most) in zip(axes, pictures, strict=True):
        panel.imshow(picture, cmap=colours, vmin=-most if "RdBu" in colours else 0, vmax=most or 1)
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set(visible=True, linewidth=0.5)
        panel.grid(visible=False)
        panel.set_title(title if len(title) < 24 else "this loss", fontsize=8)
        if "RdBu" in colours:
            panel.contour(scene.labels, [0.5], colors="0.3", linewidths=0.6)
    save(figure, path)


# -- poolings and functions of the target -----------------------------------------------------------------------------


def draw_pooling(kind: type[core.Pooling], path: Path) -> None:
    """What each of a hundred pixels counts for, by its cost."""
    pooling = core.HardExampleMining(min_kept=10) if kind is core.HardExampleMining else kind()
    costs = -np.log(P)
    loss = core.CrossEntropyLoss(activation="sigmoid", reduction=pooling)
    _, slopes = loss.value_and_grad(Z[None, None], np.ones((1, len(Z)), np.int64))
    counts = slopes[0, 0] / (P - 1) * len(P)
    figure, panel = plt.subplots(figsize=(4.4, 2.5), layout="constrained")
    panel.axhline(1, linestyle="--", color="0.55", linewidth=1.2, label="mean")
    panel.plot(costs, counts, color="#2563eb", linewidth=2, label=kind.__name__)
    panel.set(xlabel="cost ℓ of a pixel", ylabel="what it counts for")
    panel.legend(fontsize=8)
    save(figure, path)


LABELS = np.minimum(discs(), 1)[None]
MAPS: dict[str, Callable[[], np.ndarray]] = {
    "gaussian_heatmap": lambda: core.gaussian_heatmap(
        np.asarray([[[12.0, 12.0], [28.0, 30.0]]]), np.asarray([[0, 0]]), (SIDE, SIDE), num_classes=1, sigma=3.0
    ),
    "gaussian_heatmap_from_labels": lambda: core.gaussian_heatmap_from_labels(LABELS == 1, num_classes=1, sigma=3.0),
    "boundary_weights": lambda: core.boundary_weights(LABELS, kernel_size=9),
    "spatially_varying_labels": lambda: core.spatially_varying_labels(LABELS, num_classes=2)[:, 1],
    "signed_distance_map": lambda: core.signed_distance_map(LABELS == 1, num_classes=1),
    "boundary_penalty": lambda: core.boundary_penalty(LABELS, num_classes=2),
    "border_weights": lambda: core.border_weights(discs()[None], num_instances=2),
    "nearest_instance": lambda: core.nearest_instance(discs()[None], num_instances=2),
}  # fmt: skip


def draw_map(name: str, path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(4.6, 2.2), layout="constrained")
    given = discs() if "instance" in name or name == "border_weights" else LABELS[0]
    made = np.asarray(MAPS[name]()).reshape(SIDE, SIDE)
    points = name == "gaussian_heatmap"
    for panel, title, picture in (
        (axes[0], "points" if points else "labels", np.zeros_like(given) if points else given),
        (axes[1], name, made),
    ):
        drawn = panel.imshow(
            picture, cmap="gray_r" if panel is axes[0] else "viridis", vmax=3 if panel is axes[0] else None
        )
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set(visible=True, linewidth=0.5)
        panel.grid(visible=False)
        panel.set_title(title, fontsize=8)
    if points:
        axes[0].plot([12, 30], [12, 28], "k.")
    figure.colorbar(drawn, ax=axes[1], shrink=0.8)
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
