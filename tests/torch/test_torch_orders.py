"""Third derivatives, and the gradient of every other floating input through torch.func and vmap."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch_cases import CASES, Case, close, each_curved, gradient

from seglosses_conformance.losses import ENTRIES

func = torch.func


def direction(x: Tensor, seed: int) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)


@each_curved
def test_third_derivative(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits().requires_grad_()

    def third(value: Tensor) -> Tensor:
        for seed in (1, 2):
            value = (gradient(value, z, create_graph=True) * direction(z, seed)).sum()
        return gradient(value, z) if value.requires_grad else torch.zeros_like(z)

    found, expected = third(loss(z, **given)), third(loss.formula(z, **given))
    if expected.any():
        close(found, expected, relative=1e-9)
    else:  # as of a squared error
        assert not found.any()


INPUTS = [(case, name) for case in CASES for name in ("mask", "sample_weight")]
INPUTS += [(case, "target") for case in CASES if case.target == "soft" and ENTRIES[case.loss].soft_slope]


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # of the sort, in torch 2.4
@pytest.mark.parametrize(("case", "name"), INPUTS, ids=str)
@pytest.mark.sampled(1)
def test_gradient_of_another_input_through_vmap(case: Case, name: str) -> None:
    """Batched tensors that need a gradient must not be taken for tensors that need none."""
    loss, z = case.make(), case.logits()
    given = case.arguments()
    if name == "mask":
        given["mask"] = 0.5 + torch.rand(z[:, 0].shape, generator=torch.Generator().manual_seed(5)).double()
    if name == "sample_weight":
        given["sample_weight"] = torch.tensor([0.7, 1.6], dtype=torch.float64)
    x = given.pop(name)

    def value(x: Tensor, z: Tensor) -> Tensor:
        return loss(z, **{**given, name: x})

    leaf = x.clone().requires_grad_()
    expected = gradient(loss.formula(z, **{**given, name: leaf}), leaf)
    xs, zs = torch.stack([x, x]), torch.stack([z, z])
    twice = torch.stack([expected, expected])
    close(func.vmap(func.grad(value))(xs, zs), twice)
    close(func.grad(lambda xs: func.vmap(value)(xs, zs).sum())(xs), twice)
    leaves = xs.clone().requires_grad_(), zs.clone().requires_grad_()
    close(torch.autograd.grad(func.vmap(value)(*leaves).sum(), leaves)[0], twice)
    shared = func.vmap(value, in_dims=(None, 0))(leaf, leaves[1]).sum()
    close(gradient(shared, leaf), 2 * expected)

    # The derivative with respect to this input of the one with respect to the logits.
    v = direction(z, 3)

    def along(x: Tensor, call: Any) -> Tensor:
        return (func.grad(lambda z: call(z, **{**given, name: x}))(z) * v).sum()

    mixed = func.grad(lambda x: along(x, loss))(x)
    close(mixed, func.grad(lambda x: along(x, loss.formula))(x), relative=1e-9)
