"""The hand-written derivative against central differences and against autograd of the formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seglosses_conformance.losses import ENTRIES

DIRECTIONS, STEP = 3, 1e-5


def gradients(problem):
    """By the name of the argument."""
    gradient = problem.call(gradient=True)[1]
    if isinstance(gradient, tuple):
        return dict(zip(("logits", "features"), gradient, strict=True))
    return {"logits": gradient}


@pytest.mark.sampled(1)
def test_gradient_is_the_slope(scalar_problem):
    """Along directions with every entry in them, by fourth-order central differences."""
    random = np.random.default_rng(3)
    for name, gradient in gradients(scalar_problem).items():
        x = scalar_problem.arrays[name]
        assert gradient.shape == x.shape
        assert gradient.dtype == np.float64

        def at(step, name=name, x=x):
            return scalar_problem.call(**{name: x + step})

        for direction in random.choice([-1.0, 1.0], size=(DIRECTIONS, *x.shape)):
            step = STEP * direction
            slope = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * STEP)
            assert np.sum(gradient * direction) == pytest.approx(
                slope, rel=1e-7, abs=1e-8 * np.abs(gradient).sum()
            )


@pytest.mark.sampled(1)
def test_gradient_is_that_of_the_formula(scalar_problem):
    """Entry by entry, by torch's autograd through the operations of the core."""
    ours = gradients(scalar_problem)
    leaves = {name: torch.asarray(scalar_problem.arrays[name]).requires_grad_() for name in ours}
    value = scalar_problem.call(torch.asarray, **leaves)
    # What may be below 0 may be a small difference of numbers of the size of 1.
    rounding = 1e-15 * (ENTRIES[type(scalar_problem.loss).__name__].bounds[0] < 0)
    np.testing.assert_allclose(value.detach().numpy(), scalar_problem.call(), rtol=1e-13, atol=rounding)
    expected = torch.autograd.grad(value, list(leaves.values()))
    for gradient, theirs in zip(ours.values(), expected, strict=True):
        np.testing.assert_allclose(gradient, theirs.numpy(), rtol=1e-9, atol=1e-12 * np.abs(gradient).max())
