"""Dice and Jaccard of the lesser of prediction and target."""

from __future__ import annotations

from typing import Any

from ..definitions import Definition, case
from ..definitions.arrays import SOFT
from ..definitions.region import (
    SOFT_FOREGROUND,
    SOFT_PREDICTIONS,
    examples,
    family,
    logarithms,
    minima,
    ratio,
)
from ..entries import Entry, Sample, known
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, minus_log
from .dice import dice, jaccard

SEMIMETRIC = "Wang et al., Dice semimetric losses: optimizing the Dice score with soft labels, 2023, DML₁"
METRIC = (
    "Wang, Ning, Blaschko, Jaccard metric losses: optimizing the Jaccard index with soft labels, 2023, JML₁"
)


def dice_semimetric(cells: list[Cell], smooth: Any, overlap: str = "minimum") -> tuple[Any, Any]:
    """‖ŷ‖ + ‖y‖ − ‖ŷ − y‖ = 2 Σ min(ŷ, y), over ‖ŷ‖ + ‖y‖"""
    return dice(cells, smooth, overlap)


def jaccard_metric(cells: list[Cell], smooth: Any, overlap: str = "minimum") -> tuple[Any, Any]:
    """‖ŷ‖ + ‖y‖ − ‖ŷ − y‖ = 2 Σ min(ŷ, y), over ‖ŷ‖ + ‖y‖ + ‖ŷ − y‖ = 2 Σ max(ŷ, y)"""
    return jaccard(cells, smooth, overlap)


def worked(comment: str, value: float) -> Definition:
    """Three pixels of a soft target."""
    return case(
        "worked-example",
        f"Three pixels, ŷ = 1/2, 1/4, 1/8, y = 1/4, 1/2, 0: {comment}",
        flags="worked identity one-class soft",
        activation="identity",
        logits=SOFT_PREDICTIONS,
        target=SOFT_FOREGROUND,
        value_by_hand=value,
    )


PRODUCT = case("product", "The product of ŷ and y instead.", overlap="product", target=SOFT)

ENTRIES = [
    Entry(
        loss="DiceSemimetricLoss",
        source=SEMIMETRIC,
        oracle=RatioOfSums(dice_semimetric, then=minus_log),
        cases=[
            worked("Σ |ŷ − y| = 5/8, 1 − (1 + ε)/(13/8 + ε).", ratio(1, 13 / 8)),
            *family(),
            *examples(),
            *minima(),
            *logarithms(),
            PRODUCT,
        ],
        samples=(Sample(), Sample({"activation": "sigmoid", "aggregate": "batch", "absent": "skip"})),
        bounds=(0, 1),
        known=(
            known("two", (0.238095238, 0.263157895)),  # JDTLoss has the mean, .250626566
            known("soft", (0.2,)),  # MONAI, smp
            known("soft", {0: 0.4, 1: -0.6, 2: 0.4}),
        ),
        value_fault=other(overlap="product"),
        gradient_fault=lambda g: 1.01 * g,
    ),
    Entry(
        loss="JaccardMetricLoss",
        source=METRIC,
        oracle=RatioOfSums(jaccard_metric, then=minus_log),
        cases=[
            worked("Σ max = 9/8, 1 − (1/2 + ε)/(9/8 + ε).", ratio(1 / 2, 9 / 8)),
            *family(),
            *examples(),
            *minima(),
            *logarithms(),
            PRODUCT,
        ],
        samples=(Sample(), Sample({"activation": "sigmoid", "aggregate": "batch", "absent": "skip"})),
        bounds=(0, 1),
        known=(
            known("soft", (0.333333333,)),
            known("soft", {0: 5 / 9, 1: -5 / 6, 2: 5 / 9}),
        ),
        value_fault=other(overlap="product"),
        gradient_fault=lambda g: 1.01 * g,
    ),
]
