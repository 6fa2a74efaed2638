"""Losses that look at each pixel with what is around it."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from mpmath import exp, mpf

from ..definitions import Definition, case
from ..definitions.region import OF_RATIOS, family
from ..entries import LOST_DIGITS, Entry, Override, Sample
from ..faults import other
from ..oracle.family import Cell, ClassScores, total
from ..oracle.tape import plain
from ..oracle.windows import image_of
from .skeleton import LARGE, NO_ORDER, of_windows

WANG = "Wang et al., Image quality assessment, 2004, eq. 13; Qin et al., BASNet, CVPR 2019, eq. 6"
CHEN = "Chen et al., Learning active contour models for medical image segmentation, CVPR 2019, eqs. 11 and 12"


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
            "perfect", 1e-8, "A difference of the variances' slopes, each p (1 − p) = 1e-7 over the pixels."
        ),
        Override("perfect-probabilities", 1.0, "It is 0, the difference of slopes of this size."),
    ),
    samples=(Sample({"window": 3}), Sample({"window": 5, "k2": 0.3, "aggregate": "batch"})),
    bounds=(0, 2),
    exceptions=NO_ORDER,
    autodiff_differs={"no-space": LOST_DIGITS},
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

ENTRIES = [SSIM, ACTIVE_CONTOUR]
