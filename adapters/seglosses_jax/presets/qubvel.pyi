"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from jax import Array
from numpy import ndarray

from seglosses_jax.presets import PresetLoss

__all__ = [
    "BinaryCELoss",
    "BinaryFocalLoss",
    "CategoricalCELoss",
    "CategoricalFocalLoss",
    "DiceLoss",
    "JaccardLoss",
    "bce_dice_loss",
    "bce_jaccard_loss",
    "binary_crossentropy",
    "binary_focal_dice_loss",
    "binary_focal_jaccard_loss",
    "binary_focal_loss",
    "categorical_crossentropy",
    "categorical_focal_dice_loss",
    "categorical_focal_jaccard_loss",
    "categorical_focal_loss",
    "cce_dice_loss",
    "cce_jaccard_loss",
    "dice_loss",
    "jaccard_loss",
]

def JaccardLoss(
    class_weights: Any = None,
    class_indexes: Any = None,
    per_image: bool = False,
    smooth: float = 1e-05,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """JaccardLoss of segmentation_models.

    It is called with pr, gt.
    """

def DiceLoss(
    beta: float = 1,
    class_weights: Any = None,
    class_indexes: Any = None,
    per_image: bool = False,
    smooth: float = 1e-05,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """DiceLoss of segmentation_models.

    It is called with pr, gt.
    """

def BinaryCELoss(*, class_axis: int = -1) -> PresetLoss:
    """BinaryCELoss of segmentation_models.

    It is called with pr, gt.
    """

def CategoricalCELoss(
    class_weights: Any = None, class_indexes: Any = None, *, class_axis: int = -1
) -> PresetLoss:
    """CategoricalCELoss of segmentation_models.

    It is called with pr, gt.
    """

def CategoricalFocalLoss(
    alpha: float = 0.25, gamma: float = 2.0, class_indexes: Any = None, *, class_axis: int = -1
) -> PresetLoss:
    """CategoricalFocalLoss of segmentation_models.

    It is called with pr, gt.
    """

def BinaryFocalLoss(alpha: float = 0.25, gamma: float = 2.0, *, class_axis: int = -1) -> PresetLoss:
    """BinaryFocalLoss of segmentation_models.

    It is called with pr, gt.
    """

def jaccard_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """jaccard_loss of segmentation_models."""

def dice_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """dice_loss of segmentation_models."""

def binary_focal_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """binary_focal_loss of segmentation_models."""

def categorical_focal_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """categorical_focal_loss of segmentation_models."""

def binary_crossentropy(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """binary_crossentropy of segmentation_models."""

def categorical_crossentropy(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """categorical_crossentropy of segmentation_models."""

def bce_dice_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """bce_dice_loss of segmentation_models."""

def bce_jaccard_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """bce_jaccard_loss of segmentation_models."""

def cce_dice_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """cce_dice_loss of segmentation_models."""

def cce_jaccard_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """cce_jaccard_loss of segmentation_models."""

def binary_focal_dice_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """binary_focal_dice_loss of segmentation_models."""

def binary_focal_jaccard_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """binary_focal_jaccard_loss of segmentation_models."""

def categorical_focal_dice_loss(gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1) -> Array:
    """categorical_focal_dice_loss of segmentation_models."""

def categorical_focal_jaccard_loss(
    gt: Array | ndarray, pr: Array | ndarray, *, class_axis: int = -1
) -> Array:
    """categorical_focal_jaccard_loss of segmentation_models."""
