"""A function of Dice that is flat where little is wrong."""

from __future__ import annotations

from dataclasses import replace
from math import log1p, sinh
from typing import Any

from ..definitions.region import examples, family, minima, ratio, worked
from ..definitions.scenes import SCENES
from ..entries import Entry, Sample, known
from ..faults import other
from ..oracle.family import RatioOfSums
from ..oracle.tape import Scalar, exp
from ..oracle.tape import log as logarithm
from .dice import dice

SOURCE = "Jadon, A survey of loss functions for semantic segmentation, 2020, log-cosh Dice loss"


def log_cosh(loss: Any) -> Any:
    """log((e^u + e^−u)/2)"""
    u = loss if isinstance(loss, Scalar) else Scalar(loss)
    return logarithm((exp(u) + exp(-u)) / 2)


TINY = SCENES["tiny-weights"]

ENTRY = Entry(
    loss="LogCoshDiceLoss",
    source=SOURCE,
    oracle=RatioOfSums(dice, then=log_cosh),
    cases=[
        worked("log cosh u of u = 1 − (3 + ε)/(17/4 + ε).", log1p(2 * sinh(ratio(3, 17 / 4) / 2) ** 2)),
        *family(),
        *examples(),
        *minima(),
        replace(
            TINY,
            name="tiny-weights-smooth-0",
            comment="Without ε tiny weights count relative to each other; ε hides them, u² is below float32.",
            hyperparameters={**TINY.hyperparameters, "smooth": 0.0},
        ),
    ],
    samples=(Sample(), Sample({"aggregate": "batch", "activation": "sigmoid"})),
    bounds=(0, 0.4338),
    known=(
        known("two", (0.028080844, 0.034233613)),
        known("two", {0: -0.085511414, 2: 0.049881658}),
    ),
    value_fault=other(smooth=0.0),
    gradient_fault=lambda g: 1.01 * g,
)
