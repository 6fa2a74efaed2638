"""What every loss does whatever the input, by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from everywhere import (
    ALL,
    FRAMEWORKS,
    Make,
    Problem,
    bounds,
    core_of,
    entries,
    evaluate,
    is_single,
    needs_maps,
    singles,
    takes,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seglosses_core import Minkowski
from seglosses_core.region import RatioLoss

pytestmark = pytest.mark.sampled(8)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
every_loss = pytest.mark.parametrize("loss", ALL)
N, C, S = 2, 3, (3, 4)


def sees_pixels_alone(name: str) -> bool:
    """Not their neighbours."""
    return not any("permuted pixels" in entry.exceptions for entry in entries(name)) and not needs_maps(name)


def takes_more(one: Any) -> bool:
    """Arrays of the classes, or of the pixels' neighbourhood."""
    return not set(one.inputs) <= {"factor"}


def treats_classes_alike(name: str) -> bool:
    return not any(
        takes_more(one)
        or one.class_weights
        or any(
            isinstance(getattr(one, own, None), tuple)
            for own in ("alpha", "gamma", "priors", "pos_weight", "label_weights")
        )
        or not getattr(one, "include_background", True)
        for one in singles(name)
    ) and not any("permuted classes" in entry.exceptions for entry in entries(name))


def is_of_softmax(name: str) -> bool:
    """Of the logits by their softmax alone."""
    return all(one.activation == "softmax" and not takes_more(one) for one in singles(name)) and not any(
        "shifted logits" in entry.exceptions for entry in entries(name)
    )


def weighs_images_alike(name: str) -> bool:
    """Each image counts for the same, and by itself."""
    return all(
        getattr(one, "aggregate", "image") == "image"
        and getattr(one, "absent", "count") == "count"
        and not one.class_weights
        for one in singles(name)
    ) and is_of_images(name)


def has_images_of_its_own(name: str) -> bool:
    made = core_of(name)
    options = getattr(made, "aggregate", "image"), getattr(made, "average", "pooled")
    return is_single(name) and options[0] == "image" and options[1] != "class" and is_of_images(name)


def is_of_images(name: str) -> bool:
    """Whether nothing is taken from the whole batch, as the logarithm of the mean is; that of a ratio is its own."""
    of_the_mean = [
        one for one in singles(name) if getattr(one, "log", False) and not isinstance(one, RatioLoss)
    ]
    apart = not any("split batch" in entry.exceptions for entry in entries(name)) and not needs_maps(name)
    return apart and not of_the_mean


MEANS_OF_IMAGES = [
    name for name in filter(weighs_images_alike, ALL) if all(one.reduction == "mean" for one in singles(name))
]
POWER_MEANS = {
    name: core_of(name).reduction.k
    for name in filter(weighs_images_alike, ALL)
    if is_single(name) and isinstance(core_of(name).reduction, Minkowski)
}
SUMS_OF_IMAGES = [name for name in ALL if has_images_of_its_own(name)]
RTOL = 1e-9
"""In float64; the sums of JAX and TensorFlow differ in their order."""


def holds(framework: str, prop: Callable[[int], None]) -> None:
    """Check a property of a random seed; on more of them where a call takes little. Shapes are fixed, so that nothing
    is compiled twice."""
    count = {"numpy": 20, "torch": 8}.get(framework, 3)
    few = settings(
        max_examples=count, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    few(given(seed=st.integers(0, 2**32 - 1))(prop))()


def draw(seed: int, scale: float = 3.0) -> Problem:
    rng = np.random.default_rng(seed)
    return Problem(rng.normal(scale=scale, size=(N, C, *S)), rng.integers(0, C, size=(N, *S)))


def image(problem: Problem, n: int) -> Problem:
    return Problem(problem.logits[n : n + 1], problem.target[n : n + 1])


def check_same(framework: str, make: Make, a: Problem, b: Problem, back: Any = None, **common: Any) -> None:
    value, gradient = evaluate(framework, make, a, **common)
    other, its_gradient = evaluate(framework, make, b, **common)
    np.testing.assert_allclose(other, value, rtol=RTOL)
    its_gradient = its_gradient if back is None else back(its_gradient)
    np.testing.assert_allclose(its_gradient, gradient, rtol=1e-6, atol=RTOL * np.abs(gradient).max())


@everywhere
@pytest.mark.parametrize("loss", [*filter(sees_pixels_alone, ALL)])
def test_permuting_pixels(framework: str, loss: str) -> None:
    def prop(seed: int) -> None:
        problem = draw(seed)
        order = np.random.default_rng(seed + 1).permutation(np.prod(S))
        flat = Problem(problem.logits.reshape(N, C, -1), problem.target.reshape(N, -1))
        permuted = Problem(flat.logits[:, :, order], flat.target[:, order])
        check_same(framework, ALL[loss], flat, permuted, back=lambda g: g[:, :, np.argsort(order)])

    holds(framework, prop)


@everywhere
@pytest.mark.parametrize("loss", [*filter(treats_classes_alike, ALL)])
def test_permuting_classes(framework: str, loss: str) -> None:
    def prop(seed: int) -> None:
        problem = draw(seed)
        order = np.random.default_rng(seed + 1).permutation(C)
        permuted = Problem(problem.logits[:, order], np.argsort(order)[problem.target])
        check_same(framework, ALL[loss], problem, permuted, back=lambda g: g[:, np.argsort(order)])

    holds(framework, prop)


@everywhere
@pytest.mark.parametrize("loss", [*filter(is_of_softmax, ALL)])
def test_shifting_softmax_logits(framework: str, loss: str) -> None:
    def prop(seed: int) -> None:
        problem = draw(seed)
        shift = np.random.default_rng(seed + 1).normal(scale=5, size=(N, 1, *S))
        check_same(framework, ALL[loss], problem, Problem(problem.logits + shift, problem.target))

    holds(framework, prop)


@everywhere
@every_loss
def test_moving_the_class_axis(framework: str, loss: str) -> None:
    def prop(seed: int) -> None:
        problem = draw(seed)
        value, gradient = evaluate(framework, ALL[loss], problem)
        last = Problem(np.ascontiguousarray(np.moveaxis(problem.logits, 1, -1)), problem.target)
        other, its_gradient = evaluate(framework, ALL[loss], last, class_axis=-1)
        np.testing.assert_allclose(other, value, rtol=RTOL)
        moved = np.moveaxis(its_gradient, -1, 1)
        np.testing.assert_allclose(moved, gradient, rtol=1e-6, atol=RTOL * np.abs(gradient).max())

    holds(framework, prop)


def check_parts(framework: str, loss: str, whole: Callable[[np.ndarray], Any], **common: Any) -> None:
    """The value of a batch against `whole` of the values of its images."""

    def prop(seed: int) -> None:
        problem = draw(seed)
        value, _ = evaluate(framework, ALL[loss], problem, **common)
        parts = [evaluate(framework, ALL[loss], image(problem, n), **common)[0] for n in range(N)]
        np.testing.assert_allclose(value, whole(np.asarray(parts)), rtol=RTOL)

    holds(framework, prop)


@everywhere
@pytest.mark.parametrize("loss", MEANS_OF_IMAGES)
def test_a_batch_is_the_mean_of_its_images(framework: str, loss: str) -> None:
    check_parts(framework, loss, np.mean)


@everywhere
@pytest.mark.parametrize("loss", POWER_MEANS)
def test_a_batch_is_the_power_mean_of_its_images(framework: str, loss: str) -> None:
    k = POWER_MEANS[loss]
    check_parts(framework, loss, lambda parts: np.mean(parts**k) ** (1 / k))


@everywhere
@pytest.mark.parametrize("loss", SUMS_OF_IMAGES)
def test_a_batch_is_the_sum_of_its_images(framework: str, loss: str) -> None:
    check_parts(framework, loss, np.sum, reduction="sum")


@everywhere
@pytest.mark.parametrize("scale", [0.1, 10.0, 1e4])
@pytest.mark.parametrize("loss", [*filter(is_single, ALL)])
def test_bounded_losses_stay_in_their_bounds(framework: str, loss: str, scale: float) -> None:
    low, high = bounds(loss)
    high = high if core_of(loss).reduction == "mean" else np.inf

    def prop(seed: int) -> None:
        value, _ = evaluate(framework, ALL[loss], draw(seed, scale))
        assert low <= value <= high

    holds(framework, prop)


def check_slope(framework: str, loss: str, problem: Problem, seed: int) -> None:
    """Along one random direction, which every entry of the gradient enters. The differences are NumPy's."""
    direction = np.random.default_rng(seed).normal(size=problem.logits.shape)
    _, gradient = evaluate(framework, ALL[loss], problem)
    step = 1e-6
    ahead, behind = (
        float(
            evaluate(
                "numpy", ALL[loss], Problem(problem.logits + s * direction, problem.target, problem.mask)
            )[0]
        )
        for s in (step, -step)
    )
    np.testing.assert_allclose(
        np.sum(gradient * direction), (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-8
    )


@everywhere
@every_loss
def test_the_gradient_by_central_differences(framework: str, loss: str) -> None:
    holds(framework, lambda seed: check_slope(framework, loss, draw(seed, scale=1.0), seed + 1))


@everywhere
@pytest.mark.parametrize("loss", [name for name in ALL if takes(name, "soft")])
def test_the_gradient_for_soft_targets_and_weights(framework: str, loss: str) -> None:
    """A heat map for the losses that are made for one."""

    def prop(seed: int) -> None:
        rng = np.random.default_rng(seed)
        target = rng.random((N, C, *S))
        if takes(loss, "heat map"):
            target = np.where(target > 0.8, 1.0, target)
        else:
            target = target / target.sum(axis=1, keepdims=True)
        weights = rng.random((N, *S))
        problem = Problem(rng.normal(size=(N, C, *S)), target, mask=np.where(weights < 0.2, 0, weights))
        check_slope(framework, loss, problem, seed + 1)

    holds(framework, prop)
