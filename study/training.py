"""One run: a U-Net trained on scenes with one loss, and its intersection over union on scenes of unseen digits."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from examples.scenes import CLASSES, SPLITS, Box, class_iou, scenes_and_boxes
from examples.unet_torch import UNet
from seglosses_torch import TorchLoss
from study import results
from study.losses import ALL, FINE_TUNING
from study.protocol import Common, Protocol, Run


class Scenes(NamedTuple):
    images: Tensor
    """(N, 1, size, size)"""
    labels: Tensor
    """(N, size, size)"""


class Fit(NamedTuple):
    """How a training went."""

    epochs: int
    best_epoch: int
    """From 1; 0 if no epoch had a finite validation loss."""
    validation_loss: float
    """Of the best epoch."""


def make_scenes(
    protocol: Common, split: str, mnist: Path | None
) -> tuple[np.ndarray, np.ndarray, list[list[Box]]]:
    """Images and labels of a split, `(N, size, size)` each, and where the digits are."""
    if (protocol.digits == "MNIST") != (mnist is not None):
        raise ValueError(f"the protocol is of digits from {protocol.digits}; the folder of MNIST is {mnist}")
    return scenes_and_boxes(
        getattr(protocol, split),
        split=split,
        size=protocol.size,
        instances=protocol.instances,
        digit_size=(protocol.least_digit, protocol.greatest_digit),
        overlap=protocol.overlap,
        imbalance=protocol.imbalance,
        noise=protocol.noise,
        seed=protocol.scenes_seed,
        mnist=mnist,
    )


@cache
def load_scenes(protocol: Protocol, device: str, mnist: Path | None) -> dict[str, Scenes]:
    """The scenes of each split; the same for all runs."""
    found = {}
    for split in SPLITS:
        images, labels, _ = make_scenes(protocol, split, mnist)
        found[split] = Scenes(
            torch.from_numpy(images)[:, None].to(device), torch.from_numpy(labels).to(device)
        )
    return found


def shift(maps: Sequence[Tensor], most: int, random: torch.Generator) -> list[Tensor]:
    """Maps (N, channels, size, size) of the same scenes, each scene by up to `most` pixels along both axes; what leaves
    on one side comes in on the other."""
    count, _, size, _ = maps[0].shape
    by = torch.randint(-most, most + 1, (2, count, 1), generator=random).to(maps[0].device)
    rows, columns = (torch.arange(size, device=by.device) - by) % size
    scene = torch.arange(count, device=by.device)[:, None, None, None]
    at = rows[:, None, :, None], columns[:, None, None, :]
    return [x[scene, torch.arange(x.shape[1], device=by.device)[:, None, None], *at] for x in maps]


def fit(
    network: nn.Module, loss: nn.Module, data: dict[str, Scenes], protocol: Protocol, rate: float, seed: int
) -> Fit:
    """Train until the validation loss has not fallen for `patience` epochs, and go back to the best epoch's weights.

    The validation loss is that of all validation scenes as one batch. After `plateau` flat epochs the rate is reduced.
    What the loss learns is trained, and goes back, like the network's weights.
    """
    trained = nn.ModuleList([network, loss])
    optimizer = torch.optim.Adam(trained.parameters(), rate, fused=True)
    # `patience` is how many flat epochs pass unpunished.
    schedule = ReduceLROnPlateau(
        optimizer, factor=protocol.plateau_factor, patience=protocol.plateau - 1, threshold=0.0
    )
    random = torch.Generator().manual_seed(seed)
    best, best_epoch, best_state = math.inf, 0, copy.deepcopy(trained.state_dict())
    for epoch in range(1, protocol.epochs + 1):
        trained.train()
        order = torch.randperm(len(data["train"].labels), generator=random)
        for chosen in order.to(data["train"].labels.device).split(protocol.batch_size):
            images, labels = data["train"].images[chosen], data["train"].labels[chosen]
            images, labels = shift([images, labels[:, None]], protocol.shift, random)
            optimizer.zero_grad()
            loss(network(images), labels[:, 0]).backward()
            optimizer.step()
        trained.eval()  # a loss that keeps centres moves them in training alone
        with torch.no_grad():
            value = loss(predict(network, data["validation"].images), data["validation"].labels).item()
        schedule.step(value)
        if value < best:
            best, best_epoch, best_state = value, epoch, copy.deepcopy(trained.state_dict())
        elif epoch - best_epoch >= protocol.patience:
            break
    trained.load_state_dict(best_state)
    return Fit(epoch, best_epoch, best)


@torch.no_grad()
def predict(network: nn.Module, images: Tensor) -> Tensor:
    """The logits, (N, classes, size, size)."""
    network.eval()
    return torch.cat([network(some) for some in images.split(50)])


class Trained(NamedTuple):
    network: nn.Module
    loss: TorchLoss
    fit: Fit
    seconds: float


@lru_cache(maxsize=1)
def from_scratch(run: Run, protocol: Protocol, device: str, mnist: Path | None) -> Trained:
    """What a run of the same seed has in common with others, whatever the loss: initial weights, batches and shifts.

    The last one is kept, for the runs that go on from it; they copy it.
    """
    start = time.process_time()
    data = load_scenes(protocol, device, mnist)
    torch.manual_seed(run.seed)
    network = UNet(CLASSES, filters=run.filters, kernel=run.kernel).to(device)
    loss = ALL[run.loss]().to(device)
    done = fit(network, loss, data, protocol, protocol.rate, run.seed)
    return Trained(network, loss, done, time.process_time() - start)


def before(run: Run) -> Run:
    """The run from whose end this one goes on."""
    return run._replace(loss=FINE_TUNING[run.loss])


def carry_out(run: Run, protocol: Protocol, device: str = "cpu", mnist: Path | None = None) -> results.Row:
    """Train and test. A run of the same seed has the same initial weights, batches and shifts, whatever the loss."""
    data = load_scenes(protocol, device, mnist)
    pretraining = None
    if run.loss not in FINE_TUNING:
        network, loss, done, seconds = from_scratch(run, protocol, device, mnist)
        start = time.process_time()
    else:
        first = from_scratch(before(run), protocol, device, mnist)
        pretraining, seconds = first.fit, first.seconds
        start = time.process_time()
        network, loss = copy.deepcopy(first.network), ALL[run.loss]().to(device)
        done = fit(network, loss, data, protocol, protocol.fine_tuning_rate, run.seed)
    labels = data["test"].labels.cpu().numpy()
    predicted = predict(network, data["test"].images).argmax(1).cpu().numpy()
    by_class = class_iou(labels, predicted).tolist()
    by_scene = np.array([class_iou(*pair) for pair in zip(labels, predicted, strict=True)])
    with torch.no_grad():
        power = getattr(loss.bound(), "p", None)
    return results.Row(
        *run,
        **dict(zip(results.IOU, by_class, strict=True)),
        iou_by_scene=float(np.nan_to_num(by_scene, nan=1.0).mean()),
        epochs=done.epochs,
        best_epoch=done.best_epoch,
        validation_loss=done.validation_loss,
        pretraining_epochs=pretraining.epochs if pretraining else None,
        p=None if power is None else float(power),
        weights=sum(weight.numel() for weight in network.parameters()),
        seconds=seconds + time.process_time() - start,
        device=torch.cuda.get_device_name() if device == "cuda" else device,
        versions=results.versions(),
        date=time.strftime("%Y-%m-%d"),
        protocol=str(protocol),
    )
