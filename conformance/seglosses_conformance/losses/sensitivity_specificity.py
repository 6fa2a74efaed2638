"""Squared errors of a class and of its complement."""

from __future__ import annotations

from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import EPSILON, examples, family, worked
from ..entries import Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total

SOURCE = (
    "Brosch et al., Deep convolutional encoder networks for multiple sclerosis lesion segmentation, MICCAI 2015,"
    " sensitivity and specificity"
)


def score(cells: list[Cell], smooth: Any, ratio: float = 0.05) -> tuple[Any, Any]:
    """1 less r Σ y(ŷ − y)²/(Σ y + ε) + (1 − r) Σ (1 − y)(ŷ − y)²/(Σ (1 − y) + ε)"""
    loss = mpf(0)
    for share, side in ((mpf(ratio), lambda y: y), (1 - mpf(ratio), lambda y: 1 - y)):
        size = total(cell.w * side(cell.y) for cell in cells) + smooth
        if size > 0:
            loss = (
                loss + share * total(cell.w * side(cell.y) * (cell.p - cell.y) ** 2 for cell in cells) / size
            )
    return 1 - loss, mpf(1)


ENTRY = Entry(
    loss="SensitivitySpecificityLoss",
    source=SOURCE,
    oracle=RatioOfSums(score),
    cases=[
        worked(
            "r = 1/4, squared errors 1/4, 0 and 1/16, 1/4: (1/4 · 1/4 + 3/4 · 5/16)/(2 + ε).",
            float((1 / 16 + 15 / 64) / (2 + EPSILON)),
            ratio=0.25,
        ),
        *family(),
        *examples(),
        case("sensitivity", "r = 1.", ratio=1.0, target=SOFT),
        case("specificity", "r = 0.", ratio=0.0, target=SOFT),
    ],
    samples=(Sample(), Sample({"ratio": 0.3, "aggregate": "batch", "activation": "sigmoid"})),
    bounds=(0, 1),
    known=(
        known("three", (0.093833333, 0.061833333, 0.0285)),
        known("two", (0.0975, 0.0525)),
        known("two", (0.095, 0.055), ratio=0.1),  # SegLoss has the mean, .075
        known("two", {0: -0.01, 2: 0.285}),
    ),
    refuses=(refusal(ValueError, "ratio", "got 1.5", "at least 0 and at most 1", ratio=1.5),),
    value_fault=other(ratio=0.051),
    gradient_fault=lambda g: 1.01 * g,
)
