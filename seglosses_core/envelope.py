"""Distances along the lines of NumPy arrays."""

from __future__ import annotations

import numpy as np

PART = 2**16
"""The entries that are worked on at a time: with what is found of them they stay in the cache."""


def lower_envelope(squared: np.ndarray, axis: int, factor: float) -> np.ndarray:
    """`min_j squared(j) + factor (i − j)²` for each place i of an axis.

    From near to far: what is farther than the worst that was found cannot help.
    """
    moved = np.moveaxis(squared, axis, 0)
    length, lines = moved.shape[0], moved.reshape(moved.shape[0], -1)
    found, width = np.empty_like(lines, order="C"), max(1, PART // max(1, length))
    for start in range(0, lines.shape[1], width):
        given = np.ascontiguousarray(lines[:, start : start + width])
        nearest, room = given.copy(), np.empty_like(given)
        for k in range(1, length):
            farther = factor * k * k
            if k % 4 == 1 and not nearest.max() > farther:
                break
            for here, there in ((slice(k, None), slice(-k)), (slice(-k), slice(k, None))):
                np.add(given[there], farther, out=room[here])
                np.minimum(nearest[here], room[here], out=nearest[here])
        found[:, start : start + width] = nearest
    return np.ascontiguousarray(np.moveaxis(found.reshape(moved.shape), 0, axis))
