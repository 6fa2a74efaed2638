"""Differences over union, weighted by the share of the boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT, varied
from ..definitions.region import EPSILON, examples, family, worked
from ..entries import LOST_DIGITS, Entry, Override, Sample, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total

SOURCE = "Sun, Luo, Li, Boundary difference over union loss for medical image segmentation, MICCAI 2023"


def on_boundary(cells: list[Cell]) -> list[Cell]:
    """Those above ½ with a neighbour along an axis that is not, or is not there."""
    region = {cell.place for cell in cells if cell.y > mpf("0.5")}

    def neighbours(place: tuple[int, ...]) -> list[tuple[int, ...]]:
        axes = range(1, len(place))
        return [
            tuple(x + step * (i == axis) for i, x in enumerate(place)) for axis in axes for step in (-1, 1)
        ]

    return [cell for cell in cells if cell.place in region and not region.issuperset(neighbours(cell.place))]


def score(cells: list[Cell], smooth: Any, max_alpha: float = 0.8) -> tuple[Any, Any]:
    """1 less (Σ ŷ² + Σ y² − 2 Σ ŷy)/(Σ ŷ² + Σ y² − (1 + α) Σ ŷy + ε), α = 1 − 2 C/S, at most `max_alpha`"""
    size = total(cell.w * cell.y for cell in cells)
    boundary = total(cell.w for cell in on_boundary(cells))
    alpha = min(1 - 2 * boundary / size, mpf(max_alpha)) if size > 0 else mpf(max_alpha)
    both = total(cell.w * cell.y * cell.p for cell in cells)
    squares = total(cell.w * (cell.p * cell.p + cell.y * cell.y) for cell in cells)
    return (1 - alpha) * both + smooth, squares - (1 + alpha) * both + smooth


# Two squares of 5×5 and 4×4 pixels, one of them at the edge of the image.
SQUARES = np.zeros((1, 8, 9), dtype=int)
SQUARES[0, 1:6, 1:6], SQUARES[0, 4:, 5:] = 1, 2
SQUARE_LOGITS = varied(1, 3, 8, 9, root=47)

ENTRY = Entry(
    loss="BoundaryDoULoss",
    source=SOURCE,
    prefix="boundary-dou",
    oracle=RatioOfSums(score),
    cases=[
        worked(
            "C = 2 of S = 2, which makes α −1; Σ (ŷ − y)² = 9/16, I = 3/2: (9/16)/(9/16 + 3 + ε).",
            float((9 / 16) / float(57 / 16 + EPSILON)),
        ),
        *family(),
        *examples(),
        case("squares", "Squares that have an inside.", logits=SQUARE_LOGITS, target=SQUARES),
        case(
            "squares-cut",
            "α is cut at −1/2.",
            max_alpha=-0.5,
            logits=SQUARE_LOGITS,
            target=SQUARES,
        ),
        case(
            "squares-ignored",
            "An ignored pixel is not of its neighbours' class.",
            flags="ignore-index",
            ignore_index=255,
            logits=SQUARE_LOGITS,
            target=np.where(np.arange(72).reshape(1, 8, 9) == 30, 255, SQUARES),
        ),
        case("soft-cut", "α is cut at −1: V-Net's Dice.", max_alpha=-1.0, target=SOFT),
    ],
    overrides=(
        Override("perfect-probabilities", 1e-30, "It is 0; the oracle's is what 50 digits leave of that."),
    ),
    samples=(Sample(), Sample({"max_alpha": 0.0, "activation": "sigmoid", "aggregate": "batch"})),
    bounds=(0, 1),
    autodiff_differs={"perfect-probabilities": LOST_DIGITS},
    refuses=(refusal(ValueError, "max_alpha", "got 1.0", "at least -1 and below 1", max_alpha=1.0),),
    value_fault=other(max_alpha=-0.9),
    gradient_fault=lambda g: 1.01 * g,
    exceptions={"permuted pixels": "the boundary is made of neighbours"},
    soft_slope=False,
)
