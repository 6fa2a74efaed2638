"""The losses of `seglosses_core` as Keras losses, with the class axis last, on TensorFlow, JAX and torch."""

from seglosses_core import FUNCTIONS, LOSSES, POOLINGS
from seglosses_core.defaults import with_defaults
from seglosses_core.extras import extra

with extra("keras"):
    from seglosses_keras.deep_supervision import DeepSupervisionLoss
    from seglosses_keras.layers import CenterLoss as CenterLoss
    from seglosses_keras.layers import LearnableLoss
    from seglosses_keras.loss import EnsembleLoss as EnsembleLoss
    from seglosses_keras.loss import KerasLoss, keras_class

__all__ = ["DeepSupervisionLoss", "KerasLoss", "LearnableLoss"]
__all__ += [one.__name__ for one in (*LOSSES, *POOLINGS, *FUNCTIONS)]

for _core_class in LOSSES:
    if _core_class.__name__ not in globals():
        globals()[_core_class.__name__] = keras_class(_core_class)

for _pooling in POOLINGS:
    globals()[_pooling.__name__] = _pooling

for _function in FUNCTIONS:
    globals()[_function.__name__] = with_defaults(_function, class_axis=-1, package=__name__)
