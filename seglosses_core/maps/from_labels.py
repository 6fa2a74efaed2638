"""Distances and penalties from label maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seglosses_core.heatmaps.checks import check_class_axis, check_num_classes, signed
from seglosses_core.libraries import Array, shape_of
from seglosses_core.maps.checks import check_index, check_labels
from seglosses_core.maps.distance import check_spacing, penalty, signed_distance, spacing_of
from seglosses_core.ops import Ops, ops_for


def signed_distance_map(
    labels: Array,
    *,
    num_classes: int,
    spacing: Sequence[float] | None = None,
    first_label: int | None = None,
    ignore_index: int | None = None,
    class_axis: int = 1,
) -> Array:
    """The level set φ of each class, for `BoundaryLoss` and `GeneralizedSurfaceLoss`.

        φ(c, x) = distance from x to the nearest pixel of class c             where x is not of class c
        φ(c, x) = −(distance from x to the nearest pixel of another − h)      where it is

    with h the least spacing: 1 and 0 on the two sides of a boundary. Kervadec et al. 2019 (arXiv:1812.07032), as their
    code has it for a spacing of 1.

    Parameters
    ----------
    labels : integer array `(N, *S)`, or bool
        Label map; bool for one class and its background.
    num_classes : int
        C, the number of channels.
    spacing : sequence of numbers, optional
        The distance of neighbouring pixels on each spatial axis, above 0; 1 unless given.
    first_label : int, optional
        Channel c is label c + `first_label`. Unless given, 1 for one class and else 0, as in the losses.
    ignore_index : int, optional
        A label of no class, and no pixel of another: φ is 0 there.
    class_axis : int
        Where the class axis of the result is.

    Returns
    -------
    float32 array `(N, C, *S)` with C at `class_axis`
        0 for a class that an image does not have, or that fills it. A label that is no class, background or
        `ignore_index` makes the map of its image NaN.

    Raises
    ------
    TypeError, ValueError
        If a dtype or a shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> signed_distance_map(np.asarray([[0, 1, 1, 1, 0]]), num_classes=1).tolist()
    [[[1.0, 0.0, -1.0, 0.0, 1.0]]]
    """
    dimensions = check_labels("labels", labels)
    axis = check_class_axis(class_axis, dimensions)
    check_num_classes(num_classes)
    check_spacing(spacing, dimensions)
    check_index("first_label", first_label)
    check_index("ignore_index", ignore_index)
    first = (1 if num_classes == 1 else 0) if first_label is None else first_label
    ops = ops_for(labels, axis, dimensions + 2)
    labels = signed(labels, ops.xp)
    valid = None if ignore_index is None else labels != ignore_index
    regions = ops.one_hot(labels - first, num_classes, ops.xp.bool)
    if valid is not None:
        regions = regions & ops.over_classes(valid)
    phi = signed_distance(regions, valid, spacing_of(spacing, ops), ops, ops.xp.float32)
    if valid is not None:
        phi = ops.xp.where(ops.over_classes(valid), phi, ops.xp.zeros_like(phi))
    return phi + ops.over_classes(nan_if_outside(labels, valid, first + num_classes, ops))


def boundary_penalty(
    labels: Array,
    *,
    num_classes: int,
    spacing: Sequence[float] | None = None,
    ignore_index: int | None = None,
) -> Array:
    """How near each pixel is to another label, from 1 at the boundary of its region to 0 where the region is deepest:
    the map of `DistancePenalizedCrossEntropyLoss`.

        Φ(x) = (M_c − D(x)) / (M_c − h)

    with D the distance to the nearest pixel of another label, M_c the largest D of the label c of x in the image and h
    the least spacing; 1 where M_c = h, and 0 in an image of one label. Caliva et al. 2019 (arXiv:1908.03679) leave the
    scale open.

    Parameters
    ----------
    labels : integer array `(N, *S)`, or bool
        Label map.
    num_classes : int
        C; with one class, labels are 0 and 1.
    spacing : sequence of numbers, optional
        The distance of neighbouring pixels on each spatial axis, above 0; 1 unless given.
    ignore_index : int, optional
        A label of no class, and no pixel of another: Φ is 0 there.

    Returns
    -------
    float32 array `(N, *S)`
        Within [0, 1]. A label that is neither a class nor `ignore_index` makes the map of its image NaN.

    Raises
    ------
    TypeError, ValueError
        If a dtype or a shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> boundary_penalty(np.asarray([[0, 1, 1, 1, 0]]), num_classes=2).tolist()
    [[1.0, 1.0, 0.0, 1.0, 1.0]]
    """
    dimensions = check_labels("labels", labels)
    check_num_classes(num_classes)
    check_spacing(spacing, dimensions)
    check_index("ignore_index", ignore_index)
    ops = ops_for(labels, 1, dimensions + 2)
    labels = signed(labels, ops.xp)
    valid = None if ignore_index is None else labels != ignore_index
    classes = max(num_classes, 2)
    regions = ops.one_hot(labels, classes, ops.xp.bool)
    found = ops.sum_classes(penalty(regions, valid, spacing_of(spacing, ops), ops, ops.xp.float32))
    if valid is not None:
        found = ops.xp.where(valid, found, ops.xp.zeros_like(found))
    return found + nan_if_outside(labels, valid, classes, ops)


def nan_if_outside(labels: Array, valid: Array | None, end: int, ops: Ops) -> Array:
    """For each image of a label map NaN if it has a valid label outside [0, end), else 0; broadcasts against it."""
    xp = ops.xp
    outside = (labels < 0) | (labels >= end)
    if valid is not None:
        outside = outside & valid
    found = xp.any(outside, axis=tuple(range(1, len(shape_of(labels)))), keepdims=True)
    zero = xp.zeros_like(found, dtype=xp.float32)
    return xp.where(found, xp.full_like(zero, math.nan), zero)
