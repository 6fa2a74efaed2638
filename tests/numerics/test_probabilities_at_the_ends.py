"""activation="identity" with probabilities that round to 0 and 1: no NaN, and `clip` for who wants no infinity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from everywhere import FRAMEWORKS, Make, Problem, evaluate, named

import seglosses_core
from seglosses_core import Minkowski

pytestmark = pytest.mark.sampled(6)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
LOSSES: dict[str, Make] = {
    "cross-entropy": named("CrossEntropyLoss"),
    "focal": named("FocalLoss"),
    "focal, gamma 0.5": named("FocalLoss", gamma=0.5),
    "distance-aware": named("DistanceAwareCrossEntropyLoss"),
}
losses = pytest.mark.parametrize("loss", LOSSES)
# One pixel certain and wrong, one certain and right, one between.
BINARY = np.array([[[1.0, 0.0, 0.25]], [[0.0, 1.0, 0.5]]], dtype=np.float32)
BINARY_LABELS = np.array([[0, 0, 1], [1, 1, 0]])
SEVERAL = np.array([[[0.0, 1.0, 0.25], [1.0, 0.0, 0.5], [0.0, 0.0, 0.25]]], dtype=np.float32)
SEVERAL_LABELS = np.array([[0, 0, 1]])


@everywhere
@losses
@pytest.mark.parametrize("kind", ["labels", "soft", "several", "several, soft"])
def test_certain_and_wrong_is_infinite_and_never_nan(framework: str, loss: str, kind: str) -> None:
    several = kind.startswith("several")
    p, labels = (SEVERAL, SEVERAL_LABELS) if several else (BINARY, BINARY_LABELS)
    target: np.ndarray = labels
    if kind.endswith("soft"):
        target = (np.moveaxis(np.eye(3)[labels], -1, 1) if several else labels[:, None]).astype(np.float32)
        target[0, 0, 2] = 0.5 if not several else 0
    value, gradient = evaluate(framework, LOSSES[loss], Problem(p, target), activation="identity")
    assert value == np.inf
    assert not np.any(np.isnan(gradient))
    assert np.any(np.isinf(gradient))
    assert np.all(np.isfinite(gradient[..., 2]))


@everywhere
def test_a_sigmoid_that_rounds_to_1(framework: str) -> None:
    p = np.full((1, 1, 1, 1), 1, dtype=np.float32)
    make = named("CrossEntropyLoss", activation="identity")
    value, gradient = evaluate(framework, make, Problem(p, np.zeros((1, 1, 1), dtype=np.int64)))
    assert value == gradient.item() == np.inf
    value, gradient = evaluate(framework, make, Problem(p, np.ones((1, 1, 1), dtype=np.int64)))
    assert (value, gradient.item()) == (0, -1)


@everywhere
@losses
def test_clip_is_a_choice_of_the_nearest_probability(framework: str, loss: str) -> None:
    """The value is that of the clipped probability; the derivative that of it inside and at the ends, else 0."""
    clip, p = 0.125, np.array([[[0.0, 0.1, 0.125, 0.3, 0.875, 0.9, 1.0]]], dtype=np.float32)
    for label in (0, 1):
        labels = np.full((1, 7), label)
        options: dict[str, Any] = {"activation": "identity", "reduction": "sum"}
        found = evaluate(framework, LOSSES[loss], Problem(p, labels), clip=clip, **options)
        right = evaluate("numpy", LOSSES[loss], Problem(np.clip(p, clip, 1 - clip), labels), **options)
        np.testing.assert_allclose(found[0], right[0], rtol=1e-6)
        inside = np.array([0, 0, 1, 1, 1, 0, 0])
        np.testing.assert_allclose(found[1], right[1] * inside, rtol=1e-5)


@everywhere
@pytest.mark.parametrize("reduction", ["mean", Minkowski(k=3)])
def test_clip_of_several_classes(framework: str, reduction: Any) -> None:
    make = named("CrossEntropyLoss", activation="identity", clip=1e-7, reduction=reduction)
    value, gradient = evaluate(framework, make, Problem(SEVERAL, SEVERAL_LABELS))
    costs = np.array([-math.log(1e-7), -math.log1p(-1e-7), math.log(2)])
    power = 1 if reduction == "mean" else 3
    np.testing.assert_allclose(value, np.mean(costs**power) ** (1 / power), rtol=1e-5)
    assert np.all(gradient[:, :, :2] == 0)
    soft = np.moveaxis(np.eye(3, dtype=np.float32)[SEVERAL_LABELS], -1, 1)
    again, slope = evaluate(framework, make, Problem(SEVERAL, soft))
    np.testing.assert_allclose(again, value, rtol=1e-6)
    np.testing.assert_allclose(slope, gradient, atol=1e-7)


@everywhere
def test_the_upper_end_is_exact(framework: str) -> None:
    """In float32 1 − 1e-7 is 1 − 1.2e-7, whose logarithm is a fifth larger."""
    make = named("CrossEntropyLoss", activation="identity", clip=1e-7)
    value, _ = evaluate(
        framework, make, Problem(np.ones((1, 1, 2), dtype=np.float32), np.ones((1, 2), dtype=int))
    )
    np.testing.assert_allclose(value, 1e-7, rtol=1e-5)


@pytest.mark.parametrize("kind", ["CrossEntropyLoss", "FocalLoss", "DistanceAwareCrossEntropyLoss"])
def test_clip_is_for_probabilities(kind: str) -> None:
    make = getattr(seglosses_core, kind)
    with pytest.raises(
        ValueError, match=r"^clip is for probabilities, activation='identity', got clip=1e-07 with"
    ):
        make(clip=1e-7)
    for clip in (-0.1, 0.5):
        with pytest.raises(ValueError, match=r"^clip must be at least 0 and below 0.5"):
            make(activation="identity", clip=clip)


def test_clip_of_a_local_cost() -> None:
    cost = seglosses_core.CrossEntropyLoss(activation="identity", clip=1e-3)
    with pytest.raises(ValueError, match=r"^clip is for probabilities"):
        seglosses_core.LocallyAdaptiveLoss(cost=cost)
    loss = seglosses_core.LocallyAdaptiveLoss(
        activation="identity", cost=cost, kernel_size=1, standardize=False
    )
    assert np.isfinite(loss(0.5 * SEVERAL, SEVERAL_LABELS))
