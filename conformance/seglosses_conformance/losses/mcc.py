"""Correlation of soft counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import EPSILON, examples, family, worked
from ..definitions.scenes import SCENES
from ..entries import Entry, Sample
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total
from ..oracle.tape import plain

SOURCE = "Abhishek and Hamarneh, Matthews correlation coefficient loss for deep convolutional networks, 2021, eqs. 3-5"


def correlation(cells: list[Cell], smooth: Any) -> tuple[Any, Any]:
    """TP TN − FP FN over √((TP + FP)(TP + FN)(TN + FP)(TN + FN) + ε); 1 where FP = FN = 0, 0 where the root is 0"""
    tp = total(cell.w * cell.y * cell.p for cell in cells)
    fp = total(cell.w * (1 - cell.y) * cell.p for cell in cells)
    fn = total(cell.w * cell.y * (1 - cell.p) for cell in cells)
    tn = total(cell.w * (1 - cell.y) * (1 - cell.p) for cell in cells)
    square = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn) + smooth
    if plain(fp) == plain(fn) == 0:
        return mpf(1), mpf(1)
    if plain(square) == 0:
        return mpf(0), mpf(1)
    return tp * tn - fp * fn, square ** mpf("0.5")


ENTRY = Entry(
    loss="MCCLoss",
    source=SOURCE,
    prefix="mcc",
    oracle=RatioOfSums(correlation),
    cases=[
        worked(
            "TP = 3/2, FP = 3/4, FN = 1/2, TN = 5/4: 1 − (3/2)/√(9/4 · 2 · 2 · 7/4 + ε).",
            float(1 - 3 / 2 / float(63 / 4 + EPSILON) ** 0.5),
        ),
        *family(),
        *examples(),
        case("soft-smooth-1", "ε = 1, soft targets.", smooth=1.0, target=SOFT),
        replace(
            SCENES["no-space"],
            name="no-space-batch",
            comment="No spatial axis, over the batch: a single pixel has all or no foreground, and no slope.",
            hyperparameters={"aggregate": "batch"},
        ),
    ],
    samples=(Sample(), Sample({"activation": "sigmoid", "aggregate": "batch", "absent": "skip"})),
    bounds=(0, 2),
    value_fault=other(smooth=0.0),
    gradient_fault=lambda g: 1.01 * g,
)
