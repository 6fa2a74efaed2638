"""The focal loss, and the cost that it shares with the distance-aware cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from seglosses_core.activations import Cotangent, Prediction, Side
from seglosses_core.arithmetic import divide, is_zero, power_or_zero
from seglosses_core.checks import check_choice, check_flag, check_one_or_per_class, is_array
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer, LogPixelLoss, constant
from seglosses_core.ops import Ops
from seglosses_core.target import Target


def focal_cost(side: Side, gamma: Any, ops: Ops) -> tuple[Array, Callable[[], Any]]:
    """`−(1 − p)^γ log p` and its derivative by log p: `−(1 − p)^γ (γ p r + 1)`, with r = −log p / (1 − p)."""
    xp, log_p = ops.xp, side.log
    damping = side.complement_power(gamma, ops)

    def slope() -> Any:
        if is_zero(gamma):
            return -1.0
        limits = xp.finfo(log_p.dtype)
        inside = ops.clip(log_p, 0.9 * math.log(limits.smallest_normal), 0.0)  # where p underflows, p r is 0
        q = side.complement()
        certain = q < limits.eps**0.5
        ratio = xp.where(certain, 1 + q / 2, -inside / xp.where(certain, xp.ones_like(q), q))
        return -damping * (gamma * xp.exp(inside) * ratio + 1)

    return -damping * log_p, slope


Mixture = Literal["costs", "probabilities", "logarithms", "logits"]


@dataclass(frozen=True, kw_only=True)
class FocalLoss(LogPixelLoss):
    """`ℓ = −α_c (1 − p)^γ log p` at the label; for overlapping classes `−α (1 − p)^γ log p` where y = 1 and
    `−(1 − α) p^γ log(1 − p)` where y = 0, mixed by soft targets.

    Lin et al. 2017 (arXiv:1708.02002, eq. 5), whose sum over the number of anchors is the mean over pixels here.

    Parameters
    ----------
    gamma : float, sequence or array `(C,)`
        The focusing exponent, ≥ 0; of several, that of the label or of each class.
    alpha : float, sequence or array `(C,)`, or None
        With exclusive classes a number multiplies all of them, a vector each its own; with overlapping ones α in
        [0, 1] is for the foreground and 1 − α for the rest. None: 1 everywhere.
    normalized : bool
        Multiply ℓ by `Σ w / Σ w (1 − p)^γ`, with sums over the pixels of its image, of overlapping classes for each
        class: the mean over an image is that of −α log p with the weights (1 − p)^γ (Sofiiuk et al. 2019,
        arXiv:1909.07829). The factor has no derivative, as in their code; where all (1 − p)^γ are 0 it is 0. Ours:
        images of which less is valid count for less in the mean, as everywhere.
    mixes : "costs", "probabilities", "logarithms" or "logits"
        What soft targets of overlapping classes mix. But for "costs" it is
        `−α_t (1 − p_t)^γ (y log p + (1 − y) log(1 − p))` with `α_t = α y + (1 − α)(1 − y)`: p_t, its logarithm or its
        logit is that of p times y plus that of 1 − p times 1 − y, as in torchvision, in segmentation_models_pytorch and
        in MONAI. Hard targets mix nothing.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = FocalLoss(gamma=2, alpha=None)
    >>> float(loss(logits, labels).round(6))
    0.127006
    """

    @property
    def sees(self) -> str:  # type: ignore[override]
        return "image" if self.normalized else "pixel"

    gamma: float | Sequence[float] | Array = 2.0
    alpha: float | Sequence[float] | Array | None = 0.25
    normalized: bool = False
    mixes: Mixture = "costs"

    of_each_class = ("gamma", "alpha")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("normalized", self.normalized)
        check_choice("mixes", self.mixes, get_args(Mixture))
        self._check_mixes()
        check_one_or_per_class("gamma", self.gamma, at_least=0)
        if self.alpha is not None:
            most = {"at_most": 1.0} if self.activation == "sigmoid" or self.overlapping else {}
            check_one_or_per_class("alpha", self.alpha, at_least=0, **most)

    def _check_mixes(self) -> None:
        if self.mixes == "costs":
            return
        if self.activation != "sigmoid" and (self.mixes == "logits" or not self.overlapping):
            raise ValueError(
                f"mixes must be 'costs' for exclusive classes, and not 'logits' for probabilities, got {self.mixes!r}"
                f" with activation={self.activation!r}; overlapping classes have activation='sigmoid', or"
                " overlapping=True."
            )
        if self.normalized:
            raise ValueError(
                f"mixes must be 'costs' with normalized=True, which weighs each side, got {self.mixes!r}."
            )

    @property
    def pointwise(self) -> bool:  # type: ignore[override]
        return not self.normalized

    def class_factors(self, ops: Ops, target: Target) -> tuple[Any, Any] | None:
        if self.alpha is None:
            return None
        alpha = constant(self.alpha, target, ops)
        return alpha, 1 - alpha

    def gamma_of(self, answer: Answer, ops: Ops) -> Any:
        """γ where the costs are."""
        gamma: Any = self.gamma
        if not (isinstance(gamma, tuple) or is_array(gamma)):
            return gamma
        gamma = ops.constant(gamma, answer.side.log)
        return answer.of_classes(gamma) if len(gamma.shape) else gamma

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return focal_cost(answer.side, self.gamma_of(answer, ops), ops)

    def _costs(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        if self.mixes != "costs" and not target.hard:
            return self._mixed(prediction, target, ops)
        costs = super()._costs(prediction, target, ops)
        if not self.normalized:
            return costs
        to_focal = costs.back
        assert to_focal is not None
        damping = self.with_options_of_this(_Damping, gamma=self.gamma, overlapping=self.overlapping)
        factor = damping.normalizer(prediction, target, ops)
        return replace(costs, values=costs.values * factor, back=lambda upstream: to_focal(upstream * factor))

    def _mixed(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        """One power of 1 − p_t for both sides."""
        xp, y = ops.xp, target.values
        weighted = self.cost_weights(target, ops)
        yes, no = self._both_sides(prediction, target, weighted.values, ops)
        log_p = ops.finite_where_unused(yes.side.log, lambda: y != 0)
        log_q = ops.finite_where_unused(no.side.log, lambda: y != 1)
        alpha = 1.0 if self.alpha is None else yes.share + no.share  # type: ignore[operator]
        gamma = self.gamma_of(yes, ops)
        entropy = -y * log_p - (1 - y) * log_q
        if self.mixes == "logits":
            missed = xp.exp(ops.log_sigmoid((1 - 2 * y) * (log_p - log_q)))
        elif self.mixes == "logarithms":
            missed = -xp.expm1(-entropy)
        else:
            missed = y * yes.side.complement() + (1 - y) * no.side.complement()
        damping = alpha * power_or_zero(missed, gamma, xp)

        def back(upstream: Array) -> Cotangent:
            lowest = 0.9 * math.log(xp.finfo(log_p.dtype).smallest_normal)  # where p underflows, p log p is 0
            inside = -y * ops.clip(log_p, lowest, 0.0) - (1 - y) * ops.clip(log_q, lowest, 0.0)
            # Of the entropy times the logarithm of 1 − p_t, by log p and log(1 − p).
            if self.mixes == "logits":
                by_p = (1 - 2 * y) * (1 - missed) * inside
                by_q = -by_p
            else:
                ratio = divide(inside, missed, xp, otherwise=1.0)
                if self.mixes == "logarithms":
                    ratio = -xp.exp(-inside) * ratio
                    by_p, by_q = y * ratio, (1 - y) * ratio
                else:
                    by_p, by_q = (1 - 2 * y) * xp.exp(log_p) * ratio, 0.0
            slope = upstream * damping
            return Cotangent(
                terms=[(0, (slope, gamma * by_p - y))], complement=[slope * (gamma * by_q - (1 - y))]
            )

        return Costs(damping * entropy, weighted, back)


class _Damping(FocalLoss):
    """The (1 − p)^γ of a focal loss alone, in the place of its costs."""

    def class_factors(self, ops: Ops, target: Target) -> None:
        return None

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return answer.side.complement_power(self.gamma_of(answer, ops), ops), lambda: None

    def normalizer(self, prediction: Prediction, target: Target, ops: Ops) -> Array:
        """`Σ w / Σ w (1 − p)^γ`, which broadcasts against the costs."""
        damping, xp = self._costs(prediction, target, ops), ops.xp
        values = ops.stop_gradient(damping.values)
        weights = xp.ones_like(values) if damping.weights is None else damping.weights
        per_class = len(values.shape) == ops.rank
        add_up, spread = (ops.sum_pixels, ops.over_pixels) if per_class else (ops.sum_image, ops.over_image)
        count, total = add_up(weights), add_up(weights * values)
        least = 4 * xp.finfo(values.dtype).smallest_normal  # below, the quotient may overflow
        factor = divide(count, xp.where(total > least * count, total, 0 * total), xp)
        return spread(ops.cast(factor, values.dtype))
