"""What the functions of the target take."""

from __future__ import annotations

import numbers
from typing import Any

from seglosses_core.checks import describe, dtype_is, is_array
from seglosses_core.libraries import shape_of


def check_labels(name: str, labels: Any) -> int:
    """Require a map of integers or bools, and give the number of its spatial axes."""
    if not is_array(labels):
        raise TypeError(f"{name} must be an array, got {type(labels).__name__}.")
    if not (dtype_is(labels, "integer") or dtype_is(labels, "bool")):
        raise TypeError(f"{name} must be integers or bool, got {describe(labels)}.")
    shape = shape_of(labels)
    if len(shape) < 2:
        raise ValueError(f"{name} must have a batch axis and spatial axes, (N, *S), got {describe(labels)}.")
    if any(n == 0 for n in shape):
        raise ValueError(f"{name} must not be empty, got {describe(labels)}.")
    return len(shape) - 1


def check_index(name: str, value: Any) -> None:
    """An integer or None."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Integral)):
        raise TypeError(f"{name} must be an integer or None, got {type(value).__name__}: {value!r}.")
