"""The losses of `seglosses_core` as PyTorch modules, with the class axis 1."""

import seglosses_core
from seglosses_core import (
    MaxPooling,
    Minkowski,
    TopK,
    border_weights,
    boundary_penalty,
    cornernet_radius,
    gaussian_heatmap,
    gaussian_heatmap_from_labels,
    nearest_instance,
    signed_distance_map,
)
from seglosses_torch.center import CenterLoss as CenterLoss
from seglosses_torch.learnable import LearnablePower, LearnableWeights
from seglosses_torch.module import EnsembleLoss as EnsembleLoss
from seglosses_torch.module import TorchLoss, module_class

__all__ = ["LearnablePower", "LearnableWeights", "MaxPooling", "Minkowski", "TopK", "TorchLoss"]
__all__ += ["border_weights", "boundary_penalty", "cornernet_radius", "gaussian_heatmap"]
__all__ += ["gaussian_heatmap_from_labels", "nearest_instance", "signed_distance_map"]
__all__ += [core_class.__name__ for core_class in seglosses_core.LOSSES]

for _core_class in seglosses_core.LOSSES:
    if _core_class.__name__ not in globals():
        globals()[_core_class.__name__] = module_class(_core_class)
