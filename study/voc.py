"""The comparison of the locally adaptive loss on PASCAL VOC 2012, as its source has it.

python -m study.voc --root VOCdevkit/VOC2012 --model torchvision.models.segmentation:deeplabv3_resnet101

`--model` names a function that takes `num_classes=21` and gives a module from images (N, 3, H, W) to logits, or to a
dict that has them as `out` or `logits`; logits of another size are scaled to the image's. What is stopped goes
on from its last checkpoint; a row is written when a loss has been trained and tested, and the table with it.

This has not been run on VOC 2012, only on a small folder of its layout, which the tests write.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from examples.scenes import count_pairs, iou_of_pairs
from study import results
from study.losses import adaptive
from study.other_sources import ON_VOC
from study.statistics import compare, summarize
from study.text import difference_text, p_text, table

CLASSES = 21
IGNORED = 255
LOSSES = adaptive(CLASSES, IGNORED)
ROOT = Path(__file__).parent.parent
MEAN, DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
"""Of ImageNet's colours."""


@dataclass(frozen=True)
class Protocol:
    """The source gives the first group, the other numbers are chosen here."""

    iterations: int = 20_000
    batch_size: int = 2
    crop: int = 321

    train: str = "train"
    test: str = "val"
    rate: float = 2.5e-4
    momentum: float = 0.9
    decay: float = 5e-4
    power: float = 0.9
    """The rate falls as (1 − iteration/iterations)^power."""
    checkpoint: int = 500
    """Iterations between two of them."""

    def __str__(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in dataclasses.asdict(self).items())


class Run(NamedTuple):
    loss: str
    model: str
    seed: int


@dataclass(frozen=True)
class Row:
    loss: str
    model: str
    seed: int
    mean_iou: float
    iou: str
    """Of each class, the background first, over all annotated pixels."""
    seconds: float
    """Of the last start, where the training was stopped."""
    device: str
    versions: str
    date: str
    protocol: str

    @property
    def run(self) -> Run:
        return Run(self.loss, self.model, self.seed)


# -- images -----------------------------------------------------------------------------------------------------------


class Voc:
    """The images of one list in a folder of VOC 2012."""

    def __init__(self, root: Path, which: str) -> None:
        listed = root / "ImageSets" / "Segmentation" / f"{which}.txt"
        if not listed.is_file():
            raise FileNotFoundError(
                f"{listed} is not there; root must be the folder VOC2012, with ImageSets in it"
            )
        self.root = root
        self.names = listed.read_text(encoding="utf-8").split()
        if not self.names:
            raise ValueError(f"{listed} names no image")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The colours (3, H, W), standardised, and the labels (H, W), 255 where a pixel is not annotated."""
        name = self.names[index]
        with Image.open(self.root / "JPEGImages" / f"{name}.jpg") as file:
            image = np.asarray(file.convert("RGB"), np.float32) / 255
        path = self.root / "SegmentationClass" / f"{name}.png"
        with Image.open(path) as file:
            if file.mode not in ("P", "L"):
                raise ValueError(f"{path} has pixels of mode {file.mode}; VOC's labels are indices, mode P")
            labels = np.asarray(file).astype(np.int64)
        if labels.shape != image.shape[:2]:
            raise ValueError(f"{path} has the shape {labels.shape}, its image {image.shape[:2]}")
        if ((labels >= CLASSES) & (labels != IGNORED)).any():
            raise ValueError(f"{path} has labels other than 0 to {CLASSES - 1} and {IGNORED}")
        return ((image - MEAN) / DEVIATION).transpose(2, 0, 1), labels


def enlarged(image: np.ndarray, labels: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """At least that large: what is added on the right and below has the mean colour and no label."""
    added = [(0, max(0, height - labels.shape[0])), (0, max(0, width - labels.shape[1]))]
    return np.pad(image, [(0, 0), *added]), np.pad(labels, added, constant_values=IGNORED)


def batch(data: Voc, protocol: Protocol, seed: int, iteration: int) -> tuple[Tensor, Tensor]:
    """Crops of some images, half of them mirrored: the same ones whenever the iteration is the same."""
    random = np.random.default_rng([seed, iteration])
    images, labels = [], []
    for chosen in random.choice(len(data), protocol.batch_size):
        image, label = enlarged(*data[chosen], protocol.crop, protocol.crop)
        top, left = random.integers(0, np.array(label.shape) - protocol.crop, endpoint=True)
        place = (..., slice(top, top + protocol.crop), slice(left, left + protocol.crop))
        step = random.choice([-1, 1])
        images.append(image[place][..., ::step])
        labels.append(label[place][..., ::step])
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))


# -- a run ------------------------------------------------------------------------------------------------------------


def model_named(name: str) -> Callable[..., nn.Module]:
    module, _, function = name.partition(":")
    if not function:
        raise ValueError(f"model must be named as module:function, got {name!r}")
    return getattr(importlib.import_module(module), function)


def logits_of(network: nn.Module, images: Tensor) -> Tensor:
    """As large as the images."""
    given: Any = network(images)
    if not isinstance(given, Tensor):
        given = given["out"] if isinstance(given, dict) and "out" in given else given["logits"]
    if given.shape[-2:] == images.shape[-2:]:
        return given
    return nn.functional.interpolate(given, images.shape[-2:], mode="bilinear", align_corners=False)


def train(run: Run, data: Voc, protocol: Protocol, device: str, checkpoint: Path) -> nn.Module:
    """A network trained from its beginning, or from the checkpoint if that is of the same run."""
    torch.manual_seed(run.seed)
    trained = nn.ModuleList([model_named(run.model)(num_classes=CLASSES), LOSSES[run.loss]()]).to(device)
    network, loss = trained
    optimizer = torch.optim.SGD(
        trained.parameters(), protocol.rate, momentum=protocol.momentum, weight_decay=protocol.decay
    )
    about, first = [*map(str, run), str(protocol)], 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device, weights_only=True)
        if kept["about"] == about:
            first = kept["iterations"]
            trained.load_state_dict(kept["trained"])
            optimizer.load_state_dict(kept["optimizer"])
    trained.train()
    for iteration in range(first, protocol.iterations):
        torch.manual_seed(run.seed * protocol.iterations + iteration)  # dropout, the same after a stop
        for group in optimizer.param_groups:
            group["lr"] = protocol.rate * (1 - iteration / protocol.iterations) ** protocol.power
        images, labels = (x.to(device) for x in batch(data, protocol, run.seed, iteration))
        optimizer.zero_grad()
        loss(logits_of(network, images), labels).backward()
        optimizer.step()
        if (iteration + 1) % protocol.checkpoint == 0:
            save(checkpoint, about=about, iterations=iteration + 1, trained=trained, optimizer=optimizer)
            print(f"{run.loss}, seed {run.seed}: {iteration + 1} of {protocol.iterations}", flush=True)
    return network


def save(path: Path, *, about: list[str], iterations: int, trained: nn.Module, optimizer: Any) -> None:
    """Whatever stops it, the file that was there stays whole."""
    unfinished = path.with_suffix(".unfinished")
    torch.save(
        {
            "about": about,
            "iterations": iterations,
            "trained": trained.state_dict(),
            "optimizer": optimizer.state_dict(),
        },
        unfinished,
    )
    os.replace(unfinished, path)


@torch.no_grad()
def test(network: nn.Module, data: Voc, device: str) -> np.ndarray:
    """The IoU of each class over the annotated pixels, whole image by whole image."""
    network.eval()
    pairs = np.zeros((CLASSES, CLASSES), np.int64)
    for index in range(len(data)):
        image, labels = data[index]
        height, width = (
            -(-side // 32) * 32 for side in labels.shape
        )  # what networks that halve sizes can take
        image, labels = enlarged(image, labels, height, width)
        predicted = logits_of(network, torch.from_numpy(image)[None].to(device))[0].argmax(0).cpu().numpy()
        annotated = labels != IGNORED
        pairs += count_pairs(labels[annotated], predicted[annotated], CLASSES)
    return iou_of_pairs(pairs)


def carry_out(run: Run, root: Path, protocol: Protocol, device: str, checkpoint: Path) -> Row:
    start = time.perf_counter()
    network = train(run, Voc(root, protocol.train), protocol, device, checkpoint)
    iou = test(network, Voc(root, protocol.test), device)
    return Row(
        *run,
        mean_iou=float(np.nanmean(iou)),
        iou=" ".join(f"{value:.4g}" for value in iou),
        seconds=time.perf_counter() - start,
        device=torch.cuda.get_device_name() if device == "cuda" else device,
        versions=results.versions(),
        date=time.strftime("%Y-%m-%d"),
        protocol=str(protocol),
    )


# -- the table --------------------------------------------------------------------------------------------------------


def page(rows: Sequence[Row]) -> str:
    """Each loss beside the source's number, and its difference from cross-entropy over the seeds of both."""
    parts = ["# The locally adaptive loss on PASCAL VOC 2012"]
    for model in dict.fromkeys(row.model for row in rows):
        by_loss = {
            loss: {row.seed: row.mean_iou for row in rows if (row.loss, row.model) == (loss, model)}
            for loss in LOSSES
        }
        lines = []
        for loss, values in by_loss.items():
            found = summarize([*values.values()])
            against = None if loss == "cross-entropy" else compare(values, by_loss["cross-entropy"])
            lines.append((
                loss,
                f"{ON_VOC[loss]}" if loss in ON_VOC else "",
                "missing" if found is None else f"{found.mean:.4f}",
                str(len(values)),
                "" if against is None else difference_text(against),
                p_text(against),
            ))  # fmt: skip
        header = ("loss", "source", "mean IoU", "seeds", "− cross-entropy", "p")
        parts += [f"## `{model}`", table(header, lines)]
    parts.append("; ".join(dict.fromkeys(row.protocol for row in rows)))
    return "\n\n".join(parts) + "\n"


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m study.voc", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="the folder VOC2012")
    parser.add_argument("--model", required=True, metavar="MODULE:FUNCTION")
    parser.add_argument(
        "--loss", nargs="+", choices=LOSSES, default=list(LOSSES), metavar="LOSS", help="; ".join(LOSSES)
    )
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    parser.add_argument(
        "--train", default=Protocol.train, help="a list in ImageSets/Segmentation, such as trainaug"
    )
    parser.add_argument("--iterations", type=int, default=Protocol.iterations)
    parser.add_argument("--crop", type=int, default=Protocol.crop)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "voc", metavar="DIR")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    protocol = Protocol(iterations=options.iterations, crop=options.crop, train=options.train)
    checkpoint = options.output / "checkpoint.pt"
    runs = [Run(loss, options.model, seed) for seed in options.seed for loss in options.loss]
    with results.appending(options.output / "results.csv", protocol, Row) as (rows, append):
        there = [row.run for row in rows]
        for run in runs:
            if run in there:
                continue
            row = carry_out(run, options.root, protocol, options.device, checkpoint)
            append(row)
            rows.append(row)
            checkpoint.unlink(missing_ok=True)
            (options.output / "voc.md").write_text(page(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
