"""What the losses of overlap share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from seglosses_core.activations import Prediction
from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_choice, check_flag
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import Summand, errors
from seglosses_core.region import JointRatioLoss, RatioLoss
from seglosses_core.target import Target

Overlap = Literal["product", "minimum"]


@dataclass(frozen=True, kw_only=True)
class OverlapLoss(JointRatioLoss):
    """A ratio of true positives, false positives and false negatives.

    Parameters
    ----------
    overlap : "product" or "minimum"
        Of p and y at a pixel, `p y` or `min(p, y)` is what both have in common, and the rest of p and of y is false.
        The two differ for soft targets: with "minimum" the loss is 0 at p = y, and nowhere else. Where p = y lies
        between 0 and 1, the derivative is the mean of those on either side.
    """

    overlap: Overlap = "product"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("overlap", self.overlap, get_args(Overlap))

    def sums(self, prediction: Prediction, target: Target) -> Taken:
        if self.overlap == "product" or target.has_labels:
            return super().sums(prediction, target)
        p, y = prediction.probabilities, target.values
        error, sign = errors(prediction, target)
        missing, excess = (1 - sign) / 2, (1 + sign) / 2  # 1 where p < y, and where p > y
        summands = [
            Summand(missing * p + excess * y, missing),
            Summand(excess * error, excess),
            Summand(-missing * error, -missing),
        ]
        return self.pixel_sums(summands, target)


@dataclass(frozen=True, kw_only=True)
class LogarithmicLoss(RatioLoss):
    """A ratio loss that may be −log of its score.

    Parameters
    ----------
    log : bool
        `L = −log s` in place of `1 − s`, with s the ratio: as steep as cross-entropy where little is right. It is ∞
        where s is 0, which a class without target is with `smooth=0`, and its gradient counts as 0 there.
    """

    log: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("log", self.log)

    def transform(self, u: Array, score: Array, ops: Ops) -> tuple[Array, Array | None]:
        return minus_log(u, score, ops) if self.log else super().transform(u, score, ops)


def minus_log(u: Array, score: Array, ops: Ops) -> tuple[Array, Array]:
    """−log of a score and its derivative by `u = 1 − score`, which counts as 0 where the score is 0."""
    xp, s = ops.xp, score
    small = s < 0.5  # else the digits are in u
    near = ops.log1p(-xp.where(small, xp.zeros_like(u), u))
    far = ops.log(xp.where(small, s, xp.ones_like(s)))
    return -xp.where(small, far, near), divide(xp.ones_like(s), s, xp)
