"""Dice and Tversky with a power on the errors, for predictions that are too sure of themselves."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.activations import Prediction
from seglosses_core.arithmetic import power_or_zero
from seglosses_core.checks import check_number
from seglosses_core.moments import Moment, false_negatives, false_positives, true_positives
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import Summand
from seglosses_core.region import RatioLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class PlusPlusLoss(RatioLoss):
    """A ratio of true positives, and of false positives and false negatives with a power γ on each pixel's."""

    gamma: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma", self.gamma, at_least=1)

    def sums(self, prediction: Prediction, target: Target) -> Taken:
        xp, gamma = target.ops.xp, self.gamma
        p, q, y = prediction.probabilities, prediction.complements, target.values
        absent, present = power_or_zero(1 - y, gamma, xp), power_or_zero(y, gamma, xp)
        summands = [
            Summand(p * y, y),
            Summand(absent * power_or_zero(p, gamma, xp), gamma * absent * power_or_zero(p, gamma - 1, xp)),
            Summand(
                present * power_or_zero(q, gamma, xp), -gamma * present * power_or_zero(q, gamma - 1, xp)
            ),
        ]
        return self.pixel_sums(summands, target)


@dataclass(frozen=True, kw_only=True)
class DicePlusPlusLoss(PlusPlusLoss):
    """`L = 1 − (2 I + ε) / (2 I + Σ (y (1 − p))^γ + Σ ((1 − y) p)^γ + ε)` with `I = Σ y p`.

    Yeung et al. 2021 (arXiv:2111.00528). Their code clips p and y at 1e-7, ours does not. γ = 1 is Dice, γ = 2 for
    labels V-Net's, `PowerDiceLoss(p=2)`. Of soft targets the loss is above 0 at p = y.

    Parameters
    ----------
    gamma : float
        At least 1, which is ours: they allow all above 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = DicePlusPlusLoss()
    >>> float(loss(logits, labels).round(6))
    0.166401
    """

    def moments(self) -> list[Moment]:
        return [true_positives(n=2, d=2), false_positives(d=1), false_negatives(d=1)]


@dataclass(frozen=True, kw_only=True)
class TverskyPlusPlusLoss(PlusPlusLoss):
    """`L = 1 − (I + ε) / (I + α Σ ((1 − y) p)^γ + β Σ (y (1 − p))^γ + ε)` with `I = Σ y p`.

    Yeung et al. 2021 (arXiv:2111.00528). Their code clips p and y at 1e-7, ours does not. γ = 1 is Tversky.

    Parameters
    ----------
    alpha : float
        The weight of false positives, ≥ 0.
    beta : float
        The weight of false negatives, ≥ 0; .7 in the paper.
    gamma : float
        At least 1, which is ours: they allow all above 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = TverskyPlusPlusLoss()
    >>> float(loss(logits, labels).round(6))
    0.156942
    """

    alpha: float = 0.3
    beta: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_number("beta", self.beta, at_least=0)

    def moments(self) -> list[Moment]:
        return [true_positives(n=1, d=1), false_positives(d=self.alpha), false_negatives(d=self.beta)]
