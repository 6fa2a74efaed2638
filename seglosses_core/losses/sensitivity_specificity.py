"""Squared errors of what is of a class and of what is not, each by its own size."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.activations import Prediction
from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_number
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import Summand, errors
from seglosses_core.region import RegionLoss, ScoreBack
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class SensitivitySpecificityLoss(RegionLoss):
    """`L = r Σ y (p − y)² / (Σ y + ε) + (1 − r) Σ (1 − y) (p − y)² / (Σ (1 − y) + ε)`.

    Brosch et al. 2015 (doi 10.1007/978-3-319-24574-4_1). The first part is the sensitivity's, the second the
    specificity's; one without pixels is 0. Soft targets as written: L is 0 at p = y.

    Parameters
    ----------
    ratio : float
        r in [0, 1]; small, as the errors of the second part are spread over many pixels.
    smooth : float
        ε ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = SensitivitySpecificityLoss()
    >>> float(loss(logits, labels).round(6))
    0.10752
    """

    ratio: float = 0.05
    smooth: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("ratio", self.ratio, at_least=0, at_most=1)
        check_number("smooth", self.smooth, at_least=0)

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        def take() -> Taken:
            y, (error, _) = target.values, errors(prediction, target)
            summands = [Summand(side * error * error, 2 * side * error) for side in (y, 1 - y)]
            return self.pixel_sums(summands, target)

        sums, back = self.add_up(ops, take)
        size, unit = self.sizes(target), self.sums_unit(target)
        others = self.pixel_count(target) - size
        smooth = self.smooth if unit is None else self.smooth / unit
        parts = [(self.ratio, size), (1 - self.ratio, others)]
        # Without pixels there is nothing to divide, by ε alone.
        slopes = [divide(r * ops.cast(n > 0, n.dtype), n + smooth, ops.xp) for r, n in parts]
        loss = slopes[0] * sums[0] + slopes[1] * sums[1]
        return loss, lambda upstream: back([ops.cast(upstream, loss.dtype) * slope for slope in slopes])
