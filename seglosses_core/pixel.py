"""Pixel losses: one cost per pixel, pooled to a number.

With exclusive classes (softmax) the cost of a pixel is `Σ_c y_c f(log p_c)`; with overlapping ones (sigmoid) each class
of a pixel costs `w⁺ f(log p) + w⁻ f(log(1 − p))`, as a rule with w⁺ = y and w⁻ = 1 − y. A loss writes f with its
derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seglosses_core.arithmetic import is_zero, power_or_zero, product_or_none
from seglosses_core.checks import check_number, check_parameter, check_per_class, is_array
from seglosses_core.libraries import Array
from seglosses_core.loss import SingleLoss
from seglosses_core.ops import Ops
from seglosses_core.prediction import Cotangent, Prediction, Pullback, Side
from seglosses_core.reductions import Pooling, one_if_zero
from seglosses_core.target import Target


@dataclass
class CostMap:
    """A cost for every pixel, or for every class of every pixel.

    `weights` has the shape of `costs`, or is None if all are 1; `pullback` takes the derivative of what follows with
    respect to `costs`: of their shape, or one number for all of them.
    """

    costs: Array
    weights: Array | None
    pullback: Callable[[Array], Cotangent]
    count: Array | None = None
    """What the mean divides by, if not the sum of the weights."""
    unit: Array | None = None
    """What the weights have to be multiplied by to be those that were given; None for 1."""


@dataclass(frozen=True, kw_only=True)
class PixelLoss(SingleLoss):
    """What pixel losses share: from a map of costs and weights to one number, or to the weighted map itself.

    The mean is over the valid pixels of the whole batch, `Σ w ℓ / Σ w`, and over the classes too where these overlap
    (sigmoid). The weight of a pixel is `mask · sample_weight · class weight of its target`.
    """

    local = True
    """Whether the cost of a pixel depends on nothing but that pixel."""

    def wide(self, logits: Array, target: Array, ops: Ops) -> bool:
        """Whether arrays of the logits' size lie between the logits and their gradient."""
        return True

    def cost_map(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any) -> CostMap:
        raise NotImplementedError

    def evaluate(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any
    ) -> tuple[Array, Pullback]:
        return self.pool(self.cost_map(prediction, target, ops, **inputs), ops)

    def pool(self, found: CostMap, ops: Ops) -> tuple[Array, Pullback]:
        """The reduction of a map."""
        costs, weights = found.costs, found.weights
        if self.reduction == "none":
            unit = None if found.unit is None else ops.cast(found.unit, costs.dtype)
            weights = product_or_none([weights, unit])
            value = costs if weights is None else costs * weights
            return value, lambda seed: found.pullback(seed if weights is None else seed * weights)
        if isinstance(self.reduction, Pooling):
            value, back = self.reduction(costs, ops.xp.ones_like(costs) if weights is None else weights, ops)
            return value, lambda seed: found.pullback(back(seed))
        total, count = self._sums(found, ops)
        count = one_if_zero(count, ops.xp)

        def pullback(seed: Array) -> Cotangent:
            scale = ops.cast(ops.cast(seed, total.dtype) / count, costs.dtype)
            return found.pullback(scale if weights is None else weights * scale)

        return ops.cast(total / count, costs.dtype), pullback

    def _sums(self, found: CostMap, ops: Ops) -> tuple[Array, Any]:
        """`Σ w ℓ`, and what is divided by."""
        total = ops.total(found.costs if found.weights is None else found.costs * found.weights)
        if self.reduction == "sum":
            return total, 1 if found.unit is None else 1 / found.unit
        if found.count is not None:
            return total, found.count
        return total, ops.count(found.costs) if found.weights is None else ops.total(found.weights)

    def at_once(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        *,
        gradient: bool,
        **inputs: Any,
    ) -> tuple[Array, Any, Any]:
        """As for every loss; of a mean or a sum, one part of the pixels after the other, so that the maps in between
        stay small."""
        in_parts = self.local and not inputs and self.reduction in ("mean", "sum")
        in_parts = in_parts and all(ops.is_ordinary(w) for w in (mask, sample_weight) if w is not None)
        parts = ops.chunks(logits) if in_parts and self.wide(logits, target, ops) else None
        if parts is None:
            return super().at_once(logits, target, mask, sample_weight, ops, gradient=gradient, **inputs)
        slope = ops.xp.zeros_like(logits) if gradient else None
        totals, counts, poison = [], [], 0.0
        for part in parts:
            piece, its_target, its_mask = (
                x if x is None else ops.chunk_of(x, part) for x in (logits, target, mask)
            )
            prediction, read = self.read(piece, its_target, its_mask, sample_weight, ops, scaled=True)
            found = self.cost_map(prediction, read, ops)
            total, count = self._sums(found, ops)
            totals.append(total)
            counts.append(count)
            poison = poison if read.poison is None else poison + read.poison
            if slope is not None:
                weights = (
                    ops.xp.ones_like(total, dtype=read.dtype) if found.weights is None else found.weights
                )
                slope[part] = prediction.gradient(found.pullback(weights))
        total, count = sum(totals), one_if_zero(counts[0] if self.reduction == "sum" else sum(counts), ops.xp)
        factor = ops.cast(ops.xp.ones_like(total) / count, logits.dtype)
        return ops.cast(total / count, logits.dtype) + poison, slope, factor + poison

    def weights_of_entries(self, target: Target, ops: Ops, like: Array) -> tuple[Array | None, Array | None]:
        """The weight of every class of every pixel, logits-shaped, or None if all are 1; and its unit."""
        pixels = target.weights(with_samples=True)
        classes, unit = self.read_class_weights(ops, like)
        if pixels is None and classes is None:
            return None, None
        weights = ops.xp.ones_like(like)
        if pixels is not None:
            weights = weights * ops.over_classes(pixels)
        unit = product_or_none([target.unit(with_samples=True), unit])
        return weights if classes is None else weights * ops.over_pixels(classes), unit


@dataclass(frozen=True, kw_only=True)
class LogPixelLoss(PixelLoss):
    """A pixel loss that is a function of log-probabilities, one at a time.

    A subclass gives `cost`, and where it has them factors per class, a smoothed target or sides of its own.

    Parameters
    ----------
    clip : float
        In [0, 1/2), for activation="identity": a probability counts as if it were in [clip, 1 − clip]. The derivative
        with respect to the probability that is given is 1 in there and at the ends, and 0 outside.
    """

    clip: float = 0.0

    log_at_label = True
    one_sided = True
    """Whether a class that overlaps others costs f(log p) alone where its target is 1, f(log(1 − p)) where it is 0."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("clip", self.clip, at_least=0, below=0.5)
        self.check_clip(self.activation)

    def check_clip(self, activation: str) -> None:
        if self.clip and activation != "identity":
            raise ValueError(
                f"clip is for probabilities, activation='identity', got clip={self.clip!r} with"
                f" activation={activation!r}, whose logarithms are exact."
            )

    def cost(self, side: Side, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        """f(log p) and its derivative with respect to log p, a number where that is the same everywhere."""
        raise NotImplementedError

    def exclusive(self, num_classes: int) -> bool:
        """Whether classes exclude each other, so that a pixel has one cost instead of one per class."""
        return self.activation == "softmax" or (self.activation == "identity" and num_classes > 1)

    def factors(self, ops: Ops, like: Array) -> tuple[Any, Any] | None:
        """The factors of the costs where the target is 1 and where it is 0, numbers or arrays `(C,)`; None if 1."""
        return None

    def soften(self, values: Array, uniform: float) -> Array:
        """The target of each class, `uniform` being a target that knows nothing."""
        return values

    @property
    def softens(self) -> bool:
        return False

    def sides(self, values: Array, ops: Ops) -> tuple[Array, Array]:
        """w⁺ and w⁻ for overlapping classes."""
        values = self.soften(values, 0.5)
        return values, 1 - values

    def wide(self, logits: Array, target: Array, ops: Ops) -> bool:
        narrow = self.exclusive(logits.shape[ops.class_axis]) and len(target.shape) < ops.rank
        return not narrow or self.softens

    def cost_map(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any) -> CostMap:
        if not self.clip:
            return self.cost_map_of(prediction, target, ops)
        clipped = prediction.clipped(self.clip)
        found = self.cost_map_of(clipped, target, ops)
        return replace(
            found, pullback=lambda seed: Cotangent(logits=[clipped.gradient(found.pullback(seed))])
        )

    def cost_map_of(self, prediction: Prediction, target: Target, ops: Ops) -> CostMap:
        if not self.exclusive(target.num_classes):
            one_sided = self.one_sided and target.hard and not self.softens
            return (self._one_side if one_sided else self._both_sides)(prediction, target, ops)
        if target.labels is not None and not self.softens:
            return self._at_label(prediction, target, ops)
        return self._over_classes(prediction, target, ops)

    def _at_label(self, prediction: Prediction, target: Target, ops: Ops) -> CostMap:
        weights, unit = target.weights(with_samples=True), target.unit(with_samples=True)
        side = prediction.label_side()
        classes, unit_of_classes = self.read_class_weights(ops, side.log)
        if classes is not None:
            weight = ops.table_at_label(classes, target.labels)
            weights = weight if weights is None else weight * weights
        if weights is not None:
            side.log = ops.finite_where_unused(side.log, lambda: weights > 0)
        factors = self.factors(ops, side.log)
        factor: Any = 1.0 if factors is None else factors[0]
        if is_array(factor) and len(factor.shape):
            factor = ops.table_at_label(factor, target.labels)
        if is_array(factor) or factor == 0:
            side.log = ops.finite_where_unused(side.log, lambda: ops.xp.ones_like(side.log) * factor > 0)
        cost, slope = self.cost(side, ops)

        def pullback(seed: Array) -> Cotangent:
            inner = seed * slope()
            return Cotangent(at_label=[(0, inner if factors is None else inner * factor)])

        unit = product_or_none([unit, unit_of_classes])
        return CostMap(cost if factors is None else factor * cost, weights, pullback, unit=unit)

    def _over_classes(self, prediction: Prediction, target: Target, ops: Ops) -> CostMap:
        """The cost of a pixel is `Σ_c w_c y_c f(log p_c) / Σ_c w_c y_c`, and the sum below it a factor of its weight: a
        target that is 0 for all classes says nothing, and one that says twice as much counts twice."""
        xp = ops.xp
        side = prediction.presence()
        # A length is a tensor of integers under torch.jit.trace, by which 1 is divided in float32.
        shares = self.soften(target.values, 1 / int(target.num_classes))
        factors = self.factors(ops, side.log)
        if factors is not None:
            shares = shares * self._spread(factors[0], ops)
        weights, unit = target.weights(with_samples=True), target.unit(with_samples=True)
        if target.labels is None or self.class_weights is not None:
            values = target.values
            classes, unit_of_classes = self.read_class_weights(ops, side.log)
            if classes is not None:
                values, shares = values * ops.over_pixels(classes), shares * ops.over_pixels(classes)
            weight = ops.sum_classes(values)
            shares = shares / ops.over_classes(xp.where(weight > 0, weight, xp.ones_like(weight)))
            weights = weight if weights is None else weight * weights
            unit = product_or_none([unit, unit_of_classes])
        if weights is not None:
            shares = xp.where(ops.over_classes(weights > 0), shares, xp.zeros_like(shares))
        side.log = ops.finite_where_unused(side.log, lambda: shares != 0)
        cost, slope = self.cost(side, ops)

        def pullback(seed: Array) -> Cotangent:
            return Cotangent(everywhere=[(0, (ops.over_classes(seed) * slope(), shares))])

        return CostMap(ops.sum_classes(shares * cost), weights, pullback, unit=unit)

    def _one_side(self, prediction: Prediction, target: Target, ops: Ops) -> CostMap:
        """Of overlapping classes, where the target is 1 or 0: one cost for each class of a pixel."""
        side, back = prediction.side_of(target.signs)
        weights, unit = self.weights_of_entries(target, ops, side.log)
        shares, factors = weights, self.factors(ops, side.log)
        if factors is not None:
            factor, other = (self._spread(x, ops) for x in factors)
            factor = target.values * factor + (1 - target.values) * other
            shares = factor if weights is None else factor * weights
        if shares is not None:
            side.log = ops.finite_where_unused(side.log, lambda: shares > 0)
        cost, slope = self.cost(side, ops)

        def pullback(seed: Array) -> Cotangent:
            inner = seed * slope()
            return Cotangent(logits=[back(inner if factors is None else inner * factor)])

        return CostMap(cost if factors is None else factor * cost, weights, pullback, unit=unit)

    def _both_sides(self, prediction: Prediction, target: Target, ops: Ops) -> CostMap:
        present, absent = prediction.presence(), prediction.absence()
        weights, unit = self.weights_of_entries(target, ops, present.log)
        positive, negative = self.sides(target.values, ops)
        factors = self.factors(ops, present.log)
        if factors is not None:
            factor, other = (self._spread(x, ops) for x in factors)
            positive, negative = positive * factor, negative * other

        def used(share: Array) -> Array:
            return share != 0 if weights is None else (share != 0) & (weights > 0)

        present.log = ops.finite_where_unused(present.log, lambda: used(positive))
        absent.log = ops.finite_where_unused(absent.log, lambda: used(negative))
        cost, slope = self.cost(present, ops)
        cost_of_absence, slope_of_absence = self.cost(absent, ops)

        def pullback(seed: Array) -> Cotangent:
            return Cotangent(
                everywhere=[(0, (seed * slope(), positive))],
                complement=[seed * slope_of_absence() * negative],
            )

        return CostMap(positive * cost + negative * cost_of_absence, weights, pullback, unit=unit)

    def _spread(self, factor: Any, ops: Ops) -> Any:
        return ops.over_pixels(factor) if is_array(factor) and len(factor.shape) else factor


@dataclass(frozen=True, kw_only=True)
class CrossEntropyLoss(LogPixelLoss):
    """`ℓ = −Σ_c y_c log p_c`, for overlapping classes `ℓ = −y log p − (1 − y) log(1 − p)` for each.

    With labels, class weights and smoothing it is what torch.nn.CrossEntropyLoss computes, but that a label of class
    weight 0 leaves its pixels out, smoothed or not; with activation="sigmoid" the binary cross-entropy.
    activation="identity" takes probabilities: of exclusive classes, or with one class that of the foreground.

    Parameters
    ----------
    label_smoothing : float
        ε in [0, 1]: the target becomes `(1 − ε) y + ε / C`, for overlapping classes `(1 − ε) y + ε / 2` (Szegedy et al.
        2016, section 7).
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("label_smoothing", self.label_smoothing, at_least=0, at_most=1)

    @property
    def softens(self) -> bool:
        return self.label_smoothing > 0

    def soften(self, values: Array, uniform: float) -> Array:
        if not self.softens:
            return values
        return (1 - self.label_smoothing) * values + self.label_smoothing * uniform

    def cost(self, side: Side, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return -side.log, lambda: -1.0


def _focal_cost(side: Side, gamma: float, ops: Ops) -> tuple[Array, Callable[[], Any]]:
    """`−(1 − p)^γ log p` and its derivative by log p: `−(1 − p)^γ (γ p r + 1)`, with r = −log p / (1 − p)."""
    xp, log_p = ops.xp, side.log
    damping = side.complement_power(gamma, ops)

    def slope() -> Any:
        if is_zero(gamma):
            return -1.0
        limits = xp.finfo(log_p.dtype)
        inside = xp.clip(log_p, 0.9 * math.log(limits.smallest_normal), 0.0)  # where p underflows, p r is 0
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
    gamma : float
        The focusing exponent, ≥ 0.
    alpha : float, sequence or array `(C,)`, or None
        With exclusive classes a number multiplies all of them, a vector each its own; with overlapping ones α in
        [0, 1] is for the foreground and 1 − α for the rest. None: 1 everywhere.
    """

    gamma: float = 2.0
    alpha: float | Sequence[float] | Array | None = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("gamma", self.gamma, at_least=0)
        limits: dict[str, float] = {"at_least": 0, **({"at_most": 1} if self.activation == "sigmoid" else {})}
        alpha: Any = self.alpha
        if isinstance(alpha, tuple) or (is_array(alpha) and len(alpha.shape)):
            check_per_class("alpha", alpha, **limits)
        elif alpha is not None:
            check_parameter("alpha", alpha, **limits)

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        axis = super().check(logits, target, mask, sample_weight)
        self.check_per_class("alpha", logits, axis)
        return axis

    def factors(self, ops: Ops, like: Array) -> tuple[Any, Any] | None:
        if self.alpha is None:
            return None
        alpha: Any = self.alpha
        if isinstance(alpha, tuple) or is_array(alpha):
            alpha = ops.constant(alpha, like)
        return alpha, 1 - alpha

    def cost(self, side: Side, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return _focal_cost(side, self.gamma, ops)


@dataclass(frozen=True, kw_only=True)
class DistanceAwareCrossEntropyLoss(LogPixelLoss):
    """For sparse foreground, such as key points: a background pixel near the foreground is punished less.

        ℓ = −(1 − p)^α log p                 where y = 1
        ℓ = −(1 − y)^β p^α log(1 − p)        elsewhere

    with y a heat map of Gaussians that is 1 at the foreground (`gaussian_heatmap`). The mean divides by the number of
    entries with y = 1 in the batch, by 1 if there are none. Law and Deng 2018 (CornerNet, arXiv:1808.01244, eq. 1,
    whose α is a focusing exponent); the article of Du calls it distance-aware. Classes always overlap here. Weights
    are ours: they count in the costs and in the number of foreground entries.

    Parameters
    ----------
    alpha : float
        The focusing exponent, ≥ 0.
    beta : float
        The exponent of the distance factor, ≥ 0.
    """

    activation: str = "sigmoid"
    alpha: float = 2.0
    beta: float = 4.0

    log_at_label = False
    one_sided = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_number("beta", self.beta, at_least=0)

    def exclusive(self, num_classes: int) -> bool:
        return False

    def sides(self, values: Array, ops: Ops) -> tuple[Array, Array]:
        xp = ops.xp
        foreground = values == 1
        distance = power_or_zero(1 - values, self.beta, xp) + ops.zero_or_nan(values <= 1, values.dtype)
        return ops.cast(foreground, values.dtype), xp.where(foreground, xp.zeros_like(values), distance)

    def cost(self, side: Side, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return _focal_cost(side, self.alpha, ops)

    def cost_map(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any) -> CostMap:
        found = super().cost_map(prediction, target, ops)
        foreground = ops.cast(target.values == 1, target.dtype)
        count = ops.total(foreground if found.weights is None else foreground * found.weights)
        if found.unit is not None:
            # None is divided by 1 of the weights that were given.
            count = ops.xp.where(count > 0, count, 1 / found.unit)
        found.count = count
        return found


@dataclass(frozen=True, kw_only=True)
class MeanSquaredErrorLoss(PixelLoss):
    """`ℓ = (p − y)²` for each class of each pixel, p being a heat map as it is unless `activation` says otherwise.

    The baseline of Du's article for heat maps; with activation="softmax" the Brier score divided by C.
    """

    activation: str = "identity"

    unit_interval = False

    def cost_map(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any) -> CostMap:
        p = prediction.probabilities
        difference = p - target.values

        def pullback(seed: Array) -> Cotangent:
            return Cotangent(everywhere=[(1, (2 * seed, difference))])

        weights, unit = self.weights_of_entries(target, ops, p)
        return CostMap(difference * difference, weights, pullback, unit=unit)
