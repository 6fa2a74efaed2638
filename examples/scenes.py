"""Scenes to segment, composed from scikit-learn's bundled handwritten digits; nothing is downloaded.

Ten digits and the background make eleven classes: label 0 is the background, label d + 1 the digit d.
"""

from functools import cache

import numpy as np
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

CLASSES = 11


@cache
def _digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Digits of 8 by 8 pixels in [0, 1] and what they show. The last 400 are for testing only."""
    images, shown = load_digits(return_X_y=True)
    part = {"train": slice(None, -400), "test": slice(-400, None)}[split]
    return images[part].reshape(-1, 8, 8) / 16, shown[part]


def scenes(
    count: int,
    *,
    split: str = "train",
    size: int = 64,
    instances: int = 5,
    scale: tuple[float, float] = (2.0, 3.0),
    overlap: float = 0.2,
    imbalance: float = 0.0,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, size, size) in float32 and their labels, of the same shape, in int64.

    instances: digits tried in each scene; one that finds no free place is left out.
    scale: the range of the factor by which a digit is enlarged from 8 by 8 pixels.
    overlap: the largest share of a digit's ink that may fall on digits that are there already.
    imbalance: from 0, each digit equally often, towards 1: digit d is drawn as often as (1 - imbalance)^d.
    noise: the standard deviation of the noise that is added to every pixel.

    The same arguments give the same bytes.
    """
    if size < 8 * max(scale):
        raise ValueError(f"size={size} is too small for digits of up to {8 * max(scale):g} pixels")
    random = np.random.default_rng(seed)
    digits, shown = _digits(split)
    likely = (1 - imbalance) ** shown
    images = np.zeros((count, size, size))
    labels = np.zeros((count, size, size), dtype=np.int64)
    for image, label in zip(images, labels, strict=True):
        for chosen in random.choice(len(digits), size=instances, p=likely / likely.sum()):
            digit = zoom(digits[chosen], random.uniform(*scale), order=1)
            ink = digit > 0.3
            for _ in range(20):
                row, column = random.integers(0, size - np.array(digit.shape), endpoint=True)
                place = (slice(row, row + digit.shape[0]), slice(column, column + digit.shape[1]))
                if (label[place][ink] > 0).mean() <= overlap:
                    label[place][ink] = shown[chosen] + 1
                    image[place][ink] = digit[ink]
                    break
    images += random.normal(0, noise, images.shape)
    return images.astype(np.float32), labels


def mean_iou(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Intersection over union, averaged over the classes that occur in either of the two."""
    pairs = np.bincount(CLASSES * labels.ravel() + predicted.ravel(), minlength=CLASSES**2)
    pairs = pairs.reshape(CLASSES, CLASSES)
    both = pairs.diagonal()
    either = pairs.sum(0) + pairs.sum(1) - both
    return float((both[either > 0] / either[either > 0]).mean())
