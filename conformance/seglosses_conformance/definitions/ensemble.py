"""Cases of weighted sums of losses."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np

from .arrays import (
    IGNORED,
    LABELS,
    LOGITS,
    MASK,
    SAMPLE_WEIGHT,
    SOFT,
    VOID,
    Definition,
    at_pixels,
    variations,
    with_hyperparameters,
)
from .scenes import POOLINGS, standard

ENSEMBLE = "Guo et al., arXiv:1802.08290, eq. 1"


def member(loss: str, **hyperparameters: Any) -> dict[str, Any]:
    return {"loss": loss, "hyperparameters": hyperparameters}


def mixed(hyperparameters: dict[str, Any]) -> dict[str, Any]:
    """A scene's hyper-parameters belong to the members: a quarter of cross-entropy, three quarters of Dice."""
    return {
        "losses": [member("CrossEntropyLoss", **hyperparameters), member("DiceLoss", **hyperparameters)],
        "weights": [0.25, 0.75],
    }


OWN: list[tuple[str, str, dict[str, Any]]] = [
    (
        "sum-to-one",
        "Weights that are asked to sum to 1, and do.",
        {
            "losses": [member("CrossEntropyLoss"), member("JaccardLoss")],
            "weights": [0.25, 0.75],
            "sum_to_one": True,
        },
    ),
    (
        "any-weights",
        "Weights of any sum.",
        {
            "losses": [member("FocalLoss"), member("TverskyLoss", alpha=0.25, beta=0.75)],
            "weights": [20.0, 1.5],
        },
    ),
    (
        "one-member",
        "An ensemble of one.",
        {"losses": [member("PowerJaccardLoss", p=1.5)], "weights": [2.0]},
    ),
    (
        "twice",
        "The same loss twice, with different hyper-parameters.",
        {
            "losses": [member("DiceLoss", smooth=1.0), member("DiceLoss", aggregate="batch")],
            "weights": [0.5, 1.0],
        },
    ),
    (
        "regions",
        "All region losses.",
        {
            "losses": [
                member("DiceLoss"),
                member("JaccardLoss"),
                member("TverskyLoss", alpha=0.75, beta=0.25),
                member("PowerDiceLoss", p=1.5),
                member("PowerJaccardLoss"),
                member("PointwiseExponentialLoss", denominator="union"),
            ],
            "weights": [1.0, 0.5, 0.25, 2.0, 1.5, 0.125],
        },
    ),
    (
        "poolings",
        "Members with different reductions.",
        {
            "losses": [
                member("CrossEntropyLoss", reduction={"pooling": "TopK", "fraction": 0.25}),
                member("FocalLoss", reduction={"pooling": "Minkowski", "k": 2.0}, alpha=None),
                member("CrossEntropyLoss", reduction="sum", label_smoothing=0.25),
            ],
            "weights": [0.5, 0.25, 0.125],
        },
    ),
    (
        "local",
        "The locally adaptive loss beside Dice.",
        {"losses": [member("LocallyAdaptiveLoss", kernel_size=3), member("DiceLoss")], "weights": [0.5, 0.5]},
    ),
    (
        "heat-maps",
        "Members that are never exclusive, under sigmoid.",
        {
            "losses": [
                member("DistanceAwareCrossEntropyLoss", activation="sigmoid"),
                member("MeanSquaredErrorLoss", activation="sigmoid"),
                member("CrossEntropyLoss", activation="sigmoid"),
            ],
            "weights": [0.5, 4.0, 1.0],
        },
    ),
    (
        "zero-weight",
        "A member of weight 0.",
        {"losses": [member("CrossEntropyLoss"), member("JaccardLoss")], "weights": [1.0, 0.0]},
    ),
]

DEFINITIONS = {
    "EnsembleLoss": [
        Definition(
            id="ensemble/worked-example",
            comment="Two pixels, ŷ = 1/2 for both, label 1 and 0, ε = 0: cross-entropy log 2, Dice 1 − 1/2: "
            "3/4 · log 2 + 1/4 · 1/2.",
            source=ENSEMBLE,
            flags=("worked", "sigmoid", "one-class"),
            hyperparameters={
                "losses": [
                    member("CrossEntropyLoss", activation="sigmoid"),
                    member("DiceLoss", activation="sigmoid", smooth=0.0),
                ],
                "weights": [0.75, 0.25],
            },
            logits=np.zeros((1, 1, 2)),
            target=np.array([[1, 0]]),
        ),
        *with_hyperparameters(standard("ensemble", ENSEMBLE, skip={*POOLINGS, "none", "softmax"}), mixed),
        *variations("ensemble", ENSEMBLE, LOGITS, LABELS, OWN),
        Definition(
            id="ensemble/smoothing-ignored",
            comment="A member with label smoothing; pixels that are ignored, masked and weighted.",
            source=ENSEMBLE,
            flags=("mask", "sample-weight", "ignore-index"),
            hyperparameters={
                "losses": [
                    member("CrossEntropyLoss", label_smoothing=0.25, ignore_index=VOID),
                    member("DiceLoss", ignore_index=VOID),
                ],
                "weights": [0.25, 0.75],
            },
            logits=at_pixels(LOGITS, IGNORED | (MASK == 0), nan),
            target=np.where(IGNORED, VOID, LABELS),
            mask=MASK,
            sample_weight=SAMPLE_WEIGHT,
        ),
        Definition(
            id="ensemble/soft-regions",
            comment="Region losses of soft targets beside cross-entropy.",
            source=ENSEMBLE,
            flags=("soft",),
            hyperparameters={
                "losses": [
                    member("PowerDiceLoss", p=1.5),
                    member("PowerJaccardLoss"),
                    member("CrossEntropyLoss"),
                ],
                "weights": [0.5, 0.25, 1.0],
            },
            logits=LOGITS,
            target=SOFT,
        ),
    ]
}
