"""Losses of the distance to the boundary of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import Definition, case
from ..definitions.arrays import CLASS_WEIGHTS, IGNORED_MASKED_WEIGHTED, SOFT, masked, varied, varied_labels
from ..definitions.probabilities import edges
from ..definitions.region import OF_RATIOS, family
from ..definitions.scenes import standard
from ..entries import POLE, Entry, Sample
from ..faults import other, wrong_order
from ..oracle import tape
from ..oracle.distances import boundary_distances, in_target, level_set
from ..oracle.family import Cell, ClassScores, PixelCosts, Result, index_of, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem
from ..oracle.tape import plain
from .cross_entropy import cross_entropy

KERVADEC = "Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019, eq. 5"
CELAYA = "Celaya et al., A generalized surface loss for reducing the Hausdorff distance, 2023"
KARIMI = (
    "Karimi and Salcudean, Reducing the Hausdorff distance in medical image segmentation, 2020, section II"
)
CALIVA = "Caliva et al., Distance map loss penalty term for semantic segmentation, MIDL 2019, eq. 1"

Spacing = Sequence[float] | None


def boundary(cells: list[Cell], spacing: Spacing = None) -> tuple[Any, Any]:
    """Σ φ p / n"""
    weight = total(cell.w for cell in cells)
    phi = level_set(cells, spacing, in_target)
    terms = [cell.w * level * cell.p / weight for cell, level in zip(cells, phi, strict=True)]
    return total(terms), total(abs(plain(term)) for term in terms)


def surface(cells: list[Cell], spacing: Spacing = None) -> tuple[Any, Any]:
    """1 − Σ (φ (1 − y − p))² / Σ φ²"""
    phi = level_set(cells, spacing, in_target)
    whole = total(cell.w * level**2 for cell, level in zip(cells, phi, strict=True))
    if whole == 0:
        return mpf(0), mpf(0)
    loss = 1 - total(
        cell.w * level**2 * (1 - cell.y - cell.p) ** 2 / whole for cell, level in zip(cells, phi, strict=True)
    )
    return loss, abs(plain(loss))


def hausdorff(
    cells: list[Cell], spacing: Spacing = None, alpha: float = 2.0, one_sided: bool = False
) -> tuple[Any, Any]:
    """Σ (p − y)² (d^α + e^α) / n"""
    weight = total(cell.w for cell in cells)
    powers = [
        [mpf(0 if d is None else d) ** mpf(alpha) for d in boundary_distances(cells, inside, spacing)]
        for inside in (
            [in_target(cell) for cell in cells],
            [plain(cell.p) > mpf(1) / 2 for cell in cells],
        )
    ]
    loss = total(
        cell.w * (cell.p - cell.y) ** 2 * (d if one_sided else d + e) / weight
        for cell, d, e in zip(cells, *powers, strict=True)
    )
    return loss, plain(loss)


def hausdorff_loss(problem: Problem, *, log: bool = False, **options: Any) -> Result:
    """The loss, and log(1 + L) of what is left of it after the reduction."""
    value, shape, scale = ClassScores(hausdorff)(problem, **options)
    if not log:
        return value, shape, scale
    if shape:
        return [tape.log(v + 1) for v in value], shape, [plain(v) for v in value]
    return tape.log(value + 1), shape, scale


FIVE = np.array([[[0.1, 0.6, 0.9, 0.6, 0.2]]])
THREE_OF_FIVE = np.array([[0, 1, 1, 1, 0]])
LARGE: dict[str, Any] = {"logits": varied(2, 3, 5, 4, root=46), "target": varied_labels(2, 5, 4, classes=3)}


def of_distances(**hyperparameters: Any) -> list[Definition]:
    """What the losses of distances are asked beside what all region losses are."""
    return [
        case("spacing", "Rows 2 apart.", spacing=[2.0, 1.0], **hyperparameters, **LARGE),
        case(
            "large-mask",
            "Ignored pixels lie on neither side of a boundary.",
            flags="mask",
            **masked(LARGE["logits"], mask=np.tile([[1.0, 0.5], [0.0, 2.0]], (2, 3, 2))[:, :5]),
            target=LARGE["target"],
            **hyperparameters,
        ),
        case(
            "full",
            "Class 1 fills the image: no boundary, in a volume.",
            flags="volume absent-class",
            logits=varied(1, 2, 2, 3, 2, root=7),
            target=np.ones((1, 2, 3, 2), dtype=int),
            **hyperparameters,
        ),
        case(
            "soft-regions", "The regions are those above 1/2.", flags="soft", target=SOFT, **hyperparameters
        ),
    ]


NO_ORDER = {"permuted pixels": "a distance changes with the order"}

BOUNDARY = Entry(
    loss="BoundaryLoss",
    source=KERVADEC,
    oracle=ClassScores(boundary),
    cases=[
        case(
            "worked-example",
            "φ = 1, 0, −1, 0, 1: (.1 − .9 + .2)/5 = −.12, as in MONAI.",
            flags="worked identity one-class",
            activation="identity",
            logits=FIVE,
            target=THREE_OF_FIVE,
            value_by_hand=-0.12,
            gradient_by_hand=[0.2, 0, -0.2, 0, 0.2],
        ),
        case(
            "worked-edge",
            "y = 1, 0, 0: φ = 0, 1, 2, p = 1/2: 3/2 / 3.",
            flags="worked identity one-class",
            activation="identity",
            logits=np.full((1, 1, 3), 0.5),
            target=np.array([[1, 0, 0]]),
            value_by_hand=0.5,
            gradient_by_hand=[0, 1 / 3, 2 / 3],
        ),
        *family(skip=OF_RATIOS),
        *of_distances(),
    ],
    samples=(Sample(), Sample({"include_background": False, "absent": "skip"})),
    bounds=(-np.inf, np.inf),
    exceptions=NO_ORDER,
    soft_slope=False,
    alone=False,
    value_fault=wrong_order,
    gradient_fault=lambda g: 0.99 * g,
)

SURFACE = Entry(
    loss="GeneralizedSurfaceLoss",
    source=CELAYA,
    oracle=ClassScores(surface),
    cases=[
        case(
            "worked-example",
            "φ = 1, 0, −1, 0, 1: 1 − (.81 + .81 + .64)/3 = .74/3; slopes 2 φ² (1 − y − p)/3.",
            flags="worked identity one-class",
            activation="identity",
            logits=FIVE,
            target=THREE_OF_FIVE,
            value_by_hand=0.74 / 3,
            gradient_by_hand=[0.6, 0, -0.6, 0, 1.6 / 3],
        ),
        case(
            "worked-half",
            "p = 1/2 everywhere: 1 − 1/4.",
            flags="worked identity one-class",
            activation="identity",
            logits=np.full((1, 1, 5), 0.5),
            target=THREE_OF_FIVE,
            value_by_hand=0.75,
        ),
        *family(skip=OF_RATIOS),
        *of_distances(),
    ],
    samples=(Sample(), Sample({"aggregate": "batch"})),
    exceptions=NO_ORDER,
    alone=False,
    value_fault=wrong_order,
    gradient_fault=lambda g: 0.99 * g,
    soft_slope=False,
)

HAUSDORFF = Entry(
    loss="HausdorffDTLoss",
    source=KARIMI,
    oracle=hausdorff_loss,
    prefix="hausdorff-dt",
    cases=[
        case(
            "worked-example",
            "p > 1/2 is 0 1 1 0 0: d² + e² = 2, 2, 5, 2, 5, Σ = 1.31 over 5, as in MONAI and SegLoss.",
            flags="worked identity one-class",
            activation="identity",
            logits=np.array([[[0.1, 0.6, 0.9, 0.4, 0.2]]]),
            target=THREE_OF_FIVE,
            value_by_hand=0.262,
            gradient_by_hand=[0.08, -0.32, -0.2, -0.48, 0.4],
        ),
        case(
            "worked-equal-regions",
            "p > 1/2 is the target: 2 (.01 + .16 + 4 · .01 + .16 + .04)/5 = .164.",
            flags="worked identity one-class",
            activation="identity",
            logits=FIVE,
            target=THREE_OF_FIVE,
            value_by_hand=0.164,
        ),
        case(
            "worked-one-sided",
            "d² alone: (.01 + .16 + .04 + .36 + .04)/5.",
            flags="worked identity one-class",
            activation="identity",
            one_sided=True,
            logits=np.array([[[0.1, 0.6, 0.9, 0.4, 0.2]]]),
            target=THREE_OF_FIVE,
            value_by_hand=0.122,
        ),
        case(
            "worked-log",
            "log 1.262",
            flags="worked identity one-class",
            activation="identity",
            log=True,
            logits=np.array([[[0.1, 0.6, 0.9, 0.4, 0.2]]]),
            target=THREE_OF_FIVE,
            value_by_hand=log(1.262),
            gradient_by_hand=[x / 1.262 for x in (0.08, -0.32, -0.2, -0.48, 0.4)],
        ),
        case(
            "worked-empty-prediction",
            "One pixel of 3 × 3, p = 1/2, above which nothing is: d² = 2 1 2, 1 1 1, 2 1 2, 13/4 over 9.",
            flags="worked identity one-class",
            activation="identity",
            logits=np.full((1, 1, 3, 3), 0.5),
            target=np.eye(3, dtype=int)[None, 1, :, None] * np.eye(3, dtype=int)[1],
            value_by_hand=13 / 36,
        ),
        *family(skip=OF_RATIOS),
        *of_distances(),
        case("alpha-3", "Cubes of distances.", alpha=3.0, **LARGE),
        case("alpha-half", "Roots of distances.", alpha=0.5, **LARGE),
        case("one-sided", "The target's distances alone.", one_sided=True, **LARGE),
        case("log-sum", "The logarithm of one and the sum.", log=True, reduction="sum", **LARGE),
        case("log-none", "Of each score.", flags="none", log=True, reduction="none", **LARGE),
    ],
    samples=(
        Sample(),
        Sample({"one_sided": True, "alpha": 1.0}),
        Sample({"log": True, "include_background": False}),
    ),
    exceptions=NO_ORDER,
    alone=False,
    value_fault=other(alpha=2.01),
    gradient_fault=lambda g: 0.99 * g,
    soft_slope=False,
)


@dataclass(frozen=True)
class NearBoundary(PixelCosts):
    """Costs (1 + Φ) ℓ, Φ = (M − D)/(M − h) with D the distance to another label and M its maximum over the label in the
    image; 1 where M = h, 0 without a boundary. Overlapping classes have two labels each, yes and no."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        spacing: Spacing = None,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        terms, shape = super().terms(problem, pixels, activation, class_weights, **options)
        exclusive = self.are_exclusive(activation, problem.classes, options.get("overlapping"))
        factors: dict[int, Any] = {}
        for c in range(problem.classes):
            cells = [
                Cell(mpf(1), pixel.logits[c], pixel.target[c], (pixel.image, *pixel.position))
                for pixel in pixels
            ]
            inside = [in_target(cell) for cell in cells]
            distances = boundary_distances(cells, inside, spacing)
            for pixel, there, d in zip(pixels, inside, distances, strict=True):
                alike = zip(cells, inside, distances, strict=True)
                deepest = [e for cell, side, e in alike if (cell.place[0], side) == (pixel.image, there)]
                index = index_of(problem, pixel) if exclusive else index_of(problem, pixel, c)
                if there or not exclusive:
                    near = 1 + nearness(d, deepest, mpf(min(spacing or [1.0])))
                    factors[index] = max(near, factors.get(index, near))
        return [replace(term, cost=term.cost * factors.get(term.index, 1)) for term in terms], shape


def nearness(d: Any, alike: Sequence[Any], least: Any) -> Any:
    """Φ, with the distances of all pixels that are alike."""
    if d is None:
        return mpf(0)
    deepest = max(alike)
    return mpf(1) if deepest == least else (deepest - d) / (deepest - least)


EIGHTY = np.array([[0.8, 0.2, 0.2, 0.2, 0.8], [0.2, 0.8, 0.8, 0.8, 0.2]])[None]

PENALIZED = Entry(
    loss="DistancePenalizedCrossEntropyLoss",
    source=CALIVA,
    oracle=NearBoundary(cross_entropy),
    cases=[
        case(
            "worked-example",
            "1 + Φ = 2, 2, 1, 2, 2, p of the label .8: −1.8 log .8.",
            flags="worked identity",
            activation="identity",
            logits=EIGHTY,
            target=THREE_OF_FIVE,
            value_by_hand=-1.8 * log(0.8),
        ),
        case(
            "worked-one-label",
            "No boundary: cross-entropy, −log .8.",
            flags="worked identity",
            activation="identity",
            logits=np.array([[[0.2] * 5, [0.8] * 5]]),
            target=np.ones((1, 5), dtype=int),
            value_by_hand=-log(0.8),
        ),
        *standard(skip=["softmax"]),
        case("spacing", "Rows 2 apart.", spacing=[2.0, 1.0], **LARGE),
        case("large", "Regions that are a few pixels deep.", **LARGE),
        case("large-sigmoid", "Overlapping classes.", flags="sigmoid", activation="sigmoid", **LARGE),
        *edges(exclusive=True),
        case("label-smoothing", "ε = 0.25.", label_smoothing=0.25),
        case(
            "label-smoothing-ignored",
            "ε = 0.25 of pixels that are ignored, masked and weighted.",
            flags="mask sample-weight ignore-index",
            label_smoothing=0.25,
            **IGNORED_MASKED_WEIGHTED,
        ),
    ],
    samples=(Sample(), Sample({"activation": "sigmoid"}), Sample({"class_weights": CLASS_WEIGHTS})),
    exceptions=NO_ORDER,
    autodiff_differs=dict.fromkeys(("certain-and-wrong", "certain-and-wrong-classes"), POLE),
    value_fault=other(spacing=(3.0, 1.0)),
    gradient_fault=lambda g: 1.01 * g,
    soft_slope=False,
)

ENTRIES = [BOUNDARY, SURFACE, HAUSDORFF, PENALIZED]
