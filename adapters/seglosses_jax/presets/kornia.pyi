"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from jax import Array
from numpy import ndarray

from seglosses_jax.presets import PresetLoss

__all__ = [
    "BinaryFocalLossWithLogits",
    "DiceLoss",
    "FocalLoss",
    "HausdorffERLoss",
    "HausdorffERLoss3D",
    "LovaszHingeLoss",
    "LovaszSoftmaxLoss",
    "TverskyLoss",
    "binary_focal_loss_with_logits",
    "dice_loss",
    "focal_loss",
    "lovasz_hinge_loss",
    "lovasz_softmax_loss",
    "tversky_loss",
]

def DiceLoss(
    average: str = "micro",
    eps: float = 1e-08,
    weight: Any = None,
    ignore_index: int | None = -100,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """DiceLoss of kornia.

    It is called with pred, target.
    """

def dice_loss(
    pred: Array | ndarray,
    target: Array | ndarray,
    average: str = "micro",
    eps: float = 1e-08,
    weight: Any = None,
    ignore_index: int | None = -100,
    *,
    class_axis: int = -1,
) -> Array:
    """dice_loss of kornia."""

def TverskyLoss(
    alpha: float, beta: float, eps: float = 1e-08, ignore_index: int | None = -100, *, class_axis: int = -1
) -> PresetLoss:
    """TverskyLoss of kornia.

    It is called with pred, target.
    """

def tversky_loss(
    pred: Array | ndarray,
    target: Array | ndarray,
    alpha: float,
    beta: float,
    eps: float = 1e-08,
    ignore_index: int | None = -100,
    *,
    class_axis: int = -1,
) -> Array:
    """tversky_loss of kornia."""

def FocalLoss(
    alpha: float | None,
    gamma: float = 2.0,
    reduction: str = "none",
    weight: Any = None,
    ignore_index: int | None = -100,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """FocalLoss of kornia.

    It is called with pred, target.
    """

def focal_loss(
    pred: Array | ndarray,
    target: Array | ndarray,
    alpha: float | None,
    gamma: float = 2.0,
    reduction: str = "none",
    weight: Any = None,
    ignore_index: int | None = -100,
    *,
    class_axis: int = -1,
) -> Array:
    """focal_loss of kornia."""

def BinaryFocalLossWithLogits(
    alpha: float | None,
    gamma: float = 2.0,
    reduction: str = "none",
    pos_weight: Any = None,
    weight: Any = None,
    ignore_index: int | None = -100,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """BinaryFocalLossWithLogits of kornia.

    It is called with pred, target.
    """

def binary_focal_loss_with_logits(
    pred: Array | ndarray,
    target: Array | ndarray,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    reduction: str = "none",
    pos_weight: Any = None,
    weight: Any = None,
    ignore_index: int | None = -100,
    *,
    class_axis: int = -1,
) -> Array:
    """binary_focal_loss_with_logits of kornia."""

def HausdorffERLoss(
    alpha: float = 2.0, k: int = 10, reduction: str = "mean", *, class_axis: int = -1
) -> PresetLoss:
    """HausdorffERLoss of kornia.

    It is called with pred, target.
    """

def HausdorffERLoss3D(
    alpha: float = 2.0, k: int = 10, reduction: str = "mean", *, class_axis: int = -1
) -> PresetLoss:
    """HausdorffERLoss3D of kornia.

    It is called with pred, target.
    """

def LovaszSoftmaxLoss(weight: Any = None, *, class_axis: int = -1) -> PresetLoss:
    """LovaszSoftmaxLoss of kornia.

    It is called with pred, target.
    """

def lovasz_softmax_loss(
    pred: Array | ndarray, target: Array | ndarray, weight: Any = None, *, class_axis: int = -1
) -> Array:
    """lovasz_softmax_loss of kornia."""

def LovaszHingeLoss(*, class_axis: int = -1) -> PresetLoss:
    """LovaszHingeLoss of kornia.

    It is called with pred, target.
    """

def lovasz_hinge_loss(pred: Array | ndarray, target: Array | ndarray, *, class_axis: int = -1) -> Array:
    """lovasz_hinge_loss of kornia."""
