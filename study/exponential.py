"""Fine-tuning with the pointwise exponential loss, and where it looks: the row of a run with two shares more.

The source says that a trained network deviates most from its labels at edges, that small deviations all over add up to
almost as much, and that the power makes a loss look at the former. So a row tells which share of the network's
deviation, and of the loss's pull at it, lies at edges and which where the deviation is small.
"""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seglosses_torch import TorchLoss
from study import results, training
from study.losses import EXPONENTIAL, FINE_TUNING
from study.protocol import Protocol, Run
from study.training import Scenes, before, from_scratch, load_scenes, predict

MINUTE = 0.1
"""The deviation of a pixel below which it is small: 1 − p of its own class."""


@dataclass(frozen=True)
class Row(results.Row):
    """The shares are of the test scenes, and of the network that fine-tuning starts from."""

    edge_pixels: float
    deviation_at_edges: float
    deviation_minute: float
    pull_at_edges: float
    pull_minute: float


class Looks(NamedTuple):
    """Of each pixel, (N, size, size)."""

    edges: Tensor
    """Whether one of its eight neighbours has another label."""
    deviation: Tensor
    """1 − p of its own class."""
    pull: Tensor
    """Σ |∂L/∂z| over the classes."""


def looks(network: nn.Module, loss: TorchLoss, scenes: Scenes) -> Looks:
    labels = scenes.labels[:, None].float()
    highest, negative_lowest = (
        nn.functional.max_pool2d(x, 3, stride=1, padding=1) for x in (labels, -labels)
    )
    logits = predict(network, scenes.images).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(logits, scenes.labels), logits)
    probabilities = logits.detach().softmax(1).gather(1, scenes.labels[:, None])[:, 0]
    return Looks((highest != -negative_lowest)[:, 0], 1 - probabilities, gradient.abs().sum(1))


def share(of: Tensor, where: Tensor) -> float:
    return (of.double() * where).sum().item() / of.double().sum().item()


def carry_out(run: Run, protocol: Protocol, device: str = "cpu", mnist: Path | None = None) -> Row:
    row = training.carry_out(run, protocol, device, mnist)
    start = from_scratch(before(run) if run.loss in FINE_TUNING else run, protocol, device, mnist)
    loss = EXPONENTIAL[run.loss]().to(device)
    found = looks(start.network, loss, load_scenes(protocol, device, mnist)["test"])
    minute = found.deviation < MINUTE
    return Row(
        **dataclasses.asdict(row),
        edge_pixels=found.edges.double().mean().item(),
        deviation_at_edges=share(found.deviation, found.edges),
        deviation_minute=share(found.deviation, minute),
        pull_at_edges=share(found.pull, found.edges),
        pull_minute=share(found.pull, minute),
    )


# -- maps -------------------------------------------------------------------------------------------------------------

PULLS = {
    "pull, cross-entropy": "cross-entropy",
    "pull, n = 1": "α = 20, n = 1",
    "pull, n = 3": "α = 20, n = 3",
}
"""The names of maps, and whose pull they show."""


def maps(run: Run, protocol: Protocol, count: int) -> list[dict[str, np.ndarray]]:
    """Of the first test scenes: the image, its labels, the deviation of the network that a run ends with, and pulls."""
    network = from_scratch(run, protocol, "cpu", None).network
    scenes = load_scenes(protocol, "cpu", None)["test"]
    of_all: dict[str, Tensor] = {"scene": scenes.images[:, 0], "labels": scenes.labels}
    for name, loss in PULLS.items():
        found = looks(network, EXPONENTIAL[loss](), scenes)
        of_all |= {"deviation": found.deviation, name: found.pull / found.pull.sum()}
    return [{name: of[i].numpy() for name, of in of_all.items()} for i in range(count)]


def write_maps(path: Path, found: list[dict[str, np.ndarray]]) -> None:
    """A line for each row of pixels."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("number", "map", "pixels"))
        for number, of_scene in enumerate(found):
            for name, values in of_scene.items():
                writer.writerows((number, name, " ".join(f"{x:.3g}" for x in row)) for row in values)


def read_maps(path: Path) -> list[dict[str, np.ndarray]]:
    """The maps of a file, none if there is no file."""
    if not path.exists():
        return []
    found: dict[int, dict[str, list[list[float]]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            rows = found.setdefault(int(line["number"]), {}).setdefault(line["map"], [])
            rows.append([float(x) for x in line["pixels"].split()])
    return [{name: np.array(rows) for name, rows in of_scene.items()} for of_scene in found.values()]
