"""The focal loss, and the cost that it shares with the distance-aware cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seglosses_core.activations import Prediction, Side
from seglosses_core.arithmetic import divide, is_zero
from seglosses_core.checks import check_flag, check_one_or_per_class, is_array
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer, LogPixelLoss, constant
from seglosses_core.losses.focal_mixtures import Mixture, check_mixes, mixed_costs
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
    weighs_entries = True  # sums over an image, too, are those of each class

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("normalized", self.normalized)
        check_mixes(self)
        check_one_or_per_class("gamma", self.gamma, at_least=0)
        if self.alpha is not None:
            most = {"at_most": 1.0} if self.activation == "sigmoid" or self.overlapping else {}
            check_one_or_per_class("alpha", self.alpha, at_least=0, **most)

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
        if not (isinstance(self.gamma, tuple) or is_array(self.gamma)):
            return self.gamma
        gamma = ops.constant(self.gamma, answer.side.log)
        return answer.of_classes(gamma) if len(gamma.shape) else gamma

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return focal_cost(answer.side, self.gamma_of(answer, ops), ops)

    def _costs(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        if self.mixes != "costs" and not target.hard:
            return mixed_costs(self, prediction, target, ops)
        costs = super()._costs(prediction, target, ops)
        if not self.normalized:
            return costs
        damping = self.with_options_of_this(Damping, gamma=self.gamma, overlapping=self.overlapping)
        return multiplied(costs, damping.normalizer(prediction, target, ops))


def multiplied(costs: Costs, factor: Array) -> Costs:
    """Costs times a factor that has no derivative."""
    back = costs.back
    assert back is not None
    return replace(costs, values=costs.values * factor, back=lambda upstream: back(upstream * factor))


class Damping(FocalLoss):
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
