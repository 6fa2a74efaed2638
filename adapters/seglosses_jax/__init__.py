"""The losses of `seglosses_core` as JAX pytrees, with the class axis last."""

import functools

import seglosses_core
from seglosses_core import (
    MaxPooling,
    Minkowski,
    TopK,
    border_weights,
    boundary_penalty,
    cornernet_radius,
    nearest_instance,
)
from seglosses_jax.loss import JaxLoss, jax_class

gaussian_heatmap = functools.partial(seglosses_core.gaussian_heatmap, class_axis=-1)
gaussian_heatmap_from_labels = functools.partial(seglosses_core.gaussian_heatmap_from_labels, class_axis=-1)
signed_distance_map = functools.partial(seglosses_core.signed_distance_map, class_axis=-1)

__all__ = ["JaxLoss", "MaxPooling", "Minkowski", "TopK"]
__all__ += ["border_weights", "boundary_penalty", "cornernet_radius", "gaussian_heatmap"]
__all__ += ["gaussian_heatmap_from_labels", "nearest_instance", "signed_distance_map"]
__all__ += [core_class.__name__ for core_class in seglosses_core.LOSSES]

for _core_class in seglosses_core.LOSSES:
    globals()[_core_class.__name__] = jax_class(_core_class)

JaxLoss.ensemble_class = globals()["EnsembleLoss"]
