"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from jax import Array
from numpy import ndarray

__all__ = [
    "binary_dice_loss",
    "dice_loss",
    "poly_loss_cross_entropy",
    "safe_softmax_cross_entropy",
    "sigmoid_binary_cross_entropy",
    "sigmoid_focal_loss",
    "softmax_cross_entropy",
    "softmax_cross_entropy_with_integer_labels",
]

def softmax_cross_entropy(
    logits: Array | ndarray,
    labels: Array | ndarray,
    axis: Any = -1,
    where: Any = None,
    *,
    class_axis: int = -1,
) -> Array:
    """softmax_cross_entropy of optax."""

def safe_softmax_cross_entropy(
    logits: Array | ndarray, labels: Array | ndarray, *, class_axis: int = -1
) -> Array:
    """safe_softmax_cross_entropy of optax."""

def softmax_cross_entropy_with_integer_labels(
    logits: Array | ndarray,
    labels: Array | ndarray,
    axis: Any = -1,
    where: Any = None,
    *,
    class_axis: int = -1,
) -> Array:
    """softmax_cross_entropy_with_integer_labels of optax."""

def poly_loss_cross_entropy(
    logits: Array | ndarray,
    labels: Array | ndarray,
    *,
    epsilon: float = 2.0,
    axis: Any = -1,
    where: Any = None,
    class_axis: int = -1,
) -> Array:
    """poly_loss_cross_entropy of optax."""

def sigmoid_binary_cross_entropy(
    logits: Array | ndarray, labels: Array | ndarray, *, class_axis: int = -1
) -> Array:
    """sigmoid_binary_cross_entropy of optax."""

def sigmoid_focal_loss(
    logits: Array | ndarray,
    labels: Array | ndarray,
    *,
    alpha: float | None = None,
    gamma: float = 2.0,
    class_axis: int = -1,
) -> Array:
    """sigmoid_focal_loss of optax."""

def dice_loss(
    predictions: Array | ndarray,
    targets: Array | ndarray,
    *,
    class_weights: Any = None,
    smooth: float = 1.0,
    alpha: float = 0.5,
    beta: float = 0.5,
    apply_softmax: bool = True,
    reduction: str = "mean",
    ignore_background: bool = False,
    axis: Any = None,
    class_axis: int = -1,
) -> Array:
    """dice_loss of optax."""

def binary_dice_loss(
    predictions: Array | ndarray,
    targets: Array | ndarray,
    *,
    smooth: float = 1.0,
    apply_sigmoid: bool = True,
    class_axis: int = -1,
) -> Array:
    """binary_dice_loss of optax."""
