"""Writes `limits.md`: what a framework cannot do with these losses, or does in its own way, from attempts made here."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch._dynamo  # before TensorFlow, behind whose LLVM that of Triton ends the process

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import array_api_strict
import jax
import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np
import tensorflow as tf
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import distribute_tensor

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch
from seglosses_conformance.targets import TARGETS

LOGITS = np.random.default_rng(0).normal(size=(1, 3, 4)).astype(np.float32)
LAST = np.ascontiguousarray(np.moveaxis(LOGITS, 1, -1))
LABELS = np.array([[0, 1, 2, 0]])
Z, Y = torch.from_numpy(LOGITS), torch.from_numpy(LABELS)


def numpy_half_gradient() -> str:
    _, gradient = seglosses_core.DiceLoss().value_and_grad(LOGITS.astype(np.float16), LABELS)
    return f"a gradient of {gradient.dtype}: there is no upstream gradient, so no loss scale before it is rounded"


def numpy_bfloat16() -> str:
    value, gradient = seglosses_core.DiceLoss().value_and_grad(LOGITS.astype(ml_dtypes.bfloat16), LABELS)
    return f"works: the value is {value.dtype}, the gradient {gradient.dtype}"


def jax_float64() -> str:
    value = seglosses_jax.DiceLoss()(jnp.asarray(LAST.astype(np.float64)), LABELS)
    return f"a value of {value.dtype}: without jax_enable_x64, JAX makes the logits float32 before a loss sees them"


def torch_forward_mode() -> str:
    value, tangent = torch.func.jvp(lambda z: seglosses_torch.DiceLoss()(z, Y), (Z,), (torch.ones_like(Z),))
    return f"works, by autodiff of the formula: {value.dtype}, tangent of shape {tuple(tangent.shape)}"


def jax_hessian() -> str:
    hessian = jax.hessian(lambda z: seglosses_jax.DiceLoss()(z, LABELS))(jnp.asarray(LAST))
    return f"works: shape {hessian.shape}"


def tensorflow_second_order() -> str:
    z = tf.constant(LAST)
    with tf.GradientTape() as outer:
        outer.watch(z)
        with tf.GradientTape() as inner:
            inner.watch(z)
            value = seglosses_keras.DiceLoss()(LABELS, z)
        slope = tf.reduce_sum(inner.gradient(value, z) ** 2)
    return f"works: shape {tuple(outer.gradient(slope, z).shape)}"


def tensorflow_forward_mode() -> str:
    z = tf.constant(LAST)
    with tf.autodiff.ForwardAccumulator(z, tf.ones_like(z)) as accumulator:
        value = seglosses_keras.DiceLoss()(LABELS, z)
    return f"works: tangent of shape {tuple(accumulator.jvp(value).shape)}"


def tensorflow_vectorized_map() -> str:
    z, labels = tf.stack([tf.constant(LAST)] * 2), tf.stack([tf.constant(LABELS)] * 2)
    values = tf.vectorized_map(lambda given: seglosses_keras.DiceLoss()(given[1], given[0]), (z, labels))
    return f"works: shape {tuple(values.shape)}"


def tensorflow_points() -> str:
    points = tf.constant([[[1.2, 3.4]]])
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = tf.reduce_sum(
            seglosses_keras.gaussian_heatmap(points, tf.constant([[0]]), (4, 5), num_classes=1, sigma=1.0)
        )
    gradient = tape.gradient(total, points)
    return f"`{gradient}`: points are rounded to pixels, so that it is 0 in the other frameworks; σ has a gradient"


def torch_weight_of_zero() -> str:
    mask = torch.tensor([[1.0, 1.0, 1.0, 0.0]], requires_grad=True)
    seglosses_torch.DiceLoss()(Z, Y, mask=mask).backward()
    return f"{mask.grad[0, -1]:g}, in every framework: a pixel of weight 0 does not exist"


def keras_variable() -> Any:
    return seglosses_keras.PowerJaccardLoss(p=keras.Variable(1.5))


def keras_map_from_a_layer() -> Any:
    return seglosses_keras.CenterLoss(num_classes=3, reduction="none")([LABELS, LAST])


def keras_class_weight() -> str:
    handed = []

    class Recorded(seglosses_keras.CrossEntropyLoss):  # type: ignore[misc]
        def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            handed.append(sample_weight)
            return super().__call__(y_true, y_pred, sample_weight)

    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Dense(3)])
    model.compile(optimizer="sgd", loss=Recorded(), run_eagerly=True)
    model.fit(LAST, LABELS, class_weight={0: 1.0, 1: 2.0, 2: 3.0}, verbose=0)
    return (
        f"Keras makes one weight an image of it, {handed[-1].numpy().tolist()} for the labels {LABELS.tolist()}: that"
        " of the class numbered as the place of the largest label; `class_weights=` of the loss is what is meant"
    )


def numpy_gradient_of_a_map() -> Any:
    return seglosses_core.DiceLoss(reduction="none").value_and_grad(LOGITS, LABELS)


def torch_hyperparameter() -> None:
    seglosses_torch.FocalLoss().gamma = 3.0


def torch_script() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(seglosses_torch.DiceLoss())


def subnormal_weights() -> str:
    mask = np.full((1, 4), 1e-40, dtype=np.float32)
    values = {
        "NumPy": seglosses_core.DiceLoss(smooth=0.0)(LOGITS, LABELS, mask=mask),
        "JAX": seglosses_jax.DiceLoss(smooth=0.0)(LAST, LABELS, mask=mask),
        "TensorFlow": seglosses_keras.DiceLoss(smooth=0.0)(LABELS, LAST, mask=mask),
    }
    found = ", ".join(f"{float(value):.3g} in {name}" for name, value in values.items())
    return f"{found}: on CPUs, XLA and TensorFlow count what is below 1.2e-38 as 0, and 0 leaves a pixel out"


def torch_trace() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(seglosses_torch.CrossEntropyLoss(), (Z, Y))
    z = Z.flip(-1).requires_grad_()
    traced(z, Y).backward()
    return f"works, by autodiff of the formula, for logits of the shape that is traced: gradient of {z.grad.dtype}"


def torch_distributed() -> str:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        value: Any = seglosses_torch.DiceLoss()(distribute_tensor(Z, mesh), distribute_tensor(Y, mesh))
        return f"works, summed over the mesh: the value is a DTensor with placements {value.placements}"
    finally:
        distributed.destroy_process_group()


ATTEMPTS: list[tuple[str, str, Callable[[], Any]]] = [
    ("NumPy", "bfloat16 logits (ml_dtypes)", numpy_bfloat16),
    ("NumPy", "a loss scale for half precision", numpy_half_gradient),
    ("NumPy", "the gradient of a map", numpy_gradient_of_a_map),
    ("array-api-strict", "float16 logits", lambda: array_api_strict.float16),
    ("PyTorch", "forward mode (`torch.func.jvp`)", torch_forward_mode),
    ("PyTorch", "`torch.jit.script`", torch_script),
    ("PyTorch", "`torch.jit.trace`", torch_trace),
    ("PyTorch", "a `DTensor`", torch_distributed),
    ("PyTorch", "a hyper-parameter set after construction", torch_hyperparameter),
    ("JAX", "float64 logits without `jax_enable_x64`", jax_float64),
    ("JAX", "the Hessian", jax_hessian),
    ("PyTorch", "the derivative with respect to a mask weight at 0", torch_weight_of_zero),
    ("JAX and TensorFlow", "a mask of 1e-40 in float32", subnormal_weights),
    ("TensorFlow", "second derivatives", tensorflow_second_order),
    ("TensorFlow", "forward mode (`tf.autodiff.ForwardAccumulator`)", tensorflow_forward_mode),
    ("TensorFlow", "`tf.vectorized_map`", tensorflow_vectorized_map),
    ("TensorFlow", "a gradient with respect to the points of a heat map", tensorflow_points),
    ("Keras", "a variable as a hyper-parameter of a loss", keras_variable),
    ("Keras", "a map from a layer", keras_map_from_a_layer),
    ("Keras", "`fit(class_weight=…)` with labels `(N, T)`", keras_class_weight),
]  # fmt: skip

PAGE = """# What a framework cannot do

Each row is an attempt that `make docs` makes anew, and what came of it. The conformance suite counts what a framework
cannot do as `unsupported`, with the reason, never as passed.

| framework | attempt | outcome |
|---|---|---|
{attempts}

Known, and not mended here:

- Under `tf.function` with unknown lengths, shapes that do not fit are found when the graph runs; XLA leaves that out.
- There, the windows of `RegionMutualInformationLoss` are not cut to the image either: where an axis has fewer cells
  than `radius` there is no window, the value says nothing, and the gradient fails.
- There, presets that divide by the number of pixels, such as MONAI's focal losses with reduction="sum", are an error:
  they need known lengths.
- In float32, gradients lose digits in images in which every pixel is certain by 10 nats and more, right or wrong, where
  little of a gradient is left: up to all of them those of `BoundaryF1Loss` and `ClDiceLoss`, and of
  `RegionMutualInformationLoss` with `pool` above 1. A minimum or maximum of p takes all that float32 rounds to 1 for
  equal, which then share its slope; windows of 1 − p beside those of p would cost as much again. Near perfection
  `BoundaryF1Loss`, which adds up differences of p, loses digits of its value too. In `LovaszSoftmaxLoss` errors that
  are closer than the rounding of the logits may change places, and with them slopes that differ by one pixel's part.
- In float32, the value of `PowerDiceLoss` and `PowerJaccardLoss` with a p between 1 and 2 loses digits where every
  pixel is right, of which it is a difference: by 8 nats it is right to 2e-5, by 12 to 2e-3, by 16, where it is 6e-8, to
  a tenth. Their gradient keeps its digits; with p = 1 and p = 2 both do, but with a learnt p of nearly 2, where the
  gradient is a difference too.
- The gradient of `RegionMutualInformationLoss` has up to three digits less in JAX without x64, for it has no float64.
- On a GPU, PyTorch computes a loss with a mask of the logits' shape without our kernels, which read weights of pixels.
- The Keras layers (`CenterLoss`, `LearnableLoss`) take no mask and no sample weight, and cannot be used under
  `tf.distribute.MirroredStrategy`, whose replicas share one list of added losses.
- With XLA's optimisation switched off (`xla_backend_optimization_level=0`), autodiff of the standardised locally
  adaptive loss under `jax.jit` is NaN where the eager one is right.
- A loss under `torch.compile` has no second derivative by autograd, which AOTAutograd refuses; transforms of
  `torch.func` inside the compiled function have it. With backend="eager", which is for debugging and runs no
  AOTAutograd, it is not refused but incomplete.
- Before JAX 0.6, what comes from its persistent compilation cache (`jax_compilation_cache_dir`) writes, on a CPU, over
  arrays of NumPy that donated arguments were made of. `fit` of Keras on JAX donates its variables, and with that cache
  gives wrong numbers, with Keras' own losses too.
- Under `torch.compile` another value of a hyper-parameter may cost a recompilation, and after 8 of them
  (`torch._dynamo.config.recompile_limit`) PyTorch goes on without compiling, or raises with `fullgraph=True`.

Targets of the conformance suite, and the dtypes that they do not have:

| target | what it is | without |
|---|---|---|
{targets}
"""


def outcome(attempt: Callable[[], Any]) -> str:
    try:
        return str(attempt())
    except Exception as error:  # whatever the framework raises is what the page is about
        lines = str(error).strip().splitlines()
        return f"`{type(error).__name__}`: {lines[0] if lines else ''}"


def main() -> None:
    attempts = [
        f"| {who} | {what} | {outcome(attempt).replace('|', '&#124;')} |" for who, what, attempt in ATTEMPTS
    ]
    targets = [
        f"| `{target.name}` | {target.title} | "
        + ("; ".join(f"{dtype}: {reason}" for dtype, reason in target.unsupported.items()) or "–")
        + " |"
        for target in TARGETS.values()
    ]
    text = PAGE.format(attempts="\n".join(attempts), targets="\n".join(targets))
    Path(__file__).with_name("limits.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
