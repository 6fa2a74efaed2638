"""Dice and Jaccard with a power in the denominator."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.checks import check_parameter
from seglosses_core.libraries import Array
from seglosses_core.moments import (
    Moment,
    false_negatives,
    false_positives,
    squared_error,
    true_positives,
)
from seglosses_core.region import JointRatioLoss


@dataclass(frozen=True, kw_only=True)
class PowerLoss(JointRatioLoss):
    """A region loss with a power p in [1, 2] on the sums of its denominator."""

    p: float | Array = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_parameter("p", self.p, at_least=1, at_most=2)

    def ratio_of(self, overlap: int) -> list[Moment]:
        """`overlap Σ y ŷ / (Σ ŷ^p + Σ y^p − (2 − overlap) Σ y ŷ)`. With p of 1 and of 2 there are sums that keep the
        digits of what is wrong near perfection."""
        if isinstance(self.p, (int, float)) and self.p == 1:
            return [true_positives(overlap, overlap), false_positives(d=1), false_negatives(d=1)]
        if isinstance(self.p, (int, float)) and self.p == 2:
            return [true_positives(overlap, overlap), squared_error(d=1)]
        return [true_positives(overlap, overlap - 2), Moment(self.p, 0, d=1), Moment(0, self.p, d=1)]


@dataclass(frozen=True, kw_only=True)
class PowerDiceLoss(PowerLoss):
    """`L = 1 − (2 Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p + ε)`; p = 1 is Dice, p = 2 V-Net's.

    Duque-Arias et al., VISAPP 2021, "On power Jaccard losses for semantic segmentation". The range of p is theirs for
    the power Jaccard loss and ours here.

    Parameters
    ----------
    p : float or 0-dimensional array
        In [1, 2]. An array may be learnable; its value is not checked.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = PowerDiceLoss(p=2)
    >>> float(loss(logits, labels).round(6))
    0.166401
    """

    def moments(self) -> list[Moment]:
        return self.ratio_of(2)


@dataclass(frozen=True, kw_only=True)
class PowerJaccardLoss(PowerLoss):
    """`L = 1 − (Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p − Σ y ŷ + ε)`; p = 1 is Jaccard.

    Duque-Arias et al., VISAPP 2021, "On power Jaccard losses for semantic segmentation". For y = 1 the loss is least at
    `ŷ = (1/(p − 1))^(1/p)`, which lies in the unit interval's upper end or beyond it for 1 ≤ p ≤ 2 alone.

    Parameters
    ----------
    p : float or 0-dimensional array
        In [1, 2]. An array may be learnable; its value is not checked.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = PowerJaccardLoss(p=1.5)
    >>> float(loss(logits, labels).round(6))
    0.360373
    """

    def moments(self) -> list[Moment]:
        return self.ratio_of(1)
