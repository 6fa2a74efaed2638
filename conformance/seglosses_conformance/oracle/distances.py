"""Distances between pixels, by looking at all pairs of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mpf, sqrt

from .family import Cell

Regions = list[bool]
"""Of each cell, whether it is in the region."""


def boundary_distances(
    cells: Sequence[Cell], inside: Regions, spacing: Sequence[float] | None = None
) -> list[Any]:
    """From each cell to the nearest of its image on the other side of the region's boundary; None without one."""
    by_image: dict[int, list[int]] = {}
    for i, cell in enumerate(cells):
        by_image.setdefault(cell.place[0], []).append(i)

    def nearest(i: int) -> Any:
        image, *position = cells[i].place
        squares = [
            squared(position, cells[other].place[1:], spacing)
            for other in by_image[image]
            if inside[other] != inside[i]
        ]
        return sqrt(min(squares)) if squares else None

    return [nearest(i) for i in range(len(cells))]


def squared(a: Sequence[int], b: Sequence[int], spacing: Sequence[float] | None) -> Any:
    steps = spacing or [1.0] * len(a)
    return sum(((i - j) * mpf(step)) ** 2 for i, j, step in zip(a, b, steps, strict=True)) + mpf(0)


def level_set(
    cells: Sequence[Cell], spacing: Sequence[float] | None, is_inside: Callable[[Cell], bool]
) -> list[Any]:
    """φ: the distance outside, the least spacing less the distance inside, 0 without a boundary."""
    inside = [is_inside(cell) for cell in cells]
    least = mpf(min(spacing or [1.0]))
    return [
        mpf(0) if d is None else least - d if there else d
        for d, there in zip(boundary_distances(cells, inside, spacing), inside, strict=True)
    ]


def in_target(cell: Cell) -> bool:
    """Where the target is above 1/2."""
    return cell.y > mpf(1) / 2
