"""Tversky: false positives and false negatives with weights of their own."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.checks import check_number
from seglosses_core.moments import Moment, false_negatives, false_positives, true_positives
from seglosses_core.region import RatioLoss


@dataclass(frozen=True, kw_only=True)
class TverskyLoss(RatioLoss):
    """`L = 1 − (I + ε) / (I + α FP + β FN + ε)` with `I = Σ y p`, `FP = Σ p − I`, `FN = Σ y − I`.

    Salehi et al. 2017 (arXiv:1706.05721, eq. 3). α = β = ½ is Dice (with ε counted twice), α = β = 1 is Jaccard.

    Parameters
    ----------
    alpha : float
        The weight of false positives, ≥ 0.
    beta : float
        The weight of false negatives, ≥ 0.
    """

    alpha: float = 0.5
    beta: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_number("beta", self.beta, at_least=0)

    def moments(self) -> list[Moment]:
        return [
            true_positives(n=1, d=1),
            false_positives(d=self.alpha),
            false_negatives(d=self.beta),
        ]
