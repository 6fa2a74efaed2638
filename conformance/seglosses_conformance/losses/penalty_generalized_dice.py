"""Generalized Dice whose errors count several times."""

from __future__ import annotations

from typing import Any

from ..definitions import case
from ..definitions.arrays import ABSENT, SOFT
from ..definitions.region import EXAMPLES, ONE_BY_ONE, examples, family, minima
from ..entries import Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import RatioPerImage
from .generalized_dice import generalized_dice

SOURCE = "Yang, Kweon, Kim, Major vessel segmentation on X-ray coronary angiography, MIDL 2019, penalty"


def penalised(loss: Any, k: float = 2.5) -> Any:
    """1 − s/(1 + k(1 − s)), s the generalized Dice score"""
    score = 1 - loss
    return 1 - score / (1 + k * (1 - score))


ENTRY = Entry(
    loss="PenaltyGeneralizedDiceLoss",
    source=SOURCE,
    oracle=RatioPerImage(generalized_dice, then=penalised),
    cases=[
        case(
            "worked-example",
            "The generalized Dice loss is 7/13, k = 5/2: (7/2 · 7/13)/(1 + 5/2 · 7/13) = 49/61.",
            flags="worked identity absent-class",
            activation="identity",
            smooth=0.0,
            **EXAMPLES["three"],
            value_by_hand=49 / 61,
        ),
        *family(skip=ONE_BY_ONE),
        *examples("two", "soft"),
        *minima(),
        case("k-0", "k = 0, which is the generalized Dice loss.", k=0.0, target=SOFT),
        case("k-10", "k = 10.", k=10.0, target=SOFT),
        case("simple", "ω = 1/Σ y.", weights="simple", target=ABSENT),
    ],
    samples=(Sample(), Sample({"k": 1.0, "weights": "simple", "aggregate": "batch", "absent": "skip"})),
    bounds=(0, 1),
    known=(
        known("two", (7 / 13,)),
        known("three", (49 / 61,)),
        known("three", (0.762376238,), weights="simple"),
    ),
    refuses=(refusal(ValueError, "k must", "got -1", "at least 0", k=-1),),
    value_fault=other(k=2.51),
    gradient_fault=lambda g: 1.01 * g,
)
