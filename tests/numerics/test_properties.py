"""What every loss does whatever the input, by hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from everywhere import FRAMEWORKS, LOSSES, Make, Problem, evaluate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
every_loss = pytest.mark.parametrize("loss", LOSSES)
few = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
seeds = st.integers(0, 2**32 - 1)
N, C, S = 2, 3, (3, 4)
SOFTMAX = [name for name in LOSSES if "binary" not in name and name != "distance-aware"]
BOUNDED = [
    "Dice",
    "binary Dice",
    "batch Dice",
    "Jaccard",
    "Tversky",
    "power Dice",
    "power Jaccard",
    "squared error",
]
MEANS_OF_IMAGES = [
    name for name in LOSSES
    if name not in ("Minkowski", "max-pooling", "top-k", "batch Dice", "locally adaptive", "distance-aware")
]  # fmt: skip
RTOL = 1e-9
"""In float64; the sums of JAX and TensorFlow differ in their order."""


def draw(seed: int, scale: float = 3.0) -> Problem:
    """Shapes are fixed, so that nothing is compiled twice."""
    rng = np.random.default_rng(seed)
    return Problem(rng.normal(scale=scale, size=(N, C, *S)), rng.integers(0, C, size=(N, *S)))


def check_same(framework: str, make: Make, a: Problem, b: Problem, back: Any = None, **common: Any) -> None:
    value, gradient = evaluate(framework, make, a, **common)
    other, its_gradient = evaluate(framework, make, b, **common)
    np.testing.assert_allclose(other, value, rtol=RTOL)
    its_gradient = its_gradient if back is None else back(its_gradient)
    np.testing.assert_allclose(its_gradient, gradient, rtol=1e-6, atol=RTOL * np.abs(gradient).max())


@everywhere
@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "locally adaptive"])
@few
@given(seed=seeds)
def test_permuting_pixels(framework: str, loss: str, seed: int) -> None:
    problem = draw(seed)
    order = np.random.default_rng(seed + 1).permutation(np.prod(S))
    flat = Problem(problem.logits.reshape(N, C, -1), problem.target.reshape(N, -1))
    permuted = Problem(flat.logits[:, :, order], flat.target[:, order])
    check_same(framework, LOSSES[loss], flat, permuted, back=lambda g: g[:, :, np.argsort(order)])


@everywhere
@every_loss
@few
@given(seed=seeds)
def test_permuting_classes(framework: str, loss: str, seed: int) -> None:
    problem = draw(seed)
    order = np.random.default_rng(seed + 1).permutation(C)
    permuted = Problem(problem.logits[:, order], np.argsort(order)[problem.target])
    check_same(framework, LOSSES[loss], problem, permuted, back=lambda g: g[:, np.argsort(order)])


@everywhere
@pytest.mark.parametrize("loss", [name for name in SOFTMAX if name != "locally adaptive"])
@few
@given(seed=seeds)
def test_shifting_softmax_logits(framework: str, loss: str, seed: int) -> None:
    problem = draw(seed)
    shift = np.random.default_rng(seed + 1).normal(scale=5, size=(N, 1, *S))
    check_same(framework, LOSSES[loss], problem, Problem(problem.logits + shift, problem.target))


@everywhere
@every_loss
@few
@given(seed=seeds)
def test_moving_the_class_axis(framework: str, loss: str, seed: int) -> None:
    problem = draw(seed)
    value, gradient = evaluate(framework, LOSSES[loss], problem)
    last = Problem(np.ascontiguousarray(np.moveaxis(problem.logits, 1, -1)), problem.target)
    other, its_gradient = evaluate(framework, LOSSES[loss], last, class_axis=-1)
    np.testing.assert_allclose(other, value, rtol=RTOL)
    moved = np.moveaxis(its_gradient, -1, 1)
    np.testing.assert_allclose(moved, gradient, rtol=1e-6, atol=RTOL * np.abs(gradient).max())


@everywhere
@pytest.mark.parametrize("loss", MEANS_OF_IMAGES)
@few
@given(seed=seeds)
def test_a_batch_is_the_mean_of_its_images(framework: str, loss: str, seed: int) -> None:
    problem = draw(seed)
    value, _ = evaluate(framework, LOSSES[loss], problem)
    parts = [
        evaluate(framework, LOSSES[loss], Problem(problem.logits[n : n + 1], problem.target[n : n + 1]))[0]
        for n in range(N)
    ]
    np.testing.assert_allclose(value, np.mean(parts), rtol=RTOL)


@everywhere
@pytest.mark.parametrize("loss", BOUNDED)
@few
@given(seed=seeds, scale=st.sampled_from([0.1, 10.0, 1e4]))
def test_bounded_losses_stay_in_their_bounds(framework: str, loss: str, seed: int, scale: float) -> None:
    value, _ = evaluate(framework, LOSSES[loss], draw(seed, scale))
    assert 0 <= value <= 1


@everywhere
@every_loss
@few
@given(seed=seeds)
def test_the_gradient_by_central_differences(framework: str, loss: str, seed: int) -> None:
    """Along one random direction, which every entry of the gradient enters. The differences are NumPy's."""
    problem = draw(seed, scale=1.0)
    direction = np.random.default_rng(seed + 1).normal(size=problem.logits.shape)
    _, gradient = evaluate(framework, LOSSES[loss], problem)
    step = 1e-6
    ahead, behind = (
        float(evaluate("numpy", LOSSES[loss], Problem(problem.logits + s * direction, problem.target))[0])
        for s in (step, -step)
    )
    np.testing.assert_allclose(
        np.sum(gradient * direction), (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-8
    )
