"""Train a U-Net in two processes, and in one, to the same end: python examples/train_ddp.py --steps 20

Each process has other scenes, and not as many. The loss is that of the whole batch in both, so that batch Dice and a
mean over the pixels that are not ignored come out as in one process, in value and in gradient. The network has no batch
normalisation, which would see other batches.
"""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from scenes import CLASSES, scenes
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seglosses_torch import CrossEntropyLoss, DiceLoss

SHARES = (5, 3)
"""How many scenes of each batch each process has."""


def network() -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 8), (8, 16), (16, CLASSES)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, dtype=torch.float64), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def train(net: nn.Module, loss: nn.Module, own: slice, *, steps: int, size: int) -> list[Tensor]:
    """The loss after each step, and the weights at the end."""
    images, labels = scenes(steps * sum(SHARES), size=size)
    labels[::3, : size // 2] = 255  # of every third scene the upper half is not annotated
    optimizer = torch.optim.SGD(net.parameters(), 0.5)
    values = []
    for step in range(steps):
        batch = slice(step * sum(SHARES) + own.start, step * sum(SHARES) + own.stop)
        inputs = torch.from_numpy(images[batch])[:, None].double()
        value = loss(net(inputs), torch.from_numpy(labels[batch]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.detach())
    return [torch.stack(values), *(p.detach() for p in net.parameters())]


def make_loss() -> nn.Module:
    return 0.5 * DiceLoss(aggregate="batch", ignore_index=255) + CrossEntropyLoss(ignore_index=255)


def work(rank: int, folder: str, steps: int, size: int) -> None:
    """One of the processes."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=len(SHARES))
    torch.set_num_threads(1)
    net = DistributedDataParallel(network())
    own = slice(sum(SHARES[:rank]), sum(SHARES[: rank + 1]))
    torch.save(
        train(net, make_loss().across(images="world"), own, steps=steps, size=size), f"{folder}/{rank}"
    )
    dist.destroy_process_group()


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--rank", type=int, help="of one process; all are started without")
    parser.add_argument("--folder", help="where the processes meet")
    options = parser.parse_args()
    if options.rank is not None:
        work(options.rank, options.folder, options.steps, options.size)
        return
    with TemporaryDirectory() as folder:
        given = ["--steps", options.steps, "--size", options.size, "--folder", folder]
        command = [sys.executable, Path(__file__), *map(str, given)]
        children = [subprocess.Popen([*command, "--rank", str(rank)]) for rank in range(len(SHARES))]
        codes = [child.wait(timeout=600) for child in children]
        if any(codes):
            sys.exit("a process failed")
        ends = [torch.load(f"{folder}/{rank}") for rank in range(len(SHARES))]
    alone = train(network(), make_loss(), slice(0, sum(SHARES)), steps=options.steps, size=options.size)
    for name, (values, *_) in {"one process": alone, "two processes": ends[0]}.items():
        print(f"{name:14}: loss {values[0]:.12f} at first, {values[-1]:.12f} after {len(values)} steps")
    print(f"the same on both processes, bit for bit: {torch.equal(ends[0][0], ends[1][0])}")
    apart = max(float((a - b).abs().max()) for a, b in zip(alone[1:], ends[0][1:], strict=True))
    print(f"largest difference of a weight from one process: {apart:.1e}")


if __name__ == "__main__":
    main()
