"""Cross-entropy and the distance of each pixel from the centre of its class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import log
from typing import Any

import numpy as np
from mpmath import mp, mpf

from ..definitions import case
from ..definitions.arrays import CLASS_WEIGHTS, SAMPLE_WEIGHT, VOLUME_LABELS, VOLUME_LOGITS, masked, varied
from ..definitions.scenes import NO_LABELS, SHARED, SIGMOID, standard
from ..entries import EXCLUSIVE, LABELS_ONLY, Entry, Sample
from ..faults import other
from ..oracle.family import PixelCosts, Result, by_number, index_of, places, pooled, total
from ..oracle.problem import Pixel, Problem
from ..oracle.tape import plain
from .cross_entropy import cross_entropy

SOURCE = "Wen et al., A discriminative feature learning approach for deep face recognition, 2016, eq. 5"


def center(
    problem: Problem,
    *,
    activation: str = "softmax",
    ignore_index: int | None = None,
    reduction: Any = "mean",
    class_weights: Sequence[float] | None = None,
    rate: float = 0.5,
    weight: float = 3e-4,
    divisor: str = "weights",
) -> Result:
    """Cross-entropy + (λ/2) ‖x − c_label‖² at every pixel, as in Guo et al. 2018; `rate` is of the centres' move."""
    entropy = PixelCosts(cross_entropy)
    if not entropy.are_exclusive(activation, problem.classes):
        raise NotImplementedError("a centre belongs to a pixel's only label: classes must be exclusive")
    pixels = list(problem.pixels(ignore_index))
    terms, shape = entropy.terms(problem, pixels, activation, class_weights)
    distances = {index_of(problem, pixel): squared_distance(problem, pixel) for pixel in pixels}
    for term in terms:
        term.cost += mpf(weight) / 2 * distances[term.index]
    if divisor != "weights":
        terms = by_number(terms, places(problem, shape, pixels, divisor))
    return pooled(terms, reduction, shape)


def squared_distance(problem: Problem, pixel: Pixel) -> Any:
    """‖x − c_label‖², x the pixel's features, or its logits"""
    assert problem.centers is not None
    assert pixel.label is not None
    x = pixel.features or pixel.logits
    return total((a - b) ** 2 for a, b in zip(x, problem.centers[pixel.label], strict=True))


def updated_centers(
    hyperparameters: dict[str, Any],
    logits: Any,
    target: Any,
    mask: Any = None,
    sample_weight: Any = None,
    *,
    centers: Any,
    features: Any = None,
) -> list[list[float]]:
    """c_j − α Δc_j, Δc_j = Σ [y = j](c_j − x)/(1 + Σ [y = j]), pixels counted by weight (Wen et al. 2016, eq. 4)"""
    problem = Problem(logits, target, mask, sample_weight, centers, features)
    assert problem.centers is not None
    rate = mpf(hyperparameters.get("rate", 0.5))
    with mp.workdps(50):
        pixels = list(problem.pixels(hyperparameters.get("ignore_index")))
        new = []
        for j, center in enumerate(problem.centers):
            members = [(pixel.mask * pixel.sample_weight, pixel) for pixel in pixels if pixel.label == j]
            number = total(w for w, _ in members)
            moved = []
            for d, c in enumerate(center):
                pull = total(w * (c - plain((pixel.features or pixel.logits)[d])) for w, pixel in members)
                moved.append(float(c - rate * pull / (1 + number)))
            new.append(moved)
    return new


CENTERS = np.array([[1.0, -0.5, 0.25], [-1.0, 2.0, 0.0], [0.5, 0.0, 1.5]])
FEATURE_CENTERS = np.array([[0.5, -1.0], [-0.25, 0.75], [0.0, 2.0]])
FEATURES = varied(2, 2, 2, 3, root=39)


def centers_for(logits: np.ndarray) -> np.ndarray:
    """A centre for each class in the space of the logits."""
    classes = logits.shape[1]
    return CENTERS if classes == len(CENTERS) else varied(classes, classes, root=55)


# Pixels with features of two dimensions.
with_features = partial(case, weight=0.25, centers=FEATURE_CENTERS)


ENTRY = Entry(
    loss="CenterLoss",
    source=SOURCE,
    oracle=center,
    inputs=lambda logits: {"centers": centers_for(logits)},
    cases=[
        case(
            "worked-example",
            "Two pixels with logits (1, 1), λ = 1/2, centres (0, 0) and (1, 3): cross-entropy log 2 each, "
            "squared distances 2 and 4: log 2 + 1/4 · 3.",
            flags="worked",
            weight=0.5,
            logits=np.ones((1, 2, 2)),
            target=np.array([[0, 1]]),
            centers=np.array([[0.0, 0.0], [1.0, 3.0]]),
            value_by_hand=log(2) + 3 / 4,
            # Cross-entropy (p − y)/2 and distance λ(x − c)/2.
            gradient_by_hand=[-1 / 4 + 1 / 4, 1 / 4, 1 / 4 + 1 / 4, -1 / 4 - 1 / 2],
        ),
        *(
            replace(scene, centers=centers_for(scene.logits))
            for scene in standard(
                skip={*NO_LABELS, *SIGMOID, "softmax", "impossible-class"},
                shared=SHARED - {"no-space", "image-ignored"},
                weight=0.25,
            )
        ),
        case("weight-default", "λ = 3e-4.", centers=CENTERS),
        case("weight-0", "λ = 0: cross-entropy.", weight=0.0, centers=CENTERS),
        case("start", "Centres start at 0.", weight=0.25, centers=np.zeros((3, 3))),
        with_features(
            "features",
            "Distances in a feature space of two dimensions.",
            flags="features",
            features=FEATURES,
        ),
        with_features(
            "features-weights",
            "Features with every weight; masked features and logits are NaN.",
            flags="features class-weights mask sample-weight",
            class_weights=CLASS_WEIGHTS,
            **masked(features=FEATURES),
            sample_weight=SAMPLE_WEIGHT,
        ),
        with_features(
            "features-sum",
            "The sum over the pixels is Wen's.",
            flags="features",
            reduction="sum",
            features=FEATURES,
        ),
        with_features(
            "features-none", "The map of costs.", flags="features none", reduction="none", features=FEATURES
        ),
        with_features(
            "features-minkowski",
            "Minkowski pooling of costs with distances.",
            flags="features pooling",
            reduction={"pooling": "Minkowski", "k": 3.0},
            features=FEATURES,
        ),
        with_features(
            "features-volume",
            "Features of a volume.",
            flags="features volume",
            logits=VOLUME_LOGITS,
            target=VOLUME_LABELS,
            features=varied(1, 2, 2, 2, 3, root=43),
        ),
    ],
    samples=(
        Sample({"weight": 0.3}, targets=LABELS_ONLY, activations=EXCLUSIVE),
        Sample({"weight": 0.3, "activation": "identity"}, targets=LABELS_ONLY, activations=EXCLUSIVE),
    ),
    value_fault=other(weight=2.9e-4),
    gradient_fault=np.negative,
)
