"""Agreement of soft counts beyond chance."""

from __future__ import annotations

from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import examples, family, ratio, worked
from ..entries import LOST_DIGITS, Entry, Override, Sample, known
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total

SOURCE = "Zhang, Petitjean, Ainouz, Kappa loss for skin lesion segmentation in fully convolutional network, ISBI 2020"


def kappa(cells: list[Cell], smooth: Any) -> tuple[Any, Any]:
    """κ = (observed − chance)/(1 − chance), observed agreement (I + n − P − T + I)/n, that of chance
    (PT + (n − P)(n − T))/n²; times n, and ε"""
    n = total(cell.w for cell in cells)
    if n == 0:
        return mpf(0), mpf(1)
    predicted = total(cell.w * cell.p for cell in cells)
    size = total(cell.w * cell.y for cell in cells)
    both = total(cell.w * cell.y * cell.p for cell in cells)
    observed = (2 * both + n - predicted - size) / n
    chance = (predicted * size + (n - predicted) * (n - size)) / n**2
    return n * (observed - chance) + smooth, n * (1 - chance) + smooth


ENTRY = Entry(
    loss="KappaLoss",
    source=SOURCE,
    oracle=RatioOfSums(kappa),
    cases=[
        worked(
            "n = 4, I = 3/2, P = 9/4, T = 2: 2 (4 · 3/2 − 9/2)/4 = 3/4 over 17/4 − 9/4 = 2, and ε.",
            ratio(3 / 4, 2),
        ),
        *family(),
        *examples(),
        case("soft-smooth-1", "ε = 1, soft targets.", smooth=1.0, target=SOFT),
    ],
    overrides=tuple(
        Override(
            case,
            0.01,
            "Of one prediction the agreement is what chance gives: of its slope, what ε leaves remains.",
        )
        for case in ("one-pixel", "no-space")
    ),
    samples=(Sample(), Sample({"activation": "sigmoid", "aggregate": "batch", "absent": "skip"})),
    bounds=(0, 2),
    autodiff_differs=dict.fromkeys(("one-pixel", "no-space"), LOST_DIGITS),
    known=(
        known("two", (0.5, 0.5)),
        known("three", (10 / 13, 2 / 3, 1)),
        known("two", {0: -0.5, 2: 0.5}),
    ),
    value_fault=other(smooth=0.0),
    gradient_fault=lambda g: 1.01 * g,
)
