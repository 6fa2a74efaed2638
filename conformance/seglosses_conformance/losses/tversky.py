"""Overlap, divided by itself and a weighted sum of false positives and false negatives."""

from __future__ import annotations

from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import examples, family, joint, logarithms, minima, ratio, worked
from ..definitions.weighted_entries import entries, entries_of_regions
from ..entries import Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, common, minus_log, total
from ..oracle.tape import plain

SOURCE = "Salehi et al., Tversky loss function for image segmentation using 3D FCNs, 2017, eq. 4"
FOCAL = "Abraham and Khan, A novel focal Tversky loss function for lesion segmentation, 2018, section 2"


def tversky(
    cells: list[Cell], smooth: Any, alpha: float = 0.5, beta: float = 0.5, overlap: str = "product"
) -> tuple[Any, Any]:
    """1 − (TP + ε)/(TP + α FP + β FN + ε), TP = Σ yŷ, FP = Σ (1 − y)ŷ, FN = Σ y(1 − ŷ)"""
    both = [(cell, common(cell, overlap)) for cell in cells]
    true_positive = total(cell.w * shared for cell, shared in both)
    false_positive = total(cell.w * (cell.p - shared) for cell, shared in both)
    false_negative = total(cell.w * (cell.y - shared) for cell, shared in both)
    index = true_positive + mpf(alpha) * false_positive + mpf(beta) * false_negative
    return true_positive + smooth, index + smooth


def focal_tversky(
    cells: list[Cell], smooth: Any, alpha: float = 0.3, beta: float = 0.7, overlap: str = "product"
) -> tuple[Any, Any]:
    """The paper's weights, of Tversky's ratio."""
    return tversky(cells, smooth, alpha, beta, overlap)


def powered(loss: Any, gamma: float = 0.75) -> Any:
    """u^γ, which has no slope at u = 0."""
    return loss**gamma if plain(loss) != 0 else loss * 0


TVERSKY = Entry(
    loss="TverskyLoss",
    source=SOURCE,
    oracle=RatioOfSums(tversky, then=minus_log),
    cases=[
        worked(
            "FP = 3/4, FN = 1/2, 1 − (3/2 + ε)/(3/2 + 3/16 + 3/8 + ε).",
            ratio(3 / 2, 3 / 2 + 3 / 16 + 3 / 8),
            alpha=0.25,
            beta=0.75,
        ),
        *family(alpha=0.25, beta=0.75),
        *joint(),
        case("defaults", "α = β = 1/2, which is Dice.", target=SOFT),
        case("jaccard", "α = β = 1, which is Jaccard.", alpha=1.0, beta=1.0, target=SOFT),
        case("precision", "False negatives cost nothing.", alpha=1.0, beta=0.0, target=SOFT),
        case("recall", "False positives cost nothing.", alpha=0.0, beta=1.0, target=SOFT),
        *logarithms(alpha=0.25, beta=0.75),
        *minima(alpha=0.25, beta=0.75),
        *entries(alpha=0.25, beta=0.75),
        *entries_of_regions(alpha=0.25, beta=0.75),
    ],
    samples=(
        Sample({"alpha": 0.3, "beta": 0.7}),
        Sample({"alpha": 0.3, "beta": 0.7, "include_background": False}),
    ),
    bounds=(0, 1),
    known=(known("soft", (0.2,), alpha=0.3, beta=0.7, overlap="minimum"),),
    refuses=(
        refusal(ValueError, "alpha", "got -0.5", "at least 0", alpha=-0.5),
        refusal(ValueError, "overlap", "got 'union'", "one of 'product', 'minimum'", overlap="union"),
    ),
    value_fault=other(alpha=0.501),
    gradient_fault=lambda g: 0.99 * g,
)

FOCAL_TVERSKY = Entry(
    loss="FocalTverskyLoss",
    source=FOCAL,
    oracle=RatioOfSums(focal_tversky, then=powered),
    cases=[
        worked(
            "FP = 3/4, FN = 1/2, √u of u = 1 − (3/2 + ε)/(3/2 + 3/16 + 3/8 + ε).",
            ratio(3 / 2, 3 / 2 + 3 / 16 + 3 / 8) ** 0.5,
            alpha=0.25,
            beta=0.75,
            gamma=0.5,
        ),
        *family(),
        *joint(),
        case("gamma-1", "γ = 1, which is Tversky.", gamma=1.0, target=SOFT),
        case("gamma-half", "γ = 1/2, a root.", gamma=0.5, target=SOFT),
        case("gamma-3", "γ = 3.", gamma=3.0, target=SOFT),
        case("paper", "The paper's best, its γ = 4/3 as 1/γ.", alpha=0.3, beta=0.7, gamma=0.75, target=SOFT),
        *examples(),
        *minima(),
    ],
    samples=(Sample(), Sample({"gamma": 2.0, "aggregate": "batch", "absent": "skip"})),
    bounds=(0, 1),
    known=(
        known("two", (0.324838845, 0.383216343)),
        known("two", {0: -0.417016639, 2: 0.115228282}),
    ),
    value_fault=other(gamma=0.751),
    gradient_fault=lambda g: 0.99 * g,
)

ENTRIES = [TVERSKY, FOCAL_TVERSKY]
