"""Segmentation losses, written once against the Python Array API standard."""

from collections.abc import Callable
from typing import Any

from seglosses_core.class_weights import class_weights_from_counts
from seglosses_core.compounds import ExponentialLogarithmicLoss, UnifiedFocalLoss, combo_loss
from seglosses_core.deep_supervision import DeepSupervisionLoss
from seglosses_core.ensemble import EnsembleLoss
from seglosses_core.heatmaps import cornernet_radius, gaussian_heatmap, gaussian_heatmap_from_labels
from seglosses_core.loss import Loss
from seglosses_core.losses.adaptive_wing import AdaptiveWingLoss
from seglosses_core.losses.asymmetric_similarity import AsymmetricSimilarityLoss
from seglosses_core.losses.blob import BlobLoss
from seglosses_core.losses.boundary import (
    BoundaryLoss,
    DistancePenalizedCrossEntropyLoss,
    GeneralizedSurfaceLoss,
    HausdorffDTLoss,
)
from seglosses_core.losses.boundary_dou import BoundaryDoULoss
from seglosses_core.losses.center import CenterLoss
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.losses.dice import DiceLoss, JaccardLoss
from seglosses_core.losses.distance_aware import DistanceAwareCrossEntropyLoss
from seglosses_core.losses.exponential_logarithmic import (
    ExponentialLogarithmicCrossEntropyLoss,
    ExponentialLogarithmicDiceLoss,
)
from seglosses_core.losses.focal import FocalLoss
from seglosses_core.losses.generalized_dice import GeneralizedDiceLoss
from seglosses_core.losses.generalized_wasserstein_dice import GeneralizedWassersteinDiceLoss
from seglosses_core.losses.kappa import KappaLoss
from seglosses_core.losses.label_smoothing import MarginBasedLabelSmoothingLoss, NACLLoss
from seglosses_core.losses.locally_adaptive import LocallyAdaptiveLoss
from seglosses_core.losses.log_cosh_dice import LogCoshDiceLoss
from seglosses_core.losses.long_tailed import LogitAdjustedCrossEntropyLoss, RecallCrossEntropyLoss
from seglosses_core.losses.lovasz import LovaszHingeLoss, LovaszSoftmaxLoss
from seglosses_core.losses.mcc import MCCLoss
from seglosses_core.losses.mutual_information import RegionMutualInformationLoss
from seglosses_core.losses.noise_robust import GeneralizedCrossEntropyLoss, SymmetricCrossEntropyLoss
from seglosses_core.losses.noise_robust_dice import NoiseRobustDiceLoss
from seglosses_core.losses.overlapping import AsymmetricLoss, BalancedCrossEntropyLoss, QualityFocalLoss
from seglosses_core.losses.penalty_generalized_dice import PenaltyGeneralizedDiceLoss
from seglosses_core.losses.plus_plus import DicePlusPlusLoss, TverskyPlusPlusLoss
from seglosses_core.losses.pointwise_exponential import PointwiseExponentialLoss
from seglosses_core.losses.poly import PolyCrossEntropyLoss, PolyFocalLoss
from seglosses_core.losses.power import PowerDiceLoss, PowerJaccardLoss
from seglosses_core.losses.semimetric import DiceSemimetricLoss, JaccardMetricLoss
from seglosses_core.losses.sensitivity_specificity import SensitivitySpecificityLoss
from seglosses_core.losses.skeleton import (
    BoundaryF1Loss,
    ClCrossEntropyLoss,
    ClDiceLoss,
    SkeletonRecallLoss,
)
from seglosses_core.losses.squared_error import MeanSquaredErrorLoss
from seglosses_core.losses.structure import StructureLoss
from seglosses_core.losses.surroundings import ActiveContourLoss, HausdorffERLoss, SSIMLoss
from seglosses_core.losses.tanimoto import TanimotoLoss
from seglosses_core.losses.tversky import FocalTverskyLoss, TverskyLoss
from seglosses_core.maps import border_weights, boundary_penalty, nearest_instance, signed_distance_map
from seglosses_core.reductions import HardExampleMining, MaxPooling, Minkowski, Pooling, TopK
from seglosses_core.signatures import resolve as _resolve
from seglosses_core.windows import boundary_weights, spatially_varying_labels

# What every adapter offers under the same names.

LOSSES: tuple[type[Loss], ...] = (
    CrossEntropyLoss,
    FocalLoss,
    DiceLoss,
    JaccardLoss,
    TverskyLoss,
    FocalTverskyLoss,
    LogCoshDiceLoss,
    ExponentialLogarithmicDiceLoss,
    AsymmetricSimilarityLoss,
    DiceSemimetricLoss,
    JaccardMetricLoss,
    GeneralizedDiceLoss,
    PenaltyGeneralizedDiceLoss,
    BoundaryDoULoss,
    MCCLoss,
    GeneralizedWassersteinDiceLoss,
    SensitivitySpecificityLoss,
    NoiseRobustDiceLoss,
    KappaLoss,
    DicePlusPlusLoss,
    TverskyPlusPlusLoss,
    TanimotoLoss,
    PowerDiceLoss,
    PowerJaccardLoss,
    PointwiseExponentialLoss,
    LocallyAdaptiveLoss,
    CenterLoss,
    DistanceAwareCrossEntropyLoss,
    MeanSquaredErrorLoss,
    PolyCrossEntropyLoss,
    PolyFocalLoss,
    GeneralizedCrossEntropyLoss,
    SymmetricCrossEntropyLoss,
    ExponentialLogarithmicCrossEntropyLoss,
    BalancedCrossEntropyLoss,
    AsymmetricLoss,
    QualityFocalLoss,
    LogitAdjustedCrossEntropyLoss,
    RecallCrossEntropyLoss,
    MarginBasedLabelSmoothingLoss,
    NACLLoss,
    AdaptiveWingLoss,
    StructureLoss,
    LovaszSoftmaxLoss,
    LovaszHingeLoss,
    BoundaryLoss,
    GeneralizedSurfaceLoss,
    HausdorffDTLoss,
    HausdorffERLoss,
    DistancePenalizedCrossEntropyLoss,
    ClDiceLoss,
    ClCrossEntropyLoss,
    SkeletonRecallLoss,
    BoundaryF1Loss,
    SSIMLoss,
    ActiveContourLoss,
    RegionMutualInformationLoss,
    BlobLoss,
    EnsembleLoss,
)

POOLINGS: tuple[type[Pooling], ...] = (Minkowski, MaxPooling, TopK, HardExampleMining)

FUNCTIONS: tuple[Callable[..., Any], ...] = (
    combo_loss,
    UnifiedFocalLoss,
    ExponentialLogarithmicLoss,
    class_weights_from_counts,
    gaussian_heatmap,
    gaussian_heatmap_from_labels,
    cornernet_radius,
    boundary_weights,
    spatially_varying_labels,
    signed_distance_map,
    boundary_penalty,
    border_weights,
    nearest_instance,
)
"""Losses made of others, and functions of the target."""

for _loss in LOSSES:
    _resolve(_loss)

__all__ = ["FUNCTIONS", "LOSSES", "POOLINGS", "DeepSupervisionLoss", "Loss", "Pooling"]
__all__ += [kind.__name__ for kind in (*LOSSES, *POOLINGS)]
__all__ += [function.__name__ for function in FUNCTIONS]
