"""Differences over union, which count for more the longer the boundary is for its area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seglosses_core.activations import Prediction
from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_number
from seglosses_core.libraries import Array
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import Summand, errors
from seglosses_core.region import RatioLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class BoundaryDoULoss(RatioLoss):
    """`L = (Σ (p − y)² + ε) / (Σ (p − y)² + (1 − α) Σ y p + ε)` with `α = 1 − 2 C / S`, C the pixels on the boundary
    of a class and S all of its pixels.

    Sun, Luo, Li 2023 (arXiv:2308.00220); `Σ (p − y)²` is their `Σ p² + Σ y² − 2 Σ p y`. A pixel is on the boundary if
    one of its neighbours along the axes is not of the class, or lies outside the image or is ignored. As in their code
    α is cut at `max_alpha` above and not below. Ours: ε stands in the denominator only, and not in α, so that a
    perfect class costs 0 and one without target less than 1 if little of it is predicted; images are taken one by one
    unless `aggregate="batch"`. Of soft targets, what is above ½ belongs to the class. No gradient flows through α.

    Parameters
    ----------
    max_alpha : float
        In [−1, 1). 0.8 in the paper's code; α = −1 is `PowerDiceLoss(p=2)`, α = 0 is `PowerJaccardLoss(p=2)`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = BoundaryDoULoss()
    >>> float(loss(logits, labels).round(6))
    0.166401
    """

    sees = "image"

    max_alpha: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("max_alpha", self.max_alpha, at_least=-1, below=1)

    def sums(self, prediction: Prediction, target: Target) -> Taken:
        y, (error, _) = target.values, errors(prediction, target)
        summands = [Summand(error * error, 2 * error), Summand(prediction.probabilities * y, y)]
        return self.pixel_sums(summands, target)

    def coefficients(self, target: Target) -> list[tuple[Any, Any]]:
        ops, xp = target.ops, target.ops.xp

        def take() -> Taken:
            boundary = ops.cast(_boundary(target), target.dtype)
            return self.pixel_sums([Summand(boundary, boundary)], target)

        (length,), _ = self.add_up(ops, take)
        share = 2 * divide(length, self.sizes(target), xp)  # 1 − α
        least = (1 - self.max_alpha) * xp.ones_like(share)
        share = xp.where(share > least, share, least)
        return [(0, 1), (share, share)]


def _boundary(target: Target) -> Array:
    """Where each class has a neighbour along an axis that is not of it, logits-shaped."""
    ops, xp = target.ops, target.ops.xp
    inside = region = target.only_valid(target.values, 0.0) > 0.5
    for axis in ops.spatial_axes:
        before = (slice(None),) * axis
        outside = xp.zeros_like(region[(*before, slice(0, 1), ...)])
        inside = inside & xp.concat([outside, region[(*before, slice(None, -1), ...)]], axis=axis)
        inside = inside & xp.concat([region[(*before, slice(1, None), ...)], outside], axis=axis)
    return region & ~inside
