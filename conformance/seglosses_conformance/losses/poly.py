"""Cross-entropy and focal loss with the first term of their expansion in 1 − p adjusted."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import CLASS_WEIGHTS, SOFT
from ..definitions.pixels import worked_rows
from ..definitions.probabilities import certain, edges
from ..definitions.scenes import SHARED, standard
from ..entries import POLE, Entry, Sample
from ..faults import other
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, clipped
from ..oracle.tape import Scalar
from .focal import MaybeNormalized, normalized

PAPER = "Leng et al., PolyLoss: a polynomial expansion perspective of classification loss functions, 2022"


def poly(
    p: Scalar,
    y: Any,
    at: Place,
    *,
    epsilon: float = 1.0,
    gamma: float = 0.0,
    alpha: Any = None,
    clip: float = 0.0,
) -> Any:
    """α_t (−(1 − p_t)^γ log p_t + ε (1 − p_t)^(γ + 1)): α_t is α for p_t = p, 1 − α for p_t = 1 − p, without α 1."""
    p = clipped(p, clip)
    if isinstance(alpha, (list, tuple)):
        alpha = alpha[at.c]
    yes, no = (mpf(1), mpf(1)) if alpha is None else (mpf(alpha), 1 - mpf(alpha))
    cost = mpf(0)
    if y > 0:
        cost += yes * y * (epsilon * (1 - p) ** (gamma + 1) - (1 - p) ** gamma * tape.log(p))
    if y < 1 and not at.exclusive:
        cost += no * (1 - y) * (epsilon * p ** (gamma + 1) - p**gamma * tape.log(1 - p))
    return cost


def poly_focal(p: Scalar, y: Any, at: Place, *, gamma: float = 2.0, **options: Any) -> Any:
    return poly(p, y, at, gamma=gamma, **options)


NEARLY = np.array(
    [[[3.0, 9.0, 20.0, 40.0]] * 2, [[0.0] * 4, [-40.0] * 4], [[-40.0] * 4, [0.0] * 4]]
).swapaxes(0, 1)
"""Nearly certain and right, the rest of the probability on one other class."""
COMMON: dict[str, Any] = {"shared": SHARED - {"soft-weights"}, "skip": ["softmax"]}

ENTRIES = [
    Entry(
        loss="PolyCrossEntropyLoss",
        source=PAPER,
        oracle=PixelCosts(poly),
        cases=[
            worked_rows(
                "worked-example",
                "log 10/7 + 2 log 5/3 + log 2 and 3/10 + 2/5 + 1/2 + 2/5, over 4.",
                value_by_hand=(log(10 / 7) + 2 * log(5 / 3) + log(2) + 1.6) / 4,
            ),
            worked_rows(
                "worked-epsilon",
                "ε = 2: the second sum counts twice.",
                epsilon=2.0,
                value_by_hand=(log(10 / 7) + 2 * log(5 / 3) + log(2) + 3.2) / 4,
            ),
            *standard(**COMMON),
            case("epsilon-minus-1", "ε = −1: near p = 1 the cost is half a square.", epsilon=-1.0),
            case("epsilon-minus-half", "ε = −1/2, class weights.", epsilon=-0.5, class_weights=CLASS_WEIGHTS),
            case("epsilon-0", "ε = 0: cross-entropy.", epsilon=0.0),
            *(
                case(
                    f"nearly-{name}",
                    "ε = −1 at logits that are nearly certain: nothing may cancel.",
                    flags=flags,
                    epsilon=-1.0,
                    **more,
                    logits=NEARLY,
                    target=np.zeros((2, 4), dtype=int),
                )
                for name, flags, more in (
                    ("certain", "extreme", {}),
                    ("certain-sigmoid", "extreme sigmoid", {"activation": "sigmoid"}),
                )
            ),
            *edges(exclusive=True),
            certain(),
            case(
                "sigmoid-soft",
                "Soft targets under sigmoid, ε = 3.",
                flags="sigmoid soft",
                activation="sigmoid",
                epsilon=3.0,
                target=SOFT,
            ),
        ],
        samples=(Sample(), Sample({"epsilon": -1.0}), Sample({"epsilon": 2.0, "activation": "sigmoid"})),
        autodiff_differs=dict.fromkeys(("certain-and-wrong", "certain-and-wrong-classes"), POLE),
        value_fault=other(epsilon=1.01),
        gradient_fault=lambda g: 1.01 * g,
    ),
    Entry(
        loss="PolyFocalLoss",
        source=PAPER,
        oracle=MaybeNormalized(poly_focal),
        cases=[
            worked_rows(
                "worked-example",
                "9/100 log 10/7 + 2 · 4/25 log 5/3 + 1/4 log 2 and 27/1000 + 2 · 8/125 + 1/8, over 4.",
                value_by_hand=(0.09 * log(10 / 7) + 0.32 * log(5 / 3) + log(2) / 4 + 0.027 + 0.128 + 0.125)
                / 4,
            ),
            *standard(**COMMON),
            case("epsilon-minus-1", "ε = −1.", epsilon=-1.0),
            case("gamma-0", "γ = 0: Poly-1 cross-entropy.", gamma=0.0, epsilon=2.0),
            case("gamma-half", "γ = 1/2.", gamma=0.5),
            case("gamma-5", "γ = 5.", gamma=5.0, epsilon=-0.5),
            *normalized(epsilon=-0.5, alpha=0.25),
            case("alpha", "α = 1/4 multiplies both terms.", alpha=0.25),
            case("alpha-vector", "An α for each class.", alpha=[0.75, 0.125, 0.5]),
            case(
                "alpha-vector-sigmoid",
                "α and 1 − α for each class.",
                alpha=[0.75, 0.125, 0.5],
                activation="sigmoid",
            ),
            case(
                "nearly-certain",
                "γ = 1/2, ε = −1 at logits that are nearly certain: nothing may cancel.",
                flags="extreme",
                gamma=0.5,
                epsilon=-1.0,
                logits=NEARLY,
                target=np.zeros((2, 4), dtype=int),
            ),
            *edges(exclusive=True),
            certain(),
            case(
                "sigmoid-soft",
                "Soft targets under sigmoid.",
                flags="sigmoid soft",
                activation="sigmoid",
                alpha=0.25,
                target=SOFT,
            ),
        ],
        samples=(
            Sample(),
            Sample({"gamma": 0.5, "epsilon": -1.0}),
            Sample({"gamma": 1.5, "alpha": [0.2, 0.7, 0.4], "activation": "sigmoid"}),
        ),
        value_fault=other(epsilon=1.01),
        gradient_fault=lambda g: -g,
    ),
]
