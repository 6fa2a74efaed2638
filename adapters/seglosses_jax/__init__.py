"""The losses of `seglosses_core` as JAX pytrees, with the class axis last."""

from seglosses_core import FUNCTIONS, LOSSES, POOLINGS, DeepSupervisionLoss
from seglosses_core.defaults import with_defaults
from seglosses_core.extras import extra
from seglosses_core.libraries import register_library

with extra("jax"):
    from seglosses_jax.axes import register
    from seglosses_jax.loss import JaxLoss, jax_class
    from seglosses_jax.operations import JaxOps

__all__ = ["DeepSupervisionLoss", "JaxLoss"]
__all__ += [one.__name__ for one in (*LOSSES, *POOLINGS, *FUNCTIONS)]

register_library("jax", JaxOps)
register()

for _core_class in LOSSES:
    globals()[_core_class.__name__] = jax_class(_core_class)

for _pooling in POOLINGS:
    globals()[_pooling.__name__] = _pooling

for _function in FUNCTIONS:
    globals()[_function.__name__] = with_defaults(_function, class_axis=-1, package=__name__)

JaxLoss.ensemble_class = globals()["EnsembleLoss"]
