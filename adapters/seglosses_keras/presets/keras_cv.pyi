"""Made by scripts/make_stubs.py; not to be edited."""

from typing import Any

from seglosses_keras.presets import PresetLoss

__all__ = ["BinaryPenaltyReducedFocalCrossEntropy", "FocalLoss"]

def FocalLoss(
    alpha: float = 0.25,
    gamma: float = 2,
    from_logits: bool = False,
    label_smoothing: float = 0,
    *,
    name: str | None = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
    class_axis: int = -1,
) -> PresetLoss:
    """FocalLoss of KerasCV.

    It is called with y_pred, y_true.
    """

def BinaryPenaltyReducedFocalCrossEntropy(
    alpha: float = 2.0,
    beta: float = 4.0,
    from_logits: bool = False,
    positive_threshold: float = 0.99,
    positive_weight: float = 1.0,
    negative_weight: float = 1.0,
    reduction: str | None = "sum_over_batch_size",
    name: str = "binary_penalty_reduced_focal_cross_entropy",
    *,
    class_axis: int = -1,
) -> PresetLoss:
    """BinaryPenaltyReducedFocalCrossEntropy of KerasCV.

    It is called with y_pred, y_true.
    """
