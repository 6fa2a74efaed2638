"""Logits and probabilities at the ends of their range: finite where the true value is, and equal to it."""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch
from everywhere import (
    ALL,
    DTYPES,
    FRAMEWORKS,
    LOSSES,
    Make,
    Problem,
    bounds,
    evaluate,
    is_region,
    named,
    singles,
    takes,
    to_torch,
)

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch
from seglosses_conformance.oracle import Expected
from seglosses_conformance.oracle import evaluate as evaluate_oracle
from seglosses_core import MaxPooling, Minkowski, Pooling, TopK

pytestmark = pytest.mark.sampled(8)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
GAMMAS = {f"focal, gamma {g}": named("FocalLoss", gamma=g) for g in (0, 1, 5)}
POWERS = {
    f"{name}, p = {p}": named(name, p=p)
    for name in ("PowerDiceLoss", "PowerJaccardLoss")
    for p in (1, 1.5, 2)
}
EXTREME: dict[str, Make] = {**GAMMAS, **POWERS}


def autodiff_of_formula(make: Make, problem: Problem) -> tuple[Any, np.ndarray]:
    """As `evaluate`, on torch and without the hand-written derivative."""
    logits = to_torch(problem.logits).requires_grad_()
    value = make(seglosses_torch, class_axis=1).formula(logits, to_torch(problem.target))
    (gradient,) = torch.autograd.grad(value, logits)
    return value.detach().numpy(), gradient.numpy()


Case = tuple[str, dict[str, Any]]
AGAINST_ORACLE: list[Case] = [
    *(
        ("FocalLoss", {"gamma": gamma, "alpha": alpha, "activation": activation})
        for gamma, alpha in ((0, None), (0.5, 0.0), (0.5, 1.0), (1, 0.25), (2, 1.0), (5, 0.25))
        for activation in ("softmax", "sigmoid")
    ),
    *(
        (name, {**own, "activation": activation})
        for activation in ("softmax", "sigmoid")
        for name, own in (
            ("CrossEntropyLoss", {}),
            ("CrossEntropyLoss", {"label_smoothing": 0.2}),
            ("CrossEntropyLoss", {"reduction": Minkowski(k=10)}),
            ("CrossEntropyLoss", {"reduction": MaxPooling(ratio=0.4, p=1.3)}),
            ("DistanceAwareCrossEntropyLoss", {"alpha": 0.5}),
            ("DistanceAwareCrossEntropyLoss", {}),
            ("MeanSquaredErrorLoss", {}),
            ("DiceLoss", {}),
            ("TverskyLoss", {"alpha": 0.2, "beta": 0.9}),
            ("PowerDiceLoss", {"p": 1.5}),
            ("PowerJaccardLoss", {"p": 1}),
            ("PowerJaccardLoss", {"p": 2}),
            ("PointwiseExponentialLoss", {}),
        )
    ),
]
MIXES = {"40": (-40, 0, 40, 39.5), "1e3": (-1e3, 1e3, 0, 1, -90, 88)}
"""With twice 1e3 between two logits, probabilities underflow in float64 too."""


def text(case: Case) -> str:
    name, own = case
    return ", ".join((name, *(f"{key}={value}" for key, value in own.items())))


def mixed(mix: str, kind: str) -> Problem:
    rng = np.random.default_rng(17)
    logits = rng.choice(MIXES[mix], size=(1, 4, 12)).astype(np.float32)
    if kind == "labels":
        return Problem(logits, rng.integers(0, 4, size=(1, 12)))
    soft = rng.dirichlet(np.ones(4), size=(1, 12)).astype(np.float32)
    return Problem(logits, np.ascontiguousarray(np.moveaxis(soft, -1, 1)))


@functools.cache
def true_value(case: str, mix: str, kind: str) -> Expected:
    name, own = next(one for one in AGAINST_ORACLE if text(one) == case)
    described = {
        key: {"pooling": type(value).__name__, **asdict(value)} if isinstance(value, Pooling) else value
        for key, value in own.items()
    }
    problem = mixed(mix, kind)
    return evaluate_oracle(name, described, problem.logits.astype(np.float64), problem.target.tolist())


@pytest.mark.parametrize("framework", [*FRAMEWORKS, "autodiff of the formula"])
@pytest.mark.parametrize("kind", ["labels", "soft"])
@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("case", AGAINST_ORACLE, ids=text)
def test_mixed_extremes_against_the_oracle(framework: str, case: Case, mix: str, kind: str) -> None:
    name, own = case
    problem, make = mixed(mix, kind), named(name, **own)
    if framework in FRAMEWORKS:
        value, gradient = evaluate(framework, make, problem)
    else:
        value, gradient = autodiff_of_formula(make, problem)
    expected = true_value(text(case), mix, kind)
    np.testing.assert_allclose(value, expected.value, rtol=2e-5)
    np.testing.assert_allclose(gradient, expected.gradient, atol=2e-5 * np.max(np.abs(expected.gradient)))


def saturated(size: float, dtype: str) -> Problem:
    """Every pattern of −size, 0 and size over three classes, each against every label."""
    patterns = np.stack(np.meshgrid(*[[-size, 0, size]] * 3, indexing="ij"), axis=-1).reshape(27, 3)
    logits = np.tile(patterns.T[None], (1, 1, 3)).astype(DTYPES[dtype])
    return Problem(logits, np.repeat(np.arange(3), 27)[None])


@everywhere
@pytest.mark.parametrize("loss", [*ALL, *EXTREME])
@pytest.mark.parametrize(
    ("size", "dtype"),
    [(40, "float16"), (1e4, "bfloat16"), (1e4, "float32"), (1e30, "float32")],
)
def test_saturated_logits_are_finite(framework: str, loss: str, size: float, dtype: str) -> None:
    size = (
        min(size, 1e15) if loss.startswith("CenterLoss") else size
    )  # the squared distance is the true value
    value, gradient = evaluate(framework, {**ALL, **EXTREME}[loss], saturated(size, dtype))
    assert np.isfinite(value)
    assert np.all(np.isfinite(gradient.astype(np.float64)))


@everywhere
@pytest.mark.parametrize("loss", [name for name in filter(is_region, LOSSES) if bounds(name)[1] < np.inf])
def test_beyond_saturation_a_bounded_region_loss_stays(framework: str, loss: str) -> None:
    """Logits of 1e4 and of 1e30 have the same probabilities."""
    value, _ = evaluate(framework, ALL[loss], saturated(1e30, "float32"))
    expected, _ = evaluate("numpy", ALL[loss], saturated(1e4, "float64"))
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@everywhere
def test_beyond_saturation_cross_entropy_is_the_difference_of_logits(framework: str) -> None:
    problem = saturated(1e30, "float32")
    value, _ = evaluate(framework, named("CrossEntropyLoss"), problem)
    at_label = np.take_along_axis(problem.logits, problem.target[:, None], axis=1)[:, 0]
    expected = np.mean(problem.logits.max(axis=1).astype(np.float64) - at_label)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def allows_an_impossible_class(name: str) -> bool:
    """Not where its logit is a feature, nor where smoothing makes it cost infinitely much."""
    return takes(name, "one-hot") and not any(
        one.needs.finite_logits or getattr(one, "label_smoothing", 0) for one in singles(name)
    )


@everywhere
@pytest.mark.parametrize(
    ("loss", "soft"),
    [
        pytest.param(loss, kind == "one-hot", id=f"{kind}-{loss}")
        for loss in [*filter(allows_an_impossible_class, LOSSES), *EXTREME]
        for kind in ("labels", "one-hot")
        if loss in EXTREME or takes(loss, kind)
    ],
)
@pytest.mark.parametrize("masked", [False, True], ids=["all pixels", "masked"])
def test_an_impossible_class(framework: str, loss: str, soft: bool, masked: bool) -> None:
    """−inf for a class that no pixel has is that class left out of the softmax: what −1e4 is, to rounding. Masked
    pixels are −inf in every class."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(2, 3, 4, 4)).astype(np.float32)
    labels = rng.integers(0, 2, size=(2, 4, 4))
    target = np.moveaxis(np.eye(3, dtype=np.float32)[labels], -1, 1) if soft else labels
    impossible, unlikely = logits.copy(), logits.copy()
    impossible[:, 2], unlikely[:, 2] = -np.inf, -1e4
    mask = rng.choice([0.0, 0.5, 2.0], size=labels.shape).astype(np.float32) if masked else None
    if masked:
        impossible = np.where(mask[:, None] == 0, np.float32(-np.inf), impossible)
    value, gradient = evaluate(framework, {**LOSSES, **EXTREME}[loss], Problem(impossible, target, mask))
    exact = Problem(unlikely.astype(np.float64), target, mask)
    expected, expected_gradient = evaluate("numpy", {**LOSSES, **EXTREME}[loss], exact)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-7)


@everywhere
def test_an_ignored_pixel_may_be_impossible_altogether(framework: str) -> None:
    logits = np.zeros((1, 3, 2), dtype=np.float32)
    logits[:, :, 1] = -np.inf
    value, gradient = evaluate(
        framework, named("CrossEntropyLoss"), Problem(logits, np.array([[0, 9]])), ignore_index=9
    )
    np.testing.assert_allclose(value, np.log(3), rtol=1e-6)
    assert np.all(gradient[:, :, 1] == 0)


@everywhere
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "FocalLoss", "DistanceAwareCrossEntropyLoss"])
@pytest.mark.parametrize(
    "reduction", ["mean", "sum", Minkowski(k=10), MaxPooling(), TopK(fraction=0.5)], ids=str
)
def test_a_probability_of_zero_at_the_label_costs_infinitely_much(
    framework: str, name: str, reduction: Any
) -> None:
    """No clipping: with activation="identity" the true value is infinite, and its gradient −inf there."""
    probabilities = np.array([[[0.0, 0.5, 1], [1.0, 0.5, 0]]], dtype=np.float32)
    make = named(name, activation="identity", reduction=reduction)
    value, gradient = evaluate(framework, make, Problem(probabilities, np.array([[0, 1, 0]])))
    assert value == np.inf
    assert gradient[0, 0, 0] == -np.inf
    assert not np.any(np.isnan(gradient))


@everywhere
@pytest.mark.parametrize("alpha", [0.0, (0.0, 1.0)])
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "one-hot"])
def test_a_focal_factor_of_zero_takes_no_cost(framework: str, alpha: Any, soft: bool) -> None:
    """Not even an infinite one."""
    probabilities = np.array([[[0.0, 0.5, 1], [1.0, 0.5, 0]]], dtype=np.float32)
    labels = np.zeros((1, 3), dtype=np.int64)
    target = np.moveaxis(np.eye(2, dtype=np.float32)[labels], -1, 1) if soft else labels
    make = named("FocalLoss", activation="identity", alpha=alpha)
    value, gradient = evaluate(framework, make, Problem(probabilities, target))
    assert value == 0
    assert np.all(gradient == 0)


@everywhere
@pytest.mark.parametrize("reduction", ["mean", "sum", TopK(fraction=0.5), MaxPooling(), Minkowski()], ids=str)
def test_a_pixel_that_is_no_centre_may_cost_infinitely_much(framework: str, reduction: Any) -> None:
    probabilities = np.array(
        [[[0.5, 0, 0.5, 0.5], [0.25, 1, 0.25, 0.25], [0.25, 0, 0.25, 0.25]]], dtype=np.float32
    )
    options = {"activation": "identity", "standardize": False, "kernel_size": 1, "stride": 2}
    make = named("LocallyAdaptiveLoss", reduction=reduction, **options)
    value, gradient = evaluate(framework, make, Problem(probabilities, np.array([[0, 2, 0, 0]])))
    # Pooled over itself alone a prediction counts twice: the centres' costs are log 1.
    np.testing.assert_allclose(value, 0, atol=1e-12)
    assert np.all(np.isfinite(gradient))


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


def by_power(framework: str, name: str, p: float, probabilities: np.ndarray, target: np.ndarray) -> float:
    """The derivative of a loss with respect to its power, by the framework's autodiff."""
    options = {"activation": "identity", "class_axis": 1}
    if framework == "torch":
        power = torch.nn.Parameter(torch.tensor(p))
        loss = getattr(seglosses_torch, name)(p=power, **options)
        return float(torch.autograd.grad(loss(to_torch(probabilities), to_torch(target)), power)[0])
    if framework == "jax":
        make = getattr(seglosses_jax, name)
        return float(jax.grad(lambda p: make(p=p, **options)(probabilities, target))(jnp.float32(p)))
    power = tf.constant(p)
    with tf.GradientTape() as tape:
        tape.watch(power)
        value = getattr(seglosses_keras, name)(p=power, **options)(target, probabilities)
    return float(tape.gradient(value, power))


@pytest.mark.parametrize("framework", ["torch", "jax", "tensorflow"])
@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("name", ["PowerDiceLoss", "PowerJaccardLoss"])
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
def test_the_derivative_by_the_power_at_probabilities_zero_and_one(
    framework: str, p: float, name: str, soft: bool
) -> None:
    """∂L/∂p = (n / d²) Σ (ŷ^p log ŷ + y^p log y), with 0 log 0 = 0."""
    y_hat = np.array([[[0, 1, 1, 0, 0.5], [1, 0, 0, 1, 0.5]]], dtype=np.float32)
    labels = np.array([[0, 0, 1, 1, 0]])
    y = np.moveaxis(np.eye(2, dtype=np.float32)[labels], -1, 1)
    if soft:
        y = np.array([[[0, 1, 0.75, 0, 1], [1, 0, 0.25, 1, 0]]], dtype=np.float32)

    def entropy(x: np.ndarray) -> np.ndarray:
        return np.sum(x**p * np.log(np.where(x > 0, x, 1)), axis=-1)

    overlap, size = np.sum(y * y_hat, axis=-1), np.sum(y**p + y_hat**p, axis=-1)
    n, d = (2 * overlap, size) if name == "PowerDiceLoss" else (overlap, size - overlap)
    expected = np.mean((n + 1e-5) / (d + 1e-5) ** 2 * (entropy(y_hat) + entropy(y)))
    found = by_power(framework, name, p, y_hat, y if soft else labels)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@everywhere
@pytest.mark.parametrize("k", [1, 2, 5, 10])
def test_minkowski_of_tiny_beside_huge_losses(framework: str, k: float) -> None:
    costs = np.where(np.arange(20) % 5 == 0, 1e4, 1e-8)
    logits = np.zeros((1, 2, 20), dtype=np.float32)
    logits[0, 1] = np.where(costs > 1, costs, np.log(np.expm1(np.minimum(costs, 1))))
    shares = np.logaddexp(0, logits[0, 1].astype(np.float64)) / 1e4
    mean = np.mean(shares**k)
    make = named("CrossEntropyLoss", reduction=Minkowski(k=k))
    value, gradient = evaluate(framework, make, Problem(logits, np.zeros((1, 20), dtype=np.int64)))
    np.testing.assert_allclose(value, 1e4 * mean ** (1 / k), rtol=1e-5)
    expected = mean ** (1 / k - 1) * shares ** (k - 1) / 20 * -np.expm1(-1e4 * shares)
    np.testing.assert_allclose(gradient[0, 1], expected, rtol=1e-4, atol=1e-37)


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


@pytest.mark.parametrize("framework", [*FRAMEWORKS, "autodiff of the formula"])
@pytest.mark.parametrize(
    ("offset", "size"), [(0, 1e-30), (1e4, 1), (1e6, 1), (0, 1e30), (1e30, 1e24), (0, 8e37)], ids=str
)
def test_standardising_keeps_the_digits_in_which_logits_differ(
    framework: str, offset: float, size: float
) -> None:
    """Neither an offset nor a factor changes what is standardised."""
    rng = np.random.default_rng(5)
    logits = (offset + size * rng.uniform(-2, 2, size=(1, 3, 4, 4))).astype(np.float32)
    labels = rng.integers(0, 3, size=(1, 4, 4))
    plain = (logits.astype(np.float64) - float(np.float32(offset))) / size
    expected = evaluate_oracle(
        "LocallyAdaptiveLoss",
        {"kernel_size": 3, "reduction": {"pooling": "Minkowski"}},
        plain,
        labels.tolist(),
    )
    make, problem = named("LocallyAdaptiveLoss", kernel_size=3), Problem(logits, labels)
    value, gradient = (
        evaluate(framework, make, problem) if framework in FRAMEWORKS else autodiff_of_formula(make, problem)
    )
    np.testing.assert_allclose(value, expected.value, rtol=2e-5)
    slope = np.array(expected.gradient)
    atol = 1e-4 * np.max(np.abs(slope)) + size * np.finfo(np.float32).tiny
    np.testing.assert_allclose(gradient * np.float64(size), slope, atol=atol)


@pytest.mark.parametrize("name", ["LocallyAdaptiveLoss", "CenterLoss"])
def test_validate_refuses_minus_infinity_where_logits_are_features(name: str) -> None:
    logits = np.zeros((1, 3, 4))
    logits[0, 2, 1] = -np.inf
    given = {"centers": np.zeros((3, 3))} if name == "CenterLoss" else {}
    loss = getattr(seglosses_core, name)(validate=True)
    with pytest.raises(ValueError, match=r"logits must be finite, got others at 1 places"):
        loss(logits, np.zeros((1, 4), dtype=np.int64), **given)
