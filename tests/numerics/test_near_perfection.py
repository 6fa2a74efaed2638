"""Where nearly everything is right, float32 keeps the digits of what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from everywhere import FRAMEWORKS, LOSSES, Problem, core_of, evaluate, is_region, keeping_digits

from seglosses_core.losses.power import PowerLoss

pytestmark = pytest.mark.sampled(8)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("loss", keeping_digits(filter(is_region, LOSSES), "BoundaryF1"))
@pytest.mark.parametrize("size", [8.0, 16.0])
def test_digits_of_what_is_wrong(framework: str, loss: str, size: float) -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, size=(2, 8, 8))
    hot = labels[:, None] == np.arange(3)[:, None, None]
    logits = (np.where(hot, size, -size) + rng.normal(size=hot.shape)).astype(np.float32)
    value, gradient = evaluate(framework, LOSSES[loss], Problem(logits, labels))
    exact, exact_gradient = evaluate("numpy", LOSSES[loss], Problem(logits.astype(np.float64), labels))
    made = core_of(loss)
    # With a power that is no whole number, the value is a difference of sums of powers.
    power = made.p if isinstance(made, PowerLoss) else 1
    np.testing.assert_allclose(value, exact, rtol=1e-4, atol=0 if power in (1, 2) else 1e-6)
    np.testing.assert_allclose(gradient, exact_gradient, atol=1e-5 * np.max(np.abs(exact_gradient)))
