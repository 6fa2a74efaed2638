"""The factor of a pixel loss: costs are multiplied by it, and the mean is not divided by it."""

from __future__ import annotations

import dataclasses
from math import inf, log

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import seglosses_core as core
import seglosses_jax
import seglosses_torch
from seglosses_core.pixel import PixelLoss
from tests.problems import PROBLEMS, H, N, W, first_of_each

FACTOR = np.random.default_rng(7).uniform(0.25, 3, size=(N, H, W))
PIXEL = [problem for problem in first_of_each(PROBLEMS) if isinstance(problem.core, PixelLoss)]
every_pixel_loss = pytest.mark.parametrize("problem", PIXEL, ids=str)
LOGITS = np.zeros((1, 2, 2))
TWO = np.array([[0, 1]])


@every_pixel_loss
def test_the_map_is_multiplied(problem):
    loss, given = dataclasses.replace(problem.core, reduction="none"), problem.given()
    costs = loss(problem.scores(), **given)
    factor = FACTOR if costs.ndim == FACTOR.ndim else FACTOR[:, None]
    np.testing.assert_allclose(loss(problem.scores(), **given, factor=FACTOR), costs * factor, rtol=1e-12)


@every_pixel_loss
def test_the_mean_is_not_divided_by_it(problem):
    loss, given = problem.core, problem.given()
    value, gradient = loss.value_and_grad(problem.scores(), **given)
    thrice, its_gradient = loss.value_and_grad(problem.scores(), **given, factor=np.full((N, H, W), 3.0))
    assert thrice == pytest.approx(3 * value, rel=1e-12)
    for one, other in zip(_parts(gradient), _parts(its_gradient), strict=True):
        np.testing.assert_allclose(other, 3 * one, rtol=1e-9, atol=1e-13)


@every_pixel_loss
def test_the_gradient_is_that_of_the_formula(problem):
    given = {**problem.given(), "factor": FACTOR}
    found = _parts(problem.core.value_and_grad(problem.scores(), **given)[1])[0]
    logits = torch.tensor(problem.scores(), requires_grad=True)
    value = problem.core(logits, **{name: torch.asarray(x) for name, x in given.items()})
    (expected,) = torch.autograd.grad(value, logits)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)


def _parts(gradient):
    return gradient if isinstance(gradient, tuple) else (gradient,)


def test_by_hand():
    """Cross-entropies log 2 with the factors 3 and 1; the slope by a factor is half a cost."""
    factor = np.array([[3.0, 1.0]])
    expected = 2 * log(2)
    assert core.CrossEntropyLoss()(LOGITS, TWO, factor=factor) == pytest.approx(expected, rel=1e-15)
    given = torch.tensor(factor, requires_grad=True)
    value = seglosses_torch.CrossEntropyLoss()(torch.tensor(LOGITS), torch.tensor(TWO), factor=given)
    assert value.item() == pytest.approx(expected, rel=1e-15)
    value.backward()
    np.testing.assert_allclose(given.grad, np.full((1, 2), log(2) / 2), rtol=1e-15)
    loss, logits = seglosses_jax.CrossEntropyLoss(), jnp.moveaxis(jnp.asarray(LOGITS), 1, -1)
    value, slope = jax.jit(jax.value_and_grad(lambda x: loss(logits, TWO, factor=x)))(jnp.asarray(factor))
    assert value == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(slope, np.full((1, 2), log(2) / 2), rtol=1e-6)


def test_an_ensemble_hands_it_to_its_pixel_losses():
    factor = np.array([[3.0, 1.0]])
    dice, entropy = core.DiceLoss(), core.CrossEntropyLoss()
    value, gradient = (dice + entropy).value_and_grad(LOGITS, TWO, factor=factor)
    of_dice, of_entropy = dice.value_and_grad(LOGITS, TWO), entropy.value_and_grad(LOGITS, TWO, factor=factor)
    assert value == of_dice[0] + of_entropy[0]
    np.testing.assert_allclose(gradient, of_dice[1] + of_entropy[1], rtol=1e-12)


def test_a_pooling_pools_what_is_multiplied():
    """The costliest of log 4 and 3 log 2."""
    probabilities = np.array([[[0.25, 0.5], [0.75, 0.5]]])
    loss = core.CrossEntropyLoss(activation="identity", reduction=core.TopK(fraction=0.5))
    value = loss(probabilities, TWO, factor=np.array([[1.0, 3.0]]))
    assert value == pytest.approx(3 * log(2), rel=1e-15)


def test_large_arrays_are_multiplied_too():
    """Those that are worked on chunk by chunk without a factor."""
    logits, labels = np.zeros((1, 1, 600, 600)), np.ones((1, 600, 600), dtype=int)
    factor = np.random.default_rng(0).uniform(size=labels.shape)
    for loss in (
        core.CrossEntropyLoss(activation="sigmoid"),
        1.0 * core.CrossEntropyLoss(activation="sigmoid"),
    ):
        assert loss.value_and_grad(logits, labels, factor=factor)[0] == pytest.approx(log(2) * factor.mean())


def test_where_pixels_do_not_count_it_may_be_anything():
    loss = core.CrossEntropyLoss(ignore_index=0)
    value, gradient = loss.value_and_grad(LOGITS, TWO, factor=np.array([[np.nan, 2.0]]))
    assert value == pytest.approx(2 * log(2), rel=1e-15)
    np.testing.assert_allclose(gradient, [[[0, 1], [0, -1]]])


@pytest.mark.parametrize("factor", [-1.0, np.nan])
def test_a_factor_that_is_none_makes_the_value_nan(factor):
    assert np.isnan(core.CrossEntropyLoss()(LOGITS, TWO, factor=np.array([[factor, 2.0]])))


def test_a_factor_of_0_takes_an_infinite_cost_away():
    probabilities = np.array([[[0.0, 0.5], [1.0, 0.5]]])
    loss = core.CrossEntropyLoss(activation="identity")
    value, gradient = loss.value_and_grad(probabilities, TWO, factor=np.array([[0.0, 2.0]]))
    assert value == pytest.approx(log(2), rel=1e-15)
    np.testing.assert_allclose(gradient, [[[0, 0], [0, -2]]])
    assert loss(probabilities, TWO, factor=np.array([[1.0, 2.0]])) == inf


def test_what_does_not_fit():
    with pytest.raises(
        ValueError, match=r"^factor must have the shape \(1, 2\), .*got float64 of shape \(2,\)"
    ):
        core.CrossEntropyLoss()(LOGITS, TWO, factor=np.ones(2))
    with pytest.raises(TypeError, match=r"^factor must be real floating point, got int64"):
        core.CrossEntropyLoss()(LOGITS, TWO, factor=np.ones((1, 2), dtype=int))
    with pytest.raises(TypeError, match=r"^DiceLoss takes no 'factor'"):
        core.DiceLoss()(LOGITS, TWO, factor=np.ones((1, 2)))


def test_every_pixel_loss_is_here():
    kinds = {kind.__name__ for kind in core.LOSSES if issubclass(kind, PixelLoss)}
    assert kinds == {problem.loss for problem in PIXEL}
