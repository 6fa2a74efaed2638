"""Made by scripts/make_stubs.py; not to be edited."""

from jax import Array
from numpy import ndarray

__all__ = ["sigmoid_focal_loss"]

def sigmoid_focal_loss(
    inputs: Array | ndarray,
    targets: Array | ndarray,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
    *,
    class_axis: int = -1,
) -> Array:
    """sigmoid_focal_loss of torchvision."""
