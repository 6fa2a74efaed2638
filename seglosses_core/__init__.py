"""Segmentation losses, written once against the Python Array API standard."""

from seglosses_core.center import CenterLoss
from seglosses_core.ensemble import EnsembleLoss
from seglosses_core.heatmap import cornernet_radius, gaussian_heatmap, gaussian_heatmap_from_labels
from seglosses_core.local import LocallyAdaptiveLoss
from seglosses_core.loss import Loss
from seglosses_core.pixel import (
    CrossEntropyLoss,
    DistanceAwareCrossEntropyLoss,
    FocalLoss,
    MeanSquaredErrorLoss,
)
from seglosses_core.reductions import MaxPooling, Minkowski, Pooling, TopK
from seglosses_core.region import (
    DiceLoss,
    JaccardLoss,
    PointwiseExponentialLoss,
    PowerDiceLoss,
    PowerJaccardLoss,
    TverskyLoss,
)

LOSSES: tuple[type[Loss], ...] = (
    CrossEntropyLoss,
    FocalLoss,
    DiceLoss,
    JaccardLoss,
    TverskyLoss,
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
    "CenterLoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "DistanceAwareCrossEntropyLoss",
    "EnsembleLoss",
    "FocalLoss",
    "JaccardLoss",
    "LocallyAdaptiveLoss",
    "Loss",
    "MaxPooling",
    "MeanSquaredErrorLoss",
    "Minkowski",
    "PointwiseExponentialLoss",
    "Pooling",
    "PowerDiceLoss",
    "PowerJaccardLoss",
    "TopK",
    "TverskyLoss",
    "cornernet_radius",
    "gaussian_heatmap",
    "gaussian_heatmap_from_labels",
]
