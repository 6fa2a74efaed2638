"""From digits to a trained network to every loss in every framework: make demo

predictions.png, conformance.html and the files that are compared go to demo-output/. The exit status is not 0 if the
network does not learn, if the frameworks differ or if the conformance suite fails.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import every_loss
import matplotlib
import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from scenes import CLASSES, mean_iou, scenes
from train_torch import predict, train
from unet_torch import UNet

from seglosses_torch import PowerJaccardLoss

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "demo-output"
STEPS = 250
RISE = 0.3  # of the mean IoU, that counts as having learnt
TOLERANCE = 100 * np.finfo(np.float32).eps  # relative: that of the conformance suite
FRAMEWORKS = {
    "numpy": {},
    "torch": {},
    "jax": {},
    "keras on tensorflow": {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
    "keras on jax": {"KERAS_BACKEND": "jax"},
    "keras on torch": {"KERAS_BACKEND": "torch"},
}

console = Console()


def progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console)


def learn() -> tuple[bool, np.ndarray, np.ndarray]:
    """Whether the mean IoU rose clearly, and logits and labels of scenes with digits that were not trained on."""
    images, labels = scenes(400)
    unseen, truth = scenes(60, split="test", seed=1)
    torch.manual_seed(0)
    network = UNet(CLASSES)
    # Most digits are absent from most scenes, so their overlap is counted over the batch.
    loss = PowerJaccardLoss(p=2.0, aggregate="batch")
    untrained = predict(network, unseen)
    with progress() as bar:
        task = bar.add_task("", total=STEPS)
        for value in train(network, loss, images, labels, steps=STEPS):
            bar.update(task, advance=1, description=f"U-Net, power Jaccard loss {value:.3f}")
    logits = predict(network, unseen)
    before, after = mean_iou(truth, untrained.argmax(1)), mean_iou(truth, logits.argmax(1))
    console.print(f"mean IoU on unseen digits: {before:.3f} before, {after:.3f} after")
    draw(unseen[:6], truth[:6], logits[:6].argmax(1), OUTPUT / "predictions.png")
    return after > before + RISE, logits, truth


def draw(images: np.ndarray, labels: np.ndarray, predicted: np.ndarray, path: Path) -> None:
    matplotlib.use("agg")  # a picture needs no screen
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, len(images), figsize=(1.6 * len(images), 5), layout="constrained")
    colours = {"cmap": "tab20", "vmin": 0, "vmax": 19, "interpolation": "nearest"}
    rows = (
        ("input", images, {"cmap": "gray"}),
        ("target", labels, colours),
        ("prediction", predicted, colours),
    )
    for row, (title, pictures, style) in zip(axes, rows, strict=True):
        row[0].set_ylabel(title)
        for axis, picture in zip(row, pictures, strict=True):
            axis.imshow(picture, **style)
            axis.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=120)
    console.print(f"picture: {path}")


def compare(logits: np.ndarray, labels: np.ndarray) -> bool:
    """Every loss in every framework against NumPy in float64: two tables, and whether all agree."""
    inputs = OUTPUT / "logits.npz"
    np.savez(inputs, logits=logits, labels=labels)
    expected = {
        name: (value, gradient)
        for name, value, gradient in every_loss.in_numpy(logits.astype(np.float64), labels)
    }
    differences = np.empty((len(expected), len(FRAMEWORKS), 2))  # of the value and of the gradient
    with progress() as bar:
        task = bar.add_task("every loss in every framework", total=len(FRAMEWORKS))
        for column, (framework, environment) in enumerate(FRAMEWORKS.items()):
            outputs = OUTPUT / f"{framework.replace(' ', '-')}.npz"
            # Keras has one backend in a process.
            command = [sys.executable, HERE / "every_loss.py", framework.split()[0], inputs, outputs]
            done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{framework} failed:\n{done.stderr}")
            found = np.load(outputs)
            for row, (name, (value, gradient)) in enumerate(expected.items()):
                of_value = abs(found[f"{name} value"] - value) / abs(value)
                of_gradient = abs(found[f"{name} gradient"] - gradient).max() / abs(gradient).max()
                differences[row, column] = of_value, of_gradient
            bar.advance(task)

    values = [f"{value:.5f}" for value, _ in expected.values()]
    tabulate("loss", expected, differences.max(axis=1), value=values)
    tabulate("framework", FRAMEWORKS, differences.max(axis=0))
    worst = differences.max()
    console.print(f"largest relative difference from NumPy in float64: {worst:.1e}, allowed {TOLERANCE:.1e}")
    return bool(worst <= TOLERANCE)


def tabulate(kind: str, names: Iterable[str], differences: np.ndarray, **more: list[str]) -> None:
    table = Table(kind, *more, "difference in value", "in gradient")
    for name, pair, *others in zip(names, differences, *more.values(), strict=True):
        table.add_row(name, *others, *(f"{difference:.0e}" for difference in pair))
    console.print(table)


def conform() -> bool:
    report = OUTPUT / "conformance.html"
    command = [sys.executable, "-m", "seglosses_conformance", "--quick", "--html", report]
    done = subprocess.run(command)
    console.print(f"conformance report: {report}")
    return done.returncode == 0


def main() -> None:
    OUTPUT.mkdir(exist_ok=True)
    learnt, logits, labels = learn()
    outcome = {
        "the network learnt": learnt,
        "the frameworks agree": compare(logits[:4], labels[:4]),
        "the conformance suite passes": conform(),
    }
    for what, holds in outcome.items():
        console.print(f"{what}: {'[green]yes' if holds else '[red]no'}")
    sys.exit(not all(outcome.values()))


if __name__ == "__main__":
    main()
