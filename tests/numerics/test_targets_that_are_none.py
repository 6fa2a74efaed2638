"""Targets that say nothing usable: NaN in the value, in every framework, and an error where values may be looked at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from everywhere import FRAMEWORKS, LOSSES, Problem, evaluate, named, of_one_class, takes

import seglosses_core
from seglosses_conformance.oracle import evaluate as evaluate_oracle

pytestmark = pytest.mark.sampled(12)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
RNG = np.random.default_rng(4)
LOGITS = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, size=(2, 4, 5))
ONE_HOT = np.moveaxis(np.eye(3, dtype=np.uint8)[LABELS], -1, 1)
HEAT = np.exp(-RNG.random((2, 3, 4, 5))).astype(np.float32)
HEAT[:, :, 1, 1] = 1
DENSE = [name for name in LOSSES if takes(name, "one-hot")]


@everywhere
@pytest.mark.parametrize(
    ("beta", "number"),
    [(0, np.nan), (0.5, np.nan), (1, np.nan), (2, np.nan), (4, np.nan), (4, 1.0000001), (0, 2.0)],
)
def test_a_heat_map_with_a_number_that_is_none(framework: str, beta: float, number: float) -> None:
    """(1 − y)^β of NaN, or of more than 1, is not the 0 of the foreground."""
    heat = HEAT.copy()
    heat[1, 2, 3, 3] = number
    value, _ = evaluate(framework, named("DistanceAwareCrossEntropyLoss", beta=beta), Problem(LOGITS, heat))
    assert np.isnan(value)
    ignored = np.ones((2, 4, 5), dtype=bool)
    ignored[1, 3, 3] = False
    value, gradient = evaluate(
        framework, named("DistanceAwareCrossEntropyLoss", beta=beta), Problem(LOGITS, heat, ignored)
    )
    assert np.isfinite(value)
    assert np.all(np.isfinite(gradient))


@everywhere
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_soft_target_with_nan_where_its_logarithm_alone_counts(framework: str, activation: str) -> None:
    soft = HEAT.copy()
    soft[1, 2, 3, 3] = np.nan
    loss = named("SymmetricCrossEntropyLoss", alpha=0.0, activation=activation)
    value, _ = evaluate(framework, loss, Problem(LOGITS, soft))
    assert np.isnan(value)


@pytest.mark.parametrize("number", [np.nan, 2.0])
def test_validate_names_a_heat_map_that_is_none(number: float) -> None:
    heat = HEAT.copy()
    heat[1, 2, 3, 3] = number
    with pytest.raises(ValueError, match=r"^target must lie in \[0, 1\]"):
        seglosses_core.DistanceAwareCrossEntropyLoss(validate=True)(LOGITS, heat)


@everywhere
@pytest.mark.parametrize("loss", DENSE)
def test_integers_of_a_one_hot_target_are_0_and_1(framework: str, loss: str) -> None:
    right = evaluate(framework, LOSSES[loss], Problem(LOGITS, ONE_HOT.astype(bool)))
    found = evaluate(framework, LOSSES[loss], Problem(LOGITS, ONE_HOT))
    np.testing.assert_allclose(found[0], right[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], right[1], atol=1e-7)
    assert np.isnan(evaluate(framework, LOSSES[loss], Problem(LOGITS, ONE_HOT * 255))[0])
    negative = ONE_HOT.astype(np.int32)
    negative[0, 0, 0, 0] = -1
    assert np.isnan(evaluate(framework, LOSSES[loss], Problem(LOGITS, negative))[0])
    elsewhere = np.ones((2, 4, 5), dtype=bool)
    elsewhere[0, 0, 0] = False
    assert np.isfinite(evaluate(framework, LOSSES[loss], Problem(LOGITS, negative, elsewhere))[0])


@everywhere
@pytest.mark.parametrize("loss", [*filter(of_one_class, LOSSES)])
def test_one_class_takes_labels_with_the_class_axis(framework: str, loss: str) -> None:
    """As labels without it: 0 and 1 alone, and what is ignored by its number."""
    make, logits = LOSSES[loss], LOGITS[:, :1]
    labels = (LABELS > 0).astype(np.uint8)
    right = evaluate(framework, make, Problem(logits, labels))
    found = evaluate(framework, make, Problem(logits, labels[:, None]))
    np.testing.assert_array_equal(found[0], right[0])
    np.testing.assert_array_equal(found[1], right[1])
    assert np.isnan(evaluate(framework, make, Problem(logits, 255 * labels[:, None]))[0])
    void = np.where(LABELS == 2, 255, labels)
    right = evaluate(framework, make, Problem(logits, void), ignore_index=255)
    found = evaluate(framework, make, Problem(logits, void[:, None]), ignore_index=255)
    assert np.isfinite(right[0])
    np.testing.assert_array_equal(found[0], right[0])
    np.testing.assert_array_equal(found[1], right[1])


@everywhere
@pytest.mark.parametrize("loss", [*LOSSES])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32, np.float64])
def test_labels_as_people_hold_them(framework: str, loss: str, dtype: type) -> None:
    """With an axis of 1 in the place of the classes, and as floats, also where some are ignored."""
    void = np.where(LABELS == 0, 255, LABELS)
    for target, options in ((LABELS, {}), (void, {"ignore_index": 255})):
        value, slope = evaluate(framework, LOSSES[loss], Problem(LOGITS, target), **options)
        for held in (target.astype(dtype)[:, None], target.astype(dtype)):
            found = evaluate(framework, LOSSES[loss], Problem(LOGITS, held), **options)
            np.testing.assert_array_equal(found[0], value)
            np.testing.assert_array_equal(found[1], slope)


@everywhere
@pytest.mark.parametrize("label", [0.5, -0.5, np.nan, np.inf, 3e38, 3.0])
def test_floats_that_are_no_labels(framework: str, label: float) -> None:
    """NaN, but where they are ignored; `validate=True` counts them."""
    make, ones = named("DiceLoss"), LABELS == 1
    held = np.where(ones, label, LABELS).astype(np.float32)
    right = evaluate(framework, make, Problem(LOGITS, LABELS, mask=~ones))
    found = evaluate(framework, make, Problem(LOGITS, held, mask=~ones))
    np.testing.assert_array_equal(found[0], right[0])
    np.testing.assert_array_equal(found[1], right[1])
    for target in (held, held[:, None]):
        assert np.isnan(evaluate(framework, make, Problem(LOGITS, target))[0])
        expected = f"^target must hold labels from 0 to 2, got others at {ones.sum()} pixels"
        with pytest.raises(ValueError, match=expected):
            evaluate(framework, make, Problem(LOGITS, target), validate=True)


def test_validate_names_integers_that_are_none() -> None:
    with pytest.raises(
        ValueError, match=r"^target must be 0 or 1 where it is one-hot of integers, got others at 40"
    ):
        seglosses_core.DiceLoss(validate=True)(LOGITS, ONE_HOT * 255)
    of_one_class = seglosses_core.DiceLoss(validate=True, activation="sigmoid")
    with pytest.raises(ValueError, match=r"^target must hold labels from 0 to 1, got others at"):
        of_one_class(LOGITS[:, :1], (ONE_HOT * 255)[:, :1])


@everywhere
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.25}, {"gamma": 2.0}])
def test_soft_targets_of_any_sum(framework: str, options: dict[str, Any]) -> None:
    """A pixel weighs what its target sums to. Class weights of 1 change nothing, and the oracle says the same."""
    target = RNG.random((2, 3, 4, 5)).astype(np.float32)
    target[0, :, 0, 0] = 0  # not annotated
    name = "FocalLoss" if "gamma" in options else "CrossEntropyLoss"
    without = evaluate(framework, named(name, **options), Problem(LOGITS, target))
    ones = evaluate(framework, named(name, **options), Problem(LOGITS, target), class_weights=(1, 1, 1))
    np.testing.assert_allclose(ones[0], without[0], rtol=1e-6)
    np.testing.assert_allclose(ones[1], without[1], atol=1e-8)
    expected = evaluate_oracle(name, options, LOGITS.astype(np.float64), target.astype(np.float64))
    np.testing.assert_allclose(without[0], expected.value, rtol=1e-5)
    np.testing.assert_allclose(without[1], expected.gradient, atol=1e-6)
    assert np.all(without[1][0, :, 0, 0] == 0)


def test_soft_targets_by_hand() -> None:
    """Two pixels, p = 1/2 of both classes, targets (1, 1) and (1/2, 0): every cost is log 2, whatever the sums; and
    with p = 1/4 of the first class at the second pixel, (2 log 2 + log 4 / 2) / (5/2)."""
    loss = seglosses_core.CrossEntropyLoss(activation="identity")
    target = np.array([[[1.0, 0.5], [1.0, 0.0]]])
    assert math.isclose(loss(np.full((1, 2, 2), 0.5), target), math.log(2))
    p = np.array([[[0.5, 0.25], [0.5, 0.75]]])
    assert math.isclose(loss(p, target), (2 * math.log(2) + 0.5 * math.log(4)) / 2.5)
