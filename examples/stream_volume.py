"""The loss and gradient of a volume that one pass could not hold: python examples/stream_volume.py --depth 96

The volume goes through the network in slabs, twice: first for the sums that the loss is a function of, then for each
slab's share of the gradient, which is that of the whole volume. The memory that the process may have is bounded first,
so that all at once fails. (Linux: the bound is that of `resource.setrlimit`.)
"""

import resource
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from seglosses_torch import CrossEntropyLoss, DiceLoss

HALO = 3
"""How many planes to either side the network looks at."""


def volume(depth: int, side: int) -> tuple[Tensor, Tensor]:
    """A torso of three nested ellipsoids: intensities, (1, 1, D, H, W), and labels."""
    axes = [torch.linspace(-1, 1, length) for length in (depth, side, side)]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    labels = torch.zeros(depth, side, side, dtype=torch.int64)
    for label, (radius, shift) in enumerate([(0.9, 0.0), (0.5, 0.2), (0.25, -0.3)], 1):
        labels[(x - shift) ** 2 / 0.8 + y**2 + z**2 / 1.1 < radius**2] = label
    noise = torch.randn(labels.shape, generator=torch.Generator().manual_seed(0))
    return (labels + noise)[None, None] / 3, labels[None]


def network() -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 8), (8, 8), (8, 4)):
        layers += [nn.Conv3d(inputs, outputs, 3, padding=1), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def slabs(image: Tensor, labels: Tensor, planes: int) -> Iterator[tuple[Tensor, slice, Tensor]]:
    """Pieces with the planes around them, which of their planes count, and the labels of those."""
    depth = image.shape[2]
    for start in range(0, depth, planes):
        stop = min(start + planes, depth)
        first, last = max(0, start - HALO), min(depth, stop + HALO)
        yield image[:, :, first:last], slice(start - first, stop - first), labels[:, start:stop]


def in_slabs(net: nn.Module, loss: nn.Module, image: Tensor, labels: Tensor, planes: int) -> float:
    """The value; the gradient is added to the weights'."""
    with torch.no_grad():
        totals = sum(
            loss.statistics(net(x)[:, :, kept], y, parts_of="images")
            for x, kept, y in slabs(image, labels, planes)
        )
    for x, kept, y in slabs(image, labels, planes):
        value = loss(net(x)[:, :, kept], y, totals=totals)
        value.backward()
    return value.item()


def gradient(net: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in net.parameters()])


def held(what: str) -> float:
    """Of /proc/self/status, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depth", type=int, default=96)
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--planes", type=int, default=8, help="in a slab")
    parser.add_argument("--budget", type=int, default=600, help="MiB beyond the volume; 0 for no bound")
    options = parser.parse_args()

    image, labels = volume(options.depth, options.side)
    loss = DiceLoss() + CrossEntropyLoss()
    # What a first pass allocates for good is no part of the comparison.
    in_slabs(network(), loss, image[:, :, :8], labels[:, :8], 4)
    before = held("VmRSS")
    if options.budget:
        bound = int((held("VmData") + options.budget) * 2**20)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    net = network()
    value = in_slabs(net, loss, image, labels, options.planes)
    print(
        f"in slabs of {options.planes} planes: loss {value:.6f}, {held('VmHWM') - before:.0f} MiB beyond the volume"
    )
    whole = network()
    try:
        value = loss(whole(image), labels)
        value.backward()
    except RuntimeError as error:
        print(f"all at once: {str(error).splitlines()[0][:100]}")
        return
    apart = (gradient(net) - gradient(whole)).norm() / gradient(whole).norm()
    print(f"all at once: loss {value.item():.6f}, {held('VmHWM') - before:.0f} MiB beyond the volume")
    print(f"relative difference of the gradients: {apart:.1e}")


if __name__ == "__main__":
    main()
