"""Weights count relative to each other: those of 1e37 or 1e-30 give what those of 1 give."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from everywhere import FRAMEWORKS, LOSSES, Problem, core_of, evaluate, is_region, is_single, named, singles

import seglosses_core
import seglosses_torch

pytestmark = pytest.mark.sampled(24)

SIZES = (1e37, 1e-30)
RNG = np.random.default_rng(5)
PROBLEM = Problem(
    RNG.normal(size=(3, 3, 4, 5)).astype(np.float32),
    RNG.integers(0, 3, size=(3, 4, 5)),
    RNG.choice([0.0, 0.25, 1.0, 2.0], size=(3, 4, 5)).astype(np.float32),
    np.array([0.5, 1.0, 3.0], dtype=np.float32),
)
CLASS_WEIGHTS = (0.5, 2.0, 1.0)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)


def adds_one(name: str) -> bool:
    """To sums of any size."""
    return name.startswith("StructureLoss") or "weights=gdl" in name


losses = pytest.mark.parametrize(
    "loss",
    [name for name in LOSSES if all(one.reduction != "sum" for one in singles(name)) and not adds_one(name)],
)


def same(found: tuple[Any, np.ndarray], right: tuple[Any, np.ndarray]) -> None:
    (value, gradient), (right_value, slope) = found, right
    np.testing.assert_allclose(value, right_value, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, atol=1e-5 * np.max(np.abs(slope)))


@everywhere
@losses
def test_of_pixels_images_and_classes(framework: str, loss: str) -> None:
    # Keras multiplies the value by the mean sample weight.
    problem = replace(PROBLEM, sample_weight=None) if framework == "tensorflow" else PROBLEM
    common = {"class_weights": CLASS_WEIGHTS, "smooth": 0.0}
    right = evaluate("numpy", LOSSES[loss], problem, **common)
    large, small = SIZES if len(loss) % 2 else SIZES[::-1]
    mask = (PROBLEM.mask * np.float32(large)).astype(np.float32)
    classes = tuple(small * weight for weight in CLASS_WEIGHTS)
    same(evaluate(framework, LOSSES[loss], replace(problem, mask=mask), **common), right)
    same(
        evaluate(
            framework, LOSSES[loss], replace(problem, mask=mask), **{**common, "class_weights": classes}
        ),
        right,
    )
    if framework != "tensorflow":
        images = (PROBLEM.sample_weight * np.float32(small)).astype(np.float32)
        given = replace(PROBLEM, mask=mask, sample_weight=images)
        same(evaluate(framework, LOSSES[loss], given, **common), right)


@losses
def test_subnormal(loss: str) -> None:
    """Where the processor has subnormal numbers: XLA and TensorFlow count them as 0 on CPUs."""
    tiny = replace(PROBLEM, mask=(PROBLEM.mask * np.float32(1e-40)).astype(np.float32))
    right = evaluate("numpy", LOSSES[loss], PROBLEM, smooth=0.0)
    for framework in ("numpy", "torch"):
        value, gradient = evaluate(framework, LOSSES[loss], tiny, smooth=0.0)
        np.testing.assert_allclose(value, right[0], rtol=1e-4)  # 1e-40 has 16 bits
        np.testing.assert_allclose(gradient, right[1], atol=1e-4 * np.max(np.abs(right[1])))


def scores_images(name: str) -> bool:
    """Whole, so that class weights count within a score."""
    each = dataclasses.replace(core_of(name), reduction="none", class_weights=None)
    if not is_region(name):
        return False
    if each.average == "image":
        return True
    return dataclasses.replace(each, aggregate="image")(PROBLEM.logits, PROBLEM.target).ndim == 1


def grows(name: str) -> bool:
    """The logarithm of a sum grows by less than the sum."""
    return is_single(name) and not adds_one(name) and not name.startswith("HausdorffDTLoss-log=True")


@everywhere
@pytest.mark.parametrize("size", [2.0**60, 2.0**-60])
@pytest.mark.parametrize("loss", [*filter(grows, LOSSES)])
def test_a_sum_grows_with_the_weights(framework: str, loss: str, size: float) -> None:
    problem = replace(PROBLEM, sample_weight=None)
    common = {"reduction": "sum", "smooth": 0.0}
    value, gradient = evaluate("numpy", LOSSES[loss], problem, **common)
    grown = 1.0 if is_region(loss) else size
    mask = (PROBLEM.mask * np.float32(size)).astype(np.float32)
    found = evaluate(framework, LOSSES[loss], replace(problem, mask=mask), **common)
    same((found[0] / grown, found[1] / np.float32(grown)), (value, gradient))
    classes = tuple(size * weight for weight in CLASS_WEIGHTS)
    value, gradient = evaluate("numpy", LOSSES[loss], problem, **common, class_weights=CLASS_WEIGHTS)
    found = evaluate(framework, LOSSES[loss], problem, **common, class_weights=classes)
    grown = 1.0 if scores_images(loss) else size
    same((found[0] / grown, found[1] / np.float32(grown)), (value, gradient))


@everywhere
@pytest.mark.parametrize("aggregate", ["image", "batch"])
def test_smooth_is_not_scaled(framework: str, aggregate: str) -> None:
    """ε beside sums of weights of 1e20 is ε · 1e−20 beside sums of weights of 1."""
    make = named("TverskyLoss", aggregate=aggregate)
    problem = replace(PROBLEM, sample_weight=None, mask=PROBLEM.mask * np.float32(1e20))
    right = evaluate("numpy", make, replace(PROBLEM, sample_weight=None), smooth=0.5)
    same(evaluate(framework, make, problem, smooth=0.5e20), right)


def test_nothing_is_foreground() -> None:
    """The sum is then divided by 1, not by what the weights were scaled by."""
    heat = np.full((1, 1, 4), 0.5, dtype=np.float32)
    logits = np.zeros((1, 1, 4), dtype=np.float32)
    loss = seglosses_core.DistanceAwareCrossEntropyLoss()
    small = loss(logits, heat, mask=np.full((1, 4), 1e-20, dtype=np.float32))
    np.testing.assert_allclose(small, 1e-20 * loss(logits, heat), rtol=1e-5)


def test_a_map_has_the_weights_that_were_given() -> None:
    loss = seglosses_core.CrossEntropyLoss(reduction="none")
    plain = loss(PROBLEM.logits, PROBLEM.target, mask=PROBLEM.mask)
    large = loss(PROBLEM.logits, PROBLEM.target, mask=PROBLEM.mask * np.float32(1e30))
    np.testing.assert_allclose(large, 1e30 * plain.astype(np.float64), rtol=1e-5)


def test_centres_move_by_the_weights_that_were_given() -> None:
    loss = seglosses_core.CenterLoss()
    centers = np.ones((3, 3), dtype=np.float32)

    def moved(size: float) -> np.ndarray:
        mask = (PROBLEM.mask * np.float32(size)).astype(np.float32)
        return loss.updated_centers(PROBLEM.logits, PROBLEM.target, centers=centers, mask=mask)

    np.testing.assert_allclose(moved(1e-20), centers)
    np.testing.assert_allclose(moved(1e20), moved(1e10), rtol=1e-5)


def test_the_gradient_of_a_mask_of_any_size() -> None:
    """Of a mean it is that of weights near 1, divided by their size."""
    gradients = []
    for size in (1.0, 1e30):
        mask = torch.from_numpy(PROBLEM.mask * np.float32(size)).requires_grad_()
        logits, target = torch.from_numpy(PROBLEM.logits), torch.from_numpy(PROBLEM.target)
        seglosses_torch.CrossEntropyLoss()(logits, target, mask=mask).backward()
        gradients.append(mask.grad.double() * size)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-8)
