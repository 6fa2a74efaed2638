"""Losses, data and a model small enough for NumPy to say what one step of training must do."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest

import seglosses_core
import seglosses_keras
from seglosses_conformance import targets
from seglosses_conformance.losses import ENTRIES

BATCH, SHAPE, CLASSES, CHANNELS = 3, (4, 5), 3, 2

SAMPLES = [
    (name, sample)
    for name, entry in ENTRIES.items()
    for sample in entry.samples
    if issubclass(getattr(seglosses_keras, name), seglosses_keras.KerasLoss)
    and sample.hyperparameters.get("activation") != "identity"
    and not entry.inputs(np.zeros((1, 3, 1)))
]
"""What the records say of each loss, but of those that are layers or need more than labels; of logits, which the model
below gives."""
LOSSES = [(name, sample.hyperparameters) for name, sample in SAMPLES]
NAMES = [f"{name}-{sample}" for name, sample in SAMPLES]
FIRST = list(dict(reversed(LOSSES)).items())[::-1]
"""Of each loss the sample where one is enough."""
DENSE = [(name, sample.hyperparameters) for name, sample in SAMPLES if "soft" in sample.targets]
"""What takes soft targets."""
ENSEMBLE = dict(FIRST)["EnsembleLoss"]


def each_loss(test: Any) -> Any:
    """Some of them each time."""
    return pytest.mark.sampled(8)(pytest.mark.parametrize(("name", "options"), LOSSES, ids=NAMES)(test))


def build(module: Any, name: str, options: dict[str, Any], /, **more: Any) -> Any:
    """A loss of the core or of Keras, with the class axis last."""
    return targets.build(module, name, {**options, **more}, -1)


def pair(name: str, options: dict[str, Any], **more: Any) -> tuple[Any, Any]:
    """The same loss of Keras and of the core."""
    return build(seglosses_keras, name, options, **more), build(seglosses_core, name, options, **more)


def data(seed: int = 0, *, shape: tuple[int, ...] = SHAPE, classes: int = CLASSES, scale: float = 2.0) -> Any:
    """Logits and labels."""
    random = np.random.default_rng(seed)
    logits = scale * random.normal(size=(BATCH, *shape, classes)).astype("float32")
    return logits, random.integers(0, max(classes, 2), (BATCH, *shape)).astype("int32")


def one_hot(labels: np.ndarray, classes: int = CLASSES) -> np.ndarray:
    return np.eye(classes, dtype="float32")[labels]


def soft(labels: np.ndarray, classes: int = CLASSES) -> np.ndarray:
    return (0.7 * one_hot(labels, classes) + 0.3 / classes).astype("float32")


def dense(name: str, labels: np.ndarray) -> np.ndarray:
    """A soft target, or a heat map for a loss that is made for one."""
    spread = soft(labels)
    takes_heat_maps = any("heat map" in sample.targets for sample in ENTRIES[name].samples)
    return np.where(one_hot(labels) == 1, 1, spread).astype("float32") if takes_heat_maps else spread


def divided_by_count(
    core: Any, logits: np.ndarray, target: np.ndarray, weight: np.ndarray, mask: np.ndarray | None = None
) -> tuple[Any, np.ndarray]:
    """Value and gradient by Keras' convention, from the core's sums: `Σ w ℓ` by what it takes from `Σ ℓ` to their mean.
    What is no such mean is multiplied by the mean weight of the pixels that count."""
    valid = np.ones(logits.shape[:-1]) if mask is None else mask.astype("float64")
    if core.ignore_index is not None:
        valid = valid * (target != core.ignore_index)
    per_pixel = weight.ndim > 1
    spread = weight if per_pixel else np.expand_dims(weight, tuple(range(1, valid.ndim)))
    given = {"mask": spread * valid} if per_pixel else {"mask": valid, "sample_weight": weight}
    if isinstance(core, seglosses_core.EnsembleLoss):
        parts = [divided_by_count(loss, logits, target, weight, mask) for loss in core.losses]
        return tuple(np.tensordot(core.weights, np.stack(part), 1) for part in zip(*parts, strict=True))
    is_region = hasattr(core, "aggregate")
    if core.reduction == "mean" and not (is_region and (per_pixel or core.aggregate == "batch")):
        total = dataclasses.replace(core, reduction="sum")
        count = total(logits, target, mask=valid) / core(logits, target, mask=valid)
        value, slope = total.value_and_grad(logits, target, **given)
        return value / count, slope / count
    if getattr(core, "stride", 1) > 1:
        indices = np.indices(valid.shape[1:])
        valid = valid * np.all(indices % core.stride == 0, axis=0)
    factor = 1 if core.reduction == "sum" else np.sum(spread * valid) / np.sum(valid)
    value, slope = core.value_and_grad(logits, target, **given)
    return value * factor, slope * factor


def value_and_gradient(function: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A function of one array and its derivative, by the autodiff of Keras' backend."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        variable = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(variable)
            value = function(variable)
        return value.numpy(), tape.gradient(value, variable).numpy()
    if keras.backend.backend() == "jax":
        import jax

        value, gradient = jax.value_and_grad(function)(jax.numpy.asarray(x))
        return np.asarray(value), np.asarray(gradient)
    import torch

    variable = torch.tensor(x, requires_grad=True)
    value = function(variable)
    value.backward()
    return value.detach().numpy(), variable.grad.numpy()


def inputs(seed: int = 1, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(BATCH, *shape, CHANNELS)).astype("float32")


KERNEL = np.random.default_rng(2).normal(size=(CHANNELS, CLASSES)).astype("float32")


def linear_model(dtype: Any = None) -> keras.Model:
    """Logits that are linear in the pixels, for images of any size."""
    images = keras.Input((None, None, CHANNELS))
    model = keras.Model(images, keras.layers.Dense(CLASSES, use_bias=False, dtype=dtype)(images))
    model.set_weights([KERNEL])
    return model


def one_step(
    core: Any,
    images: np.ndarray,
    labels: np.ndarray,
    rate: float,
    kernel: np.ndarray = KERNEL,
    **inputs: Any,
) -> tuple[Any, np.ndarray]:
    """The loss of the linear model before a step of gradient descent and its weights after it, by the core on NumPy."""
    value, gradient = core.value_and_grad(images @ kernel, labels, **inputs)
    gradient = gradient[0] if isinstance(gradient, tuple) else gradient
    axes = list(range(images.ndim - 1))
    return value, kernel - rate * np.tensordot(images, gradient, (axes, axes))
