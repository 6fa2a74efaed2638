"""Loss max-pooling with p near 1 and costs of different orders of magnitude, against 60 digits, in every framework."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from everywhere import FRAMEWORKS, Problem, evaluate, named
from mpmath import mp, mpf

import seglosses_torch
from seglosses_core import MaxPooling

pytestmark = pytest.mark.sampled(6)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
in_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
near_one = pytest.mark.parametrize("p", [1.00001, 1.001, 1.01, 1.05, 1.3, 1.7, 3, 50])

RATIO = 0.3


def roots(name: str) -> np.ndarray:
    """Numbers whose squares are the costs."""
    random = np.random.default_rng(0)
    if name == "alike":
        return random.uniform(0.5, 1.6, 40)
    if name == "outliers":
        return np.where(np.arange(200) < 3, 100, random.uniform(0.03, 0.15, 200))
    if name == "orders of magnitude":
        return 10 ** random.uniform(-6, 6, 200)
    if name == "many at the top":
        return np.where(np.arange(200) < 80, 10, random.uniform(0.1, 0.5, 200))
    if name == "a cliff at m":  # 60 entries
        return np.where(np.arange(200) < 60, 1e4, 1) * random.uniform(0.5, 1.6, 200)
    if name == "a cliff before m":
        return np.where(np.arange(200) < 59, 1e4, 1) * random.uniform(0.5, 1.6, 200)
    if name == "fewer than m":
        return np.where(np.arange(200) < 20, random.uniform(0.01, 10, 200), 0)
    raise AssertionError(name)


CASES = [
    "alike",
    "outliers",
    "orders of magnitude",
    "many at the top",
    "a cliff at m",
    "a cliff before m",
    "fewer than m",
]


@cache
def optimum(name: str, p: float, dtype: type) -> tuple[Any, list[Any]]:
    """The pooled number and the weights v of the costs in their order: the costs are sorted, and as few of the largest
    are at the bound τ as leave the others, which use up the norm, below it."""
    with mp.workdps(60):
        costs = [mpf(float(root)) ** 2 for root in roots(name).astype(dtype)]
        n, p = len(costs), mpf(p)
        m, q = mpf(RATIO) * n, p / (p - 1)
        radius = mpf(n) ** (-1 / q)
        tau = radius * m ** (-1 / p)
        positive = sorted((cost for cost in costs if cost > 0), reverse=True)
        if len(positive) <= m:
            weights = [tau if cost > 0 else mpf(0) for cost in costs]
            return sum(v * cost for v, cost in zip(weights, costs, strict=True)), weights
        rest = sum(cost**q for cost in positive)
        at_tau = 0
        while positive[at_tau] ** q * (m - at_tau) > rest:
            at_tau += 1
            rest = sum(cost**q for cost in positive[at_tau:])
        slope = (radius**p * (1 - at_tau / m) / rest) ** (1 / p)
        weights = [min(tau, slope * cost ** (1 / (p - 1))) for cost in costs]
        assert abs(sum(v**p for v in weights) / radius**p - 1) < 1e-40
        return sum(v * cost for v, cost in zip(weights, costs, strict=True)), weights


@everywhere
@in_dtypes
@near_one
@pytest.mark.parametrize("name", CASES)
def test_max_pooling_is_the_optimum(framework: str, dtype: type, p: float, name: str) -> None:
    make = named("MeanSquaredErrorLoss", activation="identity", reduction=MaxPooling(ratio=RATIO, p=p))
    logits = roots(name).astype(dtype)[:, None]
    value, gradient = evaluate(framework, make, Problem(logits, np.zeros_like(logits)))

    pooled, weights = optimum(name, p, dtype)
    epsilon = float(np.finfo(dtype).eps)
    assert float(value) == pytest.approx(float(pooled), rel=8 * epsilon)
    # v is a power of the costs, whose rounding it multiplies by the exponent.
    tolerance = (32 + 4 / (p - 1)) * epsilon
    expected = np.asarray([float(v) for v in weights]) * 2 * logits[:, 0]
    np.testing.assert_allclose(gradient[:, 0], expected, rtol=tolerance, atol=1e-30)


@in_dtypes
@near_one
@pytest.mark.parametrize("name", CASES)
def test_autodiff_of_the_formula_agrees(dtype: type, p: float, name: str) -> None:
    """The first derivative, and the second in one direction: of the formula twice, and of the first that is written."""
    loss = seglosses_torch.MeanSquaredErrorLoss(
        activation="identity", reduction=MaxPooling(ratio=RATIO, p=p), class_axis=1
    )
    logits = torch.from_numpy(roots(name).astype(dtype)[:, None]).requires_grad_()
    direction = logits.detach() * torch.from_numpy(np.random.default_rng(1).normal(size=logits.shape))
    found = []
    for evaluated in (loss(logits, torch.zeros_like(logits)), loss.formula(logits, torch.zeros_like(logits))):
        (slope,) = torch.autograd.grad(evaluated, logits, create_graph=True)
        (curvature,) = torch.autograd.grad((slope * direction).sum(), logits)
        found.append((slope.detach().numpy(), curvature.numpy()))
    (slope, curvature), (by_formula, curvature_by_formula) = found
    tolerance = (200 + 10 / (p - 1)) * np.finfo(dtype).eps
    np.testing.assert_allclose(by_formula, slope, rtol=tolerance, atol=1e-30)
    scale = np.max(np.abs(slope)) / (p - 1)
    np.testing.assert_allclose(curvature_by_formula, curvature, rtol=1e-3, atol=tolerance * scale)


@everywhere
@pytest.mark.parametrize("scale", [1e-37, 1e-30, 1e30, 1e37])
def test_max_pooling_scales_its_weights(framework: str, scale: float) -> None:
    """Their sum in float32, and its inverse, are outside its range."""
    random = np.random.default_rng(2)
    logits = random.normal(size=(1, 3, 200)).astype(np.float32)
    labels = random.integers(0, 3, (1, 200))
    mask = np.linspace(0.2, 1, 200, dtype=np.float32)[None]
    make = named("CrossEntropyLoss", reduction=MaxPooling(ratio=RATIO))
    expected = evaluate(framework, make, Problem(logits, labels, mask))
    found = evaluate(framework, make, Problem(logits, labels, mask * np.float32(scale)))
    np.testing.assert_allclose(found[0], expected[0], rtol=2e-6)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5, atol=1e-9)


def test_max_pooling_of_weights_that_are_subnormal() -> None:
    """XLA and TensorFlow take them for 0."""
    logits = np.random.default_rng(3).normal(size=(1, 3, 20)).astype(np.float32)
    labels = np.zeros((1, 20), dtype=np.int64)
    make = named("CrossEntropyLoss", reduction=MaxPooling())
    expected = evaluate("numpy", make, Problem(logits, labels))
    found = evaluate("numpy", make, Problem(logits, labels, np.full((1, 20), 1e-40, dtype=np.float32)))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)
