"""1 − F_β of soft counts."""

from __future__ import annotations

from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import examples, family, minima, ratio, worked
from ..entries import Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, common, total

SOURCE = (
    "Hashemi et al., Asymmetric loss functions and deep densely connected networks for highly imbalanced medical image"
    " segmentation, 2018"
)


def f_beta(cells: list[Cell], smooth: Any, beta: float = 1.5, overlap: str = "product") -> tuple[Any, Any]:
    """1 − (1 + β²) TP/((1 + β²) TP + β² FN + FP), ε added to both after a division by 1 + β²"""
    square = mpf(beta) ** 2
    both = [(cell, common(cell, overlap)) for cell in cells]
    true_positive = total(cell.w * shared for cell, shared in both)
    false_negative = total(cell.w * (cell.y - shared) for cell, shared in both)
    false_positive = total(cell.w * (cell.p - shared) for cell, shared in both)
    found = (1 + square) * true_positive
    everything = found + square * false_negative + false_positive
    return found / (1 + square) + smooth, everything / (1 + square) + smooth


ENTRY = Entry(
    loss="AsymmetricSimilarityLoss",
    source=SOURCE,
    oracle=RatioOfSums(f_beta),
    cases=[
        worked(
            "FP = 3/4, FN = 1/2, β² = 3, divided by 4: 1 − (3/2 + ε)/(3/2 + 3/8 + 3/16 + ε).",
            ratio(3 / 2, 3 / 2 + 3 / 8 + 3 / 16),
            beta=3**0.5,
        ),
        *family(),
        *examples(),
        *minima(),
        case("beta-1", "β = 1, which is Dice.", beta=1.0, target=SOFT),
        case("beta-half", "β = 1/2: false positives weigh more.", beta=0.5, target=SOFT),
    ],
    samples=(Sample(), Sample({"beta": 0.5, "aggregate": "batch", "absent": "skip"})),
    bounds=(0, 1),
    known=(
        known("two", (0.223880597, 0.277777778)),  # SegLoss has the mean, .250829187
    ),
    refuses=(refusal(ValueError, "beta", "got 0.0", "above 0", beta=0.0),),
    value_fault=other(beta=1.51),
    gradient_fault=lambda g: 0.99 * g,
)
