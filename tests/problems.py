"""What the tests of every framework run: each loss as its record samples it, on a small problem of its own.

A new loss comes here by its record in `seglosses_conformance.losses`. Which target it gets, and whether with weights,
follows from a checksum of its name, so that it changes no other loss's problem.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import numpy as np

import seglosses_core
from seglosses_conformance.entries import Sample
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import Hyperparameters, build

N, C, H, W = 2, 3, 3, 5
"""Images, classes, height and width."""


@dataclass(frozen=True)
class Problem:
    """One loss and the arguments of one call, as NumPy arrays in float64 with class axis 1."""

    loss: str
    sample: Sample
    target: str
    """Its kind: labels, one-hot, soft or heat map."""
    weighted: bool

    @property
    def core(self) -> Any:
        """The loss of the core."""
        return build(seglosses_core, self.loss, self.sample.hyperparameters, 1)

    def scores(self) -> np.ndarray:
        """Logits, or probabilities where the loss takes those."""
        if self.core.activation != "identity":
            return LOGITS
        return np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)

    def given(self) -> dict[str, np.ndarray]:
        """Everything else that the call takes."""
        given = {"target": TARGETS[self.target], **self.inputs()}
        if self.weighted:
            mask = np.random.default_rng(2).uniform(size=(N, H, W))
            given["mask"] = np.where(mask > 0.2, mask, 0)
            given["sample_weight"] = np.asarray([0.7, 1.6])
        return given

    def inputs(self) -> dict[str, np.ndarray]:
        """What the loss takes beside what all take."""
        return ENTRIES[self.loss].inputs(self.scores())

    def __str__(self) -> str:
        return "-".join([self.loss, str(self.sample), self.target, *["weighted"] * self.weighted])


LOGITS = 2 * np.random.default_rng(1).normal(size=(N, C, H, W))
LABELS = np.random.default_rng(4).integers(C, size=(N, H, W))
ONE_HOT = LABELS[:, None] == np.arange(C)[:, None, None]
SOFT = np.moveaxis(np.random.default_rng(5).dirichlet(np.ones(C), (N, H, W)), -1, 1)
TARGETS = {
    "labels": LABELS,
    "one-hot": ONE_HOT,
    "soft": SOFT,
    "heat map": np.where(ONE_HOT, 1, np.random.default_rng(6).uniform(size=ONE_HOT.shape)),
}


def problem_of(loss: str, sample: Sample) -> Problem:
    drawn = zlib.crc32(f"{loss} {sample}".encode())
    kind = sample.targets[drawn % len(sample.targets)]
    return Problem(loss, sample, kind, weighted=drawn >> 16 & 1 == 1)


PROBLEMS = [problem_of(loss, sample) for loss, entry in ENTRIES.items() for sample in entry.samples]


def first_of_each(problems: list[Any]) -> list[Any]:
    """Of each loss the first, which is the one where one is enough."""
    return list({problem.loss: problem for problem in reversed(problems)}.values())[::-1]


def with_options(loss: str, hyperparameters: Hyperparameters, options: dict[str, Any]) -> Hyperparameters:
    """The hyper-parameters with others in their place, as far as the loss has them; an ensemble's are its members'."""
    if "losses" in hyperparameters:
        members = [
            {**one, "hyperparameters": with_options(one["loss"], one.get("hyperparameters", {}), options)}
            for one in hyperparameters["losses"]
        ]
        return {**hyperparameters, "losses": members}
    known = {field.name for field in dataclasses.fields(getattr(seglosses_core, loss))}
    return {**hyperparameters, **{name: value for name, value in options.items() if name in known}}


def wrong_shapes(right: tuple[int, ...], lengths: Sequence[int] = (1,)) -> set[tuple[int, ...]]:
    """Lengths of 1, axes left out at either end, axes of these lengths put in, axes in another order."""
    rank = len(right)
    ones = [
        tuple(1 if axis in chosen else length for axis, length in enumerate(right))
        for count in range(rank + 1)
        for chosen in combinations(range(rank), count)
    ]
    shorter = [part for shape in ones for axis in range(rank) for part in (shape[axis + 1 :], shape[:axis])]
    longer = [
        (*shape[:place], length, *shape[place:])
        for shape in ones
        for place in range(rank + 1)
        for length in lengths
    ]
    return {*ones, *shorter, *longer, *permutations(right)} - {right}
