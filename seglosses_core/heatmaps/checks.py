"""What the functions for heat maps take, and in which dtype they compute."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

from seglosses_core.checks import check_number, describe, dtype_is, is_array, same_shape
from seglosses_core.libraries import Array, dtype_name, library_of, shape_of


def check_points(points: Any, shape: Any) -> tuple[int | None, int, tuple[int, ...]]:
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


def check_class_axis(class_axis: Any, dimensions: int) -> int:
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


def check_num_classes(num_classes: Any) -> None:
    if isinstance(num_classes, bool) or not isinstance(num_classes, numbers.Integral):
        raise TypeError(f"num_classes must be an integer, got {type(num_classes).__name__}: {num_classes!r}.")
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, got {num_classes}.")


def check_one_given(sigma: Any, radius: Any) -> None:
    if (sigma is None) == (radius is None):
        got = "neither" if sigma is None else "both"
        raise ValueError(f"sigma or radius must be given, exactly one of them, got {got}.")


def check_spread(sigma: Any, radius: Any, points: Array) -> None:
    """Exactly one of them: a number in its range, or an array with one per point."""
    check_one_given(sigma, radius)
    name, value = ("radius", radius) if sigma is None else ("sigma", sigma)
    if isinstance(value, numbers.Real) or not is_array(value):
        if name == "sigma":
            check_number(name, value, above=0)
        else:
            check_number(name, value, at_least=0)
    else:
        check_per_point(name, value, points, "real")


def check_per_point(name: str, value: Any, points: Array, kind: str) -> None:
    if not is_array(value):
        raise TypeError(f"{name} must be an array with one entry per point, got {type(value).__name__}.")
    check_library(name, value, points, "points")
    expected = shape_of(points)[:2]
    if not same_shape(shape_of(value), expected):
        text = ", ".join(map(str, expected))
        raise ValueError(f"{name} must have one entry per point, shape ({text}), got {describe(value)}.")
    fine = ("integer", "floating") if kind == "real" else (kind,)
    if not any(dtype_is(value, one) for one in fine):
        raise TypeError(f"{name} must be {kind}, got {describe(value)}.")


def check_library(name: str, value: Array, other: Array, other_name: str) -> None:
    """An array of the other's library, or NumPy's where that is taken over without a transfer to wonder about."""
    library, expected = library_of(value), library_of(other)
    if library != expected and not (library == "numpy" and expected in ("jax", "tensorflow")):
        raise TypeError(f"{name} must be an array of {expected} as {other_name} is, got one of {library}.")


def check_point_values(
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


def usable_points(points: Array, labels: Array, sigma: Any, radius: Any, num_classes: int, xp: Any) -> Array:
    """Whether a point can be drawn, `(N, K, 1)`."""
    usable = xp.all(xp.isfinite(points), axis=-1, keepdims=True)
    usable = usable & ((labels >= 0) & (labels < num_classes))[..., None]
    if is_array(sigma):
        usable = usable & (sigma > 0) & (sigma < math.inf)
    if is_array(radius):
        usable = usable & (radius >= 0) & (radius < math.inf)
    return usable


# -- arrays -----------------------------------------------------------------------------------------------------------


def native(value: Any, like: Array, xp: Any) -> Any:
    """An array in the library of `like`; a number as Python's, since NumPy's would widen results; None as it is."""
    if isinstance(value, numbers.Real):
        return float(value)
    return value if value is None or library_of(value) == library_of(like) else xp.asarray(value)


def real(xp: Any, *values: Any) -> list[Any]:
    """The arrays among the values in float64 if one of them is, else in float32."""
    wide = any(is_array(x) and dtype_name(x) == "float64" for x in values)
    dtype = xp.float64 if wide else xp.float32
    return [xp.astype(x, dtype, copy=False) if is_array(x) else x for x in values]


def signed(labels: Array, xp: Any) -> Array:
    """Labels of a dtype in which every class and every ignore_index can be written: 255 in int8 could not."""
    return labels if labels.dtype in (xp.int32, xp.int64) else xp.astype(labels, xp.int32)


def or_one(value: Any, valid: Array, xp: Any) -> Any:
    """The value, and 1 at padding, where anything harmless will do."""
    return xp.where(valid, value, xp.ones_like(value)) if is_array(value) else value
