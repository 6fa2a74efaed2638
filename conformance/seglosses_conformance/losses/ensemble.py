"""A weighted sum of losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import IGNORED_MASKED_WEIGHTED, SOFT, VOID
from ..definitions.scenes import POOLINGS, standard
from ..entries import LABELS_ONLY, LOGITS_ONLY, Entry, Sample
from ..faults import without
from ..oracle.evaluation import entry_of
from ..oracle.family import Result, total
from ..oracle.problem import Problem

SOURCE = "Guo et al., arXiv:1802.08290, eq. 1"
TOP_K = {"pooling": "TopK", "fraction": 0.4}


def ensemble(
    problem: Problem,
    *,
    losses: Sequence[dict[str, Any]],
    weights: Sequence[float],
    sum_to_one: bool = False,
) -> Result:
    """Σ_i w_i E_i; `sum_to_one` only asks that the weights do"""
    assert not sum_to_one or sum(weights) == 1
    members = [entry_of(member["loss"]).oracle(problem, **member["hyperparameters"]) for member in losses]
    value = total(mpf(w) * member for w, (member, _, _) in zip(weights, members, strict=True))
    scale = total(abs(mpf(w)) * scale for w, (_, _, scale) in zip(weights, members, strict=True))
    return value, (), scale


def member(loss: str, **hyperparameters: Any) -> dict[str, Any]:
    return {"loss": loss, "hyperparameters": hyperparameters}


def mixed(hyperparameters: dict[str, Any]) -> dict[str, Any]:
    """A scene's hyper-parameters belong to the members: a quarter of cross-entropy, three quarters of Dice."""
    return {
        "losses": [member("CrossEntropyLoss", **hyperparameters), member("DiceLoss", **hyperparameters)],
        "weights": [0.25, 0.75],
    }


ENTRY = Entry(
    loss="EnsembleLoss",
    source=SOURCE,
    oracle=ensemble,
    cases=[
        case(
            "worked-example",
            "Two pixels, ŷ = 1/2 for both, label 1 and 0, ε = 0: cross-entropy log 2, Dice 1 − 1/2: "
            "3/4 · log 2 + 1/4 · 1/2.",
            flags="worked sigmoid one-class",
            losses=[
                member("CrossEntropyLoss", activation="sigmoid"),
                member("DiceLoss", activation="sigmoid", smooth=0.0),
            ],
            weights=[0.75, 0.25],
            logits=np.zeros((1, 1, 2)),
            target=np.array([[1, 0]]),
            value_by_hand=3 / 4 * log(2) + 1 / 8,
            # Cross-entropy 3/4 · (p − y)/2; Dice, 1 − 2p₁/(p₁ + p₂ + 1), has −3/4 and 1/4 by p, times dp/dz = 1/4,
            # times 1/4.
            gradient_by_hand=[-3 / 16 - 3 / 64, 3 / 16 + 1 / 64],
        ),
        *(
            replace(scene, hyperparameters=mixed(scene.hyperparameters))
            for scene in standard(skip={*POOLINGS, "none", "softmax"})
        ),
        case(
            "sum-to-one",
            "Weights that are asked to sum to 1, and do.",
            losses=[member("CrossEntropyLoss"), member("JaccardLoss")],
            weights=[0.25, 0.75],
            sum_to_one=True,
        ),
        case(
            "any-weights",
            "Weights of any sum.",
            losses=[member("FocalLoss"), member("TverskyLoss", alpha=0.25, beta=0.75)],
            weights=[20.0, 1.5],
        ),
        case("one-member", "An ensemble of one.", losses=[member("PowerJaccardLoss", p=1.5)], weights=[2.0]),
        case(
            "twice",
            "The same loss twice, with different hyper-parameters.",
            losses=[member("DiceLoss", smooth=1.0), member("DiceLoss", aggregate="batch")],
            weights=[0.5, 1.0],
        ),
        case(
            "regions",
            "All region losses.",
            losses=[
                member("DiceLoss"),
                member("JaccardLoss"),
                member("TverskyLoss", alpha=0.75, beta=0.25),
                member("PowerDiceLoss", p=1.5),
                member("PowerJaccardLoss"),
                member("PointwiseExponentialLoss", denominator="union"),
            ],
            weights=[1.0, 0.5, 0.25, 2.0, 1.5, 0.125],
        ),
        case(
            "poolings",
            "Members with different reductions.",
            losses=[
                member("CrossEntropyLoss", reduction={"pooling": "TopK", "fraction": 0.25}),
                member("FocalLoss", reduction={"pooling": "Minkowski", "k": 2.0}, alpha=None),
                member("CrossEntropyLoss", reduction="sum", label_smoothing=0.25),
            ],
            weights=[0.5, 0.25, 0.125],
        ),
        case(
            "local",
            "The locally adaptive loss beside Dice.",
            losses=[member("LocallyAdaptiveLoss", kernel_size=3), member("DiceLoss")],
            weights=[0.5, 0.5],
        ),
        case(
            "heat-maps",
            "Members that are never exclusive, under sigmoid.",
            losses=[
                member("DistanceAwareCrossEntropyLoss", activation="sigmoid"),
                member("MeanSquaredErrorLoss", activation="sigmoid"),
                member("CrossEntropyLoss", activation="sigmoid"),
            ],
            weights=[0.5, 4.0, 1.0],
        ),
        case(
            "zero-weight",
            "A member of weight 0.",
            losses=[member("CrossEntropyLoss"), member("JaccardLoss")],
            weights=[1.0, 0.0],
        ),
        case(
            "smoothing-ignored",
            "A member with label smoothing; pixels that are ignored, masked and weighted.",
            flags="mask sample-weight ignore-index",
            losses=[
                member("CrossEntropyLoss", label_smoothing=0.25, ignore_index=VOID),
                member("DiceLoss", ignore_index=VOID),
            ],
            weights=[0.25, 0.75],
            **{name: array for name, array in IGNORED_MASKED_WEIGHTED.items() if name != "ignore_index"},
        ),
        case(
            "soft-regions",
            "Region losses of soft targets beside cross-entropy.",
            flags="soft",
            losses=[member("PowerDiceLoss", p=1.5), member("PowerJaccardLoss"), member("CrossEntropyLoss")],
            weights=[0.5, 0.25, 1.0],
            target=SOFT,
        ),
    ],
    samples=(
        Sample({"losses": [member("DiceLoss"), member("CrossEntropyLoss")], "weights": [0.3, 0.7]}),
        Sample(
            {
                "losses": [
                    member("PowerJaccardLoss"),
                    member("FocalLoss", reduction={"pooling": "Minkowski", "k": 2.5}),
                    member("MeanSquaredErrorLoss", activation="softmax", reduction=TOP_K),
                ],
                "weights": [0.3, 2.0, 0.5],
            }
        ),
        Sample(
            {
                "losses": [
                    member("PowerJaccardLoss", p=1.3),
                    member("FocalLoss"),
                    member("LocallyAdaptiveLoss", kernel_size=3),
                ],
                "weights": [0.3, 1.0, 2.0],
            },
            targets=LABELS_ONLY,
            activations=LOGITS_ONLY,
        ),
    ),
    value_fault=without("sample_weight"),
    gradient_fault=lambda g: 1.01 * g,
    exceptions={"split batch": "it has no reduction of its own that could be a sum"},
)
