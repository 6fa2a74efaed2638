"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

__all__ = ["sigmoid_focal_loss"]

def sigmoid_focal_loss(
    inputs: Any,
    targets: Any,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
    *,
    class_axis: int = -1,
) -> Any:
    """sigmoid_focal_loss of torchvision."""
