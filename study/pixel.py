"""Losses of a single pixel whose target is 1, as functions of its prediction ŷ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import seglosses_core as core

PREDICTIONS = np.linspace(0.001, 1.0, 1000)

LOSSES: dict[str, tuple[type[core.Loss], dict[str, Any]]] = {
    "cross-entropy": (core.CrossEntropyLoss, {}),
    "focal, γ = 2": (core.FocalLoss, {"gamma": 2.0, "alpha": None}),
    "Jaccard": (core.JaccardLoss, {}),
    "Dice": (core.DiceLoss, {}),
    "Tversky, α = 0.3, β = 0.7": (core.TverskyLoss, {"alpha": 0.3, "beta": 0.7}),
    "power Jaccard, p = 2": (core.PowerJaccardLoss, {"p": 2.0}),
    "power Dice, p = 2": (core.PowerDiceLoss, {"p": 2.0}),
    "mean squared error": (core.MeanSquaredErrorLoss, {}),
    "pointwise exponential, α = 2": (core.PointwiseExponentialLoss, {"alpha": 2.0}),
}
POWERS = (0.5, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
"""Some of them outside [1, 2], to see what happens there."""


def value_and_slope(
    loss: type[Any], hyperparameters: dict[str, Any], predictions: np.ndarray = PREDICTIONS
) -> tuple[np.ndarray, np.ndarray]:
    """The loss and its derivative at each prediction."""
    images, labels = predictions[:, None, None], np.ones((len(predictions), 1), dtype=np.int64)
    values = loss(activation="identity", reduction="none", **hyperparameters)(images, labels)
    _, slopes = loss(activation="identity", reduction="sum", **hyperparameters).value_and_grad(images, labels)
    return values.reshape(-1), slopes.reshape(-1)


def power_jaccard(p: float, predictions: np.ndarray = PREDICTIONS) -> tuple[np.ndarray, np.ndarray]:
    """J_p and its derivative, for every p."""
    # An array is not checked: p outside [1, 2] is an error as a number.
    return value_and_slope(core.PowerJaccardLoss, {"p": np.asarray(p)}, predictions)


def stationary(p: float) -> float | None:
    """ŷ* = (1/(p − 1))^(1/p), where the derivative of J_p without ε is 0; None if it is 0 nowhere."""
    if p <= 1:
        return None
    return math.exp(-math.log(p - 1) / p)
