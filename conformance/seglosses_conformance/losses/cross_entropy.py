"""The logarithm of the probability of what is there, with smoothed labels if one likes."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import (
    CERTAIN,
    CLASS_WEIGHTS,
    IGNORED_MASKED_WEIGHTED,
    PROBABILITIES,
    SOFT,
    TWO_LABELS,
    TWO_PIXELS,
    masked,
)
from ..definitions.pixels import worked_rows, worked_yes_or_no
from ..definitions.probabilities import certain, edges
from ..definitions.scenes import MAX_POOLING, standard
from ..definitions.weighted_entries import entries
from ..entries import POLE, Entry, Sample, refusal
from ..faults import without
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, clipped
from ..oracle.tape import Scalar

SOURCE = "Shannon's cross-entropy, as in Guo et al., arXiv:1802.08290, eq. 4"
POS_WEIGHT = "torch.nn.BCEWithLogitsLoss, pos_weight"
OHEM = "Shrivastava et al., OHEM, 2016; Wu et al., arXiv:1605.06885, online bootstrapping"
SMOOTHING = "Szegedy et al., Rethinking the Inception architecture, 2016, section 7"


def cross_entropy(
    p: Scalar,
    y: Any,
    at: Place,
    *,
    label_smoothing: float = 0.0,
    pos_weight: float | Sequence[float] | None = None,
    clip: float = 0.0,
) -> Any:
    """−y log p, and −(1 − y) log(1 − p) if classes are not exclusive; β multiplies the first.

    Label smoothing shares a part of y among all classes, or between yes and no.
    """
    beta = pos_weight[at.c] if isinstance(pos_weight, (list, tuple)) else pos_weight
    p = clipped(p, clip)
    y = (1 - mpf(label_smoothing)) * y + mpf(label_smoothing) / (at.classes if at.exclusive else 2)
    cost = mpf(0)
    if y > 0:
        cost += -(1 if beta is None else mpf(beta)) * y * tape.log(p)
    if y < 1 and not at.exclusive:
        cost += -(1 - y) * tape.log(1 - p)
    return cost


ENTRY = Entry(
    loss="CrossEntropyLoss",
    source=SOURCE,
    oracle=PixelCosts(cross_entropy),
    cases=[
        case(
            "worked-example",
            "Two pixels, the right class at 1/2 and 1/4: (log 2 + log 4)/2; slopes −1/(2p), −1 and −2.",
            flags="worked identity",
            activation="identity",
            logits=TWO_PIXELS,
            target=TWO_LABELS,
            value_by_hand=1.5 * log(2),
            gradient_by_hand=[-1, 0, 0, -2, 0, 0],
        ),
        case(
            "worked-softmax",
            "All logits alike: log 3 at every pixel; slopes (1/3 − y)/2.",
            flags="worked",
            logits=np.full((1, 3, 2), 0.5),
            target=TWO_LABELS,
            value_by_hand=log(3),
            gradient_by_hand=[-1 / 3, 1 / 6, 1 / 6, -1 / 3, 1 / 6, 1 / 6],
        ),
        *standard(skip=["softmax"], shared=()),
        case("label-smoothing", "ε = 0.25.", source=SMOOTHING, label_smoothing=0.25),
        case(
            "label-smoothing-weights",
            "ε = 0.125 with class weights: the weighted mean divides by the label's weight.",
            source=SMOOTHING,
            label_smoothing=0.125,
            class_weights=CLASS_WEIGHTS,
        ),
        case(
            "label-smoothing-sigmoid",
            "ε = 0.25 of each yes or no.",
            source=SMOOTHING,
            label_smoothing=0.25,
            activation="sigmoid",
        ),
        case(
            "label-smoothing-soft",
            "ε = 0.5 of soft targets.",
            source=SMOOTHING,
            flags="soft",
            label_smoothing=0.5,
            target=SOFT,
        ),
        case(
            "label-smoothing-ignored",
            "ε = 0.25 of pixels that are ignored, masked and weighted.",
            source=SMOOTHING,
            flags="mask sample-weight ignore-index",
            label_smoothing=0.25,
            **IGNORED_MASKED_WEIGHTED,
        ),
        worked_yes_or_no(
            "pos-weight-worked",
            "β = 3: −(3 log 4/5 + 3 log 3/5 + log 7/10 + log 9/10)/4.",
            source=POS_WEIGHT,
            pos_weight=3.0,
            value_by_hand=-(3 * log(4 / 5) + 3 * log(3 / 5) + log(7 / 10) + log(9 / 10)) / 4,
        ),
        case(
            "pos-weight-classes",
            "A β for each class, class weights and soft targets, masked.",
            source=POS_WEIGHT,
            flags="sigmoid soft class-weights mask",
            activation="sigmoid",
            pos_weight=[3.0, 0.5, 8.0],
            class_weights=CLASS_WEIGHTS,
            **masked(target=SOFT),
        ),
        case(
            "pos-weight-smoothing",
            "β = 4 and ε = 0.25, labels.",
            source=POS_WEIGHT,
            flags="sigmoid",
            activation="sigmoid",
            pos_weight=4.0,
            label_smoothing=0.25,
        ),
        case(
            "pos-weight-none",
            "The map.",
            source=POS_WEIGHT,
            flags="sigmoid none",
            activation="sigmoid",
            pos_weight=[3.0, 0.5, 8.0],
            reduction="none",
        ),
        *edges(exclusive=True),
        *entries(),
        certain("Probabilities of exactly 0 and 1, all right: 0 · log 0 is 0."),
        case(
            "sigmoid-none",
            "Sigmoid with reduction none: the map has the logits' shape.",
            flags="sigmoid none mask class-weights",
            activation="sigmoid",
            reduction="none",
            class_weights=CLASS_WEIGHTS,
            **masked(),
        ),
        worked_rows(
            "hard-examples-worked",
            "The two costliest, log 2 and of the tie at log 5/3 a half each: (log 2 + log 5/3)/2.",
            source=OHEM,
            flags="worked identity pooling tie",
            reduction={"pooling": "HardExampleMining", "min_kept": 2, "threshold": None},
            value_by_hand=(log(2) + log(5 / 3)) / 2,
        ),
        worked_rows(
            "hard-examples-threshold",
            "p < 0.65 at three pixels: (log 2 + 2 log 5/3)/3.",
            source=OHEM,
            flags="worked identity pooling",
            reduction={"pooling": "HardExampleMining", "min_kept": 1, "threshold": 0.65},
            value_by_hand=(log(2) + 2 * log(5 / 3)) / 3,
        ),
        case(
            "hard-examples-all",
            "Fewer pixels than are kept in any case: all.",
            source=OHEM,
            flags="pooling",
            reduction={"pooling": "HardExampleMining"},
        ),
        case(
            "hard-examples-weights",
            "Costs above 1, of weighted and ignored pixels; class weights do not choose.",
            source=OHEM,
            flags="pooling class-weights mask sample-weight ignore-index",
            reduction={
                "pooling": "HardExampleMining",
                "min_kept": 2,
                "threshold": None,
                "cost_threshold": 1.0,
            },
            class_weights=CLASS_WEIGHTS,
            **IGNORED_MASKED_WEIGHTED,
        ),
        case(
            "hard-examples-sigmoid",
            "Every class of every pixel is an entry.",
            source=OHEM,
            flags="pooling sigmoid",
            activation="sigmoid",
            reduction={"pooling": "HardExampleMining", "min_kept": 3, "threshold": 0.25},
        ),
        case(
            "hard-examples-per-image",
            "The three costliest of each image, of weighted and ignored pixels.",
            source=OHEM,
            flags="pooling class-weights mask sample-weight ignore-index",
            reduction={"pooling": "HardExampleMining", "min_kept": 3, "threshold": None, "per_image": True},
            class_weights=CLASS_WEIGHTS,
            **IGNORED_MASKED_WEIGHTED,
        ),
        case(
            "hard-examples-per-image-sigmoid",
            "Every class of every pixel of an image is an entry.",
            source=OHEM,
            flags="pooling sigmoid",
            activation="sigmoid",
            reduction={"pooling": "HardExampleMining", "min_kept": 5, "threshold": 0.05, "per_image": True},
        ),
        case(
            "max-pooling-few-positive",
            "Two of twelve costs are positive, fewer than m: every one stands at the bound τ.",
            source=MAX_POOLING,
            flags="identity pooling",
            activation="identity",
            reduction={"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7},
            logits=np.where(np.arange(12).reshape(2, 1, 2, 3) < 2, PROBABILITIES, CERTAIN),
        ),
    ],
    samples=(
        Sample(),
        Sample({"activation": "sigmoid"}),
        Sample({"activation": "identity"}),
        Sample({"label_smoothing": 0.1}),
        Sample({"label_smoothing": 0.1, "activation": "sigmoid"}),
        Sample({"class_weights": CLASS_WEIGHTS}),
        Sample({"activation": "sigmoid", "pos_weight": [3.0, 0.5, 8.0]}, activations=("sigmoid",)),
        Sample({"reduction": {"pooling": "Minkowski", "k": 2.5}}),
        Sample({"reduction": {"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7}}),
        Sample({"reduction": {"pooling": "TopK", "fraction": 0.3}}),
        Sample({"reduction": {"pooling": "HardExampleMining", "min_kept": 3, "threshold": 0.3}}),
    ),
    autodiff_differs=dict.fromkeys(("certain-and-wrong", "certain-and-wrong-classes"), POLE),
    refuses=(
        refusal(
            ValueError,
            "pos_weight",
            "got 2",
            "one entry per class, 3 for logits",
            pos_weight=(1, 2),
            activation="sigmoid",
        ),
        refusal(ValueError, "pos_weight[1]", "got 0", "above 0", pos_weight=[1, 0], activation="sigmoid"),
        refusal(ValueError, "pos_weight", "got activation='softmax'", "activation='sigmoid'", pos_weight=2.0),
        refusal(ValueError, "label_smoothing", "got -0.1", "at least 0", label_smoothing=-0.1),
        refusal(ValueError, "overlapping", "activation='softmax'", "activation='identity'", overlapping=True),
    ),
    value_fault=without("class_weights"),
    gradient_fault=lambda g: 1.01 * g,
)
