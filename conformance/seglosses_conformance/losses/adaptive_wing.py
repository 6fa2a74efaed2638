"""The adaptive wing loss of heat maps."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import (
    BINARY_LABELS,
    BINARY_LOGITS,
    HEAT_LOGITS,
    HEAT_MAP,
    LABELS,
    SOFT,
    one_hot,
)
from ..definitions.heat_maps import of_heat_maps
from ..definitions.scenes import SHARED, standard
from ..entries import HEAT_MAPS, Entry, Sample
from ..faults import other
from ..oracle import tape
from ..oracle.family import PixelCosts, Place
from ..oracle.tape import Scalar, plain


def adaptive_wing(
    p: Scalar,
    y: Any,
    at: Place,
    *,
    alpha: float = 2.1,
    omega: float = 14.0,
    epsilon: float = 1.0,
    theta: float = 0.5,
) -> Any:
    """ω log(1 + (d/ε)^e) with e = α − y where d = |y − p| < θ, else A d − C."""
    d = p - y if plain(p) > y else y - p
    if plain(d) == 0:
        return mpf(0)
    omega, epsilon, theta, e = mpf(omega), mpf(epsilon), mpf(theta), mpf(alpha) - y
    if plain(d) < theta:
        return omega * tape.log(1 + (d / epsilon) ** e)
    r = (theta / epsilon) ** e
    a = omega * e * (theta / epsilon) ** (e - 1) / (epsilon * (1 + r))
    return a * d - (theta * a - omega * plain(tape.log(Scalar(1 + r))))


def one(name: str, text: str, p: float, y: float, value: float) -> Any:
    return case(
        name,
        text,
        flags="worked identity one-class soft",
        logits=np.array([[[p]]]),
        target=np.array([[[y]]]),
        value_by_hand=value,
    )


R = 0.5**2.1

ENTRY = Entry(
    loss="AdaptiveWingLoss",
    source="Wang et al., Adaptive wing loss for robust face alignment via heatmap regression, ICCV 2019",
    oracle=PixelCosts(adaptive_wing, activation="identity", may_exclude=False),
    cases=[
        one("worked-example", "y = 1/2, d = 1/4: 14 log(1 + (1/4)^1.6).", 0.25, 0.5, 14 * log(1 + 0.25**1.6)),
        one(
            "worked-line",
            "y = 0, d = 3/4: A (3/4 − 1/2) + 14 log(1 + r), r = (1/2)^2.1, A = 14 · 2.1 · 2r/(1 + r).",
            -0.75,
            0.0,
            14 * 2.1 * 2 * R / (1 + R) / 4 + 14 * log(1 + R),
        ),
        *standard(
            skip=["identity", "impossible-class", "top-k-tie"],
            shared=SHARED - {"softmax", "no-space", "soft-weights"},
        ),
        *standard(only=["impossible-class"], activation="softmax"),
        case(
            "one-hot-two",
            "Whole numbers are 0 and 1, be 2 a heat map of which the cost is a number.",
            flags="invalid-label nan",
            target=(2 * one_hot(LABELS)).astype(np.uint8),
        ),
        case(
            "one-class-channel-two",
            "The same of one class.",
            flags="sigmoid one-class invalid-label nan",
            activation="sigmoid",
            logits=BINARY_LOGITS,
            target=(2 * BINARY_LABELS)[:, None].astype(np.uint8),
        ),
        case(
            "top-k-tie",
            "Errors of 3/4, 1/4, 1/4, 1/4, K = 2: the first place is taken, three costs share the second, 1/3 each.",
            source="the tie rule of TopK",
            flags="pooling tie one-class",
            reduction={"pooling": "TopK", "fraction": 0.5},
            logits=np.array([[[0.75, 0.25, -0.25, 0.25]]]),
            target=np.zeros((1, 1, 4)),
        ),
        case("heat-map", "Heat maps.", flags="soft heat-map", logits=HEAT_LOGITS, target=HEAT_MAP),
        *of_heat_maps(),
        case(
            "alpha-3",
            "α = 3, ω = 2, ε = 1/4, θ = 2.",
            alpha=3.0,
            omega=2.0,
            epsilon=0.25,
            theta=2.0,
            target=SOFT,
        ),
        case("theta-at", "Errors of exactly θ.", flags="soft", logits=SOFT + 0.5, target=SOFT),
    ],
    samples=(
        Sample(targets=HEAT_MAPS),
        Sample({"activation": "sigmoid", "alpha": 2.5, "theta": 0.25}, targets=HEAT_MAPS),
    ),
    value_fault=other(omega=14.1),
    gradient_fault=lambda g: g / 2,
    curved=False,
    soft_slope=False,
)
