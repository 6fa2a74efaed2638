"""Train a U-Net a few steps with every loss on scenes of digits: python examples/catalogue.py --steps 40

Prints the IoU before and after, and the loss. The exit status is 1 if a loss is not finite, or does not fall.
"""

import inspect
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

import every_loss
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table
from scenes import CLASSES, mean_iou, scenes
from torch import nn
from train_torch import predict, train
from unet_torch import UNet

import seglosses_core
import seglosses_torch
from seglosses_conformance.losses import ENTRIES

# Losses made of others.
COMPOUNDS: dict[str, dict[str, Any]] = {
    "combo_loss": {},
    "UnifiedFocalLoss": {"num_classes": CLASSES, "rare": range(1, CLASSES)},
    "ExponentialLogarithmicLoss": {},
}


class WithInputs(nn.Module):
    """A loss with what it takes beside logits and labels."""

    def __init__(self, name: str, loss: nn.Module) -> None:
        super().__init__()
        self.name, self.loss = name, loss

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.loss(logits, labels, **every_loss.beside(self.name, labels))


def catalogue(size: int) -> Iterator[tuple[str, nn.Module]]:
    """Every loss of logits and labels, with cross-entropy where it does not stand alone, for images of this width."""
    for kind in seglosses_core.LOSSES:
        name = kind.__name__
        if kind is seglosses_core.EnsembleLoss:
            continue
        options = every_loss.needed(name, CLASSES, num_classes=CLASSES)
        parameters = inspect.signature(kind).parameters
        if parameters["activation"].default == "identity":  # for a heat map
            options["activation"] = "softmax"
        if "spacing" in parameters:  # distances in parts of the image
            options["spacing"] = [1 / size, 1 / size]
        loss = getattr(seglosses_torch, name)(**options)
        if not ENTRIES[name].alone:
            yield f"{name} + CrossEntropyLoss", 0.5 * loss + 0.5 * seglosses_torch.CrossEntropyLoss()
        else:
            yield name, WithInputs(name, loss)
    for name, options in COMPOUNDS.items():
        yield name, getattr(seglosses_torch, name)(**options)


def fell(values: list[float]) -> bool:
    """Whether a loss is finite all the time, and less in the end than at first."""
    return bool(np.isfinite(values).all() and at_the_end(values) < values[0])


def at_the_end(values: list[float]) -> float:
    """Each step has another batch: the mean of a few."""
    return float(np.mean(values[-5:]))


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--size", type=int, default=32)
    known = [kind.__name__ for kind in seglosses_core.LOSSES] + [*COMPOUNDS]
    parser.add_argument(
        "--losses", nargs="+", choices=known, default=known, metavar="LOSS", help="only these"
    )
    options = parser.parse_args()

    arrangement = {"size": options.size, "instances": 2, "digit_size": (12, 16)}
    images, labels = scenes(options.scenes, **arrangement)
    unseen, truth = scenes(20, split="test", seed=1, **arrangement)
    chosen = [(name, loss) for name, loss in catalogue(options.size) if name.split()[0] in options.losses]
    table = Table(Column("loss", overflow="fold"), "IoU before", "after", "loss first", "last", "")
    console, failed = Console(), []
    for name, loss in track(chosen, "training", console=console):
        torch.manual_seed(0)
        network = UNet(CLASSES, filters=8)
        before = mean_iou(truth, predict(network, unseen).argmax(1))
        values = list(train(network, loss, images, labels, steps=options.steps, batch_size=8))
        after = mean_iou(truth, predict(network, unseen).argmax(1))
        mark = "" if fell(values) else "[red]✗"
        numbers = f"{before:.3f}", f"{after:.3f}", f"{values[0]:.4g}", f"{at_the_end(values):.4g}"
        table.add_row(name.replace("Loss", ""), *numbers, mark)
        failed += [name] if mark else []
    console.print(table)
    if failed:
        console.print(f"[red]not finite, or not falling: {', '.join(failed)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
