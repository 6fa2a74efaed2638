"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from seglosses_core.presets import PresetLoss

__all__ = [
    "AsymmetricUnifiedFocalLoss",
    "BoundaryLoss",
    "DiceCELoss",
    "DiceFocalLoss",
    "DiceLoss",
    "FocalLoss",
    "GeneralizedDiceFocalLoss",
    "GeneralizedDiceLoss",
    "GeneralizedWassersteinDiceLoss",
    "HausdorffDTLoss",
    "LogHausdorffDTLoss",
    "MCCLoss",
    "MaskedDiceLoss",
    "NACLLoss",
    "SoftDiceclDiceLoss",
    "SoftclDiceLoss",
    "TverskyLoss",
]

def DiceLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    squared_pred: bool = False,
    jaccard: bool = False,
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    weight: Any = None,
    soft_label: bool = False,
    ignore_index: int | None = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """DiceLoss of MONAI.

    It is called with input, target.
    """

def MaskedDiceLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    squared_pred: bool = False,
    jaccard: bool = False,
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    weight: Any = None,
    soft_label: bool = False,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """MaskedDiceLoss of MONAI.

    It is called with input, target, mask.
    """

def GeneralizedDiceLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    w_type: str = "square",
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    soft_label: bool = False,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """GeneralizedDiceLoss of MONAI.

    It is called with input, target.
    """

def GeneralizedWassersteinDiceLoss(
    dist_matrix: Any,
    weighting_mode: str = "default",
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """GeneralizedWassersteinDiceLoss of MONAI.

    It is called with input, target.
    """

def TverskyLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    alpha: float = 0.5,
    beta: float = 0.5,
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    soft_label: bool = False,
    ignore_index: int | None = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """TverskyLoss of MONAI.

    It is called with input, target.
    """

def MCCLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    smooth_nr: float = 0.0,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """MCCLoss of MONAI.

    It is called with input, target.
    """

def BoundaryLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    batch: bool = False,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """BoundaryLoss of MONAI.

    It is called with input, target.
    """

def HausdorffDTLoss(
    alpha: float = 2.0,
    include_background: bool = False,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    batch: bool = False,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """HausdorffDTLoss of MONAI.

    It is called with input, target.
    """

def LogHausdorffDTLoss(
    alpha: float = 2.0,
    include_background: bool = False,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    batch: bool = False,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """LogHausdorffDTLoss of MONAI.

    It is called with input, target.
    """

def SoftclDiceLoss(
    iter_: int = 3,
    smooth_nr: float = 1.0,
    smooth_dr: float = 1.0,
    smooth: float = 0.0001,
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """SoftclDiceLoss of MONAI.

    It is called with input, target.
    """

def SoftDiceclDiceLoss(
    iter_: int = 3,
    alpha: float = 0.5,
    smooth_nr: float = 1.0,
    smooth_dr: float = 1.0,
    smooth: float = 0.0001,
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """SoftDiceclDiceLoss of MONAI.

    It is called with input, target.
    """

def NACLLoss(
    classes: int,
    dim: int,
    kernel_size: int = 3,
    kernel_ops: str = "mean",
    distance_type: str = "l1",
    alpha: float = 0.1,
    sigma: float = 1.0,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """NACLLoss of MONAI.

    It is called with input, target.
    """

def AsymmetricUnifiedFocalLoss(
    to_onehot_y: bool = False,
    num_classes: int = 2,
    weight: float = 0.5,
    gamma: float = 0.5,
    delta: float = 0.7,
    reduction: str = "mean",
    ignore_index: int | None = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """AsymmetricUnifiedFocalLoss of MONAI.

    It is called with input, target.
    """

def DiceCELoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    squared_pred: bool = False,
    jaccard: bool = False,
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    weight: Any = None,
    lambda_dice: float = 1.0,
    lambda_ce: float = 1.0,
    label_smoothing: float = 0.0,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """DiceCELoss of MONAI.

    It is called with input, target.
    """

def FocalLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    gamma: float = 2.0,
    alpha: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    use_softmax: bool = False,
    ignore_index: int | None = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """FocalLoss of MONAI.

    It is called with input, target.
    """

def DiceFocalLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    squared_pred: bool = False,
    jaccard: bool = False,
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    gamma: float = 2.0,
    weight: Any = None,
    lambda_dice: float = 1.0,
    lambda_focal: float = 1.0,
    alpha: float | None = None,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """DiceFocalLoss of MONAI.

    It is called with input, target.
    """

def GeneralizedDiceFocalLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    w_type: str = "square",
    reduction: str = "mean",
    smooth_nr: float = 1e-05,
    smooth_dr: float = 1e-05,
    batch: bool = False,
    gamma: float = 2.0,
    weight: Any = None,
    lambda_gdl: float = 1.0,
    lambda_focal: float = 1.0,
    *,
    class_axis: int = 1,
) -> PresetLoss:
    """GeneralizedDiceFocalLoss of MONAI.

    It is called with input, target.
    """
