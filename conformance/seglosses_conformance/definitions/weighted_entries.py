"""Masks of the logits' shape, for classes that overlap: what does not count is NaN, or no class."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np

from .arrays import CLASS_WEIGHTS, LABELS, LOGITS, MASKS, SAMPLE_WEIGHT, SOFT, VOID
from .definition import Definition, case

_HIDDEN = {"activation": "sigmoid", "logits": np.where(MASKS > 0, LOGITS, nan), "mask": MASKS}
_SOFT = {**_HIDDEN, "target": np.where(MASKS > 0, SOFT, nan)}
_LABELS = np.where((MASKS > 0).any(1), LABELS, 99)
_WEIGHTS: dict[str, Any] = {"class_weights": CLASS_WEIGHTS, "sample_weight": SAMPLE_WEIGHT}


def entries(**hyperparameters: Any) -> list[Definition]:
    """What all losses are asked."""
    return [
        case(
            "entries",
            "A weight for each class of a pixel. Where none counts, the label may be no class.",
            flags="sigmoid mask entries",
            target=_LABELS,
            **_HIDDEN,
            **hyperparameters,
        ),
        case(
            "entries-soft",
            "Soft targets and every other weight; the mean divides by the number of what is valid.",
            flags="sigmoid soft mask entries sample-weight class-weights divisor",
            divisor="valid",
            **_SOFT,
            **_WEIGHTS,
            **hyperparameters,
        ),
        case(
            "entries-ignored",
            "A mask of bools and ignored pixels, no mean.",
            flags="sigmoid mask entries none ignore-index",
            reduction="none",
            ignore_index=VOID,
            target=np.where(LABELS == 0, VOID, LABELS),
            **_HIDDEN | {"mask": MASKS > 0},
            **hyperparameters,
        ),
    ]


def entries_of_regions(**hyperparameters: Any) -> list[Definition]:
    """And losses of images and their classes, of which one may have no pixel that counts."""
    return [
        case(
            "entries-batch",
            "Over the batch.",
            flags="sigmoid soft batch mask entries sample-weight class-weights",
            aggregate="batch",
            **_SOFT,
            **_WEIGHTS,
            **hyperparameters,
        ),
        case(
            "entries-average",
            "The mean over images, of the means over the classes that count there and have a target.",
            flags="sigmoid mask entries sample-weight class-weights",
            average="image",
            absent="skip",
            target=_LABELS,
            **_HIDDEN,
            **_WEIGHTS,
            **hyperparameters,
        ),
        case(
            "entries-all",
            "The mean over classes, of the means over all images, where what does not count costs 0.",
            flags="sigmoid soft mask entries sample-weight divisor",
            average="class",
            divisor="all",
            sample_weight=SAMPLE_WEIGHT,
            **_SOFT,
            **hyperparameters,
        ),
    ]
