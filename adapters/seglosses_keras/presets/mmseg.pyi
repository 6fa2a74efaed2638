"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from seglosses_keras.presets import PresetLoss

__all__ = ["CrossEntropyLoss", "DiceLoss", "FocalLoss", "LovaszLoss", "OhemCrossEntropy", "TverskyLoss"]

def CrossEntropyLoss(
    use_sigmoid: bool = False,
    use_mask: bool = False,
    reduction: str = "mean",
    class_weight: Any = None,
    loss_weight: float = 1.0,
    loss_name: str = "loss_ce",
    avg_non_ignore: bool = False,
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """CrossEntropyLoss of mmsegmentation.

    It is called with cls_score, label, weight, avg_factor, reduction_override, ignore_index.
    """

def DiceLoss(
    use_sigmoid: bool = True,
    activate: bool = True,
    reduction: str = "mean",
    naive_dice: bool = False,
    loss_weight: float = 1.0,
    ignore_index: int | None = 255,
    eps: float = 0.001,
    loss_name: str = "loss_dice",
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """DiceLoss of mmsegmentation.

    It is called with pred, target, weight, avg_factor, reduction_override, ignore_index.
    """

def FocalLoss(
    use_sigmoid: bool = True,
    gamma: float = 2.0,
    alpha: Any = 0.5,
    reduction: str = "mean",
    class_weight: Any = None,
    loss_weight: float = 1.0,
    loss_name: str = "loss_focal",
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """FocalLoss of mmsegmentation.

    It is called with pred, target, weight, avg_factor, reduction_override, ignore_index.
    """

def TverskyLoss(
    smooth: float = 1,
    class_weight: Any = None,
    loss_weight: float = 1.0,
    ignore_index: int | None = 255,
    alpha: float = 0.3,
    beta: float = 0.7,
    loss_name: str = "loss_tversky",
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """TverskyLoss of mmsegmentation.

    It is called with pred, target, weight, ignore_index.
    """

def LovaszLoss(
    loss_type: str = "multi_class",
    classes: Any = "present",
    per_image: bool = False,
    reduction: str = "mean",
    class_weight: Any = None,
    loss_weight: float = 1.0,
    loss_name: str = "loss_lovasz",
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """LovaszLoss of mmsegmentation.

    It is called with cls_score, label, weight, avg_factor, reduction_override, ignore_index.
    """

def OhemCrossEntropy(
    ignore_label: int = 255,
    thres: float = 0.7,
    min_kept: int = 100000,
    loss_weight: float = 1.0,
    class_weight: Any = None,
    loss_name: str = "loss_ohem",
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """OhemCrossEntropy of mmsegmentation.

    It is called with score, target.
    """
