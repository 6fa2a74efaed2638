"""float16 and bfloat16 logits of large images: right values, and gradients that a loss scale carries."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from everywhere import DTYPES, FRAMEWORKS, LOSSES, Problem, evaluate, to_torch

import seglosses_core
import seglosses_torch

SCALE = 65536.0
VALUE_TOLERANCE = {"float16": 1e-2, "bfloat16": 3e-2}
GRADIENT_TOLERANCE = 1e-2
SIZES = {
    "512 x 512": (512, 512),
    "128 x 128 x 128": pytest.param((128, 128, 128), marks=pytest.mark.slow),
}
SCENES = ("all foreground", "10 foreground pixels")


@functools.cache
def scene(name: str, shape: tuple[int, ...], dtype: str) -> Problem:
    """Two classes, and logits that tend towards the target."""
    rng = np.random.default_rng(0)
    labels = np.ones((1, *shape), dtype=np.int64)
    if name != "all foreground":
        labels[:] = 0
        labels.reshape(-1)[rng.choice(labels.size, 10, replace=False)] = 1
    logits = rng.normal(scale=2, size=(1, 2, *shape)).astype(np.float32)
    logits[:, 1] += 2 * labels - 1
    return Problem(logits.astype(DTYPES[dtype]), labels)


@functools.cache
def exact(loss: str, name: str, shape: tuple[int, ...], dtype: str) -> tuple[float, np.ndarray]:
    """Computed in float64 from the same rounded logits."""
    problem = scene(name, shape, dtype)
    rounded = Problem(problem.logits.astype(np.float64), problem.target)
    return evaluate("numpy", LOSSES[loss], rounded)


def assert_close(value: float, gradient: np.ndarray, expected: tuple[float, np.ndarray], dtype: str) -> None:
    expected_value, expected_gradient = expected
    assert np.isfinite(value)
    assert abs(value - expected_value) <= VALUE_TOLERANCE[dtype] * abs(expected_value)
    error = np.abs(gradient.astype(np.float64) / SCALE - expected_gradient)
    assert np.max(error) <= GRADIENT_TOLERANCE * np.max(np.abs(expected_gradient))


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("shape", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("dtype", VALUE_TOLERANCE)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("framework", [name for name in FRAMEWORKS if name != "numpy"])
def test_half_precision(framework: str, loss: str, dtype: str, shape: tuple[int, ...], name: str) -> None:
    value, gradient = evaluate(framework, LOSSES[loss], scene(name, shape, dtype), scale=SCALE)
    assert value.dtype == np.float32
    assert_close(value, gradient, exact(loss, name, shape, dtype), dtype)


@pytest.mark.parametrize("dtype", VALUE_TOLERANCE)
@pytest.mark.parametrize("loss", LOSSES)
def test_numpy_value(loss: str, dtype: str) -> None:
    """NumPy has no upstream gradient to scale: its value is right, and its gradient is what the dtype can hold."""
    problem = scene("all foreground", (512, 512), dtype)
    value, gradient = evaluate("numpy", LOSSES[loss], problem)
    expected, expected_gradient = exact(loss, "all foreground", (512, 512), dtype)
    assert abs(value - expected) <= VALUE_TOLERANCE[dtype] * abs(expected)
    assert gradient.dtype == problem.logits.dtype
    spacing = float(np.finfo(np.float16).smallest_subnormal)
    error = np.abs(gradient.astype(np.float64) - expected_gradient)
    assert np.max(error) <= GRADIENT_TOLERANCE * np.max(np.abs(expected_gradient)) + spacing / 2


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("dtype", VALUE_TOLERANCE)
@pytest.mark.parametrize("loss", LOSSES)
def test_autocast_on_torch(loss: str, dtype: str, name: str) -> None:
    """The logits that autocast makes, half precision, and a gradient scaler around them."""
    problem = scene(name, (512, 512), dtype)
    weight = to_torch(problem.logits).float().requires_grad_()
    make = LOSSES[loss](seglosses_torch)
    with torch.autocast("cpu", dtype=getattr(torch, dtype)):
        logits = torch.nn.functional.conv2d(weight, torch.eye(2)[:, :, None, None])
        assert logits.dtype == getattr(torch, dtype)
        value = make(logits, torch.from_numpy(problem.target))
    (gradient,) = torch.autograd.grad(value * SCALE, weight)
    assert_close(value.detach().numpy(), gradient.numpy(), exact(loss, name, (512, 512), dtype), dtype)


def test_gradient_scaler_end_to_end() -> None:
    """A step of a network in float16 is that of the same network in float32, to what float16 can hold."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 1, 64, 64, generator=generator)
    labels = (image[:, 0] > 1.5).long()
    moved = {}
    for dtype in (torch.float32, torch.float16):
        network = torch.nn.Conv2d(1, 2, 3, padding=1)
        torch.nn.init.constant_(network.weight, 0.1)
        torch.nn.init.zeros_(network.bias)
        optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
        scaler = torch.amp.GradScaler("cpu", init_scale=SCALE, enabled=dtype == torch.float16)
        with torch.autocast("cpu", dtype=dtype, enabled=dtype == torch.float16):
            value = seglosses_torch.DiceLoss()(network(image), labels)
        scaler.scale(value).backward()
        scaler.step(optimizer)
        scaler.update()
        assert not scaler.is_enabled() or scaler.get_scale() == SCALE
        moved[dtype] = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    torch.testing.assert_close(moved[torch.float16], moved[torch.float32], rtol=1e-2, atol=1e-4)


def test_the_gradient_needs_the_scale() -> None:
    """Why there is a loss scale: float16 alone cannot hold the gradient of a large Dice."""
    problem = scene("all foreground", (512, 512), "float16")
    _, gradient = evaluate("torch", LOSSES["Dice"], problem)
    _, exact_gradient = seglosses_core.DiceLoss().value_and_grad(
        problem.logits.astype(np.float64), problem.target
    )
    assert np.max(np.abs(gradient - exact_gradient)) > GRADIENT_TOLERANCE * np.max(np.abs(exact_gradient))
