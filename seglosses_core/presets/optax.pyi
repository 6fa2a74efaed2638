"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

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
    logits: Any, labels: Any, axis: Any = -1, where: Any = None, *, class_axis: int = 1
) -> Any:
    """softmax_cross_entropy of optax."""

def safe_softmax_cross_entropy(logits: Any, labels: Any, *, class_axis: int = 1) -> Any:
    """safe_softmax_cross_entropy of optax."""

def softmax_cross_entropy_with_integer_labels(
    logits: Any, labels: Any, axis: Any = -1, where: Any = None, *, class_axis: int = 1
) -> Any:
    """softmax_cross_entropy_with_integer_labels of optax."""

def poly_loss_cross_entropy(
    logits: Any, labels: Any, *, epsilon: float = 2.0, axis: Any = -1, where: Any = None, class_axis: int = 1
) -> Any:
    """poly_loss_cross_entropy of optax."""

def sigmoid_binary_cross_entropy(logits: Any, labels: Any, *, class_axis: int = 1) -> Any:
    """sigmoid_binary_cross_entropy of optax."""

def sigmoid_focal_loss(
    logits: Any, labels: Any, *, alpha: float | None = None, gamma: float = 2.0, class_axis: int = 1
) -> Any:
    """sigmoid_focal_loss of optax."""

def dice_loss(
    predictions: Any,
    targets: Any,
    *,
    class_weights: Any = None,
    smooth: float = 1.0,
    alpha: float = 0.5,
    beta: float = 0.5,
    apply_softmax: bool = True,
    reduction: str = "mean",
    ignore_background: bool = False,
    axis: Any = None,
    class_axis: int = 1,
) -> Any:
    """dice_loss of optax."""

def binary_dice_loss(
    predictions: Any, targets: Any, *, smooth: float = 1.0, apply_sigmoid: bool = True, class_axis: int = 1
) -> Any:
    """binary_dice_loss of optax."""
