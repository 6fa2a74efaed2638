"""What is ignored cannot matter, to the bit; and what is weighted counts that often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from everywhere import (
    ALL,
    FRAMEWORKS,
    Problem,
    core_of,
    entries,
    evaluate,
    is_region,
    is_single,
    needs_maps,
    singles,
    takes,
)

from seglosses_core import HardExampleMining, MaxPooling, TopK

pytestmark = pytest.mark.sampled(8)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
every_loss = pytest.mark.parametrize("loss", ALL)
every_dense = pytest.mark.parametrize("loss", [name for name in ALL if takes(name, "soft")])
RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, size=(2, 4, 5))
IGNORED = RNG.random(size=LABELS.shape) < 0.3
HOT = np.moveaxis(np.eye(3, dtype=np.float32)[LABELS], -1, 1)
HEAT_MAP = np.where(HOT == 1, HOT, RNG.random(LOGITS.shape).astype(np.float32))
JUNK = {
    "random": RNG.normal(size=LOGITS.shape).astype(np.float32),
    "1e30": 1e30,
    "NaN": np.nan,
    "inf": np.inf,
    "-inf": -np.inf,
}
SUMS = [
    name
    for name in ALL
    if not any("permuted pixels" in entry.exceptions for entry in entries(name))
    and not any(isinstance(one.reduction, TopK | MaxPooling | HardExampleMining) for one in singles(name))
    and not needs_maps(name)
]
"""A weight of 2 is the pixel counted twice where a loss is a sum over pixels."""


def ignoring(how: str, logits: np.ndarray) -> tuple[Problem, dict[str, int]]:
    if how == "ignore_index":
        return Problem(logits, np.where(IGNORED, 255, LABELS)), {"ignore_index": 255}
    if how == "image of weight 0":
        return Problem(logits, LABELS, sample_weight=np.array([0, 1.5], dtype=np.float32)), {}
    mask = ~IGNORED if how == "bool mask" else np.where(IGNORED, 0, 1.5).astype(np.float32)
    return Problem(logits, LABELS, mask=mask), {}


def check_same_bits(framework: str, loss: str, a: Problem, b: Problem, **common: Any) -> np.ndarray:
    value, gradient = evaluate(framework, ALL[loss], a, **common)
    other, its_gradient = evaluate(framework, ALL[loss], b, **common)
    assert np.isfinite(value)
    assert other == value
    np.testing.assert_array_equal(its_gradient, gradient)
    return gradient


@everywhere
@every_loss
@pytest.mark.parametrize(
    ("how", "junk", "dtype"),
    [
        ("ignore_index", "NaN", np.float32),
        ("ignore_index", "inf", ml_dtypes.bfloat16),
        ("bool mask", "random", np.float16),
        ("bool mask", "-inf", np.float32),
        ("weights", "1e30", np.float32),
        ("image of weight 0", "NaN", np.float64),
    ],
)
def test_ignored_logits_change_no_bit(framework: str, loss: str, how: str, junk: str, dtype: type) -> None:
    ignored = np.arange(2)[:, None, None] < 1 if how == "image of weight 0" else IGNORED
    logits = LOGITS.astype(dtype)
    ignored = np.broadcast_to(ignored[:, None], logits.shape)
    problem, common = ignoring(how, logits)
    spoilt, _ = ignoring(how, np.where(ignored, JUNK[junk], logits).astype(dtype))
    gradient = check_same_bits(framework, loss, problem, spoilt, **common)
    assert np.all(gradient[ignored] == 0)
    assert np.any(gradient[~ignored] != 0)


@everywhere
@every_dense
def test_an_ignored_soft_target_may_be_nan(framework: str, loss: str) -> None:
    target = HEAT_MAP if takes(loss, "heat map") else 0.8 * HOT + np.float32(0.05)
    spoilt = np.where(IGNORED[:, None], np.float32(np.nan), target)
    check_same_bits(
        framework, loss, Problem(LOGITS, target, mask=~IGNORED), Problem(LOGITS, spoilt, mask=~IGNORED)
    )


@everywhere
@every_loss
def test_an_ignored_label_may_be_any(framework: str, loss: str) -> None:
    spoilt = np.where(IGNORED, RNG.choice([-7, 3, 10**6], size=LABELS.shape), LABELS)
    check_same_bits(
        framework, loss, Problem(LOGITS, LABELS, mask=~IGNORED), Problem(LOGITS, spoilt, mask=~IGNORED)
    )


@everywhere
@every_loss
def test_an_ignore_index_that_no_pixel_bears(framework: str, loss: str) -> None:
    value, gradient = evaluate(framework, ALL[loss], Problem(LOGITS, LABELS))
    with_index, its_gradient = evaluate(framework, ALL[loss], Problem(LOGITS, LABELS), ignore_index=255)
    assert with_index == value
    np.testing.assert_array_equal(its_gradient, gradient)


@everywhere
@every_loss
@pytest.mark.parametrize("dtype", [bool, np.float32, np.int64])
def test_a_mask_of_ones(framework: str, loss: str, dtype: type) -> None:
    problem = Problem(LOGITS, LABELS)
    check_same_bits(framework, loss, problem, replace(problem, mask=np.ones(LABELS.shape, dtype=dtype)))


@everywhere
@pytest.mark.parametrize("loss", SUMS)
def test_a_weight_of_two_is_the_pixel_twice(framework: str, loss: str) -> None:
    logits, labels = LOGITS[:1, :, 0], LABELS[:1, 0]
    weights = np.array([[2, 1, 1, 2, 1]], dtype=np.float32)
    twice = np.array([0, 0, 1, 2, 3, 3, 4])
    value, gradient = evaluate(framework, ALL[loss], Problem(logits, labels, mask=weights))
    repeated, its_gradient = evaluate(framework, ALL[loss], Problem(logits[:, :, twice], labels[:, twice]))
    np.testing.assert_allclose(value, repeated, rtol=1e-6)
    summed = np.stack([its_gradient[:, :, twice == i].sum(axis=-1) for i in range(5)], axis=-1)
    np.testing.assert_allclose(gradient, summed, rtol=1e-4, atol=1e-7)


@everywhere
@pytest.mark.parametrize("loss", [*filter(is_single, SUMS)])
def test_a_sample_weight_of_two_is_the_image_twice(framework: str, loss: str) -> None:
    weights, twice = np.array([2, 1], dtype=np.float32), np.array([0, 0, 1])
    value, gradient = evaluate(framework, ALL[loss], Problem(LOGITS, LABELS, sample_weight=weights))
    scale = 1.0
    core = core_of(loss)
    if framework == "tensorflow" and set(core.inputs) <= {"factor"} and core.reduction != "sum":
        # Keras' mean divides by what it would divide by without weights of images: the pixels, by their class weights.
        of_pixels = core.class_weights if not is_region(loss) else None
        counts = np.asarray(of_pixels or (1, 1, 1))[LABELS]
        scale = (weights[:, None, None] * counts).sum() / counts.sum()
    repeated, its_gradient = evaluate(framework, ALL[loss], Problem(LOGITS[twice], LABELS[twice]))
    np.testing.assert_allclose(value, repeated * scale, rtol=1e-6)
    summed = np.stack([its_gradient[twice == i].sum(axis=0) for i in range(2)])
    np.testing.assert_allclose(gradient, summed * scale, rtol=1e-4, atol=1e-7)


@everywhere
@every_loss
@pytest.mark.parametrize(("name", "weight"), [("mask", np.nan), ("sample_weight", -1.0)])
def test_a_weight_that_is_none_makes_the_value_nan(
    framework: str, loss: str, name: str, weight: float
) -> None:
    """Not a pixel or an image left out."""
    check_nan(framework, loss, name, weight)


@everywhere
@pytest.mark.parametrize("loss", ["CrossEntropyLoss-defaults", "DiceLoss-defaults"])
@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("mask", -1.0),
        ("mask", np.inf),
        ("mask", -np.inf),
        ("sample_weight", np.nan),
        ("sample_weight", np.inf),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # NumPy's, for inf / inf
def test_every_weight_that_is_none(framework: str, loss: str, name: str, weight: float) -> None:
    check_nan(framework, loss, name, weight)


def check_nan(framework: str, loss: str, name: str, weight: float) -> None:
    shape = LABELS.shape if name == "mask" else (2,)
    weights = np.ones(shape, dtype=np.float32)
    weights.flat[1] = weight
    value, gradient = evaluate(framework, ALL[loss], Problem(LOGITS, LABELS, **{name: weights}))
    assert np.isnan(value)
    assert np.isnan(gradient).any()
