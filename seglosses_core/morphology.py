"""Minimum and maximum over windows, and what is made of them: erosion, dilation, skeletons. Each with its way back.

Cells outside the image, and ignored ones, do not exist. Where several entries of a window are its extreme, they share
its slope equally: frameworks differ there, and logits in half precision are equal often.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple

from seglosses_core.libraries import Array
from seglosses_core.ops import Ops

WindowBack = Callable[[Array], Array]
"""From the derivative with respect to what a window gave to that with respect to what it was moved over."""


class Move(NamedTuple):
    """A window: its width on some axes, and the cells that it has there, each by its place on these axes."""

    axes: Sequence[int]
    width: int
    places: Sequence[tuple[int, ...]]


def erode(x: Array, valid: Array | None, ops: Ops) -> tuple[Array, WindowBack]:
    """The minimum of each pixel and its neighbours along the spatial axes, logits-shaped."""
    return _extremes(x, valid, [_plus(ops)], math.inf, ops)


def dilate(x: Array, valid: Array | None, ops: Ops) -> tuple[Array, WindowBack]:
    """The maximum of each pixel and its neighbours along the spatial axes, logits-shaped."""
    return _extremes(x, valid, [_plus(ops)], -math.inf, ops)


def erode_box(x: Array, valid: Array | None, width: int, ops: Ops) -> tuple[Array, WindowBack]:
    """The minimum over a window of this odd width on each spatial axis, axis after axis."""
    return _extremes(x, valid, _box(width, ops), math.inf, ops)


def dilate_box(x: Array, valid: Array | None, width: int, ops: Ops) -> tuple[Array, WindowBack]:
    """The maximum over a window of this odd width on each spatial axis, axis after axis."""
    return _extremes(x, valid, _box(width, ops), -math.inf, ops)


def _plus(ops: Ops) -> Move:
    rank = len(ops.spatial_axes)
    centre = (1,) * rank
    beside = [(*centre[:i], place, *centre[i + 1 :]) for i in range(rank) for place in (0, 2)]
    return Move(ops.spatial_axes, 3, [centre, *beside])


def _box(width: int, ops: Ops) -> list[Move]:
    return [Move((axis,), width, [(place,) for place in range(width)]) for axis in ops.spatial_axes]


def soft_skeleton(x: Array, valid: Array | None, iterations: int, ops: Ops) -> tuple[Array, WindowBack]:
    """`S = 1 − Π_j (1 − δ_j)` with `δ_j = max(0, x_j − dilate(x_{j+1}))` and `x_{j+1} = erode(x_j)`, j from 0 to
    `iterations`."""
    xp = ops.xp

    def opened(eroded: Array) -> tuple[Array, WindowBack]:
        return dilate_box(eroded, valid, 3, ops)

    x = _only(valid, x, 0, ops)
    eroded, before, product, skeleton = [x], [], xp.ones_like(x), xp.zeros_like(x)
    for _ in range(iterations + 1):
        eroded.append(erode(eroded[-1], valid, ops)[0])
        rest = eroded[-2] - opened(eroded[-1])[0]
        delta = rest * ops.exceeds(rest, 0)
        skeleton = skeleton + delta * product
        before.append(product)
        product = product * (1 - delta)

    def back(slope: Array) -> Array:
        # What the windows gave is formed again: to keep it would cost several times the memory.
        found, behind = xp.zeros_like(slope), slope
        for x, smaller, product in zip(eroded[-2::-1], eroded[:0:-1], reversed(before), strict=True):
            larger, from_opened = opened(smaller)
            rest = x - larger
            there = ops.exceeds(rest, 0)
            own = behind * product * there
            behind = behind * (1 - rest * there)
            found = own + erode(x, valid, ops)[1](found - from_opened(own))
        return _only(valid, found, 0, ops)

    return skeleton, back


def _extremes(
    x: Array, valid: Array | None, moves: Sequence[Move], nothing: float, ops: Ops
) -> tuple[Array, WindowBack]:
    """The extremes of one window after the other, of `nothing` where there is nothing; 0 at ignored pixels."""
    x, ways = _only(valid, x, nothing, ops), []
    for move in moves:
        x, way = _extreme(x, move, nothing, ops)
        ways.append(way)

    def back(slope: Array) -> Array:
        slope = _only(valid, slope, 0, ops)
        for way in reversed(ways):
            slope = way(slope)
        return _only(valid, slope, 0, ops)

    return _only(valid, x, 0, ops), back


def _extreme(x: Array, move: Move, nothing: float, ops: Ops) -> tuple[Array, WindowBack]:
    axes, sizes = move.axes, [move.width] * len(move.axes)

    def cells(padded: Array) -> list[Array]:
        return [ops.shifted_view(padded, axes, place, sizes) for place in move.places]

    def pad(values: Array, value: float) -> Array:
        return ops.pad(values, axes, [size // 2 for size in sizes], value)

    extreme = reduce(ops.xp.minimum if nothing > 0 else ops.xp.maximum, cells(pad(x, nothing)))

    def back(slope: Array) -> Array:
        sharing = sum(ops.equals(cell, extreme) for cell in cells(pad(x, nothing)))
        # The window is symmetric: those that look at a cell are those that it looks at.
        around = zip(cells(pad(extreme, nothing)), cells(pad(slope / sharing, 0)), strict=True)
        found = ops.xp.zeros_like(slope)
        for theirs, share in around:
            found = ops.add_product(found, ops.equals(theirs, x), share)
        return found

    return extreme, back


def _only(where: Array | None, x: Array, otherwise: float, ops: Ops) -> Array:
    """`x` where a map of bools, or an array of them, is True; everywhere if it is None."""
    if where is None:
        return x
    where = ops.over_classes(where) if len(where.shape) < ops.rank else where
    return ops.xp.where(where, x, ops.xp.full_like(x, otherwise))
