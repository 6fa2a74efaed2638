"""A loss without a derivative by hand: autodiff of its formula takes its place, and NumPy says that it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

import seglosses_keras
from seglosses_core import DiceLoss
from seglosses_jax.loss import jax_class
from seglosses_keras.loss import keras_class
from seglosses_torch.module import module_class

LOGITS = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 3, (2, 4, 5))


@dataclass(frozen=True, kw_only=True)
class NoDerivativeLoss(DiceLoss):
    """`L`, that of Dice."""

    def score(self, *given: Any, **inputs: Any) -> Any:
        return super().score(*given, **inputs)[0], None


EXPECTED = DiceLoss().value_and_grad(LOGITS, LABELS)


def test_numpy_says_so() -> None:
    assert NoDerivativeLoss()(LOGITS, LABELS) == EXPECTED[0]
    with pytest.raises(TypeError, match="NoDerivativeLoss has no derivative by hand, and arrays of numpy"):
        NoDerivativeLoss().value_and_grad(LOGITS, LABELS)


def test_torch() -> None:
    loss, z = module_class(NoDerivativeLoss)(), torch.tensor(LOGITS, requires_grad=True)
    value = loss(z, torch.tensor(LABELS))
    (gradient,) = torch.autograd.grad(value, z)
    np.testing.assert_allclose(value.item(), EXPECTED[0], rtol=1e-6)
    np.testing.assert_allclose(gradient, EXPECTED[1], rtol=1e-4, atol=1e-8)
    again = torch.func.grad(lambda logits: loss(logits, torch.tensor(LABELS)))(z.detach())
    np.testing.assert_allclose(again, gradient, rtol=1e-5, atol=1e-9)


def test_jax() -> None:
    loss = jax_class(NoDerivativeLoss)(class_axis=1)
    value, gradient = jax.value_and_grad(loss)(jnp.asarray(LOGITS), jnp.asarray(LABELS))
    np.testing.assert_allclose(value, EXPECTED[0], rtol=1e-6)
    np.testing.assert_allclose(gradient, EXPECTED[1], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("jit_compile", [None, False, True], ids=["eager", "graph", "XLA"])
def test_tensorflow(jit_compile: bool | None) -> None:
    """The gradient, and the gradient of its sum of squares, which are those of Dice."""

    def derivatives(loss: Any, z: tf.Tensor) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(z)
            with tf.GradientTape() as inner:
                inner.watch(z)
                value = loss(tf.constant(LABELS), z)
            slope = inner.gradient(value, z)
            squares = tf.reduce_sum(slope**2)
        return value, slope, outer.gradient(squares, z)

    run = derivatives
    if jit_compile is not None:
        run = tf.function(derivatives, jit_compile=jit_compile, autograph=False)
    z = tf.constant(LOGITS)
    value, gradient, second = run(keras_class(NoDerivativeLoss)(class_axis=1), z)
    np.testing.assert_allclose(value, EXPECTED[0], rtol=1e-6)
    np.testing.assert_allclose(gradient, EXPECTED[1], rtol=1e-4, atol=1e-8)
    right = derivatives(seglosses_keras.DiceLoss(class_axis=1), z)[2]
    np.testing.assert_allclose(second, right, rtol=1e-3, atol=1e-5 * np.abs(right).max())
