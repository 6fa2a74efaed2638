"""No pixel, no foreground, no class: a defined value everywhere, and no gradient where nothing is valid."""

from __future__ import annotations

import numpy as np
import pytest
from everywhere import FRAMEWORKS, LOSSES, Problem, evaluate

everywhere = pytest.mark.parametrize("framework", FRAMEWORKS)
every_loss = pytest.mark.parametrize("loss", LOSSES)
RNG = np.random.default_rng(2)
LOGITS = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, size=(2, 4, 5))


@everywhere
@every_loss
@pytest.mark.parametrize("how", ["ignore_index", "mask", "NaN logits"])
def test_nothing_valid(framework: str, loss: str, how: str) -> None:
    logits = np.full_like(LOGITS, np.nan) if how == "NaN logits" else LOGITS
    if how == "ignore_index":
        problem, common = Problem(logits, np.full_like(LABELS, 255)), {"ignore_index": 255}
    else:
        problem, common = Problem(logits, LABELS, mask=np.zeros(LABELS.shape, dtype=bool)), {}
    value, gradient = evaluate(framework, LOSSES[loss], problem, **common)
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
        gradient, expected_gradient, rtol=1e-3, atol=1e-6 * np.abs(expected_gradient).max()
    )


@everywhere
@pytest.mark.parametrize("loss", ["Dice", "Jaccard", "Tversky", "power Dice", "power Jaccard"])
def test_the_policy_for_absent_classes(framework: str, loss: str) -> None:
    """A class that neither target nor prediction has scores 1 by ε / ε when it counts; skipped, it leaves the mean."""
    logits = np.array([[[40.0, 40.0], [-40.0, -40.0], [-40.0, -40.0]]], dtype=np.float32)
    wrong = Problem(logits, np.array([[0, 1]]))
    counted, _ = evaluate(framework, LOSSES[loss], wrong, absent="count", smooth=1e-5)
    skipped, _ = evaluate(framework, LOSSES[loss], wrong, absent="skip", smooth=1e-5)
    np.testing.assert_allclose(counted * 3, skipped * 2, rtol=1e-5)


@everywhere
@every_loss
def test_one_pixel(framework: str, loss: str) -> None:
    problem = Problem(np.array([[[1.0], [0.0], [-1.0]]], dtype=np.float32), np.array([[1]]))
    value, gradient = evaluate(framework, LOSSES[loss], problem)
    exact = Problem(problem.logits.astype(np.float64), problem.target)
    expected, expected_gradient = evaluate("numpy", LOSSES[loss], exact)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-6)


@everywhere
@pytest.mark.parametrize("loss", ["binary cross-entropy", "binary focal", "binary Dice", "distance-aware"])
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
@every_loss
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 3, 0)])
def test_an_empty_batch_is_an_error(framework: str, loss: str, shape: tuple[int, ...]) -> None:
    problem = Problem(np.zeros(shape, dtype=np.float32), np.zeros((shape[0], shape[2]), dtype=np.int64))
    with pytest.raises(ValueError, match="logits must not be empty"):
        evaluate(framework, LOSSES[loss], problem)
