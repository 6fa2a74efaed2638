"""What the members of an ensemble give, and weights that are set during training."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_cases import ONE_GRAPH, C, N, close, gradient, in_one_graph, labels, logits

import seglosses_torch as sl

A, B = sl.DiceLoss(), sl.CrossEntropyLoss()
ENSEMBLES: dict[str, Callable[[], sl.EnsembleLoss]] = {
    "softmax": lambda: 0.25 * A + 2 * B,
    "sigmoid": lambda: 0.25 * sl.DiceLoss(activation="sigmoid") + 2 * sl.FocalLoss(activation="sigmoid"),
    "learnt": lambda: sl.EnsembleLoss(losses=[A, B], weights=sl.LearnableWeights([1.0, 3.0])),
    "nested": lambda: sl.EnsembleLoss(losses=[0.5 * A + B, sl.PowerDiceLoss(p=sl.LearnablePower(1.5))]),
}
TARGET = nn.functional.one_hot(labels(), C).movedim(-1, 1).bool()

compiling = pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning"
)  # PyTorch's own
each_ensemble = pytest.mark.parametrize("name", ENSEMBLES)


def check(found: tuple[Tensor, tuple[Tensor, ...]], loss: sl.EnsembleLoss, z: Tensor) -> None:
    """What `parts` gives, against the loss and its members alone."""
    value, members = found
    expected = loss(z, TARGET)
    close(value, expected, relative=1e-10)
    close(gradient(value, z), gradient(expected, z), relative=1e-10)
    close(
        torch.stack(members),
        torch.stack([member(z, TARGET) for member in loss.losses]).detach(),
        relative=1e-10,
    )
    assert not any(member.requires_grad for member in members)


@each_ensemble
def test_parts(name: str) -> None:
    loss, z = ENSEMBLES[name](), logits().requires_grad_()
    check(loss.parts(z, TARGET), loss, z)
    with torch.no_grad():
        value, members = loss.parts(z, TARGET)
    close(value, loss(z, TARGET).detach(), relative=1e-10)
    assert len(members) == 2
    for parameter, alone in zip(
        torch.autograd.grad(loss.parts(z, TARGET)[0], [z, *loss.parameters()]),
        torch.autograd.grad(loss(z, TARGET), [z, *loss.parameters()]),
        strict=True,
    ):
        close(parameter, alone, relative=1e-10)


@compiling
@in_one_graph
@pytest.mark.parametrize("name", ["softmax", "learnt"])  # by hand, and by autograd
def test_compiled_parts(name: str) -> None:
    loss, z = ENSEMBLES[name](), logits().requires_grad_()
    torch._dynamo.reset()
    check(torch.compile(loss.parts, fullgraph=True, backend="aot_eager")(z, TARGET), loss, z)


@each_ensemble
def test_transformed_parts(name: str) -> None:
    loss, z = ENSEMBLES[name](), logits()
    slope, members = torch.func.grad(lambda z: loss.parts(z, TARGET), has_aux=True)(z)
    value, parts = loss.parts(z.requires_grad_(), TARGET)
    close(slope, gradient(value, z), relative=1e-10)
    close(torch.stack(members), torch.stack(parts), relative=1e-10)
    each = torch.func.vmap(lambda z, t: loss.parts(z[None], t[None])[1])(z.detach(), TARGET)
    close(
        each[0],
        torch.stack([loss.losses[0](z[n : n + 1], TARGET[n : n + 1]) for n in range(N)]),
        relative=1e-8,
    )


def test_parts_with_what_a_member_holds() -> None:
    """The centres move once, as in a call."""
    loss, other = (sl.CenterLoss(num_classes=C) + A for _ in range(2))
    z = logits(torch.float32)
    value, (center, _) = loss.parts(z, labels())
    close(value, other(z, labels()))
    assert torch.equal(loss.losses[0].centers, other.losses[0].centers)
    assert loss.losses[0].centers.any()
    assert center < value


# -- weights that are set ---------------------------------------------------------------------------------------------


def settable() -> dict[str, tuple[sl.EnsembleLoss, list[str]]]:
    """Ensembles and the keys of their checkpoints."""
    return {
        "numbers": (1.0 * A + 0.5 * B, []),
        "vector": (sl.EnsembleLoss(losses=[A, B], weights=torch.tensor([1.0, 0.5])), ["weights"]),
        "one": (A + torch.tensor(0.5) * B, ["weights.1"]),
        "parameters": (nn.Parameter(torch.tensor(1.0)) * A + nn.Parameter(torch.tensor(0.5)) * B,
                       ["weights.0", "weights.1"]),
    }  # fmt: skip


@pytest.mark.parametrize("name", settable())
def test_weights_are_set(name: str) -> None:
    z, t = logits().requires_grad_(), labels()
    loss, keys = settable()[name]
    for weights in ([0.25, 0.75], torch.tensor([0.5, 2.0]), (0, 1.0)):
        loss.weights = weights
        expected = float(weights[0]) * A(z, t) + float(weights[1]) * B(z, t)
        slope = gradient(expected, z)
        for other in (loss, copy.deepcopy(loss), copy.deepcopy(loss).double()):
            close(other(z, t), expected, relative=1e-7)
            close(gradient(other(z, t), z), slope, relative=1e-7)
        assert [weight.item() for weight in loss.weights] == [float(weight) for weight in weights]
        assert sorted(loss.state_dict()) == keys


@compiling
@pytest.mark.parametrize("name", ["vector", "one", "parameters"])
def test_compiled_with_weights_that_are_tensors(name: str) -> None:
    loss, z = settable()[name][0], logits().requires_grad_()
    torch._dynamo.reset()
    value, expected = (
        torch.compile(loss, fullgraph=ONE_GRAPH, backend="aot_eager")(z, TARGET),
        loss(z, TARGET),
    )
    close(value, expected, relative=1e-11)
    close(gradient(value, z), gradient(expected, z), relative=1e-11)


@compiling
@in_one_graph
@pytest.mark.parametrize("name", ["numbers", "vector", "one"])
def test_nothing_is_compiled_again_for_other_weights(name: str) -> None:
    z, t = logits(torch.float32).requires_grad_(), labels()
    loss, _ = settable()[name]
    graphs: list[Any] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    compiled, counts = torch.compile(loss, backend=backend, fullgraph=True), []
    for weights in ([0.5, 0.5], [0.25, 0.75], [0.125, 2.0]):
        loss.weights = weights
        close(compiled(z, t), weights[0] * A(z, t) + weights[1] * B(z, t), relative=1e-6)
        counts.append(len(graphs))
    assert counts == [1, 1, 1]


def test_weights_that_cannot_be_set() -> None:
    loss = A + B
    for weights, message in (
        ([1.0], "weights must have one entry per loss, 2, got 1"),
        ([1.0, -1.0], r"weights\[1\] must be at least 0, got -1.0"),
        (0.5, "weights must be a sequence or an array"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            loss.weights = weights
    assert loss.weights == (1.0, 1.0)
    one = sl.EnsembleLoss(losses=[A, B], weights=[0.5, 0.5], sum_to_one=True)
    with pytest.raises(ValueError, match="weights must sum to 1"):
        one.weights = [0.5, 0.6]
    learnt = sl.EnsembleLoss(losses=[A, B], weights=sl.LearnableWeights([1.0, 3.0]))
    with pytest.raises(
        AttributeError, match=r"weights cannot be set where a module gives them, LearnableWeights"
    ):
        learnt.weights = [0.5, 0.5]
    with pytest.raises(
        AttributeError, match=r"weights\[0\] cannot be set where a module gives it, LearnablePower"
    ):
        sl.EnsembleLoss(losses=[A, B], weights=[sl.LearnablePower(1.5), 1]).weights = [0.5, 0.5]
