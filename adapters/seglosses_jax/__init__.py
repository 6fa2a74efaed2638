"""The losses of `seglosses_core` as JAX pytrees, with the class axis last."""

import functools

import seglosses_core
from seglosses_core import (
    DeepSupervisionLoss,
    HardExampleMining,
    MaxPooling,
    Minkowski,
    TopK,
    boundary_weights,
    class_weights_from_counts,
    cornernet_radius,
)
from seglosses_jax.loss import JaxLoss, jax_class

gaussian_heatmap = functools.partial(seglosses_core.gaussian_heatmap, class_axis=-1)
gaussian_heatmap_from_labels = functools.partial(seglosses_core.gaussian_heatmap_from_labels, class_axis=-1)
spatially_varying_labels = functools.partial(seglosses_core.spatially_varying_labels, class_axis=-1)

combo_loss = functools.partial(seglosses_core.combo_loss, package="seglosses_jax")
unified_focal_loss = functools.partial(seglosses_core.unified_focal_loss, package="seglosses_jax")

__all__ = ["DeepSupervisionLoss", "HardExampleMining", "JaxLoss", "MaxPooling", "Minkowski", "TopK"]
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
    globals()[_core_class.__name__] = jax_class(_core_class)

JaxLoss.ensemble_class = globals()["EnsembleLoss"]
