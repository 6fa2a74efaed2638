"""The structure loss: cross-entropy and intersection over union, both weighted up near boundaries."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from seglosses_core.activations import Activation, Cotangent, Prediction
from seglosses_core.checks import check_number, check_window
from seglosses_core.libraries import Array
from seglosses_core.losses.cross_entropy import TwoSidedCrossEntropyLoss
from seglosses_core.losses.dice import JaccardLoss
from seglosses_core.ops import Ops
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
        batch = self.aggregate == "batch"
        weighted = copy.copy(target)
        near = boundary_map(target, self.kernel_size, self.factor, ops)
        weighted.mask = near if target.mask is None else near * target.mask
        overlap = JaccardLoss(activation="sigmoid", aggregate=self.aggregate, smooth=1.0)
        loss, to_overlap = overlap.score(prediction, weighted, ops)
        costs = TwoSidedCrossEntropyLoss(activation="sigmoid").costs(prediction, weighted, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        weights = self.pixel_weights(weighted)
        spread = ops.over_classes(weights)
        sums, count = ops.sum_pixels(costs.values * spread), ops.sum_image(weights)[:, None]
        if batch:
            sums, count = (ops.xp.sum(x, axis=0, keepdims=True) for x in (sums, count))
        count = ops.xp.where(count > 0, count, ops.xp.ones_like(count))

        def back(upstream: Array) -> Cotangent:
            upstream = ops.cast(upstream, loss.dtype)
            share = ops.over_pixels(ops.cast(upstream / count, target.dtype))
            return to_overlap(upstream) + to_entropy(share * spread)

        return loss + sums / count, back
