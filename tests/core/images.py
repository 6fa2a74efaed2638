"""A few images of three classes."""

from __future__ import annotations

import numpy as np
import pytest

BATCH, CLASSES = 2, 3
WEIGHTS = (0.5, 2.0, 1.0)

every_number = pytest.mark.parametrize("reduction", ["mean", "sum"])


def make(shape=(3, 4), classes=CLASSES, batch=BATCH, seed=0):
    """Logits and labels."""
    random = np.random.default_rng(seed)
    return random.normal(size=(batch, classes, *shape)), random.integers(
        0, max(classes, 2), size=(batch, *shape)
    )


def hot(labels, classes=CLASSES):
    return np.moveaxis(np.eye(classes)[labels], -1, 1)
