"""Cases of the losses that are a ratio of sums over a region."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .arrays import (
    BINARY_LABELS,
    BINARY_PROBABILITIES,
    IGNORED,
    LABELS,
    LOGITS,
    MASK,
    SAMPLE_WEIGHT,
    SOFT,
    VOID,
    Definition,
    one_hot,
    variations,
)
from .scenes import POOLINGS, SHARED, standard

A = "Duque-Arias et al., On power Jaccard losses for semantic segmentation, VISAPP 2021"
TVERSKY = "Salehi et al., Tversky loss function for image segmentation using 3D FCNs, 2017, eq. 4"
DEORA = "Deora, PointWise-Exponential-Loss, README"

# Worked by hand: Σ ŷ = 9/4, Σ y = 2, Σ yŷ = 3/2, Σ ŷ² = 25/16, Σ ŷ³y = 9/8, FP = 3/4, FN = 1/2.
FOUR_PIXELS = np.array([[[0.5, 1.0, 0.25, 0.5]]])
TWO_OF_FOUR = np.array([[1, 1, 0, 0]])
ABSENT = np.array([[[0, 1, 1], [0, 0, 1]], [[1, 1, 1], [1, 1, 1]]])
# Class 2 is in image 1 alone, class 0 there with an eighth of one pixel.
ABSENT_SOFT = SOFT.copy()
ABSENT_SOFT[0, 0] += ABSENT_SOFT[0, 2]
ABSENT_SOFT[0, 2] = 0
ABSENT_SOFT[1, 1] += ABSENT_SOFT[1, 0]
ABSENT_SOFT[1, 0] = 0
ABSENT_SOFT[1, :2, 0, 1] += (0.125, -0.125)


def worked(prefix: str, comment: str, source: str, **hyperparameters: Any) -> Definition:
    return Definition(
        id=f"{prefix}/worked-example",
        comment=f"Four pixels, ŷ = 1/2, 1, 1/4, 1/2, y = 1, 1, 0, 0: {comment}",
        source=source,
        flags=("worked", "identity", "one-class"),
        hyperparameters={"activation": "identity", **hyperparameters},
        logits=FOUR_PIXELS,
        target=TWO_OF_FOUR,
    )


def family(
    prefix: str, source: str, *, shared: Iterable[str] = SHARED - {"soft-weights"}, **hyperparameters: Any
) -> list[Definition]:
    """The standard scenes, and what region losses have in common beyond them."""
    own: list[tuple[str, str, dict[str, Any]]] = [
        ("batch", "Sums over the whole batch.", {"aggregate": "batch"}),
        ("without-background", "Class 0 does not count.", {"include_background": False}),
        ("smooth-1", "ε = 1.", {"smooth": 1.0}),
        ("smooth-0", "ε = 0.", {"smooth": 0.0}),
    ]
    cases = standard(prefix, source, skip={*POOLINGS, "softmax"}, shared=shared, **hyperparameters)
    cases += variations(
        prefix,
        source,
        LOGITS,
        LABELS,
        [(name, text, {**hyperparameters, **more}) for name, text, more in own],
    )
    cases += variations(
        prefix,
        source,
        LOGITS,
        ABSENT,
        [
            (
                "absent-skipped",
                "Classes that the target lacks leave the mean.",
                {**hyperparameters, "absent": "skip"},
            ),
            (
                "absent-skipped-batch",
                "A class that one image of the batch has is not absent.",
                {**hyperparameters, "absent": "skip", "aggregate": "batch"},
            ),
        ],
    )
    cases += [
        Definition(
            id=f"{prefix}/batch-weights",
            comment="Over the batch, sample weights multiply pixel weights; some pixels are ignored.",
            source=source,
            flags=("batch", "mask", "sample-weight", "class-weights", "ignore-index"),
            hyperparameters={
                **hyperparameters,
                "aggregate": "batch",
                "class_weights": [0.5, 2.0, 1.0],
                "ignore_index": VOID,
            },
            logits=np.where(IGNORED[:, None] | (MASK == 0)[:, None], np.nan, LOGITS),
            target=np.where(IGNORED, VOID, LABELS),
            mask=MASK,
            sample_weight=SAMPLE_WEIGHT,
        ),
        Definition(
            id=f"{prefix}/batch-none",
            comment='Over the batch, reduction="none" gives one number for each class.',
            source=source,
            flags=("batch", "none", "sample-weight"),
            hyperparameters={**hyperparameters, "aggregate": "batch", "reduction": "none"},
            logits=LOGITS,
            target=LABELS,
            sample_weight=SAMPLE_WEIGHT,
        ),
        Definition(
            id=f"{prefix}/nothing-on-nothing",
            comment="Without ε, nothing predicted where nothing is has no ratio: score 1.",
            source=source,
            flags=("identity", "one-class", "absent-class", "perfect"),
            hyperparameters={**hyperparameters, "activation": "identity", "smooth": 0.0},
            logits=BINARY_PROBABILITIES * (BINARY_LABELS[:, None] * np.array([1, 0]).reshape(2, 1, 1, 1)),
            target=BINARY_LABELS * np.array([1, 0]).reshape(2, 1, 1),
        ),
        Definition(
            id=f"{prefix}/perfect-probabilities",
            comment="The probabilities are the target.",
            source=source,
            flags=("identity", "perfect"),
            hyperparameters={**hyperparameters, "activation": "identity"},
            logits=one_hot(LABELS).astype(float),
            target=LABELS,
        ),
        Definition(
            id=f"{prefix}/absent-skipped-soft",
            comment="A class is there if its soft targets sum to more than 0: class 2 of image 0 is not.",
            source=source,
            flags=("soft", "absent-class"),
            hyperparameters={**hyperparameters, "absent": "skip"},
            logits=LOGITS,
            target=ABSENT_SOFT,
        ),
        Definition(
            id=f"{prefix}/absent-skipped-weights",
            comment="The mask hides the only pixel of class 2 in image 0; class weights without the background's.",
            source=source,
            flags=("absent-class", "mask", "sample-weight", "class-weights"),
            hyperparameters={
                **hyperparameters,
                "absent": "skip",
                "include_background": False,
                "class_weights": [0.5, 2.0, 1.0],
            },
            logits=np.where((MASK == 0)[:, None], np.nan, LOGITS),
            target=LABELS,
            mask=MASK,
            sample_weight=SAMPLE_WEIGHT,
        ),
    ]
    return cases


def powers(prefix: str, source: str) -> list[Definition]:
    return variations(
        prefix,
        source,
        LOGITS,
        SOFT,
        [
            (f"p-{p:g}".replace(".", "-"), f"p = {p:g}: soft targets tell y^p from y.", {"p": p})
            for p in (1.0, 1.25, 1.5, 2.0)
        ],
    )


DEFINITIONS = {
    "DiceLoss": [
        worked("dice", "1 − (3 + ε)/(17/4 + ε).", f"{A}, the Dice loss"),
        *family("dice", f"{A}, the Dice loss", shared=()),
    ],
    "JaccardLoss": [
        worked("jaccard", "1 − (3/2 + ε)/(11/4 + ε).", f"{A}, the Jaccard loss"),
        *family("jaccard", f"{A}, the Jaccard loss"),
    ],
    "TverskyLoss": [
        worked(
            "tversky",
            "FP = 3/4, FN = 1/2, 1 − (3/2 + ε)/(3/2 + 3/16 + 3/8 + ε).",
            TVERSKY,
            alpha=0.25,
            beta=0.75,
        ),
        *family("tversky", TVERSKY, alpha=0.25, beta=0.75),
        *variations(
            "tversky",
            TVERSKY,
            LOGITS,
            SOFT,
            [
                ("defaults", "α = β = 1/2, which is Dice.", {}),
                ("jaccard", "α = β = 1, which is Jaccard.", {"alpha": 1.0, "beta": 1.0}),
                ("precision", "False negatives cost nothing.", {"alpha": 1.0, "beta": 0.0}),
                ("recall", "False positives cost nothing.", {"alpha": 0.0, "beta": 1.0}),
            ],
        ),
    ],
    "PowerDiceLoss": [
        worked("power-dice", "Σ ŷ² = 25/16, 1 − (3 + ε)/(57/16 + ε).", f"{A}, the power Dice loss"),
        *family("power-dice", f"{A}, the power Dice loss"),
        *powers("power-dice", f"{A}, the power Dice loss"),
    ],
    "PowerJaccardLoss": [
        worked("power-jaccard", "Σ ŷ² = 25/16, 1 − (3/2 + ε)/(33/16 + ε).", f"{A}, the power Jaccard loss"),
        *(
            Definition(
                id=f"power-jaccard/printed-derivative-{name}",
                comment=f"One pixel, y = {y}, ŷ = {p_hat}, p = {p}: "
                "∂J/∂ŷ = (ε + yŷ)(pŷ^(p−1) − y)/D² − y/D, D = y + ŷ^p − yŷ + ε, as printed.",
                source=f"{A}, the derivative of the power Jaccard loss",
                flags=("worked", "one-pixel", "identity", "one-class"),
                hyperparameters={"activation": "identity", "p": p, "smooth": 0.125},
                logits=np.array([[[p_hat]]]),
                target=np.array([[y]]),
            )
            for name, y, p_hat, p in (
                ("foreground", 1, 0.25, 2.0),
                ("background", 0, 0.25, 2.0),
                ("root", 1, 0.5625, 1.5),
                ("classical", 1, 0.75, 1.0),
            )
        ),
        *family("power-jaccard", f"{A}, the power Jaccard loss"),
        *powers("power-jaccard", f"{A}, the power Jaccard loss"),
    ],
    "PointwiseExponentialLoss": [
        worked("pointwise", "Σ ŷ³y = 9/8, 1 − 20 · 9/8 / (17/4 + ε).", f"{DEORA}, the vectorised form"),
        Definition(
            id="pointwise/worked-union",
            comment="The same four pixels, Σ ŷ³y = 9/8, 1 − 20 · 9/8 / (11/4 + ε).",
            source=f"{DEORA}, the summed form",
            flags=("worked", "identity", "one-class"),
            hyperparameters={"activation": "identity", "denominator": "union"},
            logits=FOUR_PIXELS,
            target=TWO_OF_FOUR,
        ),
        *family("pointwise", DEORA),
        *variations(
            "pointwise",
            DEORA,
            LOGITS,
            SOFT,
            [
                ("vectorised", "The vectorised form, soft targets.", {"denominator": "sum"}),
                ("union", "The summed form, soft targets.", {"denominator": "union"}),
                ("dice", "α = 2, n = 1, ε = 0: Dice.", {"alpha": 2.0, "exponent": 1.0, "smooth": 0.0}),
                (
                    "jaccard",
                    "α = 1, n = 1, ε = 0 over the union: Jaccard.",
                    {"alpha": 1.0, "exponent": 1.0, "smooth": 0.0, "denominator": "union"},
                ),
                ("root", "n = 1.5.", {"exponent": 1.5, "alpha": 4.0}),
            ],
        ),
    ],
}
