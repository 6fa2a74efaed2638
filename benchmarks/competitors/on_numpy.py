"""NumPy, where only this project has a gradient: the others are a derivative written out by hand, and the limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import seglosses_core
from benchmarks.cases import DISTANCE_MAP, PIXEL_LOSSES, SMOOTH, Case, ours
from benchmarks.competitors import LIMIT, OURS, PLAIN, Competitor, signed_distances
from benchmarks.memory import resident_peak

Array = np.ndarray


def of_seglosses(case: Case, loss: str) -> Competitor:
    if loss == DISTANCE_MAP:
        return _of_distances(lambda y: seglosses_core.signed_distance_map(y, num_classes=1))
    return Competitor(ours(seglosses_core, case, loss).value_and_grad)


def of_scipy(case: Case, loss: str) -> Competitor | None:
    return _of_distances(signed_distances()) if loss == DISTANCE_MAP else None


def _of_distances(distances: Callable[[Array], Array]) -> Competitor:
    def function(z: Array, y: Array) -> tuple[Array, Array]:
        found = distances(y)
        return (found * z).sum(), found

    return Competitor(function, target="labels")


def plain(case: Case, loss: str) -> Competitor | None:
    if case.binary or loss not in ("cross_entropy", "dice"):
        return None
    return Competitor(_cross_entropy if loss == "cross_entropy" else _dice)


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _one_hot(z: Array, y: Array) -> Array:
    return np.moveaxis(np.eye(z.shape[1], dtype=z.dtype)[y], -1, 1)


def _cross_entropy(z: Array, y: Array) -> tuple[Array, Array]:
    p, t = _softmax(z), _one_hot(z, y)
    return -np.mean(np.log((p * t).sum(axis=1))), (p - t) / np.float32(y.size)


def _dice(z: Array, y: Array) -> tuple[Array, Array]:
    p, t = _softmax(z), _one_hot(z, y)
    pixels = tuple(range(2, z.ndim))
    overlap, total = (p * t).sum(pixels, keepdims=True), (p + t).sum(pixels, keepdims=True)
    score = (2 * overlap + SMOOTH) / (total + SMOOTH)
    slope = (score - 2 * t) / (total + SMOOTH) / score.size
    return 1 - score.mean(), p * (slope - (p * slope).sum(axis=1, keepdims=True))


def limit(case: Case, loss: str) -> Competitor:
    if loss in PIXEL_LOSSES:
        return Competitor(lambda z, y: (0.0, z + 1))
    return Competitor(lambda z, y: (0.0, z + z.sum()))


LIBRARIES: dict[str, Callable[[Case, str], Competitor | None]] = {
    OURS: of_seglosses,
    PLAIN: plain,
    "scipy": of_scipy,
    LIMIT: limit,
}


class Runner:
    """Logits and a target in NumPy, and a function that gives its own gradient."""

    def __init__(
        self,
        competitor: Competitor,
        case: Case,
        logits: np.ndarray,
        target: np.ndarray,
        *,
        mode: str,
        device: str,
        differentiate: bool,
    ) -> None:
        self.logits, self.target, self.function = logits, target, competitor.function

    def evaluate(self) -> Any:
        return self.function(self.logits, self.target)

    def wait(self, result: Any) -> None:
        pass

    def numpy(self, result: Any) -> tuple[float, np.ndarray]:
        return float(result[0]), result[1]

    def peak(self) -> tuple[int, str]:
        return resident_peak(self.evaluate), "VmHWM"

    def about(self) -> dict[str, Any]:
        return {"threads": 1}
