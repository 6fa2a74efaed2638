"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from seglosses_jax.presets import PresetLoss

__all__ = [
    "BinaryFocalLoss",
    "BinaryLovaszLoss",
    "DiceLoss",
    "JaccardLoss",
    "LovaszLoss",
    "SoftBCEWithLogitsLoss",
    "SoftCrossEntropyLoss",
]

def DiceLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0.0,
    ignore_index: int | None = None,
    eps: float = 1e-07,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """DiceLoss of pytorch_toolbelt.

    It is called with y_pred, y_true.
    """

def JaccardLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0,
    eps: float = 1e-07,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """JaccardLoss of pytorch_toolbelt.

    It is called with y_pred, y_true.
    """

def BinaryFocalLoss(
    alpha: float | None = None,
    gamma: float = 2.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
    normalized: bool = False,
    reduced_threshold: float | None = None,
    activation: str = "sigmoid",
    softmax_dim: int | None = None,
    class_weights: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """BinaryFocalLoss of pytorch_toolbelt.

    It is called with inputs, targets.
    """

def BinaryLovaszLoss(
    per_image: bool = False, ignore_index: int | None = None, *, class_axis: int = -1
) -> PresetLoss:
    """BinaryLovaszLoss of pytorch_toolbelt.

    It is called with logits, target.
    """

def LovaszLoss(per_image: bool = False, ignore: int | None = None, *, class_axis: int = -1) -> PresetLoss:
    """LovaszLoss of pytorch_toolbelt.

    It is called with logits, target.
    """

def SoftBCEWithLogitsLoss(
    weight: Any = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
    smooth_factor: float | None = None,
    pos_weight: Any = None,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """SoftBCEWithLogitsLoss of pytorch_toolbelt.

    It is called with input, target.
    """

def SoftCrossEntropyLoss(
    reduction: str = "mean",
    smooth_factor: float = 0.0,
    ignore_index: int | None = -100,
    dim: int = 1,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """SoftCrossEntropyLoss of pytorch_toolbelt.

    It is called with input, target.
    """
