"""The losses of `seglosses_core` as Keras losses, with the class axis last, on TensorFlow, JAX and torch."""

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
from seglosses_keras.layers import CenterLoss as CenterLoss
from seglosses_keras.layers import LearnableLoss
from seglosses_keras.loss import EnsembleLoss as EnsembleLoss
from seglosses_keras.loss import KerasLoss, keras_class

gaussian_heatmap = functools.partial(seglosses_core.gaussian_heatmap, class_axis=-1)
gaussian_heatmap_from_labels = functools.partial(seglosses_core.gaussian_heatmap_from_labels, class_axis=-1)
signed_distance_map = functools.partial(seglosses_core.signed_distance_map, class_axis=-1)

__all__ = ["KerasLoss", "LearnableLoss", "MaxPooling", "Minkowski", "TopK"]
__all__ += ["border_weights", "boundary_penalty", "cornernet_radius", "gaussian_heatmap"]
__all__ += ["gaussian_heatmap_from_labels", "nearest_instance", "signed_distance_map"]
__all__ += [core_class.__name__ for core_class in seglosses_core.LOSSES]

for _core_class in seglosses_core.LOSSES:
    if _core_class.__name__ not in globals():
        globals()[_core_class.__name__] = keras_class(_core_class)
