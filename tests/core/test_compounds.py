"""Compounds against values by hand, in every package."""

from __future__ import annotations

from math import log, sqrt

import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch
from seglosses_conformance.definitions.pixels import ODDS, YES_OR_NO

# Of class 1, p = 4/5, 3/5, 3/10, 1/10 at labels 1, 1, 0, 0: I = 8/5, 7/5 and P = 11/5, 9/5 of classes 0 and 1.
TWO = np.concatenate([np.zeros_like(ODDS), ODDS], axis=1)


def value(package, make, logits):
    """Of the logits with the class axis 1, in float64."""
    if package is seglosses_torch:
        return make(seglosses_torch)(torch.tensor(logits), torch.tensor(YES_OR_NO)).item()
    if package is seglosses_jax:
        return float(make(seglosses_jax, class_axis=1)(jnp.asarray(logits), jnp.asarray(YES_OR_NO)))
    if package is seglosses_keras:
        loss = make(seglosses_keras, class_axis=1)
        return float(keras.ops.convert_to_numpy(loss(YES_OR_NO, keras.ops.convert_to_tensor(logits))))
    return float(make(seglosses_core)(logits, YES_OR_NO))


every_package = pytest.mark.parametrize(
    "package",
    [seglosses_core, seglosses_torch, seglosses_jax, seglosses_keras],
    ids=lambda package: package.__name__,
)


@every_package
@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.5), (0.25, 0.8)])
def test_combo_loss(package, alpha, beta):
    """The Dice coefficient is (2 · 7/5 + 1)/(9/5 + 2 + 1)."""
    entropy = -(beta * log(4 / 5 * 3 / 5) + (1 - beta) * log(7 / 10 * 9 / 10)) / 4
    expected = alpha * entropy + (1 - alpha) * (1 - 3.8 / 4.8)
    found = value(package, lambda losses, **more: losses.combo_loss(alpha=alpha, beta=beta, **more), ODDS)
    assert found == pytest.approx(expected, rel=1e-6)


DELTA = 0.6
# 1 − t = (.6 FN + .4 FP)/(I + .6 FN + .4 FP), FN = 2/5, 3/5, FP = 3/5, 2/5.
U0, U1 = 0.48 / 2.08, 0.52 / 1.92
FOCAL = {
    # Labels 1 with 3/5 and no damping, labels 0 with 2/5 √(1 − p).
    True: -(0.6 * log(4 / 5 * 3 / 5) + 0.4 * (sqrt(0.3) * log(7 / 10) + sqrt(0.1) * log(9 / 10))) / 4,
    False: -(
        0.6 * (sqrt(0.2) * log(4 / 5) + sqrt(0.4) * log(3 / 5))
        + 0.4 * (sqrt(0.3) * log(7 / 10) + sqrt(0.1) * log(9 / 10))
    )
    / 4,
}
REGION = {True: (U0 + sqrt(U1)) / 2, False: (sqrt(U0) + sqrt(U1)) / 2}


@every_package
@pytest.mark.parametrize("asymmetric", [True, False])
@pytest.mark.parametrize("weight", [0.5, 0.25])
def test_unified_focal_loss(package, asymmetric, weight):
    expected = weight * FOCAL[asymmetric] + (1 - weight) * REGION[asymmetric]
    options = {"weight": weight, "asymmetric": asymmetric}
    found = value(package, lambda losses, **more: losses.UnifiedFocalLoss(**options, **more), TWO)
    assert found == pytest.approx(expected, rel=1e-6)


def test_unified_focal_loss_of_several_rare_classes():
    """Each class and each pixel by itself."""
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(1, 4, 9)), random.integers(0, 4, (1, 9))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    rare, gamma, delta = {1, 3}, 0.3, 0.7
    focal, region = [], []
    for i, label in enumerate(labels[0]):
        q = p[0, label, i]
        focal.append(-delta * log(q) if label in rare else -(1 - delta) * (1 - q) ** gamma * log(q))
    for c in range(4):
        hot = labels[0] == c
        missed = delta * np.sum((1 - p[0, c]) * hot) + (1 - delta) * np.sum(p[0, c] * ~hot)
        u = missed / (np.sum(p[0, c] * hot) + missed)
        region.append(u ** (1 - gamma) if c in rare else u)
    loss = seglosses_core.UnifiedFocalLoss(weight=0.2, delta=delta, gamma=gamma, rare=[1, 3], num_classes=4)
    assert loss(logits, labels) == pytest.approx(0.2 * np.mean(focal) + 0.8 * np.mean(region), rel=1e-6)


@every_package
def test_exponential_logarithmic_loss(package):
    """Dice coefficients with ε = 1: 4.2/5.2 and 3.8/4.8; v = √2 as both labels are as frequent."""
    dice = (log(5.2 / 4.2) ** 0.3 + log(4.8 / 3.8) ** 0.3) / 2
    entropy = sqrt(2) * sum(log(1 / p) ** 0.3 for p in (4 / 5, 3 / 5, 7 / 10, 9 / 10)) / 4
    weights = [sqrt(2), sqrt(2)]
    found = value(
        package,
        lambda losses, **more: losses.ExponentialLogarithmicLoss(label_weights=weights, **more),
        TWO,
    )
    assert found == pytest.approx(0.8 * dice + 0.2 * entropy, rel=1e-6)
    assert found == pytest.approx(0.701104891, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: seglosses_core.combo_loss(alpha=2), "alpha must be at least 0 and at most 1, got 2"),
        (lambda: seglosses_core.combo_loss(beta=1), "beta must be above 0 and below 1, got 1"),
        (lambda: seglosses_core.UnifiedFocalLoss(gamma=1), "gamma must be at least 0 and below 1, got 1"),
        (lambda: seglosses_core.UnifiedFocalLoss(delta=0), "delta must be above 0 and below 1, got 0"),
        (lambda: seglosses_core.UnifiedFocalLoss(weight=-1), "weight must be at least 0"),
        (lambda: seglosses_core.UnifiedFocalLoss(rare=2), "rare must be classes from 0 to 1, got 2"),
        (lambda: seglosses_core.UnifiedFocalLoss(rare=[]), r"rare must be classes from 0 to 1, got \(\)"),
        (lambda: seglosses_core.UnifiedFocalLoss(rare=1.5), "rare must be classes from 0 to 1, got 1.5"),
        (lambda: seglosses_core.UnifiedFocalLoss(rare="1"), "rare must be classes from 0 to 1, got '1'"),
        (lambda: seglosses_core.UnifiedFocalLoss(rare=np.asarray([[1]])), "rare must be classes from 0 to"),
        (
            lambda: seglosses_core.ExponentialLogarithmicLoss(gamma_cross_entropy=0),
            "gamma_cross_entropy must be above 0, got 0",
        ),
        (lambda: seglosses_core.UnifiedFocalLoss(num_classes=1), "num_classes must be at least 2, got 1"),
        (
            lambda: seglosses_core.ExponentialLogarithmicLoss(weight=2),
            "weight must be at least 0 and at most 1",
        ),
        (lambda: seglosses_core.ExponentialLogarithmicLoss(gamma=0), "gamma must be above 0, got 0"),
        (lambda: seglosses_core.UnifiedFocalLoss(asymmetric=1), "asymmetric must be True or False"),
    ],
)
def test_what_does_not_fit(make, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        make()
