"""What a loss costs, at its own grain, and the one way from there to a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seglosses_core.activations import Cotangent
from seglosses_core.arithmetic import one_if_zero, product_or_none
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.reductions import Pooling


@dataclass
class Costs:
    """Costs, what each counts for, and the way back from their derivatives."""

    values: Array
    """Of pixels `(N, *S)`, of the classes of pixels `(N, C, *S)`, of the classes of images `(N, C)`, or of images
    `(N,)`."""
    weights: Array | None
    """Of the shape of `values`, ≥ 0; None for 1."""
    back: Callable[[Array], Cotangent] | None
    """From the derivative of what follows with respect to `values`, an array of their shape or one number for all.
    None: there is no derivative by hand, and autodiff has to take its place."""
    denominator: Array | None = None
    """What the mean divides by, if not by the sum of the weights."""
    unit: Array | None = None
    """What the weights have to be multiplied by to be those that were given; None for 1."""


def totals(costs: Costs, reduction: str, ops: Ops) -> tuple[Array, Any]:
    """`Σ w ℓ`, and what a mean or a sum divides it by."""
    weights = costs.weights
    total = ops.total(costs.values if weights is None else costs.values * weights)
    if reduction == "sum":
        return total, 1 if costs.unit is None else 1 / costs.unit
    if costs.denominator is not None:
        return total, costs.denominator
    return total, ops.count(costs.values) if weights is None else ops.total(weights)


def reduce(
    costs: Costs, reduction: str | Pooling, ops: Ops, dtype: Any
) -> tuple[Array, Callable[[Array], Cotangent] | None]:
    """The number that a reduction makes of costs, in this dtype, and the way back from it."""
    if isinstance(reduction, Pooling):
        weights = ops.xp.ones_like(costs.values) if costs.weights is None else costs.weights
        value, to_costs = reduction(costs.values, weights, ops)
    elif reduction == "none":
        value, to_costs = _weighted(costs, ops)
    else:
        value, to_costs = _added_up(costs, reduction, ops)
    back = costs.back
    return ops.cast(value, dtype), None if back is None else lambda upstream: back(to_costs(upstream))


def _weighted(costs: Costs, ops: Ops) -> tuple[Array, Callable[[Array], Array]]:
    """`w ℓ`, with the weights that were given."""
    dtype = costs.values.dtype
    unit = None if costs.unit is None else ops.cast(costs.unit, dtype)
    weights = product_or_none([costs.weights, unit])
    if weights is None:
        return costs.values, lambda upstream: ops.cast(upstream, dtype)
    return costs.values * weights, lambda upstream: ops.cast(upstream, dtype) * weights


def _added_up(costs: Costs, reduction: str, ops: Ops) -> tuple[Array, Callable[[Array], Array]]:
    """A mean or a sum."""
    total, count = totals(costs, reduction, ops)
    count = one_if_zero(count, ops.xp)

    def back(upstream: Array) -> Array:
        scale = ops.cast(ops.cast(upstream, total.dtype) / count, costs.values.dtype)
        return scale if costs.weights is None else costs.weights * scale

    return total / count, back
