"""What a loss across processes costs beside the loss of one process alone: python -m benchmarks.distributed

Two gloo processes on this machine; for each loss the messages of a call and their bytes, and the time of value and
gradient, alone and across, in turn. Beside it the traffic of nnU-Net's batch Dice, five gathers of tables of images and
classes, of which the bytes are counted and the collectives timed; none of its code is run. Last, the memory of a volume
in slabs beside one pass.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.distributed as dist

from seglosses_torch import CrossEntropyLoss, DiceLoss, Minkowski, TopK

SHAPE = (2, 14, 64, 64, 64)
EXAMPLE = Path(__file__).parents[1] / "examples" / "stream_volume.py"


def losses() -> dict[str, Any]:
    return {
        "Dice": DiceLoss(),
        "batch Dice": DiceLoss(aggregate="batch"),
        "cross-entropy": CrossEntropyLoss(),
        "batch Dice + cross-entropy": DiceLoss(aggregate="batch") + CrossEntropyLoss(),
        "cross-entropy, Minkowski": CrossEntropyLoss(reduction=Minkowski()),
        "cross-entropy, TopK": CrossEntropyLoss(reduction=TopK()),
    }


class Counted:
    """`dist.all_reduce`, its calls and bytes."""

    def __init__(self) -> None:
        self.kept, self.calls, self.bytes = dist.all_reduce, 0, 0

    def __call__(self, tensor: torch.Tensor, **given: Any) -> Any:
        self.calls += 1
        self.bytes += tensor.numel() * tensor.element_size()
        return self.kept(tensor, **given)


def gathers(images: int, classes: int) -> tuple[int, int]:
    """The collectives of a batch Dice that gathers three tables, forward, and adds two of their gradients up, backward;
    and their bytes."""
    world, table = dist.get_world_size(), torch.zeros(images, classes)
    for _ in range(3):
        dist.all_gather([torch.empty_like(table) for _ in range(world)], table)
    for _ in range(2):
        dist.all_reduce(torch.zeros(world, images, classes))
    return 5, 5 * world * images * classes * 4


def work(rank: int, folder: str, rounds: int) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    torch.set_num_threads(1)
    logits = torch.randn(SHAPE, requires_grad=True)
    labels = torch.randint(SHAPE[1], (SHAPE[0], *SHAPE[2:]))
    found = {}

    def timed(call: Any) -> float:
        dist.barrier()
        before = time.perf_counter()
        call()
        return time.perf_counter() - before

    def step(loss: Any) -> None:
        torch.autograd.grad(loss(logits, labels), logits)

    for name, loss in losses().items():
        across = loss.across(images="world")
        counted = Counted()
        dist.all_reduce = counted  # type: ignore[assignment]
        step(across)
        dist.all_reduce = counted.kept
        pairs = [(timed(partial(step, loss)), timed(partial(step, across))) for _ in range(rounds)]
        found[name] = [counted.calls, counted.bytes, *map(median, zip(*pairs, strict=True))]
    calls, size = gathers(*SHAPE[:2])
    found["five gathers"] = [calls, size, 0.0, median(timed(lambda: gathers(*SHAPE[:2])) for _ in range(50))]
    vector = torch.zeros(512, dtype=torch.float64)
    found["one message"] = [1, 4096, 0.0, median(timed(lambda: dist.all_reduce(vector)) for _ in range(50))]
    if rank == 0:
        Path(folder, "found.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rank", type=int, help="of one process; all are started without")
    parser.add_argument("--folder", help="where the processes meet")
    options = parser.parse_args()
    if options.rank is not None:
        work(options.rank, options.folder, options.rounds)
        return
    with TemporaryDirectory() as folder:
        given = ["--rounds", str(options.rounds), "--folder", folder]
        command = [sys.executable, "-m", "benchmarks.distributed", *given, "--rank"]
        environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
        children = [subprocess.Popen([*command, str(rank)], env=environment) for rank in range(2)]
        codes = [child.wait() for child in children]
        if any(codes):
            sys.exit("a process failed")
        found = json.loads(Path(folder, "found.json").read_text())
    print(f"{' × '.join(map(str, SHAPE))} float32 on each of two processes, one thread each")
    print(f"{'':28}{'messages':>10}{'bytes':>10}{'alone':>12}{'across':>12}{'ratio':>8}")
    for name, (calls, size, alone, across) in found.items():
        times = f"{1e3 * alone:9.1f} ms" if alone else ""
        ratio = f"{across / alone:.2f}" if alone else ""
        print(f"{name:28}{calls:10}{size:10}{times:>12}{1e3 * across:9.2f} ms{ratio:>8}")
    done = subprocess.run(
        [sys.executable, EXAMPLE, "--budget", "0"], capture_output=True, text=True, check=True
    ).stdout
    slabs, whole = (int(number) for number in re.findall(r"(\d+) MiB", done))
    print(f"a volume of 96 × 160 × 160 through three convolutions: {slabs} MiB in slabs, {whole} MiB at once")


if __name__ == "__main__":
    main()
