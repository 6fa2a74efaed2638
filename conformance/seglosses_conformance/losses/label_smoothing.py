"""Cross-entropy with a penalty on logits that are far apart, or far from the labels around their pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import CLASS_WEIGHTS, LOGITS, SOFT, varied, varied_labels
from ..definitions.pixels import ROW_LABELS, ROWS
from ..definitions.scenes import ONE_CLASS, SCENES, SHARED, SIGMOID, standard
from ..entries import Entry, Sample, refusal
from ..faults import other
from ..oracle.family import PixelCosts, index_of, total
from ..oracle.pooling import Term
from ..oracle.problem import Pixel, Problem
from ..oracle.tape import Scalar, plain
from .cross_entropy import cross_entropy

IDENTITY = {name for name, scene in SCENES.items() if scene.hyperparameters.get("activation") == "identity"}


@dataclass(frozen=True)
class WithPenalty(PixelCosts):
    """Cross-entropy and λ times the mean over the classes of a penalty."""

    penalties: Callable[..., Sequence[Any]] = list
    """Those of the classes of a pixel, with all pixels and the loss's own hyper-parameters."""

    def terms(
        self,
        problem: Problem,
        pixels: Sequence[Pixel],
        activation: str,
        class_weights: Sequence[float] | None,
        *,
        weight: float = 0.1,
        **options: Any,
    ) -> tuple[list[Term], tuple[int, ...]]:
        terms, shape = super().terms(problem, pixels, activation, class_weights)
        found = {index_of(problem, pixel): self.penalties(pixel, pixels, **options) for pixel in pixels}
        for term in terms:
            term.cost = term.cost + mpf(weight) / problem.classes * total(found[term.index])
        return terms, shape


def gaps(pixel: Pixel, pixels: Sequence[Pixel], margin: float = 10.0) -> list[Any]:
    """max(max_j z_j − z_c − m, 0)"""
    highest = largest(pixel.logits)
    return [max(highest - z - mpf(margin), mpf(0), key=plain) for z in pixel.logits]


def distances(pixel: Pixel, pixels: Sequence[Pixel], kernel_size: int = 3) -> list[Any]:
    """|z_c − v_c|, v the mean of the targets in the window; what lies outside or does not count is 0. No slope at 0."""
    reach, rank = kernel_size // 2, len(pixel.position)
    window = {
        tuple(map(sum, zip(pixel.position, step, strict=True)))
        for step in product(range(-reach, reach + 1), repeat=rank)
    }
    near = [other.target for other in pixels if other.image == pixel.image and other.position in window]
    means = [total(column) / mpf(kernel_size) ** rank for column in zip(*near, strict=True)]
    offsets = [z - mean for z, mean in zip(pixel.logits, means, strict=True)]
    return [max(offset, -offset, key=plain) if plain(offset) else mpf(0) for offset in offsets]


def largest(numbers: Sequence[Scalar]) -> Any:
    """Those that tie share its slope."""
    top = max(plain(x) for x in numbers)
    leaders = [x for x in numbers if plain(x) == top]
    return sum(leaders) / len(leaders)


CROSS_ENTROPY = (log(10 / 7) + 2 * log(5 / 3) + log(2)) / 4

WITHOUT = {"softmax", "impossible-class", *ONE_CLASS, *SIGMOID, *IDENTITY}

MARGIN_BASED = Entry(
    loss="MarginBasedLabelSmoothingLoss",
    source="Liu et al., The devil is in the margin: margin-based label smoothing for network calibration, CVPR 2022,"
    " and their code",
    oracle=WithPenalty(cross_entropy, penalties=gaps),
    cases=[
        case(
            "worked-example",
            "m = 1; beyond it are log 3.5 and log 7, log 6, and log 6 of the fourth: cross-entropy and a tenth of"
            " (log 3.5 + log 7 + 2 log 6 − 4)/12.",
            flags="worked",
            margin=1.0,
            logits=np.log(ROWS.T[None]),
            target=ROW_LABELS,
            value_by_hand=CROSS_ENTROPY + (log(3.5) + log(7) + 2 * log(6) - 4) / 120,
        ),
        *standard(skip=WITHOUT, shared=SHARED - {"soft-weights"}),
        case("margin-0", "m = 0.", margin=0.0),
        case("margin-2", "m = 2, λ = 3.", margin=2.0, weight=3.0),
        case("weight-0", "λ = 0: cross-entropy.", weight=0.0),
        case(
            "margin-soft",
            "m = 1, soft targets, class weights.",
            flags="soft class-weights",
            margin=1.0,
            class_weights=CLASS_WEIGHTS,
            target=SOFT,
        ),
        case("margin-none", "m = 1, the map.", flags="none", margin=1.0, reduction="none"),
        case(
            "ties",
            "Two logits are the largest, and share its gradient.",
            margin=0.5,
            logits=np.where(np.arange(3).reshape(1, 3, 1, 1) < 2, 2.0, LOGITS - 4),
        ),
    ],
    samples=(
        Sample({"margin": 1.0}, activations=("softmax",)),
        Sample({"margin": 0.5, "weight": 2.0}, activations=("softmax",)),
    ),
    value_fault=other(weight=0.11),
    gradient_fault=lambda g: 1.01 * g,
)

NEIGHBOUR_AWARE = Entry(
    loss="NACLLoss",
    prefix="nacl",
    source="Murugesan et al., Trust your neighbours: penalty-based constraints for model calibration, MICCAI 2023, and"
    " MONAI",
    oracle=WithPenalty(cross_entropy, penalties=distances),
    cases=[
        case(
            "worked-example",
            "Nine pixels, z = 0: of the cells of a window 4, 6 or 9 lie inside, 49/9 of 9 on average; half of that, for"
            " there are two classes.",
            flags="worked",
            logits=np.zeros((1, 2, 3, 3)),
            target=np.array([[[0, 0, 1]] * 3]),
            value_by_hand=log(2) + 0.1 * 49 / 81 / 2,
        ),
        *standard(skip=WITHOUT, shared=SHARED - {"soft-weights"}),
        case("weight-0", "λ = 0: cross-entropy.", weight=0.0),
        case("weight-3", "λ = 3.", weight=3.0),
        case("kernel-1", "A window of one pixel.", kernel_size=1),
        case("kernel-5", "A window that is wider than the images.", kernel_size=5),
        case(
            "kernel-5-many-pixels",
            "A window that fits the image on one axis.",
            kernel_size=5,
            weight=1.0,
            logits=varied(1, 3, 4, 7),
            target=varied_labels(1, 4, 7, classes=3),
        ),
        case(
            "kernel-5-soft",
            "Soft targets, class weights.",
            flags="soft class-weights",
            kernel_size=5,
            class_weights=CLASS_WEIGHTS,
            target=SOFT,
        ),
        case("kernel-none", "The map.", flags="none", weight=1.0, reduction="none"),
    ],
    samples=(
        Sample({"weight": 1.0}, activations=("softmax",)),
        Sample({"kernel_size": 5, "weight": 0.5, "reduction": "sum"}, activations=("softmax",)),
    ),
    curved=False,
    refuses=(
        refusal(ValueError, "kernel_size", "got 4", "odd", kernel_size=4),
        refusal(ValueError, "weight", "got -1.0", "at least 0", weight=-1.0),
    ),
    value_fault=other(weight=0.11),
    gradient_fault=lambda g: 1.01 * g,
    exceptions={
        "permuted pixels": "it looks at the labels around each pixel",
        "shifted logits": "the distance is that of the logits as they are",
    },
)

ENTRIES = [MARGIN_BASED, NEIGHBOUR_AWARE]
