"""Scenes about sizes, dtypes of targets, soft targets of any sum, weights of any size, and what is no number."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

from .arrays import (
    BINARY_LABELS,
    BINARY_LOGITS,
    CLASS_WEIGHTS,
    IGNORED,
    LABELS,
    LOGITS,
    MASK,
    SAMPLE_WEIGHT,
    SOFT,
    SUMS,
    VOID,
    at_pixels,
    ignored,
    masked,
    one_hot,
    varied,
    varied_labels,
)
from .definition import Definition, by_name, case

# Near the ends of float32: products of two of them are beyond.
HUGE, TINY = 2.0**123, 2.0**-100

_VOLUME_IGNORED = np.arange(24).reshape(2, 2, 2, 3) % 7 == 3
_VOLUME_MASK = (np.arange(24).reshape(2, 2, 2, 3) * 5 % 8) / 4
_IMPOSSIBLE = one_hot((LABELS + 1) % 3) & IGNORED[:, None]


def _with_one(array: Any, value: float) -> np.ndarray:
    """The array with this value in place of its second number."""
    changed = np.array(array, dtype=float)
    changed.flat[1] = value
    return changed


def _sized(
    name: str, comment: str, shape: tuple[int, ...], root: int, dtype: Any, **hyperparameters: Any
) -> Definition:
    """Logits `(N, C, *S)` of this shape with labels of this dtype; the flag is the name."""
    images, classes, *space = shape
    return case(
        name,
        comment,
        flags=name,
        logits=varied(*shape, root=root),
        target=varied_labels(images, *space, classes=classes).astype(dtype),
        **hyperparameters,
    )


SIZES = by_name(
    _sized("many-classes", "Five classes, three square images, labels of uint8.", (3, 5, 4, 4), 45, np.uint8),
    _sized("many-pixels", "63 pixels, labels of int8.", (1, 3, 7, 9), 46, np.int8),
    _sized(
        "two-classes",
        "Two classes, two lines of pixels, labels of int16.",
        (2, 2, 5),
        48,
        np.int16,
        activation="softmax",
    ),
    case(
        "volume-weights",
        "Two volumes with ignored pixels, a mask and sample weights; labels of int32, −100 ignored.",
        flags="volume ignore-index mask sample-weight",
        ignore_index=-100,
        logits=at_pixels(varied(2, 3, 2, 2, 3, root=53), _VOLUME_IGNORED | (_VOLUME_MASK == 0), nan),
        target=np.where(_VOLUME_IGNORED, -100, varied_labels(2, 2, 2, 3, classes=3)).astype(np.int32),
        mask=_VOLUME_MASK,
        sample_weight=np.array([1.5, 0.25]),
    ),
)

TARGETS = by_name(
    case(
        "one-hot-float",
        "A one-hot target of floats.",
        flags="one-hot",
        target=one_hot(LABELS).astype(float),
    ),
    case(
        "one-hot-integer",
        "A one-hot target of integers; what it holds where the mask is 0 does not matter.",
        flags="one-hot mask",
        **masked(),
        target=at_pixels(one_hot(LABELS), MASK == 0, VOID).astype(np.uint8),
    ),
    case(
        "one-hot-outside",
        "Whole numbers in the logits' shape are 0 and 1; 255 is what a label outside the classes is.",
        flags="invalid-label nan",
        target=(VOID * one_hot(LABELS)).astype(np.uint8),
    ),
    case(
        "soft-sums",
        "Soft targets of any sum, in float16: a pixel weighs its sum, one of sum 0 does not exist.",
        flags="soft",
        target=SUMS.astype(np.float16),
    ),
    case(
        "soft-weights",
        "Soft targets of any sum with class weights, mask and sample weights; masked ones are NaN.",
        flags="soft class-weights mask sample-weight",
        class_weights=CLASS_WEIGHTS,
        **masked(target=SUMS),
        sample_weight=SAMPLE_WEIGHT,
    ),
    case(
        "soft-nan",
        "A soft target that is NaN where it counts makes the value NaN.",
        flags="soft nan",
        target=_with_one(SOFT, nan),
    ),
    case(
        "one-class-channel",
        "One class: integer labels may have its axis. With a mask.",
        flags="sigmoid one-class mask",
        activation="sigmoid",
        **masked(BINARY_LOGITS),
        target=np.where(MASK == 0, 7, BINARY_LABELS)[:, None].astype(np.uint8),
    ),
    case(
        "one-class-channel-ignored",
        "One class: integer labels that have its axis, some of them ignored.",
        flags="sigmoid one-class ignore-index",
        activation="sigmoid",
        ignore_index=VOID,
        logits=at_pixels(BINARY_LOGITS, IGNORED, nan),
        target=np.where(IGNORED, VOID, BINARY_LABELS)[:, None].astype(np.uint8),
    ),
    case(
        "one-class-channel-outside",
        "One class: a mask of 0 and 255 holds labels outside the classes.",
        flags="sigmoid one-class invalid-label nan",
        activation="sigmoid",
        logits=BINARY_LOGITS,
        target=(VOID * BINARY_LABELS)[:, None].astype(np.uint8),
    ),
    case(
        "sigmoid-ignore-index",
        "Sigmoid of several classes, ignored pixels of NaN logits.",
        flags="sigmoid ignore-index",
        activation="sigmoid",
        **ignored(label=-1),
    ),
)

WEIGHTS = by_name(
    case(
        "sum-weights",
        'reduction="sum" with a mask of integers, sample weights and class weights, one of them 0.',
        flags="mask sample-weight class-weights",
        reduction="sum",
        class_weights=[0.5, 0.0, 2.0],
        **masked(mask=(4 * MASK).astype(np.int64)),
        sample_weight=SAMPLE_WEIGHT,
    ),
    case(
        "huge-weights",
        "A mask and class weights near float32's largest number: weights count relative to each other.",
        flags="mask class-weights extreme",
        class_weights=[0.5 * HUGE, 2 * HUGE, HUGE],
        **masked(mask=HUGE * MASK),
    ),
    case(
        "tiny-weights",
        "A mask and class weights whose products are below float32's smallest number.",
        flags="mask class-weights extreme",
        class_weights=[0.5 * TINY, 2 * TINY, TINY],
        **masked(mask=TINY * MASK),
    ),
    *(
        case(
            f"{weight}-{what}",
            f"A {name} that is {value} makes the value NaN.",
            flags=f"{weight} nan",
            **{name: _with_one(weights, value)},
        )
        for weight, name, weights in (
            ("mask", "mask", MASK),
            ("sample-weight", "sample_weight", SAMPLE_WEIGHT),
        )
        for what, value in (("negative", -0.5), ("infinite", inf), ("nan", nan))
    ),
)

LOGITS_THEMSELVES = by_name(
    case(
        "impossible-class",
        "Logits of −∞: classes that are impossible at a pixel, none of them its label.",
        flags="infinite",
        logits=np.where(_IMPOSSIBLE, -inf, LOGITS),
    ),
    case(
        "nan-logits",
        "A logit that is NaN where it counts makes the value NaN.",
        flags="nan",
        logits=_with_one(LOGITS, nan),
    ),
)

FURTHER = SIZES | TARGETS | WEIGHTS | LOGITS_THEMSELVES
"""In the order of the files: the cases of the standard scenes come first, and the checks choose the first that fit."""
