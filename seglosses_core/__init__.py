"""Segmentation losses, written once against the Python Array API standard."""

from seglosses_core.ensemble import EnsembleLoss
from seglosses_core.heatmaps import cornernet_radius, gaussian_heatmap, gaussian_heatmap_from_labels
from seglosses_core.loss import Loss
from seglosses_core.losses.asymmetric_similarity import AsymmetricSimilarityLoss
from seglosses_core.losses.boundary_dou import BoundaryDoULoss
from seglosses_core.losses.center import CenterLoss
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.losses.dice import DiceLoss, JaccardLoss
from seglosses_core.losses.distance_aware import DistanceAwareCrossEntropyLoss
from seglosses_core.losses.focal import FocalLoss
from seglosses_core.losses.generalized_dice import GeneralizedDiceLoss
from seglosses_core.losses.generalized_wasserstein_dice import GeneralizedWassersteinDiceLoss
from seglosses_core.losses.kappa import KappaLoss
from seglosses_core.losses.locally_adaptive import LocallyAdaptiveLoss
from seglosses_core.losses.log_cosh_dice import LogCoshDiceLoss
from seglosses_core.losses.mcc import MCCLoss
from seglosses_core.losses.noise_robust_dice import NoiseRobustDiceLoss
from seglosses_core.losses.penalty_generalized_dice import PenaltyGeneralizedDiceLoss
from seglosses_core.losses.plus_plus import DicePlusPlusLoss, TverskyPlusPlusLoss
from seglosses_core.losses.pointwise_exponential import PointwiseExponentialLoss
from seglosses_core.losses.power import PowerDiceLoss, PowerJaccardLoss
from seglosses_core.losses.semimetric import DiceSemimetricLoss, JaccardMetricLoss
from seglosses_core.losses.sensitivity_specificity import SensitivitySpecificityLoss
from seglosses_core.losses.squared_error import MeanSquaredErrorLoss
from seglosses_core.losses.tanimoto import TanimotoLoss
from seglosses_core.losses.tversky import FocalTverskyLoss, TverskyLoss
from seglosses_core.reductions import MaxPooling, Minkowski, Pooling, TopK

LOSSES: tuple[type[Loss], ...] = (
    CrossEntropyLoss,
    FocalLoss,
    DiceLoss,
    JaccardLoss,
    TverskyLoss,
    FocalTverskyLoss,
    LogCoshDiceLoss,
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
    EnsembleLoss,
)
"""What every adapter offers under the same names."""

__all__ = [
    "LOSSES",
    "Loss",
    "MaxPooling",
    "Minkowski",
    "Pooling",
    "TopK",
    "cornernet_radius",
    "gaussian_heatmap",
    "gaussian_heatmap_from_labels",
]
__all__ += [loss.__name__ for loss in LOSSES]
