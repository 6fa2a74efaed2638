"""Correlation of soft counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import ABSENT, SOFT, masked
from ..definitions.region import EPSILON, FOUR_PIXELS, TWO_OF_FOUR, examples, family, worked
from ..definitions.scenes import SCENES
from ..entries import Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total
from ..oracle.tape import plain

SOURCE = "Abhishek and Hamarneh, Matthews correlation coefficient loss for deep convolutional networks, 2021, eqs. 3-5"


def correlation(cells: list[Cell], smooth: Any, pseudocount: float = 0.0) -> tuple[Any, Any]:
    """TP TN − FP FN over √((TP + FP)(TP + FN)(TN + FP)(TN + FN) + ε); 1 where FP = FN = 0, 0 where the root is 0. Each
    of the four has a number added."""
    added = mpf(pseudocount)
    tp = total(cell.w * cell.y * cell.p for cell in cells) + added
    fp = total(cell.w * (1 - cell.y) * cell.p for cell in cells) + added
    fn = total(cell.w * cell.y * (1 - cell.p) for cell in cells) + added
    tn = total(cell.w * (1 - cell.y) * (1 - cell.p) for cell in cells) + added
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
        case(
            "worked-pseudocount",
            "½ is added to each: TP = 2, FP = 5/4, FN = 1, TN = 7/4: 1 − (9/4)/√(13/4 · 3 · 3 · 11/4).",
            flags="worked identity one-class",
            logits=FOUR_PIXELS,
            target=TWO_OF_FOUR,
            value_by_hand=1 - 9 / 4 / (13 / 4 * 3 * 3 * 11 / 4) ** 0.5,
            activation="identity",
            pseudocount=0.5,
            smooth=0.0,
        ),
        *family(),
        *examples(),
        case("pseudocount", "1/4 is added to each count, soft targets.", pseudocount=0.25, target=SOFT),
        case(
            "pseudocount-absent",
            "A class that is absent has a slope.",
            flags="absent-class",
            pseudocount=0.25,
            smooth=0.0,
            target=ABSENT,
        ),
        case(
            "pseudocount-weighted",
            "Beside weights of pixels, over the batch.",
            flags="mask",
            pseudocount=0.25,
            aggregate="batch",
            **masked(),
        ),
        case("soft-smooth-1", "ε = 1, soft targets.", smooth=1.0, target=SOFT),
        replace(
            SCENES["no-space"],
            name="no-space-batch",
            comment="No spatial axis, over the batch: a single pixel has all or no foreground, and no slope.",
            hyperparameters={"aggregate": "batch"},
        ),
    ],
    samples=(
        Sample(),
        Sample({"activation": "sigmoid", "aggregate": "batch", "absent": "skip"}),
    ),
    bounds=(0, 2),
    known=(
        known("two", (0.497481092, 0.497481092)),  # MONAI, smp, the authors
        known("three", (0.739867009, 0.661016547, 1)),
        known("two", {0: -0.477139165, 2: 0.527898650}),
    ),
    refuses=(refusal(ValueError, "smooth", "got -1.0", "at least 0", smooth=-1.0),),
    value_fault=other(smooth=0.0),
    gradient_fault=lambda g: 1.01 * g,
)
