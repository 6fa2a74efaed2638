"""Overlap of prediction and target, divided by their sizes (Dice) or by their union (Jaccard)."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

from ..definitions.region import EPSILON, averages, family, joint, logarithms, minima, ratio, worked
from ..definitions.weighted_entries import entries, entries_of_regions
from ..entries import Entry, Sample, known, refusal
from ..faults import other, without
from ..oracle.family import Cell, RatioOfSums, common, minus_log, total

POWER_LOSSES = "Duque-Arias et al., On power Jaccard losses for semantic segmentation, VISAPP 2021"
DICE = f"{POWER_LOSSES}, the Dice loss"
JACCARD = f"{POWER_LOSSES}, the Jaccard loss"


def dice(cells: list[Cell], smooth: Any, overlap: str = "product") -> tuple[Any, Any]:
    """1 − (2 Σ yŷ + ε)/(Σ (y + ŷ) + ε)"""
    both = total(cell.w * common(cell, overlap) for cell in cells)
    return 2 * both + smooth, total(cell.w * (cell.y + cell.p) for cell in cells) + smooth


def jaccard(cells: list[Cell], smooth: Any, overlap: str = "product") -> tuple[Any, Any]:
    """1 − (Σ yŷ + ε)/(Σ (y + ŷ − yŷ) + ε)"""
    both = total(cell.w * common(cell, overlap) for cell in cells)
    union = total(cell.w * (cell.y + cell.p - common(cell, overlap)) for cell in cells)
    return both + smooth, union + smooth


# n = 3 + ε and d = 17/4 + ε of the worked example. The slope of 1 − n/d by ŷ is (n − 2y · d)/d².
N, D = 3 + EPSILON, Fraction(17, 4) + EPSILON

ENTRIES = [
    Entry(
        loss="DiceLoss",
        source=DICE,
        oracle=RatioOfSums(dice, then=minus_log),
        cases=[
            worked(
                "1 − (3 + ε)/(17/4 + ε).",
                ratio(3, 17 / 4),
                gradient_by_hand=[float((N - 2 * y * D) / D**2) for y in (1, 1, 0, 0)],
            ),
            *family(shared=()),
            *joint(),
            *logarithms(),
            *minima(),
            *averages(),
            *entries(),
            *entries_of_regions(),
        ],
        samples=(
            Sample(),
            Sample({"activation": "sigmoid"}),
            Sample({"log": True}, bounds=(0, inf)),
            Sample({"overlap": "minimum"}),
            Sample({"average": "image", "absent": "skip"}),
            Sample({"average": "class", "absent": "skip", "class_weights": [1.0, 2.0, 0.5]}),
            Sample({"aggregate": "batch", "absent": "skip"}),
            Sample({"absent": "skip", "include_background": False, "class_weights": [1.0, 2.0, 0.5]}),
        ),
        bounds=(0, 1),
        known=(
            known("two", (0.271933715, 0.305381650), log=True),  # the mean as smp has it, .288657683
            known("soft", (0.55,)),
        ),
        value_fault=other(smooth=0.0),
        gradient_fault=lambda g: 1.01 * g,
    ),
    Entry(
        loss="JaccardLoss",
        source=JACCARD,
        oracle=RatioOfSums(jaccard, then=minus_log),
        cases=[
            worked("1 − (3/2 + ε)/(11/4 + ε).", ratio(3 / 2, 11 / 4)),
            *family(),
            *joint(),
            *logarithms(),
            *minima(),
        ],
        bounds=(0, 1),
        known=(known("soft", (0.709677419,)),),
        refuses=(refusal(TypeError, "log", "got int: 2", "True or False", log=2),),
        value_fault=without("mask"),
        gradient_fault=lambda g: g[..., ::-1],
    ),
]
