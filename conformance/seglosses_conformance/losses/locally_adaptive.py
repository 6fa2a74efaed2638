"""A pixel loss of predictions that are pooled over neighbours of the same label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import exp, log1p, sqrt
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import IGNORED_MASKED_WEIGHTED, SATURATED_LABELS, saturated, varied
from ..definitions.further import FURTHER
from ..definitions.scenes import NO_LABELS, ONE_CLASS, SIGMOID, standard
from ..entries import FLAT, LABELS_ONLY, LOGITS_ONLY, Entry, Override, Sample, refusal
from ..faults import other
from ..oracle.evaluation import entry_of
from ..oracle.family import PixelCosts, Result, by_number, places, pooled
from ..oracle.problem import Pixel, Problem
from ..oracle.tape import Scalar

PAPER = "Guo et al., Locally adaptive learning loss for semantic image segmentation, arXiv:1802.08290"
SOURCE = f"{PAPER}, eqs. 2-5"
POOLED = f"{PAPER}, eqs. 3-5"


def locally_adaptive(
    problem: Problem,
    *,
    activation: str = "softmax",
    ignore_index: int | None = None,
    reduction: Any = None,
    class_weights: Sequence[float] | None = None,
    kernel_size: int = 5,
    stride: int = 1,
    cost: dict[str, Any] | None = None,
    standardize: bool = True,
    divisor: str = "weights",
) -> Result:
    """Costs of the pooled predictions f against their centres' labels, Minkowski-pooled with k = 3"""
    pixels = list(problem.pixels(ignore_index))
    x = [standardized(pixel.logits) if standardize else pixel.logits for pixel in pixels]
    centres = [
        replace(centre, logits=selective_pooling(centre, pixels, x, kernel_size // 2))
        for centre in pixels
        if all(index % stride == 0 for index in centre.position)
    ]
    cost = cost or {"loss": "CrossEntropyLoss", "hyperparameters": {}}
    costs = entry_of(cost["loss"]).oracle
    assert isinstance(costs, PixelCosts)
    terms, shape = costs.terms(problem, centres, activation, class_weights, **cost["hyperparameters"])
    if divisor != "weights":
        assert stride == 1 or divisor == "valid", "written for pixels that are all centres"
        terms = by_number(terms, places(problem, shape, centres, divisor))
    return pooled(terms, reduction or {"pooling": "Minkowski", "k": 3.0}, shape)


def standardized(logits: Sequence[Scalar]) -> list[Any]:
    """(x̂ − mean(x̂))/std(x̂) over the classes, population standard deviation; a constant vector gives 0"""
    if all(z.value == logits[0].value for z in logits):
        return [mpf(0)] * len(logits)
    mean = sum(logits) / len(logits)
    variance = sum((z - mean) ** 2 for z in logits) / len(logits)
    return [(z - mean) / variance ** mpf("0.5") for z in logits]


def selective_pooling(centre: Pixel, pixels: Sequence[Pixel], x: Sequence[Any], radius: int) -> list[Scalar]:
    """f = (1/ξ) Σ μ ω_d x over the window (eq. 3): μ picks the centre's label, ξ counts, ω_d = 2^(1 − D8)"""
    pooled_logits = [Scalar(0) for _ in centre.logits]
    chosen = 0
    for pixel, values in zip(pixels, x, strict=True):
        distance = max((abs(a - b) for a, b in zip(pixel.position, centre.position, strict=True)), default=0)
        if pixel.image == centre.image and distance <= radius and pixel.label == centre.label:
            chosen += 1
            pooled_logits = [
                f + mpf(2) ** (1 - distance) * value for f, value in zip(pooled_logits, values, strict=True)
            ]
    return [f / chosen for f in pooled_logits]


# A line of 7 pixels, a plane of 5×6 and a block of 3×3×4, in patches larger than a pixel.
LINE = varied(1, 3, 7, root=14)
LINE_LABELS = np.array([[0, 0, 1, 1, 1, 2, 0]])
PLANE = varied(1, 3, 5, 6, root=23)
PLANE_LABELS = np.array(
    [[[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 2], [0, 2, 2, 1, 2, 2], [2, 2, 2, 2, 2, 2], [0, 2, 1, 1, 0, 0]]]
)
BLOCK = varied(1, 3, 3, 3, 4, root=29)
BLOCK_LABELS = np.array(
    [
        [
            [[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 1]],
            [[0, 0, 1, 1], [0, 2, 2, 1], [2, 2, 2, 2]],
            [[0, 1, 1, 1], [2, 2, 2, 1], [0, 0, 2, 2]],
        ]
    ]
)
# Standardised, two logits are always ±1 and one is 0.
NARROW = ["sigmoid", "two-classes", *sorted(ONE_CLASS & SIGMOID - {"sigmoid"})]
FOCAL_COST = {"loss": "FocalLoss", "hyperparameters": {"gamma": 2.0, "alpha": 0.25}}
SMOOTHED_COST = {"loss": "CrossEntropyLoss", "hyperparameters": {"label_smoothing": 0.25}}
on_plane = partial(case, source=POOLED, logits=PLANE, target=PLANE_LABELS)

ENTRY = Entry(
    loss="LocallyAdaptiveLoss",
    source=SOURCE,
    oracle=locally_adaptive,
    stretch=2,  # the weight of a window's centre
    cases=[
        case(
            "worked-example",
            "A line of labels 0, 0, 1, window 3, logits (d, 0), d = 1, 2, −1: f differs by (2·1 + 2)/2, "
            "(1 + 2·2)/2 and 2·(−1): mean of log(1 + e^−2), log(1 + e^−5/2), log(1 + e^−2).",
            source=f"{PAPER}, eqs. 3-4",
            flags="worked kernel",
            kernel_size=3,
            standardize=False,
            reduction="mean",
            logits=np.array([[[1.0, 2.0, -1.0], [0.0, 0.0, 0.0]]]),
            target=np.array([[0, 0, 1]]),
            value_by_hand=(2 * log1p(exp(-2)) + log1p(exp(-2.5))) / 3,
        ),
        case(
            "worked-standardized",
            "One pixel (1, 2, 3): x = √(3/2) (−1, 0, 1), f = 2x; label 2: log(1 + e^−√6 + e^−2√6). "
            "With one pixel Minkowski pooling changes nothing.",
            flags="worked one-pixel",
            logits=np.array([[[[1.0]], [[2.0]], [[3.0]]]]),
            target=np.array([[[2]]]),
            value_by_hand=log1p(exp(-sqrt(6)) + exp(-2 * sqrt(6))),
        ),
        *standard(
            skip=[*NO_LABELS, *NARROW, "identity", "softmax", "minkowski", "impossible-class", "top-k-tie"],
            shared=FURTHER,
        ),
        *standard(source=POOLED, only=NARROW, shared=FURTHER, standardize=False, kernel_size=3),
        *standard(
            source=f"{PAPER}, the pixels as they are",
            only=["top-k-tie"],
            shared=FURTHER,
            standardize=False,
            kernel_size=1,
        ),
        *(
            case(
                f"{name}-kernel-{kernel_size}",
                f"{dimensions}-D, window of {kernel_size} pixels along each axis.",
                source=POOLED,
                flags=f"kernel {dimensions}d" + " volume" * (dimensions == 3),
                kernel_size=kernel_size,
                logits=logits,
                target=target,
            )
            for name, dimensions, logits, target in (
                ("line", 1, LINE, LINE_LABELS),
                ("plane", 2, PLANE, PLANE_LABELS),
                ("block", 3, BLOCK, BLOCK_LABELS),
            )
            for kernel_size in (3, 5, 7)
        ),
        on_plane("stride-2", "Every other pixel along each axis is a centre.", stride=2),
        on_plane("stride-3-kernel-3", "Stride 3, window 3.", stride=3, kernel_size=3),
        on_plane("logits", "The logits as they are.", standardize=False),
        on_plane("k-1", "k = 1, the mean.", reduction={"pooling": "Minkowski", "k": 1.0}),
        on_plane("k-2", "k = 2.", reduction={"pooling": "Minkowski", "k": 2.0}),
        on_plane("k-5", "k = 5.", reduction={"pooling": "Minkowski", "k": 5.0}),
        on_plane("mean", 'reduction="mean".', reduction="mean"),
        on_plane("focal", "The focal loss as local cost.", cost=FOCAL_COST, standardize=False),
        on_plane("smoothing", "Smoothed cross-entropy as local cost.", cost=SMOOTHED_COST),
        on_plane(
            "stride-2-max-pooling",
            "Loss max-pooling takes Minkowski's place; only centres count.",
            stride=2,
            reduction={"pooling": "MaxPooling", "ratio": 0.3, "p": 1.7},
        ),
        case(
            "smoothing-ignored",
            "Smoothed cross-entropy of pixels that are ignored, masked and weighted.",
            source=POOLED,
            flags="kernel mask sample-weight ignore-index",
            cost=SMOOTHED_COST,
            **IGNORED_MASKED_WEIGHTED,
        ),
        on_plane(
            "stride-2-none",
            "Pixels that are no centres stand in the map with 0.",
            source=f"{PAPER}, eq. 4",
            flags="kernel none",
            stride=2,
            reduction="none",
        ),
        case(
            "stride-2-volume",
            "Stride 2 in 3-D, the logits as they are.",
            source=f"{PAPER}, eq. 4",
            flags="kernel volume",
            stride=2,
            kernel_size=3,
            standardize=False,
            logits=BLOCK,
            target=BLOCK_LABELS,
        ),
        case(
            "constant-vector",
            "Pixels with equal logits stand at 0 once standardised, and have no slope.",
            source=f"{PAPER}, eq. 2",
            flags="kernel",
            kernel_size=3,
            logits=np.where(np.arange(7) % 3 == 1, 1.5, LINE),
            target=LINE_LABELS,
        ),
        case(
            "extreme-40-logits",
            "Logits of ±40 as they are.",
            source=POOLED,
            flags="extreme",
            standardize=False,
            logits=saturated(40.0),
            target=SATURATED_LABELS,
        ),
        case(
            "extreme-1e4-logits",
            "Logits of ±1e4 as they are (bfloat16 rounds them to ±9984).",
            source=POOLED,
            flags="extreme",
            standardize=False,
            logits=saturated(1e4),
            target=SATURATED_LABELS,
        ),
        case(
            "sigmoid-classes",
            "Several classes under sigmoid: a cost for each class of each pixel.",
            source=POOLED,
            flags="sigmoid",
            activation="sigmoid",
            kernel_size=3,
        ),
    ],
    samples=(
        Sample({"kernel_size": 3}, targets=LABELS_ONLY, activations=LOGITS_ONLY),
        Sample({"kernel_size": 3, "standardize": False}, targets=LABELS_ONLY),
        Sample(
            {"kernel_size": 3, "stride": 2, "reduction": "mean", "cost": FOCAL_COST},
            targets=LABELS_ONLY,
            activations=LOGITS_ONLY,
        ),
        Sample(
            {
                "stride": 2,
                "standardize": False,
                "cost": {"loss": "MeanSquaredErrorLoss", "hyperparameters": {}},
            },
            targets=LABELS_ONLY,
        ),
    ),
    autodiff_differs=dict.fromkeys(("extreme-40", "extreme-1e4", "sigmoid-extreme", "constant-vector"), FLAT),
    refuses=(
        refusal(ValueError, "kernel_size", "got 4", "must be odd", kernel_size=4),
        refusal(ValueError, "kernel_size", "got -1", "at least 1", kernel_size=-1),
        refusal(TypeError, "kernel_size", "got float: 3.0", "an integer", kernel_size=3.0),
        refusal(ValueError, "stride", "got 0", "at least 1", stride=0),
        refusal(TypeError, "standardize", "got int: 1", "True or False", standardize=1),
    ),
    value_fault=other(kernel_size=3),
    gradient_fault=lambda g: 1.01 * g,
    overrides=(
        Override(
            "perfect",
            gradient_scale=1e-3,
            reason="where two logits are equal, the derivative of the standardisation removes a slope along the third"
            " altogether: what is left is the difference of terms of this size",
        ),
    ),
    exceptions={"permuted pixels": "it looks at neighbours"},
)
