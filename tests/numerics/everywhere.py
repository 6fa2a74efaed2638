"""One call for every framework: its public import, its own autodiff, NumPy in and NumPy out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import tensorflow as tf
import torch

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch
from seglosses_conformance.losses import ENTRIES
from seglosses_core import MaxPooling, Minkowski, TopK

FRAMEWORKS = ("numpy", "torch", "jax", "tensorflow")
DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}

Make = Callable[..., Any]
"""Makes a loss of the package given, with further hyper-parameters."""


def named(name: str, **own: Any) -> Make:
    """The loss of that name with hyper-parameters of its own."""
    return lambda package, **common: getattr(package, name)(**own, **common)


LOSSES: dict[str, Make] = {
    "cross-entropy": named("CrossEntropyLoss"),
    "binary cross-entropy": named("CrossEntropyLoss", activation="sigmoid"),
    "smoothed cross-entropy": named("CrossEntropyLoss", label_smoothing=0.1),
    "focal": named("FocalLoss"),
    "focal, gamma 0.5": named("FocalLoss", gamma=0.5),
    "binary focal": named("FocalLoss", activation="sigmoid"),
    "Minkowski": named("CrossEntropyLoss", reduction=Minkowski(k=3)),
    "max-pooling": named("CrossEntropyLoss", reduction=MaxPooling()),
    "top-k": named("CrossEntropyLoss", reduction=TopK(fraction=0.1)),
    "Dice": named("DiceLoss"),
    "binary Dice": named("DiceLoss", activation="sigmoid"),
    "batch Dice": named("DiceLoss", aggregate="batch"),
    "Jaccard": named("JaccardLoss"),
    "Tversky": named("TverskyLoss", alpha=0.3, beta=0.7),
    "power Dice": named("PowerDiceLoss", p=1.5),
    "power Jaccard": named("PowerJaccardLoss"),
    "pointwise": named("PointwiseExponentialLoss"),
    "pointwise, union": named("PointwiseExponentialLoss", denominator="union"),
    "locally adaptive": named("LocallyAdaptiveLoss", kernel_size=3, standardize=False),
    "distance-aware": named("DistanceAwareCrossEntropyLoss"),
    "squared error": named("MeanSquaredErrorLoss", activation="softmax"),
    "ensemble": lambda package, **common: (
        0.5 * package.DiceLoss(**common) + package.CrossEntropyLoss(**common)
    ),
}
KNOWN = {type(make(seglosses_core)).__name__ for make in LOSSES.values()} | {"CenterLoss"}


def _built(name: str, hyperparameters: dict[str, Any], package: Any, **common: Any) -> Any:
    return getattr(package, name)(**hyperparameters, **common)


LOSSES |= {
    name: functools.partial(_built, name, entry.samples[0].hyperparameters)
    for name, entry in ENTRIES.items()
    if name not in KNOWN
}
"""Every loss that takes logits and a target alone, of class axis 1 here, in the variants that compute differently."""


@dataclass(frozen=True)
class Problem:
    """Logits `(N, C, *S)`, a target, and what else a call takes, as NumPy arrays."""

    logits: np.ndarray
    target: np.ndarray
    mask: np.ndarray | None = None
    sample_weight: np.ndarray | None = None

    def others(self) -> dict[str, np.ndarray]:
        given = {"target": self.target, "mask": self.mask, "sample_weight": self.sample_weight}
        return {name: x for name, x in given.items() if x is not None}


def evaluate(
    framework: str, make: Make, problem: Problem, *, scale: float = 1.0, **common: Any
) -> tuple[Any, np.ndarray]:
    """The value, and the gradient of `scale` times it by the framework's autodiff; on NumPy by the loss itself."""
    return _evaluate[framework](make, problem, scale, {"class_axis": 1, **common})


def _numpy(make: Make, problem: Problem, scale: float, common: dict[str, Any]) -> tuple[Any, np.ndarray]:
    value, gradient = make(seglosses_core, **common).value_and_grad(problem.logits, **problem.others())
    return value, gradient if scale == 1 else gradient * scale


def to_torch(array: np.ndarray) -> torch.Tensor:
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.ascontiguousarray(array))


def _torch(make: Make, problem: Problem, scale: float, common: dict[str, Any]) -> tuple[Any, np.ndarray]:
    logits = to_torch(problem.logits).requires_grad_()
    value = make(seglosses_torch, **common)(logits, **{k: to_torch(x) for k, x in problem.others().items()})
    (gradient,) = torch.autograd.grad(value * scale, logits)
    wide = gradient.float() if gradient.dtype == torch.bfloat16 else gradient
    return value.detach().numpy(), wide.numpy()


def _jax(make: Make, problem: Problem, scale: float, common: dict[str, Any]) -> tuple[Any, np.ndarray]:
    with jax.enable_x64(problem.logits.dtype == np.float64):
        loss = make(seglosses_jax, **common)
        others = {name: jnp.asarray(x) for name, x in problem.others().items()}

        def scaled(logits: jax.Array) -> tuple[jax.Array, jax.Array]:
            value = loss(logits, **others)
            return value * scale, value

        (_, value), gradient = jax.value_and_grad(scaled, has_aux=True)(jnp.asarray(problem.logits))
        return np.asarray(value), np.asarray(gradient)


def _tensorflow(make: Make, problem: Problem, scale: float, common: dict[str, Any]) -> tuple[Any, np.ndarray]:
    logits = tf.constant(problem.logits)
    others = {name: tf.constant(x) for name, x in problem.others().items()}
    target = others.pop("target")
    loss = make(seglosses_keras, **common)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(target, logits, **others)
        scaled = value * scale
    return value.numpy(), tape.gradient(scaled, logits).numpy()


_evaluate = {"numpy": _numpy, "torch": _torch, "jax": _jax, "tensorflow": _tensorflow}
