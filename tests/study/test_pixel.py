"""Losses of one pixel against the formulas, and what the page says about p."""

from __future__ import annotations

import numpy as np
import pytest

import seglosses_core as core
from study import pixel
from study.pixel import PREDICTIONS, power_jaccard, stationary, value_and_slope

FORMULAS = {
    "cross-entropy": lambda y: -np.log(y),
    "focal, γ = 2": lambda y: -((1 - y) ** 2) * np.log(y),
    "Jaccard": lambda y: 1 - y,
    "Dice": lambda y: 1 - 2 * y / (1 + y),
    "Tversky, α = 0.3, β = 0.7": lambda y: 1 - y / (y + 0.7 * (1 - y)),
    "power Jaccard, p = 2": lambda y: 1 - y / (1 + y**2 - y),
    "power Dice, p = 2": lambda y: 1 - 2 * y / (1 + y**2),
    "mean squared error": lambda y: (1 - y) ** 2,
    "pointwise exponential, α = 2": lambda y: 1 - 2 * y**3 / (1 + y),
}


@pytest.mark.parametrize("name", pixel.LOSSES)
def test_values(name: str) -> None:
    values, _ = value_and_slope(*pixel.LOSSES[name])
    assert values == pytest.approx(FORMULAS[name](PREDICTIONS), abs=1e-4)


@pytest.mark.parametrize("p", pixel.POWERS)
def test_the_derivative(p: float) -> None:
    values, slopes = power_jaccard(p)
    by_formula = ((p - 1) * PREDICTIONS**p - 1) / (1 + PREDICTIONS**p - PREDICTIONS) ** 2
    assert slopes == pytest.approx(by_formula, abs=1e-3)
    assert slopes[-1] == pytest.approx(p - 2, abs=1e-4)
    assert np.gradient(values, PREDICTIONS)[50:-1] == pytest.approx(slopes[50:-1], abs=1e-3)


@pytest.mark.parametrize("p", pixel.POWERS)
def test_right_predictions_are_best_for_valid_p_alone(p: float) -> None:
    values, _ = power_jaccard(p)
    lowest, at = PREDICTIONS[values.argmin()], stationary(p)
    if p > 2:
        assert at is not None
        assert lowest == pytest.approx(at, abs=1e-3)
        assert lowest < 1
        assert values.min() < values[-1] == pytest.approx(0)
    else:
        assert lowest == 1
        assert at is None if p <= 1 else at is not None and at >= 1


@pytest.mark.parametrize("p", [1.0, 1.3, 1.7, 1.99])
def test_a_larger_p_makes_every_loss_smaller(p: float) -> None:
    """Of fixed predictions, each class of each image."""
    random = np.random.default_rng(0)
    logits, labels = 5 * random.normal(size=(20, 4, 6)), random.integers(0, 4, (20, 6))
    for loss in (core.PowerJaccardLoss, core.PowerDiceLoss):
        smaller, larger = (loss(p=q, reduction="none")(logits, labels) for q in (p, min(p + 0.01, 2.0)))
        assert (larger < smaller).all()
