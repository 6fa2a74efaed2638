"""Cross-entropy and focal loss with the first term of their expansion in 1 − p adjusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seglosses_core.activations import Side
from seglosses_core.arithmetic import is_zero
from seglosses_core.checks import check_number
from seglosses_core.libraries import Array, dtype_name
from seglosses_core.log_pixel import Answer, LogPixelLoss
from seglosses_core.losses.focal import FocalLoss
from seglosses_core.ops import Ops


def poly_cost(side: Side, epsilon: float, gamma: Any, ops: Ops) -> tuple[Array, Callable[[], Any]]:
    """`(1 − p)^γ (−log p + ε (1 − p))` and its derivative by log p, for ε ≥ −1.

    With ρ such that `−log p = (1 − p)(1 + ρ)` they are `(1 − p)^γ (1 − p)(1 + ε + ρ)` and
    `−(1 − p)^γ (γ p ρ + 1 − p + (1 + ε)(γ + 1) p)`, in which nothing cancels.
    """
    xp, log_p, q = ops.xp, side.log, side.complement()
    damping = 1.0 if is_zero(gamma) else side.complement_power(gamma, ops)
    near = q < 0.25
    inside = xp.where(near, q, xp.zeros_like(q))
    rho = _surplus(inside, ops)

    def slope() -> Any:
        p = xp.exp(log_p)
        # Where p underflows, p ρ is 0.
        far = -xp.where(near | (p == 0), -xp.ones_like(q), log_p) / xp.where(near, xp.ones_like(q), q) - 1
        surplus = xp.where(near, rho, far)
        return -damping * (gamma * p * surplus + q + (1 + epsilon) * (gamma + 1) * p)

    return damping * xp.where(near, inside * (1 + epsilon + rho), epsilon * q - log_p), slope


def _surplus(q: Array, ops: Ops) -> Array:
    """ρ for q = 1 − p < 1/4, about q/2, to full relative precision: `s + (s² / 3 + s⁴ / 5 + …) 2 / (2 − q)` with
    `s = q / (2 − q)`, since `−log(1 − q) = 2 artanh(s)`."""
    s = q / (2 - q)
    square = s * s
    terms = 10 if dtype_name(q) == "float64" else 5
    series = ops.xp.full_like(q, 1 / (2 * terms + 1))
    for k in range(terms - 1, 0, -1):
        series = series * square + 1 / (2 * k + 1)
    return s + square * series * (2 / (2 - q))


@dataclass(frozen=True, kw_only=True)
class PolyCrossEntropyLoss(LogPixelLoss):
    """`ℓ = −log p + ε (1 − p)` at the label; for overlapping classes of p where y = 1 and of 1 − p where y = 0, mixed
    by soft targets.

    Leng et al. 2022 (arXiv:2204.12511), Poly-1.

    Parameters
    ----------
    epsilon : float
        ε ≥ −1, below which the cost would rise near p = 1; 2 in the paper for ImageNet.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = PolyCrossEntropyLoss()
    >>> float(loss(logits, labels).round(6))
    0.696266
    """

    epsilon: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("epsilon", self.epsilon, at_least=-1)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return poly_cost(answer.side, self.epsilon, 0, ops)


@dataclass(frozen=True, kw_only=True)
class PolyFocalLoss(FocalLoss):
    """`ℓ = α_c (−(1 − p)^γ log p + ε (1 − p)^(γ + 1))` at the label; for overlapping classes with α of p where y = 1
    and with 1 − α of 1 − p where y = 0, mixed by soft targets.

    Leng et al. 2022 (arXiv:2204.12511), Poly-1. That α multiplies both terms is ours.

    Parameters
    ----------
    epsilon : float
        ε ≥ −1; −1 in the paper for RetinaNet.
    gamma : float, sequence or array `(C,)`
        The focusing exponent, ≥ 0.
    alpha : float, sequence or array `(C,)`, or None
        As in `FocalLoss`.
    normalized : bool
        As in `FocalLoss`.
    mixes : "costs"
        There is nothing else: the expansion is that of one side.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = PolyFocalLoss()
    >>> float(loss(logits, labels).round(6))
    0.208527
    """

    alpha: float | Sequence[float] | Array | None = None
    epsilon: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("epsilon", self.epsilon, at_least=-1)
        if self.mixes != "costs":
            raise ValueError(
                f"mixes must be 'costs' for PolyFocalLoss, whose expansion is that of one side, got {self.mixes!r}."
            )

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return poly_cost(answer.side, self.epsilon, self.gamma_of(answer, ops), ops)
