"""Made by scripts/make_stubs.py; not to be edited."""

from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor
from torch.nn import Module

from seglosses_core import (
    HardExampleMining,
    MaxPooling,
    Minkowski,
    Pooling,
    TopK,
    border_weights,
    boundary_penalty,
    boundary_weights,
    class_weights_from_counts,
    cornernet_radius,
    gaussian_heatmap,
    gaussian_heatmap_from_labels,
    nearest_instance,
    signed_distance_map,
    spatially_varying_labels,
)
from seglosses_core.statistics import Statistics
from seglosses_torch.deep_supervision import DeepSupervisionLoss
from seglosses_torch.learnable import LearnablePower, LearnableWeights
from seglosses_torch.module import TorchLoss

__all__ = [
    "ActiveContourLoss",
    "AdaptiveWingLoss",
    "AsymmetricLoss",
    "AsymmetricSimilarityLoss",
    "BalancedCrossEntropyLoss",
    "BlobLoss",
    "BoundaryDoULoss",
    "BoundaryF1Loss",
    "BoundaryLoss",
    "CenterLoss",
    "ClCrossEntropyLoss",
    "ClDiceLoss",
    "CrossEntropyLoss",
    "DeepSupervisionLoss",
    "DiceLoss",
    "DicePlusPlusLoss",
    "DiceSemimetricLoss",
    "DistanceAwareCrossEntropyLoss",
    "DistancePenalizedCrossEntropyLoss",
    "EnsembleLoss",
    "ExponentialLogarithmicCrossEntropyLoss",
    "ExponentialLogarithmicDiceLoss",
    "ExponentialLogarithmicLoss",
    "FocalLoss",
    "FocalTverskyLoss",
    "GeneralizedCrossEntropyLoss",
    "GeneralizedDiceLoss",
    "GeneralizedSurfaceLoss",
    "GeneralizedWassersteinDiceLoss",
    "HardExampleMining",
    "HausdorffDTLoss",
    "HausdorffERLoss",
    "JaccardLoss",
    "JaccardMetricLoss",
    "KappaLoss",
    "LearnablePower",
    "LearnableWeights",
    "LocallyAdaptiveLoss",
    "LogCoshDiceLoss",
    "LogitAdjustedCrossEntropyLoss",
    "LovaszHingeLoss",
    "LovaszSoftmaxLoss",
    "MCCLoss",
    "MarginBasedLabelSmoothingLoss",
    "MaxPooling",
    "MeanSquaredErrorLoss",
    "Minkowski",
    "NACLLoss",
    "NoiseRobustDiceLoss",
    "PenaltyGeneralizedDiceLoss",
    "PointwiseExponentialLoss",
    "PolyCrossEntropyLoss",
    "PolyFocalLoss",
    "PowerDiceLoss",
    "PowerJaccardLoss",
    "QualityFocalLoss",
    "RecallCrossEntropyLoss",
    "RegionMutualInformationLoss",
    "SSIMLoss",
    "SensitivitySpecificityLoss",
    "SkeletonRecallLoss",
    "StructureLoss",
    "SymmetricCrossEntropyLoss",
    "TanimotoLoss",
    "TopK",
    "TorchLoss",
    "TverskyLoss",
    "TverskyPlusPlusLoss",
    "UnifiedFocalLoss",
    "border_weights",
    "boundary_penalty",
    "boundary_weights",
    "class_weights_from_counts",
    "combo_loss",
    "cornernet_radius",
    "gaussian_heatmap",
    "gaussian_heatmap_from_labels",
    "nearest_instance",
    "signed_distance_map",
    "spatially_varying_labels",
]

class CrossEntropyLoss(TorchLoss):
    """`ℓ = −Σ_c y_c log p_c`, for overlapping classes `ℓ = −y log p − (1 − y) log(1 − p)` for each."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        label_smoothing: float = 0.0,
        pos_weight: float | Sequence[float] | Tensor | Module | None = None,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class FocalLoss(TorchLoss):
    """`ℓ = −α_c (1 − p)^γ log p` at the label; for overlapping classes `−α (1 − p)^γ log p` where y = 1 and
    `−(1 − α) p^γ log(1 − p)` where y = 0, mixed by soft targets."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        gamma: float | Sequence[float] | Tensor | Module = 2.0,
        alpha: float | Sequence[float] | Tensor | Module | None = 0.25,
        normalized: bool = False,
        mixes: Literal["costs", "probabilities", "logarithms", "logits"] = "costs",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class DiceLoss(TorchLoss):
    """`L = 1 − (2 Σ y p + ε) / (Σ p + Σ y + ε)`, the Dice coefficient as a loss."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "product",
        log: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class JaccardLoss(TorchLoss):
    """`L = 1 − (Σ y p + ε) / (Σ p + Σ y − Σ y p + ε)`, intersection over union as a loss (Rahman and Wang 2016)."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "product",
        log: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class TverskyLoss(TorchLoss):
    """`L = 1 − (I + ε) / (I + α FP + β FN + ε)` with `I = Σ y p`, `FP = Σ p − I`, `FN = Σ y − I`."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "product",
        alpha: float = 0.5,
        beta: float = 0.5,
        log: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class FocalTverskyLoss(TorchLoss):
    """`L = u^γ` with `u = 1 − (I + ε) / (I + α FP + β FN + ε)` of the Tversky loss: what is nearly right counts for
    less with γ > 1, for more with γ < 1."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "product",
        alpha: float = 0.3,
        beta: float = 0.7,
        gamma: float = 0.75,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class LogCoshDiceLoss(TorchLoss):
    """`L = log cosh u` with `u = 1 − (2 Σ y p + ε) / (Σ p + Σ y + ε)` of the Dice loss: flat where that is small."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "product",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class ExponentialLogarithmicDiceLoss(TorchLoss):
    """`L = (−log s)^γ` with `s = (2 Σ y p + ε) / (Σ p + Σ y + ε)`, the Dice coefficient."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "product",
        gamma: float = 0.3,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class AsymmetricSimilarityLoss(TorchLoss):
    """`L = 1 − (1 + β²) I / ((1 + β²) I + β² FN + FP)` with `I = Σ y p`, `FP = Σ p − I`, `FN = Σ y − I`: 1 − F_β."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "product",
        beta: float = 1.5,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class DiceSemimetricLoss(TorchLoss):
    """`L = Σ |p − y| / (Σ p + Σ y + ε)`, Dice with `min(p, y)` for what prediction and target have in common."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "minimum",
        log: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class JaccardMetricLoss(TorchLoss):
    """`L = Σ |p − y| / (Σ max(p, y) + ε)`, Jaccard with `min(p, y)` for what prediction and target have in common."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        overlap: Literal["product", "minimum"] = "minimum",
        log: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class GeneralizedDiceLoss(TorchLoss):
    """`L = 1 − (2 Σ_c ω_c I_c + ε) / (Σ_c ω_c (P_c + T_c) + ε)` for each image, with `I = Σ y p`, `P = Σ p`,
    `T = Σ y` and `ω = 1 / T²`."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = False,
        overlap: Literal["product", "minimum"] = "product",
        weights: Literal["square", "simple", "uniform"] = "square",
        relative: bool = True,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class PenaltyGeneralizedDiceLoss(TorchLoss):
    """`L = (1 + k) u / (1 + k u)` with u the generalized Dice loss: false positives and false negatives count 1 + k
    times."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = False,
        overlap: Literal["product", "minimum"] = "product",
        weights: Literal["square", "simple", "uniform"] = "square",
        relative: bool = True,
        k: float = 2.5,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class BoundaryDoULoss(TorchLoss):
    """`L = (Σ (p − y)² + ε) / (Σ (p − y)² + (1 − α) Σ y p + ε)` with `α = 1 − 2 C / S`, C the pixels on the boundary
    of a class and S all of its pixels."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        max_alpha: float = 0.8,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class MCCLoss(TorchLoss):
    """`L = 1 − (TP TN − FP FN) / √((TP + FP) (TP + FN) (TN + FP) (TN + FN) + ε)`, Matthews' correlation coefficient."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float = 1e-05,
        pseudocount: float = 0.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class GeneralizedWassersteinDiceLoss(TorchLoss):
    """Dice for labels, where an error costs the distance M of the class from the right one: `W = Σ_c M_yc p_c` for each
    pixel, and for each image"""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        distances: Sequence[Sequence[float]] | Tensor | Module | None = None,
        weights: Literal["default", "foreground", "gdl"] = "default",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class SensitivitySpecificityLoss(TorchLoss):
    """`L = r Σ y (p − y)² / (Σ y + ε) + (1 − r) Σ (1 − y) (p − y)² / (Σ (1 − y) + ε)`."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        ratio: float = 0.05,
        smooth: float = 1e-05,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class NoiseRobustDiceLoss(TorchLoss):
    """Dice with a power on the errors, between the mean absolute error and squares:"""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        gamma: float = 1.5,
        denominator: Literal["linear", "squared"] = "linear",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class KappaLoss(TorchLoss):
    """`L = 1 − (2 (n I − P T) / n + ε) / (P + T − 2 P T / n + ε)` with `I = Σ y p`, `P = Σ p`, `T = Σ y` and n the
    number of pixels: 1 − Cohen's κ, in [0, 2]."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class DicePlusPlusLoss(TorchLoss):
    """`L = 1 − (2 I + ε) / (2 I + Σ (y (1 − p))^γ + Σ ((1 − y) p)^γ + ε)` with `I = Σ y p`."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        gamma: float = 2.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class TverskyPlusPlusLoss(TorchLoss):
    """`L = 1 − (I + ε) / (I + α Σ ((1 − y) p)^γ + β Σ (y (1 − p))^γ + ε)` with `I = Σ y p`."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        gamma: float = 2.0,
        alpha: float = 0.3,
        beta: float = 0.7,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class TanimotoLoss(TorchLoss):
    """`L = 1 − ½ (t(p, y) + t(1 − p, 1 − y))` with `t(p, y) = (Σ p y + ε) / (Σ p² + Σ y² − Σ p y + ε)`."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        complement: bool = True,
        depth: int = 0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class PowerDiceLoss(TorchLoss):
    """`L = 1 − (2 Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p + ε)`; p = 1 is Dice, p = 2 V-Net's."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        p: float | Tensor | Module = 2.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class PowerJaccardLoss(TorchLoss):
    """`L = 1 − (Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p − Σ y ŷ + ε)`; p = 1 is Jaccard."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        per_class: bool = True,
        p: float | Tensor | Module = 2.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class PointwiseExponentialLoss(TorchLoss):
    """Dice with a power on the prediction in the numerator and a factor on it, to fine-tune a saturated model:"""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        alpha: float = 20.0,
        exponent: float = 3.0,
        denominator: Literal["sum", "union"] = "sum",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class LocallyAdaptiveLoss(TorchLoss):
    """A pixel loss of predictions pooled over neighbours of the same label, with the Minkowski mean over pixels."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = ...,
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        kernel_size: int = 5,
        stride: int = 1,
        cost: TorchLoss | None = None,
        standardize: bool = True,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class CenterLoss(TorchLoss):
    """`ℓ = −log p_y + (λ/2) ‖x − c_y‖²` for every pixel, with x its features and c_y the centre of its class."""
    def __init__(
        self,
        *,
        num_classes: int,
        num_features: int | None = None,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        rate: float = 0.5,
        weight: float = 0.0003,
    ) -> None: ...
    centers: Tensor
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor: ...

class DistanceAwareCrossEntropyLoss(TorchLoss):
    """For sparse foreground, such as key points: a background pixel near the foreground is punished less."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "sigmoid",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        alpha: float = 2.0,
        beta: float = 4.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class MeanSquaredErrorLoss(TorchLoss):
    """`ℓ = (p − y)²` for each class of each pixel, p being a heat map as it is unless `activation` says otherwise."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "identity",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class PolyCrossEntropyLoss(TorchLoss):
    """`ℓ = −log p + ε (1 − p)` at the label; for overlapping classes of p where y = 1 and of 1 − p where y = 0, mixed
    by soft targets."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        epsilon: float = 1.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class PolyFocalLoss(TorchLoss):
    """`ℓ = α_c (−(1 − p)^γ log p + ε (1 − p)^(γ + 1))` at the label; for overlapping classes with α of p where y = 1
    and with 1 − α of 1 − p where y = 0, mixed by soft targets."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        gamma: float | Sequence[float] | Tensor | Module = 2.0,
        alpha: float | Sequence[float] | Tensor | Module | None = None,
        normalized: bool = False,
        mixes: Literal["costs", "probabilities", "logarithms", "logits"] = "costs",
        epsilon: float = 1.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class GeneralizedCrossEntropyLoss(TorchLoss):
    """`ℓ = (1 − p^q) / q` at the label, between cross-entropy, q → 0, and 1 − p, q = 1; for overlapping classes of p
    where y = 1 and of 1 − p where y = 0, mixed by soft targets."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        q: float = 0.7,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class SymmetricCrossEntropyLoss(TorchLoss):
    """`ℓ = −α Σ_c y_c log p_c − β Σ_c p_c max(log y_c, A)`, with labels `−α log p − βA (1 − p)`; for overlapping
    classes the same of each class and of its absence."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        alpha: float = 0.1,
        beta: float = 1.0,
        log_zero: float = -4.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class ExponentialLogarithmicCrossEntropyLoss(TorchLoss):
    """`ℓ = v_c (−log p)^γ` at the label; for overlapping classes `v_c (−log p)^γ` where y = 1 and `(−log(1 − p))^γ`
    where y = 0, mixed by soft targets."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        gamma: float = 0.3,
        label_weights: Sequence[float] | Tensor | Module | None = None,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class BalancedCrossEntropyLoss(TorchLoss):
    """`ℓ = −b y log p − (1 − b)(1 − y) log(1 − p)`, with b the share of an image that a class does not have."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "sigmoid",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class AsymmetricLoss(TorchLoss):
    """The focal loss with exponents of its own for presence and absence, and a margin below which absence is free:"""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "sigmoid",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        gamma_positive: float = 0.0,
        gamma_negative: float = 4.0,
        margin: float = 0.05,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class QualityFocalLoss(TorchLoss):
    """`ℓ = |y − p|^β (−y log p − (1 − y) log(1 − p))`, the focal loss for soft targets, 0 at p = y."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "sigmoid",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        beta: float = 2.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class LogitAdjustedCrossEntropyLoss(TorchLoss):
    """`ℓ = −Σ_c y_c log softmax(z + τ log π)_c`, with π how often classes occur: rare ones need a larger margin."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        priors: Sequence[float] | Tensor | Module,
        tau: float = 1.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class RecallCrossEntropyLoss(TorchLoss):
    """`ℓ = −(1 − R_y) log p_y`, with R_c the share of the pixels of class c for which c is the most likely class."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class MarginBasedLabelSmoothingLoss(TorchLoss):
    """`ℓ = −Σ_c y_c log p_c + (λ / C) Σ_c max(max_j z_j − z_c − m, 0)` for every pixel, z being its logits."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        weight: float = 0.1,
        margin: float = 10.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class NACLLoss(TorchLoss):
    """`ℓ = −Σ_c y_c log p_c + (λ / C) Σ_c |z_c − v_c|` for every pixel, z being its logits and v the mean of the target
    over the window around it."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        weight: float = 0.1,
        kernel_size: int = 3,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class AdaptiveWingLoss(TorchLoss):
    """`ℓ = ω log(1 + (d / ε)^(α − y))` with `d = |y − p|` below θ, from there on a straight line that continues it."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "identity",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        alpha: float = 2.1,
        omega: float = 14.0,
        epsilon: float = 1.0,
        theta: float = 0.5,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class StructureLoss(TorchLoss):
    """`L = Σ m ℓ / Σ m + 1 − (Σ m p y + 1) / (Σ m (p + y − p y) + 1)` for each image and class, ℓ the binary
    cross-entropy and `m = 1 + 5 max_c |mean(y_c) − y_c|` over the window around a pixel."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "sigmoid",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        kernel_size: int = 31,
        factor: float = 5.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class LovaszSoftmaxLoss(TorchLoss):
    """`L = Σ_i m_i g_i` for each class, with the errors `m = |y − p|` in falling order and g what the Jaccard loss of
    wrong pixels grows by with each of them: its Lovász extension, convex in p."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "batch",
        absent: Literal["count", "skip", "zero"] = "skip",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class LovaszHingeLoss(TorchLoss):
    """`L = Σ_i m_i g_i` for each class, with the hinge errors `m = max(0, 1 − σ z)` of the logits in falling order, σ
    being 1 where y = 1 and −1 elsewhere, and g what the Jaccard loss of wrong pixels grows by with each of them."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "sigmoid",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class BoundaryLoss(TorchLoss):
    """`L = Σ_i φ_i p_i / n` over the n pixels, with φ the distance to the boundary of the target, negative inside: half
    the squared distance between the contours, less what it is for a perfect prediction. It may be below 0."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        spacing: Sequence[float] | None = None,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        distances: Tensor | None = None,
    ) -> Tensor: ...

class GeneralizedSurfaceLoss(TorchLoss):
    """`L = 1 − Σ_i (φ_i (1 − y_i − p_i))² / Σ_i φ_i²` with φ the signed distance to the boundary of the target: 0 for a
    perfect prediction, 1 for its opposite."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        spacing: Sequence[float] | None = None,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        distances: Tensor | None = None,
    ) -> Tensor: ...

class HausdorffDTLoss(TorchLoss):
    """`L = Σ_i (p_i − y_i)² (d_i^α + e_i^α) / n` over the n pixels, with d the distance to the boundary of the target
    and e that to the boundary of the prediction, where p > ½."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        spacing: Sequence[float] | None = None,
        alpha: float = 2.0,
        one_sided: bool = False,
        log: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        distances: Tensor | None = None,
    ) -> Tensor: ...

class HausdorffERLoss(TorchLoss):
    """`L = Σ_k k^α mean b_k` over K erosions of the squared errors `b_0 = (p − y)²`: a thick error lasts
    longest."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        alpha: float = 2.0,
        erosions: int = 10,
        threshold: float = 0.5,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class DistancePenalizedCrossEntropyLoss(TorchLoss):
    """`ℓ = −(1 + Φ) Σ_c y_c log p_c`, with Φ = 1 at the boundary of each pixel's label and 0 where that is deepest
    (`boundary_penalty`). The mean is over the pixels: Φ is no weight."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        label_smoothing: float = 0.0,
        pos_weight: float | Sequence[float] | Tensor | Module | None = None,
        spacing: Sequence[float] | None = None,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
    ) -> Tensor: ...

class ClDiceLoss(TorchLoss):
    """`L = 1 − 2 P R / (P + R + η)` with `P = (Σ S_p y + ε) / (Σ S_p + ε)` and `R = (Σ S_y p + ε) / (Σ S_y + ε)`, where
    S_p and S_y are the soft skeletons of prediction and target: how much of either's centreline lies in the other."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1.0,
        iterations: int = 10,
        harmonic_smooth: float = 0.0,
        per_class: bool = True,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        skeleton: Tensor | None = None,
    ) -> Tensor: ...

class ClCrossEntropyLoss(TorchLoss):
    """`ℓ = −(S_y + S_p) Σ_c y_c log p_c`, with S_y and S_p the soft skeletons of the foreground of target and of
    prediction (`ClDiceLoss`): cross-entropy along the centrelines. The mean is over all pixels."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        clip: float = 0.0,
        overlapping: bool | None = None,
        label_smoothing: float = 0.0,
        pos_weight: float | Sequence[float] | Tensor | Module | None = None,
        iterations: int = 3,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        factor: Tensor | None = None,
        skeleton: Tensor | None = None,
    ) -> Tensor: ...

class SkeletonRecallLoss(TorchLoss):
    """`L = 1 − (Σ p t + ε) / (Σ t + ε)`, with t the pixels of each class that are near its skeleton: how much of the
    centrelines is found."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float = 1.0,
        iterations: int = 10,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        skeleton: Tensor | None = None,
    ) -> Tensor: ...

class BoundaryF1Loss(TorchLoss):
    """`L = 1 − 2 P R / (P + R)` with `P = (Σ b_p e_y + ε) / (Σ b_p + ε)` and `R = (Σ b_y e_p + ε) / (Σ b_y + ε)`, where
    `b = x − erode(x)` is the inner boundary of prediction and target, and `e = dilate(b)` what lies near it."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        smooth: float | tuple[float, float] = 1e-05,
        width: int = 3,
        tolerance: int = 5,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class SSIMLoss(TorchLoss):
    """`L = 1 − mean (2 μ_p μ_y + c1) (2 σ_py + c2) / ((μ_p² + μ_y² + c1) (σ_p² + σ_y² + c2))`, with the means, the
    variances and the covariance in a Gaussian window around each pixel."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        window: int = 11,
        sigma: float = 1.5,
        k1: float = 0.01,
        k2: float = 0.03,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class ActiveContourLoss(TorchLoss):
    """`L = mean √(|∇p|² + 10⁻⁸) + λ (μ mean p (1 − y)² + mean (1 − p) y²)`: the length of the contour and how far it
    is from the target; of a hard target and μ = 1 total variation and the mean of |p − y|."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        weight: float = 1.0,
        inside: float = 1.0,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class RegionMutualInformationLoss(TorchLoss):
    """`L = log det M / (2 d)` with `M = Y Yᵀ − Y Xᵀ (X Xᵀ + α)⁻¹ X Yᵀ + α`, where the columns of X and Y are the d
    pixels of each window of prediction and target, less their mean: what a linear guess from X leaves open of Y, a
    bound on their mutual information."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "count",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        radius: int = 3,
        pool: int = 3,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
    ) -> Tensor: ...

class BlobLoss(TorchLoss):
    """`L = mean_k L_k` over the instances k of a class in an image, with L_k a region loss of the pixels of k and of
    the background: small instances count as much as large ones."""
    def __init__(
        self,
        *,
        activation: Literal["softmax", "sigmoid", "identity"] = "softmax",
        class_axis: int = 1,
        ignore_index: int | None = None,
        reduction: Literal["mean", "sum", "none"] | Pooling = "mean",
        class_weights: Sequence[float] | Tensor | Module | None = None,
        divisor: Literal["weights", "valid", "all"] = "weights",
        validate: bool = False,
        aggregate: Literal["image", "batch"] = "image",
        absent: Literal["count", "skip", "zero"] = "skip",
        include_background: bool = True,
        average: Literal["pooled", "image", "class"] = "pooled",
        loss: TorchLoss | None = None,
        num_instances: int = 32,
        region: Literal["shared", "own"] = "shared",
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        instances: Tensor,
    ) -> Tensor: ...

class EnsembleLoss(TorchLoss):
    """`L = Σ_i w_i L_i`, also spelled `0.3 * a + 0.7 * b`. Members of one activation share its computation."""
    def __init__(
        self,
        *,
        losses: Sequence[TorchLoss],
        weights: Sequence[float | Tensor | Module] | Tensor | Module | None = None,
        sum_to_one: bool = False,
    ) -> None: ...
    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        **inputs: Tensor | None,
    ) -> Tensor: ...
    def parts(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        **inputs: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]: ...

def combo_loss(*, alpha: float = 0.5, beta: float = 0.5, **common: Any) -> EnsembleLoss:
    """`L = α CE_β + (1 − α) Dice`, with `CE_β = −mean[β y log p + (1 − β)(1 − y) log(1 − p)]` and one Dice over the
    batch, ε = 1: an `EnsembleLoss`, for overlapping classes."""

def UnifiedFocalLoss(
    *,
    weight: float = 0.5,
    delta: float = 0.6,
    gamma: float = 0.5,
    asymmetric: bool = True,
    rare: int | Sequence[int] = 1,
    num_classes: int = 2,
    **common: Any,
) -> EnsembleLoss:
    """`L = λ F + (1 − λ) R`, a focal loss of pixels and one of regions with common parameters: an `EnsembleLoss`."""

def ExponentialLogarithmicLoss(
    *,
    weight: float = 0.8,
    gamma: float = 0.3,
    gamma_cross_entropy: float = 0.3,
    label_weights: Any = None,
    **common: Any,
) -> EnsembleLoss:
    """`L = λ mean_c (−log s_c)^γ + (1 − λ) mean_i v_y (−log p)^γ'`, with s the Dice coefficient, ε = 1: an
    `EnsembleLoss`."""
