"""The logarithm of the probability of what is there, with smoothed labels if one likes."""

from __future__ import annotations

from math import log, nan
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions.arrays import (
    CERTAIN,
    IGNORED,
    LABELS,
    LOGITS,
    MASK,
    PROBABILITIES,
    SAMPLE_WEIGHT,
    SOFT,
    TWO_LABELS,
    TWO_PIXELS,
    VOID,
    Definition,
    variations,
)
from ..definitions.probabilities import edges
from ..definitions.scenes import MAX_POOLING, standard
from ..entries import Entry, Sample
from ..faults import without
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, clipped
from ..oracle.tape import Scalar

SOURCE = "Shannon's cross-entropy, as in Guo et al., arXiv:1802.08290, eq. 4"
SMOOTHING = "Szegedy et al., Rethinking the Inception architecture, 2016, section 7"


def cross_entropy(p: Scalar, y: Any, at: Place, *, label_smoothing: float = 0.0, clip: float = 0.0) -> Any:
    """−y log p, and −(1 − y) log(1 − p) if classes are not exclusive.

    Label smoothing shares a part of y among all classes, or between yes and no.
    """
    p = clipped(p, clip)
    y = (1 - mpf(label_smoothing)) * y + mpf(label_smoothing) / (at.classes if at.exclusive else 2)
    cost = mpf(0)
    if y > 0:
        cost += -y * tape.log(p)
    if y < 1 and not at.exclusive:
        cost += -(1 - y) * tape.log(1 - p)
    return cost


ENTRY = Entry(
    loss="CrossEntropyLoss",
    source=SOURCE,
    oracle=PixelCosts(cross_entropy),
    cases=[
        Definition(
            id="cross-entropy/worked-example",
            comment="Two pixels, the right class at 1/2 and 1/4: (log 2 + log 4)/2; slopes −1/(2p), −1 and −2.",
            source=SOURCE,
            flags=("worked", "identity"),
            hyperparameters={"activation": "identity"},
            logits=TWO_PIXELS,
            target=TWO_LABELS,
            value_by_hand=1.5 * log(2),
            gradient_by_hand=[-1, 0, 0, -2, 0, 0],
        ),
        Definition(
            id="cross-entropy/worked-softmax",
            comment="All logits alike: log 3 at every pixel; slopes (1/3 − y)/2.",
            source=SOURCE,
            flags=("worked",),
            logits=np.full((1, 3, 2), 0.5),
            target=TWO_LABELS,
            value_by_hand=log(3),
            gradient_by_hand=[-1 / 3, 1 / 6, 1 / 6, -1 / 3, 1 / 6, 1 / 6],
        ),
        *standard("cross-entropy", SOURCE, skip=["softmax"], shared=()),
        *variations(
            "cross-entropy",
            SMOOTHING,
            LOGITS,
            LABELS,
            [
                ("label-smoothing", "ε = 0.25.", {"label_smoothing": 0.25}),
                (
                    "label-smoothing-weights",
                    "ε = 0.125 with class weights: the weighted mean divides by the label's weight.",
                    {"label_smoothing": 0.125, "class_weights": [0.5, 2.0, 1.0]},
                ),
                (
                    "label-smoothing-sigmoid",
                    "ε = 0.25 of each yes or no.",
                    {"label_smoothing": 0.25, "activation": "sigmoid"},
                ),
            ],
        ),
        Definition(
            id="cross-entropy/label-smoothing-soft",
            comment="ε = 0.5 of soft targets.",
            source=SMOOTHING,
            flags=("soft",),
            hyperparameters={"label_smoothing": 0.5},
            logits=LOGITS,
            target=SOFT,
        ),
        Definition(
            id="cross-entropy/label-smoothing-ignored",
            comment="ε = 0.25 of pixels that are ignored, masked and weighted.",
            source=SMOOTHING,
            flags=("mask", "sample-weight", "ignore-index"),
            hyperparameters={"label_smoothing": 0.25, "ignore_index": VOID},
            logits=np.where((IGNORED | (MASK == 0))[:, None], nan, LOGITS),
            target=np.where(IGNORED, VOID, LABELS),
            mask=MASK,
            sample_weight=SAMPLE_WEIGHT,
        ),
        *edges("cross-entropy", SOURCE, exclusive=True),
        Definition(
            id="cross-entropy/certain-probabilities",
            comment="Probabilities of exactly 0 and 1, all right: 0 · log 0 is 0.",
            source=SOURCE,
            flags=("identity", "perfect"),
            hyperparameters={"activation": "identity"},
            logits=CERTAIN,
            target=LABELS,
        ),
        Definition(
            id="cross-entropy/sigmoid-none",
            comment="Sigmoid with reduction none: the map has the logits' shape.",
            source=SOURCE,
            flags=("sigmoid", "none", "mask", "class-weights"),
            hyperparameters={"activation": "sigmoid", "reduction": "none", "class_weights": [0.5, 2.0, 1.0]},
            logits=np.where((MASK == 0)[:, None], nan, LOGITS),
            target=LABELS,
            mask=MASK,
        ),
        Definition(
            id="cross-entropy/max-pooling-few-positive",
            comment="Two of twelve costs are positive, fewer than m: every one stands at the bound τ.",
            source=MAX_POOLING,
            flags=("identity", "pooling"),
            hyperparameters={
                "activation": "identity",
                "reduction": {"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7},
            },
            logits=np.where(np.arange(12).reshape(2, 1, 2, 3) < 2, PROBABILITIES, CERTAIN),
            target=LABELS,
        ),
    ],
    samples=(
        Sample(),
        Sample({"activation": "sigmoid"}),
        Sample({"activation": "identity"}),
        Sample({"label_smoothing": 0.1}),
        Sample({"label_smoothing": 0.1, "activation": "sigmoid"}),
        Sample({"class_weights": [0.5, 2.0, 1.0]}),
        Sample({"reduction": {"pooling": "Minkowski", "k": 2.5}}),
        Sample({"reduction": {"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7}}),
        Sample({"reduction": {"pooling": "TopK", "fraction": 0.3}}),
    ),
    value_fault=without("class_weights"),
    gradient_fault=lambda g: 1.01 * g,
)
