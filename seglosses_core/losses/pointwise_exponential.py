"""Dice with a power on the prediction in the numerator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from seglosses_core.checks import check_choice, check_number
from seglosses_core.moments import Moment
from seglosses_core.region import RatioLoss

Denominator = Literal["sum", "union"]


@dataclass(frozen=True, kw_only=True)
class PointwiseExponentialLoss(RatioLoss):
    """Dice with a power on the prediction in the numerator and a factor on it, to fine-tune a saturated model:

        L = 1 − α Σ p^n y / (Σ p + Σ y + ε)            denominator="sum"
        L = 1 − α Σ p^n y / (Σ p + Σ y − Σ p y + ε)    denominator="union"

    Deora, repository bluesky314/PointWise-Exponential-Loss, vectorised and summed form. ε is ours, in the denominator
    only. With the defaults the loss is below 0 for good predictions (down to −9): that is as defined. α = 2, n = 1 with
    "sum" is Dice, α = 1, n = 1 with "union" is Jaccard, each with ε = 0.

    Parameters
    ----------
    alpha : float
        The factor, above 0.
    exponent : float
        n, at least 1.
    denominator : "sum" or "union"

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = PointwiseExponentialLoss(alpha=2, exponent=1)
    >>> float(loss(logits, labels).round(6))
    0.291575
    """

    alpha: float = 20.0
    exponent: float = 3.0
    denominator: Denominator = "sum"

    smooth_numerator = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, above=0)
        check_number("exponent", self.exponent, at_least=1)
        if not isinstance(self.reduction, str):
            raise ValueError(
                "reduction must be 'mean', 'sum' or 'none' for PointwiseExponentialLoss, whose costs may be below 0,"
                f" got {self.reduction!r}."
            )
        check_choice("denominator", self.denominator, get_args(Denominator))

    def moments(self) -> list[Moment]:
        moments = [Moment(self.exponent, 1, n=self.alpha), Moment(1, 0, d=1), Moment(0, 1, d=1)]
        return moments if self.denominator == "sum" else [*moments, Moment(1, 1, d=-1)]
