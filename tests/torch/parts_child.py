"""What one of two processes computes of its part of a batch; the parent compares. Run by `test_torch_parts.py`."""

from __future__ import annotations

import copy
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel

from seglosses_torch import (
    CenterLoss,
    CrossEntropyLoss,
    DiceLoss,
    EnsembleLoss,
    LocallyAdaptiveLoss,
    MaxPooling,
    Minkowski,
    TopK,
)
from seglosses_torch.internals import distributed_tensors

N, C, H, W = 5, 3, 6, 6


def losses() -> dict[str, Any]:
    return {
        "batch": DiceLoss(aggregate="batch", absent="skip", class_weights=[1.0, 0.5, 2.0], ignore_index=9),
        "image": DiceLoss(absent="skip", ignore_index=9),
        "entropy": CrossEntropyLoss(ignore_index=9, class_weights=[1.0, 0.5, 2.0]),
        "sum": CrossEntropyLoss(ignore_index=9, reduction="sum"),
        "powers": CrossEntropyLoss(ignore_index=9, reduction=Minkowski(k=3.0)),
        "top": CrossEntropyLoss(ignore_index=9, reduction=TopK(fraction=0.2)),
        "pooled": CrossEntropyLoss(ignore_index=9, reduction=MaxPooling()),
        "local": LocallyAdaptiveLoss(ignore_index=9, kernel_size=3),
        "ensemble": EnsembleLoss(
            losses=[DiceLoss(aggregate="batch", ignore_index=9), CrossEntropyLoss(ignore_index=9)],
            weights=[0.3, nn.Parameter(torch.tensor(0.7, dtype=torch.float64))],
        ),
    }


OF_PIXELS = ("batch", "image", "entropy", "powers", "top")


def batch() -> tuple[Tensor, Tensor]:
    """Of the first images most is background, of the last much is ignored."""
    random = torch.Generator().manual_seed(3)
    images = torch.randn(N, 2, H, W, generator=random, dtype=torch.float64)
    labels = torch.randint(1, C, (N, H, W), generator=random)
    labels[:3][torch.rand(3, H, W, generator=random) < 0.8] = 0
    labels[3:][torch.rand(2, H, W, generator=random) < 0.7] = 9
    return images, labels


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Conv2d(2, C, 1, dtype=torch.float64)


def trained(net: nn.Module, loss: nn.Module, images: Tensor, labels: Tensor) -> list[Tensor]:
    """The value, and the gradients of the network and of what the loss learns."""
    value = loss(net(images), labels)
    learnt = [*net.parameters(), *loss.parameters()]
    return [value.detach(), *(g.detach() for g in torch.autograd.grad(value, learnt))]


def directions() -> tuple[Tensor, Tensor]:
    """Logits, and a direction to change them in."""
    logits = network()(batch()[0]).detach()
    return logits, torch.randn(logits.shape, dtype=logits.dtype, generator=torch.Generator().manual_seed(5))


def mean(gradients: list[Tensor]) -> list[Tensor]:
    for gradient in gradients:
        dist.all_reduce(gradient)
        gradient /= dist.get_world_size()
    return gradients


def main(folder: str, rank: int) -> dict[str, Any]:
    images, labels = batch()
    own = slice(0, 3) if rank == 0 else slice(3, 5)
    rows = slice(0, 4) if rank == 0 else slice(4, 6)
    found: dict[str, Any] = {}

    def keep(name: str, make: Callable[[], Any]) -> None:
        try:
            found[name] = make()
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}", traceback.format_exc()

    def with_mean(loss: nn.Module, part: tuple[Any, ...], compute: Any = trained) -> list[Tensor]:
        value, *gradients = compute(network(), loss, images[part], labels[(part[0], *part[2:])])
        return [value, *mean(gradients)]

    everything = (slice(None), slice(None))
    for name, loss in losses().items():
        keep(f"images {name}", partial(with_mean, loss.across(images="world"), (own, slice(None))))
    for name in OF_PIXELS:
        loss = losses()[name].across(pixels="world")
        keep(f"pixels {name}", partial(with_mean, loss, (*everything, rows)))

    def by_formula(net: nn.Module, loss: Any, x: Tensor, y: Tensor) -> list[Tensor]:
        value = loss.formula(net(x), y)
        learnt = [*net.parameters(), *loss.parameters()]
        return [value.detach(), *torch.autograd.grad(value, learnt)]

    for name in ("batch", "entropy", "powers", "ensemble"):
        loss = losses()[name].across(images="world")
        keep(f"formula {name}", partial(with_mean, loss, (own, slice(None)), by_formula))

    def summed() -> list[Tensor]:
        loss = losses()["ensemble"].across(images="world", gradients="sum")
        value, *gradients = trained(network(), loss, images[own], labels[own])
        return [value, *(g * dist.get_world_size() for g in mean(gradients))]

    keep("sum ensemble", summed)

    def of_functions() -> list[Tensor]:
        loss, net = losses()["batch"].across(images="world"), network()
        given = dict(net.named_parameters())

        def value(parameters: dict[str, Tensor]) -> Tensor:
            return loss(torch.func.functional_call(net, parameters, images[own]), labels[own])

        gradients, number = torch.func.grad_and_value(value)(given)
        return [number.detach(), *mean([g.detach() for g in gradients.values()])]

    keep("func batch", of_functions)

    def compiled(net: nn.Module, loss: Any, x: Tensor, y: Tensor, backend: str = "aot_eager") -> list[Tensor]:
        return trained(net, torch.compile(loss, backend=backend, fullgraph=True), x, y)

    for name in ("batch", "entropy"):
        loss = losses()[name].across(images="world")
        keep(f"compiled {name}", partial(with_mean, loss, (own, slice(None)), compiled))
    inductor = partial(compiled, backend="inductor")
    keep(
        "inductor batch",
        partial(with_mean, losses()["batch"].across(images="world"), (own, slice(None)), inductor),
    )

    def transformed() -> list[Tensor]:
        loss, (logits, tangents) = losses()["batch"].across(images="world"), directions()

        def part(z: Tensor) -> Tensor:
            return loss(z, labels[own])

        value, slope = torch.func.jvp(part, (logits[own],), (tangents[own],))
        return [value, slope, torch.func.vmap(part)(torch.stack([logits, tangents])[:, own])]

    keep("transformed", transformed)

    def distributed() -> list[Tensor]:
        net = DistributedDataParallel(network())
        loss = losses()["batch"].across(images="world")
        value = loss(net(images[own]), labels[own])
        value.backward()
        return [value.detach(), *(p.grad for p in net.parameters())]

    keep("DDP batch", distributed)

    def sharded() -> list[Tensor]:
        from torch.distributed.fsdp import fully_shard  # since torch 2.6

        net = fully_shard(network(), mesh=init_device_mesh("cpu", (2,)))
        value = losses()["batch"].across(images="world")(net(images[own]), labels[own])
        value.backward()
        return [value.detach(), *(p.grad.full_tensor() for p in net.parameters())]

    keep("FSDP batch", sharded)

    def empty() -> list[Tensor]:
        none = slice(0, 5) if rank == 0 else slice(5, 5)
        return with_mean(losses()["batch"].across(images="world"), (none, slice(None)))

    keep("empty batch", empty)

    mesh = init_device_mesh("cpu", (2,), mesh_dim_names=("all",))
    tensor = distributed_tensors()
    for name, place in (
        ("images", tensor.Shard(0)),
        ("rows", tensor.Shard(2)),
        ("classes", tensor.Shard(1)),
        ("whole", tensor.Replicate()),
    ):
        for kind in ("batch", "entropy"):

            def tensors(place: Any = place, kind: str = kind) -> list[Tensor]:
                logits = tensor.distribute_tensor(network()(images).detach(), mesh, [place]).requires_grad_()
                value = losses()[kind](logits, labels)
                value.backward()
                return [value.full_tensor().detach(), logits.grad.full_tensor()]

            keep(f"DTensor {name} {kind}", tensors)

    def centers() -> list[Tensor]:
        loss = CenterLoss(num_classes=C, ignore_index=9).double().across(images="world")
        for _ in range(2):
            loss(network()(images[own]).detach(), labels[own])
        return [loss.centers]

    keep("centers", centers)

    def bad_label() -> list[Tensor]:
        wrong = labels.clone()
        wrong[0, 0, 0] = 7  # of the first rank
        return [losses()["batch"].across(images="world")(network()(images[own]).detach(), wrong[own])]

    keep("bad label", bad_label)

    def one_fails() -> Tensor:
        loss = losses()["batch"].across(images="world")
        return loss(network()(images[own]).detach(), labels[own] if rank else labels[own].float()[:, :2])

    keep("one fails", one_fails)

    def another_order() -> Tensor:
        name = "entropy" if rank else "sum"
        return losses()[name].across(images="world")(network()(images[own]), labels[own])

    keep("another order", another_order)

    def streamed() -> list[Tensor]:
        loss = losses()["batch"].across(images="world")
        net, parts = (
            network(),
            [(images[own][i : i + 1], labels[own][i : i + 1]) for i in range(own.stop - own.start)],
        )
        with torch.no_grad():
            totals = loss.all_reduce(sum(loss.statistics(net(x), y) for x, y in parts))
        for x, y in parts:
            value = loss(net(x), y, totals=totals)
            value.backward()
        return [value.detach(), *mean([p.grad for p in net.parameters()])]

    keep("streamed batch", streamed)

    def copies() -> list[str]:
        loss = losses()["batch"].across(images="world")
        group = losses()["batch"].across(images=dist.new_group([0, 1]))
        again = pickle.loads(pickle.dumps(loss))
        copy.deepcopy(group)
        try:
            pickle.dumps(group)
        except TypeError as error:
            return [repr(loss), repr(again), str(error)]
        return []

    keep("copies", copies)
    return found


if __name__ == "__main__":
    folder, number = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=number, world_size=2, timeout=timedelta(seconds=20)
    )
    torch.save(main(folder, number), f"{folder}/{number}.pt")
    dist.destroy_process_group()
