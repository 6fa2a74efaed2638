"""Writes the table of `distributed.md`: which parts each loss can be computed of, and what it sends, tried here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import seglosses_core
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build
from seglosses_core import CrossEntropyLoss, HardExampleMining, MaxPooling, Minkowski, TopK
from seglosses_core.loss import Loss

PAGE = Path(__file__).with_name("distributed.md")
MARKS = "<!-- made by make_distributed.py -->\n", "<!-- until here -->\n"


class Counting:
    """A group of one, which counts its messages."""

    def __init__(self) -> None:
        self.messages: list[int] = []

    def all_reduce(self, vector: Any, op: str) -> Any:
        self.messages.append(vector.size)
        return vector


def allowed(loss: Loss, **parts: bool) -> bool:
    try:
        loss.check_parts(**parts)
    except (TypeError, ValueError):
        return False
    return True


def given(loss: Loss, name: str, classes: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    logits = random.normal(size=(2, classes, 4, 4))
    if loss.activation == "identity":
        logits = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = random.integers(classes, size=(2, 4, 4))
    return logits, {"target": labels, **ENTRIES[name].inputs(logits)}


def row(label: str, name: str, make: Any) -> str:
    loss = make()
    images, pixels = allowed(loss, images=True, pixels=False), allowed(loss, images=False, pixels=True)
    parts = allowed(loss, images=True, pixels=False, summed=True)
    numbers = ""
    if images:
        group = Counting()
        logits, arguments = given(loss, name, 3)
        loss.across(images=group)(logits, **arguments)
        numbers = f"{len(group.messages)} messages" if len(group.messages) > 1 else "1 message"
        if parts:
            try:
                size = size_of(loss, name, 3)
            except TypeError:
                parts = False  # sums that depend on others
            else:
                numbers = in_classes(size, loss, name)
    cells = ["yes" if x else "no" for x in (images, pixels, parts)]
    return f"| {label} | {' | '.join(cells)} | {numbers} |"


def in_classes(size: int, loss: Loss, name: str) -> str:
    """How many numbers there are for C classes, from how many there are for three."""
    try:
        slope = size_of(loss, name, 4) - size
    except ValueError:
        return f"{size} for 3 classes"  # which its hyper-parameters are for
    rest = size - 3 * slope
    return f"{slope if slope > 1 else ''} C + {rest}".lstrip() if slope else str(rest)


def size_of(loss: Loss, name: str, classes: int) -> int:
    logits, arguments = given(loss, name, classes)
    return sum(x.size for x in loss.statistics(logits, **arguments).arrays())


def table() -> str:
    rows = []
    for name, entry in ENTRIES.items():
        if name == "EnsembleLoss":
            continue
        sample = entry.samples[0].hyperparameters

        def make(name: str = name, sample: Any = sample, **more: Any) -> Loss:
            return build(seglosses_core, name, {**sample, **more}, 1)

        default = make()
        rows.append(row(f"`{name}`", name, make))
        if hasattr(default, "aggregate"):
            other = "batch" if default.aggregate == "image" else "image"
            rows.append(
                row(
                    f"`{name}({', '.join([f'aggregate={other!r}'])})`",
                    name,
                    partial(make, aggregate=other),
                )
            )
    for pooling in (Minkowski(), TopK(), MaxPooling(), HardExampleMining()):
        rows.append(
            row(
                f"a pixel loss, `{pooling!r}`",
                "CrossEntropyLoss",
                partial(CrossEntropyLoss, reduction=pooling),
            )
        )
    head = "| loss | other images | other pixels | in parts | numbers |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    PAGE.write_text(before + MARKS[0] + table() + MARKS[1] + after, encoding="utf-8")


if __name__ == "__main__":
    main()
