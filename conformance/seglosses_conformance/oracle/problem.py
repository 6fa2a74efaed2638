"""What the losses are asked about: the pixels that count, each with its prediction, its target and its weights.

A target of the logits' shape is one number for each class. Those of a pixel need not sum to 1: a pixel with exclusive
classes weighs mask · sample weight · Σ_c w_c y_c, w being the class weights or 1, and costs
Σ_c w_c y_c f(log p_c) / Σ_c w_c y_c; one of sum 0 does not exist. Integers are never soft: of one class they are
labels, of several 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import isfinite, isnan, prod
from typing import Any

from mpmath import mpf

from .tape import Scalar, exp, plain


class NoNumberError(ValueError):
    """Where the value of every loss is NaN: a pixel that counts has a label that is no class, or NaN among its logits,
    features or targets; or a mask or sample weight, counting or not, is negative, infinite or NaN."""


@dataclass
class Pixel:
    """One pixel of one image. `target` is one number per class, `label` is None where the target is not labels, `mask`
    where each class has one of its own. A class with a mask of 0 does not exist at the pixel: its numbers mean
    nothing."""

    image: int
    position: tuple[int, ...]
    logits: list[Scalar]
    target: list[Any]
    label: int | None
    mask: Any
    masks: list[Any]
    """Of each class."""
    sample_weight: Any
    features: list[Scalar] | None = None
    instance: int = 0


class Problem:
    """The arrays of one call: logits (N, C, *S), labels (N, *S) or a target like the logits, mask (N, *S), or like the
    logits for overlapping classes, …"""

    def __init__(
        self,
        logits: Any,
        target: Any,
        mask: Any = None,
        sample_weight: Any = None,
        centers: Any = None,
        features: Any = None,
        instances: Any = None,
    ) -> None:
        self.shape, values = flatten(logits)
        self.logits = [Scalar(value) for value in values]
        self.images, self.classes, *self.space = self.shape
        self.map_shape = (self.images, *self.space)
        self.target_shape, self.target = flatten(target)
        whole = all(type(y) is int for y in self.target)
        self.has_labels = len(self.target_shape) < len(self.shape) or (self.classes == 1 and whole)
        self.is_one_hot = whole and not self.has_labels
        mask_shape, weights = flatten([] if mask is None else mask)
        self.mask = [1] * prod(self.map_shape) if mask is None else weights
        self.masks_classes = len(mask_shape) == len(self.shape)
        self.sample_weight = [1] * self.images if sample_weight is None else flatten(sample_weight)[1]
        self.centers = None if centers is None else [[mpf(x) for x in center] for center in centers]
        self.features_shape, values = flatten([] if features is None else features)
        self.features = [Scalar(value) for value in values]
        self.instances = [0] * prod(self.map_shape) if instances is None else flatten(instances)[1]

    def pixels(self, ignore_index: int | None = None) -> Iterator[Pixel]:
        """The valid pixels: label not `ignore_index`, mask and sample weight above 0. The others do not exist."""
        for weight in (*self.mask, *self.sample_weight):
            if not isfinite(weight) or weight < 0:
                raise NoNumberError(f"a weight of {weight}")
        size = prod(self.space)
        for image, (place, position) in product(
            range(self.images), enumerate(product(*map(range, self.space)))
        ):
            here = image * size + place
            label = int(self.target[here]) if self.has_labels else None

            def channels(
                data: Sequence[Any], count: int, image: int = image, place: int = place
            ) -> list[Any]:
                return [data[(image * count + channel) * size + place] for channel in range(count)]

            mask, sample_weight = None, mpf(self.sample_weight[image])
            if self.masks_classes:
                masks = [mpf(weight) for weight in channels(self.mask, self.classes)]
            else:
                mask = mpf(self.mask[here])
                masks = [mask] * self.classes
            if not any(masks) or sample_weight == 0 or (label is not None and label == ignore_index):
                continue

            if label is not None:
                target = one_hot(label, self.classes)
            else:
                target = [mpf(y) for y in channels(self.target, self.classes)]
            logits = channels(self.logits, self.classes)
            target = [y if weight else mpf(0) for y, weight in zip(target, masks, strict=True)]
            logits = [z if weight else Scalar(mpf(1) / 2) for z, weight in zip(logits, masks, strict=True)]
            if self.is_one_hot and any(y not in (0, 1) for y in target):
                raise NoNumberError(f"whole numbers {target} for the classes of a pixel")
            features = channels(self.features, self.features_shape[1]) if self.features else None
            if any(isnan(plain(x)) for x in (*logits, *target, *(features or ()))):
                raise NoNumberError("NaN at a pixel that counts")
            instance = self.instances[here]
            yield Pixel(
                image, position, logits, target, label, mask, masks, sample_weight, features, instance
            )


def one_hot(label: int, classes: int) -> list[Any]:
    """y_c = [label = c]; with one class, label 1 is the foreground and label 0 the background."""
    if not 0 <= label < max(classes, 2):
        raise NoNumberError(f"a label of {label} for {classes} classes")
    return [mpf(label == (1 if classes == 1 else c)) for c in range(classes)]


def probabilities(logits: Sequence[Scalar], activation: str) -> list[Scalar]:
    """p of one pixel: softmax e^z_c / Σ e^z, sigmoid e^z / (1 + e^z) of each class, or identity. A logit may be −∞."""
    if activation == "softmax":
        exponentials = [exp(z) for z in logits]
        normalizer = sum(exponentials)
        return [e / normalizer for e in exponentials]
    if activation == "sigmoid":
        return [exp(z) / (exp(z) + 1) for z in logits]
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
