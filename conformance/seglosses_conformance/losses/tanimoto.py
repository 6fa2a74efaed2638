"""Jaccard of squares, of a class and of its complement."""

from __future__ import annotations

from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import EPSILON, examples, family, worked
from ..entries import Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total
from ..oracle.tape import plain

SOURCE = (
    "Diakogiannis et al., ResUNet-a, 2020, Tanimoto with complement; Looking for change? Roll the dice and demand"
    " attention, 2021, fractal Tanimoto"
)


def tanimoto(pairs: list[tuple[Any, Any, Any]], smooth: Any, level: int) -> Any:
    """(Σ yŷ + ε)/(a Σ (ŷ² + y²) − (2a − 1) Σ yŷ + ε), a = 2^level; 0/0 is 1"""
    a = 2**level
    both = total(w * y * p for w, y, p in pairs)
    squares = total(w * (p * p + y * y) for w, y, p in pairs)
    below = a * squares - (2 * a - 1) * both + smooth
    return (both + smooth) / below if plain(below) != 0 else mpf(1)


def score(cells: list[Cell], smooth: Any, complement: bool = True, depth: int = 0) -> tuple[Any, Any]:
    """The mean over levels, and over ŷ and y and what they leave of 1"""
    sides = [[(cell.w, cell.y, cell.p) for cell in cells]]
    if complement:
        sides.append([(cell.w, 1 - cell.y, 1 - cell.p) for cell in cells])
    scores = [tanimoto(side, smooth, level) for side in sides for level in range(max(depth, 1))]
    return total(scores), mpf(len(scores))


ENTRY = Entry(
    loss="TanimotoLoss",
    source=SOURCE,
    oracle=RatioOfSums(score),
    cases=[
        worked(
            "Σ (ŷ − y)² = 9/16, I = 3/2, of the complement 5/4: ½ (9/16)/(33/16 + ε) + ½ (9/16)/(29/16 + ε).",
            float((9 / 16) / (33 / 16 + EPSILON) / 2 + (9 / 16) / (29 / 16 + EPSILON) / 2),
        ),
        *family(),
        *examples(),
        case("without-complement", "Which is the power Jaccard loss.", complement=False, target=SOFT),
        case("depth-1", "Depth 1, the same as 0.", depth=1, target=SOFT),
        case("depth-3", "The mean over a = 1, 2, 4.", depth=3, target=SOFT),
        case("depth-2-labels", "The mean over a = 1, 2, labels.", depth=2, complement=False),
    ],
    samples=(Sample(), Sample({"depth": 3, "activation": "sigmoid", "aggregate": "batch", "absent": "skip"})),
    bounds=(0, 1),
    known=(
        known("two", (0.157894737, 0.176470588), complement=False),
        known("two", (0.167182663, 0.167182663)),
        known("two", (0.299533748, 0.299533748), depth=3),
        known("three", (0.352113133, 0.240156997, 0.517045455)),
        known("two", {0: -0.237431587}),
    ),
    refuses=(
        refusal(TypeError, "depth", "got float: 1.5", "an integer", depth=1.5),
        refusal(TypeError, "complement", "got int: 1", "True or False", complement=1),
    ),
    value_fault=other(depth=2),
    gradient_fault=lambda g: 1.01 * g,
)
