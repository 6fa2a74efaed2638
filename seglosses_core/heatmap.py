"""Gaussian heat maps: the targets of `DistanceAwareCrossEntropyLoss` and `MeanSquaredErrorLoss`.

A heat map is 1 at the foreground and falls with the distance to it. It is float32 or float64, never less: in bfloat16 a
Gaussian of σ = 16 is 1 one pixel away from its peak already, and every 1 counts as foreground.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_flag, check_number, describe, dtype_is, is_array, same_shape
from seglosses_core.libraries import Array, device_of, dtype_name, library_of, namespace_of, shape_of

SIGMAS = 6
"""How many σ a Gaussian without a radius reaches from label maps: exp(−6²/2) = 1.5e-8 rounds to nothing beside 1."""


def gaussian_heatmap(
    points: Array,
    labels: Array,
    shape: Sequence[int],
    *,
    num_classes: int,
    sigma: Any = None,
    radius: Any = None,
    valid: Array | None = None,
    class_axis: int = 1,
    validate: bool = False,
) -> Array:
    """A heat map per class with a Gaussian at each point.

        y(c, x) = max over the points k of class c of exp(−|x − x_k|² / (2 σ_k²)),    0 for a class without points,

    with x_k the point rounded to its nearest pixel, halves up (2.5 to 3, −0.5 to 0), so that the peak is exactly 1. A
    point outside the image is allowed: the part of its Gaussian that reaches into the image is drawn, without the peak.

    Law & Deng 2018 (CornerNet, section 3.2). With `radius=` the Gaussian is drawn as by CornerNet's code:
    σ = (2r + 1)/6, and 0 where a coordinate is more than r pixels away (a square window); with `sigma=` it is not cut.
    Ours: to the nearest pixel, where CornerNet's code rounds down and learns the offset from there (for that, pass
    points rounded down).

    Parameters
    ----------
    points : array `(N, K, D)`, real
        Coordinates in pixels, in the order of the image's axes (row before column), the first pixel's centre at 0.
        Floating point, or integers.
    labels : integer array `(N, K)`
        The class of each point, in [0, C), which is its channel (0 where there is one class).
    shape : D integers
        The image's spatial shape `S`.
    num_classes : int
        C.
    sigma, radius : number or real array `(N, K)`
        Exactly one of them, in pixels: the standard deviation, above 0, or CornerNet's radius, at least 0.
    valid : bool array `(N, K)`, optional
        False for points that are padding; what stands there cannot matter, not even NaN.
    class_axis : int
        Where the class axis of the result is: 1, or −1 for last, or another but 0.
    validate : bool
        Look at values too, in eager mode only.

    Returns
    -------
    array `(N, C, *S)` with C at `class_axis`
        Within [0, 1]; float64 if `points`, `sigma` or `radius` is a float64 array, else float32. A point with a label
        outside the classes, coordinates that are not finite, or a σ or radius outside its range makes the whole heat
        map of its image NaN.

    Raises
    ------
    TypeError, ValueError
        If a dtype or a shape does not fit, or not exactly one of `sigma` and `radius` is given; with `validate=True`
        also for labels outside the classes, points that are not finite, a σ that is not above 0, a radius below 0.
    """
    batch, count, sizes = _check_points(points, shape)
    axis = _check_class_axis(class_axis, len(sizes))
    _check_num_classes(num_classes)
    for name, value, kind in (("labels", labels, "integer"), ("valid", valid, "bool")):
        if value is not None or name == "labels":
            _check_per_point(name, value, points, kind)
    _check_spread(sigma, radius, points)
    check_flag("validate", validate)

    xp = namespace_of(points)
    labels, sigma, radius, valid = (_native(x, points, xp) for x in (labels, sigma, radius, valid))
    points, sigma, radius = _real(xp, points, sigma, radius)
    dtype, device = points.dtype, device_of(points)
    labels = _signed(labels, xp)
    sigma, radius = (x[..., None] if is_array(x) else x for x in (sigma, radius))
    if valid is not None:
        valid = valid[..., None]
        points, sigma, radius = (_or_one(x, valid, xp) for x in (points, sigma, radius))
        labels = xp.where(valid[..., 0], labels, xp.zeros_like(labels))
    if validate:
        _check_point_values(points, labels, sigma, radius, num_classes, xp)
    usable = _usable(points, labels, sigma, radius, num_classes, xp)
    points, sigma, radius = (_or_one(x, usable, xp) for x in (points, sigma, radius))

    # What each point contributes is an outer product: its class, and one Gaussian per axis. Exact at halves, where
    # adding 1/2 before rounding down could round up first.
    below = xp.floor(points)
    peaks = below + xp.astype(points - below >= 0.5, dtype)
    width = sigma if radius is None else (2 * radius + 1) / 6
    factors = []
    for d, size in enumerate(sizes):
        offset = xp.arange(size, dtype=dtype, device=device) - peaks[:, :, d, None]
        scaled = xp.clip(offset / width, -64.0, 64.0)  # exp(−64²/2) is 0, and the square no overflow
        factor = xp.exp(-0.5 * scaled * scaled)
        if radius is not None:
            factor = xp.where(xp.abs(offset) <= radius, factor, xp.zeros_like(factor))
        factors.append(factor)
    classes = xp.arange(num_classes, dtype=labels.dtype, device=device)
    member = labels[..., None] == classes
    if valid is not None:
        member = member & valid
    member = xp.astype(member, dtype)
    factors.insert(axis - 1, xp.where(usable, member, xp.full_like(member, math.nan)))

    # One point after the other, so that memory does not grow with their number.
    heatmap = None
    for k in range(count):
        drawn = factors[0][:, k, :]
        for factor in factors[1:]:
            drawn = drawn[..., None] * factor[(slice(None), k, *(None,) * (len(drawn.shape) - 1), ...)]
        heatmap = drawn if heatmap is None else xp.maximum(heatmap, drawn)
    if heatmap is None:
        full = (*sizes[: axis - 1], num_classes, *sizes[axis - 1 :])
        return xp.zeros((batch, *full), dtype=dtype, device=device)
    return heatmap


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
    axis = _check_class_axis(class_axis, len(sizes))
    _check_num_classes(num_classes)
    _check_one_given(sigma, radius)
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
    labels = _signed(labels, xp)
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


def cornernet_radius(height: Any, width: Any, *, min_overlap: float = 0.3) -> Any:
    """CornerNet's radius for a box: how far both corners may move with an overlap of at least `min_overlap`.

    The smallest r, rounded down, at which the moved box has the intersection over union o with the box h × w:

        both corners the same way:  (h − r)(w − r) = 2o hw/(1 + o),    r² − (h + w) r + hw (1 − o)/(1 + o) = 0
        both inwards:               (h − 2r)(w − 2r) = o hw,           4r² − 2(h + w) r + (1 − o) hw = 0
        both outwards:              hw = o (h + 2r)(w + 2r),           4o r² + 2o (h + w) r − (1 − o) hw = 0

    Both corners move by r on each axis. Law & Deng 2018 (CornerNet, section 3.2) and its code, with the roots that
    solve the geometry: the smaller, the smaller, the positive one. Ours: a radius less than 1e-6 (relative) below an
    integer counts as that integer, so that rounding does not decide.

    Parameters
    ----------
    height, width : number, or real arrays of one shape
        The sizes of boxes in pixels of the heat map, at least 0.
    min_overlap : float
        o, above 0 and at most 1.

    Returns
    -------
    int, or array of the boxes' shape
        The radius in pixels; arrays are float64 for float64 input, else float32.

    Raises
    ------
    TypeError, ValueError
        If a size is no real number or array, or a negative number, or the shapes differ.
    """
    check_number("min_overlap", min_overlap, above=0, at_most=1)
    plain = [isinstance(size, numbers.Real) for size in (height, width)]
    if plain[0] != plain[1]:
        raise TypeError(
            f"height and width must be both numbers or both arrays, got {describe(height)} and {describe(width)}."
        )
    if plain[0]:
        check_number("height", height, at_least=0)
        check_number("width", width, at_least=0)
        xp = namespace_of(0.0)
        height, width = (xp.asarray(size, dtype=xp.float64) for size in (height, width))
        return int(_cornernet_radius(height, width, min_overlap, xp))
    for name, size in (("height", height), ("width", width)):
        if not is_array(size):
            raise TypeError(f"{name} must be a number or an array, got {type(size).__name__}.")
        if not (dtype_is(size, "integer") or dtype_is(size, "floating")):
            raise TypeError(f"{name} must be real, got {describe(size)}.")
    _check_library("width", width, height, "height")
    if not same_shape(shape_of(height), shape_of(width)):
        raise ValueError(f"width must have the shape of height, {describe(height)}, got {describe(width)}.")
    xp = namespace_of(height)
    height, width = _real(xp, height, _native(width, height, xp))
    return _cornernet_radius(height, width, min_overlap, xp)


def _cornernet_radius(height: Array, width: Array, overlap: float, xp: Any) -> Array:
    shifted, inwards, outwards = _moved_box_roots(height, width, overlap, xp)
    return xp.floor(xp.minimum(xp.minimum(shifted, inwards), outwards) * (1 + 1e-6))


def _moved_box_roots(height: Array, width: Array, overlap: float, xp: Any) -> tuple[Array, Array, Array]:
    """The three roots of `cornernet_radius`, as `2c / (b + √(b² ∓ 4ac))`: no difference of nearly equal numbers."""
    side, lost = height + width, (1 - overlap) * height * width
    shared = lost / (1 + overlap)
    inner, outer = side, overlap * side
    return (
        divide(2 * shared, side + xp.sqrt(side * side - 4 * shared), xp),
        divide(lost, inner + xp.sqrt(inner * inner - 4 * lost), xp),
        divide(lost, outer + xp.sqrt(outer * outer + 4 * overlap * lost), xp),
    )


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


def _check_points(points: Any, shape: Any) -> tuple[int | None, int, tuple[int, ...]]:
    """The batch size, the number of points and the spatial shape."""
    if not is_array(points):
        raise TypeError(f"points must be an array, got {type(points).__name__}.")
    if not (dtype_is(points, "floating") or dtype_is(points, "integer")):
        raise TypeError(f"points must be real coordinates, got {describe(points)}.")
    if not isinstance(shape, Sequence) or not all(
        isinstance(n, numbers.Integral) and not isinstance(n, bool) for n in shape
    ):
        raise TypeError(f"shape must be a sequence of integers, the image's spatial shape, got {shape!r}.")
    sizes = tuple(int(n) for n in shape)
    if not sizes or min(sizes) < 1:
        raise ValueError(f"shape must have one length of at least 1 per spatial axis, got {shape!r}.")
    found = shape_of(points)
    if not same_shape(found, (None, None, len(sizes))):
        raise ValueError(
            f"points must have the shape (N, K, {len(sizes)}) for an image of shape {sizes}, got {describe(points)}."
        )
    batch, count = found[:2]
    if batch == 0:
        raise ValueError(f"points must have at least one image, got {describe(points)}.")
    if count is None:
        raise ValueError(
            f"points must have a known number of points K, got {describe(points)}; pad, and pass valid=."
        )
    return batch, count, sizes


def _check_class_axis(class_axis: Any, dimensions: int) -> int:
    """The class axis of the heat map counted from the front."""
    rank = dimensions + 2
    if isinstance(class_axis, bool) or not isinstance(class_axis, numbers.Integral):
        raise TypeError(f"class_axis must be an integer, got {type(class_axis).__name__}: {class_axis!r}.")
    axis = int(class_axis) + (rank if class_axis < 0 else 0)
    if not 1 <= axis < rank:
        raise ValueError(
            f"class_axis must be an axis of the heat map other than the batch axis 0, from 1 to {rank - 1} or negative,"
            f" got {class_axis}."
        )
    return axis


def _check_num_classes(num_classes: Any) -> None:
    if isinstance(num_classes, bool) or not isinstance(num_classes, numbers.Integral):
        raise TypeError(f"num_classes must be an integer, got {type(num_classes).__name__}: {num_classes!r}.")
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, got {num_classes}.")


def _check_one_given(sigma: Any, radius: Any) -> None:
    if (sigma is None) == (radius is None):
        got = "neither" if sigma is None else "both"
        raise ValueError(f"sigma or radius must be given, exactly one of them, got {got}.")


def _check_spread(sigma: Any, radius: Any, points: Array) -> None:
    """Exactly one of them: a number in its range, or an array with one per point."""
    _check_one_given(sigma, radius)
    name, value = ("radius", radius) if sigma is None else ("sigma", sigma)
    if isinstance(value, numbers.Real) or not is_array(value):
        if name == "sigma":
            check_number(name, value, above=0)
        else:
            check_number(name, value, at_least=0)
    else:
        _check_per_point(name, value, points, "real")


def _check_per_point(name: str, value: Any, points: Array, kind: str) -> None:
    if not is_array(value):
        raise TypeError(f"{name} must be an array with one entry per point, got {type(value).__name__}.")
    _check_library(name, value, points, "points")
    expected = shape_of(points)[:2]
    if not same_shape(shape_of(value), expected):
        text = ", ".join(map(str, expected))
        raise ValueError(f"{name} must have one entry per point, shape ({text}), got {describe(value)}.")
    fine = ("integer", "floating") if kind == "real" else (kind,)
    if not any(dtype_is(value, one) for one in fine):
        raise TypeError(f"{name} must be {kind}, got {describe(value)}.")


def _check_library(name: str, value: Array, other: Array, other_name: str) -> None:
    """An array of the other's library, or NumPy's where that is taken over without a transfer to wonder about."""
    library, expected = library_of(value), library_of(other)
    if library != expected and not (library == "numpy" and expected in ("jax", "tensorflow")):
        raise TypeError(f"{name} must be an array of {expected} as {other_name} is, got one of {library}.")


def _check_point_values(
    points: Array, labels: Array, sigma: Any, radius: Any, num_classes: int, xp: Any
) -> None:
    """What `validate=True` adds; padding has been replaced by what is right."""
    if not bool(xp.all(xp.isfinite(points))):
        raise ValueError("points must be finite, got NaN or infinite coordinates; pass valid= for padding.")
    if bool(xp.any((labels < 0) | (labels >= num_classes))):
        raise ValueError(f"labels must lie from 0 to {num_classes - 1}, got others; pass valid= for padding.")
    if is_array(sigma) and not bool(xp.all((sigma > 0) & xp.isfinite(sigma))):
        raise ValueError(
            "sigma must be above 0 and finite for every point, got others; pass valid= for padding."
        )
    if is_array(radius) and not bool(xp.all((radius >= 0) & xp.isfinite(radius))):
        raise ValueError(
            "radius must be at least 0 and finite for every point, got others; pass valid= for padding."
        )


def _usable(points: Array, labels: Array, sigma: Any, radius: Any, num_classes: int, xp: Any) -> Array:
    """Whether a point can be drawn, `(N, K, 1)`."""
    usable = xp.all(xp.isfinite(points), axis=-1, keepdims=True)
    usable = usable & ((labels >= 0) & (labels < num_classes))[..., None]
    if is_array(sigma):
        usable = usable & (sigma > 0) & (sigma < math.inf)
    if is_array(radius):
        usable = usable & (radius >= 0) & (radius < math.inf)
    return usable


# -- arrays -----------------------------------------------------------------------------------------------------------


def _native(value: Any, like: Array, xp: Any) -> Any:
    """An array in the library of `like`; a number as Python's, since NumPy's would widen results; None as it is."""
    if isinstance(value, numbers.Real):
        return float(value)
    return value if value is None or library_of(value) == library_of(like) else xp.asarray(value)


def _real(xp: Any, *values: Any) -> list[Any]:
    """The arrays among the values in float64 if one of them is, else in float32."""
    wide = any(is_array(x) and dtype_name(x) == "float64" for x in values)
    dtype = xp.float64 if wide else xp.float32
    return [xp.astype(x, dtype, copy=False) if is_array(x) else x for x in values]


def _signed(labels: Array, xp: Any) -> Array:
    """Labels of a dtype in which every class and every ignore_index can be written: 255 in int8 could not."""
    return labels if labels.dtype in (xp.int32, xp.int64) else xp.astype(labels, xp.int32)


def _or_one(value: Any, valid: Array, xp: Any) -> Any:
    """The value, and 1 at padding, where anything harmless will do."""
    return xp.where(valid, value, xp.ones_like(value)) if is_array(value) else value
