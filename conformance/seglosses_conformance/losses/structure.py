"""Cross-entropy and intersection over union, both weighted up near boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import (
    ABSENT,
    BINARY_LABELS,
    BINARY_LOGITS,
    IGNORED_MASKED_WEIGHTED,
    SAMPLE_WEIGHT,
    SOFT,
)
from ..definitions.region import REGIONS
from ..definitions.scenes import POOLINGS, SCENES, SHARED, standard
from ..entries import Entry, Sample
from ..faults import other
from ..oracle import tape
from ..oracle.family import Cell, Result, counts, total, weighted
from ..oracle.problem import Pixel, Problem, probabilities
from ..oracle.tape import plain


def structure(
    problem: Problem,
    *,
    activation: str = "sigmoid",
    ignore_index: int | None = None,
    reduction: Any = "mean",
    class_weights: Sequence[float] | None = None,
    kernel_size: int = 31,
    factor: float = 5.0,
    aggregate: str = "image",
    absent: str = "count",
    include_background: bool = True,
    divisor: str = "weights",
) -> Result:
    """Σ w m ℓ / Σ w m + 1 − (Σ w m p y + 1)/(Σ w m (p + y) − Σ w m p y + 1) of each class of each image."""
    pixels = list(problem.pixels(ignore_index))
    batch = aggregate == "batch"
    groups = [pixels] if batch else [[one for one in pixels if one.image == i] for i in range(problem.images)]
    losses, scales, weights, counted = [], [], [], []
    for image, group in enumerate(groups):
        near = [boundary_weight(pixel, pixels, kernel_size, factor, len(problem.space)) for pixel in group]
        for c in range(problem.classes):
            entropy, count, found, either, cells = mpf(0), mpf(0), mpf(0), mpf(0), []
            for pixel, m in zip(group, near, strict=True):
                p, y = probabilities(pixel.logits, activation)[c], pixel.target[c]
                own = pixel.mask * (pixel.sample_weight if batch else 1)
                w = own * m
                cells.append(Cell(own, p, y))
                if y > 0:
                    entropy += -w * y * tape.log(p)
                if y < 1:
                    entropy += -w * (1 - y) * tape.log(1 - p)
                count += w
                found += w * p * y
                either += w * (p + y) - w * p * y
            loss = (entropy / count if group else mpf(0)) + 1 - (found + 1) / (either + 1)
            weight = mpf(1) if class_weights is None else mpf(class_weights[c])
            weight = weight if batch else weight * mpf(problem.sample_weight[image])
            number = weight if divisor == "weights" else mpf(1)
            kept = counts(cells, c, absent, include_background)
            left_in = divisor == "all" and not cells and absent == "count" and (include_background or c > 0)
            counted.append(number if kept or left_in else mpf(0))
            losses.append(loss)
            scales.append(abs(plain(loss)) + 1)
            weights.append(weight if kept else mpf(0))
    shape = (problem.classes,) if batch else (problem.images, problem.classes)
    return weighted(losses, scales, weights, reduction, shape, counted)


def boundary_weight(
    centre: Pixel, pixels: Sequence[Pixel], kernel_size: int, factor: float, dimensions: int
) -> Any:
    """1 + factor · max_c |avg(y_c) − y_c|, cells that are not there counting as 0."""
    window = [
        pixel
        for pixel in pixels
        if pixel.image == centre.image
        and all(abs(a - b) <= kernel_size // 2 for a, b in zip(pixel.position, centre.position, strict=True))
    ]
    differences = [
        abs(total(pixel.target[c] for pixel in window) / mpf(kernel_size) ** dimensions - y)
        for c, y in enumerate(centre.target)
    ]
    return 1 + mpf(factor) * max(differences)


# Of 3×3 pixels the centre is foreground with p = 4/5, the others have p = 1/5: m = 49/9 and 14/9.
CENTRE = np.array([[[0, 0, 0], [0, 1, 0], [0, 0, 0]]])
INNER, OUTER = 49 / 9, 8 * 14 / 9

IDENTITY_OR_SOFTMAX = {
    name
    for name, scene in SCENES.items()
    if scene.hyperparameters.get("activation") in ("identity", "softmax")
}

ENTRY = Entry(
    loss="StructureLoss",
    source="Wei et al., F3Net: fusion, feedback and focus for salient object detection, AAAI 2020",
    oracle=structure,
    cases=[
        case(
            "worked-example",
            "Window 3: one window cell in nine is foreground everywhere, m = 1 + 5 · 8/9 at the centre and 1 + 5/9:"
            " −(m log 4/5 + 8 m' log 4/5)/(m + 8 m') and 1 − (4m/5 + 1)/(m + 8 m'/5 + 1).",
            flags="worked sigmoid one-class",
            kernel_size=3,
            logits=log(4) * (2 * CENTRE - 1)[:, None],
            target=CENTRE,
            value_by_hand=-log(4 / 5) + 1 - (0.8 * INNER + 1) / (INNER + OUTER / 5 + 1),
        ),
        case(
            "worked-line",
            "Window 3, labels 0 0 1: windows hold 0, 1/3, 1/3, m = 1, 8/3, 13/3; p = 1/2, 1/2, 3/4.",
            flags="worked sigmoid one-class",
            kernel_size=3,
            logits=np.array([[[0.0, 0.0, log(3)]]]),
            target=np.array([[0, 0, 1]]),
            value_by_hand=(11 / 3 * log(2) - 13 / 3 * log(0.75)) / 8
            + 1
            - (13 / 4 + 1) / (11 / 6 + 13 / 3 + 1),
        ),
        *standard(
            skip={*POOLINGS, *IDENTITY_OR_SOFTMAX, "sigmoid-extreme", "sigmoid-ignore-index"},
            shared=SHARED - {"soft-weights"},
            kernel_size=3,
        ),
        replace(SCENES["two-classes"], hyperparameters={"activation": "sigmoid", "kernel_size": 3}),
        case(
            "defaults",
            "A window larger than the images, one class.",
            flags="one-class",
            logits=BINARY_LOGITS,
            target=BINARY_LABELS,
        ),
        case("factor-0", "m = 1.", factor=0.0),
        case(
            "batch",
            "Sums over the whole batch.",
            aggregate="batch",
            kernel_size=3,
            sample_weight=SAMPLE_WEIGHT,
        ),
        case(
            "without-background", "Class 0 does not count, but in m.", include_background=False, kernel_size=5
        ),
        case("absent-skipped", "Classes that the target lacks leave the mean.", target=ABSENT, absent="skip"),
        *(
            replace(REGIONS[name], hyperparameters={**REGIONS[name].hyperparameters, "kernel_size": 3})
            for name in ("absent-skipped-soft", "absent-skipped-weights")
        ),
        case(
            "soft-window",
            "Soft targets, window 3, factor 2.",
            flags="soft",
            kernel_size=3,
            factor=2.0,
            target=SOFT,
        ),
        case(
            "batch-weights",
            "Over the batch, with every weight.",
            flags="batch mask sample-weight ignore-index",
            aggregate="batch",
            kernel_size=3,
            **IGNORED_MASKED_WEIGHTED,
        ),
    ],
    samples=(
        Sample({"kernel_size": 3}, activations=("sigmoid",)),
        Sample({"kernel_size": 3, "factor": 2.0, "aggregate": "batch"}, activations=("sigmoid",)),
    ),
    soft_slope=False,
    value_fault=other(factor=5.1),
    gradient_fault=lambda g: 1.01 * g,
    exceptions={"permuted pixels": "it looks at neighbours"},
)
