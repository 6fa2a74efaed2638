"""Focal cross-entropy of heat maps, which forgives what is near a point."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import log, nan
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import BINARY_PROBABILITIES, HEAT_LOGITS, HEAT_MAP, SAMPLE_WEIGHT, masked
from ..definitions.probabilities import edges
from ..definitions.scenes import SHARED, standard
from ..entries import HEAT_MAPS, Entry, Sample
from ..faults import other
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, clipped, total
from ..oracle.pooling import Term, weighted_sum
from ..oracle.problem import NoNumberError
from ..oracle.tape import Scalar

SOURCE = "Law & Deng, CornerNet, 2018, eq. 1"


def distance_aware(
    p: Scalar, y: Any, at: Place, *, alpha: float = 2.0, beta: float = 4.0, clip: float = 0.0
) -> Any:
    """y = 1: −(1 − p)^α log p; else −(1 − y)^β p^α log(1 − p). Beyond 1 is no heat map."""
    if y > 1:
        raise NoNumberError(f"a heat map of {y}")
    p = clipped(p, clip)
    if y == 1:
        return -((1 - p) ** alpha) * tape.log(p)
    return -((1 - y) ** mpf(beta)) * p**alpha * tape.log(1 - p)


def over_foreground(terms: Sequence[Term]) -> Any:
    """Σ cost / N, N the weight of the batch's foreground, y = 1 exactly; 1 if there is none."""
    number = total(term.weight for term in terms if term.target == 1)
    return weighted_sum(terms) / (number if number > 0 else 1)


on_map = partial(case, logits=HEAT_LOGITS, target=HEAT_MAP)
WEIGHTED = {**masked(HEAT_LOGITS, target=HEAT_MAP), "sample_weight": SAMPLE_WEIGHT}
SEVENTH = np.arange(24).reshape(HEAT_MAP.shape) == 7

ENTRY = Entry(
    loss="DistanceAwareCrossEntropyLoss",
    source=SOURCE,
    oracle=PixelCosts(distance_aware, activation="sigmoid", may_exclude=False, mean=over_foreground),
    prefix="distance-aware",
    cases=[
        case(
            "worked-example",
            "p = 1/2 at a point, beside it (y = 1/2) and far (y = 0), N = 1: (1/4 + 1/4 · 1/16 + 1/4) log 2.",
            flags="worked sigmoid one-class soft",
            logits=np.zeros((1, 1, 3)),
            target=np.array([[[1.0, 0.5, 0.0]]]),
            value_by_hand=(1 / 4 + 1 / 64 + 1 / 4) * log(2),
        ),
        *standard(
            skip=["sigmoid-extreme", "sigmoid-ignore-index"],
            shared=SHARED - {"softmax", "no-space", "soft-weights", "soft-nan"},
        ),
        on_map("heat-map", "Gaussian heat maps of two key points in each image.", flags="soft heat-map"),
        case(
            "heat-map-weights",
            "N counts points with their weights.",
            flags="soft heat-map",
            class_weights=[0.5, 2.0],
            **WEIGHTED,
        ),
        case(
            "heat-map-sum", "The sum is not divided by N.", flags="soft heat-map", reduction="sum", **WEIGHTED
        ),
        case("heat-map-none", "The weighted map.", flags="soft heat-map none", reduction="none", **WEIGHTED),
        case(
            "heat-map-top-k",
            "A pooling is not divided by N.",
            flags="soft heat-map pooling",
            reduction={"pooling": "TopK", "fraction": 0.25},
            **WEIGHTED,
        ),
        *(
            on_map(name, comment, flags="soft heat-map nan", target=np.where(SEVENTH, value, HEAT_MAP))
            for name, comment, value in (
                ("heat-map-nan", "NaN is no background.", nan),
                (
                    "heat-map-above-one",
                    "A number above 1, be it by a rounding, is no heat map.",
                    1 + 2.0**-23,
                ),
            )
        ),
        *edges(exclusive=False),
        on_map(
            "no-foreground",
            "Nothing is exactly 1: N = 1.",
            flags="soft absent-class",
            target=HEAT_MAP / 2,
        ),
        on_map("beta-0", "β = 0: no mercy near a point.", beta=0.0),
        on_map("alpha-0", "α = 0: no focusing.", alpha=0.0),
        on_map("roots", "α = 1.5, β = 2.5.", alpha=1.5, beta=2.5),
        on_map("heat-map-softmax", "Softmax over the maps.", activation="softmax"),
        case(
            "heat-map-identity",
            "Probabilities of one class.",
            flags="identity one-class soft heat-map",
            activation="identity",
            logits=BINARY_PROBABILITIES,
            target=HEAT_MAP[:, :1],
        ),
    ],
    samples=(
        Sample(targets=HEAT_MAPS),
        Sample({"reduction": {"pooling": "Minkowski", "k": 2.0}}, targets=HEAT_MAPS),
    ),
    value_fault=other(beta=4.01),
    gradient_fault=lambda g: 1.01 * g,
)
