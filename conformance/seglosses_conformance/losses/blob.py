"""A region loss of each instance by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import BINARY_LABELS, BINARY_LOGITS, SAMPLE_WEIGHT, SOFT, masked, varied_labels
from ..definitions.region import OF_RATIOS, family
from ..entries import Entry, Sample
from ..faults import other
from ..oracle.family import Cell, ClassScores, one_minus, total
from ..oracle.problem import NoNumberError
from ..oracle.tape import plain
from .dice import dice
from .tversky import tversky

KOFLER = (
    "Kofler et al., blob loss: instance imbalance aware loss functions for semantic segmentation, IPMI 2023"
)
BOUTEILLE = "Bouteille et al., connected-component losses, 2025, arXiv:2511.17146"

COSTS: dict[str, Callable[..., tuple[Any, Any]]] = {"DiceLoss": dice, "TverskyLoss": tversky}
"""Numerator and denominator of what an instance costs."""


def blob(
    cells: list[Cell], loss: dict[str, Any] | None = None, num_instances: int = 32, region: str = "shared"
) -> tuple[Any, Any]:
    """The mean, over the instances that the class has, of the cost of their pixels and the background's."""
    chosen = loss or {"loss": "DiceLoss", "hyperparameters": {}}
    options = {"smooth": 1e-5, **chosen["hyperparameters"]}
    smooth = mpf(options.pop("smooth"))
    found = []
    if not all(0 <= cell.instance <= num_instances for cell in cells):
        raise NoNumberError("an instance of another number")
    for k in range(1, num_instances + 1):
        if total(cell.w * cell.y for cell in cells if cell.instance == k) > 0:
            numbers = (0, k) if region == "shared" else (k,)
            own = [cell for cell in cells if cell.instance in numbers]
            found.append(one_minus(*COSTS[chosen["loss"]](own, smooth, **options)))
    if not found:
        return mpf(0), mpf(0)
    losses, scales = zip(*found, strict=True)
    return total(losses) / len(found), total(map(plain, scales)) / len(found)


def instances_for(logits: np.ndarray) -> np.ndarray:
    """Two instances and the background, that look random."""
    return (varied_labels(logits.shape[0], *logits.shape[2:], classes=3) + 1) % 3


SIX = np.array([[[0.8, 0.1, 0.2, 0.6, 0.9, 0.3]]])
THREE_OF_SIX = np.array([[1, 0, 0, 1, 1, 0]])
RECALL = {"loss": "TverskyLoss", "hyperparameters": {"alpha": 0.25, "beta": 0.75, "smooth": 0.5}}
GIVEN: dict[str, Any] = {"num_instances": 2, "instances": instances_for(SOFT)}
MANY = np.array([[[0, 5, 5], [2, 0, 0]], [[7, 7, 1], [3, 3, 0]]])

ENTRY = Entry(
    loss="BlobLoss",
    source=KOFLER,
    oracle=ClassScores(blob, defaults={"absent": "skip"}),
    inputs=lambda logits: {"instances": instances_for(logits)},
    cases=[
        case(
            "worked-example",
            "Σ p of the background is .6: 1 − (1.6 + ε)/(2.4 + ε) and 1 − (3 + ε)/(4.1 + ε), as the authors' code.",
            flags="worked identity one-class",
            activation="identity",
            num_instances=2,
            logits=SIX,
            target=THREE_OF_SIX,
            instances=np.array([[1, 0, 0, 2, 2, 0]]),
            value_by_hand=1 - (1.6 + 1e-5) / (2.4 + 1e-5) / 2 - (3 + 1e-5) / (4.1 + 1e-5) / 2,
        ),
        case(
            "worked-own",
            "The pixels that are nearest to each: 1 − 1.6/1.9 and 1 − 3/4; slopes of the first pixel and of its"
            " neighbour −2 (1.9 − .8)/1.9² / 2 and 1.6/1.9² / 2.",
            source=BOUTEILLE,
            flags="worked identity one-class",
            activation="identity",
            num_instances=2,
            region="own",
            loss={"loss": "DiceLoss", "hyperparameters": {"smooth": 0.0}},
            logits=SIX,
            target=THREE_OF_SIX,
            instances=np.array([[1, 1, 2, 2, 2, 2]]),
            value_by_hand=1 - 1.6 / 1.9 / 2 - 3 / 4 / 2,
            gradient_by_hand=[-1.1 / 3.61, 0.8 / 3.61, 3 / 32, -5 / 32, -5 / 32, 3 / 32],
        ),
        *(
            replace(scene, instances=instances_for(scene.logits))
            for scene in family(skip=OF_RATIOS, num_instances=2)
        ),
        case("own", "Each instance by itself.", region="own", **GIVEN),
        case("loss", "Tversky's index of each, with an ε of 1/2.", loss=RECALL, **GIVEN),
        case(
            "own-weights",
            "Soft targets with weights, each instance by itself.",
            flags="soft mask sample-weight",
            region="own",
            loss=RECALL,
            **masked(target=SOFT),
            sample_weight=SAMPLE_WEIGHT,
            **GIVEN,
        ),
        case("defaults", "Numbers with gaps, below the largest there may be.", instances=MANY),
        case("no-instance", "Background alone costs nothing.", absent="count", instances=0 * MANY),
        case(
            "one-class",
            "One class, image 1 without an instance.",
            flags="sigmoid one-class",
            activation="sigmoid",
            num_instances=5,
            logits=BINARY_LOGITS,
            target=BINARY_LABELS,
            instances=np.array([[[0, 1, 1], [0, 0, 5]], [[0, 0, 0], [0, 0, 0]]]),
        ),
        case("outside", "An instance above the largest.", flags="nan", num_instances=6, instances=MANY),
        case("below", "An instance below 0.", flags="nan", num_instances=7, instances=MANY - 1),
        case(
            "outside-ignored",
            "What an ignored pixel is numbered does not matter.",
            flags="mask",
            num_instances=2,
            instances=np.where(masked()["mask"] == 0, 99, instances_for(SOFT)),
            **masked(),
        ),
    ],
    samples=(
        Sample({"num_instances": 2}),
        Sample({"num_instances": 3, "region": "own", "loss": RECALL, "include_background": False}),
    ),
    bounds=(0, 1),
    value_fault=other(region="own"),
    gradient_fault=lambda g: 0.99 * g,
)
