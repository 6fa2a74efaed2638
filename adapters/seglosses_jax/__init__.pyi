"""Made by scripts/make_stubs.py; not to be edited."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import Array

import seglosses_core
from seglosses_core import (
    Loss,
    MaxPooling,
    Minkowski,
    Pooling,
    TopK,
    border_weights,
    boundary_penalty,
    cornernet_radius,
    nearest_instance,
)
from seglosses_core.pixel import PixelLoss
from seglosses_jax.loss import JaxLoss

__all__ = [
    "ActiveContourLoss",
    "BoundaryF1Loss",
    "BoundaryLoss",
    "CenterLoss",
    "ClCrossEntropyLoss",
    "ClDiceLoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "DistanceAwareCrossEntropyLoss",
    "DistancePenalizedCrossEntropyLoss",
    "EnsembleLoss",
    "FocalLoss",
    "FocalTverskyLoss",
    "GeneralizedDiceLoss",
    "GeneralizedSurfaceLoss",
    "HausdorffDTLoss",
    "JaccardLoss",
    "JaxLoss",
    "LocallyAdaptiveLoss",
    "LovaszHingeLoss",
    "LovaszSoftmaxLoss",
    "MaxPooling",
    "MeanSquaredErrorLoss",
    "Minkowski",
    "PointwiseExponentialLoss",
    "PowerDiceLoss",
    "PowerJaccardLoss",
    "SSIMLoss",
    "SkeletonRecallLoss",
    "TopK",
    "TverskyLoss",
    "border_weights",
    "boundary_penalty",
    "cornernet_radius",
    "gaussian_heatmap",
    "gaussian_heatmap_from_labels",
    "nearest_instance",
    "signed_distance_map",
]

class CrossEntropyLoss(JaxLoss, seglosses_core.CrossEntropyLoss):
    """`ℓ = −Σ_c y_c log p_c`, for overlapping classes `ℓ = −y log p − (1 − y) log(1 − p)` for each."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        clip: float = 0.0,
        label_smoothing: float = 0.0,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class FocalLoss(JaxLoss, seglosses_core.FocalLoss):
    """`ℓ = −α_c (1 − p)^γ log p` at the label; for overlapping classes `−α (1 − p)^γ log p` where y = 1 and
    `−(1 − α) p^γ log(1 − p)` where y = 0, mixed by soft targets."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        clip: float = 0.0,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | Array | np.ndarray | None = 0.25,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class DiceLoss(JaxLoss, seglosses_core.DiceLoss):
    """`L = 1 − (2 Σ y p + ε) / (Σ p + Σ y + ε)`, the Dice coefficient as a loss."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class JaccardLoss(JaxLoss, seglosses_core.JaccardLoss):
    """`L = 1 − (Σ y p + ε) / (Σ p + Σ y − Σ y p + ε)`, intersection over union as a loss (Rahman and Wang 2016)."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class TverskyLoss(JaxLoss, seglosses_core.TverskyLoss):
    """`L = 1 − (I + ε) / (I + α FP + β FN + ε)` with `I = Σ y p`, `FP = Σ p − I`, `FN = Σ y − I`."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
        alpha: float = 0.5,
        beta: float = 0.5,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class FocalTverskyLoss(JaxLoss, seglosses_core.FocalTverskyLoss):
    """`L = u^γ` with `u = 1 − (I + ε) / (I + α FP + β FN + ε)` of the Tversky loss: what is nearly right counts for
    less with γ > 1, for more with γ < 1."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
        alpha: float = 0.3,
        beta: float = 0.7,
        gamma: float = 0.75,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class GeneralizedDiceLoss(JaxLoss, seglosses_core.GeneralizedDiceLoss):
    """`L = 1 − (2 Σ_c ω_c I_c + ε) / (Σ_c ω_c (P_c + T_c) + ε)` for each image, with `I = Σ y p`, `P = Σ p`,
    `T = Σ y` and `ω = 1 / T²`."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
        weights: str = "square",
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class PowerDiceLoss(JaxLoss, seglosses_core.PowerDiceLoss):
    """`L = 1 − (2 Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p + ε)`; p = 1 is Dice, p = 2 V-Net's."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
        p: float | Array | np.ndarray = 2.0,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class PowerJaccardLoss(JaxLoss, seglosses_core.PowerJaccardLoss):
    """`L = 1 − (Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p − Σ y ŷ + ε)`; p = 1 is Jaccard."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
        p: float | Array | np.ndarray = 2.0,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class PointwiseExponentialLoss(JaxLoss, seglosses_core.PointwiseExponentialLoss):
    """Dice with a power on the prediction in the numerator and a factor on it, to fine-tune a saturated model:"""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float | tuple[float, float] = 1e-05,
        alpha: float = 20.0,
        exponent: float = 3.0,
        denominator: str = "sum",
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class LocallyAdaptiveLoss(JaxLoss, seglosses_core.LocallyAdaptiveLoss):
    """A pixel loss of predictions pooled over neighbours of the same label, with the Minkowski mean over pixels."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = ...,
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        kernel_size: int = 5,
        stride: int = 1,
        cost: PixelLoss = ...,
        standardize: bool = True,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class CenterLoss(JaxLoss, seglosses_core.CenterLoss):
    """`ℓ = −log p_y + (λ/2) ‖x − c_y‖²` for every pixel, with x its features and c_y the centre of its class."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        rate: float = 0.5,
        weight: float = 0.0003,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        features: Array | np.ndarray | None = None,
        centers: Array | np.ndarray,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        features: Array | np.ndarray | None = None,
        centers: Array | np.ndarray,
    ) -> tuple[Array, Any]: ...

class DistanceAwareCrossEntropyLoss(JaxLoss, seglosses_core.DistanceAwareCrossEntropyLoss):
    """For sparse foreground, such as key points: a background pixel near the foreground is punished less."""
    def __init__(
        self,
        *,
        activation: str = "sigmoid",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        clip: float = 0.0,
        alpha: float = 2.0,
        beta: float = 4.0,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class MeanSquaredErrorLoss(JaxLoss, seglosses_core.MeanSquaredErrorLoss):
    """`ℓ = (p − y)²` for each class of each pixel, p being a heat map as it is unless `activation` says otherwise."""
    def __init__(
        self,
        *,
        activation: str = "identity",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class LovaszSoftmaxLoss(JaxLoss, seglosses_core.LovaszSoftmaxLoss):
    """`L = Σ_i m_i g_i` for each class, with the errors `m = |y − p|` in falling order and g what the Jaccard loss of
    wrong pixels grows by with each of them: its Lovász extension, convex in p."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "batch",
        absent: str = "skip",
        include_background: bool = True,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class LovaszHingeLoss(JaxLoss, seglosses_core.LovaszHingeLoss):
    """`L = Σ_i m_i g_i` for each class, with the hinge errors `m = max(0, 1 − σ z)` of the logits in falling order, σ
    being 1 where y = 1 and −1 elsewhere, and g what the Jaccard loss of wrong pixels grows by with each of them."""
    def __init__(
        self,
        *,
        activation: str = "sigmoid",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class BoundaryLoss(JaxLoss, seglosses_core.BoundaryLoss):
    """`L = Σ_i φ_i p_i / n` over the n pixels, with φ the distance to the boundary of the target, negative inside: half
    the squared distance between the contours, less what it is for a perfect prediction. It may be below 0."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        spacing: Sequence[float] | None = None,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        distances: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        distances: Array | np.ndarray | None = None,
    ) -> tuple[Array, Any]: ...

class GeneralizedSurfaceLoss(JaxLoss, seglosses_core.GeneralizedSurfaceLoss):
    """`L = 1 − Σ_i (φ_i (1 − y_i − p_i))² / Σ_i φ_i²` with φ the signed distance to the boundary of the target: 0 for a
    perfect prediction, 1 for its opposite."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        spacing: Sequence[float] | None = None,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        distances: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        distances: Array | np.ndarray | None = None,
    ) -> tuple[Array, Any]: ...

class HausdorffDTLoss(JaxLoss, seglosses_core.HausdorffDTLoss):
    """`L = Σ_i (p_i − y_i)² (d_i^α + e_i^α) / n` over the n pixels, with d the distance to the boundary of the target
    and e that to the boundary of the prediction, where p > ½."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        spacing: Sequence[float] | None = None,
        alpha: float = 2.0,
        one_sided: bool = False,
        log: bool = False,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        distances: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        distances: Array | np.ndarray | None = None,
    ) -> tuple[Array, Any]: ...

class DistancePenalizedCrossEntropyLoss(JaxLoss, seglosses_core.DistancePenalizedCrossEntropyLoss):
    """`ℓ = −(1 + Φ) Σ_c y_c log p_c`, with Φ = 1 at the boundary of each pixel's label and 0 where that is deepest
    (`boundary_penalty`). The mean is over the pixels: Φ is no weight."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        clip: float = 0.0,
        label_smoothing: float = 0.0,
        spacing: Sequence[float] | None = None,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class ClDiceLoss(JaxLoss, seglosses_core.ClDiceLoss):
    """`L = 1 − 2 P R / (P + R)` with `P = (Σ S_p y + ε) / (Σ S_p + ε)` and `R = (Σ S_y p + ε) / (Σ S_y + ε)`, where S_p
    and S_y are the soft skeletons of prediction and target: how much of either's centreline lies in the other."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float = 1.0,
        iterations: int = 10,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        skeleton: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        skeleton: Array | np.ndarray | None = None,
    ) -> tuple[Array, Any]: ...

class ClCrossEntropyLoss(JaxLoss, seglosses_core.ClCrossEntropyLoss):
    """`ℓ = −(S_y + S_p) Σ_c y_c log p_c`, with S_y and S_p the soft skeletons of the foreground of target and of
    prediction (`ClDiceLoss`): cross-entropy along the centrelines. The mean is over all pixels."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        clip: float = 0.0,
        label_smoothing: float = 0.0,
        iterations: int = 3,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        skeleton: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        skeleton: Array | np.ndarray | None = None,
    ) -> tuple[Array, Any]: ...

class SkeletonRecallLoss(JaxLoss, seglosses_core.SkeletonRecallLoss):
    """`L = 1 − (Σ p t + ε) / (Σ t + ε)`, with t the pixels of each class that are near its skeleton: how much of the
    centrelines is found."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float = 1.0,
        iterations: int = 10,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        skeleton: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        skeleton: Array | np.ndarray | None = None,
    ) -> tuple[Array, Any]: ...

class BoundaryF1Loss(JaxLoss, seglosses_core.BoundaryF1Loss):
    """`L = 1 − 2 P R / (P + R)` with `P = (Σ b_p e_y + ε) / (Σ b_p + ε)` and `R = (Σ b_y e_p + ε) / (Σ b_y + ε)`, where
    `b = x − erode(x)` is the inner boundary of prediction and target, and `e = dilate(b)` what lies near it."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        smooth: float = 1e-05,
        width: int = 3,
        tolerance: int = 5,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class SSIMLoss(JaxLoss, seglosses_core.SSIMLoss):
    """`L = 1 − mean (2 μ_p μ_y + c1) (2 σ_py + c2) / ((μ_p² + μ_y² + c1) (σ_p² + σ_y² + c2))`, with the means, the
    variances and the covariance in a Gaussian window around each pixel."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        window: int = 11,
        sigma: float = 1.5,
        k1: float = 0.01,
        k2: float = 0.03,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class ActiveContourLoss(JaxLoss, seglosses_core.ActiveContourLoss):
    """`L = mean √(|∇p|² + 10⁻⁸) + λ (μ mean p (1 − y)² + mean (1 − p) y²)`: the length of the contour and how far it
    is from the target; of a hard target and μ = 1 total variation and the mean of |p − y|."""
    def __init__(
        self,
        *,
        activation: str = "softmax",
        class_axis: int = -1,
        ignore_index: int | None = None,
        reduction: str | Pooling = "mean",
        class_weights: Sequence[float] | Array | np.ndarray | None = None,
        validate: bool = False,
        aggregate: str = "image",
        absent: str = "count",
        include_background: bool = True,
        weight: float = 1.0,
        inside: float = 1.0,
    ) -> None: ...
    def __call__(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> Array: ...
    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
    ) -> tuple[Array, Array]: ...

class EnsembleLoss(JaxLoss, seglosses_core.EnsembleLoss):
    """`L = Σ_i w_i L_i`, also spelled `0.3 * a + 0.7 * b`. Members of one activation share its computation."""
    def __init__(self, *, losses: Sequence[Loss], weights: Any = None, sum_to_one: bool = False) -> None: ...
    def __call__(
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        **inputs: Array | np.ndarray | None,
    ) -> Array: ...
    def value_and_grad(
        self,
        logits: Array | np.ndarray,
        target: Array | np.ndarray,
        *,
        mask: Array | np.ndarray | None = None,
        sample_weight: Array | np.ndarray | None = None,
        **inputs: Array | np.ndarray | None,
    ) -> tuple[Array, Any]: ...

def gaussian_heatmap(
    points: Array | np.ndarray,
    labels: Array | np.ndarray,
    shape: Sequence[int],
    *,
    num_classes: int,
    sigma: Any = None,
    radius: Any = None,
    valid: Array | np.ndarray | None = None,
    class_axis: int = -1,
    validate: bool = False,
) -> Array:
    """A heat map per class with a Gaussian at each point."""

def gaussian_heatmap_from_labels(
    labels: Array | np.ndarray,
    *,
    num_classes: int,
    sigma: float | None = None,
    radius: float | None = None,
    first_label: int | None = None,
    ignore_index: int | None = None,
    class_axis: int = -1,
    validate: bool = False,
) -> Array:
    """A heat map per class from the distance to the nearest pixel of that class."""

def signed_distance_map(
    labels: Array | np.ndarray,
    *,
    num_classes: int,
    spacing: Sequence[float] | None = None,
    first_label: int | None = None,
    ignore_index: int | None = None,
    class_axis: int = -1,
) -> Array:
    """The level set φ of each class, for `BoundaryLoss` and `GeneralizedSurfaceLoss`."""
