"""Segmentation losses, written once against the Python Array API standard."""

from seglosses_core.ensemble import EnsembleLoss
from seglosses_core.heatmaps import cornernet_radius, gaussian_heatmap, gaussian_heatmap_from_labels
from seglosses_core.loss import Loss
from seglosses_core.losses.boundary import (
    BoundaryLoss,
    DistancePenalizedCrossEntropyLoss,
    GeneralizedSurfaceLoss,
    HausdorffDTLoss,
)
from seglosses_core.losses.center import CenterLoss
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.losses.dice import DiceLoss, JaccardLoss
from seglosses_core.losses.distance_aware import DistanceAwareCrossEntropyLoss
from seglosses_core.losses.focal import FocalLoss
from seglosses_core.losses.generalized_dice import GeneralizedDiceLoss
from seglosses_core.losses.locally_adaptive import LocallyAdaptiveLoss
from seglosses_core.losses.lovasz import LovaszHingeLoss, LovaszSoftmaxLoss
from seglosses_core.losses.pointwise_exponential import PointwiseExponentialLoss
from seglosses_core.losses.power import PowerDiceLoss, PowerJaccardLoss
from seglosses_core.losses.skeleton import (
    BoundaryF1Loss,
    ClCrossEntropyLoss,
    ClDiceLoss,
    SkeletonRecallLoss,
)
from seglosses_core.losses.squared_error import MeanSquaredErrorLoss
from seglosses_core.losses.structure import ActiveContourLoss, SSIMLoss
from seglosses_core.losses.tversky import FocalTverskyLoss, TverskyLoss
from seglosses_core.maps import border_weights, boundary_penalty, nearest_instance, signed_distance_map
from seglosses_core.reductions import MaxPooling, Minkowski, Pooling, TopK

LOSSES: tuple[type[Loss], ...] = (
    CrossEntropyLoss,
    FocalLoss,
    DiceLoss,
    JaccardLoss,
    TverskyLoss,
    FocalTverskyLoss,
    GeneralizedDiceLoss,
    PowerDiceLoss,
    PowerJaccardLoss,
    PointwiseExponentialLoss,
    LocallyAdaptiveLoss,
    CenterLoss,
    DistanceAwareCrossEntropyLoss,
    MeanSquaredErrorLoss,
    LovaszSoftmaxLoss,
    LovaszHingeLoss,
    BoundaryLoss,
    GeneralizedSurfaceLoss,
    HausdorffDTLoss,
    DistancePenalizedCrossEntropyLoss,
    ClDiceLoss,
    ClCrossEntropyLoss,
    SkeletonRecallLoss,
    BoundaryF1Loss,
    SSIMLoss,
    ActiveContourLoss,
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
    "border_weights",
    "boundary_penalty",
    "cornernet_radius",
    "gaussian_heatmap",
    "gaussian_heatmap_from_labels",
    "nearest_instance",
    "signed_distance_map",
]
__all__ += [loss.__name__ for loss in LOSSES]
