"""Cross-entropies of overlapping classes, of which most are absent at most pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seglosses_core.activations import Activation, Cotangent, Prediction
from seglosses_core.arithmetic import divide, is_zero, power_or_zero
from seglosses_core.checks import check_number
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer, LogPixelLoss
from seglosses_core.loss import Needs
from seglosses_core.losses.focal import focal_cost
from seglosses_core.ops import Ops
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class OverlappingLoss(LogPixelLoss):
    """A loss of classes that overlap, whatever the activation: each costs what its presence and its absence cost."""

    activation: Activation = "sigmoid"

    needs = Needs()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_no_overlapping("whose classes always overlap")

    def classes_exclude(self, num_classes: int) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class BalancedCrossEntropyLoss(OverlappingLoss):
    """`ℓ = −b y log p − (1 − b)(1 − y) log(1 − p)`, with b the share of an image that a class does not have.

    Xie and Tu 2015 (HED, arXiv:1504.06375, eq. 2). The mean over pixels is ours, where they have the sum, and so are
    weights, which count in b too. Classes always overlap here. A class that no pixel of an image has costs nothing.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5, -2.0]]])  # one image, one class, four pixels
    >>> labels = np.asarray([[1, 0, 0, 0]])
    >>> loss = BalancedCrossEntropyLoss()
    >>> float(loss(logits, labels).round(6))
    0.112191
    """

    sees = "image"
    weighs_entries = True  # what it sees of the image are sums of each class

    pointwise = False

    def class_factors(self, ops: Ops, target: Target) -> tuple[Any, Any]:
        weights = target.weights(with_samples=False)
        present, absent = (
            ops.sum_pixels(y if weights is None else y * ops.over_classes(weights))
            for y in (target.values, 1 - target.values)
        )
        share = ops.cast(divide(absent, present + absent, ops.xp), target.dtype)
        return share, ops.cast(divide(present, present + absent, ops.xp), target.dtype)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return -answer.side.log, lambda: -1.0


@dataclass(frozen=True, kw_only=True)
class AsymmetricLoss(OverlappingLoss):
    """The focal loss with exponents of its own for presence and absence, and a margin below which absence is free:

        ℓ = −(1 − p)^γ₊ log p           where y = 1
        ℓ = −(1 − v)^γ₋ log v           where y = 0, with v = min(1 − p + m, 1)

    mixed by soft targets. Ridnik et al. 2021 (arXiv:2009.14119), whose code sums where we take the mean.
    Classes always overlap here. Where p ≤ m an absent class has no gradient.

    Parameters
    ----------
    gamma_positive : float
        γ₊ ≥ 0.
    gamma_negative : float
        γ₋ ≥ 0.
    margin : float
        m in [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5, -2.0]]])  # one image, one class, four pixels
    >>> labels = np.asarray([[1, 0, 0, 0]])
    >>> loss = AsymmetricLoss()
    >>> float(loss(logits, labels).round(6))
    0.054688
    """

    gamma_positive: float = 0.0
    gamma_negative: float = 4.0
    margin: float = 0.05

    single_sided_if_hard = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma_positive", self.gamma_positive, at_least=0)
        check_number("gamma_negative", self.gamma_negative, at_least=0)
        check_number("margin", self.margin, at_least=0, below=1)

    def both_sides(
        self, prediction: Prediction, target: Target, weights: Array | None, ops: Ops
    ) -> list[Answer]:
        presence, absence = super().both_sides(prediction, target, weights, ops)
        if not is_zero(self.margin):
            # The slope is one by p: a number at p = 1 too, where that by log(1 − p) is 0 and comes to 0/0.
            absence = absence._replace(home=lambda factors: Cotangent(terms=[(1, factors)]))
        return [presence, absence]

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        if not answer.absence:
            return focal_cost(answer.side, self.gamma_positive, ops)
        if is_zero(self.margin):
            return focal_cost(answer.side, self.gamma_negative, ops)
        xp, gamma = ops.xp, self.gamma_negative
        q, excess = answer.side.probability(), answer.side.complement() - self.margin
        free = excess <= 0  # and what is no number is not
        excess = xp.where(free, xp.zeros_like(excess), excess)
        near = excess < 0.5
        v = xp.where(free, xp.ones_like(q), q + self.margin)
        log_v = xp.where(near, ops.log1p(-xp.where(near, excess, xp.zeros_like(excess))), xp.log(v))
        damping = power_or_zero(excess, gamma, xp)

        def slope() -> Array:
            certain = excess < xp.finfo(q.dtype).eps ** 0.5
            ratio = xp.where(certain, 1 + excess / 2, -log_v / xp.where(certain, xp.ones_like(q), excess))
            return xp.where(free, xp.zeros_like(q), damping * (gamma * ratio + 1 / v))

        return -damping * log_v, slope


@dataclass(frozen=True, kw_only=True)
class QualityFocalLoss(OverlappingLoss):
    """`ℓ = |y − p|^β (−y log p − (1 − y) log(1 − p))`, the focal loss for soft targets, 0 at p = y.

    Li et al. 2020 (arXiv:2006.04388). Classes always overlap here. Of hard targets it is the focal loss without
    α. At p = y the derivative counts as 0.

    Parameters
    ----------
    beta : float
        The focusing exponent, above 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5]]])  # one image, one class, three pixels
    >>> target = np.asarray([[[1.0, 0.5, 0.0]]])
    >>> loss = QualityFocalLoss()
    >>> float(loss(logits, target).round(6))
    0.140878
    """

    beta: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("beta", self.beta, above=0)

    def _costs(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        xp, y = ops.xp, target.values
        p, q = prediction.probabilities, prediction.complements
        log_p = ops.finite_where_unused(prediction.log_probabilities, lambda: y != 0)
        log_q = ops.finite_where_unused(prediction.log_complements, lambda: y != 1)
        entropy = -y * log_p - (1 - y) * log_q
        difference = xp.where(y > 0.5, (1 - y) - q, p - y)
        sign = xp.where(difference < 0, -xp.ones_like(y), ops.cast(difference > 0, y.dtype))
        distance = sign * difference
        damping = power_or_zero(distance, self.beta, xp)

        def back(upstream: Array) -> Cotangent:
            steepness = self.beta * power_or_zero(distance, self.beta - 1, xp) * sign * entropy
            damped = -upstream * damping
            return Cotangent(
                terms=[(0, (damped, y)), (1, (upstream, steepness))],
                complement=[damped * (1 - y)],
            )

        return Costs(damping * entropy, self.cost_weights(target, ops), back)
