"""One overlap for all classes of an image, the small ones weighted up."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import ABSENT, SOFT
from ..definitions.region import ONE_BY_ONE, family, minima
from ..entries import Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioPerImage, common, total

SOURCE = "Sudre et al., Generalised Dice overlap as a loss for unbalanced segmentations, 2017, section 2.1"


def generalized_dice(
    classes: list[tuple[Any, list[Cell]]],
    smooth: Any,
    weights: str = "square",
    relative: bool = True,
    overlap: str = "product",
) -> tuple[Any, Any]:
    """1 − (2 Σ_c ω Σ yŷ + ε)/(Σ_c ω Σ (y + ŷ) + ε), ω = 1/(Σ y)², over its largest; that of a class without target is
    the largest. Class weights multiply it, over theirs. ω may be as it is, too: without any target it is 0 then."""
    power = {"square": 2, "simple": 1, "uniform": 0}[weights]
    sizes = [total(cell.w * cell.y for cell in cells) for _, cells in classes]
    counted = [size for size, (weight, _) in zip(sizes, classes, strict=True) if size > 0 and weight > 0]
    least = min(counted, default=None)
    top = max((weight for weight, _ in classes if weight > 0), default=1)
    unit = mpf(1)
    if not relative and power:
        unit = mpf(0) if least is None else 1 / least**power
    numerator, denominator = smooth, smooth
    for size, (weight, cells) in zip(sizes, classes, strict=True):
        omega = unit * mpf(weight) / top * (mpf(1) if size == 0 or least is None else (least / size) ** power)
        numerator = numerator + 2 * omega * total(cell.w * common(cell, overlap) for cell in cells)
        denominator = denominator + omega * total(cell.w * (cell.y + cell.p) for cell in cells)
    return numerator, denominator


# I = 9/5, 3/5, 0, P = 21/10, 13/10, 3/5 and T = 3, 1, 0: ω = 1/9, 1 and, as the largest, 1.
ROWS = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.3, 0.6, 0.1]])

ENTRY = Entry(
    loss="GeneralizedDiceLoss",
    source=SOURCE,
    oracle=RatioPerImage(generalized_dice),
    cases=[
        *(
            case(
                f"worked-example{name}",
                f"Four pixels, class 2 absent: I = 9/5, 3/5, 0, P + T = 51/10, 23/10, 3/5, {text}",
                flags="worked identity absent-class",
                activation="identity",
                smooth=0.0,
                **more,
                logits=ROWS.T[None],
                target=np.array([[0, 0, 0, 1]]),
                value_by_hand=value,
            )
            for name, text, more, value in (
                ("", "ω = 1/9, 1, 1: 1 − (8/5)/(52/15).", {}, 7 / 13),
                ("-simple", "ω = 1/3, 1, 1: 1 − (12/5)/(23/5).", {"weights": "simple"}, 11 / 23),
                ("-uniform", "ω = 1: 1 − (24/5)/8.", {"weights": "uniform"}, 2 / 5),
                ("-skipped", "ω = 1/9, 1: 1 − (8/5)/(43/15).", {"absent": "skip"}, 19 / 43),
            )
        ),
        *family(skip=ONE_BY_ONE),
        case("simple", "ω = 1/Σ y.", weights="simple"),
        case("uniform", "ω = 1.", weights="uniform"),
        case(
            "not-relative",
            "ω = 1/(Σ y)² beside ε = 1, a class absent.",
            relative=False,
            smooth=1.0,
            target=ABSENT,
        ),
        case("not-relative-soft", "ω = 1/Σ y.", relative=False, weights="simple", smooth=0.5, target=SOFT),
        case(
            "not-relative-uniform",
            "ω = 1, with or without target.",
            relative=False,
            weights="uniform",
            target=ABSENT,
            include_background=False,
        ),
        case(
            "not-relative-nothing",
            "Nothing but the background in image 0, which does not count: ω = 0, and the loss of ε alone 0.",
            flags="absent-class",
            relative=False,
            include_background=False,
            target=np.stack([np.zeros_like(ABSENT[0]), ABSENT[1]]),
        ),
        case("absent-counted", "A class without target has the largest ω.", target=ABSENT),
        case("soft-simple", "ω = 1/Σ y.", weights="simple", target=SOFT),
        *minima(),
    ],
    samples=(
        Sample(),
        Sample({"weights": "simple", "activation": "sigmoid"}),
        Sample({"aggregate": "batch", "absent": "skip", "class_weights": [1.0, 2.0, 0.5], "relative": False}),
    ),
    bounds=(0, 1),
    known=(
        known("three", (7 / 13,)),  # MONAI
    ),
    refuses=(
        refusal(ValueError, "per_class", "got True", "must be False", per_class=True),
        refusal(ValueError, "average", "got 'class'", "must be 'pooled'", average="class"),
    ),
    value_fault=other(weights="simple"),
    gradient_fault=lambda g: 1.01 * g,
)
