"""Focal cross-entropy of heat maps, which forgives what is near a point."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, nan
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions.arrays import (
    BINARY_PROBABILITIES,
    HEAT_LOGITS,
    HEAT_MAP,
    MASK,
    SAMPLE_WEIGHT,
    Definition,
    variations,
)
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


ENTRY = Entry(
    loss="DistanceAwareCrossEntropyLoss",
    source=SOURCE,
    oracle=PixelCosts(distance_aware, activation="sigmoid", may_exclude=False, mean=over_foreground),
    cases=[
        Definition(
            id="distance-aware/worked-example",
            comment="p = 1/2 at a point, beside it (y = 1/2) and far (y = 0), N = 1: (1/4 + 1/4 · 1/16 + 1/4) log 2.",
            source=SOURCE,
            flags=("worked", "sigmoid", "one-class", "soft"),
            logits=np.zeros((1, 1, 3)),
            target=np.array([[[1.0, 0.5, 0.0]]]),
            value_by_hand=(1 / 4 + 1 / 64 + 1 / 4) * log(2),
        ),
        *standard(
            "distance-aware",
            SOURCE,
            skip=["sigmoid-extreme", "sigmoid-ignore-index"],
            shared=SHARED - {"softmax", "no-space", "soft-weights", "soft-nan"},
        ),
        Definition(
            id="distance-aware/heat-map",
            comment="Gaussian heat maps of two key points in each image.",
            source=SOURCE,
            flags=("soft", "heat-map"),
            logits=HEAT_LOGITS,
            target=HEAT_MAP,
        ),
        *(
            Definition(
                id=f"distance-aware/heat-map-{name}",
                comment=comment,
                source=SOURCE,
                flags=("soft", "heat-map", *flags),
                hyperparameters=hyperparameters,
                logits=np.where((MASK == 0)[:, None], nan, HEAT_LOGITS),
                target=np.where((MASK == 0)[:, None], nan, HEAT_MAP),
                mask=MASK,
                sample_weight=SAMPLE_WEIGHT,
            )
            for name, comment, flags, hyperparameters in (
                ("weights", "N counts points with their weights.", (), {"class_weights": [0.5, 2.0]}),
                ("sum", "The sum is not divided by N.", (), {"reduction": "sum"}),
                ("none", "The weighted map.", ("none",), {"reduction": "none"}),
                (
                    "top-k",
                    "A pooling is not divided by N.",
                    ("pooling",),
                    {"reduction": {"pooling": "TopK", "fraction": 0.25}},
                ),
            )
        ),
        *(
            Definition(
                id=f"distance-aware/heat-map-{name}",
                comment=comment,
                source=SOURCE,
                flags=("soft", "heat-map", "nan"),
                logits=HEAT_LOGITS,
                target=np.where(np.arange(24).reshape(HEAT_MAP.shape) == 7, value, HEAT_MAP),
            )
            for name, comment, value in (
                ("nan", "NaN is no background.", nan),
                ("above-one", "A number above 1, be it by a rounding, is no heat map.", 1 + 2.0**-23),
            )
        ),
        *edges("distance-aware", SOURCE, exclusive=False),
        Definition(
            id="distance-aware/no-foreground",
            comment="Nothing is exactly 1: N = 1.",
            source=SOURCE,
            flags=("soft", "absent-class"),
            logits=HEAT_LOGITS,
            target=HEAT_MAP / 2,
        ),
        *variations(
            "distance-aware",
            SOURCE,
            HEAT_LOGITS,
            HEAT_MAP,
            [
                ("beta-0", "β = 0: no mercy near a point.", {"beta": 0.0}),
                ("alpha-0", "α = 0: no focusing.", {"alpha": 0.0}),
                ("roots", "α = 1.5, β = 2.5.", {"alpha": 1.5, "beta": 2.5}),
                ("heat-map-softmax", "Softmax over the maps.", {"activation": "softmax"}),
            ],
        ),
        Definition(
            id="distance-aware/heat-map-identity",
            comment="Probabilities of one class.",
            source=SOURCE,
            flags=("identity", "one-class", "soft", "heat-map"),
            hyperparameters={"activation": "identity"},
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
