"""Cross-entropy with a penalty on logits that are far apart."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import CLASS_WEIGHTS, LOGITS, SOFT
from ..definitions.pixels import ROW_LABELS, ROWS
from ..definitions.scenes import ONE_CLASS, SCENES, SHARED, SIGMOID, standard
from ..entries import Entry, Sample
from ..faults import other
from ..oracle.family import PixelCosts, index_of, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem
from ..oracle.tape import Scalar, plain
from .cross_entropy import cross_entropy

IDENTITY = {name for name, scene in SCENES.items() if scene.hyperparameters.get("activation") == "identity"}


class WithPenalty(PixelCosts):
    """Cross-entropy and λ/C Σ_c max(max_j z_j − z_c − m, 0)."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        margin: float = 10.0,
        weight: float = 0.1,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        terms, shape = super().terms(problem, pixels, activation, class_weights, **options)
        penalties = {}
        for pixel in pixels:
            highest = largest(pixel.logits)
            gaps = [highest - z - mpf(margin) for z in pixel.logits]
            penalties[index_of(problem, pixel)] = total(gap for gap in gaps if plain(gap) > 0)
        for term in terms:
            term.cost = term.cost + mpf(weight) / problem.classes * penalties[term.index]
        return terms, shape


def largest(numbers: Sequence[Scalar]) -> Any:
    """Those that tie share its slope."""
    top = max(plain(x) for x in numbers)
    leaders = [x for x in numbers if plain(x) == top]
    return sum(leaders) / len(leaders)


CROSS_ENTROPY = (log(10 / 7) + 2 * log(5 / 3) + log(2)) / 4

ENTRY = Entry(
    loss="MarginBasedLabelSmoothingLoss",
    source="Liu et al., The devil is in the margin: margin-based label smoothing for network calibration, CVPR 2022,"
    " and their code",
    oracle=WithPenalty(cross_entropy),
    cases=[
        case(
            "worked-example",
            "m = 1; beyond it are log 3.5 and log 7, log 6, and log 6 of the fourth: cross-entropy and a tenth of"
            " (log 3.5 + log 7 + 2 log 6 − 4)/12.",
            flags="worked",
            margin=1.0,
            logits=np.log(ROWS.T[None]),
            target=ROW_LABELS,
            value_by_hand=CROSS_ENTROPY + (log(3.5) + log(7) + 2 * log(6) - 4) / 120,
        ),
        *standard(
            skip={"softmax", "impossible-class", *ONE_CLASS, *SIGMOID, *IDENTITY},
            shared=SHARED - {"soft-weights"},
        ),
        case("margin-0", "m = 0.", margin=0.0),
        case("margin-2", "m = 2, λ = 3.", margin=2.0, weight=3.0),
        case("weight-0", "λ = 0: cross-entropy.", weight=0.0),
        case(
            "margin-soft",
            "m = 1, soft targets, class weights.",
            flags="soft class-weights",
            margin=1.0,
            class_weights=CLASS_WEIGHTS,
            target=SOFT,
        ),
        case("margin-none", "m = 1, the map.", flags="none", margin=1.0, reduction="none"),
        case(
            "ties",
            "Two logits are the largest, and share its gradient.",
            margin=0.5,
            logits=np.where(np.arange(3).reshape(1, 3, 1, 1) < 2, 2.0, LOGITS - 4),
        ),
    ],
    samples=(
        Sample({"margin": 1.0}, activations=("softmax",)),
        Sample({"margin": 0.5, "weight": 2.0}, activations=("softmax",)),
    ),
    value_fault=other(weight=0.11),
    gradient_fault=lambda g: 1.01 * g,
)
