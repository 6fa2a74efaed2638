"""Cross-entropies of overlapping classes, of which most are absent at most pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import CERTAIN, HEAT_LOGITS, HEAT_MAP, SATURATED_LABELS, SOFT, one_hot, saturated
from ..definitions.pixels import HALVES, SOFT_ODDS, worked_yes_or_no
from ..definitions.probabilities import edges
from ..definitions.scenes import SCENES, SHARED, standard
from ..entries import HEAT_MAPS, POLE, Entry, Sample, refusal
from ..faults import other, wrong_order
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, clipped, index_of, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem, probabilities
from ..oracle.tape import Scalar, plain

# Whether the loss's own default is sigmoid, these are said already.
SKIP = ["sigmoid-extreme", "sigmoid-ignore-index"]
COMMON: dict[str, Any] = {"skip": SKIP, "shared": SHARED - {"softmax", "no-space", "soft-weights"}}

# -- balanced cross-entropy -----------------------------------------------------------------------------------


def balanced(p: Scalar, y: Any, b: Any) -> Any:
    """−b y log p − (1 − b)(1 − y) log(1 − p)"""
    cost = mpf(0)
    if b * y > 0:
        cost += -b * y * tape.log(p)
    if (1 - b) * (1 - y) > 0:
        cost += -(1 - b) * (1 - y) * tape.log(1 - p)
    return cost


class Balanced(PixelCosts):
    """The formula takes b = Σ w (1 − y) / Σ w of the image's pixels and the class in place of a `Place`."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        clip: float = 0.0,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        assert not options
        terms = []
        for pixel in pixels:
            image = [one for one in pixels if one.image == pixel.image]
            for c, p in enumerate(probabilities(pixel.logits, activation)):
                weight = mpf(1) if class_weights is None else mpf(class_weights[c])
                if weight == 0:
                    continue
                share = total(one.mask * (1 - one.target[c]) for one in image) / total(
                    one.mask for one in image
                )
                y, where = pixel.target[c], index_of(problem, pixel, c)
                cost = self.cost(clipped(p, clip), y, share)
                terms.append(Term(where, cost, pixel.mask * pixel.sample_weight * weight, y))
        return terms, problem.shape


BALANCED = Entry(
    loss="BalancedCrossEntropyLoss",
    source="Xie and Tu, Holistically-nested edge detection, 2015, eq. 2",
    oracle=Balanced(balanced, activation="sigmoid", may_exclude=False),
    cases=[
        worked_yes_or_no(
            "worked-example",
            "One pixel of four is foreground, b = 3/4: −(3/4 log 4/5 + 1/4 (log 2/5 + log 7/10 + log 9/10))/4.",
            target=np.array([[1, 0, 0, 0]]),
            value_by_hand=-(3 * log(4 / 5) + log(2 / 5) + log(7 / 10) + log(9 / 10)) / 16,
        ),
        worked_yes_or_no(
            "worked-half",
            "b = 1/2: half the cross-entropy.",
            value_by_hand=-(log(4 / 5) + log(3 / 5) + log(7 / 10) + log(9 / 10)) / 8,
        ),
        *standard(**COMMON),
        case("soft-heat-map", "Heat maps.", flags="soft heat-map", logits=HEAT_LOGITS, target=HEAT_MAP),
        *edges(exclusive=False),
        replace(
            SCENES["no-space"],
            name="no-space-soft",
            comment="No spatial axis, soft targets: a class that all pixels have, the one here, or none costs nothing.",
            flags=("no-space", "soft"),
            target=np.array([[8, 0, 0], [1, 6, 1], [0, 5, 3], [2, 2, 4]]) / 8,
        ),
    ],
    samples=(Sample(), Sample({"reduction": "sum"})),
    autodiff_differs={"certain-and-wrong": POLE},
    value_fault=wrong_order,
    gradient_fault=lambda g: 1.01 * g,
)

# -- asymmetric loss ------------------------------------------------------------------------------------------


def asymmetric(
    p: Scalar,
    y: Any,
    at: Place,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
    clip: float = 0.0,
) -> Any:
    """−y (1 − p)^γ₊ log p − (1 − y)(1 − v)^γ₋ log v, v = min(1 − p + m, 1)."""
    p = clipped(p, clip)
    cost = mpf(0)
    if y > 0:
        cost += -y * (1 - p) ** gamma_positive * tape.log(p)
    if y < 1 and plain(p) > mpf(margin):
        v = 1 - p + mpf(margin)
        cost += -(1 - y) * (1 - v) ** gamma_negative * tape.log(v)
    return cost


ASYMMETRIC = Entry(
    loss="AsymmetricLoss",
    source="Ridnik et al., Asymmetric loss for multi-label classification, ICCV 2021",
    oracle=PixelCosts(asymmetric, activation="sigmoid", may_exclude=False),
    cases=[
        worked_yes_or_no(
            "worked-example",
            "log 5/4, log 5/3, and with m = 1/20 −(1/4)⁴ log 3/4 and −(1/20)⁴ log 19/20, over 4.",
            value_by_hand=(log(5 / 4) + log(5 / 3) - log(0.75) / 256 - log(0.95) / 160_000) / 4,
        ),
        worked_yes_or_no(
            "worked-gamma",
            "γ₊ = 1 damps the first two, 1/5 log 5/4 and 2/5 log 5/3.",
            gamma_positive=1.0,
            value_by_hand=(log(5 / 4) / 5 + 2 * log(5 / 3) / 5 - log(0.75) / 256 - log(0.95) / 160_000) / 4,
        ),
        *standard(**COMMON),
        case("margin-0", "m = 0: the focal loss with two exponents.", margin=0.0, gamma_positive=1.0),
        case("margin-half", "m = 1/2: most absent classes are free.", margin=0.5),
        case("gamma-0", "γ₋ = 0: cross-entropy with a margin.", gamma_negative=0.0, margin=0.125),
        case("roots", "γ₊ = 1/2, γ₋ = 3/4.", gamma_positive=0.5, gamma_negative=0.75, margin=0.125),
        *(
            case(
                f"certain-{name}",
                "Logits of ±40, roots, m > 0 and m = 0.",
                flags="extreme",
                gamma_positive=0.5,
                gamma_negative=0.5,
                margin=margin,
                logits=saturated(40.0),
                target=target,
            )
            for name, margin, target in (
                ("margin", 0.125, SATURATED_LABELS),
                ("no-margin", 0.0, SATURATED_LABELS),
                ("soft", 0.125, one_hot(SATURATED_LABELS) * 0.75),
            )
        ),
        *edges(exclusive=False),
        case(
            "identity-certain",
            "Probabilities of exactly 0 and 1.",
            flags="identity",
            activation="identity",
            logits=CERTAIN,
        ),
        case("heat-map", "Heat maps.", flags="soft heat-map", logits=HEAT_LOGITS, target=HEAT_MAP),
    ],
    samples=(
        Sample(targets=HEAT_MAPS),
        Sample({"gamma_positive": 1.0, "gamma_negative": 0.5, "margin": 0.2}, targets=HEAT_MAPS),
        Sample({"margin": 0.0}, targets=HEAT_MAPS),
    ),
    autodiff_differs={"certain-and-wrong": POLE},
    value_fault=other(margin=0.06),
    gradient_fault=lambda g: 1.01 * g,
)

# -- quality focal loss ---------------------------------------------------------------------------------------


def quality_focal(p: Scalar, y: Any, at: Place, *, beta: float = 2.0, clip: float = 0.0) -> Any:
    """|y − p|^β (−y log p − (1 − y) log(1 − p))"""
    p = clipped(p, clip)
    cost = mpf(0)
    if y > 0:
        cost += -y * tape.log(p)
    if y < 1:
        cost += -(1 - y) * tape.log(1 - p)
    difference = p - y if plain(p) > y else y - p
    return mpf(0) if plain(difference) == 0 else difference**beta * cost


QUALITY = Entry(
    loss="QualityFocalLoss",
    source="Li et al., Generalized focal loss: learning qualified and distributed bounding boxes for dense object"
    " detection, 2020",
    oracle=PixelCosts(quality_focal, activation="sigmoid", may_exclude=False),
    cases=[
        worked_yes_or_no(
            "worked-example",
            "−(1/25 log 4/5 + 4/25 log 3/5 + 9/100 log 7/10 + 1/100 log 9/10)/4.",
            value_by_hand=-(0.04 * log(4 / 5) + 0.16 * log(3 / 5) + 0.09 * log(7 / 10) + 0.01 * log(9 / 10))
            / 4,
        ),
        case(
            "worked-soft",
            "p = 3/5, 3/10, 1/10 against 1/2, 1/2, 0: −(1/100 (log 3/5 + log 2/5)/2 + 1/25 (log 3/10 + log 7/10)/2 +"
            " 1/100 log 9/10)/3.",
            flags="worked sigmoid one-class soft",
            logits=SOFT_ODDS,
            target=HALVES,
            value_by_hand=-(
                0.005 * (log(3 / 5) + log(2 / 5)) + 0.02 * (log(3 / 10) + log(7 / 10)) + 0.01 * log(9 / 10)
            )
            / 3,
        ),
        *standard(
            **{**COMMON, "shared": SHARED - {"softmax", "no-space", "soft-weights", "soft-sums", "soft-nan"}}
        ),
        case("beta-1", "β = 1, soft targets.", flags="soft", beta=1.0, target=SOFT),
        case("beta-half", "β = 1/2, soft targets.", flags="soft", beta=0.5, target=SOFT),
        case("beta-half-labels", "β = 1/2, labels.", beta=0.5),
        case(
            "equal",
            "Some probabilities are the soft targets: no cost and no slope there.",
            flags="soft",
            beta=0.5,
            logits=np.zeros((1, 1, 4)),
            target=np.array([[[0.5, 0.25, 0.5, 1.0]]]),
        ),
        case(
            "certain-soft",
            "Logits of ±40 against soft targets, some of them 0 and 1.",
            flags="extreme soft",
            logits=saturated(40.0),
            target=one_hot(SATURATED_LABELS) * np.array([1.0, 0.5]).reshape(1, 1, 1, 2),
        ),
        *edges(exclusive=False),
        case("softmax-soft", "Softmax over soft targets.", flags="soft", activation="softmax", target=SOFT),
        case("heat-map", "Heat maps.", flags="soft heat-map", logits=HEAT_LOGITS, target=HEAT_MAP),
    ],
    samples=(
        Sample(targets=HEAT_MAPS),
        Sample({"beta": 1.5}, targets=HEAT_MAPS),
    ),
    refuses=(
        refusal(ValueError, "overlapping", "got True", "left out", activation="identity", overlapping=True),
    ),
    value_fault=other(beta=2.01),
    gradient_fault=lambda g: 1.01 * g,
)

ENTRIES = [BALANCED, ASYMMETRIC, QUALITY]
