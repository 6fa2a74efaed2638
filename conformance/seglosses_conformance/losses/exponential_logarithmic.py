"""Powers of logarithms: of Dice, and of the probabilities of labels."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SATURATED_LABELS, SOFT, one_hot, saturated
from ..definitions.pixels import worked_rows, worked_yes_or_no
from ..definitions.probabilities import certain, edges
from ..definitions.region import ALL, EXAMPLES, examples, family, minima
from ..definitions.scenes import SHARED, standard
from ..entries import POLE, Entry, Sample, refusal
from ..faults import other
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, RatioOfSums, clipped, minus_log
from ..oracle.tape import Scalar, plain
from .dice import dice

PAPER = "Wong et al., 3D segmentation with exponential logarithmic loss for highly unbalanced object sizes, MICCAI 2018"


def powered_log(loss: Any, gamma: float = 0.3) -> Any:
    """(−log(1 − u))^γ, which has no slope at u = 0."""
    return minus_log(loss, log=True) ** gamma if plain(loss) != 0 else loss * 0


def cost(
    p: Scalar,
    y: Any,
    at: Place,
    *,
    gamma: float = 0.3,
    label_weights: Any = None,
    clip: float = 0.0,
) -> Any:
    """v_c (−log p)^γ, of a class that is absent (−log(1 − p))^γ."""
    p, found = clipped(p, clip), mpf(0)
    if y > 0:
        found += (1 if label_weights is None else mpf(label_weights[at.c])) * y * power_of_log(p, gamma)
    if y < 1 and not at.exclusive:
        found += (1 - y) * power_of_log(1 - p, gamma)
    return found


def power_of_log(p: Scalar, gamma: float) -> Any:
    """(−log p)^γ: at p = 1 it has no slope, at p = 0 one of −∞."""
    if p.value == 1:
        return mpf(0)
    return (-tape.log(p)) ** gamma if p.value else -tape.log(p)


LABEL_WEIGHTS = [0.5, 3.0, 1.5]
# 4.2/3.2 and 3.8/2.8.
OF_TWO = (log(21 / 16) ** 0.3 + log(19 / 14) ** 0.3) / 2

ENTRIES = [
    Entry(
        loss="ExponentialLogarithmicDiceLoss",
        source=f"{PAPER}, L_Dice",
        oracle=RatioOfSums(dice, then=powered_log),
        cases=[
            case(
                "worked-example",
                "Four pixels of two classes, Dice 3.2/4.2 and 2.8/3.8, ε = 0: the mean of (log 21/16)^.3 and"
                " (log 19/14)^.3.",
                flags="worked identity",
                activation="identity",
                smooth=0.0,
                **EXAMPLES["two"],
                value_by_hand=OF_TWO,
            ),
            *family(skip={"huge-weights"}),
            # With ε = 1e-5 a class of which no pixel counts would score 1e-42, of which XLA makes 0 in float32.
            *standard(ALL, only={"huge-weights"}, smooth=1e30),
            case("gamma-1", "γ = 1: −log of Dice.", gamma=1.0, target=SOFT),
            case("gamma-2", "γ = 2.", gamma=2.0, target=SOFT),
            case("paper", "ε = 1.", smooth=1.0, target=SOFT),
            *examples("three", "soft"),
            *minima(),
        ],
        samples=(
            Sample(),
            Sample({"gamma": 2.0, "smooth": 1.0, "aggregate": "batch", "activation": "sigmoid"}),
        ),
        refuses=(refusal(ValueError, "gamma", "got 0.0", "above 0", gamma=0.0),),
        value_fault=other(gamma=0.301),
        gradient_fault=lambda g: 1.01 * g,
    ),
    Entry(
        loss="ExponentialLogarithmicCrossEntropyLoss",
        source=f"{PAPER}, L_Cross",
        oracle=PixelCosts(cost),
        cases=[
            worked_rows(
                "worked-example",
                "v = 1/2 at three labels and 3 at one: (log 10/7)^.3, (log 5/3)^.3 and (log 2)^.3, half of each, and"
                " thrice (log 5/3)^.3, over 4.",
                label_weights=LABEL_WEIGHTS,
                value_by_hand=(log(10 / 7) ** 0.3 / 2 + 3.5 * log(5 / 3) ** 0.3 + log(2) ** 0.3 / 2) / 4,
            ),
            worked_yes_or_no(
                "worked-sigmoid",
                "Of one class v = 2 where it is present, γ = 1/2: the mean of 2 √log 5/4, 2 √log 5/3, √log 10/7 and"
                " √log 10/9.",
                gamma=0.5,
                label_weights=[2.0],
                value_by_hand=(
                    2 * log(5 / 4) ** 0.5 + 2 * log(5 / 3) ** 0.5 + log(10 / 7) ** 0.5 + log(10 / 9) ** 0.5
                )
                / 4,
            ),
            case(
                "example-two",
                "Four pixels of two classes, as many of each: v = √2.",
                flags="identity",
                activation="identity",
                label_weights=[2**0.5, 2**0.5],
                **EXAMPLES["two"],
                value_by_hand=2**0.5
                * (log(5 / 4) ** 0.3 + log(5 / 3) ** 0.3 + log(10 / 7) ** 0.3 + log(10 / 9) ** 0.3)
                / 4,
            ),
            *standard(skip=["softmax"], shared=SHARED - {"soft-weights"}),
            case("gamma-1", "γ = 1: cross-entropy.", gamma=1.0),
            case("gamma-2", "γ = 2.", gamma=2.0, label_weights=LABEL_WEIGHTS),
            case(
                "label-weights",
                "And class weights.",
                label_weights=LABEL_WEIGHTS,
                class_weights=[2.0, 1.0, 0.5],
            ),
            case(
                "label-weights-soft", "Soft targets.", flags="soft", label_weights=LABEL_WEIGHTS, target=SOFT
            ),
            case("label-weight-0", "A class that costs nothing, and counts.", label_weights=[0.0, 1.0, 2.0]),
            *(
                case(
                    name,
                    "v of overlapping classes, certain and not.",
                    flags="sigmoid extreme",
                    activation="sigmoid",
                    label_weights=LABEL_WEIGHTS,
                    logits=saturated(40.0),
                    target=target,
                )
                for name, target in (
                    ("label-weights-sigmoid", SATURATED_LABELS),
                    ("label-weights-sigmoid-soft", one_hot(SATURATED_LABELS) * 0.75),
                )
            ),
            *(
                case(
                    name,
                    "Logits that are certain and right: (−log p)^(−.7) must not meet 0 · ∞.",
                    flags=flags,
                    **more,
                    logits=np.array([[[40.0, 40.0], [0.0, -40.0], [-40.0, 0.0]]]),
                    target=np.array([[0, 1]]),
                )
                for name, flags, more in (
                    ("certain-extreme", "extreme", {}),
                    ("certain-extreme-sigmoid", "extreme sigmoid", {"activation": "sigmoid"}),
                )
            ),
            *edges(exclusive=True),
            certain("Probabilities of exactly 0 and 1, all right: no slope."),
            case(
                "sigmoid-soft",
                "Soft targets under sigmoid, some of them exactly 0 and 1.",
                flags="sigmoid soft",
                activation="sigmoid",
                target=SOFT,
            ),
        ],
        autodiff_differs=dict.fromkeys(("certain-and-wrong", "certain-and-wrong-classes"), POLE),
        samples=(
            Sample(),
            Sample({"gamma": 1.2, "label_weights": LABEL_WEIGHTS}),
            Sample({"label_weights": LABEL_WEIGHTS, "activation": "sigmoid", "reduction": "sum"}),
        ),
        refuses=(
            refusal(ValueError, "label_weights[1]", "got -1.0", "at least 0", label_weights=(1.0, -1.0)),
            refusal(
                ValueError,
                "label_weights",
                "got 1",
                "one entry per class, 3 for logits",
                label_weights=[1.0],
            ),
        ),
        value_fault=other(gamma=0.301),
        gradient_fault=lambda g: 1.01 * g,
    ),
]
