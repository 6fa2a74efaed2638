"""Weights count relative to each other, whatever their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seglosses_core.libraries import Array, dtype_name

if TYPE_CHECKING:
    from seglosses_core.ops import Ops

ORDINARY = 2.0**54
"""Weights whose largest is between this and its inverse are not scaled."""
_SCALES = {"float32": (90, 100), "float64": (540, 560)}
"""By dtype, the exponents of the powers of two that larger weights are divided and smaller ones multiplied by: then the
product of two such weights stays in the dtype's range."""


def is_ordinary(lowest: Any, highest: Any) -> bool:
    """Whether weights between these numbers can be used as they are."""
    return bool(lowest >= 0 and (highest == 0 or 1 / ORDINARY <= highest <= ORDINARY))


def relative(weights: Array, ops: Ops) -> tuple[Array, Array]:
    """Weights times a power of two that brings the largest near 1, and the inverse of that power, wide. Ordinary
    weights stay as they are."""
    xp = ops.xp
    down, up = _SCALES[dtype_name(weights)]
    largest = xp.max(weights)
    large, small = largest > ORDINARY, largest < 1 / ORDINARY

    def choose(if_large: float, if_small: float, dtype: Any) -> Array:
        one = xp.ones_like(largest, dtype=dtype)
        return xp.where(large, if_large * one, xp.where(small, if_small * one, one))

    inverse = choose(2.0**down, 2.0**-up, ops.accumulation_dtype(weights))
    return weights * choose(2.0**-down, 2.0**up, weights.dtype), inverse
