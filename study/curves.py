"""The first steps of a training in PyTorch, JAX and Keras on TensorFlow, from the same weights and on the same batches.

A framework, in a process of its own on the CPU, computes the network, the loss and the gradients. The step of Adam is
one text for all, in NumPy: their own differ in where ε stands. PyTorch and optax add it to √v̂, the root of the
corrected mean, as is done here and in algorithm 1 of Kingma and Ba 2015; Keras adds it to √v, before the correction.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from study.protocol import FULL, Protocol

ROOT = Path(__file__).parent.parent

FRAMEWORKS = ("torch", "jax", "tensorflow")
DTYPES = ("float32", "float64")
STEPS = 20
TOLERANCE = {"float32": 2e-4, "float64": 1e-12}
"""By how much a loss may differ from PyTorch's in any of the first STEPS steps, relatively."""

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
KERAS_EPSILON = 1e-7
"""What Keras has by default, for the page."""
NORMALIZATION_EPSILON = 1e-5
SLOPE = 0.125
"""Of the leaky rectifiers, as in examples/unet_torch.py. TensorFlow keeps it in float32, which has it exactly."""

Weights = Sequence[np.ndarray]
"""In the order in which the network uses them; kernels are (rows, columns, inputs, outputs)."""
Differentiate = Callable[[Weights, np.ndarray, np.ndarray], tuple[float, list[np.ndarray]]]
"""The loss of a batch and its gradients, for weights, images (N, size, size) and labels of the same shape."""


class Point(NamedTuple):
    framework: str
    version: str
    dtype: str
    loss: str
    step: int
    """From 1; the loss is that before the step."""
    value: float


# -- the three frameworks ---------------------------------------------------------------------------------------------


def in_torch(loss: str, hyperparameters: dict[str, Any], weights: Weights, dtype: str) -> Differentiate:
    import torch

    import seglosses_torch
    from examples.unet_torch import UNet

    kernel, _, _, filters = weights[0].shape
    network = UNet(weights[-1].size, filters, kernel).to(getattr(torch, dtype))
    criterion = getattr(seglosses_torch, loss)(**hyperparameters)

    def differentiate(
        weights: Weights, images: np.ndarray, labels: np.ndarray
    ) -> tuple[float, list[np.ndarray]]:
        network.zero_grad()
        with torch.no_grad():
            for parameter, weight in zip(network.parameters(), weights, strict=True):
                parameter.copy_(
                    torch.from_numpy(weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight)
                )
        value = criterion(network(torch.from_numpy(images)[:, None]), torch.from_numpy(labels))
        value.backward()
        return value.item(), channels_last(parameter.grad for parameter in network.parameters())

    return differentiate


def channels_last(tensors: Iterable[Any]) -> list[np.ndarray]:
    """PyTorch's (outputs, inputs, rows, columns) as (rows, columns, inputs, outputs), and vectors as they are."""
    arrays = (tensor.detach().numpy() for tensor in tensors)
    return [array.transpose(2, 3, 1, 0) if array.ndim == 4 else array for array in arrays]


def in_jax(loss: str, hyperparameters: dict[str, Any], weights: Weights, dtype: str) -> Differentiate:
    import jax
    import jax.numpy as jnp
    from jax import lax

    import seglosses_jax

    jax.config.update("jax_enable_x64", dtype == "float64")
    criterion = getattr(seglosses_jax, loss)(**hyperparameters)

    def convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def halve(x: jax.Array) -> jax.Array:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def double(x: jax.Array) -> jax.Array:
        return x.repeat(2, 1).repeat(2, 2)

    def network(weights: Sequence[jax.Array], images: jax.Array) -> jax.Array:
        weight = iter(weights)

        def block(x: jax.Array) -> jax.Array:
            for _ in range(2):
                kernel, scale, offset = next(weight), next(weight), next(weight)
                x = convolve(x, kernel)
                mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
                x = (x - mean) / jnp.sqrt(variance + NORMALIZATION_EPSILON)
                x = jax.nn.leaky_relu(x * scale + offset, SLOPE)
            return x

        fine = block(images[..., None])
        middle = block(halve(fine))
        x = block(halve(middle))
        x = block(jnp.concat([double(x), middle], axis=-1))
        x = block(jnp.concat([double(x), fine], axis=-1))
        kernel, offset = weight
        return convolve(x, kernel) + offset

    compiled = jax.jit(
        jax.value_and_grad(lambda weights, images, labels: criterion(network(weights, images), labels))
    )

    def differentiate(
        weights: Weights, images: np.ndarray, labels: np.ndarray
    ) -> tuple[float, list[np.ndarray]]:
        value, gradients = compiled(list(weights), images, labels)
        return float(value), [np.asarray(gradient) for gradient in gradients]

    return differentiate


def in_tensorflow(loss: str, hyperparameters: dict[str, Any], weights: Weights, dtype: str) -> Differentiate:
    import keras
    import tensorflow as tf
    from keras import layers

    import seglosses_keras

    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    criterion = getattr(seglosses_keras, loss)(**hyperparameters)
    kernel, _, _, filters = weights[0].shape

    def block(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, kernel, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization(epsilon=NORMALIZATION_EPSILON)(x)
            x = layers.LeakyReLU(SLOPE)(x)
        return x

    images = keras.Input((None, None, 1))
    fine = block(images, filters)
    middle = block(layers.MaxPooling2D()(fine), 2 * filters)
    x = block(layers.MaxPooling2D()(middle), 4 * filters)
    x = block(layers.Concatenate()([layers.UpSampling2D()(x), middle]), 2 * filters)
    x = block(layers.Concatenate()([layers.UpSampling2D()(x), fine]), filters)
    network = keras.Model(images, layers.Conv2D(weights[-1].size, 1)(x))

    @tf.function
    def compiled(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            value = criterion(labels, network(images, training=True))
        return value, tape.gradient(value, network.trainable_variables)

    def differentiate(
        weights: Weights, images: np.ndarray, labels: np.ndarray
    ) -> tuple[float, list[np.ndarray]]:
        for variable, weight in zip(network.trainable_variables, weights, strict=True):
            variable.assign(weight)
        value, gradients = compiled(tf.constant(images[..., None]), tf.constant(labels))
        return float(value), [gradient.numpy() for gradient in gradients]

    return differentiate


IN: dict[str, Callable[[str, dict[str, Any], Weights, str], Differentiate]] = {
    "torch": in_torch,
    "jax": in_jax,
    "tensorflow": in_tensorflow,
}


# -- the training -----------------------------------------------------------------------------------------------------


def train(
    differentiate: Differentiate, weights: Weights, images: np.ndarray, labels: np.ndarray, rate: float
) -> list[float]:
    """The loss before each step of Adam; there is a step for each batch."""
    first, second = ([np.zeros_like(weight) for weight in weights] for _ in range(2))
    values = []
    for step, batch in enumerate(zip(images, labels, strict=True), 1):
        value, gradients = differentiate(weights, *batch)
        values.append(value)
        first = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(first, gradients, strict=True)]
        second = [BETA_2 * v + (1 - BETA_2) * g**2 for v, g in zip(second, gradients, strict=True)]
        corrected = [
            (m / (1 - BETA_1**step), v / (1 - BETA_2**step)) for m, v in zip(first, second, strict=True)
        ]
        weights = [
            weight - rate * m / (np.sqrt(v) + EPSILON)
            for weight, (m, v) in zip(weights, corrected, strict=True)
        ]
    return values


def measure(
    losses: Sequence[str],
    protocol: Protocol = FULL,
    *,
    filters: int = 4,
    kernel: int = 3,
    steps: int = STEPS,
    seed: int = 0,
) -> list[Point]:
    """The curves of the study's losses of these names in every framework."""
    import torch

    from examples.scenes import CLASSES
    from examples.unet_torch import UNet
    from study.losses import LOSSES
    from study.training import load_scenes

    few = dataclasses.replace(protocol, train=steps * protocol.batch_size)
    data = load_scenes(few, "cpu", None)["train"]
    batches = (steps, protocol.batch_size, protocol.size, protocol.size)
    torch.manual_seed(seed)
    weights = channels_last(UNet(CLASSES, filters, kernel).parameters())
    chosen = []
    for name in losses:
        core = LOSSES[name]().core
        given = {f.name: getattr(core, f.name) for f in dataclasses.fields(core)}  # type: ignore[arg-type]
        defaults = type(core)()
        own = {field: value for field, value in given.items() if value != getattr(defaults, field)}
        chosen.append((name, type(core).__name__, own))
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs.npz"
        np.savez(
            inputs,
            *weights,
            images=data.images.numpy().reshape(batches),
            labels=data.labels.numpy().reshape(batches),
        )
        return [
            Point(*point)
            for framework in FRAMEWORKS
            for point in _in_process(framework, str(inputs), json.dumps(chosen), str(protocol.rate))
        ]


def _in_process(framework: str, *arguments: str) -> list[list[Any]]:
    """What `main` prints in a new process."""
    only_cpu = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}
    tensorflow = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "study.curves", framework, *arguments],
        cwd=ROOT, env=os.environ | only_cpu | tensorflow, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the training in {framework} failed:\n{done.stderr[-5000:]}")
    return json.loads(done.stdout)


def main(framework: str, inputs: str, losses: str, rate: str) -> None:
    """Print the points of one framework."""
    with np.load(inputs) as arrays:
        images, labels = arrays["images"], arrays["labels"]
        weights = [arrays[name] for name in arrays.files if name.startswith("arr_")]
    points = []
    for dtype in DTYPES:
        for name, loss, hyperparameters in json.loads(losses):
            start = [weight.astype(dtype) for weight in weights]
            differentiate = IN[framework](loss, hyperparameters, start, dtype)
            values = train(differentiate, start, images.astype(dtype), labels, float(rate))
            points += [
                Point(framework, version(framework), dtype, name, step, value)
                for step, value in enumerate(values, 1)
            ]
    print(json.dumps(points))


# -- the table --------------------------------------------------------------------------------------------------------


def write(path: Path, points: Iterable[Point]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Point._fields)
        writer.writerows(points)


def read(path: Path) -> list[Point]:
    """The points of a file, none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Point(**line | {"step": int(line["step"]), "value": float(line["value"])})  # type: ignore[arg-type]
            for line in csv.DictReader(file)
        ]


def curve(points: Iterable[Point], framework: str, dtype: str, loss: str) -> np.ndarray:
    """The values of one training in the order of its steps."""
    found = [p for p in points if (p.framework, p.dtype, p.loss) == (framework, dtype, loss)]
    return np.array([p.value for p in sorted(found, key=lambda p: p.step)])


def apart(points: Iterable[Point], framework: str, dtype: str, loss: str) -> np.ndarray:
    """The relative difference to PyTorch's curve at each step."""
    points = list(points)
    reference = curve(points, "torch", dtype, loss)
    return np.abs(curve(points, framework, dtype, loss) - reference) / np.abs(reference)


if __name__ == "__main__":
    main(*sys.argv[1:])
