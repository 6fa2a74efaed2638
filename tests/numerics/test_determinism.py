"""The same input twice gives the same bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from everywhere import FRAMEWORKS, LOSSES, Problem, evaluate

import seglosses_torch

RNG = np.random.default_rng(4)
PROBLEM = Problem(RNG.normal(size=(2, 5, 64, 65)).astype(np.float32), RNG.integers(0, 5, size=(2, 64, 65)))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("loss", LOSSES)
def test_twice_the_same_bits(framework: str, loss: str) -> None:
    value, gradient = evaluate(framework, LOSSES[loss], PROBLEM)
    again, its_gradient = evaluate(framework, LOSSES[loss], PROBLEM)
    assert value == again
    np.testing.assert_array_equal(gradient, its_gradient)


@pytest.mark.parametrize("loss", LOSSES)
def test_torch_with_deterministic_algorithms(loss: str) -> None:
    torch.use_deterministic_algorithms(True)
    try:
        logits = torch.from_numpy(PROBLEM.logits).requires_grad_()
        value = LOSSES[loss](seglosses_torch)(logits, torch.from_numpy(PROBLEM.target))
        (gradient,) = torch.autograd.grad(value, logits)
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()
