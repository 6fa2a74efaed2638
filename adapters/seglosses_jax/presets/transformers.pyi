"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from jax import Array
from numpy import ndarray

__all__ = ["ForSemanticSegmentationLoss", "dice_loss", "sigmoid_cross_entropy_loss", "sigmoid_focal_loss"]

def ForSemanticSegmentationLoss(
    logits: Array | ndarray,
    labels: Array | ndarray,
    ignore_index: int = 255,
    num_items_in_batch: Any = None,
    auxiliary_logits: None = None,
    auxiliary_loss_weight: float = 0.4,
    *,
    class_axis: int = -1,
) -> Array:
    """ForSemanticSegmentationLoss of Hugging Face transformers."""

def dice_loss(
    inputs: Array | ndarray, labels: Array | ndarray, num_masks: Any, *, class_axis: int = -1
) -> Array:
    """dice_loss of Hugging Face transformers."""

def sigmoid_focal_loss(
    inputs: Array | ndarray,
    labels: Array | ndarray,
    num_masks: Any,
    alpha: float = 0.25,
    gamma: float = 2,
    *,
    class_axis: int = -1,
) -> Array:
    """sigmoid_focal_loss of Hugging Face transformers."""

def sigmoid_cross_entropy_loss(
    inputs: Array | ndarray, labels: Array | ndarray, num_masks: Any, *, class_axis: int = -1
) -> Array:
    """sigmoid_cross_entropy_loss of Hugging Face transformers."""
