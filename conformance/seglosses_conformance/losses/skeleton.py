"""Losses of thin shapes: of soft skeletons and of boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mpmath import isinf, mpf

from ..definitions import Definition, case
from ..definitions.arrays import IGNORED_MASKED_WEIGHTED, masked, varied, varied_labels
from ..definitions.probabilities import edges
from ..definitions.region import family
from ..definitions.scenes import standard
from ..entries import POLE, TIE, Entry, Sample
from ..faults import other
from ..oracle.family import Cell, Classes, ClassScores, PixelCosts, index_of, one_minus, one_region, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem, probabilities
from ..oracle.tape import plain
from ..oracle.windows import Image, box, extreme, image_of, plus, skeleton
from .cross_entropy import cross_entropy

SHIT = "Shit et al., clDice, CVPR 2021, algorithms 1 and 2"
ACEBES = "Acebes et al., The centerline-cross entropy loss, MICCAI 2024"
KIRCHHOFF = "Kirchhoff et al., Skeleton recall loss, ECCV 2024, section 3"
BOKHOVKIN = (
    "Bokhovkin and Burnaev, Boundary loss for remote sensing imagery semantic segmentation, 2019, section 3"
)


def harmonic(
    parts: Sequence[tuple[list[Cell], Sequence[tuple[Image, Image]]]], smooth: Any, eta: Any = 0
) -> tuple[Any, Any]:
    """1 − 2 P R / (P + R + η), each (Σ w a b + ε)/(Σ w a + ε) of two images, of which each part has its own."""
    numbers = tuple(map(mpf, smooth)) if isinstance(smooth, list) else (smooth, smooth)
    ratios = []
    for k in range(2):
        above, below = numbers
        for cells, pairs in parts:
            a, b = pairs[k]
            above = above + total(cell.w * a[cell.place] * b[cell.place] for cell in cells)
            below = below + total(cell.w * a[cell.place] for cell in cells)
        ratios.append(above / below if plain(below) != 0 else 1)
    p, r = ratios
    return one_minus(2 * p * r, p + r + eta)


def cl_dice(
    classes: list[list[Cell]], smooth: Any, iterations: int = 10, harmonic_smooth: float = 0.0
) -> tuple[Any, Any]:
    """Topology precision and sensitivity."""
    parts = []
    for cells in classes:
        p, y = image_of(cells, lambda cell: cell.p), image_of(cells, lambda cell: cell.y)
        parts.append((cells, [(skeleton(p, iterations), y), (skeleton(y, iterations), p)]))
    return harmonic(parts, smooth, mpf(harmonic_smooth))


@dataclass(frozen=True)
class OfClasses(ClassScores):
    """A region is the cells of each of its classes."""

    def regions(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        for weight, counted, cells in super().regions(classes):
            yield weight, counted, [cells] if cells else []

    def joint_region(self, classes: Classes) -> Iterable[tuple[Any, Any, Any]]:
        counting = [seen for seen in classes if seen.costs]
        top = max((seen.weight for seen in counting), default=1) or 1
        content = [[replace(cell, w=cell.w * seen.weight / top) for cell in seen.cells] for seen in counting]
        return [one_region(classes, content)]


def boundary_f1(cells: list[Cell], smooth: Any, width: int = 3, tolerance: int = 5) -> tuple[Any, Any]:
    """Precision and recall of boundaries, each within a tolerance of the other."""

    def near(image: Image) -> tuple[Image, Image]:
        rank = len(next(iter(image))) - 1
        eroded = extreme(image, box(rank, width), min)
        boundary = {place: image[place] - eroded[place] for place in image}
        return boundary, extreme(boundary, box(rank, tolerance), max)

    of_p, wide_p = near(image_of(cells, lambda cell: cell.p))
    of_y, wide_y = near(image_of(cells, lambda cell: cell.y))
    return harmonic([(cells, [(of_p, wide_y), (of_y, wide_p)])], smooth)


def skeleton_recall(cells: list[Cell], smooth: Any, iterations: int = 10) -> tuple[Any, Any]:
    """1 − (Σ p t + ε)/(Σ t + ε), t the skeleton of the target, dilated twice, within the target."""
    y = image_of(cells, lambda cell: cell.y)
    near = skeleton(y, iterations)
    for _ in range(2):
        near = extreme(near, [plus(len(cells[0].place) - 1)], max)
    t = [cell.w * near[cell.place] * cell.y for cell in cells]
    found = total(weight * cell.p for weight, cell in zip(t, cells, strict=True))
    return one_minus(found + smooth, total(t) + smooth)


@dataclass(frozen=True)
class AlongSkeletons(PixelCosts):
    """Costs (S_y + S_p) ℓ. Of exclusive classes S is the sum over all but class 0."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        iterations: int = 3,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        terms, shape = super().terms(problem, pixels, activation, class_weights, **options)
        exclusive = self.are_exclusive(activation, problem.classes, options.get("overlapping"))
        predicted = [probabilities(pixel.logits, activation) for pixel in pixels]
        factors: dict[int, Any] = {}
        for c in range(1 if exclusive else 0, problem.classes):
            for values in ([p[c] for p in predicted], [pixel.target[c] for pixel in pixels]):
                places = [(pixel.image, *pixel.position) for pixel in pixels]
                if not places:
                    continue
                found = skeleton(dict(zip(places, values, strict=True)), iterations)
                for pixel, place in zip(pixels, places, strict=True):
                    index = index_of(problem, pixel) if exclusive else index_of(problem, pixel, c)
                    factors[index] = factors.get(index, 0) + found[place]
        return [replace(term, cost=along(term.cost, factors[term.index])) for term in terms], shape


def along(cost: Any, factor: Any) -> Any:
    """Cost times factor. A cost of ∞ has no slope by the factor, and nothing of it is 0."""
    if isinf(plain(cost)):
        return cost * plain(factor) if plain(factor) > 0 else mpf(0)
    return cost * factor


ROW: dict[str, Any] = {
    "logits": np.array([[[0.1, 0.6, 0.3, 0.8, 0.2]]]),
    "target": np.array([[0, 0, 0, 1, 0]]),
}
LARGE: dict[str, Any] = {"logits": varied(2, 2, 5, 4, root=46), "target": varied_labels(2, 5, 4, classes=2)}
LINE = np.zeros((1, 3, 5), dtype=int)
LINE[0, 1] = 1
SQUARE = np.zeros((1, 5, 5), dtype=int)
SQUARE[0, 1:4, 1:4] = 1
RING = np.where(SQUARE, 0.8, 0.1)
RING[0, 2, 2] = 0.9
NO_ORDER = {"permuted pixels": "neighbours change with the order"}


def of_windows() -> list[Definition]:
    """What the losses of windows are asked beside what all of their family are."""
    return [
        case("large", "Two images of 5 × 4 pixels.", **LARGE),
        case(
            "large-mask",
            "Ignored pixels are in no window.",
            flags="mask",
            **masked(LARGE["logits"], mask=np.tile([[1.0, 0.5], [0.0, 2.0]], (2, 3, 2))[:, :5]),
            target=LARGE["target"],
        ),
        case(
            "large-volume",
            "A volume of 3 × 3 × 3.",
            flags="volume",
            logits=varied(1, 2, 3, 3, 3, root=7),
            target=varied_labels(1, 3, 3, 3, classes=2),
        ),
        case("large-sigmoid", "Overlapping classes.", flags="sigmoid", activation="sigmoid", **LARGE),
    ]


CL_DICE = Entry(
    loss="ClDiceLoss",
    source=SHIT,
    oracle=OfClasses(cl_dice, defaults={"smooth": 1.0}),
    prefix="cl-dice",
    cases=[
        case(
            "worked-example",
            "S_p = 0, .3, 0, .5, 0: P = 1.5/1.8, R = .9: 1 − 1.5/(1.5/1.8 + .9).",
            flags="worked identity one-class",
            activation="identity",
            iterations=0,
            **ROW,
            value_by_hand=7 / 52,  # P = 5/6, R = 9/10
        ),
        case(
            "worked-line",
            "A line of .9 on .2: S_p = .7 on it, P = 1, R = 5.5/6, as in the authors' code.",
            flags="worked identity one-class",
            activation="identity",
            iterations=3,
            logits=np.where(LINE, 0.9, 0.2)[:, None],
            target=LINE,
            value_by_hand=1 / 23,  # P = 1, R = 11/12
        ),
        *family(iterations=1),
        *(replace(one, hyperparameters={**one.hyperparameters, "iterations": 2}) for one in of_windows()),
        case("iterations-0", "No erosion but one.", iterations=0, **LARGE),
        case("defaults", "Ten erosions.", **LARGE),
        case("smooth-pair", "ε = 1/4 above and 2 below.", iterations=1, smooth=[0.25, 2.0], **LARGE),
        case(
            "harmonic-smooth",
            "η = 1/2.",
            iterations=1,
            harmonic_smooth=0.5,
            **LARGE,
        ),
        case("joint", "The sums of both classes together.", iterations=1, per_class=False, **LARGE),
        case(
            "joint-weighted",
            "The sums of both classes together, class 1 more than class 0, over the batch, with η.",
            flags="mask class-weights batch",
            iterations=1,
            per_class=False,
            harmonic_smooth=0.25,
            aggregate="batch",
            class_weights=[0.5, 2.0],
            **masked(LARGE["logits"], mask=np.tile([[1.0, 0.5], [0.0, 2.0]], (2, 3, 2))[:, :5]),
            target=LARGE["target"],
        ),
        case(
            "joint-none",
            "One loss for each image, without the background.",
            flags="none",
            iterations=1,
            per_class=False,
            include_background=False,
            reduction="none",
            **LARGE,
        ),
    ],
    samples=(
        Sample({"iterations": 1}),
        Sample({"iterations": 2, "include_background": False, "smooth": 0.5}),
        Sample({"iterations": 1, "per_class": False, "class_weights": [1.0, 2.0, 0.5]}),
    ),
    bounds=(0, 1),
    exceptions=NO_ORDER,
    autodiff_differs={"wrong": TIE},
    alone=False,
    value_fault=other(smooth=0.99),
    gradient_fault=lambda g: 0.99 * g,
    soft_slope=False,
    curved=False,
)

CL_CROSS_ENTROPY = Entry(
    loss="ClCrossEntropyLoss",
    source=ACEBES,
    oracle=AlongSkeletons(cross_entropy),
    prefix="cl-cross-entropy",
    cases=[
        case(
            "worked-example",
            "Pixel 3 has S_y + S_p = 1.5 and −log .8, pixel 1 has .3 and −log .4.",
            flags="worked identity one-class",
            activation="identity",
            iterations=0,
            **ROW,
            value_by_hand=-(1.5 * np.log(0.8) + 0.3 * np.log(0.4)) / 5,
        ),
        *standard(skip=["softmax"], iterations=1),
        *(replace(one, hyperparameters={**one.hyperparameters, "iterations": 2}) for one in of_windows()),
        case("iterations-0", "No erosion but one.", iterations=0, **LARGE),
        case("defaults", "Three erosions.", **LARGE),
        *edges(exclusive=True),
        case(
            "certain-and-wrong-nowhere",
            "Certain and wrong off all centrelines, which a class has none of where all is alike: 0.",
            flags="identity wrong",
            activation="identity",
            logits=np.array([[[0.0] * 4, [1.0] * 4]]),
            target=np.zeros((1, 4), dtype=int),
        ),
        case("label-smoothing", "ε = 0.25.", label_smoothing=0.25, **LARGE),
        case(
            "label-smoothing-ignored",
            "ε = 0.25 of pixels that are ignored, masked and weighted.",
            flags="mask sample-weight ignore-index",
            label_smoothing=0.25,
            iterations=1,
            **IGNORED_MASKED_WEIGHTED,
        ),
    ],
    samples=(Sample({"iterations": 1}), Sample({"iterations": 2, "activation": "sigmoid"})),
    exceptions={**NO_ORDER, "permuted classes": "class 0 is the background"},
    autodiff_differs={
        **dict.fromkeys(("certain-and-wrong", "certain-and-wrong-classes"), POLE),
        **dict.fromkeys(("perfect", "wrong", "clip-classes"), TIE),
    },
    alone=False,
    value_fault=other(iterations=0),
    gradient_fault=lambda g: 0.99 * g,
    soft_slope=False,
    curved=False,
)

BOUNDARY_F1 = Entry(
    loss="BoundaryF1Loss",
    source=BOKHOVKIN,
    oracle=ClassScores(boundary_f1),
    prefix="boundary-f1",
    cases=[
        case(
            "worked-example",
            "Σ b_p = 5.7, all of it near: P = 1; of the eight of b_y, R = 5.6/8.",
            flags="worked identity one-class",
            activation="identity",
            smooth=0.0,
            logits=RING[:, None],
            target=SQUARE,
            value_by_hand=1 - 1.4 / 1.7,
        ),
        case(
            "worked-exact",
            "θ = 1: P = 5.6/5.7, R = 5.6/8.",
            flags="worked identity one-class",
            activation="identity",
            smooth=0.0,
            tolerance=1,
            logits=RING[:, None],
            target=SQUARE,
            value_by_hand=1 - 2 * (5.6 / 5.7) * 0.7 / (5.6 / 5.7 + 0.7),
        ),
        *family(tolerance=1),
        *of_windows(),
        case("wider", "θ0 = 5, θ = 3.", width=5, tolerance=3, **LARGE),
    ],
    samples=(Sample(), Sample({"tolerance": 3, "aggregate": "batch", "smooth": 0.5})),
    bounds=(0, 1),
    exceptions=NO_ORDER,
    autodiff_differs=dict.fromkeys(
        ("worked-example", "worked-exact", "perfect", "wrong", "perfect-probabilities"), TIE
    ),
    alone=False,
    value_fault=other(tolerance=1),
    gradient_fault=lambda g: 0.99 * g,
    soft_slope=False,
    curved=False,
)

SKELETON_RECALL = Entry(
    loss="SkeletonRecallLoss",
    source=KIRCHHOFF,
    oracle=ClassScores(skeleton_recall, defaults={"smooth": 1.0}),
    cases=[
        case(
            "worked-example",
            "A line of two pixels is its own skeleton: 1 − (.6 + .3)/2.",
            flags="worked identity one-class",
            activation="identity",
            smooth=0.0,
            logits=ROW["logits"],
            target=np.array([[0, 1, 1, 0, 0]]),
            value_by_hand=0.55,
            gradient_by_hand=[0, -1 / 2, -1 / 2, 0, 0],
        ),
        *family(iterations=1),
        *(replace(one, hyperparameters={**one.hyperparameters, "iterations": 2}) for one in of_windows()),
        case("defaults", "Ten erosions.", **LARGE),
    ],
    samples=(Sample({"iterations": 1}), Sample({"include_background": False, "smooth": 0.5})),
    bounds=(0, 1),
    exceptions=NO_ORDER,
    alone=False,
    value_fault=other(smooth=0.99),
    gradient_fault=lambda g: 0.99 * g,
    soft_slope=False,
)

ENTRIES = [CL_DICE, CL_CROSS_ENTROPY, SKELETON_RECALL, BOUNDARY_F1]
