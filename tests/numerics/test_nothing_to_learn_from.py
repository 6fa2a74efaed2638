"""No pixel, no foreground, no class: a defined value everywhere, and no gradient where nothing is valid."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from everywhere import (
    ALL,
    FRAMEWORKS,
    LOSSES,
    Problem,
    bounds,
    core_of,
    evaluate,
    is_region,
    named,
    of_one_class,
    takes,
)

from seglosses_conformance.oracle import evaluate as evaluate_oracle

pytestmark = pytest.mark.sampled(8)

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
every_loss = pytest.mark.parametrize("loss", LOSSES)
RNG = np.random.default_rng(2)
LOGITS = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, size=(2, 4, 5))


@everywhere
@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize(
    "how", ["ignore_index", "mask", "weights", "sample weights", "mask and samples", "NaN logits"]
)
def test_nothing_valid(framework: str, loss: str, how: str) -> None:
    logits = np.full_like(LOGITS, np.nan) if how == "NaN logits" else LOGITS
    common = {"ignore_index": 255} if how == "ignore_index" else {}
    second = np.array([0, 1], dtype=np.float32)
    first = np.broadcast_to(1 - second[:, None, None], LABELS.shape).copy()
    problem = {
        "ignore_index": Problem(logits, np.full_like(LABELS, 255)),
        "weights": Problem(logits, LABELS, mask=np.zeros(LABELS.shape, dtype=np.float32)),
        "sample weights": Problem(logits, LABELS, sample_weight=np.zeros(2, dtype=np.float32)),
        "mask and samples": Problem(logits, LABELS, first, second),
    }.get(how, Problem(logits, LABELS, mask=np.zeros(LABELS.shape, dtype=bool)))
    value, gradient = evaluate(framework, ALL[loss], problem, **common)
    assert value == 0
    assert np.all(gradient == 0)


@everywhere
@every_loss
@pytest.mark.parametrize("target", [0, 2], ids=["background only", "one class only"])
def test_absent_classes(framework: str, loss: str, target: int) -> None:
    """Absent from the target, and from the prediction too: the same finite numbers everywhere."""
    logits = LOGITS.copy()
    logits[:, 1] = -30
    problem = Problem(logits, np.full_like(LABELS, target))
    value, gradient = evaluate(framework, LOSSES[loss], problem)
    exact = Problem(logits.astype(np.float64), problem.target)
    expected, expected_gradient = evaluate("numpy", LOSSES[loss], exact)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(
        gradient, expected_gradient, rtol=1e-3, atol=1e-6 * np.abs(expected_gradient).max() + 1e-12
    )


def scores_classes_alike(name: str) -> bool:
    """Each by itself, the right ones by 0 and the wrong ones by 1."""
    made = core_of(name)
    if not is_region(name) or made.class_weights or not made.include_background:
        return False
    scores = dataclasses.replace(made, reduction="none", aggregate="image")(LOGITS, LABELS)
    return scores.ndim == 2 and bounds(name) == (0, 1) and made.activation == "softmax"


@everywhere
@pytest.mark.parametrize("loss", [*filter(scores_classes_alike, LOSSES)])
def test_the_policy_for_absent_classes(framework: str, loss: str) -> None:
    """A class that neither target nor prediction has scores 1 by ε / ε when it counts; skipped, it leaves the mean."""
    logits = np.array([[[40.0, 40.0], [-40.0, -40.0], [-40.0, -40.0]]], dtype=np.float32)
    wrong = Problem(logits, np.array([[0, 1]]))
    counted, _ = evaluate(framework, LOSSES[loss], wrong, absent="count", smooth=1e-5)
    skipped, _ = evaluate(framework, LOSSES[loss], wrong, absent="skip", smooth=1e-5)
    np.testing.assert_allclose(counted * 3, skipped * 2, rtol=1e-5)


@everywhere
@pytest.mark.parametrize("aggregate", ["image", "batch"])
@pytest.mark.parametrize("absent", ["count", "skip"])
@pytest.mark.parametrize("smooth", [0.0, 1e-5])
@pytest.mark.parametrize("name", ["DiceLoss", "PowerJaccardLoss", "PointwiseExponentialLoss"])
@pytest.mark.parametrize("lacking", ["foreground", "in target", "in prediction", "in both"])
def test_absent_classes_against_the_oracle(
    framework: str, name: str, aggregate: str, absent: str, smooth: float, lacking: str
) -> None:
    logits, labels = LOGITS.copy(), LABELS.copy()
    if lacking == "foreground":
        labels[:] = 0
    if lacking in ("in target", "in both"):
        labels[labels == 2] = 1
    if lacking in ("in prediction", "in both"):
        logits[:, 2] = -1e3
    own = {"aggregate": aggregate, "absent": absent, "smooth": smooth}
    value, gradient = evaluate(framework, named(name, **own), Problem(logits, labels))
    if lacking == "in both":  # with probabilities that underflow, and leave 0 / 0 if nothing is added
        logits[:, 2] = -np.inf
    expected = evaluate_oracle(name, own, logits.astype(np.float64), labels.tolist())
    np.testing.assert_allclose(value, expected.value, rtol=1e-5)
    slope = np.array(expected.gradient)
    np.testing.assert_allclose(gradient, slope, atol=1e-5 * np.max(np.abs(slope)))


@everywhere
@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize("axes", [0, 1, 3], ids="{} spatial axes".format)
def test_one_pixel(framework: str, loss: str, axes: int) -> None:
    space = (1,) * axes
    logits = np.array([1.0, 0.0, -1.0], dtype=np.float32).reshape(1, 3, *space)
    problem = Problem(logits, np.ones((1, *space), dtype=np.int64))
    value, gradient = evaluate(framework, ALL[loss], problem)
    exact = Problem(problem.logits.astype(np.float64), problem.target)
    expected, expected_gradient = evaluate("numpy", ALL[loss], exact)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-6)


@everywhere
@pytest.mark.parametrize("loss", [name for name in LOSSES if of_one_class(name) and takes(name, "soft")])
@pytest.mark.parametrize("label", [0, 1])
def test_one_class(framework: str, loss: str, label: int) -> None:
    """Labels 0 and 1 of one class are its absence and its presence: the target y = label of the logits' shape."""
    labels = np.full((2, 4, 5), label)
    value, gradient = evaluate(framework, LOSSES[loss], Problem(LOGITS[:, :1], labels))
    dense, dense_gradient = evaluate(
        framework, LOSSES[loss], Problem(LOGITS[:, :1], labels[:, None].astype(np.float32))
    )
    assert np.isfinite(value)
    assert value == dense
    np.testing.assert_array_equal(gradient, dense_gradient)


@everywhere
@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 3, 0)])
def test_an_empty_batch_is_an_error(framework: str, loss: str, shape: tuple[int, ...]) -> None:
    problem = Problem(np.zeros(shape, dtype=np.float32), np.zeros((shape[0], shape[2]), dtype=np.int64))
    with pytest.raises(ValueError, match="logits must not be empty"):
        evaluate(framework, ALL[loss], problem)
