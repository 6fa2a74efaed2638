"""Functions of the target that look at each pixel's neighbours: weights near boundaries, labels softened there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

from seglosses_core.checks import check_integer, check_number, check_window, describe, dtype_is, is_array
from seglosses_core.heatmaps.checks import check_class_axis, check_num_classes
from seglosses_core.libraries import Array, shape_of
from seglosses_core.ops import Ops, ops_for
from seglosses_core.target import Target


def boundary_weights(
    labels: Array,
    *,
    num_classes: int = 1,
    kernel_size: int = 31,
    factor: float = 5.0,
    ignore_index: int | None = None,
) -> Array:
    """`1 + factor · max_c |mean(y_c) − y_c|`, the mean over the window around a pixel: larger near boundaries, to be a
    loss's `mask`.

    Wei et al. 2020 (F3Net, arXiv:1911.11445, with factor 5). Cells outside the image are 0 and count, ignored
    pixels are 0 (ours), and so is the largest over the classes.

    Parameters
    ----------
    labels : integer array `(N, *S)`, or bool
        With one class, label 1 is the foreground.
    num_classes : int
        C.
    kernel_size : int
        The odd width of the window, in pixels, on every spatial axis. Time does not grow with it.
    factor : float
        At least 0.
    ignore_index : int, optional
        A label of no class.

    Returns
    -------
    float32 array `(N, *S)`
        At least 1; NaN everywhere if there is a label that is no class.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> boundary_weights(np.asarray([[0, 0, 1, 1, 1]]), kernel_size=3, factor=3.0).round(6).tolist()
    [[1.0, 2.0, 2.0, 1.0, 2.0]]
    """
    check_window("kernel_size", kernel_size)
    check_number("factor", factor, at_least=0)
    target, ops = _read(labels, num_classes, ignore_index, 1)
    return _or_nan(boundary_map(target, kernel_size, factor, ops), target)


def spatially_varying_labels(
    labels: Array,
    *,
    num_classes: int,
    kernel_size: int = 3,
    sigma: float = 1.0,
    ignore_index: int | None = None,
    class_axis: int = 1,
) -> Array:
    """Soft labels near boundaries: half the label of a pixel, half the Gaussian mean of those of its neighbours.

    Islam and Glocker 2021 (SVLS, arXiv:2104.05788), whose centre weighs as much as all neighbours. The
    image is continued by its edge. Ours: any odd window and any number of axes; ignored neighbours do not exist, and
    an ignored pixel is 0 for every class, so that softmax losses leave it out.

    Parameters
    ----------
    labels : integer array `(N, *S)`
    num_classes : int
        C, at least 2.
    kernel_size : int
        The odd width of the window, in pixels, on every spatial axis. Time grows with its area.
    sigma : float
        Of the Gaussian, in pixels, above 0.
    ignore_index : int, optional
        A label of no class.
    class_axis : int
        Where the class axis of the result is: 1, or −1 for last, or another but 0.

    Returns
    -------
    float32 array `(N, C, *S)` with C at `class_axis`
        Summing to 1 over the classes; NaN everywhere if there is a label that is no class.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> soft = spatially_varying_labels(np.asarray([[0, 0, 1, 1, 1]]), num_classes=2)
    >>> soft[0, 1].tolist()
    [0.0, 0.25, 0.75, 1.0, 1.0]
    """
    check_window("kernel_size", kernel_size)
    check_number("sigma", sigma, above=0)
    check_integer("num_classes", num_classes, at_least=2)
    target, ops = _read(labels, num_classes, ignore_index, class_axis)
    hot = target.only_valid(target.values)
    radius = kernel_size // 2
    wide, sizes = hot, [kernel_size] * len(ops.spatial_axes)
    for axis in ops.spatial_axes:
        wide = _continued(wide, axis, radius, ops)
    total = ops.xp.zeros_like(hot)
    for place in product(range(kernel_size), repeat=len(sizes)):
        distance = sum((start - radius) ** 2 for start in place)
        if distance:
            neighbour = ops.shifted_view(wide, ops.spatial_axes, place, sizes)
            total = total + math.exp(-distance / (2 * sigma**2)) * neighbour
    count = ops.over_classes(ops.sum_classes(total))
    alone = count == 0
    mean = ops.xp.where(alone, hot, total / ops.xp.where(alone, ops.xp.ones_like(count), count))
    return _or_nan(target.only_valid((hot + mean) / 2), target)


def boundary_map(target: Target, kernel_size: int, factor: float, ops: Ops) -> Array:
    """`boundary_weights` of a target of any kind."""
    xp, y = ops.xp, target.only_valid(target.values)
    difference = window_mean(y, kernel_size, ops) - y
    return 1 + factor * xp.max(xp.abs(difference), axis=ops.class_axis)


def window_mean(x: Array, kernel_size: int, ops: Ops) -> Array:
    """The mean over the window around each pixel, with 0 outside the image."""
    return _window_sum(x, kernel_size // 2, ops) / kernel_size ** len(ops.spatial_axes)


def _window_sum(x: Array, radius: int, ops: Ops) -> Array:
    """The sum over the window around each pixel, with 0 outside the image: along each axis as a difference of sums
    from the image's edge."""
    for axis in ops.spatial_axes:
        reach = ops.reach(radius, shape_of(x)[axis])
        before: tuple[Any, ...] = (slice(None),) * axis
        padded = ops.pad(x, [axis], [reach + 1], 0)
        sums = ops.cumulative_sum(padded, axis=axis)
        last, first = slice(2 * reach + 1, -1), slice(None, -2 * reach - 2)
        x = sums[(*before, last, ...)] - sums[(*before, first, ...)]
    return x


def _continued(x: Array, axis: int, width: int, ops: Ops) -> Array:
    """`x` with its first and last cell so many times more on an axis."""
    before: tuple[Any, ...] = (slice(None),) * axis
    first, last = x[(*before, slice(None, 1), ...)], x[(*before, slice(-1, None), ...)]
    return ops.xp.concat([first] * width + [x] + [last] * width, axis=axis)


def _read(labels: Array, num_classes: int, ignore_index: int | None, class_axis: int) -> tuple[Target, Ops]:
    if not is_array(labels):
        raise TypeError(f"labels must be an array, got {type(labels).__name__}.")
    if not (dtype_is(labels, "integer") or dtype_is(labels, "bool")):
        raise TypeError(f"labels must be integers or bool, got {describe(labels)}.")
    shape: Sequence[int | None] = shape_of(labels)
    if len(shape) < 2:
        raise ValueError(f"labels must have a batch axis and spatial axes, (N, *S), got {describe(labels)}.")
    check_num_classes(num_classes)
    if ignore_index is not None and type(ignore_index) is not int:
        raise TypeError(
            f"ignore_index must be an integer or None, got {type(ignore_index).__name__}: {ignore_index!r}."
        )
    ops = ops_for(labels, check_class_axis(class_axis, len(shape) - 1), len(shape) + 1)
    target = Target(labels, num_classes=num_classes, dtype=ops.xp.float32, ops=ops, ignore_index=ignore_index)
    return target, ops


def _or_nan(x: Array, target: Target) -> Array:
    return x if target.nan_if_invalid is None else x + target.nan_if_invalid
