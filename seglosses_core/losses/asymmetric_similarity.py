"""F_β: recall weighs more than precision."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.checks import check_number
from seglosses_core.losses.overlap import OverlapLoss
from seglosses_core.moments import Moment, false_negatives, false_positives, true_positives


@dataclass(frozen=True, kw_only=True)
class AsymmetricSimilarityLoss(OverlapLoss):
    """`L = 1 − (1 + β²) I / ((1 + β²) I + β² FN + FP)` with `I = Σ y p`, `FP = Σ p − I`, `FN = Σ y − I`: 1 − F_β.

    Hashemi et al. 2018 (arXiv:1803.11078). It is the Tversky loss with 1 / (1 + β²) on false positives and
    β² / (1 + β²) on false negatives. Ours: ε is added after dividing by 1 + β²; the paper has none.

    Parameters
    ----------
    beta : float
        Above 0; false negatives weigh β² times as much as false positives. 1.5 was the paper's best.
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = AsymmetricSimilarityLoss()
    >>> float(loss(logits, labels).round(6))
    0.282489
    """

    beta: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("beta", self.beta, above=0)

    def moments(self) -> list[Moment]:
        square = self.beta**2
        return [
            true_positives(n=1, d=1),
            false_positives(d=1 / (1 + square)),
            false_negatives(d=square / (1 + square)),
        ]
