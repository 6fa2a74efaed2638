"""Generalized Dice whose errors count several times."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.checks import check_number
from seglosses_core.libraries import Array
from seglosses_core.losses.generalized_dice import GeneralizedDiceLoss
from seglosses_core.ops import Ops


@dataclass(frozen=True, kw_only=True)
class PenaltyGeneralizedDiceLoss(GeneralizedDiceLoss):
    """`L = (1 + k) u / (1 + k u)` with u the generalized Dice loss: false positives and false negatives count 1 + k
    times.

    Yang, Kweon, Kim, MIDL 2019 (openreview H1lTh8unKN): `L = 1 − s / (1 + k (1 − s))` with `s = 1 − u`. For the rest
    see `GeneralizedDiceLoss`.

    Parameters
    ----------
    k : float
        ≥ 0; with 0 it is the generalized Dice loss.
    weights : "square", "simple" or "uniform"
        ω is 1 / T², 1 / T or 1.
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = PenaltyGeneralizedDiceLoss()
    >>> float(loss(logits, labels).round(6))
    0.611702
    """

    k: float = 2.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("k", self.k, at_least=0)

    def transform(self, u: Array, score: Array, ops: Ops) -> tuple[Array, Array | None]:
        damped = 1 + self.k * u
        return (1 + self.k) * u / damped, (1 + self.k) / (damped * damped)
