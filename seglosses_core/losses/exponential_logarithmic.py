"""Powers of logarithms below 1: steep where little is left to learn, as well as where little is learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seglosses_core.arithmetic import power_or_zero
from seglosses_core.checks import check_number, check_per_class
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer, LogPixelLoss, constant
from seglosses_core.losses.dice import DiceRatio
from seglosses_core.losses.overlap import minus_log
from seglosses_core.ops import Ops
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class ExponentialLogarithmicDiceLoss(DiceRatio):
    """`L = (−log s)^γ` with `s = (2 Σ y p + ε) / (Σ p + Σ y + ε)`, the Dice coefficient.

    Wong et al. 2018 (arXiv:1809.00076, L_Dice), where ε is 1 and 0.8 of it stands beside 0.2 of
    `ExponentialLogarithmicCrossEntropyLoss`: see `ExponentialLogarithmicLoss`. At s = 1 the derivative counts as 0.

    Parameters
    ----------
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.
    gamma : float
        The exponent, above 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = ExponentialLogarithmicDiceLoss()
    >>> float(loss(logits, labels).round(6))
    0.725618
    """

    gamma: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma", self.gamma, above=0)

    def transform(self, u: Array, score: Array, ops: Ops) -> tuple[Array, Array]:
        log, steepness = minus_log(u, score, ops)
        slope = self.gamma * power_or_zero(log, self.gamma - 1, ops.xp) * steepness
        return power_or_zero(log, self.gamma, ops.xp), slope


@dataclass(frozen=True, kw_only=True)
class ExponentialLogarithmicCrossEntropyLoss(LogPixelLoss):
    """`ℓ = v_c (−log p)^γ` at the label; for overlapping classes `v_c (−log p)^γ` where y = 1 and `(−log(1 − p))^γ`
    where y = 0, mixed by soft targets.

    Wong et al. 2018 (arXiv:1809.00076, L_Cross). Overlapping classes are ours. At p = 1 the derivative counts as 0.

    Parameters
    ----------
    gamma : float
        The exponent, above 0.
    label_weights : sequence or array `(C,)`, optional
        v ≥ 0; in the paper `class_weights_from_counts(counts, scheme="sqrt_inverse")`. The mean is not divided by them,
        as it is by `class_weights`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = ExponentialLogarithmicCrossEntropyLoss(label_weights=[1.0, 2.0])
    >>> float(loss(logits, labels).round(6))
    1.199787
    """

    gamma: float = 0.3
    label_weights: Sequence[float] | Array | None = None

    of_each_class = ("label_weights",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma", self.gamma, above=0)
        if self.label_weights is not None:
            check_per_class("label_weights", self.label_weights, at_least=0)

    def class_factors(self, ops: Ops, target: Target) -> tuple[Any, Any] | None:
        return None if self.label_weights is None else (constant(self.label_weights, target, ops), 1)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        xp, distance = ops.xp, -answer.side.log

        def slope() -> Array:
            # Where p = 0 the slope by p is −∞, of which no factor may be 0.
            within = ops.clip(distance, 0.0, float(xp.finfo(distance.dtype).max))
            return -self.gamma * power_or_zero(within, self.gamma - 1, xp)

        return power_or_zero(distance, self.gamma, xp), slope
