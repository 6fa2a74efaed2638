"""Cross-entropies for classes of very different sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
from mpmath import log as log_of
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import CLASS_WEIGHTS, IGNORED_MASKED_WEIGHTED, SOFT
from ..definitions.pixels import ROWS, worked_rows
from ..definitions.probabilities import edges
from ..definitions.scenes import NO_LABELS, ONE_CLASS, SCENES, SHARED, SIGMOID, standard
from ..entries import EXCLUSIVE, LABELS_ONLY, POLE, Entry, Sample, refusal
from ..faults import other
from ..oracle.family import PixelCosts, index_of, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem
from ..oracle.tape import Scalar, plain
from .cross_entropy import cross_entropy

IDENTITY = {name for name, scene in SCENES.items() if scene.hyperparameters.get("activation") == "identity"}

# -- logit adjustment -----------------------------------------------------------------------------------------


class Adjusted(PixelCosts):
    """Of logits z + τ log π, π divided by its sum."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        priors: Sequence[float] = (),
        tau: float = 1.0,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        whole = total(map(mpf, priors))
        offsets = [mpf(tau) * log_of(mpf(prior) / whole) for prior in priors]
        adjusted = [
            replace(pixel, logits=[z + offset for z, offset in zip(pixel.logits, offsets, strict=True)])
            for pixel in pixels
        ]
        return super().terms(problem, adjusted, activation, class_weights, **options)


PRIORS = [0.75, 0.2, 0.05]

ADJUSTED = Entry(
    loss="LogitAdjustedCrossEntropyLoss",
    source="Menon et al., Long-tail learning via logit adjustment, ICLR 2021, eq. 10",
    oracle=Adjusted(cross_entropy),
    cases=[
        case(
            "worked-example",
            "p π of the rows over their sums: .525/.57, .45/.515, .375/.43, .12/.35.",
            flags="worked",
            priors=PRIORS,
            logits=np.log(ROWS.T[None]),
            target=np.array([[0, 0, 0, 1]]),
            value_by_hand=(log(0.57 / 0.525) + log(0.515 / 0.45) + log(0.43 / 0.375) + log(0.35 / 0.12)) / 4,
        ),
        *standard(
            skip={"softmax", "many-classes", "two-classes", *ONE_CLASS, *SIGMOID, *IDENTITY},
            shared=SHARED - {"soft-weights"},
            priors=PRIORS,
        ),
        replace(SCENES["many-classes"], hyperparameters={"priors": [0.4, 0.3, 0.15, 0.1, 0.05]}),
        replace(SCENES["two-classes"], hyperparameters={"priors": [0.9, 0.1]}),
        case("tau-0", "τ = 0: cross-entropy.", priors=PRIORS, tau=0.0),
        case("tau-2", "τ = 2, priors that are counts.", priors=[100.0, 10.0, 1.0], tau=2.0),
        case("tau-half-soft", "τ = 1/2, soft targets.", flags="soft", priors=PRIORS, tau=0.5, target=SOFT),
        case(
            "priors-tiny",
            "A class that hardly ever occurs.",
            priors=[1.0, 1e-30, 1.0],
            class_weights=CLASS_WEIGHTS,
        ),
    ],
    samples=(
        Sample({"priors": PRIORS}, activations=("softmax",)),
        Sample({"priors": [5.0, 1.0, 1.0], "tau": 2.0}, activations=("softmax",)),
    ),
    value_fault=other(tau=1.01),
    gradient_fault=lambda g: 1.01 * g,
    exceptions={"permuted classes": "the priors are those of the classes in their order"},
)

# -- recall ---------------------------------------------------------------------------------------------------


class Recall(PixelCosts):
    """max(M_y, 1)/T_y times the cross-entropy: T_c the pixels of class c, M_c those of them whose largest logit, or
    the first of the largest, is of another. Weights count; 1 stands for the least of them."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        terms, shape = super().terms(problem, pixels, activation, class_weights, **options)
        counted = [(pixel, pixel.mask * pixel.sample_weight) for pixel in pixels]
        one = min((weight for _, weight in counted), default=mpf(0))
        factors = {}
        for c in {pixel.label for pixel in pixels}:
            present = [(pixel, weight) for pixel, weight in counted if pixel.label == c]
            missed = total(weight for pixel, weight in present if likeliest(pixel.logits) != c)
            factors[c] = max(missed, one) / total(weight for _, weight in present)
        labels = {index_of(problem, pixel): pixel.label for pixel in pixels}
        for term in terms:
            term.cost = factors[labels[term.index]] * term.cost
        return terms, shape


def likeliest(logits: Sequence[Scalar]) -> int:
    values = [plain(z) for z in logits]
    return values.index(max(values))


RECALL = Entry(
    loss="RecallCrossEntropyLoss",
    source="Tian et al., Striking the right balance: recall loss for semantic segmentation, ICRA 2022",
    oracle=Recall(cross_entropy),
    cases=[
        worked_rows(
            "worked-example",
            "Labels 0, 0, 1, 1: none of class 0 is missed and counts as one, 1/2; one of class 1 is, 1/2.",
            target=np.array([[0, 0, 1, 1]]),
            value_by_hand=(log(10 / 7) + log(5 / 3) + log(5) + log(5 / 3)) / 8,
        ),
        worked_rows(
            "worked-thirds",
            "Labels 0, 0, 0, 0: one of four is missed, 1/4.",
            target=np.array([[0, 0, 0, 0]]),
            value_by_hand=(log(10 / 7) + log(5 / 3) + log(2) + log(10 / 3)) / 16,
        ),
        *standard(
            skip={"softmax", *ONE_CLASS, *SIGMOID, *NO_LABELS}, shared=SHARED - {"one-class", "soft-weights"}
        ),
        *(one for one in edges(exclusive=True) if not {"one-class", "soft", "mask"} & set(one.flags)),
        case(
            "ties",
            "Of equal logits the first class is the most likely.",
            logits=np.zeros((1, 3, 4)),
            target=np.array([[0, 0, 1, 2]]),
        ),
        case("weighted", "Every weight.", flags="mask sample-weight ignore-index", **IGNORED_MASKED_WEIGHTED),
        case(
            "weighted-classes",
            "Every weight, and class weights.",
            flags="mask sample-weight ignore-index class-weights",
            class_weights=CLASS_WEIGHTS,
            **IGNORED_MASKED_WEIGHTED,
        ),
    ],
    samples=(
        Sample(targets=LABELS_ONLY, activations=EXCLUSIVE),
        Sample({"class_weights": CLASS_WEIGHTS}, targets=LABELS_ONLY, activations=EXCLUSIVE),
    ),
    autodiff_differs={"certain-and-wrong-classes": POLE},
    refuses=(
        refusal(ValueError, "overlapping", "got False", "left out", activation="identity", overlapping=False),
    ),
    value_fault=other(class_weights=None),
    gradient_fault=lambda g: 1.01 * g,
    exceptions={
        "split batch": "recall is that of the whole batch",
        "shards": "what a pixel counts for depends on sums over the batch",
    },
)

ENTRIES = [ADJUSTED, RECALL]
