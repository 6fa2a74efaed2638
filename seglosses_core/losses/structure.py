"""The structure loss: cross-entropy and intersection over union, both weighted up near boundaries."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from seglosses_core.activations import Activation, Cotangent, Prediction
from seglosses_core.arithmetic import one_if_zero
from seglosses_core.checks import check_number, check_window
from seglosses_core.libraries import Array
from seglosses_core.losses.cross_entropy import TwoSidedCrossEntropyLoss
from seglosses_core.losses.dice import JaccardLoss
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.region import RegionLoss, ScoreBack
from seglosses_core.target import Target
from seglosses_core.windows import boundary_map


@dataclass(frozen=True, kw_only=True)
class StructureLoss(RegionLoss):
    """`L = Σ m ℓ / Σ m + 1 − (Σ m p y + 1) / (Σ m (p + y − p y) + 1)` for each image and class, ℓ the binary
    cross-entropy and `m = 1 + 5 max_c |mean(y_c) − y_c|` over the window around a pixel.

    Wei et al. 2020 (F3Net, arXiv:1911.11445), for overlapping classes, activation="sigmoid"; m is that of
    `boundary_weights`. Their code, and what has been copied from it, does not weight the cross-entropy by m, for it
    spells a reduction in a way that torch reads as the mean. Several classes are ours.

    Parameters
    ----------
    kernel_size : int
        The odd width of the window, in pixels, on every spatial axis.
    factor : float
        At least 0, in the place of 5.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5, -2.0]]])  # one image, one class, four pixels
    >>> labels = np.asarray([[1, 0, 0, 0]])
    >>> loss = StructureLoss(kernel_size=3)
    >>> float(loss(logits, labels).round(6))
    0.567098
    """

    sees = "image"

    activation: Activation = "sigmoid"
    kernel_size: int = 31
    factor: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window("kernel_size", self.kernel_size)
        check_number("factor", self.factor, at_least=0)
        self.check_activation("sigmoid")

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        overlap = JaccardLoss(activation="sigmoid", aggregate=self.aggregate, smooth=1.0)

        def take() -> Taken:
            weighted = _weighted(target, boundary_map(target, self.kernel_size, self.factor, ops))
            of_overlap, to_overlap = overlap.sums(prediction, weighted)
            of_entropy, to_entropy = self._entropy(prediction, weighted, ops)
            assert to_overlap is not None
            assert to_entropy is not None
            return Taken(
                [*of_entropy, *of_overlap], lambda slopes: to_overlap(slopes[1:]) + to_entropy(slopes[:1])
            )

        (total, count, *sums), back = self.add_up(ops, take)
        count = one_if_zero(count, ops.xp)
        loss, slopes = overlap.ratio(sums, overlap.coefficients(target), self.sums_unit(target), ops)

        def to_pixels(upstream: Array) -> Cotangent:
            upstream = ops.cast(upstream, loss.dtype)
            return back([upstream / count, *(upstream * slope for slope in slopes)])

        return loss + total / count, to_pixels

    def _entropy(self, prediction: Prediction, target: Target, ops: Ops) -> Taken:
        """The sums of cross-entropy, and of the weights."""
        costs = TwoSidedCrossEntropyLoss(activation="sigmoid").costs(prediction, target, ops)
        weights = self.pixel_weights(target)
        spread = ops.over_classes(weights)
        sums = [ops.sum_pixels(costs.values * spread), ops.sum_image(weights)[:, None]]

        def back(slopes: Sequence[Array]) -> Cotangent:
            assert costs.back is not None
            return costs.back(ops.over_pixels(ops.cast(slopes[0], target.dtype)) * spread)

        return Taken(self.over_images(sums, ops), back)


def _weighted(target: Target, weights: Array) -> Target:
    """The target with pixels of these weights, a map."""
    weighted = copy.copy(target)
    weighted.mask = weights if target.mask is None else weights * target.mask
    return weighted
