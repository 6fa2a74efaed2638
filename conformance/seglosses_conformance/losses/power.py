"""Dice and Jaccard with a power p on what the denominator sums, in [1, 2]; p = 1 is Dice and Jaccard."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import Definition, case
from ..definitions.arrays import SOFT
from ..definitions.region import family, joint, ratio, worked
from ..entries import Entry, Override, Sample, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total
from .dice import POWER_LOSSES

DICE = f"{POWER_LOSSES}, the power Dice loss"
JACCARD = f"{POWER_LOSSES}, the power Jaccard loss"


def power_dice(cells: list[Cell], smooth: Any, p: float = 2.0) -> tuple[Any, Any]:
    """1 − (2 Σ yŷ + ε)/(Σ (y^p + ŷ^p) + ε)"""
    overlap = total(cell.w * cell.y * cell.p for cell in cells)
    return 2 * overlap + smooth, total(cell.w * (cell.y ** mpf(p) + cell.p**p) for cell in cells) + smooth


def power_jaccard(cells: list[Cell], smooth: Any, p: float = 2.0) -> tuple[Any, Any]:
    """1 − (Σ yŷ + ε)/(Σ (y^p + ŷ^p − yŷ) + ε)"""
    overlap = total(cell.w * cell.y * cell.p for cell in cells)
    union = total(cell.w * (cell.y ** mpf(p) + cell.p**p - cell.y * cell.p) for cell in cells)
    return overlap + smooth, union + smooth


POWERS = [
    case(f"p-{p:g}".replace(".", "-"), f"p = {p:g}: soft targets tell y^p from y.", target=SOFT, p=p)
    for p in (1.0, 1.25, 1.5, 2.0)
]


def printed(name: str, y: int, y_hat: float, p: float) -> Definition:
    """The derivative of the power Jaccard loss for one pixel, as the paper prints it."""
    smooth = 0.125
    d = y + y_hat**p - y * y_hat + smooth
    return case(
        f"printed-derivative-{name}",
        f"One pixel, y = {y}, ŷ = {y_hat}, p = {p}: "
        "∂J/∂ŷ = (ε + yŷ)(pŷ^(p−1) − y)/D² − y/D, D = y + ŷ^p − yŷ + ε, as printed.",
        source=f"{POWER_LOSSES}, the derivative of the power Jaccard loss",
        flags="worked one-pixel identity one-class",
        activation="identity",
        p=p,
        smooth=smooth,
        logits=np.array([[[y_hat]]]),
        target=np.array([[y]]),
        gradient_by_hand=[(smooth + y * y_hat) * (p * y_hat ** (p - 1) - y) / d**2 - y / d],
    )


STATIONARY = (
    "p = y is a stationary point: the gradient is 0, and what the reference has there is its rounding"
)

ENTRIES = [
    Entry(
        loss="PowerDiceLoss",
        source=DICE,
        oracle=RatioOfSums(power_dice),
        cases=[
            worked("Σ ŷ² = 25/16, 1 − (3 + ε)/(57/16 + ε).", ratio(3, 57 / 16)),
            *family(),
            *joint(),
            *POWERS,
        ],
        samples=(Sample({"p": 1.5}), Sample({"p": 1.3, "activation": "identity"})),
        bounds=(0, 1),
        refuses=(
            refusal(ValueError, "p must", "got 2.5", "at most 2", p=2.5),
            refusal(ValueError, "p must", "got nan", "at least 1", p=float("nan")),
            refusal(TypeError, "p must", "got str: '2'", "a number", p="2"),
        ),
        value_fault=other(smooth=0.0),
        gradient_fault=lambda g: 1.01 * g,
        overrides=(Override("perfect-probabilities", gradient_scale=1e-6, reason=STATIONARY),),
    ),
    Entry(
        loss="PowerJaccardLoss",
        source=JACCARD,
        oracle=RatioOfSums(power_jaccard),
        cases=[
            worked("Σ ŷ² = 25/16, 1 − (3/2 + ε)/(33/16 + ε).", ratio(3 / 2, 33 / 16)),
            printed("foreground", y=1, y_hat=0.25, p=2.0),
            printed("background", y=0, y_hat=0.25, p=2.0),
            printed("root", y=1, y_hat=0.5625, p=1.5),
            printed("classical", y=1, y_hat=0.75, p=1.0),
            *family(),
            *joint(),
            *POWERS,
        ],
        samples=(Sample(), Sample({"p": 1.7, "smooth": 0.1})),
        bounds=(0, 1),
        refuses=(refusal(ValueError, "p must", "got 0.9", "at least 1", p=0.9),),
        value_fault=other(p=1.999),
        gradient_fault=lambda g: g - g.mean(axis=0),
    ),
]
