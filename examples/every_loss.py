"""Every loss on the same logits and labels in one framework: python examples/every_loss.py FRAMEWORK INPUTS OUTPUTS

FRAMEWORK is numpy, torch, jax or keras (KERAS_BACKEND says on what). INPUTS is an .npz file with `logits` (N, C, H, W)
and `labels` (N, H, W). OUTPUTS becomes one with `NAME value` and `NAME gradient` for each loss.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

import seglosses_core

Results = Iterator[tuple[str, Any, Any]]


def needed(name: str, classes: int, **center: Any) -> dict[str, Any]:
    """The hyper-parameters without which a loss cannot be made; `center` are those of the package's CenterLoss."""
    if name == "LogitAdjustedCrossEntropyLoss":
        return {"priors": list(range(1, classes + 1))}
    return dict(center) if name == "CenterLoss" else {}


def losses(package: ModuleType, classes: int, **center: Any) -> Iterator[tuple[str, Any]]:
    """Every loss with default hyper-parameters, and what defaults cannot show: an ensemble and the poolings.

    center: what the package's CenterLoss needs to be made.
    """
    for core_class in seglosses_core.LOSSES:
        name = core_class.__name__
        if name != "EnsembleLoss":
            yield name, getattr(package, name)(**needed(name, classes, **center))
    yield "Dice + cross-entropy", 0.5 * package.DiceLoss() + 0.5 * package.CrossEntropyLoss()
    for pooling in ("Minkowski", "MaxPooling", "TopK", "HardExampleMining"):
        yield f"Cross-entropy, {pooling}", package.CrossEntropyLoss(reduction=getattr(package, pooling)())


def beside(name: str, labels: Any) -> dict[str, Any]:
    """What the call of a loss takes beside logits and labels: here each class is one instance."""
    return {"instances": labels} if name == "BlobLoss" else {}


def state(loss: Any, classes: int, dtype: np.dtype) -> dict[str, np.ndarray]:
    """What the core and JAX, which keep no state, are given at the call: the centres at their start."""
    return (
        {"centers": np.zeros((classes, classes), dtype)}
        if isinstance(loss, seglosses_core.CenterLoss)
        else {}
    )


def in_numpy(logits: np.ndarray, labels: np.ndarray) -> Results:
    for name, loss in losses(seglosses_core, logits.shape[1]):
        given = state(loss, logits.shape[1], logits.dtype) | beside(name, labels)
        yield name, *loss.value_and_grad(logits, labels, **given)


def in_torch(logits: np.ndarray, labels: np.ndarray) -> Results:
    import torch

    import seglosses_torch

    target = torch.from_numpy(labels)
    for name, loss in losses(seglosses_torch, logits.shape[1], num_classes=logits.shape[1]):
        x = torch.from_numpy(logits).requires_grad_()
        value = loss(x, target, **beside(name, target))
        value.backward()
        yield name, value.detach(), x.grad


def in_jax(logits: np.ndarray, labels: np.ndarray) -> Results:
    import jax

    import seglosses_jax

    x = np.moveaxis(logits, 1, -1)
    for name, loss in losses(seglosses_jax, x.shape[-1]):
        value_and_grad = jax.jit(jax.value_and_grad(loss))
        given = state(loss, x.shape[-1], x.dtype) | beside(name, labels)
        value, gradient = value_and_grad(x, labels, **given)
        yield name, value, np.moveaxis(gradient, -1, 1)


def in_keras(logits: np.ndarray, labels: np.ndarray) -> Results:
    import keras

    import seglosses_keras

    derivatives = {"tensorflow": _keras_in_tensorflow, "jax": _keras_in_jax, "torch": _keras_in_torch}
    value_and_grad = derivatives[keras.backend.backend()]
    x = np.moveaxis(logits, 1, -1)
    for name, loss in losses(seglosses_keras, x.shape[-1], num_classes=x.shape[-1]):
        if isinstance(loss, keras.layers.Layer):
            loss = partial(_added_loss, loss)
        if beside(name, labels):
            loss = partial(loss, **beside(name, labels))
        value, gradient = value_and_grad(loss, labels, x)
        yield name, value, np.moveaxis(gradient, -1, 1)


def _added_loss(layer: Any, labels: np.ndarray, logits: Any) -> Any:
    """A loss that remembers is a layer, which adds its value to the model's."""
    layer([labels, logits])
    (value,) = layer.losses
    return value


def _keras_in_tensorflow(loss: Callable, labels: np.ndarray, logits: np.ndarray) -> tuple[Any, np.ndarray]:
    import tensorflow as tf

    x = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = loss(labels, x)
    return value, tape.gradient(value, x).numpy()


def _keras_in_jax(loss: Callable, labels: np.ndarray, logits: np.ndarray) -> tuple[Any, np.ndarray]:
    import jax

    value, gradient = jax.value_and_grad(lambda x: loss(labels, x))(logits)
    return value, np.asarray(gradient)


def _keras_in_torch(loss: Callable, labels: np.ndarray, logits: np.ndarray) -> tuple[Any, np.ndarray]:
    import torch

    x = torch.tensor(logits, requires_grad=True)
    value = loss(labels, x)
    value.backward()
    return value.detach(), x.grad.numpy()


FRAMEWORKS = {"numpy": in_numpy, "torch": in_torch, "jax": in_jax, "keras": in_keras}


def main() -> None:
    _, framework, inputs, outputs = sys.argv
    given = np.load(inputs)
    found = {}
    for name, value, gradient in FRAMEWORKS[framework](given["logits"], given["labels"]):
        found |= {f"{name} value": np.asarray(value), f"{name} gradient": np.asarray(gradient)}
    np.savez(outputs, **found)


if __name__ == "__main__":
    main()
