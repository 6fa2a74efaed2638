"""What is ignored cannot matter, to the bit; and what is weighted counts that often."""

from __future__ import annotations

import numpy as np
import pytest
from everywhere import FRAMEWORKS, LOSSES, Problem, evaluate

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
every_loss = pytest.mark.parametrize("loss", LOSSES)
RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, size=(2, 4, 5))
IGNORED = RNG.random(size=LABELS.shape) < 0.3
JUNK = {
    "random": RNG.normal(size=LOGITS.shape).astype(np.float32),
    "1e30": 1e30,
    "NaN": np.nan,
    "inf": np.inf,
}
SUMS = [name for name in LOSSES if name not in ("locally adaptive", "top-k", "max-pooling")]
"""A weight of 2 is the pixel counted twice where a loss is a sum over pixels."""


def ignoring(how: str, logits: np.ndarray) -> tuple[Problem, dict[str, int]]:
    if how == "ignore_index":
        return Problem(logits, np.where(IGNORED, 255, LABELS)), {"ignore_index": 255}
    mask = ~IGNORED if how == "bool mask" else np.where(IGNORED, 0, 1.5).astype(np.float32)
    return Problem(logits, LABELS, mask=mask), {}


@everywhere
@every_loss
@pytest.mark.parametrize(
    ("how", "junk"),
    [
        ("ignore_index", "NaN"),
        ("ignore_index", "inf"),
        ("bool mask", "random"),
        ("bool mask", "NaN"),
        ("weights", "1e30"),
    ],
)
def test_ignored_logits_change_no_bit(framework: str, loss: str, how: str, junk: str) -> None:
    problem, common = ignoring(how, LOGITS)
    value, gradient = evaluate(framework, LOSSES[loss], problem, **common)
    spoilt, common = ignoring(how, np.where(IGNORED[:, None], JUNK[junk], LOGITS).astype(np.float32))
    spoilt_value, spoilt_gradient = evaluate(framework, LOSSES[loss], spoilt, **common)
    assert spoilt_value == value
    np.testing.assert_array_equal(spoilt_gradient, gradient)
    assert np.all(gradient[np.broadcast_to(IGNORED[:, None], gradient.shape)] == 0)


@everywhere
@every_loss
def test_an_ignored_soft_target_may_be_nan(framework: str, loss: str) -> None:
    if loss == "locally adaptive":
        loss = "cross-entropy"
    soft = np.moveaxis(np.eye(3, dtype=np.float32)[LABELS], -1, 1)
    spoilt = np.where(IGNORED[:, None], np.float32(np.nan), soft)
    value, gradient = evaluate(framework, LOSSES[loss], Problem(LOGITS, soft, mask=~IGNORED))
    spoilt_value, spoilt_gradient = evaluate(framework, LOSSES[loss], Problem(LOGITS, spoilt, mask=~IGNORED))
    assert spoilt_value == value
    np.testing.assert_array_equal(spoilt_gradient, gradient)


@everywhere
@every_loss
def test_an_ignore_index_that_no_pixel_bears(framework: str, loss: str) -> None:
    value, gradient = evaluate(framework, LOSSES[loss], Problem(LOGITS, LABELS))
    with_index, its_gradient = evaluate(framework, LOSSES[loss], Problem(LOGITS, LABELS), ignore_index=255)
    assert with_index == value
    np.testing.assert_array_equal(its_gradient, gradient)


@everywhere
@every_loss
@pytest.mark.parametrize("dtype", [bool, np.float32, np.int64])
def test_a_mask_of_ones(framework: str, loss: str, dtype: type) -> None:
    value, gradient = evaluate(framework, LOSSES[loss], Problem(LOGITS, LABELS))
    ones = Problem(LOGITS, LABELS, mask=np.ones(LABELS.shape, dtype=dtype))
    masked, its_gradient = evaluate(framework, LOSSES[loss], ones)
    assert masked == value
    np.testing.assert_array_equal(its_gradient, gradient)


@everywhere
@pytest.mark.parametrize("loss", SUMS)
def test_a_weight_of_two_is_the_pixel_twice(framework: str, loss: str) -> None:
    logits, labels = LOGITS[:1, :, 0], LABELS[:1, 0]
    weights = np.array([[2, 1, 1, 2, 1]], dtype=np.float32)
    twice = np.array([0, 0, 1, 2, 3, 3, 4])
    value, gradient = evaluate(framework, LOSSES[loss], Problem(logits, labels, mask=weights))
    repeated, its_gradient = evaluate(framework, LOSSES[loss], Problem(logits[:, :, twice], labels[:, twice]))
    np.testing.assert_allclose(value, repeated, rtol=1e-6)
    summed = np.stack([its_gradient[:, :, twice == i].sum(axis=-1) for i in range(5)], axis=-1)
    np.testing.assert_allclose(gradient, summed, rtol=1e-4, atol=1e-7)
