"""Tracers, hyper-parameters that a compiler makes symbols of, and what no loss takes: tensors of several processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode
from torch_cases import (
    CASES,
    ONE_PER_LOSS,
    C,
    Case,
    H,
    N,
    W,
    close,
    each_case,
    each_loss,
    gradient,
    in_one_graph,
    labels,
    logits,
)

import seglosses_core
import seglosses_torch as sl
from seglosses_conformance.entries import Sample
from seglosses_conformance.losses import ENTRIES
from seglosses_core.region import RegionLoss

pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning"),
    # Of every shape that is looked at.
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    # Dynamo looks at an autograd.Function by making an instance of it, which PyTorch itself warns of.
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]


def others(case: Case) -> tuple[Tensor, dict[str, Tensor]]:
    """A case with its images in the other order, and other logits."""
    z = case.logits().flip(0)
    z = z if case.make().activation == "identity" else 0.7 * z
    return z, {name: x.flip(0) for name, x in case.arguments().items()}


# -- tracers ----------------------------------------------------------------------------------------------------------


class Called(nn.Module):
    """A loss with its arguments in a row, as `torch.jit.trace` wants them."""

    def __init__(self, loss: sl.TorchLoss, names: list[str]) -> None:
        super().__init__()
        self.loss, self.names = loss, names

    def forward(self, z: Tensor, *given: Tensor) -> Tensor:
        return self.loss(z, **dict(zip(self.names, given, strict=True)))


@each_case
def test_jit_trace(case: Case) -> None:
    """What is traced on one input gives value and gradient of another."""
    given = case.arguments()
    loss = Called(case.make(), list(given))
    traced = torch.jit.trace(loss, (case.logits(), *given.values()), check_trace=False)
    z, given = others(case)
    z.requires_grad_()
    value, expected = traced(z, *given.values()), loss(z, *given.values())
    close(value, expected)
    close(gradient(value, z), gradient(expected, z))


@pytest.mark.sampled(4)
@each_loss
def test_make_fx_of_a_gradient(case: Case) -> None:
    loss = case.make()

    def slope(z: Tensor, given: dict[str, Tensor]) -> Tensor:
        z = z.detach().requires_grad_()
        return gradient(loss(z, **given), z)

    traced = make_fx(slope)(case.logits(), case.arguments())
    close(traced(*others(case)), slope(*others(case)))


# -- compilers --------------------------------------------------------------------------------------------------------

ENSEMBLE = next(case for case in ONE_PER_LOSS if case.loss == "EnsembleLoss")
SWEEPS = [
    pytest.param(
        case,
        dynamic,
        id=f"{case}-{dynamic}",
        marks=[] if (case, dynamic) == (ENSEMBLE, None) else pytest.mark.slow,
    )
    for case in CASES
    for dynamic in (None, True)
]


def scaled(value: Any, by: float) -> Any:
    """Hyper-parameters with every number in them, of losses and poolings too, times a factor."""
    if isinstance(value, dict) and "loss" in value:
        return {**value, "hyperparameters": scaled_loss(value["loss"], value.get("hyperparameters", {}), by)}
    if isinstance(value, dict):
        return {name: scaled(item, by) for name, item in value.items()}
    if isinstance(value, list):
        return [scaled(item, by) for item in value]
    return value * by if isinstance(value, float) else value


def scaled_loss(loss: str, hyperparameters: dict[str, Any], by: float) -> dict[str, Any]:
    """With what is left to its default."""
    fields = dataclasses.fields(getattr(seglosses_core, loss))
    defaults = {field.name: field.default for field in fields if isinstance(field.default, float)}
    return scaled({**defaults, **hyperparameters}, by)


@in_one_graph
@pytest.mark.parametrize("learnt", ["one weight", "all weights", "gamma"])
def test_a_parameter_in_one_graph(learnt: str) -> None:
    """A compiler cannot go through the bases of a parameter's type."""
    torch.compiler.reset()
    members = [sl.DiceLoss(), sl.CrossEntropyLoss()]
    number = nn.Parameter(torch.tensor([0.3, 0.7] if learnt == "all weights" else 0.7, dtype=torch.float64))
    loss = {
        "one weight": lambda: sl.EnsembleLoss(losses=members, weights=[0.3, number]),
        "all weights": lambda: sl.EnsembleLoss(losses=members, weights=number),
        "gamma": lambda: sl.FocalLoss(gamma=number),
    }[learnt]()
    z, y = logits().requires_grad_(), labels()
    value, expected = torch.compile(loss, fullgraph=True, backend="aot_eager")(z, y), loss(z, y)
    close(value, expected, relative=1e-10)
    for found, right in zip(*(torch.autograd.grad(v, [z, number]) for v in (value, expected)), strict=True):
        close(found, right, relative=1e-10)


@in_one_graph
@pytest.mark.parametrize(("case", "dynamic"), SWEEPS)
def test_hyperparameters_as_symbols(case: Case, dynamic: bool | None) -> None:
    """From the second value on, or at once with `dynamic=True`, Dynamo makes a symbol of a number."""
    torch.compiler.reset()
    frames = torch._dynamo.utils.counters["frames"]
    frames.clear()
    for count, by in enumerate((0.95, 0.9), 1):
        sample = Sample(scaled_loss(case.loss, case.sample.hyperparameters, by))
        loss, height = dataclasses.replace(case, sample=sample).make(), H - count % 2
        given = {
            name: x[..., :height, :] if x.shape[-2:] == (H, W) else x for name, x in case.arguments().items()
        }
        z = case.logits()[..., :height, :].clone().requires_grad_()
        compiled = torch.compile(loss, fullgraph=True, dynamic=dynamic, backend="aot_eager")
        value, expected = compiled(z, **given), loss(z, **given)
        close(value, expected, relative=1e-10)
        close(gradient(value, z), gradient(expected, z), relative=1e-10)
        assert frames["ok"] <= count


@in_one_graph
@pytest.mark.parametrize(
    "loss",
    [
        sl.CrossEntropyLoss(activation="identity", clip=1e-7),
        sl.CrossEntropyLoss(activation="identity", clip=1e-7, overlapping=True),
        sl.FocalTverskyLoss(activation="identity", gamma=0.7),
    ],
)
def test_bounds_and_exponents_as_symbols(loss: nn.Module) -> None:
    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=True, dynamic=True, backend="aot_eager")
    p = torch.rand(N, C, H, W, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).softmax(1)
    p.requires_grad_()
    value, expected = compiled(p, labels()), loss(p, labels())
    close(value, expected, relative=1e-10)
    close(gradient(value, p), gradient(expected, p), relative=1e-10)


@in_one_graph
def test_compiled_heat_maps() -> None:
    """Without a warning, which would be an error here."""
    torch.compiler.reset()
    points = torch.tensor([[[1.0, 1.0], [2.0, 3.0]]])

    def draw(points: Tensor) -> Tensor:
        return sl.gaussian_heatmap(points, torch.tensor([[0, 2]]), (H, W), num_classes=3, sigma=1.0)

    def search(labels: Tensor) -> Tensor:
        return sl.gaussian_heatmap_from_labels(labels, num_classes=C, radius=2.0)

    for function, given in ((draw, points), (search, labels())):
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
        close(compiled(given), function(given), relative=1e-6)


# -- points and many small images ------------------------------------------------------------------------------------


class Operations(TorchDispatchMode):
    """Counts PyTorch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), options: Any = None) -> Any:
        self.count += 1
        return function(*args, **(options or {}))


REGION = [getattr(sl, kind.__name__) for kind in seglosses_core.LOSSES if issubclass(kind, RegionLoss)]


@pytest.mark.parametrize("weight", [None, "mask", "sample_weight"])
@pytest.mark.parametrize(
    "options", [{}, {"aggregate": "batch"}, {"aggregate": "batch", "absent": "skip"}], ids=str
)
@pytest.mark.parametrize("kind", REGION)
@pytest.mark.sampled(1)
def test_operations_do_not_grow_with_the_number_of_images(
    kind: Any, options: dict[str, str], weight: str | None
) -> None:
    loss, counts = kind(**options), []
    for points in (10, 300):
        z = torch.randn(points, C, dtype=torch.float64, requires_grad=True)
        t = torch.arange(points) % C
        weights = {} if weight is None else {weight: torch.rand(points, dtype=torch.float64)}
        maps = {
            name: torch.asarray(x) for name, x in ENTRIES[kind.__name__].inputs(z.detach().numpy()).items()
        }
        with Operations() as operations:
            value = loss(z, t, **weights, **maps)
            slope = gradient(value, z)
        counts.append(operations.count)
        if "aggregate" in options and "permuted pixels" not in ENTRIES[kind.__name__].exceptions:
            # The same pixels as one image.
            image = z.detach().T[None].contiguous().requires_grad_()
            given = {"mask" if name == weight else name: x[None] for name, x in {**weights, **maps}.items()}
            expected = loss(image, t[None], **given)
            close(value, expected)
            close(slope, gradient(expected, image)[0].T)
    assert counts[0] == counts[1]


# -- several processes -----------------------------------------------------------------------------------------------


@pytest.fixture
def distribute() -> Iterator[Callable[[Tensor], Tensor]]:
    """A tensor as a DTensor, sharded over its images on a mesh of this one process."""
    from torch import distributed
    from torch.distributed.tensor import Shard, distribute_tensor

    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        mesh = distributed.device_mesh.init_device_mesh("cpu", (1,))
        yield lambda x: distribute_tensor(x, mesh, [Shard(0)])
    finally:
        distributed.destroy_process_group()


@pytest.mark.since(torch="2.5")
def test_distributed_tensors_beside_logits_that_are_none_are_refused(
    distribute: Callable[[Tensor], Tensor],
) -> None:
    """Sums over a shard would be taken for sums over the batch."""
    z, t = logits(), labels()
    weights = torch.ones(C, dtype=z.dtype)
    given: dict[str, Callable[[], Tensor]] = {
        "target": lambda: sl.DiceLoss()(z, distribute(t)),
        "mask": lambda: sl.CrossEntropyLoss()(z, t, mask=distribute(t)),
        "sample_weight": lambda: sl.DiceLoss().formula(z, t, sample_weight=distribute(torch.ones(N))),
        "features": lambda: sl.CenterLoss(num_classes=C)(z, t, features=distribute(z)),
        "class_weights": lambda: sl.DiceLoss(class_weights=distribute(weights))(z, t),
        "alpha": lambda: (sl.FocalLoss(alpha=distribute(weights)) + sl.DiceLoss())(z, t),
    }
    for name, call in given.items():
        with pytest.raises(TypeError, match=rf"{name} must be .*, got a DTensor"):
            call()


@pytest.mark.since(torch="2.5")
def test_logits_that_are_a_distributed_tensor(distribute: Callable[[Tensor], Tensor]) -> None:
    z, t = logits(), labels()
    expected = sl.DiceLoss(aggregate="batch")(z, t)
    for target in (t, distribute(t)):
        close(sl.DiceLoss(aggregate="batch")(distribute(z), target).full_tensor(), expected)
    with pytest.raises(TypeError, match="reduction='none'"):
        sl.CrossEntropyLoss(reduction="none")(distribute(z), t)
