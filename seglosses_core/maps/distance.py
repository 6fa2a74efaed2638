"""Distances of regions to their boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seglosses_core.checks import check_number
from seglosses_core.libraries import Array
from seglosses_core.neighbours import UNREACHED
from seglosses_core.ops import Ops


def squared_distance(
    seeds: Array, axes: Sequence[int], spacing: Sequence[float], ops: Ops, dtype: Any
) -> Array:
    """The square of the Euclidean distance of each place to the nearest where the bools `seeds` are True, UNREACHED
    where there is none; `spacing` is that of the places on each of the axes. Exact, and without a derivative."""
    if not axes:
        return ops.zero_at_seeds(seeds, dtype)
    steps = list(zip(axes, spacing, strict=True))
    axis, step = steps[0]
    squared = ops.nearest_seed(seeds, axis, step * step, dtype)
    for axis, step in steps[1:]:
        squared = ops.nearest(squared, axis, step * step)
    return squared


def squared_boundary_distance(
    regions: Array, valid: Array | None, spacing: Sequence[float], ops: Ops, dtype: Any
) -> Array:
    """The square of the distance of each pixel to the other side of the boundary, logits-shaped as the bools `regions`;
    UNREACHED where a region is empty or everything. What is not `valid`, a map, lies on neither side."""
    xp = ops.xp
    there = xp.ones_like(regions) if valid is None else ops.over_classes(valid)
    inside, outside = (
        squared_distance(seeds & there, ops.spatial_axes, spacing, ops, dtype)
        for seeds in (~regions, regions)
    )
    return xp.where(regions, inside, outside)


def finite_root(squared: Array, ops: Ops) -> tuple[Array, Array]:
    """The distance, 0 to what is not there, and where something is."""
    bounded = squared < UNREACHED
    return ops.xp.sqrt(ops.xp.where(bounded, squared, ops.xp.zeros_like(squared))), bounded


def signed_distance(
    regions: Array, valid: Array | None, spacing: Sequence[float], ops: Ops, dtype: Any
) -> Array:
    """φ, logits-shaped: the distance to the region outside of it; inside, the distance to the rest less the least
    spacing, negative."""
    distance, bounded = finite_root(squared_boundary_distance(regions, valid, spacing, ops, dtype), ops)
    signed = ops.xp.where(regions, min(spacing, default=1.0) - distance, distance)
    return ops.xp.where(bounded, signed, ops.xp.zeros_like(signed))


def penalty(regions: Array, valid: Array | None, spacing: Sequence[float], ops: Ops, dtype: Any) -> Array:
    """Φ inside each region, logits-shaped: 1 at the boundary, 0 where it is farthest; 0 elsewhere."""
    xp = ops.xp
    nothing = xp.zeros_like(regions, dtype=dtype)
    if not ops.spatial_axes:
        return nothing
    there = xp.ones_like(regions) if valid is None else ops.over_classes(valid)
    distance, bounded = finite_root(
        squared_distance(~regions & there, ops.spatial_axes, spacing, ops, dtype), ops
    )
    inside, least = regions & there & bounded, min(spacing)
    deepest = xp.max(xp.where(inside, distance, nothing), axis=ops.spatial_axes, keepdims=True)
    has_depth = deepest > 1.00001 * least
    depth = xp.where(has_depth, deepest - least, xp.ones_like(deepest))
    return xp.where(inside, xp.where(has_depth, (deepest - distance) / depth, nothing + 1), nothing)


def check_spacing(spacing: Any, dimensions: int | None = None) -> None:
    """One number above 0 for each spatial axis, whose number may be unknown; or None."""
    if spacing is None:
        return
    if not isinstance(spacing, (tuple, list)):
        raise TypeError(f"spacing must be a sequence of numbers, one for each spatial axis, got {spacing!r}.")
    for axis, step in enumerate(spacing):
        check_number(f"spacing[{axis}]", step, above=0)
    if dimensions is not None and len(spacing) != dimensions:
        raise ValueError(
            f"spacing must have one number for each of the {dimensions} spatial axes, got {spacing!r}."
        )


def spacing_of(spacing: Sequence[float] | None, ops: Ops) -> Sequence[float]:
    """The spacing on each spatial axis, 1 if none is given."""
    return [1.0] * len(ops.spatial_axes) if spacing is None else spacing
