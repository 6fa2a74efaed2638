"""What is compared: for each framework, the functions `(logits, target) -> value` of every library that has the loss.

A module of this folder has

- `LIBRARIES`, a dict from a library's name to a function `(case, loss) -> Competitor`, which raises `Differs` where the
  library has the loss but not the same number, and gives None where it does not have the loss at all;
- `Runner`, which holds the inputs in a framework and evaluates value and gradient there.

`OURS` is what the others are compared with, `PLAIN` what a user would write, `LIMIT` what memory alone would take.
`OURS_ONE_HOT` is ours with the target of a library that takes no labels. `DICE_ALONE` stands beside Dice +
cross-entropy, of which it would be paid anyway, and beside losses that no library has or few: what Dice costs. So does
`DICE_AND_CROSS_ENTROPY` beside the unified focal loss.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

OURS = "seglosses"
OURS_ONE_HOT = "seglosses, one-hot target"
PLAIN = "plain formula"
LIMIT = "limit"
DICE_ALONE = "seglosses, Dice alone"
DICE_AND_CROSS_ENTROPY = "seglosses, Dice + cross-entropy"

ANOTHER_NUMBER = (LIMIT, DICE_ALONE, DICE_AND_CROSS_ENTROPY)
"""These are there for scale: no number of theirs is compared."""

FRAMEWORKS = {
    "numpy": ("eager",),
    "torch": ("eager", "compile"),
    "jax": ("jit",),
    "keras": ("graph", "xla"),
}
"""With the ways to run a function in each; keras is Keras on TensorFlow."""

LIBRARIES = {
    "numpy": (OURS, PLAIN, "scipy", LIMIT),
    "torch": (
        OURS,
        DICE_ALONE,
        DICE_AND_CROSS_ENTROPY,
        PLAIN,
        "torch",
        "monai",
        "kornia",
        "exacta",
        "segmentation_models_pytorch",
        "scipy",
        LIMIT,
    ),
    "jax": (OURS, DICE_ALONE, PLAIN, "optax", LIMIT),
    "keras": (OURS, OURS_ONE_HOT, DICE_ALONE, PLAIN, "keras", LIMIT),
}


class Differs(Exception):
    """A library has this loss, but with another number: the message says how it differs."""


@dataclass(frozen=True)
class Competitor:
    function: Callable[[Any, Any], Any]
    target: str = ""
    """The form that the target is given in: labels `(N, *S)`, one-hot, or for one class a mask of 0. and 1., the last
    two logits-shaped and ready before the clock starts. By default labels or the mask."""


def signed_distances() -> Callable[[np.ndarray], np.ndarray]:
    """SciPy's exact distances, from labels `(N, *S)` of one class to our signed map `(N, 1, *S)` of it."""
    from scipy import ndimage

    distances = ndimage.distance_transform_edt

    def function(labels: np.ndarray) -> np.ndarray:
        found = np.empty((len(labels), 1, *labels.shape[1:]), np.float32)
        for image, inside in zip(found[:, 0], labels == 1, strict=True):
            image[...] = np.where(inside, 1 - distances(inside), distances(~inside))
        return found

    return function


def module_of(framework: str) -> Any:
    return importlib.import_module(f"benchmarks.competitors.on_{framework}")
