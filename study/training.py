"""One run: a U-Net trained on scenes with one loss, and its intersection over union on scenes of unseen digits."""

from __future__ import annotations

import copy
import math
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from examples.scenes import CLASSES, SPLITS, class_iou, scenes
from examples.unet_torch import UNet
from study import results
from study.losses import FINE_TUNING, LOSSES
from study.protocol import Protocol, Run


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


def make_scenes(protocol: Protocol, split: str, mnist: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a split, `(N, size, size)` each."""
    if (protocol.digits == "MNIST") != (mnist is not None):
        raise ValueError(f"the protocol is of digits from {protocol.digits}; the folder of MNIST is {mnist}")
    return scenes(
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
        images, labels = make_scenes(protocol, split, mnist)
        found[split] = Scenes(
            torch.from_numpy(images)[:, None].to(device), torch.from_numpy(labels).to(device)
        )
    return found


def shift(batch: Scenes, most: int, random: torch.Generator) -> Scenes:
    """Each scene by up to `most` pixels along both axes; what leaves on one side comes in on the other."""
    count, size = batch.labels.shape[:2]
    by = torch.randint(-most, most + 1, (2, count, 1), generator=random).to(batch.labels.device)
    rows, columns = (torch.arange(size, device=by.device) - by) % size
    at = torch.arange(count, device=by.device)[:, None, None], rows[:, :, None], columns[:, None, :]
    return Scenes(batch.images[:, 0][at][:, None], batch.labels[at])


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
        network.train()
        order = torch.randperm(len(data["train"].labels), generator=random)
        for chosen in order.to(data["train"].labels.device).split(protocol.batch_size):
            batch = Scenes(*(x[chosen] for x in data["train"]))
            batch = shift(batch, protocol.shift, random)
            optimizer.zero_grad()
            loss(network(batch.images), batch.labels).backward()
            optimizer.step()
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


def carry_out(run: Run, protocol: Protocol, device: str = "cpu", mnist: Path | None = None) -> results.Row:
    """Train and test. A run of the same seed has the same initial weights, batches and shifts, whatever the loss."""
    start = time.process_time()
    data = load_scenes(protocol, device, mnist)
    torch.manual_seed(run.seed)
    network = UNet(CLASSES, filters=run.filters, kernel=run.kernel).to(device)
    pretraining, rate = None, protocol.rate
    if run.loss in FINE_TUNING:
        first = LOSSES[FINE_TUNING[run.loss]]().to(device)
        pretraining = fit(network, first, data, protocol, rate, run.seed)
        rate = protocol.fine_tuning_rate
    loss = LOSSES[run.loss]().to(device)
    done = fit(network, loss, data, protocol, rate, run.seed)
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
        seconds=time.process_time() - start,
        device=torch.cuda.get_device_name() if device == "cuda" else device,
        versions=results.versions(),
        date=time.strftime("%Y-%m-%d"),
        protocol=str(protocol),
    )
