"""Key points: a U-Net that learns where the digits' centres are and which digit each is, with one loss.

There is a map for each digit. Losses that know nothing of distances see 1 at the centres and 0 elsewhere, the others
Gaussians around the centres.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

import seglosses_torch as sl
from examples.scenes import SPLITS, Box
from examples.unet_torch import UNet
from study import results
from study.protocol import Common, Run
from study.training import make_scenes, predict, shift

DIGITS = 10

LOSSES: dict[str, Callable[[], sl.TorchLoss]] = {
    "cross-entropy": lambda: sl.CrossEntropyLoss(activation="sigmoid"),
    "focal": lambda: sl.FocalLoss(activation="sigmoid"),
    "mean squared error": sl.MeanSquaredErrorLoss,
    "distance-aware": sl.DistanceAwareCrossEntropyLoss,
}
OF_HEAT_MAPS = ("mean squared error", "distance-aware")


@dataclass(frozen=True)
class Protocol(Common):
    """All runs have the same number of epochs: it is compared how far a loss is by then, and when it got how near."""

    train: int = 400
    validation: int = 100
    epochs: int = 30
    rate: float = 5e-3
    batch_size: int = 8
    shift: int = 3
    wanted_error: float = 2.0
    """In pixels. Digits are 8 to 12 wide."""


@dataclass(frozen=True)
class Row:
    loss: str
    filters: int
    kernel: int
    seed: int
    error: float
    """The mean distance in pixels from a centre to the peak it is given, on the test scenes after the last epoch."""
    accuracy: float
    """The share of those peaks that are highest in the map of the centre's digit."""
    epochs_to_error: int | None
    """The first epoch after which the error on the validation scenes was at most the wanted one, None if none was."""
    errors: str
    """On the validation scenes, by epoch."""
    weights: int
    seconds: float
    """Of processor time."""
    device: str
    versions: str
    date: str
    protocol: str

    @property
    def run(self) -> Run:
        return Run(self.loss, self.filters, self.kernel, self.seed)


class Points(NamedTuple):
    images: Tensor
    """(N, 1, size, size)"""
    heat_maps: Tensor
    """(N, digits, size, size), 1 at the centres alone"""
    boxes: list[list[Box]]


@cache
def load_points(protocol: Protocol, device: str, mnist: Path | None) -> dict[str, Points]:
    found = {}
    for split in SPLITS:
        images, _, boxes = make_scenes(protocol, split, mnist)
        maps = heat_maps(boxes, protocol.size)
        found[split] = Points(torch.from_numpy(images)[:, None].to(device), maps.to(device), boxes)
    return found


def heat_maps(boxes: list[list[Box]], size: int) -> Tensor:
    """Gaussians as wide as CornerNet makes them for boxes of the digits' sizes."""
    places = np.zeros((len(boxes), max(map(len, boxes)), 4), dtype=np.int64)
    for scene, some in enumerate(boxes):
        places[scene, : len(some)] = [(*box.center, box.digit, box.side) for box in some]
    rows_and_columns, digits, sides = torch.from_numpy(places).split([2, 1, 1], -1)
    digits, sides = digits[..., 0], sides[..., 0]
    radius = sl.cornernet_radius(sides, sides)
    return sl.gaussian_heatmap(
        rows_and_columns, digits, (size, size), num_classes=DIGITS, radius=radius, valid=sides > 0
    )


def peaks(maps: Tensor, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` highest peaks of (digits, size, size), their places (count, 2) and in the map of which digit each is.

    A peak is no lower than its eight neighbours in any map. Where there are too few, the first pixels stand in.
    """
    highest, digits = maps.max(0)
    is_peak = nn.functional.max_pool2d(highest[None], 3, stride=1, padding=1)[0] == highest
    chosen = highest.where(is_peak, -torch.inf).flatten().topk(count).indices
    rows, columns = chosen // maps.shape[-1], chosen % maps.shape[-1]
    return torch.stack([rows, columns], 1).cpu().numpy(), digits.flatten()[chosen].cpu().numpy()


def located(maps: Tensor, boxes: list[list[Box]]) -> tuple[float, float]:
    """The mean distance from a centre to its peak, and how many of those peaks have the centre's digit.

    A scene has as many peaks as centres, in pairs whose distances have the least sum.
    """
    distances, right = [], []
    for some, found in zip(maps, boxes, strict=True):
        places, digits = peaks(some, len(found))
        apart = np.linalg.norm(np.array([box.center for box in found])[:, None] - places[None], axis=-1)
        centers, theirs = linear_sum_assignment(apart)
        distances += apart[centers, theirs].tolist()
        right += (np.array([box.digit for box in found])[centers] == digits[theirs]).tolist()
    return float(np.mean(distances)), float(np.mean(right))


def carry_out(run: Run, protocol: Protocol, device: str = "cpu", mnist: Path | None = None) -> Row:
    """Train and test. A run of the same seed has the same initial weights, batches and shifts, whatever the loss."""
    start = time.process_time()
    data = load_points(protocol, device, mnist)
    torch.manual_seed(run.seed)
    network = UNet(DIGITS, filters=run.filters, kernel=run.kernel).to(device)
    loss = LOSSES[run.loss]().to(device)
    target = data["train"].heat_maps
    if run.loss not in OF_HEAT_MAPS:
        target = (target == 1).float()
    optimizer = torch.optim.Adam(network.parameters(), protocol.rate, fused=True)
    random = torch.Generator().manual_seed(run.seed)
    errors = []
    for _ in range(protocol.epochs):
        network.train()
        for chosen in torch.randperm(len(target), generator=random).to(device).split(protocol.batch_size):
            images, maps = shift([data["train"].images[chosen], target[chosen]], protocol.shift, random)
            optimizer.zero_grad()
            loss(network(images), maps).backward()
            optimizer.step()
        error, _ = located(predict(network, data["validation"].images), data["validation"].boxes)
        errors.append(error)
    error, accuracy = located(predict(network, data["test"].images), data["test"].boxes)
    near = [epoch for epoch, value in enumerate(errors, 1) if value <= protocol.wanted_error]
    return Row(
        *run,
        error=error,
        accuracy=accuracy,
        epochs_to_error=near[0] if near else None,
        errors=" ".join(f"{value:.3g}" for value in errors),
        weights=sum(weight.numel() for weight in network.parameters()),
        seconds=time.process_time() - start,
        device=torch.cuda.get_device_name() if device == "cuda" else device,
        versions=results.versions(),
        date=time.strftime("%Y-%m-%d"),
        protocol=str(protocol),
    )
