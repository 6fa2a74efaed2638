"""Made by scripts/make_stubs.py; not to be edited."""

import numpy as np
from jax import Array

__all__ = ["sigmoid_focal_loss"]

def sigmoid_focal_loss(
    inputs: Array | np.ndarray,
    targets: Array | np.ndarray,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
    *,
    class_axis: int = -1,
) -> Array:
    """sigmoid_focal_loss of torchvision."""
