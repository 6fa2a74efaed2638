"""The losses of `seglosses_core` as PyTorch modules, with the class axis 1."""

from seglosses_core import FUNCTIONS, LOSSES, POOLINGS
from seglosses_core.defaults import with_defaults
from seglosses_core.extras import extra
from seglosses_core.libraries import register_library

with extra("torch"):
    from seglosses_torch.center import CenterLoss as CenterLoss
    from seglosses_torch.deep_supervision import DeepSupervisionLoss
    from seglosses_torch.learnable import LearnablePower, LearnableWeights
    from seglosses_torch.module import EnsembleLoss as EnsembleLoss
    from seglosses_torch.module import TorchLoss, module_class
    from seglosses_torch.operations import TorchOps

__all__ = ["DeepSupervisionLoss", "LearnablePower", "LearnableWeights", "TorchLoss"]
__all__ += [one.__name__ for one in (*LOSSES, *POOLINGS, *FUNCTIONS)]

register_library("torch", TorchOps)

for _core_class in LOSSES:
    if _core_class.__name__ not in globals():
        globals()[_core_class.__name__] = module_class(_core_class)

for _pooling in POOLINGS:
    globals()[_pooling.__name__] = _pooling

for _function in FUNCTIONS:
    globals()[_function.__name__] = with_defaults(_function, class_axis=1, package=__name__)
