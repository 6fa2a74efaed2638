"""Made by scripts/make_stubs.py; not to be edited."""

from torch import Tensor

__all__ = ["sigmoid_focal_loss"]

def sigmoid_focal_loss(
    inputs: Tensor,
    targets: Tensor,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
    *,
    class_axis: int = 1,
) -> Tensor:
    """sigmoid_focal_loss of torchvision."""
