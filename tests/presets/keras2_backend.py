"""What segmentation_models asks of the backend of Keras 2, by its names, of JAX."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

clip, log, mean, permute_dimensions, pow = jnp.clip, jnp.log, jnp.mean, jnp.transpose, jnp.power


def image_data_format() -> str:
    return "channels_last"


def epsilon() -> float:
    return 1e-7


def sum(x: Array, axis: int | Sequence[int], keepdims: bool = False) -> Array:
    return jnp.sum(x, axis=axis if isinstance(axis, int) else tuple(axis), keepdims=keepdims)


def gather(x: Array, indexes: Sequence[int]) -> Array:
    return x[jnp.array(indexes)]


def binary_crossentropy(target: Array, output: Array) -> Array:
    output = clip(output, epsilon(), 1 - epsilon())
    return -target * log(output) - (1 - target) * log(1 - output)
