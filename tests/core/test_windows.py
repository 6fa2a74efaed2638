"""The window of the locally adaptive loss reaches no further than the image, on each axis by itself."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import seglosses_jax
import seglosses_torch
from seglosses_conformance import oracle
from seglosses_conformance.frameworks.with_jax import enable_x64
from seglosses_core import LocallyAdaptiveLoss
from seglosses_core.ops import Ops

SHAPES = [(1,), (3,), (2, 5), (5, 1), (1, 2, 3)]
KERNELS = [1, 3, 7, 11]


def data(shape, classes=3):
    random = np.random.default_rng(0)
    return random.normal(size=(2, classes, *shape)), random.integers(0, classes, (2, *shape))


def by_numpy(options, logits, labels):
    return LocallyAdaptiveLoss(**options).value_and_grad(logits, labels)


def by_torch(options, logits, labels):
    z = torch.tensor(logits, requires_grad=True)
    value = seglosses_torch.LocallyAdaptiveLoss(**options)(z, torch.tensor(labels))
    value.backward()
    return value.item(), z.grad.numpy()


def by_jax(options, logits, labels):
    loss = seglosses_jax.LocallyAdaptiveLoss(class_axis=1, **options)
    with enable_x64(True):
        return jax.jit(jax.value_and_grad(loss))(jnp.asarray(logits), jnp.asarray(labels))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_values_are_those_of_the_whole_window(shape, kernel, stride):
    logits, labels = data(shape)
    options = {"kernel_size": kernel, "stride": stride}
    expected = oracle.evaluate("LocallyAdaptiveLoss", options, logits, labels)
    runs = [by_numpy, by_torch] + ([by_jax] if (shape, kernel) == ((2, 5), 7) else [])
    for run in runs:
        value, gradient = run(options, logits, labels)
        assert float(value) == pytest.approx(float(expected.value), rel=1e-12)
        gradients = np.array(expected.gradient, dtype=np.float64)
        np.testing.assert_allclose(gradient, gradients.reshape(logits.shape), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("kernel", [*KERNELS, 2001])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_steps_and_padding_are_bounded_by_the_image(monkeypatch, shape, kernel):
    steps, padded = [], []
    scan, pad = Ops.scan, Ops.pad
    monkeypatch.setattr(Ops, "scan", lambda *args: steps.append(len(args[3])) or scan(*args))
    monkeypatch.setattr(Ops, "pad", lambda *args: padded.append(pad(*args)) or padded[-1])
    logits, labels = data(shape)
    LocallyAdaptiveLoss(kernel_size=kernel)(logits, labels)
    widths = [min(kernel, 2 * n - 1) for n in shape]
    assert steps == [math.prod(widths)]
    whole = tuple(n + width - 1 for n, width in zip(shape, widths, strict=True))
    assert {x.shape for x in padded} == {(2, 3, *whole), (2, *whole)}


def test_a_window_beyond_the_image_costs_no_more_than_one_that_covers_it():
    logits, labels = (jnp.asarray(x) for x in data((4, 3)))

    def program(kernel):
        loss = seglosses_jax.LocallyAdaptiveLoss(kernel_size=kernel, class_axis=1)
        return str(jax.make_jaxpr(jax.grad(loss))(logits, labels))

    assert len(program(301)) == len(program(7))
