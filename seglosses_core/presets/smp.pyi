"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from seglosses_core.presets import PresetLoss

__all__ = [
    "DiceLoss",
    "FocalLoss",
    "JaccardLoss",
    "LovaszLoss",
    "MCCLoss",
    "SoftBCEWithLogitsLoss",
    "SoftCrossEntropyLoss",
    "TverskyLoss",
]

def DiceLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0.0,
    ignore_index: int | None = None,
    eps: float = 1e-07,
    class_weights: Any = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """DiceLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """

def JaccardLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0.0,
    ignore_index: int | None = None,
    eps: float = 1e-07,
    class_weights: Any = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """JaccardLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """

def TverskyLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0.0,
    ignore_index: int | None = None,
    eps: float = 1e-07,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 1.0,
    class_weights: Any = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """TverskyLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """

def FocalLoss(
    mode: str,
    alpha: float | None = None,
    gamma: float = 2.0,
    ignore_index: int | None = None,
    from_logits: bool = True,
    eps: float = 1e-07,
    reduction: str = "mean",
    normalized: bool = False,
    reduced_threshold: float | None = None,
    class_weights: Any = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """FocalLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """

def SoftBCEWithLogitsLoss(
    weight: Any = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
    smooth_factor: float | None = None,
    pos_weight: Any = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """SoftBCEWithLogitsLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """

def SoftCrossEntropyLoss(
    reduction: str = "mean",
    smooth_factor: float | None = None,
    ignore_index: int | None = -100,
    dim: int = 1,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """SoftCrossEntropyLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """

def LovaszLoss(
    mode: str,
    per_image: bool = False,
    ignore_index: int | None = None,
    from_logits: bool = True,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """LovaszLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """

def MCCLoss(eps: float = 1e-05, *, class_axis: int = 1) -> PresetLoss:
    """MCCLoss of segmentation_models_pytorch.

    It is called with y_pred, y_true.
    """
