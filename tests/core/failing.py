"""Functions that make, or call, a loss of any framework with what it refuses: what tests of errors are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import torch

import seglosses_core
import seglosses_jax
import seglosses_torch


@dataclass(frozen=True)
class Framework:
    """A package of losses and how its arrays are made; everything here has the class axis 1."""

    losses: Any
    array: Callable[[np.ndarray], Any]

    def center(self, **options: Any) -> Callable[..., Any]:
        """The center loss for three classes; torch keeps the centres itself."""
        if self.losses is seglosses_torch:
            return self.losses.CenterLoss(num_classes=3, **options)
        loss = self.losses.CenterLoss(class_axis=1, **options)
        centers = self.array(np.zeros((3, 3), np.float32))
        return lambda *arrays, **given: loss(*arrays, **{"centers": centers, **given})


FRAMEWORKS = {
    "numpy": Framework(seglosses_core, np.asarray),
    "torch": Framework(seglosses_torch, torch.asarray),
    "jax": Framework(seglosses_jax, jnp.asarray),
}


def floats(*shape):
    return np.full(shape, 0.5, np.float32)


def labels(*shape):
    return np.zeros(shape, np.int32)


LOGITS, LABELS, DENSE = floats(2, 3, 4, 5), labels(2, 4, 5), floats(2, 3, 4, 5)


def call(name, logits=LOGITS, target=LABELS, *, options=None, **given):
    """A function of a framework that makes a loss and calls it."""

    def attempt(framework):
        options_ = {"class_axis": 1, **(options or {})}
        if name == "CenterLoss":
            options_.pop("class_axis")
            loss = framework.center(**options_)
        else:
            loss = getattr(framework.losses, name)(**options_)
        arrays = {key: framework.array(x) for key, x in given.items()}
        return loss(framework.array(logits), framework.array(target), **arrays)

    return attempt


def build(name, **options):
    """A function of a framework that makes a loss."""
    return lambda framework: getattr(framework.losses, name)(**options)


def ensemble(*members, **options):
    """A function of a framework that makes an ensemble."""

    def attempt(framework):
        losses = [getattr(framework.losses, name)(**own) for name, own in members]
        return framework.losses.EnsembleLoss(losses=losses, **options)

    return attempt


Case = tuple[Callable[[Framework], Any], type[Exception], str, str, str]
"""What is done; the error; the argument that it names, what came, what would be right."""
