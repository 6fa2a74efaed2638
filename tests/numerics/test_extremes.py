"""Logits and probabilities at the ends of their range: finite where the true value is, and equal to it."""

from __future__ import annotations

import numpy as np
import pytest
from everywhere import DTYPES, FRAMEWORKS, LOSSES, Make, Problem, evaluate, named

import seglosses_core
from seglosses_conformance.oracle import evaluate as evaluate_oracle
from seglosses_core import MaxPooling, Minkowski

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
GAMMAS = {f"focal, gamma {g}": named("FocalLoss", gamma=g) for g in (0, 1, 5)}
POWERS = {
    f"{name}, p = {p}": named(name, p=p)
    for name in ("PowerDiceLoss", "PowerJaccardLoss")
    for p in (1, 1.5, 2)
}
ALL: dict[str, Make] = {**LOSSES, **GAMMAS, **POWERS}


def saturated(size: float, dtype: str) -> Problem:
    """Every pattern of −size, 0 and size over three classes, each against every label."""
    patterns = np.stack(np.meshgrid(*[[-size, 0, size]] * 3, indexing="ij"), axis=-1).reshape(27, 3)
    logits = np.tile(patterns.T[None], (1, 1, 3)).astype(DTYPES[dtype])
    return Problem(logits, np.repeat(np.arange(3), 27)[None])


@everywhere
@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize(
    ("size", "dtype"),
    [(40, "float16"), (1e4, "bfloat16"), (1e4, "float32"), (1e30, "float32")],
)
def test_saturated_logits_are_finite(framework: str, loss: str, size: float, dtype: str) -> None:
    value, gradient = evaluate(framework, ALL[loss], saturated(size, dtype))
    assert np.isfinite(value)
    assert np.all(np.isfinite(gradient.astype(np.float64)))


@everywhere
@pytest.mark.parametrize("loss", ["Dice", "Jaccard", "Tversky", "power Dice", "power Jaccard", "pointwise"])
def test_beyond_saturation_a_region_loss_stays(framework: str, loss: str) -> None:
    """Logits of 1e4 and of 1e30 have the same probabilities."""
    value, _ = evaluate(framework, ALL[loss], saturated(1e30, "float32"))
    expected, _ = evaluate("numpy", ALL[loss], saturated(1e4, "float64"))
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@everywhere
def test_beyond_saturation_cross_entropy_is_the_difference_of_logits(framework: str) -> None:
    problem = saturated(1e30, "float32")
    value, _ = evaluate(framework, ALL["cross-entropy"], problem)
    at_label = np.take_along_axis(problem.logits, problem.target[:, None], axis=1)[:, 0]
    expected = np.mean(problem.logits.max(axis=1).astype(np.float64) - at_label)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@everywhere
@pytest.mark.parametrize(
    "loss", [name for name in ALL if name not in ("smoothed cross-entropy", "locally adaptive")]
)
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "one-hot"])
def test_an_impossible_class(framework: str, loss: str, soft: bool) -> None:
    """−inf for a class that no pixel has is that class left out of the softmax: what −1e4 is, to rounding."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(2, 3, 4, 4)).astype(np.float32)
    labels = rng.integers(0, 2, size=(2, 4, 4))
    target = np.moveaxis(np.eye(3, dtype=np.float32)[labels], -1, 1) if soft else labels
    impossible, unlikely = logits.copy(), logits.copy()
    impossible[:, 2], unlikely[:, 2] = -np.inf, -1e4
    value, gradient = evaluate(framework, ALL[loss], Problem(impossible, target))
    expected, expected_gradient = evaluate("numpy", ALL[loss], Problem(unlikely.astype(np.float64), target))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-7)


@everywhere
def test_an_ignored_pixel_may_be_impossible_altogether(framework: str) -> None:
    logits = np.zeros((1, 3, 2), dtype=np.float32)
    logits[:, :, 1] = -np.inf
    value, gradient = evaluate(
        framework, LOSSES["cross-entropy"], Problem(logits, np.array([[0, 9]])), ignore_index=9
    )
    np.testing.assert_allclose(value, np.log(3), rtol=1e-6)
    assert np.all(gradient[:, :, 1] == 0)


@everywhere
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "FocalLoss"])
def test_a_probability_of_zero_at_the_label_costs_infinitely_much(framework: str, name: str) -> None:
    """No clipping: with activation="identity" the true value is infinite."""
    probabilities = np.array([[[0.0, 0.5], [1.0, 0.5]]], dtype=np.float32)
    problem = Problem(probabilities, np.array([[0, 1]]))
    value, _ = evaluate(
        framework, lambda package, **k: getattr(package, name)(activation="identity", **k), problem
    )
    assert value == np.inf


@everywhere
@pytest.mark.parametrize("p", [1, 1.5, 2])
@pytest.mark.parametrize("name", ["PowerDiceLoss", "PowerJaccardLoss"])
def test_powers_of_probabilities_zero_and_one(framework: str, name: str, p: float) -> None:
    probabilities = np.array([[[0, 1, 1, 0, 0.5], [1, 0, 0, 1, 0.5]]], dtype=np.float32)
    labels = np.array([[0, 0, 1, 1, 0]])

    make = named(name, activation="identity", p=p)

    value, gradient = evaluate(framework, make, Problem(probabilities, labels))
    expected = evaluate_oracle(
        name, {"activation": "identity", "p": p}, probabilities.astype(np.float64), labels
    )
    np.testing.assert_allclose(value, float(expected.value), rtol=1e-6)
    assert np.all(np.isfinite(gradient))


@everywhere
@pytest.mark.parametrize("k", [1, 1.5, 3, 10])
@pytest.mark.parametrize("margin", [1e-8, 1e4])
def test_minkowski_of_tiny_and_of_huge_losses(framework: str, k: float, margin: float) -> None:
    """Two classes, and a cost that is the same in every pixel: the power mean is that cost."""
    difference = margin if margin > 1 else -np.log(np.expm1(margin))
    logits = np.zeros((1, 2, 6), dtype=np.float32)
    logits[:, 1] = difference if margin > 1 else -difference
    cost = np.logaddexp(0, float(logits[0, 1, 0]))

    make = named("CrossEntropyLoss", reduction=Minkowski(k=k))

    value, gradient = evaluate(framework, make, Problem(logits, np.zeros((1, 6), dtype=np.int64)))
    np.testing.assert_allclose(value, cost, rtol=1e-5)
    share = -np.expm1(-cost) / 6
    np.testing.assert_allclose(gradient[0, 1], np.full(6, share), rtol=1e-5)


@everywhere
@pytest.mark.parametrize("costs", [[2.0] * 10, [0.0] * 10, [0.0] * 9 + [3.0]], ids=["equal", "zero", "one"])
def test_max_pooling_at_its_edges(framework: str, costs: list[float]) -> None:
    """Equal costs weigh 1/n each; a single one carries the bound τ = n^(−1/q) m^(−1/p)."""
    probabilities = np.exp(-np.array(costs))[None, None]
    logits = np.concatenate([probabilities, 1 - probabilities], axis=1).astype(np.float32)

    def make(package, **common):
        return package.CrossEntropyLoss(
            activation="identity", reduction=MaxPooling(ratio=0.3, p=1.7), **common
        )

    value, gradient = evaluate(framework, make, Problem(logits, np.zeros((1, 10), dtype=np.int64)))
    bound = 10 ** (-0.7 / 1.7) * 3 ** (-1 / 1.7)
    expected = {10: np.mean(costs), 1: bound * costs[-1]}[10 if len(set(costs)) == 1 else 1]
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-12)
    assert np.all(np.isfinite(gradient))


@everywhere
@pytest.mark.parametrize("size", [1.0, 1e30])
def test_standardising_a_constant_vector(framework: str, size: float) -> None:
    """It gives 0, and no gradient; a neighbour at ±1e30 is standardised like any other."""
    logits = np.full((1, 3, 4, 4), size, dtype=np.float32)
    labels = np.zeros((1, 4, 4), dtype=np.int64)

    make = named("LocallyAdaptiveLoss", kernel_size=3)

    value, gradient = evaluate(framework, make, Problem(logits, labels))
    np.testing.assert_allclose(value, np.log(3), rtol=1e-6)
    assert np.all(gradient == 0)
    logits[0, :, 0, 0] = [size, -size, 0]
    value, gradient = evaluate(framework, make, Problem(logits, labels))
    expected, _ = evaluate("numpy", make, Problem(logits.astype(np.float64), labels))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("name", ["LocallyAdaptiveLoss", "CenterLoss"])
def test_validate_refuses_minus_infinity_where_logits_are_features(name: str) -> None:
    logits = np.zeros((1, 3, 4))
    logits[0, 2, 1] = -np.inf
    given = {"centers": np.zeros((3, 3))} if name == "CenterLoss" else {}
    loss = getattr(seglosses_core, name)(validate=True)
    with pytest.raises(ValueError, match=r"logits must be finite, got others at 1 places"):
        loss(logits, np.zeros((1, 4), dtype=np.int64), **given)
