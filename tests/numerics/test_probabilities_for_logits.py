"""Probabilities where logits belong change a loss without a word: a warning at the first call, an error where values
are validated; and no false alarm."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import tensorflow as tf
import torch
from everywhere import FRAMEWORKS

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
RNG = np.random.default_rng(0)
LOGITS = 2 * RNG.normal(size=(2, 3, 8, 9)).astype("float32")
LABELS = RNG.integers(0, 3, size=(2, 8, 9))
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-LOGITS))
PROBABILITIES = {"softmax": SOFTMAX, "sigmoid": SIGMOID}
PACKAGES: dict[str, tuple[Any, Callable[..., Any]]] = {
    "numpy": (seglosses_core, np.asarray),
    "torch": (seglosses_torch, torch.asarray),
    "jax": (seglosses_jax, jax.numpy.asarray),
    "tensorflow": (seglosses_keras, tf.constant),
}


def call(framework: str, loss: Any, logits: Any, target: np.ndarray = LABELS, **given: np.ndarray) -> Any:
    array = PACKAGES[framework][1]
    arrays = [array(logits), array(target)]
    named = {name: array(x) for name, x in given.items()}
    return loss(*(arrays[::-1] if framework == "tensorflow" else arrays), **named)


def dice(framework: str, **options: Any) -> Any:
    return PACKAGES[framework][0].DiceLoss(class_axis=1, **options)


@everywhere
@pytest.mark.parametrize("activation", PROBABILITIES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_warning_once_for_each_loss(framework: str, activation: str, dtype: str) -> None:
    given = PROBABILITIES[activation].astype(dtype)
    for make in (
        lambda: dice(framework, activation=activation),
        lambda: dice(framework, activation=activation) + dice(framework, activation=activation),
    ):
        loss = make()
        with pytest.warns(
            UserWarning, match=f"^logits look like probabilities: .*'{activation}' would be"
        ) as caught:
            call(framework, loss, given)
        assert len(caught) == 1
        call(framework, loss, given)  # in silence, or it would be an error
        with pytest.warns(UserWarning, match=r"^logits look like probabilities"):
            call(framework, make(), given)


@everywhere
@pytest.mark.parametrize("activation", PROBABILITIES)
def test_an_error_where_values_are_validated(framework: str, activation: str) -> None:
    loss = dice(framework, activation=activation, validate=True)
    for _ in range(2):
        with pytest.raises(
            ValueError,
            match=f"^logits must not be probabilities: .* before any {activation}, or activation='identity'",
        ):
            call(framework, loss, PROBABILITIES[activation])
    call(framework, dice(framework, activation="identity", validate=True), PROBABILITIES[activation])
    with pytest.raises(
        ValueError, match=r"^logits, as probabilities \(activation='identity'\), must lie in \[0, 1\]"
    ):
        call(framework, dice(framework, activation="identity", validate=True), LOGITS)


def test_where_pixels_are_ignored_anything_may_be() -> None:
    given, mask = SOFTMAX.copy(), np.ones(LABELS.shape, bool)
    given[0, :, 0, 0], mask[0, 0, 0] = np.nan, False
    with pytest.raises(ValueError, match=r"^logits must not be probabilities"):
        seglosses_core.DiceLoss(validate=True)(given, LABELS, mask=mask)


HONEST = {
    "logits": LOGITS,
    "of a network that has learnt nothing": 0.01 * LOGITS,
    "zeros": np.zeros_like(LOGITS),
    "one class of two": np.stack([np.zeros((2, 8, 9)), LOGITS[:, 0], LOGITS[:, 1]], 1),
    "above 0": np.abs(LOGITS),
    "small and above 0": 0.1 * np.abs(LOGITS),
    "a few pixels": np.asarray([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 0.0]]]),
}


@everywhere
@pytest.mark.parametrize("activation", PROBABILITIES)
@pytest.mark.parametrize("name", HONEST)
def test_no_false_alarm(framework: str, activation: str, name: str) -> None:
    given = HONEST[name].astype("float32")
    labels = np.asarray([[0, 1, 2]]) if given.ndim == 3 else LABELS
    for validate in (False, True):
        call(framework, dice(framework, activation=activation, validate=validate), given, labels)


def test_arrays_of_numpy_under_the_derivatives_of_jax() -> None:
    """There they are constants, which have no devices."""
    loss = seglosses_jax.DiceLoss(class_axis=1)
    with pytest.warns(UserWarning, match=r"^logits look like probabilities"):
        jax.grad(lambda x: loss(x, LABELS))(np.asarray(SOFTMAX))
    jax.grad(lambda x: loss(jax.numpy.asarray(x), LABELS))(np.asarray(SOFTMAX))


def test_nothing_is_looked_at_that_is_traced() -> None:
    """And a call that was traced is no first one."""
    z, t = torch.asarray(SOFTMAX), torch.asarray(LABELS)
    module = seglosses_torch.DiceLoss()
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*should not be instantiated", DeprecationWarning)  # PyTorch's own
        torch.compile(module, fullgraph=True, backend="aot_eager")(z, t)
    torch.func.grad(module)(z, t)
    loss = seglosses_jax.DiceLoss(class_axis=1)
    jax.jit(jax.value_and_grad(loss))(SOFTMAX, LABELS)
    of_keras = seglosses_keras.DiceLoss(class_axis=1)
    tf.function(of_keras)(tf.constant(LABELS), tf.constant(SOFTMAX))
    for attempt in (
        lambda: module(z, t),
        lambda: jax.grad(loss)(jax.numpy.asarray(SOFTMAX), LABELS),
        lambda: of_keras(tf.constant(LABELS), tf.constant(SOFTMAX)),
    ):
        with pytest.warns(UserWarning, match=r"^logits look like probabilities"):
            attempt()


def test_other_devices_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """`validate=True` alone does."""
    from seglosses_torch.eager import EagerOps

    monkeypatch.setattr(EagerOps, "may_look", lambda self, x: False)
    z, t = torch.asarray(SOFTMAX).requires_grad_(), torch.asarray(LABELS)
    seglosses_torch.DiceLoss()(z, t)
    with pytest.raises(ValueError, match=r"^logits must not be probabilities"):
        seglosses_torch.DiceLoss(validate=True)(z, t)
