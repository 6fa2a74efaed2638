"""CornerNet's radius of a Gaussian."""

from __future__ import annotations

import numbers
from typing import Any

from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_number, describe, dtype_is, is_array, same_shape
from seglosses_core.heatmaps.checks import (
    check_library,
    native,
    real,
)
from seglosses_core.libraries import Array, namespace_of, shape_of


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
    check_library("width", width, height, "height")
    if not same_shape(shape_of(height), shape_of(width)):
        raise ValueError(f"width must have the shape of height, {describe(height)}, got {describe(width)}.")
    xp = namespace_of(height)
    height, width = real(xp, height, native(width, height, xp))
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
