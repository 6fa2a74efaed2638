"""One call for every framework: its public import, its own autodiff, NumPy in and NumPy out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jax
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch
from problems import with_options

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch
from seglosses_conformance.entries import Entry, Sample
from seglosses_conformance.frameworks.with_jax import enable_x64
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build, torch_function
from seglosses_core.region import RegionLoss

FRAMEWORKS = ("numpy", "torch", "jax", "tensorflow")
DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}

Make = Callable[..., Any]
"""Makes a loss of the package given, with further hyper-parameters."""


def named(name: str, **own: Any) -> Make:
    """The loss of that name with hyper-parameters of its own."""
    return lambda package, **common: getattr(package, name)(**own, **common)


def made_by(loss: str, sample: Sample) -> Make:
    """A loss as its record samples it. What it takes beside logits and target is drawn at the call; the center loss of
    Keras is a layer, which takes no weights: there the core is called with TensorFlow's arrays."""

    def make(package: Any, *, class_axis: int = 1, **common: Any) -> Any:
        hyperparameters = with_options(loss, sample.hyperparameters, common)
        if loss not in WITH_INPUTS:
            return build(package, loss, hyperparameters, class_axis)

        def call(way: str, logits: Any, target: Any, **given: Any) -> Any:
            shape = np.moveaxis(np.empty(logits.shape, dtype=bool), class_axis, 1).shape
            drawn = ENTRIES[loss].inputs(np.zeros(shape))
            if package is seglosses_torch:
                more = {name: torch.from_numpy(x) for name, x in drawn.items()}
                made = torch_function(loss, hyperparameters, class_axis, more).double().eval()
                return made(logits, target, **more, **given)
            made = build(
                seglosses_core if package is seglosses_keras else package, loss, hyperparameters, class_axis
            )
            return getattr(made, way)(logits, target, **drawn, **given)

        if package is seglosses_core:
            return SimpleNamespace(value_and_grad=functools.partial(call, "value_and_grad"))
        if package is seglosses_keras:
            return lambda target, logits, **given: call("__call__", logits, target, **given)
        return functools.partial(call, "__call__")

    return make


WITH_INPUTS = {name for name, entry in ENTRIES.items() if entry.inputs(np.zeros((1, 3, 1)))}
"""What takes more than logits and a target."""
SAMPLES = {
    f"{name}-{sample}": (name, sample)
    for name, entry in ENTRIES.items()
    for sample in entry.samples
    if build(seglosses_core, name, sample.hyperparameters, 1).activation != "identity"
}
ALL = {name: made_by(*sample) for name, sample in SAMPLES.items()}
"""Every loss as its record samples it, of class axis 1 here, but for what takes probabilities as they are."""
LOSSES = {name: make for name, make in ALL.items() if SAMPLES[name][0] not in WITH_INPUTS}
"""Those that take logits and a target alone."""


def needs_maps(name: str) -> bool:
    """Whether it takes maps of the pixels, which are drawn anew at each call."""
    return any(one.otherwise is None and "*S" in one.shape for one in core_of(name).inputs.values())


def core_of(name: str) -> Any:
    """The loss of the core."""
    loss, sample = SAMPLES[name]
    return build(seglosses_core, loss, sample.hyperparameters, 1)


def singles(name: str) -> list[Any]:
    """The loss, or the members of an ensemble."""
    made = core_of(name)
    return list(made.losses) if isinstance(made, seglosses_core.EnsembleLoss) else [made]


def entries(name: str) -> list[Entry]:
    """The records of those."""
    return [ENTRIES[type(one).__name__] for one in singles(name)]


def bounds(name: str) -> tuple[float, float]:
    """Between which it lies."""
    loss, sample = SAMPLES[name]
    return sample.bounds or ENTRIES[loss].bounds


def is_single(name: str) -> bool:
    return SAMPLES[name][0] != "EnsembleLoss"


def is_region(name: str) -> bool:
    return is_single(name) and isinstance(core_of(name), RegionLoss)


def keeping_digits(names: Iterable[str], *lost: str) -> list[Any]:
    """Of these, those whose names begin like `lost` lose digits in float32 where all is certain: docs/limits.md."""
    known = pytest.mark.xfail(reason="digits are lost in float32 where all is certain", strict=True)
    return [pytest.param(name, marks=known if name.startswith(lost) else ()) for name in names]


def takes(name: str, target: str) -> bool:
    """A kind of target."""
    return target in SAMPLES[name][1].targets


def of_one_class(name: str) -> bool:
    """Whether it takes a sigmoid of one class."""
    one = np.zeros((1, 1, 1)), np.zeros((1, 1), dtype=int)
    try:
        made = core_of(name)
        made.prepare(*one, None, None, {})
    except ValueError:
        return False
    return made.activation == "sigmoid"


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
    with enable_x64(problem.logits.dtype == np.float64):
        loss = make(seglosses_jax, **common)
        # `asarray` compiles for each new shape.
        others = {name: jax.device_put(x) for name, x in problem.others().items()}

        def scaled(logits: jax.Array) -> tuple[jax.Array, jax.Array]:
            value = loss(logits, **others)
            return value * scale, value

        (_, value), gradient = jax.value_and_grad(scaled, has_aux=True)(jax.device_put(problem.logits))
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
