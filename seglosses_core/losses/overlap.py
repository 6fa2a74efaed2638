"""What the losses of overlap share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_flag
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.region import RatioLoss


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

    def transform(self, u: Array, score: Callable[[], Array], ops: Ops) -> tuple[Array, Array | None]:
        if not self.log:
            return super().transform(u, score, ops)
        xp, s = ops.xp, score()
        small = s < 0.5  # else the digits are in u
        near = ops.log1p(-xp.where(small, xp.zeros_like(u), u))
        far = ops.log(xp.where(small, s, xp.ones_like(s)))
        return -xp.where(small, far, near), divide(xp.ones_like(s), s, xp)
