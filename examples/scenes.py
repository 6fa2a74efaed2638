"""Scenes to segment, composed from handwritten digits: those that come with scikit-learn, or MNIST's.

Ten digits and the background make eleven classes: label 0 is the background, label d + 1 the digit d.
"""

import gzip
import math
import zlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

CLASSES = 11
SPLITS = ("train", "validation", "test")


class Digits(NamedTuple):
    images: np.ndarray
    """(N, side, side), floating, from 0 for paper to 1 for ink."""
    shown: np.ndarray
    """(N,), the digit in each image."""


@cache
def scikit_learn_digits(split: str) -> Digits:
    """The 1797 digits of 8 by 8 pixels: the first 1197 for training, then 300 for validation and 300 for testing.

    The file goes from writer to writer, so the parts hardly share any.
    """
    images, shown = load_digits(return_X_y=True)
    part = {"train": slice(None, -600), "validation": slice(-600, -300), "test": slice(-300, None)}[split]
    return Digits(images[part].reshape(-1, 8, 8) / 16, shown[part])


@cache
def mnist_digits(split: str, directory: Path) -> Digits:
    """MNIST's digits, 28 by 28 pixels, from its four IDX files.

    The last sixth of those for training is for validation.
    """
    name = "t10k" if split == "test" else "train"
    images = _read_idx(directory, f"{name}-images-idx3-ubyte")
    shown = _read_idx(directory, f"{name}-labels-idx1-ubyte").astype(np.int64)
    if images.ndim != 3 or shown.shape != images.shape[:1]:
        raise ValueError(
            f"{directory} holds {name} images of shape {images.shape} and labels of shape {shown.shape}; "
            "(N, rows, columns) and (N,) would be right"
        )
    if (shown > 9).any():
        raise ValueError(
            f"{directory} holds {name} labels up to {shown.max()}; those of digits go from 0 to 9"
        )
    first = len(shown) - len(shown) // 6
    part = {"train": slice(None, first), "validation": slice(first, None), "test": slice(None)}[split]
    return Digits(images[part] / 255, shown[part])


def _read_idx(directory: Path, name: str) -> np.ndarray:
    """The bytes of an IDX file in their shape; the file may be packed, with .gz at the end of its name."""
    packed, plain = directory / f"{name}.gz", directory / name
    if plain.exists():
        path, content = plain, plain.read_bytes()
    elif packed.exists():
        path, compressed = packed, packed.read_bytes()
        try:
            content = gzip.decompress(compressed)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is no whole gzip file: {error}") from error
    else:
        raise FileNotFoundError(f"{directory} has neither {plain.name} nor {packed.name}")
    if content[:3] != b"\0\0\x08":
        raise ValueError(
            f"{path} starts with {content[:3].hex(' ')}; an IDX file of bytes starts with 00 00 08"
        )
    header = 4 + 4 * content[3] if len(content) > 3 else 4
    if len(content) < header:
        raise ValueError(f"{path} ends after {len(content)} bytes, within its header")
    shape = np.frombuffer(content[4:header], ">u4")
    values = np.frombuffer(content[header:], np.uint8)
    if values.size != math.prod(shape.tolist()):
        raise ValueError(f"{path} has {values.size} bytes of data; its header says {shape.tolist()}")
    return values.reshape(shape)


class Box(NamedTuple):
    """Where a digit is in its scene, in pixels."""

    digit: int
    top: int
    left: int
    side: int

    @property
    def center(self) -> tuple[int, int]:
        """The row and the column of the pixel that is nearest, or the lower and right one of those."""
        return self.top + self.side // 2, self.left + self.side // 2


def scenes(count: int, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of `scenes_and_boxes`, of the same settings."""
    images, labels, _ = scenes_and_boxes(count, **settings)
    return images, labels


def scenes_and_boxes(
    count: int,
    *,
    split: str = "train",
    size: int = 64,
    instances: int = 5,
    digit_size: tuple[int, int] = (16, 24),
    overlap: float = 0.2,
    imbalance: float = 0.0,
    noise: float = 0.1,
    seed: int = 0,
    mnist: Path | None = None,
) -> tuple[np.ndarray, np.ndarray, list[list[Box]]]:
    """Images (count, size, size) in float32, their labels, of the same shape, in int64, and the boxes of each scene.

    split: "train", "validation" or "test"; no digit of one is in another.
    instances: digits tried in each scene; one that finds no free place is left out.
    digit_size: the least and the greatest width of a digit, in pixels.
    overlap: the largest share of a digit's ink that may cover digits that are there already.
    imbalance: from 0, each image of a digit as likely as any other, towards 1: images of digit d are drawn in
        proportion to (1 - imbalance)^d.
    noise: the standard deviation of the normal noise that is added to every pixel; ink is 0.3 to 1, paper 0.
    mnist: the folder of MNIST's files; scikit-learn's digits by default.

    The same arguments give the same bytes.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    least, greatest = digit_size
    if not 1 <= least <= greatest <= size:
        raise ValueError(f"digit_size must rise from 1 to at most size={size}, got {digit_size}")
    if not 0 <= overlap <= 1:
        raise ValueError(f"overlap must be in [0, 1], got {overlap}")
    if not 0 <= imbalance < 1:
        raise ValueError(f"imbalance must be in [0, 1), got {imbalance}")
    random = np.random.default_rng([seed, SPLITS.index(split)])
    digits = scikit_learn_digits(split) if mnist is None else mnist_digits(split, mnist)
    likely = (1 - imbalance) ** digits.shown
    images = np.zeros((count, size, size))
    labels = np.zeros((count, size, size), dtype=np.int64)
    boxes: list[list[Box]] = [[] for _ in range(count)]
    for image, label, found in zip(images, labels, boxes, strict=True):
        for chosen in random.choice(len(likely), size=instances, p=likely / likely.sum()):
            width = random.integers(least, greatest, endpoint=True)
            digit = zoom(digits.images[chosen], width / digits.images.shape[-1], order=1)
            ink = digit > 0.3
            for _ in range(20):
                row, column = random.integers(0, size - np.array(digit.shape), endpoint=True)
                place = (slice(row, row + digit.shape[0]), slice(column, column + digit.shape[1]))
                if (label[place][ink] > 0).sum() <= overlap * ink.sum():
                    label[place][ink] = digits.shown[chosen] + 1
                    image[place][ink] = digit[ink]
                    found.append(Box(int(digits.shown[chosen]), int(row), int(column), digit.shape[0]))
                    break
    images += random.normal(0, noise, images.shape)
    return images.astype(np.float32), labels, boxes


def class_iou(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Intersection over union of each class over all pixels, (classes,); NaN for a class that is in neither."""
    return iou_of_pairs(count_pairs(labels, predicted, CLASSES))


def count_pairs(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How many pixels have each label and each prediction, (classes, classes)."""
    return np.bincount(classes * labels.ravel() + predicted.ravel(), minlength=classes**2).reshape(
        classes, classes
    )


def iou_of_pairs(pairs: np.ndarray) -> np.ndarray:
    both = pairs.diagonal()
    either = pairs.sum(0) + pairs.sum(1) - both
    return np.divide(both, either, out=np.full(len(pairs), np.nan), where=either > 0)


def mean_iou(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Intersection over union, averaged over the classes that occur in either of the two."""
    return float(np.nanmean(class_iou(labels, predicted)))
