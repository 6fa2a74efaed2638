"""Images of scalars, and what is made of the windows around each pixel. Pixels that do not count do not exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from typing import Any

from mpmath import mpf

from .family import Cell
from .tape import plain

Image = dict[tuple[int, ...], Any]
"""Scalars by position; the first number is that of the image in the batch."""
Offsets = Sequence[tuple[int, ...]]


def image_of(cells: Sequence[Cell], of: Callable[[Cell], Any]) -> Image:
    return {cell.place: of(cell) for cell in cells}


def plus(rank: int) -> list[tuple[int, ...]]:
    """A pixel and its nearest neighbours."""
    return [(0, *step) for step in product((-1, 0, 1), repeat=rank) if sum(map(abs, step)) <= 1]


def box(rank: int, width: int) -> list[list[tuple[int, ...]]]:
    """The lines of a box, axis after axis."""
    reach = range(-(width // 2), width // 2 + 1)
    return [
        [tuple(step * (i == axis) for i in range(rank + 1)) for step in reach] for axis in range(1, rank + 1)
    ]


def extreme(image: Image, windows: Sequence[Offsets], choose: Callable[..., Any]) -> Image:
    """The extreme of the windows, one after the other; equal entries of a window share its slope. In between, a place
    has a number if its window has one."""
    places = list(product(*(range(min(axis), max(axis) + 1) for axis in zip(*image, strict=True))))
    found = image
    for offsets in windows:
        moved = {}
        for place in places:
            around = (tuple(map(sum, zip(place, offset, strict=True))) for offset in offsets)
            window = [found[other] for other in around if other in found]
            if window:
                best = choose(map(plain, window))
                equal = [x for x in window if plain(x) == best]
                moved[place] = total(equal) / len(equal)
        found = moved
    return {place: found[place] for place in image}


def skeleton(image: Image, iterations: int) -> Image:
    """Algorithm 1 of Shit et al.: what each erosion by the plus leaves that opening would lose, joined together."""
    rank = len(next(iter(image))) - 1
    joined = dict.fromkeys(image, mpf(0))
    for _ in range(iterations + 1):
        eroded = extreme(image, [plus(rank)], min)
        opened = extreme(eroded, box(rank, 3), max)
        for place in image:
            lost = positive(image[place] - opened[place])
            joined[place] = joined[place] + lost - joined[place] * lost
        image = eroded
    return joined


def positive(x: Any) -> Any:
    """max(0, x)"""
    return x if plain(x) > 0 else mpf(0)


def total(terms: Sequence[Any]) -> Any:
    return reduce(lambda a, b: a + b, terms)
