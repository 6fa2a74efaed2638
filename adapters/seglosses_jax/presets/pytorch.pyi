"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from jax import Array
from numpy import ndarray

from seglosses_jax.presets import PresetLoss

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
]

def CrossEntropyLoss(
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """CrossEntropyLoss of PyTorch.

    It is called with input, target.
    """

def cross_entropy(
    input: Array | ndarray,
    target: Array | ndarray,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    class_axis: int = -1,
) -> Array:
    """cross_entropy of PyTorch."""

def BCEWithLogitsLoss(
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """BCEWithLogitsLoss of PyTorch.

    It is called with input, target.
    """

def binary_cross_entropy_with_logits(
    input: Array | ndarray,
    target: Array | ndarray,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
    *,
    class_axis: int = -1,
) -> Array:
    """binary_cross_entropy_with_logits of PyTorch."""

def BCELoss(
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """BCELoss of PyTorch.

    It is called with input, target.
    """

def binary_cross_entropy(
    input: Array | ndarray,
    target: Array | ndarray,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    *,
    class_axis: int = -1,
) -> Array:
    """binary_cross_entropy of PyTorch."""
