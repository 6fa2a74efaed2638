"""Dice between the mean absolute error and V-Net's, for labels that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from seglosses_core.activations import Prediction
from seglosses_core.arithmetic import power_or_zero
from seglosses_core.checks import check_choice, check_number
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import Summand, errors
from seglosses_core.region import RatioLoss
from seglosses_core.target import Target

Denominator = Literal["linear", "squared"]


@dataclass(frozen=True, kw_only=True)
class NoiseRobustDiceLoss(RatioLoss):
    """Dice with a power on the errors, between the mean absolute error and squares:

        L = Σ |p − y|^γ / (Σ p + Σ y + ε)      denominator="linear"
        L = Σ |p − y|^γ / (Σ p² + Σ y² + ε)    denominator="squared"

    Wang et al. 2020 (doi 10.1109/TMI.2020.3000314) print the squared form; their library has the linear one, which is
    the default here: with γ < 2 the squared form of a class without target is unbounded, and the less of it is
    predicted the more it costs. ε is in the denominator only. γ = 2 is `PowerDiceLoss(p=2)` in the squared form, γ = 1
    `DiceSemimetricLoss` in the linear one. L is 0 at p = y alone, for soft targets too.

    Parameters
    ----------
    gamma : float
        In [1, 2].
    denominator : "linear" or "squared"
    smooth : float
        ε ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = NoiseRobustDiceLoss()
    >>> float(loss(logits, labels).round(6))
    0.194211
    """

    gamma: float = 1.5
    denominator: Denominator = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma", self.gamma, at_least=1, at_most=2)
        check_choice("denominator", self.denominator, get_args(Denominator))

    def sums(self, prediction: Prediction, target: Target) -> Taken:
        xp, gamma, p, y = target.ops.xp, self.gamma, prediction.probabilities, target.values
        error, sign = errors(prediction, target)
        size = sign * error
        summands = [
            Summand(power_or_zero(size, gamma, xp), gamma * power_or_zero(size, gamma - 1, xp) * sign),
            Summand(p * p + y * y, 2 * p)
            if self.denominator == "squared"
            else Summand(p + y, xp.ones_like(p)),
        ]
        return self.pixel_sums(summands, target)

    def coefficients(self, target: Target) -> list[tuple[Any, Any]]:
        return [(-1, 0), (1, 1)]
