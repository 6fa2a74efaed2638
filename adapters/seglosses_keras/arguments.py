"""What Keras gives to a loss, as the core takes it: tensors, labels without an axis of 1, weights, masks of layers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seglosses_core.checks import check_array, describe, same_shape, shape_text
from seglosses_core.libraries import shape_of
from seglosses_core.loss import Loss


def as_tensor(name: str, value: Any) -> Any:
    """An array, or a variable's present value, as a tensor of the backend."""
    check_array(name, value)
    if hasattr(value, "assign"):  # a variable, of Keras or of TensorFlow
        return ops.copy(value)
    return value if ops.is_tensor(value) else ops.convert_to_tensor(value)


def as_target(value: Any, logits: Any, core: Loss) -> Any:
    """Labels `(N, *S, 1)`, the way of Keras, as `(N, *S)` where the logits have their classes elsewhere; anything else
    as it is."""
    target, rank = as_tensor("target", value), len(logits.shape)
    axis = core.class_axis % rank
    if axis == rank - 1 or len(target.shape) != rank or target.shape[-1] != 1:
        return target
    of_logits = tuple(shape_of(target)) == tuple(shape_of(logits))
    labels = same_shape(shape_of(target)[:-1], _pixels(logits, axis)) and not of_logits
    return ops.squeeze(target, axis=-1) if labels else target


class _AttachedMask(keras.layers.Layer):
    """Keras tells the mask of a tensor to the `mask` argument of a layer; it has no public function for that."""

    def __init__(self) -> None:
        super().__init__(name="attached_mask", autocast=False)
        self.supports_masking = True

    def call(self, tensor: Any, mask: Any = None) -> Any:
        return mask


attached_mask = _AttachedMask()


def _pixels(logits: Any, axis: int) -> tuple[int | None, ...]:
    shape = shape_of(logits)
    return shape[:axis] + shape[axis + 1 :]


def are_of_pixels(weights: Any, logits: Any) -> bool:
    return 1 < len(weights.shape) == len(logits.shape) - 1


def as_weights(sample_weight: Any, logits: Any, axis: int) -> Any:
    """Weights of images `(N,)`, or of pixels as float32 `(N, *S)`."""
    weights = as_tensor("sample_weight", sample_weight)
    if len(weights.shape) == len(logits.shape) and weights.shape[-1] == 1:
        weights = ops.squeeze(weights, axis=-1)
    if not are_of_pixels(weights, logits):
        return weights
    if not same_shape(shape_of(weights), _pixels(logits, axis)):
        raise ValueError(
            "sample_weight must have one weight per image or one per pixel of the logits of shape"
            f" {shape_text(logits)}, got {describe(weights)}."
        )
    return ops.cast(weights, "float32")


def within(attached: Any, mask: Any, logits: Any, axis: int) -> Any:
    """A mask, None for everywhere, where the one that is attached to the logits lets it."""
    attached = _over_pixels(attached, logits, axis)
    return attached if mask is None else ops.where(beside(attached, mask, axis), mask, ops.zeros_like(mask))


def beside(pixel_map: Any, mask: Any, axis: int) -> Any:
    """A map that broadcasts against a mask, which may have the classes at this axis."""
    return ops.expand_dims(pixel_map, axis) if len(mask.shape) > len(pixel_map.shape) else pixel_map


def _over_pixels(attached: Any, logits: Any, axis: int) -> Any:
    """The attached mask as bool `(N, *S)`."""
    pixels = _pixels(logits, axis)
    given = attached
    if len(attached.shape) == len(pixels) + 1 and attached.shape[-1] == 1:
        attached = ops.squeeze(attached, axis=-1)
    missing = len(pixels) - len(attached.shape)
    if not same_shape(shape_of(attached), pixels[: len(attached.shape)]):
        raise ValueError(
            "the mask attached to y_pred must have the shape of the labels of logits of shape"
            f" {shape_text(logits)}, or their first axes, got {describe(given)}."
        )
    attached = ops.cast(attached, "bool")
    if not missing:
        return attached
    everywhere = ops.ones_like(ops.take(logits, 0, axis=axis), dtype="bool")
    return ops.logical_and(ops.expand_dims(attached, tuple(range(-missing, 0))), everywhere)
