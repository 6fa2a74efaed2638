"""What the losses that are functions of sums over a region are asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
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


EPSILON = Fraction(1e-5)  # the float, exactly


def ratio(numerator: float, denominator: float) -> float:
    """1 − (numerator + ε)/(denominator + ε)"""
    return float(1 - (Fraction(numerator) + EPSILON) / (Fraction(denominator) + EPSILON))


def worked(
    prefix: str,
    source: str,
    comment: str,
    value_by_hand: float,
    *,
    gradient_by_hand: Sequence[float] | None = None,
    **hyperparameters: Any,
) -> Definition:
    """The four pixels."""
    return Definition(
        id=f"{prefix}/worked-example",
        comment=f"Four pixels, ŷ = 1/2, 1, 1/4, 1/2, y = 1, 1, 0, 0: {comment}",
        source=source,
        flags=("worked", "identity", "one-class"),
        hyperparameters={"activation": "identity", **hyperparameters},
        logits=FOUR_PIXELS,
        target=TWO_OF_FOUR,
        value_by_hand=value_by_hand,
        gradient_by_hand=gradient_by_hand,
    )


def family(
    prefix: str,
    source: str,
    *,
    skip: Iterable[str] = (),
    shared: Iterable[str] = SHARED - {"soft-weights"},
    **hyperparameters: Any,
) -> list[Definition]:
    """The standard scenes, and what region losses have in common beyond them, but for those to `skip`."""
    skip = set(skip)
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
    names = {case.id.partition("/")[2]: case for case in cases}
    assert skip <= set(names), skip - set(names)
    return [case for name, case in names.items() if name not in skip]
