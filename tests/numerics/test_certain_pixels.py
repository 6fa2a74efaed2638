"""What compilers make of the losses where pixels are certain: a NaN, or a 0 too early, ends a training."""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch
from everywhere import LOSSES, Problem, bounds, keeping_digits

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch

MARGINS = (5, 10, 20, 60)
"""By how many nats the likeliest class is ahead: of pixels that are all right, and of pixels of which three in ten are
wrong."""


def compiled(test: Any) -> Any:
    """Every loss; a compilation takes seconds."""
    names = keeping_digits(LOSSES, "BoundaryF1", "ClDice", "LovaszSoftmaxLoss-aggregate=image")
    return pytest.mark.sampled(9)(pytest.mark.parametrize("loss", names)(test))


@functools.cache
def certain() -> Problem:
    """An image of 64×64 pixels for each margin, all right, and one for each with wrong pixels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, size=(2 * len(MARGINS), 64, 64))
    wrong = rng.random(labels.shape) < 0.3
    wrong[: len(MARGINS)] = False
    leaders = np.where(wrong, (labels + 1) % 3, labels)
    margins = np.array([*MARGINS, *MARGINS], dtype=np.float32).reshape(-1, 1, 1, 1)
    ahead = np.moveaxis(leaders[..., None] == np.arange(3), -1, 1)
    noise = rng.normal(scale=0.1, size=ahead.shape).astype(np.float32)
    return Problem((margins * ahead + noise).astype(np.float32), labels)


@functools.cache
def expected(loss: str) -> tuple[float, np.ndarray]:
    """In float64, eagerly."""
    problem = certain()
    made = LOSSES[loss](seglosses_core, class_axis=1)
    value, gradient = made.value_and_grad(problem.logits.astype(np.float64), problem.target)
    return float(value), gradient


def check(loss: str, value: float, gradient: np.ndarray) -> None:
    right, slope = expected(loss)
    # What may be below 0 may be a small difference of images.
    np.testing.assert_allclose(value, right, rtol=1e-5, atol=1e-6 * (bounds(loss)[0] < 0), err_msg="value")
    for image in range(len(slope)):
        # Each image by itself: beside its wrong pixels, the slopes of those that are certain and right are nothing.
        largest = np.max(np.abs(slope[image]))
        error = np.max(np.abs(gradient[image].astype(np.float64) - slope[image]))
        assert error <= 2e-4 * largest + 1e-37, (
            f"margin {MARGINS[image % len(MARGINS)]}: {error} of {largest}"
        )


# The compiler's own.
@pytest.mark.filterwarnings(
    "ignore:`torch.jit.*` is deprecated:DeprecationWarning",
    "ignore:.*should not be instantiated:DeprecationWarning",
)
@compiled
def test_inductor(loss: str) -> None:
    problem = certain()
    torch.compiler.reset()
    function = torch.compile(LOSSES[loss](seglosses_torch, class_axis=1), fullgraph=True, dynamic=False)
    logits = torch.from_numpy(problem.logits).requires_grad_()
    value = function(logits, torch.from_numpy(problem.target))
    value.backward()
    check(loss, value.item(), logits.grad.numpy())


@pytest.mark.filterwarnings(
    "ignore:`torch.jit.*` is deprecated:DeprecationWarning",
    "ignore:.*should not be instantiated:DeprecationWarning",
)
@pytest.mark.slow
def test_inductor_on_costs_that_are_all_small() -> None:
    """Its vectorised expm1(x) is exp(x) − 1. Here, not to compile every loss for that, the one that asks for it."""
    torch.compiler.reset()
    loss = seglosses_torch.GeneralizedCrossEntropyLoss()
    leads = torch.linspace(8, 20, 64).expand(1, 64, 64)
    logits, labels = torch.stack([leads, 0 * leads], 1), torch.zeros(1, 64, 64, dtype=torch.int64)
    value = torch.compile(loss, fullgraph=True, dynamic=False)(logits, labels)
    torch.testing.assert_close(value.double(), loss(logits.double(), labels), rtol=1e-6, atol=0)


@compiled
def test_jit(loss: str) -> None:
    problem = certain()
    made = LOSSES[loss](seglosses_jax, class_axis=1)
    value, gradient = jax.jit(jax.value_and_grad(made))(problem.logits, problem.target)
    check(loss, float(value), np.asarray(gradient))


@compiled
def test_xla(loss: str) -> None:
    problem = certain()
    made = LOSSES[loss](seglosses_keras, class_axis=1)

    @tf.function(jit_compile=True, autograph=False)
    def function(logits: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = made(target, logits)
        return value, tape.gradient(value, logits)

    value, gradient = function(tf.constant(problem.logits), tf.constant(problem.target))
    check(loss, float(value), gradient.numpy())
