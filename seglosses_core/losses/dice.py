"""Dice and Jaccard: overlap relative to size."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.losses.overlap import LogarithmicLoss, OverlapLoss
from seglosses_core.moments import Moment, false_negatives, false_positives, true_positives


@dataclass(frozen=True, kw_only=True)
class DiceRatio(OverlapLoss):
    """A loss of the Dice coefficient."""

    def moments(self) -> list[Moment]:
        return [true_positives(n=2, d=2), false_positives(d=1), false_negatives(d=1)]


@dataclass(frozen=True, kw_only=True)
class DiceLoss(LogarithmicLoss, DiceRatio):
    """`L = 1 − (2 Σ y p + ε) / (Σ p + Σ y + ε)`, the Dice coefficient as a loss.

    Milletari et al. 2016 (V-Net), without their squares: `PowerDiceLoss(p=2)` has them. Shapes, options and errors: see
    `Loss.__call__`, `SingleLoss` and `RegionLoss`.

    Parameters
    ----------
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.
    log : bool
        −log of the ratio in place of 1 less it: see `LogarithmicLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = DiceLoss()
    >>> float(loss(logits, labels).round(6))
    0.291572
    """


@dataclass(frozen=True, kw_only=True)
class JaccardLoss(LogarithmicLoss, OverlapLoss):
    """`L = 1 − (Σ y p + ε) / (Σ p + Σ y − Σ y p + ε)`, intersection over union as a loss (Rahman and Wang 2016).

    Parameters
    ----------
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.
    log : bool
        −log of the ratio in place of 1 less it: see `LogarithmicLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = JaccardLoss()
    >>> float(loss(logits, labels).round(6))
    0.450247
    """

    def moments(self) -> list[Moment]:
        return [true_positives(n=1, d=1), false_positives(d=1), false_negatives(d=1)]
