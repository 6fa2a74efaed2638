"""Weights and cells from maps of instances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seglosses_core.checks import check_integer, check_number
from seglosses_core.heatmaps.checks import signed
from seglosses_core.libraries import Array
from seglosses_core.maps.checks import check_labels
from seglosses_core.maps.distance import check_spacing, squared_distance
from seglosses_core.maps.from_labels import nan_if_outside
from seglosses_core.neighbours import UNREACHED
from seglosses_core.ops import Ops, ops_for


def border_weights(
    instances: Array,
    *,
    num_instances: int,
    w0: float = 10.0,
    sigma: float = 5.0,
    spacing: Sequence[float] | None = None,
) -> Array:
    """U-Net's weights, large where two instances come near each other.

        w(x) = w0 exp(−(d1(x) + d2(x))² / (2 σ²))

    with d1 and d2 the distances to the nearest and to the second nearest instance, 0 within one. Ronneberger et al.
    2015 (arXiv:1505.04597, eq. 2, without w_c, for which there are `class_weights`). Added to 1, they are a `factor` of
    pixel losses, or a `mask`, by which the mean is divided.

    Parameters
    ----------
    instances : integer array `(N, *S)`
        The number of each pixel's instance, from 1; 0 is background.
    num_instances : int
        The largest number that there may be, at least 1. Time grows with it.
    w0 : number
        The largest weight, ≥ 0.
    sigma : number
        σ, above 0.
    spacing : sequence of numbers, optional
        The distance of neighbouring pixels on each spatial axis, above 0; 1 unless given.

    Returns
    -------
    float32 array `(N, *S)`
        0 in an image of fewer than two instances; NaN in one with a number outside [0, `num_instances`].

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a number does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> border_weights(np.asarray([[1, 0, 0, 2]]), num_instances=2).round(4).tolist()
    [[8.3527, 8.3527, 8.3527, 8.3527]]
    """
    check_number("w0", w0, at_least=0)
    check_number("sigma", sigma, above=0)
    ops, instances = _read(instances, num_instances, spacing)
    xp = ops.xp
    first = second = xp.full_like(xp.zeros_like(instances, dtype=xp.float32), UNREACHED)
    for squared in _squared_distances(instances, num_instances, spacing, ops):
        distance = xp.sqrt(squared)
        first, second = xp.minimum(first, distance), xp.minimum(second, xp.maximum(first, distance))
    both = first + second
    weights = w0 * xp.exp(-both * both / (2 * sigma * sigma))
    return weights + nan_if_outside(instances, None, num_instances + 1, ops)


def nearest_instance(
    instances: Array, *, num_instances: int, spacing: Sequence[float] | None = None
) -> Array:
    """The number of the instance that each pixel is nearest to, of equally near ones the smallest: Voronoi cells.

    Parameters
    ----------
    instances : integer array `(N, *S)`
        The number of each pixel's instance, from 1; 0, or another that is none of these, is background.
    num_instances : int
        The largest number, at least 1. Time grows with it.
    spacing : sequence of numbers, optional
        The distance of neighbouring pixels on each spatial axis, above 0; 1 unless given.

    Returns
    -------
    integer array `(N, *S)`
        0 in an image without an instance.

    Raises
    ------
    TypeError, ValueError
        If a dtype, a shape or a number does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> nearest_instance(np.asarray([[1, 0, 0, 2, 2, 0]]), num_instances=2).tolist()
    [[1, 1, 2, 2, 2, 2]]
    """
    ops, instances = _read(instances, num_instances, spacing)
    xp = ops.xp
    found = xp.zeros_like(instances)
    least = xp.full_like(xp.zeros_like(instances, dtype=xp.float32), UNREACHED)
    for k, squared in enumerate(_squared_distances(instances, num_instances, spacing, ops), start=1):
        found = xp.where(squared < least, xp.full_like(found, k), found)
        least = xp.minimum(least, squared)
    return found


def _read(instances: Array, num_instances: int, spacing: Sequence[float] | None) -> tuple[Ops, Array]:
    dimensions = check_labels("instances", instances)
    check_integer("num_instances", num_instances, at_least=1)
    check_spacing(spacing, dimensions)
    ops = ops_for(instances, 1, dimensions + 2)
    return ops, signed(instances, ops.xp)


def _squared_distances(
    instances: Array, num_instances: int, spacing: Sequence[float] | None, ops: Ops
) -> Iterator[Array]:
    """Those to each instance, one after the other."""
    axes = range(1, ops.rank - 1)
    for k in range(1, num_instances + 1):
        yield squared_distance(instances == k, axes, spacing or [1.0] * len(axes), ops, ops.xp.float32)
