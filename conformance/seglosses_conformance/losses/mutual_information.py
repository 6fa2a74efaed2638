"""How much of the shapes in the target can be told from those in the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import masked, varied, varied_labels
from ..definitions.region import ALL, OF_RATIOS, family
from ..definitions.scenes import standard
from ..entries import Entry, Override, Sample
from ..faults import other
from ..oracle import tape
from ..oracle.family import Cell, ClassScores, Result, total
from ..oracle.problem import Problem
from ..oracle.tape import plain
from ..oracle.windows import Image, image_of
from .skeleton import LARGE, NO_ORDER, of_windows

ZHAO = "Zhao et al., Region mutual information loss for semantic segmentation, NeurIPS 2019, eq. 16"
ALPHA = mpf(5e-4)


@dataclass(frozen=True)
class OfSpace(ClassScores):
    """The formula is told how large the images are, for of ignored pixels there are no cells."""

    def __call__(self, problem: Problem, **options: Any) -> Result:
        return super().__call__(problem, space=tuple(problem.space), **options)


def mutual_information(
    cells: list[Cell], space: tuple[int, ...], radius: int = 3, pool: int = 3
) -> tuple[Any, Any]:
    """log det (Σ_y − Σ_yx Σ_x⁻¹ Σ_xy)/2d, from the determinant of all of (x, y) and that of x alone."""
    images = sorted({cell.place[0] for cell in cells})
    p, y, w = (
        pooled(image_of(cells, of), images, space, pool)
        for of in (lambda cell: cell.p, lambda cell: cell.y, lambda cell: cell.w)
    )
    lengths = [(length - 1) // pool + 1 for length in space]
    widths = [min(radius, length) for length in lengths]
    offsets = list(product(*map(range, widths)))
    starts = product(
        images, *(range(length - width + 1) for length, width in zip(lengths, widths, strict=True))
    )
    windows = [
        [tuple(map(sum, zip(start, (0, *offset), strict=True))) for offset in offsets] for start in starts
    ]
    counted = [total(w[place] for place in window) for window in windows]
    mean_count = total(counted) / len(windows)
    rows = []
    for source in (p, y):
        for k in range(len(offsets)):
            values = [source[window[k]] for window in windows]
            mean = total(c * x for c, x in zip(counted, values, strict=True)) / total(counted)
            rows.append([x - mean for x in values])
    joint = [
        [
            total(c * a * b / mean_count for c, a, b in zip(counted, one, another, strict=True))
            + ALPHA * (i == j)
            for j, another in enumerate(rows)
        ]
        for i, one in enumerate(rows)
    ]
    d = len(offsets)
    terms = [x / (2 * d) for x in log_pivots(joint)[d:]]  # the first d are those of x alone
    return total(terms), total(abs(plain(x)) for x in terms)


def pooled(image: Image, images: Sequence[int], space: tuple[int, ...], pool: int) -> Image:
    """The largest of each window of `pool`, which equal ones share; 0 where there is none."""
    found = {}
    for place in product(images, *(range((length - 1) // pool + 1) for length in space)):
        reach = [range(pool * i - pool // 2, pool * i + pool // 2 + 1) for i in place[1:]]
        window = [image[place[0], *near] for near in product(*reach) if (place[0], *near) in image]
        best = max(map(plain, window), default=mpf(0))
        equal = [x for x in window if plain(x) == best]
        found[place] = total(equal) / len(equal) if equal else mpf(0)
    return found


def log_pivots(matrix: list[list[Any]]) -> list[Any]:
    """The logarithms of what elimination leaves on the diagonal, whose products are determinants."""
    rows, found = [list(row) for row in matrix], []
    for k, row in enumerate(rows):
        pivot = row[k]
        found.append(tape.log(pivot) if isinstance(pivot, tape.Scalar) else tape.mp.log(pivot))
        for later in rows[k + 1 :]:
            factor = later[k] / pivot
            later[k:] = [a - factor * b for a, b in zip(later[k:], row[k:], strict=True)]
    return found


SMALL: dict[str, Any] = {"radius": 2, "pool": 1}
TWO = np.array([[[0.8, 0.3]]])
WEIGHTS = np.resize([1.0, 3.0, 0.0, 2.0, 4.0, 0.0, 1.0], (2, 5, 4))

ENTRY = Entry(
    loss="RegionMutualInformationLoss",
    source=ZHAO,
    oracle=OfSpace(mutual_information),
    cases=[
        case(
            "worked-example",
            "x = ±1/4, y = ±1/2: M = 1/2 − (1/4)²/(1/8 + α) + α, log M / 2; slopes K (K x − y)/M, K = (1/4)/(1/8 + α).",
            flags="worked identity one-class",
            activation="identity",
            radius=1,
            pool=1,
            logits=TWO,
            target=np.array([[1, 0]]),
            value_by_hand=log(0.5 - 0.0625 / 0.1255 + 0.0005) / 2,
            gradient_by_hand=[
                sign * (0.25 / 0.1255) * (0.25 / 0.1255 * 0.25 - 0.5) / (0.5 - 0.0625 / 0.1255 + 0.0005)
                for sign in (1, -1)
            ],
        ),
        case(
            "worked-flat",
            "A flat prediction tells nothing: log(1/2 + α)/2.",
            flags="worked identity one-class",
            activation="identity",
            radius=1,
            pool=1,
            logits=np.full((1, 1, 2), 0.5),
            target=np.array([[1, 0]]),
            value_by_hand=log(0.5005) / 2,
            gradient_by_hand=[0, 0],
        ),
        case(
            "worked-pool",
            "Pooling by 3 leaves pixels 0 and 3, p = .8 and .3: the worked example.",
            flags="worked identity one-class",
            activation="identity",
            radius=1,
            logits=np.array([[[0.1, 0.8, 0.2, 0.3]]]),
            target=np.array([[0, 1, 0, 0]]),
            value_by_hand=log(0.5 - 0.0625 / 0.1255 + 0.0005) / 2,
        ),
        *family(skip=OF_RATIOS | {"one-pixel"}, **SMALL),
        # A window cannot be cut to the image in a graph of TensorFlow that does not know its size.
        *standard(ALL, only={"one-pixel"}, radius=1, pool=1),
        *(replace(one, hyperparameters=one.hyperparameters | SMALL) for one in of_windows()),
        case(
            "no-space-batch",
            "No spatial axis: a batch of single predictions.",
            flags="no-space batch",
            aggregate="batch",
            logits=varied(4, 3, root=12),
            target=np.array([0, 2, 1, 1]),
        ),
        case("radius-3", "Nine pixels in a window.", radius=3, pool=1, **LARGE),
        case(
            "large-sum-weights",
            "Whole numbers as weights, where windows are more than their pixels and so leave something open.",
            flags="mask",
            reduction="sum",
            **SMALL,
            **masked(LARGE["logits"], mask=4 * WEIGHTS.astype(int)),
            target=LARGE["target"],
        ),
        case(
            "large-one-class",
            "One class with weights.",
            flags="mask sigmoid one-class",
            activation="sigmoid",
            **SMALL,
            **masked(LARGE["logits"][:, :1], mask=WEIGHTS),
            target=LARGE["target"],
        ),
        case(
            "pool-mask",
            "Windows of pooled pixels, some of them ignored.",
            flags="mask",
            radius=2,
            **masked(
                varied(1, 2, 8, 7, root=46),
                mask=np.maximum(varied(1, 1, 8, 7, root=3)[:, 0] + 3, 0),
            ),
            target=varied_labels(1, 8, 7, classes=2),
        ),
    ],
    samples=(
        Sample(SMALL),
        Sample({"radius": 1, "pool": 1, "aggregate": "batch"}),
    ),
    overrides=(Override("*", 4.0, "The inverse of X Xᵀ + α loses what α is less than X Xᵀ."),),
    bounds=(-np.inf, np.inf),
    exceptions=NO_ORDER,
    alone=False,
    value_fault=other(radius=1),
    gradient_fault=lambda g: 0.99 * g,
)
