"""The arrays that cases are made of.

All numbers are short in binary (steps of 1/8 or 1/16), so that rounding to bfloat16 or float16 leaves them alone and
one expected result serves every dtype; ±1e4 is the exception. There are few shapes, because compiled targets compile
for each. Logits that are ignored are NaN: they must not matter.
"""

from __future__ import annotations

from math import nan, prod
from typing import Any

import numpy as np

Array = np.ndarray


def varied(*shape: int, root: int = 3) -> Array:
    """Logits in [−3.94, 3.88], multiples of 1/16 that look random: powers of a primitive root of 127, so 126 differ."""
    return np.array([pow(root, k, 127) / 16 - 4 for k in range(1, prod(shape) + 1)]).reshape(shape)


def one_hot(labels: Array, classes: int = 3) -> Array:
    return np.moveaxis(np.arange(classes) == np.asarray(labels)[..., None], -1, 1)


def varied_labels(*shape: int, classes: int) -> Array:
    """Labels that look random; every class is among the first of them."""
    return np.array([pow(3, k, 31) % classes for k in range(1, prod(shape) + 1)]).reshape(shape)


def at_pixels(logits: Array, where: Array, value: float) -> Array:
    """The logits with `value` for all classes of the pixels of a map."""
    return np.where(np.asarray(where)[:, None], value, logits)


# Two images of 2×3 pixels, three classes.
LOGITS = varied(2, 3, 2, 3)
LABELS = np.array([[[0, 1, 1], [2, 0, 1]], [[2, 1, 0], [2, 2, 0]]])
# Class 2 stands in neither image, class 1 alone in image 1.
ABSENT = np.array([[[0, 1, 1], [0, 0, 1]], [[1, 1, 1], [1, 1, 1]]])
VOID = 255
IGNORED = np.array([[[0, 1, 0], [0, 0, 1]], [[0, 0, 0], [1, 0, 0]]], dtype=bool)
MASK = np.array([[[1, 0.5, 2], [0, 1, 0.25]], [[1, 1, 0], [0.5, 0, 1]]])
# A weight for each class of a pixel. Class 1 does not count in image 1, and no class at the fourth pixel of image 0.
MASKS = np.array(
    [
        [[[1, 0.5, 2], [0, 1, 0.25]], [[0, 1, 1], [0, 2, 1]], [[0.5, 0, 1], [0, 1, 1]]],
        [[[1, 1, 0], [0.5, 0, 1]], [[0, 0, 0], [0, 0, 0]], [[1, 0, 2], [1, 0.25, 0]]],
    ]
)
SAMPLE_WEIGHT = np.array([0.5, 2.0])
CLASS_WEIGHTS = [0.5, 2.0, 1.0]
# Eighths that sum to 1 over the classes, no two pixels alike, a few classes at 0 and at 1.
SOFT = (
    np.moveaxis(
        np.array(
            [
                [[[8, 0, 0], [1, 6, 1], [0, 5, 3]], [[2, 2, 4], [7, 1, 0], [3, 3, 2]]],
                [[[0, 0, 8], [4, 4, 0], [6, 0, 2]], [[1, 2, 5], [0, 1, 7], [5, 2, 1]]],
            ]
        ),
        -1,
        1,
    )
    / 8
)
# Eighths that sum to anything, to 0 and 1 too, and over all pixels not to their number.
SUMS = (
    np.moveaxis(
        np.array(
            [
                [[[8, 0, 0], [8, 8, 0], [0, 0, 0]], [[1, 2, 1], [4, 0, 0], [8, 8, 2]]],
                [[[0, 0, 6], [2, 2, 2], [0, 8, 0]], [[7, 1, 4], [0, 3, 0], [5, 5, 5]]],
            ]
        ),
        -1,
        1,
    )
    / 8
)
# Sixteenths strictly between 0 and 1 that sum to 1 over the classes.
PROBABILITIES = (
    np.moveaxis(
        np.array(
            [
                [[[9, 4, 3], [2, 11, 3], [5, 6, 5]], [[1, 2, 13], [7, 8, 1], [3, 10, 3]]],
                [[[4, 5, 7], [6, 9, 1], [12, 1, 3]], [[2, 4, 10], [8, 3, 5], [11, 3, 2]]],
            ]
        ),
        -1,
        1,
    )
    / 16
)
# One class: two images, label 1 is the foreground.
BINARY_LOGITS = varied(2, 1, 2, 3, root=6)
BINARY_LABELS = np.array([[[0, 1, 1], [0, 0, 1]], [[0, 0, 0], [1, 0, 1]]])
BINARY_PROBABILITIES = PROBABILITIES[:, :1]
# A 2×2×3 volume.
VOLUME_LOGITS = varied(1, 3, 2, 2, 3, root=7)
VOLUME_LABELS = np.array([[[[0, 0, 1], [0, 2, 1]], [[2, 0, 1], [2, 2, 1]]]])
# Two pixels of three classes, the probability of the right class 1/2 and 1/4.
TWO_PIXELS = np.array([[[0.5, 0.5], [0.25, 0.25], [0.25, 0.25]]])
TWO_LABELS = np.array([[0, 1]])
# Probabilities of 0 and 1, all right.
CERTAIN = one_hot(LABELS).astype(float)
# A Gaussian around two points, σ² = 2, in float32: exactly 1 at the points, overlapping in the first image.
_distance = np.array(
    [
        [[[0, 1, 1], [1, 2, 0]], [[4, 1, 0], [5, 2, 1]]],
        [[[8, 5, 4], [5, 2, 1]], [[0, 1, 4], [1, 2, 5]]],
    ]
)
HEAT_MAP = np.exp(-_distance / 4).astype(np.float32).astype(np.float64)
HEAT_LOGITS = LOGITS[:, :2]


def saturated(size: float) -> Array:
    """Four pixels whose logits are ±size and 0: certain and right, certain and wrong, undecided, and all alike."""
    pixels = np.array([[size, -size, 0], [size, 0, -size], [0, -size, 0], [-size, -size, -size]])
    return np.moveaxis(pixels.reshape(1, 2, 2, 3), -1, 1)


SATURATED_LABELS = np.array([[[0, 2], [0, 1]]])


def masked(logits: Array = LOGITS, *, mask: Array = MASK, **others: Array) -> dict[str, Any]:
    """What a case is given of pixels with a mask: arrays of floats are NaN where the mask is 0."""
    arrays = {"logits": logits, **others}
    return {name: at_pixels(array, mask == 0, nan) for name, array in arrays.items()} | {"mask": mask}


def ignored(
    logits: Array = LOGITS, target: Array = LABELS, *, where: Array = IGNORED, label: int = VOID
) -> dict[str, Any]:
    """What a case is given of pixels that are ignored: their logits are NaN."""
    return {
        "ignore_index": label,
        "logits": at_pixels(logits, where, nan),
        "target": np.where(where, label, target),
    }


IGNORED_MASKED_WEIGHTED = {**masked(), **ignored(masked()["logits"]), "sample_weight": SAMPLE_WEIGHT}
