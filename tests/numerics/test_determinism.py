"""The same input twice gives the same bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from everywhere import ALL, FRAMEWORKS, Problem, evaluate

import seglosses_torch

pytestmark = pytest.mark.sampled(8)

RNG = np.random.default_rng(4)
LABELS = RNG.integers(0, 3, size=(2, 64, 65))
PROBLEM = Problem(
    RNG.normal(size=(2, 3, 64, 65)).astype(np.float32),
    LABELS,
    mask=np.where(RNG.random(LABELS.shape) < 0.2, 0, RNG.random(LABELS.shape)).astype(np.float32),
    sample_weight=np.array([0.7, 1.9], dtype=np.float32),
)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("loss", ALL)
def test_twice_the_same_bits(framework: str, loss: str) -> None:
    value, gradient = evaluate(framework, ALL[loss], PROBLEM)
    again, its_gradient = evaluate(framework, ALL[loss], PROBLEM)
    assert value == again
    np.testing.assert_array_equal(gradient, its_gradient)


@pytest.mark.parametrize("loss", ALL)
def test_torch_with_deterministic_algorithms(loss: str) -> None:
    """Forward, backward and double backward, twice."""
    make, direction = ALL[loss], torch.from_numpy(RNG.normal(size=PROBLEM.logits.shape).astype(np.float32))
    given = {name: torch.from_numpy(x) for name, x in PROBLEM.others().items()}

    def run() -> list[torch.Tensor]:
        logits = torch.from_numpy(PROBLEM.logits).requires_grad_()
        value = make(seglosses_torch)(logits, **given)
        (gradient,) = torch.autograd.grad(value, logits, create_graph=True)
        return [value, gradient, *torch.autograd.grad((gradient * direction).sum(), logits)]

    torch.use_deterministic_algorithms(True)
    try:
        first, second = run(), run()
    finally:
        torch.use_deterministic_algorithms(False)
    for one, other in zip(first, second, strict=True):
        assert torch.isfinite(one).all()
        assert torch.equal(one, other)
