"""A Gaussian at each of some points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from seglosses_core.checks import check_flag, is_array
from seglosses_core.heatmaps.checks import (
    check_class_axis,
    check_num_classes,
    check_per_point,
    check_point_values,
    check_points,
    check_spread,
    native,
    or_one,
    real,
    signed,
    usable_points,
)
from seglosses_core.libraries import Array, device_of, namespace_of


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
    batch, count, sizes = check_points(points, shape)
    axis = check_class_axis(class_axis, len(sizes))
    check_num_classes(num_classes)
    for name, value, kind in (("labels", labels, "integer"), ("valid", valid, "bool")):
        if value is not None or name == "labels":
            check_per_point(name, value, points, kind)
    check_spread(sigma, radius, points)
    check_flag("validate", validate)

    xp = namespace_of(points)
    labels, sigma, radius, valid = (native(x, points, xp) for x in (labels, sigma, radius, valid))
    points, sigma, radius = real(xp, points, sigma, radius)
    dtype, device = points.dtype, device_of(points)
    labels = signed(labels, xp)
    sigma, radius = (x[..., None] if is_array(x) else x for x in (sigma, radius))
    if valid is not None:
        valid = valid[..., None]
        points, sigma, radius = (or_one(x, valid, xp) for x in (points, sigma, radius))
        labels = xp.where(valid[..., 0], labels, xp.zeros_like(labels))
    if validate:
        check_point_values(points, labels, sigma, radius, num_classes, xp)
    usable = usable_points(points, labels, sigma, radius, num_classes, xp)
    points, sigma, radius = (or_one(x, usable, xp) for x in (points, sigma, radius))

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
