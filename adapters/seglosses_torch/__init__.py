"""The losses of `seglosses_core` as PyTorch modules, with the class axis 1."""

import functools

import seglosses_core
from seglosses_core import (
    HardExampleMining,
    MaxPooling,
    Minkowski,
    TopK,
    boundary_weights,
    class_weights_from_counts,
    cornernet_radius,
    gaussian_heatmap,
    gaussian_heatmap_from_labels,
    spatially_varying_labels,
)
from seglosses_torch.center import CenterLoss as CenterLoss
from seglosses_torch.deep_supervision import DeepSupervisionLoss
from seglosses_torch.learnable import LearnablePower, LearnableWeights
from seglosses_torch.module import EnsembleLoss as EnsembleLoss
from seglosses_torch.module import TorchLoss, module_class

combo_loss = functools.partial(seglosses_core.combo_loss, package="seglosses_torch")
unified_focal_loss = functools.partial(seglosses_core.unified_focal_loss, package="seglosses_torch")

__all__ = [
    "DeepSupervisionLoss",
    "HardExampleMining",
    "LearnablePower",
    "LearnableWeights",
    "MaxPooling",
    "Minkowski",
    "TopK",
    "TorchLoss",
]
__all__ += [
    "boundary_weights",
    "class_weights_from_counts",
    "combo_loss",
    "cornernet_radius",
    "gaussian_heatmap",
    "gaussian_heatmap_from_labels",
    "spatially_varying_labels",
    "unified_focal_loss",
]
__all__ += [core_class.__name__ for core_class in seglosses_core.LOSSES]

for _core_class in seglosses_core.LOSSES:
    if _core_class.__name__ not in globals():
        globals()[_core_class.__name__] = module_class(_core_class)
