"""What every loss is asked: the standard scenes. `further.py` holds those about shapes, dtypes and odd weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .arrays import (
    ABSENT,
    BINARY_LABELS,
    BINARY_LOGITS,
    BINARY_PROBABILITIES,
    CLASS_WEIGHTS,
    IGNORED,
    IGNORED_MASKED_WEIGHTED,
    LABELS,
    MASK,
    PROBABILITIES,
    SAMPLE_WEIGHT,
    SATURATED_LABELS,
    SOFT,
    VOID,
    VOLUME_LABELS,
    VOLUME_LOGITS,
    ignored,
    masked,
    one_hot,
    saturated,
    varied,
)
from .definition import Definition, by_name, case
from .further import FURTHER

FIRST_IMAGE = np.array([True, False]).reshape(2, 1, 1)

# Which of them a loss plays is for its file to say.
STANDARD = by_name(
    case("labels", "Integer labels and every default."),
    case("sum", 'reduction="sum".', reduction="sum"),
    case(
        "none",
        'reduction="none": the weighted map or scores, 0 where nothing is valid.',
        flags="ignore-index mask sample-weight none",
        reduction="none",
        **ignored(),
        mask=MASK,
        sample_weight=SAMPLE_WEIGHT,
    ),
    case(
        "absent-class",
        "Class 2 stands in neither target; image 1 has one class only.",
        flags="absent-class",
        target=ABSENT,
    ),
    case(
        "all-ignored",
        "Nothing is valid: value 0 and gradient 0.",
        flags="all-ignored ignore-index",
        **ignored(target=np.full_like(LABELS, VOID)),
    ),
    case(
        "image-ignored",
        "Image 0 has no valid pixel and leaves the mean.",
        flags="ignore-index",
        **ignored(where=FIRST_IMAGE, label=-1),
    ),
    case(
        "one-pixel",
        "One image of one pixel.",
        flags="one-pixel",
        logits=varied(1, 3, 1, 1),
        target=np.array([[[1]]]),
    ),
    case(
        "no-space",
        "No spatial axis: every image is one prediction.",
        flags="no-space",
        logits=varied(4, 3, root=12),
        target=np.array([0, 2, 1, 1]),
    ),
    case(
        "one-hot",
        "A boolean one-hot target says what its labels say.",
        flags="one-hot",
        target=one_hot(LABELS),
    ),
    case("soft", "Soft targets, some of them exactly 0 and 1.", flags="soft", target=SOFT),
    case(
        "extreme-40",
        "Logits of ±40: certain and right, certain and wrong, undecided.",
        flags="extreme",
        logits=saturated(40.0),
        target=SATURATED_LABELS,
    ),
    case(
        "extreme-1e4",
        "Logits of ±1e4: nothing may overflow (bfloat16 rounds them to ±9984).",
        flags="extreme",
        logits=saturated(1e4),
        target=SATURATED_LABELS,
    ),
    case("volume", "A 3-D volume.", flags="volume", logits=VOLUME_LOGITS, target=VOLUME_LABELS),
    case(
        "class-weights", "Class weights are normalised.", flags="class-weights", class_weights=CLASS_WEIGHTS
    ),
    case(
        "perfect",
        "Every pixel is right, by ±8.",
        flags="perfect",
        logits=np.where(one_hot(LABELS), 8.0, -8.0),
    ),
    case(
        "wrong",
        "Every pixel is wrong, by ±8.",
        flags="wrong",
        logits=np.where(one_hot((LABELS + 1) % 3), 8.0, -8.0),
    ),
    case(
        "mask",
        "Mask weights; where the mask is 0, logits are NaN and labels are no classes.",
        flags="mask",
        **masked(),
        target=np.where(MASK == 0, 7, LABELS),
    ),
    case("boolean-mask", "A boolean mask.", flags="mask", logits=ignored()["logits"], mask=~IGNORED),
    case(
        "sample-weight",
        "Image 1 counts four times as much as image 0.",
        flags="sample-weight",
        sample_weight=SAMPLE_WEIGHT,
    ),
    case(
        "sample-weight-zero",
        "An image of weight 0 does not exist, NaN or not.",
        flags="sample-weight",
        logits=ignored(where=FIRST_IMAGE)["logits"],
        sample_weight=np.array([0.0, 1.5]),
    ),
    case("ignore-index", "Ignored pixels of NaN logits.", flags="ignore-index", **ignored()),
    case(
        "ignored-class",
        "The ignored label is a class: its column stays in the prediction.",
        flags="ignore-index absent-class",
        ignore_index=0,
    ),
    case(
        "all-weights",
        "Class weights, mask, sample weights and ignored pixels at once.",
        flags="class-weights mask sample-weight ignore-index",
        class_weights=[1.0, 0.25, 3.0],
        **ignored(),
        mask=MASK,
        sample_weight=SAMPLE_WEIGHT,
    ),
    case(
        "label-outside",
        "A label that is no class and is not ignored makes the value NaN.",
        flags="invalid-label nan",
        target=np.where(IGNORED, 3, LABELS),
    ),
    case("softmax", "Softmax.", flags="softmax", activation="softmax"),
    case(
        "sigmoid",
        "Sigmoid of one class: label 1 is the foreground.",
        flags="sigmoid one-class",
        activation="sigmoid",
        logits=BINARY_LOGITS,
        target=BINARY_LABELS,
    ),
    case(
        "sigmoid-classes",
        "Sigmoid of overlapping classes.",
        flags="sigmoid class-weights mask",
        activation="sigmoid",
        class_weights=CLASS_WEIGHTS,
        target=np.array([1, 1, 0], dtype=bool).reshape(1, 3, 1, 1) ^ one_hot(LABELS),
        mask=MASK,
    ),
    case(
        "sigmoid-extreme",
        "Sigmoid of ±40.",
        flags="sigmoid extreme",
        activation="sigmoid",
        logits=saturated(40.0),
        target=SATURATED_LABELS,
    ),
    case(
        "identity",
        "Probabilities of several classes.",
        flags="identity",
        activation="identity",
        logits=PROBABILITIES,
    ),
    case(
        "identity-one-class",
        "Probabilities of one class, soft targets.",
        flags="identity one-class soft",
        activation="identity",
        logits=BINARY_PROBABILITIES,
        target=SOFT[:, :1],
    ),
)

MAX_POOLING = "Rota Bulò et al., Loss max-pooling for semantic image segmentation, CVPR 2017, eqs. 2-3"
_WEIGHTS: dict[str, Any] = {
    "flags": "pooling class-weights mask sample-weight",
    "class_weights": CLASS_WEIGHTS,
    "sample_weight": SAMPLE_WEIGHT,
    **masked(),
}


def _pooled(name: str, comment: str, others: dict[str, Any] | None = None, **reduction: Any) -> Definition:
    return case(name, comment, reduction=reduction, **(others or {"flags": "pooling"}))


# The reductions of a map, for the losses that have one.
POOLINGS = by_name(
    _pooled("minkowski", "Minkowski pooling.", pooling="Minkowski", k=3.0),
    _pooled(
        "minkowski-weights",
        "Minkowski pooling, k = 1.5, of weighted and ignored pixels.",
        _WEIGHTS,
        pooling="Minkowski",
        k=1.5,
    ),
    _pooled(
        "max-pooling",
        "Loss max-pooling with the published ratio and p.",
        pooling="MaxPooling",
        ratio=0.3,
        p=1.7,
    ),
    _pooled(
        "max-pooling-weights",
        "Loss max-pooling of weighted and ignored pixels.",
        _WEIGHTS,
        pooling="MaxPooling",
        ratio=0.5,
        p=2.0,
    ),
    _pooled("top-k", "The quarter with the largest costs.", pooling="TopK", fraction=0.25),
    _pooled(
        "top-k-weights",
        "The half with the largest costs of weighted and ignored pixels: cost decides, weight averages.",
        _WEIGHTS,
        pooling="TopK",
        fraction=0.5,
    ),
    case(
        "top-k-tie",
        "K = 2 of 4: the first place is taken, three equal costs share the second, 1/3 each.",
        flags="pooling tie",
        reduction={"pooling": "TopK", "fraction": 0.5},
        logits=np.array([[[-2.0, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]]]),
        target=np.array([[0, 1, 1, 1]]),
    ),
)

MOSTLY_IGNORED = FIRST_IMAGE | IGNORED
# What a mean divides by, if not by the weights.
DIVISORS = by_name(
    case(
        "divisor-valid",
        "The mean divides by the number of what is not ignored, whatever it weighs.",
        flags="class-weights mask sample-weight ignore-index divisor",
        divisor="valid",
        class_weights=CLASS_WEIGHTS,
        **IGNORED_MASKED_WEIGHTED,
    ),
    case(
        "divisor-all",
        "The mean divides by the number of all, image 0 and what else is ignored among them.",
        flags="class-weights sample-weight ignore-index divisor",
        divisor="all",
        class_weights=CLASS_WEIGHTS,
        **ignored(where=MOSTLY_IGNORED),
        sample_weight=SAMPLE_WEIGHT,
    ),
)
POOLINGS |= by_name(
    case(
        "top-k-divisor",
        "The half of all pixels with the largest w ℓ.",
        flags="pooling class-weights mask sample-weight ignore-index divisor",
        reduction={"pooling": "TopK", "fraction": 0.5},
        divisor="all",
        class_weights=CLASS_WEIGHTS,
        **IGNORED_MASKED_WEIGHTED,
    ),
)

SCENES = {
    **STANDARD,
    **POOLINGS,
    **FURTHER,
    **DIVISORS,
    "tiny": case(
        "tiny",
        "A sum of weights so small that float16 hardly has the gradients; a loss scale makes them large again.",
        flags="sample-weight tiny",
        reduction="sum",
        sample_weight=np.array([11 * 2.0**-24, 13 * 2.0**-23]),
    ),
}

# Scenes about what the losses of a family share: quick runs of our own targets leave them to one loss of each.
SHARED = {
    "boolean-mask",
    "divisor-all",
    "divisor-valid",
    "identity-one-class",
    "ignored-class",
    "image-ignored",
    "max-pooling",
    "minkowski",
    "no-space",
    "one-hot",
    "sample-weight-zero",
    "sigmoid-extreme",
    "softmax",
    "top-k",
    "top-k-divisor",
    "top-k-tie",
    *FURTHER,
}
# Scenes that some losses cannot play.
SIGMOID = {name for name, scene in SCENES.items() if scene.hyperparameters.get("activation") == "sigmoid"}
ONE_CLASS = {name for name, scene in SCENES.items() if "one-class" in scene.flags}
NO_LABELS = {name for name, scene in SCENES.items() if scene.target.ndim == scene.logits.ndim} - {
    name for name in ONE_CLASS if name.startswith("one-class-channel")
}


def standard(
    scenes: dict[str, Definition] = SCENES,
    *,
    source: str = "",
    only: Iterable[str] | None = None,
    skip: Iterable[str] = (),
    shared: Iterable[str] = SHARED,
    **hyperparameters: Any,
) -> list[Definition]:
    """The standard scenes, or some of them, with `hyperparameters` under those of the scene.

    `shared` are those that another loss of the family plays too, in the same way: they get the flag "shared".
    """
    only, skip, shared = set(scenes if only is None else only), set(skip), set(shared)
    assert only | skip <= set(scenes), (only | skip) - set(scenes)
    return [
        replace(
            scene,
            source=source,
            flags=(*scene.flags, *(["shared"] if name in shared else [])),
            hyperparameters=hyperparameters | scene.hyperparameters,
        )
        for name, scene in scenes.items()
        if name in only - skip
    ]
