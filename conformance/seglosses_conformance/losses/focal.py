"""Cross-entropy that dwells on pixels that are hard."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, prod
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import (
    CERTAIN,
    CLASS_WEIGHTS,
    IGNORED_MASKED_WEIGHTED,
    SATURATED_LABELS,
    SOFT,
    TWO_LABELS,
    TWO_PIXELS,
    masked,
    one_hot,
    saturated,
)
from ..definitions.definition import Definition
from ..definitions.pixels import worked_rows, worked_yes_or_no
from ..definitions.probabilities import certain, edges
from ..definitions.scenes import SHARED, standard
from ..definitions.weighted_entries import entries
from ..entries import Entry, Sample, refusal
from ..faults import other
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, clipped, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem
from ..oracle.tape import Scalar, plain

SOURCE = "Lin et al., Focal loss for dense object detection, 2017, eq. 5"


def focal(
    p: Scalar,
    y: Any,
    at: Place,
    *,
    gamma: Any = 2.0,
    alpha: Any = 0.25,
    clip: float = 0.0,
    mixes: str = "costs",
) -> Any:
    """−α_t (1 − p_t)^γ log p_t: α_t is α for p_t = p, 1 − α for p_t = 1 − p, without α 1. Soft targets mix these two,
    or else α_t, the cross-entropy, and p_t, its logarithm or its logit."""
    p = clipped(p, clip)
    if isinstance(alpha, (list, tuple)):
        alpha = alpha[at.c]
    if isinstance(gamma, (list, tuple)):
        gamma = gamma[at.c]
    yes, no = (mpf(1), mpf(1)) if alpha is None else (mpf(alpha), 1 - mpf(alpha))
    if mixes != "costs" and 0 < y < 1:
        entropy = -y * tape.log(p) - (1 - y) * tape.log(1 - p)
        if mixes == "probabilities":
            missed = y * (1 - p) + (1 - y) * p
        elif mixes == "logarithms":
            missed = 1 - p**y * (1 - p) ** (1 - y)
        else:
            odds = p / (1 - p)
            missed = 1 / (1 + odds ** (2 * y - 1))
        return (yes * y + no * (1 - y)) * missed**gamma * entropy
    cost = mpf(0)
    if y > 0:
        cost += -yes * y * (1 - p) ** gamma * tape.log(p)
    if y < 1 and not at.exclusive:
        cost += -no * (1 - y) * p**gamma * tape.log(1 - p)
    return cost


def damping(p: Scalar, y: Any, at: Place, *, gamma: Any = 2.0, clip: float = 0.0, **others: Any) -> Any:
    """(1 − p_t)^γ"""
    p = clipped(p, clip)
    if isinstance(gamma, (list, tuple)):
        gamma = gamma[at.c]
    return y * (1 - p) ** gamma + (0 if at.exclusive else (1 - y) * p**gamma)


class MaybeNormalized(PixelCosts):
    """If asked for, each cost times n/d: n = Σ w and d = Σ w (1 − p_t)^γ over its image, of classes that overlap over
    its class of its image. No slope by d."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        normalized: bool = False,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        terms, shape = super().terms(problem, pixels, activation, class_weights, **options)
        if not normalized:
            return terms, shape
        dampings, _ = PixelCosts(damping).terms(problem, pixels, activation, class_weights, **options)
        size = prod(problem.space)
        for place in {term.index // size for term in terms}:
            here = [
                (t.weight, plain(d.cost), t)
                for t, d in zip(terms, dampings, strict=True)
                if t.index // size == place
            ]
            divisor = total(weight * factor for weight, factor, _ in here)
            factor = total(weight for weight, _, _ in here) / divisor if divisor else mpf(0)
            for _, _, term in here:
                term.cost = term.cost * factor
        return terms, shape


def normalized(**more: Any) -> list[Definition]:
    """What the mean with the weights (1 − p)^γ is asked."""
    weights: dict[str, Any] = {
        **masked(),
        "sample_weight": np.array([0.5, 2.0]),
        "class_weights": CLASS_WEIGHTS,
    }
    given: dict[str, Any] = {"normalized": True, **more}
    return [
        case("normalized", "Each image by its Σ (1 − p)^γ.", **given),
        case("normalized-soft", "The same of soft targets.", flags="soft", target=SOFT, **given),
        case(
            "normalized-weights",
            "The sums are weighted as the costs are.",
            flags="mask sample-weight class-weights",
            **weights,
            **given,
        ),
        case(
            "normalized-weights-sigmoid",
            "The sums are of each class, and weighted.",
            flags="sigmoid mask sample-weight class-weights",
            activation="sigmoid",
            **weights,
            **given,
        ),
        case(
            "normalized-sigmoid-soft",
            "The sums of each class, soft targets.",
            flags="sigmoid soft",
            activation="sigmoid",
            target=SOFT,
            **given,
        ),
        case(
            "normalized-sum",
            'reduction="sum", ignored pixels, γ = 1/2.',
            flags="ignore-index mask sample-weight",
            reduction="sum",
            **given | {"gamma": 0.5},
            **IGNORED_MASKED_WEIGHTED,
        ),
        case(
            "normalized-certain",
            "Probabilities of exactly 0 and 1, all right: nothing to divide by.",
            flags="identity perfect",
            activation="identity",
            logits=CERTAIN,
            **given,
        ),
        case(
            "normalized-extreme",
            "Logits of ±40, right and wrong.",
            flags="extreme",
            logits=saturated(40.0),
            target=SATURATED_LABELS,
            **given,
        ),
    ]


def mixed(mixes: str) -> list[Definition]:
    """What is asked where soft targets have one factor for both sides."""
    given: dict[str, Any] = {"mixes": mixes, "activation": "sigmoid"}
    some_hard = one_hot(SATURATED_LABELS) * np.array([1.0, 0.75, 0.5]).reshape(3, 1, 1)
    return [
        case(f"{mixes}-soft", "One factor for both sides.", flags="sigmoid soft", target=SOFT, **given),
        case(
            f"{mixes}-soft-weights",
            "An α and a γ for each class, weighted.",
            flags="sigmoid soft mask sample-weight class-weights",
            alpha=[0.75, 0.0, 1.0],
            gamma=[0.5, 3.0, 0.0],
            sample_weight=np.array([0.5, 2.0]),
            class_weights=CLASS_WEIGHTS,
            **masked(target=SOFT),
            **given,
        ),
        case(
            f"{mixes}-none",
            "A map, without α.",
            flags="sigmoid soft",
            target=SOFT,
            alpha=None,
            reduction="none",
            **given,
        ),
        case(f"{mixes}-labels", "Hard targets: the same as without.", flags="sigmoid", **given),
        case(
            f"{mixes}-extreme",
            "Logits of ±40, targets of 0, 1 and between; γ = 1/2.",
            flags="sigmoid soft extreme",
            gamma=0.5,
            logits=saturated(40.0),
            target=some_hard,
            **given,
        ),
    ]


def mixed_of_probabilities(mixes: str) -> Definition:
    return case(
        f"{mixes}-identity",
        "Of probabilities that overlap.",
        flags="identity soft",
        gamma=1.5,
        logits=TWO_PIXELS,
        target=np.array([[[0.25, 1.0], [0.5, 0.75], [0.0, 0.125]]]),
        overlapping=True,
        activation="identity",
        mixes=mixes,
    )


MIXES = ("probabilities", "logarithms", "logits")
MIXED = "torchvision.ops.sigmoid_focal_loss, segmentation_models_pytorch and MONAI, of soft targets"
NORMALIZED = "Sofiiuk et al., AdaptIS: adaptive instance selection network, 2019, and their later code"
# (1 − p)²: 1/25, 4/25, 9/100 and 1/100, which sum to 3/10.
OF_YES_OR_NO = (0.04 * log(5 / 4) + 0.16 * log(5 / 3) + 0.09 * log(10 / 7) + 0.01 * log(10 / 9)) / 0.3

ENTRY = Entry(
    loss="FocalLoss",
    source=SOURCE,
    oracle=MaybeNormalized(focal),
    cases=[
        case(
            "worked-example",
            "Two pixels, the right class at 1/2 and 1/4: (1/4 · (1/2)² log 2 + 1/4 · (3/4)² log 4)/2.",
            flags="worked identity",
            activation="identity",
            logits=TWO_PIXELS,
            target=TWO_LABELS,
            value_by_hand=(1 / 16 * log(2) + 9 / 64 * log(4)) / 2,
        ),
        case(
            "worked-sigmoid",
            "Logit 0 on foreground and background: 1/4 · 1/4 log 2 and 3/4 · 1/4 log 2, mean (log 2)/8.",
            flags="worked sigmoid one-class",
            activation="sigmoid",
            logits=np.zeros((1, 1, 2)),
            target=TWO_LABELS,
            value_by_hand=log(2) / 8,
            # d/dz of −α(1 − p)² log p at z = 0 is −α(1/8 + log(2)/4); its mirror image has 1 − α; halved by the mean.
            gradient_by_hand=[3 / 8 * (1 / 8 + log(2) / 4), -1 / 8 * (1 / 8 + log(2) / 4)],
        ),
        *standard(skip=["softmax"], shared=SHARED - {"soft-weights"}),
        case("gamma-0", "γ = 0: cross-entropy times α.", gamma=0.0),
        case("gamma-half", "γ = 1/2.", gamma=0.5),
        case("gamma-5", "γ = 5.", gamma=5.0),
        worked_rows(
            "gamma-vector-worked",
            "γ = 2, 0 and 1 at labels 0, 0, 0 and 1, no α: (9/100 log 10/7 + 4/25 log 5/3 + 1/4 log 2 + log 5/3)/4.",
            gamma=[2.0, 0.0, 1.0],
            alpha=None,
            value_by_hand=(0.09 * log(10 / 7) + 0.16 * log(5 / 3) + log(2) / 4 + log(5 / 3)) / 4,
        ),
        case(
            "gamma-vector", "A γ for each class, and an α.", gamma=[0.5, 3.0, 0.0], alpha=[0.75, 0.125, 0.5]
        ),
        case(
            "gamma-vector-soft",
            "A γ for each class, soft targets.",
            flags="soft",
            gamma=[0.5, 3.0, 1.0],
            target=SOFT,
        ),
        *(
            case(
                name,
                "A γ for each class of overlapping ones, certain and not.",
                flags="sigmoid extreme",
                gamma=[0.5, 3.0, 0.0],
                activation="sigmoid",
                logits=saturated(40.0),
                target=target,
            )
            for name, target in (
                ("gamma-vector-sigmoid", SATURATED_LABELS),
                ("gamma-vector-sigmoid-soft", one_hot(SATURATED_LABELS) * 0.75),
            )
        ),
        case(
            "gamma-vector-certain",
            "Probabilities of exactly 0 and 1, all right, one γ of them 0.",
            flags="identity perfect",
            activation="identity",
            gamma=[1.5, 0.0, 2.0],
            logits=CERTAIN,
        ),
        worked_yes_or_no(
            "normalized-worked",
            "Cross-entropies with the weights 1/25, 4/25, 9/100, 1/100 over their sum, 3/10; α = 1/2.",
            source=NORMALIZED,
            alpha=0.5,
            normalized=True,
            value_by_hand=OF_YES_OR_NO / 2,
        ),
        worked_yes_or_no(
            "normalized-worked-alpha-none",
            "The same without α.",
            source=NORMALIZED,
            alpha=None,
            normalized=True,
            value_by_hand=OF_YES_OR_NO,
        ),
        *normalized(),
        *entries(),
        case(
            "normalized-gamma-vector",
            "A γ for each class, and an α, in the sums of an image.",
            gamma=[0.5, 3.0, 1.0],
            alpha=[0.75, 0.125, 0.5],
            normalized=True,
        ),
        case(
            "probabilities-worked",
            "Logit 0 with targets 1/4 and 3/4, α = 1/4: p_t = 1/2, α_t = 5/8 and 3/8; (5/32 + 3/32)/2 log 2.",
            flags="worked sigmoid one-class soft",
            source=MIXED,
            activation="sigmoid",
            mixes="probabilities",
            logits=np.zeros((1, 1, 2)),
            target=np.array([[[0.25, 0.75]]]),
            value_by_hand=log(2) / 8,
            # ∂p_t/∂z = (2 y − 1)/4: α_t (−2 p_t/4 (2 y − 1) log 2 + (1/2 − y)/4), halved by the mean.
            gradient_by_hand=[5 / 16 * (log(2) + 0.5) / 8, -3 / 16 * (log(2) + 0.5) / 8],
        ),
        *(definition for mixes in MIXES for definition in mixed(mixes)),
        *map(mixed_of_probabilities, MIXES[:2]),
        case("alpha-none", "No α.", alpha=None),
        case("alpha-vector", "An α for each class.", alpha=[0.75, 0.125, 0.5]),
        case("alpha-none-sigmoid", "No α: 1 for yes and for no.", alpha=None, activation="sigmoid"),
        case(
            "alpha-vector-sigmoid",
            "α and 1 − α for each class.",
            alpha=[0.75, 0.125, 0.5],
            activation="sigmoid",
        ),
        *(
            case(
                name,
                "γ = 1/2 at logits that are certain and right: (1 − p)^(−1/2) must not meet 0 · ∞.",
                flags=flags,
                gamma=0.5,
                **more,
                logits=np.array([[[40.0, 40.0], [0.0, -40.0], [-40.0, 0.0]]]),
                target=np.array([[0, 1]]),
            )
            for name, flags, more in (
                ("gamma-half-extreme", "extreme", {}),
                ("gamma-half-extreme-sigmoid", "extreme sigmoid", {"activation": "sigmoid"}),
            )
        ),
        *edges(exclusive=True),
        certain(),
        case(
            "sigmoid-soft",
            "Soft targets under sigmoid, some of them exactly 0 and 1.",
            flags="sigmoid soft",
            activation="sigmoid",
            target=SOFT,
        ),
    ],
    samples=(
        Sample(),
        Sample({"gamma": 0.5}),
        Sample({"gamma": 1.5, "alpha": [0.2, 0.7, 0.4]}),
        Sample({"gamma": [0.5, 0.0, 3.0]}),
        Sample({"activation": "sigmoid", "reduction": "sum"}),
        *(
            Sample({"activation": "sigmoid", "mixes": mixes, "gamma": 1.5}, activations=("sigmoid",))
            for mixes in MIXES
        ),
    ),
    refuses=(
        refusal(
            ValueError,
            "alpha",
            "got 2",
            "one entry per class, 3 for logits",
            alpha=(1, 2),
        ),
        refusal(ValueError, "alpha", "got 1.5", "at most 1", alpha=1.5, activation="sigmoid"),
        refusal(
            ValueError,
            "gamma",
            "got 2",
            "one entry per class, 3 for logits",
            gamma=(1, 2),
        ),
        refusal(ValueError, "gamma", "got -1", "at least 0", gamma=-1),
        refusal(TypeError, "normalized", "got int: 1", "True or False", normalized=1),
        refusal(ValueError, "mixes", "got 'odds'", "'logits'", mixes="odds", activation="sigmoid"),
        refusal(ValueError, "mixes", "got 'logits'", "'costs' for exclusive classes", mixes="logits"),
        refusal(
            ValueError,
            "mixes",
            "activation='identity'",
            "not 'logits' for probabilities",
            mixes="logits",
            activation="identity",
            overlapping=True,
        ),
        refusal(
            ValueError,
            "mixes",
            "got 'logits'",
            "'costs' with normalized=True",
            mixes="logits",
            activation="sigmoid",
            normalized=True,
        ),
    ),
    value_fault=other(gamma=2.01),
    gradient_fault=np.negative,
)
