"""The formulas as a user would write them: one-hot, softmax, sums, and the framework's own derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.cases import ALPHA, BATCH_LOSSES, GAMMA, REGION_LOSSES, SMOOTH, TVERSKY, Case, window

Array = Any
Formula = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Names:
    """What the formulas are written with, in one framework."""

    axis: int
    """Of the classes, counted from the front if it is 1."""
    softmax: Callable[[Array], Array]
    log_softmax: Callable[[Array], Array]
    sigmoid: Callable[[Array], Array]
    log_sigmoid: Callable[[Array], Array]
    one_hot: Callable[[Array, Array], Array]
    """Of labels, like logits."""
    sum: Callable[..., Array]
    """`(x, axes)`, and `keepdims`."""
    mean: Callable[..., Array]
    """`(x)` of everything, or `(x, axes)` with `keepdims`."""
    expand: Callable[[Array, int], Array]
    windows: Callable[[Array, int], Array]
    """`(x, size)`: the neighbours of each pixel, 0 outside the image, side by side on an axis that comes after that of
    the classes if these are at 1, before it if they are last."""
    like: Callable[[Any, Array], Array]
    """Numbers, or an array, as an array of another's dtype."""


def formula(names: Names, case: Case, loss: str) -> Formula | None:
    """None for what is not written down in a few lines."""
    if window(loss):
        return partial(_locally_adaptive, names, window(loss))
    if loss == "cross_entropy":
        return partial(_binary_cross_entropy if case.binary else _cross_entropy, names)
    if loss == "focal":
        return partial(_binary_focal if case.binary else _focal, names)
    if loss == "dice_cross_entropy":
        entropy = _binary_cross_entropy if case.binary else _cross_entropy
        return lambda z, y: _region(names, case, "dice", z, y) + entropy(names, z, y)
    return partial(_region, names, case, loss) if loss in (*REGION_LOSSES, *BATCH_LOSSES) else None


def _cross_entropy(names: Names, z: Array, y: Array) -> Array:
    return -names.mean(names.sum(names.one_hot(y, z) * names.log_softmax(z), names.axis))


def _binary_cross_entropy(names: Names, z: Array, y: Array) -> Array:
    return -names.mean(y * names.log_sigmoid(z) + (1 - y) * names.log_sigmoid(-z))


def _focal(names: Names, z: Array, y: Array) -> Array:
    p = names.softmax(z)
    return -names.mean(names.sum(names.one_hot(y, z) * (1 - p) ** GAMMA * names.log_softmax(z), names.axis))


def _binary_focal(names: Names, z: Array, y: Array) -> Array:
    p = names.sigmoid(z)
    positive = ALPHA * y * (1 - p) ** GAMMA * names.log_sigmoid(z)
    return -names.mean(positive + (1 - ALPHA) * (1 - y) * p**GAMMA * names.log_sigmoid(-z))


def _region(names: Names, case: Case, loss: str, z: Array, y: Array) -> Array:
    p, t = (names.sigmoid(z), y) if case.binary else (names.softmax(z), names.one_hot(y, z))
    rank = len(case.shape)
    pixels = tuple(range(2, rank) if names.axis == 1 else range(1, rank - 1))
    if loss.startswith("batch"):
        pixels = (0, *pixels)
    overlap, true = names.sum(p * t, pixels), names.sum(t, pixels)
    predicted = names.sum(p**2 if loss == "power_jaccard" else p, pixels)
    if loss.endswith("dice"):
        score = (2 * overlap + SMOOTH) / (predicted + true + SMOOTH)
    elif loss == "tversky":
        wrong = TVERSKY["alpha"] * (predicted - overlap) + TVERSKY["beta"] * (true - overlap)
        score = (overlap + SMOOTH) / (overlap + wrong + SMOOTH)
    else:
        score = (overlap + SMOOTH) / (predicted + true - overlap + SMOOTH)
    return 1 - names.mean(score)


def _locally_adaptive(names: Names, size: int, z: Array, y: Array) -> Array:
    axis, beside = names.axis, 2 if names.axis == 1 else -2
    centred = z - names.mean(z, axis, keepdims=True)
    x = centred / names.mean(centred**2, axis, keepdims=True) ** 0.5
    labels = names.expand(names.like(y + 1, z), axis)
    same = names.like(names.windows(labels, size) == names.expand(labels, beside), z)
    steps = range(-(size // 2), size // 2 + 1)
    weights = names.like([2.0 ** (1 - max(abs(i), abs(j))) for i in steps for j in steps], z)
    weights = weights[:, None, None] if axis == 1 else weights[:, None]
    pooled = names.sum(names.windows(x, size) * same * weights, beside) / names.sum(same, beside)
    costs = -names.sum(names.one_hot(y, z) * names.log_softmax(pooled), axis)
    return names.mean(costs**3) ** (1 / 3)
