"""float16 and bfloat16 logits of large images: right values, and gradients that a loss scale carries."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from everywhere import ALL, DTYPES, FRAMEWORKS, Problem, evaluate, of_one_class, to_torch

import seglosses_core
import seglosses_torch

pytestmark = pytest.mark.sampled(12)

SCALE = 65536.0
VALUE_TOLERANCE = {"float16": 1e-2, "bfloat16": 3e-2}
GRADIENT_TOLERANCE = 1e-2
SIZES = {
    "512 x 512": (512, 512),
    "128 x 128 x 128": pytest.param((128, 128, 128), marks=pytest.mark.slow),
}
SCENES = ("all foreground", "10 foreground pixels")


@functools.cache
def scene(name: str, shape: tuple[int, ...], dtype: str, classes: int = 3) -> Problem:
    """Logits that tend towards the target, in which class 1 is the foreground."""
    rng = np.random.default_rng(0)
    labels = np.ones((1, *shape), dtype=np.int64)
    if name != "all foreground":
        labels[:] = 0
        labels.reshape(-1)[rng.choice(labels.size, 10, replace=False)] = 1
    logits = rng.normal(scale=2, size=(1, classes, *shape)).astype(np.float32)
    logits[:, min(classes - 1, 1)] += 2 * labels - 1
    return Problem(logits.astype(DTYPES[dtype]), labels)


@functools.cache
def exact(
    loss: str, name: str, shape: tuple[int, ...], dtype: str, classes: int = 3
) -> tuple[float, np.ndarray]:
    """Computed in float64 from the same rounded logits."""
    problem = scene(name, shape, dtype, classes)
    rounded = Problem(problem.logits.astype(np.float64), problem.target)
    return evaluate("numpy", ALL[loss], rounded)


def assert_close(value: float, gradient: np.ndarray, expected: tuple[float, np.ndarray], dtype: str) -> None:
    expected_value, expected_gradient = expected
    assert np.isfinite(value)
    assert abs(value - expected_value) <= VALUE_TOLERANCE[dtype] * abs(expected_value)
    error = np.abs(gradient.astype(np.float64) / SCALE - expected_gradient)
    # Kappa has hardly a gradient where one class is everything: no scale brings that into float16.
    spacing = float(np.finfo(np.float16).smallest_subnormal) / SCALE
    assert np.max(error) <= GRADIENT_TOLERANCE * np.max(np.abs(expected_gradient)) + spacing / 2


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("shape", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("dtype", VALUE_TOLERANCE)
@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize("framework", [name for name in FRAMEWORKS if name != "numpy"])
def test_half_precision(framework: str, loss: str, dtype: str, shape: tuple[int, ...], name: str) -> None:
    value, gradient = evaluate(framework, ALL[loss], scene(name, shape, dtype), scale=SCALE)
    assert value.dtype == np.float32
    assert_close(value, gradient, exact(loss, name, shape, dtype), dtype)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("dtype", VALUE_TOLERANCE)
@pytest.mark.parametrize("loss", [*filter(of_one_class, ALL)])
@pytest.mark.parametrize("framework", [name for name in FRAMEWORKS if name != "numpy"])
def test_one_class(framework: str, loss: str, dtype: str, name: str) -> None:
    shape = (128, 128)
    problem = scene(name, shape, dtype, 1)
    value, gradient = evaluate(framework, ALL[loss], problem, scale=SCALE)
    assert_close(value, gradient, exact(loss, name, shape, dtype, 1), dtype)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("autocast", [False, True])
def test_a_learnt_power_and_half_precision_features(dtype: torch.dtype, autocast: bool) -> None:
    """What takes autograd's path instead of the hand-written derivative loses nothing either."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 3, 512, 512, generator=generator).to(dtype)
    features = torch.randn(1, 5, 512, 512, generator=generator).to(dtype)
    labels = torch.randint(0, 3, (1, 512, 512), generator=generator)
    center = seglosses_torch.CenterLoss(num_classes=3, num_features=5, weight=0.5).eval()
    center.centers.normal_(generator=generator)
    power = seglosses_torch.PowerDiceLoss(p=seglosses_torch.LearnablePower(1.3))
    (raw,) = power.parameters()
    found = {}
    for scale, kind in ((SCALE, dtype), (1, torch.float64)):
        z, x = (a.to(kind).requires_grad_() for a in (logits, features))
        with torch.autocast("cpu", dtype=dtype, enabled=autocast and kind == dtype):
            value = power(z, labels) + center(z, labels, features=x)
        found[kind] = value, *(g / scale for g in torch.autograd.grad(value * scale, (z, x, raw)))
        assert found[kind][1].dtype == kind
    for half, wide in zip(found[dtype], found[torch.float64], strict=True):
        error = torch.max(torch.abs(half.double() - wide.double()))
        assert error <= GRADIENT_TOLERANCE * torch.max(torch.abs(wide))


@pytest.mark.parametrize("dtype", VALUE_TOLERANCE)
@pytest.mark.parametrize("loss", ALL)
def test_numpy_value(loss: str, dtype: str) -> None:
    """NumPy has no upstream gradient to scale: its value is right, and its gradient is what the dtype can hold."""
    problem = scene("all foreground", (512, 512), dtype)
    value, gradient = evaluate("numpy", ALL[loss], problem)
    expected, expected_gradient = exact(loss, "all foreground", (512, 512), dtype)
    assert abs(value - expected) <= VALUE_TOLERANCE[dtype] * abs(expected)
    assert gradient.dtype == problem.logits.dtype
    spacing = float(np.finfo(np.float16).smallest_subnormal)
    error = np.abs(gradient.astype(np.float64) - expected_gradient)
    assert np.max(error) <= GRADIENT_TOLERANCE * np.max(np.abs(expected_gradient)) + spacing / 2


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("dtype", VALUE_TOLERANCE)
@pytest.mark.parametrize("loss", ALL)
def test_autocast_on_torch(loss: str, dtype: str, name: str) -> None:
    """The logits that autocast makes, half precision, and a gradient scaler around them."""
    problem = scene(name, (512, 512), dtype)
    weight = to_torch(problem.logits).float().requires_grad_()
    make = ALL[loss](seglosses_torch)
    with torch.autocast("cpu", dtype=getattr(torch, dtype)):
        logits = torch.nn.functional.conv2d(weight, torch.eye(3)[:, :, None, None])
        assert logits.dtype == getattr(torch, dtype)
        value = make(logits, torch.from_numpy(problem.target))
    (gradient,) = torch.autograd.grad(value * SCALE, weight)
    assert_close(value.detach().numpy(), gradient.numpy(), exact(loss, name, (512, 512), dtype), dtype)


@pytest.mark.parametrize("loss", ALL)
def test_gradient_scaler_end_to_end(loss: str) -> None:
    """Steps of a network in float16 are those of the same network in float32, to what float16 can hold."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 1, 64, 64, generator=generator)
    labels = (image[:, 0] > 1.5).long()
    start = torch.randn(3, 1, 3, 3, generator=generator) / 3
    moved = {}
    for dtype in (torch.float32, torch.float16):
        network = torch.nn.Conv2d(1, 3, 3, padding=1)
        network.load_state_dict({"weight": start, "bias": torch.zeros(3)})
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, enabled=dtype == torch.float16)
        make = ALL[loss](seglosses_torch)
        for _ in range(3):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=dtype, enabled=dtype == torch.float16):
                value = make(network(image), labels)
            scaler.scale(value).backward()
            scaler.step(optimizer)
            scaler.update()
        assert not scaler.is_enabled() or scaler.get_scale() == 1024
        moved[dtype] = network.weight.detach() - start
    error = torch.max(torch.abs(moved[torch.float16] - moved[torch.float32]))
    assert error <= 1e-2 * torch.max(torch.abs(moved[torch.float32]))


def test_the_gradient_needs_the_scale() -> None:
    """Why there is a loss scale: float16 alone cannot hold the gradient of a large Dice."""
    problem = scene("all foreground", (512, 512), "float16")
    _, gradient = evaluate("torch", ALL["DiceLoss-defaults"], problem)
    _, exact_gradient = seglosses_core.DiceLoss().value_and_grad(
        problem.logits.astype(np.float64), problem.target
    )
    assert np.max(np.abs(gradient - exact_gradient)) > GRADIENT_TOLERANCE * np.max(np.abs(exact_gradient))
