"""What a loss costs, at its own grain, and the one way from there to a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from seglosses_core.activations import Cotangent
from seglosses_core.arithmetic import product_or_none
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.reductions import Entries, Pooling


class Weights(NamedTuple):
    """What each cost counts for. Arrays of the costs' shape, ≥ 0."""

    values: Array | None
    """What it is multiplied by; None for 1."""
    unit: Array | None = None
    """What `values` have to be multiplied by to be those that were given; None for 1."""
    counted: Array | None = None
    """What it adds to what a mean divides by, in that unit; None for its weight."""


def what_counts(divisor: str, weights: Array, valid: Array | None, ops: Ops) -> Array:
    """What entries add to what a mean divides by, as `SingleLoss.divisor` says: their weights, 1 where they are valid
    (None: everywhere), or 1."""
    if divisor == "weights":
        return weights
    ones = ops.xp.ones_like(weights)
    return ones if divisor == "all" or valid is None else ops.xp.where(valid, ones, 0 * ones)


def in_unit(counted: Array, unit: Array | None, ops: Ops) -> Array:
    """Numbers in the unit of the weights."""
    return counted if unit is None else ops.cast(counted, unit.dtype) / unit


@dataclass
class Costs:
    """Costs, what each counts for, and the way back from their derivatives."""

    values: Array
    """Of pixels `(N, *S)`, of the classes of pixels `(N, C, *S)`, of the classes of images `(N, C)`, or of images
    `(N,)`."""
    weighted: Weights
    back: Callable[[Array], Cotangent] | None
    """From the derivative of what follows with respect to `values`, an array of their shape or one number for all.
    None: there is no derivative by hand, and autodiff has to take its place."""

    @property
    def weights(self) -> Array | None:
        return self.weighted.values


def totals(costs: Costs, reduction: str, ops: Ops) -> tuple[Array, Any, Any]:
    """`Σ w ℓ`, what a mean or a sum divides it by, and what 1 is in the unit of both."""
    weights, unit, counted = costs.weighted
    total = ops.total(costs.values if weights is None else costs.values * weights)
    one = 1 if unit is None else 1 / unit
    if reduction == "sum":
        return total, one, one
    if counted is not None:
        return total, ops.total(counted), one
    return total, ops.count(costs.values) if weights is None else ops.total(weights), one


def reduce(
    make: Callable[[], Costs], over: str | None, reduction: str | Pooling, ops: Ops, dtype: Any
) -> tuple[Array, Callable[[Array], Cotangent] | None]:
    """The number that a reduction makes of costs, in this dtype, and the way back from it. What the costs are `over`
    may have other parts, None for nothing; they are made when they are asked for."""
    made = _once(make)
    if isinstance(reduction, Pooling):
        value, back = _pooled(made, over, reduction, ops)
    elif reduction == "none":
        value, back = _weighted(made(), ops)
    else:
        value, back = _added_up(made, over, reduction, ops)
    return ops.cast(value, dtype), back


def _once(make: Callable[[], Costs]) -> Callable[[], Costs]:
    made: list[Costs] = []

    def get() -> Costs:
        if not made:
            made.append(make())
        return made[0]

    return get


def _pooled(
    make: Callable[[], Costs], over: str | None, pooling: Pooling, ops: Ops
) -> tuple[Array, Callable[[Array], Cotangent] | None]:
    """A pooling of ℓ with the weights w; of w ℓ where the weights do not count."""

    def entries() -> Entries:
        costs = make()
        if costs.weighted.counted is None:
            weights = ops.xp.ones_like(costs.values) if costs.weights is None else costs.weights
            return Entries(costs.values, weights, costs.back)
        values, back = _weighted(costs, ops)
        return Entries(values, ops.cast(costs.weighted.counted, values.dtype), back)

    return pooling(entries, ops, over)


def _weighted(costs: Costs, ops: Ops) -> tuple[Array, Callable[[Array], Cotangent] | None]:
    """`w ℓ`, with the weights that were given."""
    dtype, (weights, unit, _), back = costs.values.dtype, costs.weighted, costs.back
    weights = product_or_none([weights, None if unit is None else ops.cast(unit, dtype)])
    if weights is None:
        return costs.values, None if back is None else lambda upstream: back(ops.cast(upstream, dtype))
    values = costs.values * weights
    return values, None if back is None else lambda upstream: back(ops.cast(upstream, dtype) * weights)


def _added_up(
    make: Callable[[], Costs], over: str | None, reduction: str, ops: Ops
) -> tuple[Array, Callable[[Array], Cotangent] | None]:
    """A mean or a sum."""
    alone = not ops.parts.splits(over)

    def take() -> Taken:
        costs = make()
        total, count, one = totals(costs, reduction, ops)
        if not alone:
            # Units may differ between parts.
            total, count = total / one, ops.constant(1.0, total) * count / one

        def back(slopes: Sequence[Array]) -> Cotangent:
            assert costs.back is not None
            scale = ops.cast(slopes[0] if alone else slopes[0] / one, costs.values.dtype)
            return costs.back(scale if costs.weights is None else costs.weights * scale)

        sums = [total] if reduction == "sum" else [total, count]
        return Taken([total, count, one] if alone else sums, None if costs.back is None else back)

    sums, back = ops.parts.add_up(over, take)
    total, count, one = (*sums, 1, 1)[:3]
    count = or_one(count, one, ops.xp)
    return total / count, None if back is None else lambda upstream: back(
        [ops.cast(upstream, total.dtype) / count]
    )


def or_one(count: Any, one: Any, xp: Any) -> Any:
    """What a mean divides by, and 1 if that is nothing."""
    return xp.where(count > 0, count, one * xp.ones_like(count)) if hasattr(count, "dtype") else count
