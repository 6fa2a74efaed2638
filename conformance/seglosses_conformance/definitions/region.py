"""What the losses that are functions of sums over a region are asked."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from .arrays import (
    ABSENT,
    BINARY_LABELS,
    BINARY_PROBABILITIES,
    CERTAIN,
    CLASS_WEIGHTS,
    IGNORED,
    IGNORED_MASKED_WEIGHTED,
    LABELS,
    PROBABILITIES,
    SAMPLE_WEIGHT,
    SOFT,
    ignored,
    masked,
)
from .definition import Definition, by_name, case
from .scenes import POOLINGS, SCENES, SHARED, standard

# Worked by hand: Σ ŷ = 9/4, Σ y = 2, Σ yŷ = 3/2, Σ ŷ² = 25/16, Σ ŷ³y = 9/8, FP = 3/4, FN = 1/2.
FOUR_PIXELS = np.array([[[0.5, 1.0, 0.25, 0.5]]])
TWO_OF_FOUR = np.array([[1, 1, 0, 0]])
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


def worked(comment: str, value_by_hand: float, **others: Any) -> Definition:
    """The four pixels."""
    return case(
        "worked-example",
        f"Four pixels, ŷ = 1/2, 1, 1/4, 1/2, y = 1, 1, 0, 0: {comment}",
        flags="worked identity one-class",
        logits=FOUR_PIXELS,
        target=TWO_OF_FOUR,
        value_by_hand=value_by_hand,
        activation="identity",
        **others,
    )


# Probabilities that are no short binary numbers, as papers and other libraries give them. Class 0, class 1, …: of two
# classes I = 1.6, 1.4, P = 2.2, 1.8, T = 2, 2; of three I = 1.8, 0.6, 0, P = 2.1, 1.3, 0.6, T = 3, 1, 0; of one class
# with soft targets I = 0.45, P = T = 1, Σ |p − y| = 0.4.
_FOREGROUND = np.array([[0.8, 0.6, 0.3, 0.1]])
_ROWS = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.3, 0.6, 0.1]])
EXAMPLES: dict[str, dict[str, Any]] = {
    "two": {"logits": np.stack([1 - _FOREGROUND, _FOREGROUND], axis=1), "target": np.array([[1, 1, 0, 0]])},
    "three": {"logits": _ROWS.T[None], "target": np.array([[0, 0, 0, 1]])},
    "soft": {"logits": np.array([[[0.6, 0.3, 0.1]]]), "target": np.array([[[0.5, 0.5, 0.0]]])},
}


def examples(*names: str, **hyperparameters: Any) -> list[Definition]:
    """Four pixels of two classes, four of three with class 2 absent, or three with soft targets; all if none is
    named."""
    texts = {
        "two": "Four pixels of two classes.",
        "three": "Four pixels, class 2 absent.",
        "soft": "Three pixels with soft targets.",
    }
    return [
        case(
            f"example-{name}",
            texts[name],
            flags="identity",
            activation="identity",
            **EXAMPLES[name],
            **hyperparameters,
        )
        for name in names or EXAMPLES
    ]


ONE_IMAGE = np.array([1, 0]).reshape(2, 1, 1)


def averages() -> list[Definition]:
    """What means of means are asked: class 2 is in image 1 alone, class 0 in image 0 alone or with a small weight."""
    weights: dict[str, Any] = {"class_weights": CLASS_WEIGHTS, "sample_weight": SAMPLE_WEIGHT, **masked()}
    return [
        case(
            f"average-{average}{name}",
            f"The mean over {text}.",
            flags=flags,
            average=average,
            **{"absent": "skip", "target": ABSENT_SOFT, **others},
        )
        for average, text in (("image", "images of their classes"), ("class", "classes of their images"))
        for name, flags, others in (
            ("", "absent-class soft", {}),
            ("-weights", "absent-class soft mask sample-weight class-weights", weights),
            (
                "-none",
                "absent-class soft none class-weights",
                {"reduction": "none", "class_weights": CLASS_WEIGHTS},
            ),
            (
                "-valid",
                "absent-class soft mask sample-weight class-weights divisor",
                {"divisor": "valid", **weights},
            ),
            (
                "-all",
                "absent-class class-weights sample-weight ignore-index divisor",
                {
                    "divisor": "all",
                    "class_weights": CLASS_WEIGHTS,
                    "sample_weight": SAMPLE_WEIGHT,
                    **ignored(target=ABSENT, where=ONE_IMAGE == 1),
                },
            ),
            (
                "-zero",
                "absent-class soft mask sample-weight class-weights",
                {"absent": "zero", **weights},
            ),
        )
    ]


REGIONS = by_name(
    case("batch", "Sums over the whole batch.", aggregate="batch"),
    case("without-background", "Class 0 does not count.", include_background=False),
    case("smooth-1", "ε = 1.", smooth=1.0),
    case("smooth-0", "ε = 0.", smooth=0.0),
    case("absent-skipped", "Classes that the target lacks leave the mean.", target=ABSENT, absent="skip"),
    case(
        "absent-skipped-batch",
        "A class that one image of the batch has is not absent.",
        target=ABSENT,
        absent="skip",
        aggregate="batch",
    ),
    case(
        "batch-weights",
        "Over the batch, sample weights multiply pixel weights; some pixels are ignored.",
        flags="batch mask sample-weight class-weights ignore-index",
        aggregate="batch",
        class_weights=CLASS_WEIGHTS,
        **IGNORED_MASKED_WEIGHTED,
    ),
    case(
        "batch-none",
        'Over the batch, reduction="none" gives one number for each class.',
        flags="batch none sample-weight",
        aggregate="batch",
        reduction="none",
        sample_weight=SAMPLE_WEIGHT,
    ),
    case(
        "nothing-on-nothing",
        "Without ε, nothing predicted where nothing is has no ratio: score 1.",
        flags="identity one-class absent-class perfect",
        activation="identity",
        smooth=0.0,
        logits=BINARY_PROBABILITIES * (BINARY_LABELS * ONE_IMAGE)[:, None],
        target=BINARY_LABELS * ONE_IMAGE,
    ),
    case(
        "perfect-probabilities",
        "The probabilities are the target.",
        flags="identity perfect",
        activation="identity",
        logits=CERTAIN,
    ),
    case(
        "absent-skipped-soft",
        "A class is there if its soft targets sum to more than 0: class 2 of image 0 is not.",
        flags="soft absent-class",
        absent="skip",
        target=ABSENT_SOFT,
    ),
    case(
        "absent-skipped-weights",
        "The mask hides the only pixel of class 2 in image 0; class weights without the background's.",
        flags="absent-class mask sample-weight class-weights",
        absent="skip",
        include_background=False,
        class_weights=CLASS_WEIGHTS,
        **masked(),
        sample_weight=SAMPLE_WEIGHT,
    ),
)


REGIONS |= by_name(
    case(
        "absent-zero",
        "Classes that the target lacks cost 0 and count. With class weights and an image that is ignored.",
        flags="absent-class ignore-index class-weights",
        absent="zero",
        class_weights=CLASS_WEIGHTS,
        **ignored(target=ABSENT, where=IGNORED | (ONE_IMAGE == 0)),
    ),
    case(
        "absent-zero-batch",
        "Of the batch, too; the mean divides by the number of classes.",
        flags="absent-class batch class-weights divisor",
        absent="zero",
        divisor="valid",
        aggregate="batch",
        class_weights=CLASS_WEIGHTS,
        target=ABSENT,
    ),
)

ALL = {
    name: scene for name, scene in (SCENES | REGIONS).items() if name not in POOLINGS and name != "softmax"
}
OF_RATIOS = {name for name, scene in ALL.items() if "smooth" in scene.hyperparameters}
ONE_BY_ONE = {name for name, scene in ALL.items() if scene.hyperparameters.get("absent") == "zero"}
"""Those that ask for a score of each class."""
SOFT_ONES = {name for name, scene in ALL.items() if "soft" in scene.flags}


def joint() -> list[Definition]:
    """What one ratio of the sums over all classes is asked."""
    return [
        case("joint", "One ratio for all classes of an image.", target=SOFT, per_class=False),
        case(
            "joint-weights",
            "One ratio for all classes of the batch, with weights of all kinds.",
            flags="batch mask sample-weight class-weights ignore-index",
            aggregate="batch",
            class_weights=CLASS_WEIGHTS,
            per_class=False,
            **IGNORED_MASKED_WEIGHTED,
        ),
        case(
            "joint-none",
            "One ratio for the classes of an image that are there; image 0 is ignored.",
            flags="absent-class none ignore-index sample-weight",
            per_class=False,
            absent="skip",
            include_background=False,
            reduction="none",
            **ignored(target=ABSENT, where=ONE_IMAGE == 1),
            sample_weight=SAMPLE_WEIGHT,
        ),
        case(
            "joint-all",
            "The mean over all images, of which one is ignored.",
            flags="ignore-index sample-weight divisor",
            per_class=False,
            divisor="all",
            **ignored(where=ONE_IMAGE == 1),
            sample_weight=SAMPLE_WEIGHT,
        ),
    ]


# Σ ŷ = 7/8, Σ y = 3/4, Σ min = 1/2, Σ (ŷ − y)₊ = 3/8, Σ (y − ŷ)₊ = 1/4.
SOFT_PREDICTIONS = np.array([[[0.5, 0.25, 0.125]]])
SOFT_FOREGROUND = np.array([[[0.25, 0.5, 0.0]]])


def minima(**hyperparameters: Any) -> list[Definition]:
    """What the lesser of ŷ and y in place of their product is asked."""
    given: dict[str, Any] = {"overlap": "minimum", **hyperparameters}
    return [
        case("minimum", "Of labels, the lesser of the two is the product.", **given),
        case("minimum-soft", "The lesser of the two, soft targets.", target=SOFT, **given),
        case(
            "minimum-weights",
            "The lesser of the two over the batch, with weights of all kinds.",
            flags="soft batch mask sample-weight class-weights",
            aggregate="batch",
            class_weights=CLASS_WEIGHTS,
            **masked(target=SOFT),
            sample_weight=SAMPLE_WEIGHT,
            **given,
        ),
        case(
            "minimum-sigmoid",
            "The lesser of the two, overlapping classes.",
            flags="soft sigmoid",
            activation="sigmoid",
            target=SOFT,
            **given,
        ),
        case(
            "minimum-met",
            "Where the label is not 1, the probabilities are their soft targets, with the mean slope of both sides.",
            flags="soft identity",
            activation="identity",
            logits=np.where((LABELS == 1)[:, None], PROBABILITIES, SOFT),
            target=SOFT,
            **given,
        ),
    ]


def logarithms(**hyperparameters: Any) -> list[Definition]:
    """What −log of a score is asked."""
    perfect, wrong = (SCENES[name].logits for name in ("perfect", "wrong"))
    return [
        case("log", "−log of the score.", log=True, **hyperparameters),
        case("log-soft", "−log of the score, soft targets.", log=True, target=SOFT, **hyperparameters),
        case("log-perfect", "−log of the score, all right.", log=True, logits=perfect, **hyperparameters),
        case("log-wrong", "−log of the score, all wrong.", log=True, logits=wrong, **hyperparameters),
        case(
            "log-absent",
            "A class without target scores ε/(Σ ŷ + ε).",
            log=True,
            target=ABSENT,
            **hyperparameters,
        ),
        case(
            "log-weights",
            "−log of the score over the batch, with weights of all kinds.",
            flags="batch mask sample-weight class-weights ignore-index",
            log=True,
            aggregate="batch",
            class_weights=CLASS_WEIGHTS,
            **IGNORED_MASKED_WEIGHTED,
            **hyperparameters,
        ),
    ]


def family(
    *, skip: Iterable[str] = (), shared: Iterable[str] = SHARED - {"soft-weights"}, **hyperparameters: Any
) -> list[Definition]:
    """The standard scenes, and what region losses have in common beyond them, but for those to `skip`."""
    return standard(ALL, skip=skip, shared=shared, **hyperparameters)
