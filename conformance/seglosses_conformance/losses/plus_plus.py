"""Dice and Tversky with a power on the errors of each pixel."""

from __future__ import annotations

from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import examples, family, ratio, worked
from ..entries import LOST_DIGITS, Entry, Override, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total

SOURCE = "Yeung et al., Calibrating the Dice loss to handle neural network overconfidence, 2021"


def sums(cells: list[Cell], gamma: Any) -> tuple[Any, Any, Any]:
    """Σ yŷ, Σ ((1 − y)ŷ)^γ, Σ (y(1 − ŷ))^γ"""
    return (
        total(cell.w * cell.y * cell.p for cell in cells),
        total(cell.w * ((1 - cell.y) * cell.p) ** gamma for cell in cells),
        total(cell.w * (cell.y * (1 - cell.p)) ** gamma for cell in cells),
    )


def dice_plus_plus(cells: list[Cell], smooth: Any, gamma: float = 2.0) -> tuple[Any, Any]:
    """(2 TP + ε)/(2 TP + FN + FP + ε)"""
    tp, fp, fn = sums(cells, mpf(gamma))
    return 2 * tp + smooth, 2 * tp + fn + fp + smooth


def tversky_plus_plus(
    cells: list[Cell], smooth: Any, alpha: float = 0.3, beta: float = 0.7, gamma: float = 2.0
) -> tuple[Any, Any]:
    """(TP + ε)/(TP + β FN + α FP + ε)"""
    tp, fp, fn = sums(cells, mpf(gamma))
    return tp + smooth, tp + mpf(beta) * fn + mpf(alpha) * fp + smooth


GAMMAS = [
    case("gamma-1", "γ = 1: no power.", gamma=1.0, target=SOFT),
    case("gamma-3", "γ = 3.", gamma=3.0, target=SOFT),
    case("gamma-root", "γ = 3/2, a root.", gamma=1.5, target=SOFT),
    case("gamma-root-labels", "γ = 3/2, a root.", gamma=1.5),
]

ENTRIES = [
    Entry(
        loss="DicePlusPlusLoss",
        source=SOURCE,
        oracle=RatioOfSums(dice_plus_plus),
        cases=[
            worked(
                "γ = 2, FP = 1/16 + 1/4, FN = 1/4: 1 − (3 + ε)/(3 + 9/16 + ε).",
                ratio(3, 3 + 9 / 16),
            ),
            *family(),
            *examples(),
            *GAMMAS,
        ],
        overrides=(
            Override(
                "perfect-probabilities", 1e-30, "It is 0; the oracle's is what 50 digits leave of that."
            ),
        ),
        samples=(
            Sample(),
            Sample({"gamma": 3.0, "activation": "sigmoid", "aggregate": "batch", "absent": "skip"}),
        ),
        bounds=(0, 1),
        autodiff_differs={"perfect-probabilities": LOST_DIGITS},
        known=(
            known("two", (0.085714286, 0.096774194)),
            known("two", (0.030303030, 0.034482759), gamma=3.0),
            known("two", {0: -0.063733650, 2: 0.089892985}, gamma=3.0),
        ),
        refuses=(refusal(ValueError, "gamma", "got 0.5", "at least 1", gamma=0.5),),
        value_fault=other(gamma=2.01),
        gradient_fault=lambda g: 1.01 * g,
    ),
    Entry(
        loss="TverskyPlusPlusLoss",
        source=SOURCE,
        oracle=RatioOfSums(tversky_plus_plus),
        cases=[
            worked(
                "γ = 2, FP = 1/16 + 1/4, FN = 1/4: 1 − (3/2 + ε)/(3/2 + 5/64 + 3/16 + ε).",
                ratio(3 / 2, 3 / 2 + 5 / 64 + 3 / 16),
                alpha=0.25,
                beta=0.75,
            ),
            *family(),
            *examples(),
            *GAMMAS,
        ],
        samples=(
            Sample(),
            Sample({"gamma": 3.0, "activation": "sigmoid", "aggregate": "batch", "absent": "skip"}),
        ),
        bounds=(0, 1),
        known=(known("two", (0.075144509, 0.108280255)),),
        refuses=(refusal(ValueError, "alpha", "got -1.0", "at least 0", alpha=-1.0),),
        value_fault=other(alpha=0.301),
        gradient_fault=lambda g: 0.99 * g,
    ),
]
