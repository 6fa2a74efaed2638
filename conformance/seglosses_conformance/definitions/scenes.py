"""What every loss is asked: the standard scenes. `further.py` holds those about shapes, dtypes and odd weights."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from typing import Any

import numpy as np

from .arrays import (
    BINARY_LABELS,
    BINARY_LOGITS,
    BINARY_PROBABILITIES,
    IGNORED,
    LABELS,
    LOGITS,
    MASK,
    PROBABILITIES,
    SAMPLE_WEIGHT,
    SATURATED_LABELS,
    SOFT,
    VOID,
    VOLUME_LABELS,
    VOLUME_LOGITS,
    Definition,
    at_pixels,
    one_hot,
    saturated,
    varied,
)
from .further import FURTHER

# Each scene: comment, flags, hyper-parameters and arrays. Which of them a loss plays is for its file to say.
SCENES: dict[str, dict[str, Any]] = {
    "labels": {"comment": "Integer labels and every default.", "logits": LOGITS, "target": LABELS},
    "sum": {
        "comment": 'reduction="sum".',
        "hyperparameters": {"reduction": "sum"},
        "logits": LOGITS,
        "target": LABELS,
    },
    "none": {
        "comment": 'reduction="none": the weighted map or scores, 0 where nothing is valid.',
        "flags": ["ignore-index", "mask", "sample-weight", "none"],
        "hyperparameters": {"reduction": "none", "ignore_index": VOID},
        "logits": at_pixels(LOGITS, IGNORED, nan),
        "target": np.where(IGNORED, VOID, LABELS),
        "mask": MASK,
        "sample_weight": SAMPLE_WEIGHT,
    },
    "absent-class": {
        "comment": "Class 2 stands in neither target; image 1 has one class only.",
        "flags": ["absent-class"],
        "logits": LOGITS,
        "target": np.array([[[0, 1, 1], [0, 0, 1]], [[1, 1, 1], [1, 1, 1]]]),
    },
    "all-ignored": {
        "comment": "Nothing is valid: value 0 and gradient 0.",
        "flags": ["all-ignored", "ignore-index"],
        "hyperparameters": {"ignore_index": VOID},
        "logits": at_pixels(LOGITS, IGNORED, nan),
        "target": np.full_like(LABELS, VOID),
    },
    "image-ignored": {
        "comment": "Image 0 has no valid pixel and leaves the mean.",
        "flags": ["ignore-index"],
        "hyperparameters": {"ignore_index": -1},
        "logits": at_pixels(LOGITS, np.array([[[True]], [[False]]]), nan),
        "target": np.where(np.array([[[True]], [[False]]]), -1, LABELS),
    },
    "one-pixel": {
        "comment": "One image of one pixel.",
        "flags": ["one-pixel"],
        "logits": varied(1, 3, 1, 1),
        "target": np.array([[[1]]]),
    },
    "no-space": {
        "comment": "No spatial axis: every image is one prediction.",
        "flags": ["no-space"],
        "logits": varied(4, 3, root=12),
        "target": np.array([0, 2, 1, 1]),
    },
    "one-hot": {
        "comment": "A boolean one-hot target says what its labels say.",
        "flags": ["one-hot"],
        "logits": LOGITS,
        "target": one_hot(LABELS),
    },
    "soft": {
        "comment": "Soft targets, some of them exactly 0 and 1.",
        "flags": ["soft"],
        "logits": LOGITS,
        "target": SOFT,
    },
    "extreme-40": {
        "comment": "Logits of ±40: certain and right, certain and wrong, undecided.",
        "flags": ["extreme"],
        "logits": saturated(40.0),
        "target": SATURATED_LABELS,
    },
    "extreme-1e4": {
        "comment": "Logits of ±1e4: nothing may overflow (bfloat16 rounds them to ±9984).",
        "flags": ["extreme"],
        "logits": saturated(1e4),
        "target": SATURATED_LABELS,
    },
    "volume": {
        "comment": "A 3-D volume.",
        "flags": ["volume"],
        "logits": VOLUME_LOGITS,
        "target": VOLUME_LABELS,
    },
    "class-weights": {
        "comment": "Class weights are normalised.",
        "flags": ["class-weights"],
        "hyperparameters": {"class_weights": [0.5, 2.0, 1.0]},
        "logits": LOGITS,
        "target": LABELS,
    },
    "perfect": {
        "comment": "Every pixel is right, by ±8.",
        "flags": ["perfect"],
        "logits": np.where(one_hot(LABELS), 8.0, -8.0),
        "target": LABELS,
    },
    "wrong": {
        "comment": "Every pixel is wrong, by ±8.",
        "flags": ["wrong"],
        "logits": np.where(one_hot((LABELS + 1) % 3), 8.0, -8.0),
        "target": LABELS,
    },
    "mask": {
        "comment": "Mask weights; where the mask is 0, logits are NaN and labels are no classes.",
        "flags": ["mask"],
        "logits": at_pixels(LOGITS, MASK == 0, nan),
        "target": np.where(MASK == 0, 7, LABELS),
        "mask": MASK,
    },
    "boolean-mask": {
        "comment": "A boolean mask.",
        "flags": ["mask"],
        "logits": at_pixels(LOGITS, IGNORED, nan),
        "target": LABELS,
        "mask": ~IGNORED,
    },
    "sample-weight": {
        "comment": "Image 1 counts four times as much as image 0.",
        "flags": ["sample-weight"],
        "logits": LOGITS,
        "target": LABELS,
        "sample_weight": SAMPLE_WEIGHT,
    },
    "sample-weight-zero": {
        "comment": "An image of weight 0 does not exist, NaN or not.",
        "flags": ["sample-weight"],
        "logits": at_pixels(LOGITS, np.array([[[True]], [[False]]]), nan),
        "target": LABELS,
        "sample_weight": np.array([0.0, 1.5]),
    },
    "ignore-index": {
        "comment": "Ignored pixels of NaN logits.",
        "flags": ["ignore-index"],
        "hyperparameters": {"ignore_index": VOID},
        "logits": at_pixels(LOGITS, IGNORED, nan),
        "target": np.where(IGNORED, VOID, LABELS),
    },
    "ignored-class": {
        "comment": "The ignored label is a class: its column stays in the prediction.",
        "flags": ["ignore-index", "absent-class"],
        "hyperparameters": {"ignore_index": 0},
        "logits": LOGITS,
        "target": LABELS,
    },
    "all-weights": {
        "comment": "Class weights, mask, sample weights and ignored pixels at once.",
        "flags": ["class-weights", "mask", "sample-weight", "ignore-index"],
        "hyperparameters": {"class_weights": [1.0, 0.25, 3.0], "ignore_index": VOID},
        "logits": at_pixels(LOGITS, IGNORED, nan),
        "target": np.where(IGNORED, VOID, LABELS),
        "mask": MASK,
        "sample_weight": SAMPLE_WEIGHT,
    },
    "label-outside": {
        "comment": "A label that is no class and is not ignored makes the value NaN.",
        "flags": ["invalid-label", "nan"],
        "logits": LOGITS,
        "target": np.where(IGNORED, 3, LABELS),
    },
    "softmax": {
        "comment": "Softmax.",
        "flags": ["softmax"],
        "hyperparameters": {"activation": "softmax"},
        "logits": LOGITS,
        "target": LABELS,
    },
    "sigmoid": {
        "comment": "Sigmoid of one class: label 1 is the foreground.",
        "flags": ["sigmoid", "one-class"],
        "hyperparameters": {"activation": "sigmoid"},
        "logits": BINARY_LOGITS,
        "target": BINARY_LABELS,
    },
    "sigmoid-classes": {
        "comment": "Sigmoid of overlapping classes.",
        "flags": ["sigmoid", "class-weights", "mask"],
        "hyperparameters": {"activation": "sigmoid", "class_weights": [0.5, 2.0, 1.0]},
        "logits": LOGITS,
        "target": np.array([1, 1, 0], dtype=bool).reshape(1, 3, 1, 1) ^ one_hot(LABELS),
        "mask": MASK,
    },
    "sigmoid-extreme": {
        "comment": "Sigmoid of ±40.",
        "flags": ["sigmoid", "extreme"],
        "hyperparameters": {"activation": "sigmoid"},
        "logits": saturated(40.0),
        "target": SATURATED_LABELS,
    },
    "identity": {
        "comment": "Probabilities of several classes.",
        "flags": ["identity"],
        "hyperparameters": {"activation": "identity"},
        "logits": PROBABILITIES,
        "target": LABELS,
    },
    "identity-one-class": {
        "comment": "Probabilities of one class, soft targets.",
        "flags": ["identity", "one-class", "soft"],
        "hyperparameters": {"activation": "identity"},
        "logits": BINARY_PROBABILITIES,
        "target": SOFT[:, :1],
    },
}

MAX_POOLING = "Rota Bulò et al., Loss max-pooling for semantic image segmentation, CVPR 2017, eqs. 2-3"
# The reductions of a map, for the losses that have one.
POOLINGS: dict[str, dict[str, Any]] = {
    "minkowski": {
        "comment": "Minkowski pooling.",
        "flags": ["pooling"],
        "hyperparameters": {"reduction": {"pooling": "Minkowski", "k": 3.0}},
    },
    "minkowski-weights": {
        "comment": "Minkowski pooling, k = 1.5, of weighted and ignored pixels.",
        "flags": ["pooling", "class-weights", "mask", "sample-weight"],
        "hyperparameters": {
            "reduction": {"pooling": "Minkowski", "k": 1.5},
            "class_weights": [0.5, 2.0, 1.0],
        },
        "logits": at_pixels(LOGITS, MASK == 0, nan),
        "mask": MASK,
        "sample_weight": SAMPLE_WEIGHT,
    },
    "max-pooling": {
        "comment": "Loss max-pooling with the published ratio and p.",
        "flags": ["pooling"],
        "hyperparameters": {"reduction": {"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7}},
    },
    "max-pooling-weights": {
        "comment": "Loss max-pooling of weighted and ignored pixels.",
        "flags": ["pooling", "class-weights", "mask", "sample-weight"],
        "hyperparameters": {
            "reduction": {"pooling": "MaxPooling", "ratio": 0.5, "p": 2.0},
            "class_weights": [0.5, 2.0, 1.0],
        },
        "logits": at_pixels(LOGITS, MASK == 0, nan),
        "mask": MASK,
        "sample_weight": SAMPLE_WEIGHT,
    },
    "top-k": {
        "comment": "The quarter with the largest costs.",
        "flags": ["pooling"],
        "hyperparameters": {"reduction": {"pooling": "TopK", "fraction": 0.25}},
    },
    "top-k-weights": {
        "comment": "The half with the largest costs of weighted and ignored pixels: cost decides, weight averages.",
        "flags": ["pooling", "class-weights", "mask", "sample-weight"],
        "hyperparameters": {
            "reduction": {"pooling": "TopK", "fraction": 0.5},
            "class_weights": [0.5, 2.0, 1.0],
        },
        "logits": at_pixels(LOGITS, MASK == 0, nan),
        "mask": MASK,
        "sample_weight": SAMPLE_WEIGHT,
    },
    "top-k-tie": {
        "comment": "K = 2 of 4: the first place is taken, three equal costs share the second, 1/3 each.",
        "flags": ["pooling", "tie"],
        "hyperparameters": {"reduction": {"pooling": "TopK", "fraction": 0.5}},
        "logits": np.array([[[-2.0, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]]]),
        "target": np.array([[0, 1, 1, 1]]),
    },
}
SCENES |= {name: {"logits": LOGITS, "target": LABELS, **scene} for name, scene in POOLINGS.items()} | FURTHER
SCENES["tiny"] = {
    "comment": "A sum of weights so small that float16 hardly has the gradients; a loss scale makes them large again.",
    "flags": ["sample-weight", "tiny"],
    "hyperparameters": {"reduction": "sum"},
    "logits": LOGITS,
    "target": LABELS,
    "sample_weight": np.array([11 * 2.0**-24, 13 * 2.0**-23]),
}

# Scenes about what the losses of a family share: quick runs of our own targets leave them to one loss of each.
SHARED = {
    "boolean-mask",
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
    "top-k-tie",
    *FURTHER,
}
# Scenes that some losses cannot play.
SIGMOID = {
    name for name, scene in SCENES.items() if scene.get("hyperparameters", {}).get("activation") == "sigmoid"
}
ONE_CLASS = {name for name, scene in SCENES.items() if "one-class" in scene.get("flags", ())}
NO_LABELS = {name for name, scene in SCENES.items() if scene["target"].ndim == scene["logits"].ndim} - {
    name for name in ONE_CLASS if name.startswith("one-class-channel")
}


def standard(
    prefix: str,
    source: str,
    *,
    only: Iterable[str] = SCENES,
    skip: Iterable[str] = (),
    shared: Iterable[str] = SHARED,
    **hyperparameters: Any,
) -> list[Definition]:
    """The standard scenes, or some of them, with `hyperparameters` under those of the scene.

    `shared` are those that another loss of the family plays too, in the same way: they get the flag "shared".
    """
    only, skip, shared = set(only), set(skip), set(shared)
    assert only | skip <= set(SCENES), (only | skip) - set(SCENES)
    return [
        Definition(
            id=f"{prefix}/{name}",
            source=source,
            comment=scene["comment"],
            flags=(*scene.get("flags", ()), *(["shared"] if name in shared else [])),
            hyperparameters=hyperparameters | scene.get("hyperparameters", {}),
            **{key: scene.get(key) for key in ("logits", "target", "mask", "sample_weight")},
        )
        for name, scene in SCENES.items()
        if name in only - skip
    ]
