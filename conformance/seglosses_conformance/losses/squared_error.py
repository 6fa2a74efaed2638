"""The squared difference of heat maps."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..definitions import case
from ..definitions.arrays import (
    HEAT_LOGITS,
    HEAT_MAP,
)
from ..definitions.heat_maps import of_heat_maps
from ..definitions.scenes import MAX_POOLING, SHARED, standard
from ..entries import HEAT_MAPS, Entry, Sample
from ..faults import wrong_order
from ..oracle.family import PixelCosts, Place
from ..oracle.tape import Scalar

SOURCE = "the baseline of Du's article on distance-aware cross-entropy"


def squared_error(p: Scalar, y: Any, at: Place) -> Any:
    """(p − y)²"""
    return (p - y) ** 2


ENTRY = Entry(
    loss="MeanSquaredErrorLoss",
    source=SOURCE,
    oracle=PixelCosts(squared_error, activation="identity", may_exclude=False),
    cases=[
        case(
            "worked-example",
            "(1/2)², (1/4)², (−1)², 0²: mean 21/64; slopes (p − y)/2.",
            flags="worked identity one-class soft",
            logits=np.array([[[1.0, 0.5, -0.5, 0.25]]]),
            target=np.array([[[0.5, 0.25, 0.5, 0.25]]]),
            value_by_hand=21 / 64,
            gradient_by_hand=[1 / 4, 1 / 8, -1 / 2, 0],
        ),
        *standard(
            skip=["identity", "impossible-class", "top-k-tie"],
            shared=SHARED - {"softmax", "no-space", "soft-weights"},
        ),
        *standard(only=["impossible-class"], activation="softmax"),
        case(
            "heat-map",
            "Heat maps of two key points in each image.",
            flags="soft heat-map",
            logits=HEAT_LOGITS,
            target=HEAT_MAP,
        ),
        *of_heat_maps(),
        case(
            "top-k-tie",
            "Costs 4, 1, 1, 1, K = 2: the first place is taken, three costs share the second, 1/3 each: 5/2.",
            source="the tie rule of TopK",
            flags="worked pooling tie one-class",
            reduction={"pooling": "TopK", "fraction": 0.5},
            logits=np.array([[[2.0, 1.0, -1.0, 1.0]]]),
            target=np.zeros((1, 1, 4)),
            value_by_hand=5 / 2,
            gradient_by_hand=[2, 1 / 3, -1 / 3, 1 / 3],
        ),
        case(
            "top-k-almost-integer",
            "0.7 · 10 is 7 less a rounding: K = 7.",
            source="the rounding rule of TopK",
            flags="pooling one-class",
            reduction={"pooling": "TopK", "fraction": 0.7},
            logits=np.arange(1.0, 11.0).reshape(1, 1, 10) / 8,
            target=np.zeros((1, 1, 10)),
        ),
        case(
            "max-pooling-worked",
            "Costs 16, 4, 4, 0, p = q = 2, m = 2: n^(−1/q) = 1/2, τ = 1/√8; 16 stands at τ, "
            "4 and 4 share the rest, 1/8 each of the norm's square 1/8, 1/16 each: 16/√8 + (4 + 4)/4.",
            source=MAX_POOLING,
            flags="worked pooling one-class",
            reduction={"pooling": "MaxPooling", "ratio": 0.5, "p": 2.0},
            logits=np.array([[[4.0, 2.0, -2.0, 0.0]]]),
            target=np.zeros((1, 1, 4)),
            value_by_hand=16 / sqrt(8) + 2,
            gradient_by_hand=[8 / sqrt(8), 1, -1, 0],
        ),
    ],
    samples=(
        Sample(targets=HEAT_MAPS),
        Sample({"activation": "softmax"}, targets=HEAT_MAPS),
    ),
    value_fault=wrong_order,
    gradient_fault=lambda g: g / 2,
)
