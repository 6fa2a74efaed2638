"""Cross-entropies for labels of which some are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

from mpmath import mp, mpf

from ..definitions import case
from ..definitions.arrays import CLASS_WEIGHTS, SOFT, SUMS
from ..definitions.pixels import worked_rows, worked_yes_or_no
from ..definitions.probabilities import EDGES_OF_THREE, LABELS_OF_THREE, certain, edges
from ..definitions.scenes import SHARED, standard
from ..entries import POLE, Entry, Override, Sample
from ..faults import other
from ..oracle import tape
from ..oracle.family import PixelCosts, Place, clipped, index_of, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem, probabilities
from ..oracle.tape import Scalar, plain

# -- generalized cross-entropy --------------------------------------------------------------------------------


def generalized(p: Scalar, y: Any, at: Place, *, q: float = 0.7, clip: float = 0.0) -> Any:
    """y (1 − p^q)/q, and (1 − y)(1 − (1 − p)^q)/q if classes are not exclusive. 0^q counts as without slope."""

    def power(p: Scalar) -> Any:
        return p ** mpf(q) if plain(p) else mpf(0)

    p = clipped(p, clip)
    cost = mpf(0)
    if y > 0:
        cost += y * (1 - power(p)) / mpf(q)
    if y < 1 and not at.exclusive:
        cost += (1 - y) * (1 - power(1 - p)) / mpf(q)
    return cost


GENERALIZED = Entry(
    loss="GeneralizedCrossEntropyLoss",
    source="Zhang and Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy labels,"
    " 2018, section 3",
    oracle=PixelCosts(generalized),
    cases=[
        worked_rows(
            "worked-example",
            "(4 − 0.7^0.7 − 2 · 0.6^0.7 − 0.5^0.7)/(4 · 0.7).",
            value_by_hand=(4 - 0.7**0.7 - 2 * 0.6**0.7 - 0.5**0.7) / 2.8,
        ),
        worked_rows(
            "worked-root",
            "q = 1/2: (4 − √0.7 − 2 √0.6 − √0.5)/2.",
            q=0.5,
            value_by_hand=(4 - 0.7**0.5 - 2 * 0.6**0.5 - 0.5**0.5) / 2,
        ),
        worked_rows("worked-linear", "q = 1: the mean of 1 − p.", q=1.0, value_by_hand=0.4),
        *standard(skip=["softmax"], shared=SHARED - {"soft-weights"}),
        case("q-small", "q = 1/1024, nearly cross-entropy.", q=2.0**-10),
        case("q-1-sigmoid", "q = 1 of overlapping classes.", q=1.0, activation="sigmoid"),
        *(one for one in edges(exclusive=True) if "clip" in one.flags),
        case(
            "certain-and-wrong-classes",
            "Some labels have a probability of exactly 0: they cost 1/q, and have no slope.",
            flags="identity wrong",
            activation="identity",
            logits=EDGES_OF_THREE,
            target=LABELS_OF_THREE,
        ),
        certain(),
        case(
            "sigmoid-soft",
            "Soft targets under sigmoid.",
            flags="sigmoid soft",
            activation="sigmoid",
            q=0.5,
            target=SOFT,
        ),
    ],
    samples=(Sample(), Sample({"q": 1.0}), Sample({"q": 0.25, "activation": "sigmoid"})),
    overrides=(
        Override(
            "wrong",
            target="formula",
            gradient_scale=1 / 12,
            reason="torch's derivative of expm1(x) is expm1(x) + 1; the hand-written one is exp(x)",
        ),
    ),
    value_fault=other(q=0.71),
    gradient_fault=lambda g: 1.01 * g,
)

# -- symmetric cross-entropy ----------------------------------------------------------------------------------


class Symmetric(PixelCosts):
    """α (−Σ_c y_c log p_c) + β (−Σ_c p_c max(log y_c, A)), y divided by its sum under the logarithm; of overlapping
    classes each with its absence."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        beta: float = 1.0,
        log_zero: float = -4.0,
        clip: float = 0.0,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        exclusive = self.are_exclusive(activation, problem.classes, options.get("overlapping"))
        terms, shape = super().terms(problem, pixels, activation, class_weights, clip=clip, **options)
        reverse = {}

        def log_or_a(y: Any) -> Any:
            return max(mp.log(y), mpf(log_zero)) if y > 0 else mpf(log_zero)

        for pixel in pixels:
            p = [clipped(p, clip) for p in probabilities(pixel.logits, activation)]
            if exclusive:
                whole = total(pixel.target)
                if whole > 0:
                    reverse[index_of(problem, pixel)] = -total(
                        p_c * log_or_a(y / whole) for p_c, y in zip(p, pixel.target, strict=True)
                    )
            else:
                for c, (p_c, y) in enumerate(zip(p, pixel.target, strict=True)):
                    cost = -(p_c * log_or_a(y)) - (1 - p_c) * log_or_a(1 - y)
                    reverse[index_of(problem, pixel, c)] = cost
        for term in terms:
            term.cost = term.cost + mpf(beta) * reverse[term.index]
        return terms, shape


def forward(p: Scalar, y: Any, at: Place, *, alpha: float = 0.1, clip: float = 0.0) -> Any:
    """−α y log p, and −α (1 − y) log(1 − p) if classes are not exclusive."""
    p = clipped(p, clip)
    cost = mpf(0)
    if y > 0 and alpha:
        cost += -mpf(alpha) * y * tape.log(p)
    if y < 1 and alpha and not at.exclusive:
        cost += -mpf(alpha) * (1 - y) * tape.log(1 - p)
    return cost


# Cross-entropies of the rows, and one less their probabilities.
CROSS_ENTROPY, OTHERS = (log(10 / 7) + 2 * log(5 / 3) + log(2)) / 4, 0.4

SYMMETRIC = Entry(
    loss="SymmetricCrossEntropyLoss",
    source="Wang et al., Symmetric cross entropy for robust learning with noisy labels, ICCV 2019",
    oracle=Symmetric(forward),
    cases=[
        worked_rows(
            "worked-example",
            "A tenth of the cross-entropy and 4 times the mean of 1 − p, 2/5.",
            value_by_hand=0.1 * CROSS_ENTROPY + 4 * OTHERS,
        ),
        worked_rows(
            "worked-log-zero",
            "A = log 1e-4.",
            log_zero=log(1e-4),
            value_by_hand=0.1 * CROSS_ENTROPY - log(1e-4) * OTHERS,
        ),
        worked_yes_or_no(
            "worked-sigmoid",
            "−(log 4/5 + log 3/5 + log 7/10 + log 9/10)/40 and 4 (1/5 + 2/5 + 3/10 + 1/10)/4.",
            value_by_hand=-(log(4 / 5) + log(3 / 5) + log(7 / 10) + log(9 / 10)) / 40 + 1,
        ),
        *standard(skip=["softmax"], shared=SHARED - {"soft-weights", "soft-sums", "one-hot"}),
        case("alpha-6", "α = 6, β = 1/8.", alpha=6.0, beta=0.125),
        case("beta-0", "β = 0: cross-entropy.", alpha=1.0, beta=0.0),
        case("reverse-alone", "α = 0.", alpha=0.0),
        case(
            "log-zero",
            "A = −1/2: most of a soft target is below it.",
            log_zero=-0.5,
            flags="soft",
            target=SOFT,
        ),
        case(
            "soft-sums-weights",
            "Soft targets of any sum, class weights.",
            flags="soft class-weights",
            class_weights=CLASS_WEIGHTS,
            target=SUMS,
        ),
        *edges(exclusive=True),
        certain(),
        case(
            "sigmoid-soft",
            "Soft targets under sigmoid.",
            flags="sigmoid soft",
            activation="sigmoid",
            target=SOFT,
        ),
    ],
    samples=(Sample(), Sample({"alpha": 0.0}), Sample({"alpha": 6.0, "beta": 0.1, "activation": "sigmoid"})),
    autodiff_differs=dict.fromkeys(("certain-and-wrong", "certain-and-wrong-classes"), POLE),
    value_fault=other(log_zero=-4.01),
    gradient_fault=lambda g: 1.01 * g,
    soft_slope=False,
)

ENTRIES = [GENERALIZED, SYMMETRIC]
