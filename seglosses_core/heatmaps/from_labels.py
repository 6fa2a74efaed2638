"""A Gaussian around each pixel of a class."""

from __future__ import annotations

import math
import numbers
from typing import Any

from seglosses_core.checks import check_flag, check_number, describe, dtype_is, is_array
from seglosses_core.heatmaps.checks import (
    check_class_axis,
    check_num_classes,
    check_one_given,
    signed,
)
from seglosses_core.libraries import Array, device_of, namespace_of, shape_of

SIGMAS = 6
"""How many σ a Gaussian without a radius reaches from label maps: exp(−6²/2) = 1.5e-8 rounds to nothing beside 1."""


def gaussian_heatmap_from_labels(
    labels: Array,
    *,
    num_classes: int,
    sigma: float | None = None,
    radius: float | None = None,
    first_label: int | None = None,
    ignore_index: int | None = None,
    class_axis: int = 1,
    validate: bool = False,
) -> Array:
    """A heat map per class from the distance to the nearest pixel of that class.

        y(c, x) = exp(−d_c(x)² / (2 σ²)),    d_c(x) = the Euclidean distance from x to the nearest pixel of class c,

    exactly 1 on the class itself, exact within the radius, 0 beyond it. The distance factor of Du's article on
    distance-aware cross-entropy; the radius, and σ = (2r + 1)/6 for it as in CornerNet's code, are ours.

    The squared distance is found axis after axis: time grows with the radius, memory does not.

    Parameters
    ----------
    labels : integer array `(N, *S)`, or bool
        Label map; bool for one class and its background.
    num_classes : int
        C, the number of channels.
    sigma, radius : number
        Exactly one of them, in pixels: the standard deviation, above 0 (the radius is then 6 σ, where the Gaussian is
        1.5e-8), or the radius, at least 0, with σ = (2r + 1)/6. The radius is a Euclidean distance here.
    first_label : int, optional
        Channel c is label c + `first_label`; smaller labels, from 0, are background without a channel. Unless given, 1
        for one class and else 0, as in the losses: give 1 for key points of several classes with background 0.
    ignore_index : int, optional
        A label of no class, whatever its value. The heat map has values there too: pass `mask=labels != ignore_index`
        to the loss.
    class_axis : int
        Where the class axis of the result is: 1, or −1 for last, or another but 0.
    validate : bool
        Look at values too, in eager mode only.

    Returns
    -------
    float32 array `(N, C, *S)` with C at `class_axis`
        Within [0, 1]; 0 for a class without a pixel. A label that is no class, background or `ignore_index` makes the
        whole heat map of its image NaN.

    Raises
    ------
    TypeError, ValueError
        If a dtype or a shape does not fit, or not exactly one of `sigma` and `radius` is given; with `validate=True`
        also for such labels.
    """
    if not is_array(labels):
        raise TypeError(f"labels must be an array, got {type(labels).__name__}.")
    if not (dtype_is(labels, "integer") or dtype_is(labels, "bool")):
        raise TypeError(f"labels must be integers or bool, got {describe(labels)}.")
    sizes = shape_of(labels)[1:]
    if not sizes:
        raise ValueError(f"labels must have a batch axis and spatial axes, (N, *S), got {describe(labels)}.")
    if any(n == 0 for n in shape_of(labels)):
        raise ValueError(f"labels must not be empty, got {describe(labels)}.")
    axis = check_class_axis(class_axis, len(sizes))
    check_num_classes(num_classes)
    check_one_given(sigma, radius)
    if sigma is not None:
        check_number("sigma", sigma, above=0)
        width, reach = float(sigma), SIGMAS * float(sigma)
    if radius is not None:
        check_number("radius", radius, at_least=0)
        width, reach = (2 * float(radius) + 1) / 6, float(radius)
    for name, value in (("first_label", first_label), ("ignore_index", ignore_index)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Integral)):
            raise TypeError(f"{name} must be an integer or None, got {type(value).__name__}: {value!r}.")
    first = (1 if num_classes == 1 else 0) if first_label is None else first_label
    if first < 0:
        raise ValueError(f"first_label must be at least 0, got {first}.")
    check_flag("validate", validate)

    xp = namespace_of(labels)
    labels = signed(labels, xp)
    outside = (labels < 0) | (labels >= first + num_classes)
    device = device_of(labels)
    classes = xp.arange(first, first + num_classes, dtype=labels.dtype, device=device)
    places = (None,) * (len(sizes) + 1 - axis)
    hot = xp.expand_dims(labels, axis=axis) == classes[(slice(None), *places)]
    if ignore_index is not None:
        kept = labels != ignore_index
        outside = outside & kept
        hot = hot & xp.expand_dims(kept, axis=axis)
    if validate and bool(xp.any(outside)):
        raise ValueError(
            f"labels must lie from 0 to {first + num_classes - 1}, got others at"
            f" {int(xp.sum(xp.astype(outside, xp.int32)))} pixels; name the label to ignore by ignore_index=."
        )

    zero = xp.zeros_like(hot, dtype=xp.float32)
    squared = xp.where(hot, zero, xp.full_like(zero, math.inf))
    spatial_axes = [a for a in range(1, len(sizes) + 2) if a != axis]
    for spatial_axis, size in zip(spatial_axes, sizes, strict=True):
        steps = math.floor(reach) if size is None else min(math.floor(reach), size - 1)
        squared = _nearest(squared, steps, spatial_axis, xp)
    inside = squared <= reach * reach
    heatmap = xp.where(inside, xp.exp(-xp.where(inside, squared, zero) / (2 * width * width)), zero)
    poisoned = xp.any(outside, axis=tuple(range(1, len(sizes) + 1)), keepdims=True)
    return xp.where(xp.expand_dims(poisoned, axis=axis), xp.full_like(heatmap, math.nan), heatmap)


def _nearest(squared: Array, steps: int, axis: int, xp: Any) -> Array:
    """`min over |o| ≤ steps of squared(x + o) + o²` along one axis, outside of which everything is infinitely far."""
    before: tuple[slice, ...] = (slice(None),) * axis
    nearest = squared
    for offset in range(1, steps + 1):
        # Each side is as long as the axis even where the offset is longer, whether or not its length is known.
        end = xp.full_like(squared[(*before, slice(None, offset), ...)], math.inf)
        from_left = xp.concat([end, squared[(*before, slice(None, -offset), ...)]], axis=axis)
        from_right = xp.concat([squared[(*before, slice(offset, None), ...)], end], axis=axis)
        nearest = xp.minimum(nearest, xp.minimum(from_left, from_right) + float(offset * offset))
    return nearest


# -- arguments --------------------------------------------------------------------------------------------------------
