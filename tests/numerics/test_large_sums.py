"""Sums over tens of millions of pixels in float32, where a running sum in float32 stops growing at 2^24."""

from __future__ import annotations

import numpy as np
import pytest
from everywhere import FRAMEWORKS, LOSSES, Problem, evaluate, is_region, named

MANY = 20_000_000


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("class_axis", [1, -1], ids=["class first", "class last"])
def test_twenty_million_ones(framework: str, class_axis: int) -> None:
    """All pixels of class 1 and predicted so, but for a constant: Σ p = Σ y p = q n and Σ y = n, exactly 2e7."""
    q = np.float32(0.25)
    probabilities = np.empty((1, 2, MANY), dtype=np.float32)
    probabilities[:, 0], probabilities[:, 1] = 1 - q, q
    logits = np.ascontiguousarray(np.moveaxis(probabilities, 1, class_axis))
    problem = Problem(logits, np.ones((1, MANY), dtype=np.int64))

    def make(package, **common):
        common["class_axis"] = class_axis
        return package.DiceLoss(activation="identity", include_background=False, **common)

    value, _ = evaluate(framework, make, problem)
    np.testing.assert_allclose(value, 1 - 2 * q / (q + 1), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.sampled(6)
@pytest.mark.parametrize("loss", [*filter(is_region, LOSSES)])
@pytest.mark.parametrize("class_axis", [1, -1], ids=["class first", "class last"])
@pytest.mark.parametrize("margin", [4, 10], ids=["foreground missed", "foreground found"])
def test_twenty_voxels_in_a_volume(framework: str, loss: str, class_axis: int, margin: float) -> None:
    """256³ voxels with 20 of the foreground: another library's score is off by 260 % here. A loss of 0.006, the power
    Jaccard of what is found, is 1 less a score near 1, and as accurate as that."""
    rng = np.random.default_rng(0)
    labels = np.zeros((1, 256, 256, 256), dtype=np.int64)
    labels.reshape(-1)[rng.choice(labels.size, 20, replace=False)] = 1
    logits = np.empty((1, 2, 256, 256, 256), dtype=np.float32)
    logits[:, 0] = 8 if margin == 4 else 0
    logits[:, 1] = margin * (2 * labels - 1) + rng.normal(size=labels.shape).astype(np.float32)
    moved = Problem(np.ascontiguousarray(np.moveaxis(logits, 1, class_axis)), labels)
    value, _ = evaluate(
        framework, lambda package, **k: LOSSES[loss](package, **{**k, "class_axis": class_axis}), moved
    )
    expected, _ = evaluate("numpy", LOSSES[loss], Problem(logits.astype(np.float64), labels))
    atol = 1e-7 if expected < 0.01 else 0
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=atol)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_rare_class_keeps_its_digits(framework: str) -> None:
    """As above at a sixteenth of the size, with Σ p of the rare class made of many small probabilities."""
    rng = np.random.default_rng(0)
    labels = np.zeros((1, 1024, 1024), dtype=np.int64)
    labels.reshape(-1)[rng.choice(labels.size, 20, replace=False)] = 1
    logits = np.stack([np.zeros(labels.shape), rng.normal(size=labels.shape) - 7 + 12 * labels], axis=1)
    problem = Problem(logits.astype(np.float32), labels)
    value, _ = evaluate(framework, named("DiceLoss"), problem)
    expected, _ = evaluate("numpy", named("DiceLoss"), Problem(problem.logits.astype(np.float64), labels))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", ["PowerDiceLoss", "PowerJaccardLoss", "MeanSquaredErrorLoss"])
def test_a_soft_target_met_exactly_costs_nothing(framework: str, name: str) -> None:
    """L(t, t) = 0 where the formula says so: p = 2 for the power losses, for Σ t t = Σ t²."""
    soft = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 64, 64)).astype(np.float32)
    soft = np.ascontiguousarray(np.moveaxis(soft, -1, 1))
    value, gradient = evaluate(
        framework,
        lambda package, **k: getattr(package, name)(activation="identity", **k),
        Problem(soft, soft),
    )
    np.testing.assert_allclose(value, 0, atol=1e-7)
    np.testing.assert_allclose(gradient, 0, atol=1e-9)
