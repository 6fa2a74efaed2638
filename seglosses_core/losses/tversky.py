"""Tversky: false positives and false negatives with weights of their own."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.arithmetic import power_or_zero
from seglosses_core.checks import check_number
from seglosses_core.libraries import Array
from seglosses_core.losses.overlap import LogarithmicLoss, OverlapLoss
from seglosses_core.moments import Moment, false_negatives, false_positives, true_positives
from seglosses_core.ops import Ops


@dataclass(frozen=True, kw_only=True)
class TverskyRatio(OverlapLoss):
    """A loss of Tversky's index."""

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


@dataclass(frozen=True, kw_only=True)
class TverskyLoss(LogarithmicLoss, TverskyRatio):
    """`L = 1 − (I + ε) / (I + α FP + β FN + ε)` with `I = Σ y p`, `FP = Σ p − I`, `FN = Σ y − I`.

    Salehi et al. 2017 (arXiv:1706.05721, eq. 3). α = β = ½ is Dice (with ε counted twice), α = β = 1 is Jaccard.

    Parameters
    ----------
    alpha : float
        The weight of false positives, ≥ 0.
    beta : float
        The weight of false negatives, ≥ 0.
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.
    log : bool
        −log of the ratio in place of 1 less it: see `LogarithmicLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = TverskyLoss(alpha=0.3, beta=0.7)
    >>> float(loss(logits, labels).round(6))
    0.281916
    """


@dataclass(frozen=True, kw_only=True)
class FocalTverskyLoss(TverskyRatio):
    """`L = u^γ` with `u = 1 − (I + ε) / (I + α FP + β FN + ε)` of the Tversky loss: what is nearly right counts for
    less with γ > 1, for more with γ < 1.

    Abraham and Khan 2018 (arXiv:1810.07842, section 2), whose γ is 1/γ here, as in their code; the paper adds up the
    classes where we take the mean. Where u = 0 the derivative counts as 0.

    Parameters
    ----------
    alpha : float
        The weight of false positives, ≥ 0; .3 in the paper.
    beta : float
        The weight of false negatives, ≥ 0; .7 in the paper.
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.
    gamma : float
        The exponent, in (0, 3]; in the paper's code 3/4.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = FocalTverskyLoss()
    >>> float(loss(logits, labels).round(6))
    0.386626
    """

    alpha: float = 0.3
    beta: float = 0.7
    gamma: float = 0.75

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma", self.gamma, above=0, at_most=3)

    def transform(self, u: Array, score: Array, ops: Ops) -> tuple[Array, Array | None]:
        xp = ops.xp
        return power_or_zero(u, self.gamma, xp), self.gamma * power_or_zero(u, self.gamma - 1, xp)
