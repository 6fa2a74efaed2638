"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from seglosses_core.presets import PresetLoss

__all__ = [
    "DC_and_BCE_loss",
    "DC_and_CE_loss",
    "DC_and_topk_loss",
    "MemoryEfficientSoftDiceLoss",
    "RobustCrossEntropyLoss",
    "SoftDiceLoss",
    "TopKLoss",
]

def SoftDiceLoss(
    apply_nonlin: Any = None,
    batch_dice: bool = False,
    do_bg: bool = True,
    smooth: float = 1.0,
    ddp: bool = True,
    clip_tp: float | None = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """SoftDiceLoss of nnU-Net.

    It is called with x, y, loss_mask.
    """

def MemoryEfficientSoftDiceLoss(
    apply_nonlin: Any = None,
    batch_dice: bool = False,
    do_bg: bool = True,
    smooth: float = 1.0,
    ddp: bool = True,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """MemoryEfficientSoftDiceLoss of nnU-Net.

    It is called with x, y, loss_mask.
    """

def RobustCrossEntropyLoss(
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """RobustCrossEntropyLoss of nnU-Net.

    It is called with input, target.
    """

def TopKLoss(
    weight: Any = None,
    ignore_index: int = -100,
    k: float = 10,
    label_smoothing: float = 0,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """TopKLoss of nnU-Net.

    It is called with inp, target.
    """

def DC_and_CE_loss(
    soft_dice_kwargs: Any,
    ce_kwargs: Any,
    weight_ce: float = 1,
    weight_dice: float = 1,
    ignore_label: int | None = None,
    dice_class: Any = "SoftDiceLoss",
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """DC_and_CE_loss of nnU-Net.

    It is called with net_output, target.
    """

def DC_and_topk_loss(
    soft_dice_kwargs: Any,
    ce_kwargs: Any,
    weight_ce: float = 1,
    weight_dice: float = 1,
    ignore_label: int | None = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """DC_and_topk_loss of nnU-Net.

    It is called with net_output, target.
    """

def DC_and_BCE_loss(
    bce_kwargs: Any,
    soft_dice_kwargs: Any,
    weight_ce: float = 1,
    weight_dice: float = 1,
    use_ignore_label: bool = False,
    dice_class: Any = "MemoryEfficientSoftDiceLoss",
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """DC_and_BCE_loss of nnU-Net.

    It is called with net_output, target.
    """
