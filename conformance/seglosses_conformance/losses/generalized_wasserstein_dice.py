"""One overlap for all classes of an image, by how far each is from the right one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import ABSENT, masked
from ..definitions.region import EXAMPLES, ONE_BY_ONE, REGIONS, family
from ..definitions.scenes import NO_LABELS, ONE_CLASS, SIGMOID
from ..entries import EXCLUSIVE, LABELS_ONLY, Entry, Sample, known, refusal
from ..faults import other
from ..oracle.family import Classes, RatioPerImage, one_region, total

SOURCE = (
    "Fidon et al., Generalised Wasserstein Dice score for imbalanced multi-class segmentation, 2017, eqs. 6 and 9;"
    " gdl: Tilborghs et al., 2020, arXiv:2007.15546"
)


@dataclass(frozen=True)
class OfLabels(RatioPerImage):
    """A ratio whose terms are pixels with all of their classes."""

    def regions(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        return [one_region(classes, classes)]


def wasserstein(
    classes: Classes,
    smooth: Any,
    distances: Sequence[Sequence[float]] | None = None,
    weights: str = "default",
) -> tuple[Any, Any]:
    """W = Σ_c M_yc ŷ_c of a pixel. (2 Σ a(M_y0 − W) + ε)/(2 Σ a(M_y0 − W) + Σ W + ε) with a = M_y0, the same with 1 for
    M_y0 but at class 0, or (2 Σ a(1 − W) + ε)/(Σ a(2 − W) + ε) with a = 1/(T_y + 1); class weights, over the largest,
    multiply a."""
    if distances is None:
        distances = [[float(i != j) for j in range(len(classes))] for i in range(len(classes))]
    largest = max(max(row) for row in distances)
    matrix = [[mpf(distance) / largest for distance in row] for row in distances]
    top = max((seen.weight for seen in classes if seen.costs and seen.weight > 0), default=mpf(1))
    shares = [seen.weight / top if seen.costs else mpf(0) for seen in classes]
    sizes = [total(cell.w * cell.y for cell in seen.cells) for seen in classes]
    above, below = smooth, smooth
    for pixel in zip(*(seen.cells for seen in classes), strict=True):
        (label,) = [c for c, cell in enumerate(pixel) if cell.y == 1]
        w = pixel[0].w
        cost = total(matrix[label][c] * cell.p for c, cell in enumerate(pixel))
        if weights == "gdl":
            a = shares[label] / (sizes[label] + 1)
            above = above + 2 * w * a * (1 - cost)
            below = below + w * a * (2 - cost)
        elif classes[label].costs:
            reach = matrix[label][0] if weights == "default" else mpf(1 if label > 0 else 0)
            a = shares[label] * reach
            above = above + 2 * w * a * (reach - cost)
            below = below + 2 * w * a * (reach - cost) + w * cost
    return above, below


# Class 0 is as far from all, or nearer to class 1.
TREE = [[0.0, 1.0, 1.0], [1.0, 0.0, 0.5], [1.0, 0.5, 0.0]]
LINE = [[0.0, 1.0, 4.0], [1.0, 0.0, 3.0], [4.0, 3.0, 0.0]]
NOT_OF_REGIONS = {
    name
    for name, scene in REGIONS.items()
    if scene.target.ndim == scene.logits.ndim or "one-class" in scene.flags
}

ENTRY = Entry(
    loss="GeneralizedWassersteinDiceLoss",
    source=SOURCE,
    oracle=OfLabels(wasserstein),
    cases=[
        *(
            case(
                f"worked-example{name}",
                f"Four pixels with W = 3/10, 2/5, 1/2, 7/20, {text}",
                flags="worked identity absent-class",
                activation="identity",
                smooth=0.0,
                distances=TREE,
                **more,
                **EXAMPLES["three"],
                value_by_hand=value,
            )
            for name, text, more, value in (
                ("", "labels 0, 0, 0, 1: 1 − 2 · 13/20 over 13/10 + 31/20.", {}, 31 / 57),
                (
                    "-foreground",
                    "a = 0, 0, 0, 1, for M_10 is 1: as without it.",
                    {"weights": "foreground"},
                    31 / 57,
                ),
                ("-gdl", "a = 1/4, 1/2: 1 − 31/20 over 81/40.", {"weights": "gdl"}, 19 / 81),
            )
        ),
        *family(skip=(SIGMOID | ONE_CLASS | NO_LABELS | NOT_OF_REGIONS | ONE_BY_ONE)),
        case("tree", "Two classes nearer to each other than to class 0.", distances=TREE),
        case("gdl", "Each class by its size.", weights="gdl", distances=TREE),
        case("line", "Distances from 0 that differ, and are divided by 4.", distances=LINE),
        case(
            "line-foreground",
            "Distances from 0 that differ, and do not weigh.",
            weights="foreground",
            distances=LINE,
        ),
        case(
            "line-gdl", "Distances from 0 that differ, each class by its size.", weights="gdl", distances=LINE
        ),
        case(
            "gdl-absent", "A class without pixels has no part.", weights="gdl", distances=TREE, target=ABSENT
        ),
        case(
            "absent-skipped-largest",
            "The mask hides the only pixel of class 2 in image 0: there its weight is not the largest.",
            flags="absent-class mask class-weights",
            absent="skip",
            distances=LINE,
            class_weights=[0.5, 1.0, 2.0],
            **masked(),
        ),
        *(
            case(
                f"weights-{weights}",
                "Class weights without the background, over the batch.",
                flags="class-weights batch",
                weights=weights,
                distances=LINE,
                aggregate="batch",
                include_background=False,
                class_weights=[3.0, 0.5, 2.0],
            )
            for weights in ("default", "foreground", "gdl")
        ),
    ],
    samples=(
        Sample({"distances": TREE}, targets=LABELS_ONLY, activations=EXCLUSIVE),
        Sample(
            {"distances": LINE, "weights": "gdl", "aggregate": "batch"},
            targets=LABELS_ONLY,
            activations=EXCLUSIVE,
        ),
    ),
    known=(
        known("three", (31 / 57,), distances=TREE),  # MONAI, the authors
        known("three", (19 / 81,), distances=TREE, weights="gdl"),
    ),
    refuses=(
        refusal(ValueError, "distances", "got 2", "one row per class, 3", distances=[[0, 1], [1, 0]]),
        refusal(TypeError, "distances", "got (0, 1, 1)", "a sequence of sequences", distances=[0, 1, 1]),
        refusal(
            ValueError, "distances", "rows of lengths [2, 2, 2]", "(C, C)", distances=[[0, 1], [1, 0], [1, 1]]
        ),
        refusal(ValueError, "distances", "shape (3,)", "a matrix (C, C)", distances=np.full((3,), 0.5)),
        refusal(ValueError, "distances", "shape (2, 3)", "a matrix (C, C)", distances=np.full((2, 3), 0.5)),
        refusal(
            TypeError, "distances", "bool of shape (3, 3)", "real numbers", distances=np.ones((3, 3), bool)
        ),
        refusal(
            ValueError, "distances[1][1]", "got 2", "must be 0", distances=[[0, 1, 1], [1, 2, 1], [1, 1, 0]]
        ),
        refusal(
            ValueError,
            "distances",
            "got 1 at [0][1] and 2",
            "symmetric",
            distances=[[0, 1, 1], [2, 0, 1], [1, 1, 0]],
        ),
        refusal(
            ValueError,
            "distances[0][1]",
            "got -1",
            "at least 0",
            distances=[[0, -1, 1], [-1, 0, 1], [1, 1, 0]],
        ),
        refusal(
            ValueError, "distances[1][2]", "got 0", "above 0", distances=[[0, 1, 1], [1, 0, 0], [1, 0, 0]]
        ),
        refusal(ValueError, "activation", "got 'sigmoid'", "'softmax' or 'identity'", activation="sigmoid"),
    ),
    value_fault=other(weights="gdl"),
    gradient_fault=lambda g: 1.01 * g,
    exceptions={"permuted classes": "class 0 is the background, which costs otherwise"},
)
