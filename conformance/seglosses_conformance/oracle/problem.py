"""What the losses are asked about: the pixels that count, each with its prediction, its target and its weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from mpmath import mpf

from .tape import Scalar, exp


class LabelOutsideClassesError(ValueError):
    """A pixel that is not ignored has a label that is no class: the value of every loss is NaN."""


@dataclass
class Pixel:
    """One pixel of one image. `target` is one number per class, `label` is None where the target is not labels."""

    image: int
    position: tuple[int, ...]
    logits: list[Scalar]
    target: list[Any]
    label: int | None
    mask: Any
    sample_weight: Any
    features: list[Scalar] | None = None


class Problem:
    """The arrays of one call: logits (N, C, *S), labels (N, *S) or a target like the logits, mask (N, *S), …"""

    def __init__(
        self,
        logits: Any,
        target: Any,
        mask: Any = None,
        sample_weight: Any = None,
        centers: Any = None,
        features: Any = None,
    ) -> None:
        self.shape, values = flatten(logits)
        self.logits = [Scalar(value) for value in values]
        self.images, self.classes, *self.space = self.shape
        self.map_shape = (self.images, *self.space)
        self.target_shape, self.target = flatten(target)
        self.has_labels = len(self.target_shape) < len(self.shape)
        self.mask = [1] * prod(self.map_shape) if mask is None else flatten(mask)[1]
        self.sample_weight = [1] * self.images if sample_weight is None else flatten(sample_weight)[1]
        self.centers = None if centers is None else [[mpf(x) for x in center] for center in centers]
        self.features_shape, values = flatten([] if features is None else features)
        self.features = [Scalar(value) for value in values]

    def pixels(self, ignore_index: int | None = None) -> Iterator[Pixel]:
        """The valid pixels: label not `ignore_index`, mask and sample weight above 0. The others do not exist."""
        size = prod(self.space)
        for image, (place, position) in product(
            range(self.images), enumerate(product(*map(range, self.space)))
        ):
            here = image * size + place
            mask, sample_weight = mpf(self.mask[here]), mpf(self.sample_weight[image])
            label = int(self.target[here]) if self.has_labels else None
            if mask == 0 or sample_weight == 0 or (label is not None and label == ignore_index):
                continue

            def channels(
                data: Sequence[Any], count: int, image: int = image, place: int = place
            ) -> list[Any]:
                return [data[(image * count + channel) * size + place] for channel in range(count)]

            yield Pixel(
                image=image,
                position=position,
                logits=channels(self.logits, self.classes),
                target=one_hot(label, self.classes)
                if label is not None
                else [mpf(y) for y in channels(self.target, self.classes)],
                label=label,
                mask=mask,
                sample_weight=sample_weight,
                features=channels(self.features, self.features_shape[1]) if self.features else None,
            )


def one_hot(label: int, classes: int) -> list[Any]:
    """y_c = [label = c]; with one class, label 1 is the foreground and label 0 the background."""
    if not 0 <= label < max(classes, 2):
        raise LabelOutsideClassesError(label)
    return [mpf(label == (1 if classes == 1 else c)) for c in range(classes)]


def probabilities(logits: Sequence[Scalar], activation: str) -> list[Scalar]:
    """p of one pixel: softmax e^z_c / Σ e^z, sigmoid 1 / (1 + e^−z) of each class, or identity."""
    if activation == "softmax":
        exponentials = [exp(z) for z in logits]
        normalizer = sum(exponentials)
        return [e / normalizer for e in exponentials]
    if activation == "sigmoid":
        return [1 / (1 + exp(-z)) for z in logits]
    if activation == "identity":
        return list(logits)
    raise ValueError(f"activation: {activation!r}")


def flatten(nested: Any) -> tuple[tuple[int, ...], list[Any]]:
    """Nested lists (or anything with `tolist`) → shape and elements in C order."""
    nested = nested.tolist() if hasattr(nested, "tolist") else nested
    shape = []
    flat = [nested]
    while flat and isinstance(flat[0], (list, tuple)):
        shape.append(len(flat[0]))
        flat = [element for row in flat for element in row]
    return tuple(shape), flat


def nest(shape: Sequence[int], flat: Sequence[Any]) -> Any:
    """The inverse of `flatten`."""
    if not shape:
        return flat[0]
    step = len(flat) // shape[0]
    return [nest(shape[1:], flat[i * step : (i + 1) * step]) for i in range(shape[0])]
