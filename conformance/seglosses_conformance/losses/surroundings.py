"""Losses that look at each pixel with what is around it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from mpmath import exp, mpf

from ..definitions import Definition, case
from ..definitions.arrays import masked
from ..definitions.region import OF_RATIOS, family
from ..entries import Entry, Override, Sample
from ..faults import other
from ..oracle.family import Cell, ClassScores, total
from ..oracle.tape import plain
from ..oracle.windows import Image, image_of, plus, positive
from .skeleton import LARGE, NO_ORDER, SQUARE, of_windows

WANG = "Wang et al., Image quality assessment, 2004, eq. 13; Qin et al., BASNet, CVPR 2019, eq. 6"
CHEN = "Chen et al., Learning active contour models for medical image segmentation, CVPR 2019, eqs. 11 and 12"
KARIMI = "Karimi and Salcudean, Reducing the Hausdorff distance in medical image segmentation, 2020, eq. 10"


def ssim(
    cells: list[Cell], window: int = 11, sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03
) -> tuple[Any, Any]:
    """1 − mean SSIM, from all windows as they are defined."""
    p, y = image_of(cells, lambda cell: cell.p), image_of(cells, lambda cell: cell.y)
    c1, c2, radius = mpf(k1) ** 2, mpf(k2) ** 2, window // 2
    rank = len(cells[0].place) - 1
    offsets = list(product(range(-radius, radius + 1), repeat=rank))
    gauss = {
        offset: exp(-sum(mpf(step) ** 2 for step in offset) / (2 * mpf(sigma) ** 2)) for offset in offsets
    }
    whole = total(gauss.values())
    weight = total(cell.w for cell in cells)
    loss, scale = mpf(0), mpf(0)
    for cell in cells:
        seen = []
        for offset in offsets:
            place = tuple(map(sum, zip(cell.place, (0, *offset), strict=True)))
            if place in p:
                seen.append((gauss[offset] / whole, p[place], y[place]))
        mean_p, mean_y = total(g * a for g, a, _ in seen), total(g * b for g, _, b in seen)
        square_p, square_y = total(g * a * a for g, a, _ in seen), total(g * b * b for g, _, b in seen)
        above = (2 * mean_p * mean_y + c1) * (
            2 * (total(g * a * b for g, a, b in seen) - mean_p * mean_y) + c2
        )
        spread = square_p - mean_p * mean_p + square_y - mean_y * mean_y + c2
        local = above / ((mean_p * mean_p + mean_y * mean_y + c1) * spread)
        loss = loss + cell.w * (1 - local) / weight
        # A variance is a difference of these.
        scale += cell.w * (1 + (plain(square_p) + plain(square_y)) / plain(spread)) / weight
    return loss, scale


def active_contour(cells: list[Cell], weight: float = 1.0, inside: float = 1.0) -> tuple[Any, Any]:
    """mean √(Σ (next − p)² + 1e-8) + λ (μ mean p (1 − y)² + mean (1 − p) y²)"""
    p, whole, loss = image_of(cells, lambda cell: cell.p), total(cell.w for cell in cells), mpf(0)
    for cell in cells:
        square = mpf(1e-8)
        for axis in range(1, len(cell.place)):
            place = tuple(i + (k == axis) for k, i in enumerate(cell.place))
            if place in p:
                square = square + (p[place] - cell.p) ** 2
        length = square ** mpf(0.5)
        region = mpf(inside) * cell.p * (1 - cell.y) ** 2 + (1 - cell.p) * cell.y**2
        loss = loss + cell.w * (length + mpf(weight) * region) / whole
    return loss, plain(loss)


def hausdorff_by_erosion(
    cells: list[Cell], alpha: float = 2.0, erosions: int = 10, threshold: float = 0.5
) -> tuple[Any, Any]:
    """Σ_k k^α mean b_k, each b from the one before: the mean of a cross, less t, scaled to [0, 1] in each image."""
    weights, cross = image_of(cells, lambda cell: cell.w), plus(len(cells[0].place) - 1)
    bound = image_of(cells, lambda cell: (cell.p - cell.y) ** 2)
    whole, loss = total(weights.values()), mpf(0)
    for k in range(1, erosions + 1):
        left = {}
        for place in bound:
            around = (tuple(map(sum, zip(place, offset, strict=True))) for offset in cross)
            mean = total(bound[other] for other in around if other in bound) / len(cross)
            left[place] = positive(mean - mpf(threshold))
        bound = {}
        for image in {place[0] for place in left}:
            inside = {place: x for place, x in left.items() if place[0] == image}
            highest, lowest = shared(inside, max), shared(inside, min)
            if plain(highest) > plain(lowest):
                inside = {place: (x - lowest) / (highest - lowest) for place, x in inside.items()}
            bound |= inside
        loss = loss + mpf(k) ** mpf(alpha) * total(weights[place] * x for place, x in bound.items()) / whole
    return loss, plain(loss)


def shared(image: Image, choose: Callable[..., Any]) -> Any:
    """The extreme of all pixels, whose slope equal ones share."""
    best = choose(map(plain, image.values()))
    equal = [x for x in image.values() if plain(x) == best]
    return total(equal) / len(equal)


CENTRE = np.zeros((1, 3, 3), dtype=int)
CENTRE[0, 1, 1] = 1


def one_pixel(y: int, value: float) -> Definition:
    return case(
        f"worked-{y}",
        f"One pixel, p = 1/2, y = {y}, as in BASNet.",
        flags="worked identity one-class one-pixel",
        activation="identity",
        logits=np.full((1, 1, 1, 1), 0.5),
        target=np.full((1, 1, 1), y),
        value_by_hand=value,
    )


def of_one_pixel(y: int) -> float:
    """The window's weight of its own centre is all that there is of it."""
    g = 1 / sum(np.exp(-k * k / 4.5) for k in range(-5, 6)) ** 2
    p, c1, c2 = 0.5, 1e-4, 9e-4
    mean_p, mean_y = g * p, g * y
    a = (2 * mean_p * mean_y + c1) * (2 * (g * p * y - mean_p * mean_y) + c2)
    b = (mean_p**2 + mean_y**2 + c1) * (g * p * p - mean_p**2 + g * y * y - mean_y**2 + c2)
    return float(1 - a / b)


SSIM = Entry(
    loss="SSIMLoss",
    source=WANG,
    oracle=ClassScores(ssim),
    prefix="ssim",
    cases=[
        one_pixel(1, of_one_pixel(1)),
        one_pixel(0, of_one_pixel(0)),
        *family(skip=OF_RATIOS, window=3),
        *of_windows(),
        case("window-5", "σ = 1, other constants.", window=5, sigma=1.0, k1=0.1, k2=0.2, **LARGE),
    ],
    overrides=(
        Override(
            "no-space",
            0.2,
            "A window of one pixel has no variance: of its slope, terms of p / c2, 0 is left.",
        ),
        Override("perfect-probabilities", 1e-30, "It is 0; the oracle's is what 50 digits leave of that."),
    ),
    samples=(Sample({"window": 3}), Sample({"window": 5, "k2": 0.3, "aggregate": "batch"})),
    bounds=(0, 2),
    exceptions=NO_ORDER,
    alone=False,
    value_fault=other(sigma=1.51),
    gradient_fault=lambda g: 0.99 * g,
)

ACTIVE_CONTOUR = Entry(
    loss="ActiveContourLoss",
    source=CHEN,
    oracle=ClassScores(active_contour),
    cases=[
        case(
            "worked-example",
            "p = .8 .2 / .6 .1: lengths √.40, .1, .5, 0, mean .3081; |p − y| = .2 .2 .4 .1, mean .225.",
            flags="worked identity one-class",
            activation="identity",
            logits=np.array([[[[0.8, 0.2], [0.6, 0.1]]]]),
            target=np.array([[[1, 0], [1, 0]]]),
            value_by_hand=float(
                np.sqrt(np.array([0.4, 0.01, 0.25, 0]) + 1e-8).mean() + np.mean([0.2, 0.2, 0.4, 0.1])
            ),
        ),
        *family(skip=OF_RATIOS),
        *of_windows(),
        case("weight", "λ = 1/2, μ = 3.", weight=0.5, inside=3.0, **LARGE),
        case("length", "The length alone.", weight=0.0, **LARGE),
    ],
    samples=(Sample(), Sample({"weight": 2.0, "inside": 0.5, "aggregate": "batch"})),
    exceptions={**NO_ORDER, "mirrored pixels": "each pixel is compared with the next ones alone"},
    value_fault=other(weight=1.01),
    gradient_fault=lambda g: 0.99 * g,
    curved=False,
)

WRONG: dict[str, Any] = {"logits": 2 * LARGE["logits"], "target": 0 * LARGE["target"] + 1}

HAUSDORFF_BY_EROSION = Entry(
    loss="HausdorffERLoss",
    source=KARIMI,
    oracle=ClassScores(hausdorff_by_erosion),
    prefix="hausdorff-er",
    cases=[
        case(
            "worked-example",
            "A square of 3 × 3, p = 0: b_1 = 1 in the centre, .6 at the edges, .2 in the corners,"
            " b_2 = 1 in the centre: (4.2 + 4)/25, as in kornia.",
            flags="worked identity one-class",
            activation="identity",
            logits=np.zeros((1, 1, 5, 5)),
            target=SQUARE,
            value_by_hand=0.328,
        ),
        case(
            "worked-threshold",
            "t = 0, one erosion, errors 0 0 1 0 0: c = 0 1 1 1 0 by 3, b = 0 1 1 1 0: 3/5.",
            flags="worked identity one-class",
            activation="identity",
            threshold=0.0,
            erosions=1,
            logits=np.zeros((1, 1, 5)),
            target=np.array([[0, 0, 1, 0, 0]]),
            value_by_hand=0.6,
        ),
        case(
            "worked-small",
            "No error above .7: nothing is left.",
            flags="worked identity one-class",
            activation="identity",
            logits=np.array([[[0.1, 0.6, 0.9, 0.6, 0.2]]]),
            target=np.array([[0, 1, 1, 1, 0]]),
            value_by_hand=0.0,
            gradient_by_hand=[0, 0, 0, 0, 0],
        ),
        # Where all pixels are equally wrong, rounding decides which error is the largest.
        *family(skip=OF_RATIOS | {"wrong"}, erosions=2, threshold=0.03),
        *of_windows(),
        case("thick", "Ten erosions of thick errors.", flags="wrong", **WRONG),
        case(
            "thick-mask",
            "Ignored pixels are no extremes.",
            flags="mask",
            **masked(WRONG["logits"], mask=np.tile([[1.0, 1.0, 0.5], [1.0, 1.0, 0.0]], (2, 3, 2))[:, :5, :4]),
            target=WRONG["target"],
            threshold=0.25,
        ),
        case("alpha-1", "α = 1.", alpha=1.0, **WRONG),
    ],
    overrides=(
        Override(
            "worked-threshold",
            0.4,
            "The slope of the largest error is 1 / max − x / max², times 2/5 here: of 0, XLA leaves what it rounds.",
            target="jax-jit",
        ),
    ),
    samples=(
        Sample({"erosions": 2, "threshold": 0.03}),
        Sample({"erosions": 3, "alpha": 1.0, "threshold": 0.125, "aggregate": "batch"}),
    ),
    exceptions=NO_ORDER,
    soft_slope=False,
    alone=False,
    value_fault=other(alpha=2.01),
    gradient_fault=lambda g: 0.99 * g,
)

ENTRIES = [SSIM, ACTIVE_CONTOUR, HAUSDORFF_BY_EROSION]
