"""torch.func, forward mode, compilers and export."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_cases import (
    CASES,
    ONE_GRAPH,
    ONE_PER_LOSS,
    C,
    Case,
    H,
    N,
    W,
    close,
    each_case,
    each_curved,
    gradient,
    in_one_graph,
    labels,
    logits,
    soft,
)

import seglosses_torch as sl

func = torch.func

pytestmark = [
    # Parts of PyTorch still use TorchScript, which PyTorch deprecates.
    pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning"),
    # Dynamo looks at an autograd.Function by making an instance of it, which PyTorch itself warns of.
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]


def small(case: Case) -> tuple[sl.TorchLoss, Tensor, dict[str, Tensor]]:
    """A case on 1 × 3 pixels, for whole Hessians."""
    given = {name: x if name == "sample_weight" else x[..., :1, :3] for name, x in case.arguments().items()}
    return case.make(), case.logits()[..., :1, :3], given


# -- torch.func -------------------------------------------------------------------------------------------------------


@each_case
def test_func_grad(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits()
    leaf = z.clone().requires_grad_()
    value = loss(leaf, **given)
    slope, found = func.grad_and_value(lambda z: loss(z, **given))(z)
    close(found, value.detach())
    close(slope, gradient(value, leaf))


@each_case
def test_vmap_is_the_loop(case: Case) -> None:
    loss, given = case.make(), case.arguments()
    z, t = case.logits(), given.pop("target")
    zs, ts = (
        torch.stack([z, z.flip(0), -z if loss.activation != "identity" else z]),
        torch.stack([t, t.flip(0), t]),
    )

    def value(z: Tensor, t: Tensor) -> Tensor:
        return loss(z, t, **given)

    pairs = list(zip(zs, ts, strict=True))
    close(func.vmap(value)(zs, ts), torch.stack([value(*pair) for pair in pairs]))
    slopes = torch.stack([func.grad(value)(*pair) for pair in pairs])
    close(func.vmap(func.grad(value))(zs, ts), slopes)
    close(func.vmap(value, in_dims=(None, 0))(z, ts), torch.stack([value(z, t) for t in ts]))
    leaf = z.clone().requires_grad_()
    summed = func.vmap(value, in_dims=(None, 0))(leaf, ts).sum()
    close(gradient(summed, leaf), sum(func.grad(value)(z, t) for t in ts))


@each_curved
def test_hessians_of_every_kind(case: Case) -> None:
    """Reverse over reverse goes by the hand-written derivative, what has forward mode in it by the formula."""
    loss, z, given = small(case)
    hessian = func.jacrev(func.jacrev(lambda z: loss(z, **given)))(z)
    leaf = z.clone().requires_grad_()
    slope = gradient(loss.formula(leaf, **given), leaf, create_graph=True).reshape(-1)
    rows = [gradient(entry, leaf, retain_graph=True) for entry in slope]
    close(hessian.reshape(len(rows), -1), torch.stack(rows).reshape(len(rows), -1), relative=1e-10)
    close(func.hessian(lambda z: loss(z, **given))(z), hessian, relative=1e-10)
    close(func.jacfwd(func.jacfwd(lambda z: loss(z, **given)))(z), hessian, relative=1e-10)


@each_case
@pytest.mark.parametrize("path", ["formula", "forward"])
def test_forward_mode(case: Case, path: str) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits()
    v = torch.randn(z.shape, generator=torch.Generator().manual_seed(3), dtype=z.dtype)
    leaf = z.clone().requires_grad_()
    expected = (gradient(loss(leaf, **given), leaf) * v).sum()
    close(func.jvp(lambda z: getattr(loss, path)(z, **given), (z,), (v,))[1], expected, relative=1e-10)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(leaf, v)
        value = getattr(loss, path)(dual, **given)
        close(torch.autograd.forward_ad.unpack_dual(value).tangent.detach(), expected, relative=1e-10)


@pytest.mark.parametrize("parts", [lambda z, t: (z,), lambda z, t: (z, t), lambda z, t: (t,)])
def test_func_grad_with_respect_to_a_target(parts: Any) -> None:
    loss, z, t = sl.JaccardLoss(), logits(), soft()
    leaves = [x.clone().requires_grad_() for x in (z, t)]
    expected = torch.autograd.grad(loss(*leaves), leaves)
    found = func.grad(lambda z, t: loss(z, t), argnums=(0, 1))(z, t)
    for one, other in zip(found, expected, strict=True):
        close(one, other)
    v = torch.ones_like(t)
    close(func.jvp(lambda t: loss(z, t), (t,), (v,))[1], expected[1].sum())


def test_a_stack_of_losses_with_their_own_buffers_and_powers() -> None:
    """An ensemble of models under vmap, as in PyTorch's tutorial: hyper-parameters are batched, logits are not."""
    z, t = logits(), labels()
    weights = [torch.tensor(w, dtype=z.dtype) for w in ([1.0, 2.0, 3.0], [1.0, 0.0, 0.5])]
    powers = sl.LearnablePower(1.3), sl.LearnablePower(1.6)
    losses = [sl.PowerDiceLoss(p=p, class_weights=w).double() for p, w in zip(powers, weights, strict=True)]
    parameters, buffers = func.stack_module_state(losses)
    base = copy.deepcopy(losses[0])

    def value(parameters: Any, buffers: Any, z: Tensor) -> Tensor:
        return func.functional_call(base, (parameters, buffers), (z, t))

    close(
        func.vmap(value, in_dims=(0, 0, None))(parameters, buffers, z), torch.stack([f(z, t) for f in losses])
    )
    leaf = z.clone().requires_grad_()
    expected = torch.stack([gradient(f(leaf, t), leaf) for f in losses])
    close(func.vmap(func.grad(value, argnums=2), in_dims=(0, 0, None))(parameters, buffers, z), expected)
    of_powers = func.vmap(func.grad(value), in_dims=(0, 0, None))(parameters, buffers, z)["p.raw"]
    close(of_powers, torch.stack([gradient(f(z, t), f.p.raw) for f in losses]))


# -- compilers --------------------------------------------------------------------------------------------------------


def check_compiled(
    loss: nn.Module, z: Tensor, given: dict[str, Tensor], relative: float, **options: Any
) -> None:
    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=ONE_GRAPH, **options)
    z = z.requires_grad_()
    value, expected = compiled(z, **given), loss(z, **given)
    assert value.dtype == expected.dtype
    close(value, expected, relative=relative)
    close(gradient(value, z), gradient(expected, z), relative=relative)


ONE_OF_EACH = [
    pytest.param(case, marks=[] if case in ONE_PER_LOSS else pytest.mark.slow, id=str(case)) for case in CASES
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("case", ONE_OF_EACH)
def test_compiled_as_one_graph(case: Case) -> None:
    check_compiled(case.make(), case.logits(), case.arguments(), 1e-11, backend="aot_eager")


def test_compiled_by_inductor() -> None:
    loss = sl.DiceLoss() + sl.CrossEntropyLoss()
    check_compiled(loss, logits(torch.float32), {"target": labels()}, 1e-5)


@pytest.mark.slow
@each_case
def test_every_case_compiled_by_inductor(case: Case) -> None:
    check_compiled(case.make(), case.logits(torch.float32), case.arguments(), 1e-5)


@in_one_graph
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["grad", "grad of grad", "hessian", "vmap of grad", "jvp"])
def test_transforms_inside_a_compiled_function(name: str) -> None:
    torch.compiler.reset()
    loss, z, t = sl.DiceLoss() + sl.CrossEntropyLoss(), logits(), labels()
    v = torch.linspace(-1, 1, z.numel(), dtype=z.dtype).reshape(z.shape)

    def grad(z: Tensor) -> Tensor:
        return func.grad(lambda z: loss(z, t))(z)

    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "grad": grad,
        "grad of grad": func.grad(lambda z: (grad(z) * v).sum()),
        "hessian": lambda z: func.hessian(lambda z: loss(z, t[:, :1, :1]))(z[:, :, :1, :1]),
        "vmap of grad": lambda z: func.vmap(func.grad(lambda z, t: loss(z[None], t[None])))(z, t),
        "jvp": lambda z: func.jvp(lambda z: loss(z, t), (z,), (v,))[1],
    }
    close(torch.compile(functions[name], fullgraph=True, backend="aot_eager")(z), functions[name](z))


@in_one_graph
def test_a_compiled_loss_refuses_a_second_derivative() -> None:
    torch.compiler.reset()
    network = nn.Sequential(nn.Conv2d(3, 5, 1), nn.Tanh(), nn.Conv2d(5, C, 1)).double()
    images, t = torch.randn(N, 3, H, W, dtype=torch.float64), labels()
    loss = sl.DiceLoss()
    step = torch.compile(lambda images: loss(network(images), t), fullgraph=True, backend="aot_eager")

    def twice() -> None:
        first = torch.autograd.grad(step(images), network[0].weight, create_graph=True)[0]
        torch.autograd.grad(first.square().sum(), network[0].weight)

    with pytest.raises(RuntimeError, match="does not currently support double backward"):
        twice()


@in_one_graph
def test_compiled_once_for_all_sizes() -> None:
    torch.compiler.reset()
    counters = torch._dynamo.utils.counters
    counters.clear()
    loss = sl.DiceLoss(ignore_index=0)
    compiled = torch.compile(loss, fullgraph=True, dynamic=True, backend="aot_eager")
    for height, width in ((6, 7), (5, 9)):
        z = torch.randn(N, C, height, width, dtype=torch.float64, requires_grad=True)
        t = torch.randint(C, (N, height, width))
        close(gradient(compiled(z, t), z), gradient(loss(z, t), z))
    assert counters["stats"]["unique_graphs"] == 1


@in_one_graph
def test_compiled_with_everything_that_learns_and_remembers() -> None:
    torch.compiler.reset()
    z = logits().requires_grad_()
    centre = sl.CenterLoss(num_classes=C, weight=0.3).double()
    expected = copy.deepcopy(centre)
    compiled = torch.compile(centre, fullgraph=True, backend="aot_eager")
    for _ in range(2):
        close(gradient(compiled(z, labels()), z), gradient(expected(z, labels()), z))
        close(centre.centers, expected.centers)

    power = sl.PowerDiceLoss(p=sl.LearnablePower()).double()
    value = torch.compile(power, fullgraph=True, backend="aot_eager")(z, labels())
    close(gradient(value, power.p.raw), gradient(power(z, labels()), power.p.raw))


@in_one_graph
def test_a_compiled_training_step() -> None:
    torch.compiler.reset()
    torch.manual_seed(0)
    network, loss = nn.Conv2d(3, C, 1), sl.DiceLoss()
    images, t = torch.randn(N, 3, H, W), labels()

    def step(images: Tensor, t: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return loss(network(images), t)

    value = torch.compile(step, fullgraph=True, backend="aot_eager")(images, t)
    expected = step(images, t)
    close(value, expected, relative=1e-6)
    found = gradient(value, network.weight)
    close(found, gradient(expected, network.weight), relative=1e-2)  # the network's own bfloat16


class Trained(nn.Module):
    """A network with its loss, as it is exported for training elsewhere."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.network, self.loss = nn.Conv2d(3, C, 1), loss

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.network(images)
        return logits, self.loss(logits, labels)


@pytest.mark.parametrize("strict", [False, pytest.param(True, marks=in_one_graph)])
@pytest.mark.parametrize(
    "make", [sl.DiceLoss, lambda: 0.5 * sl.CrossEntropyLoss() + sl.PowerJaccardLoss(p=sl.LearnablePower())]
)
def test_export(make: Any, strict: bool) -> None:
    torch.manual_seed(0)
    model = Trained(make()).double()
    images, t = torch.randn(N, 3, H, W, dtype=torch.float64), labels()
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(
        model, (images, t), dynamic_shapes=({0: batch}, {0: batch}), strict=strict
    ).module()
    for repeat in (1, 3):
        given = (images.repeat(repeat, 1, 1, 1), t.repeat(repeat, 1, 1))
        found, expected = exported(*given)[1], model(*given)[1]
        close(found, expected)
    found.backward()
    of_export = {name: p.grad for name, p in exported.named_parameters()}
    expected.backward()
    for name, parameter in model.named_parameters():
        close(of_export[name], parameter.grad)
