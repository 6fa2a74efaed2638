"""The losses of other libraries, as modules: `from seglosses_torch.presets.monai import DiceCELoss`."""

from __future__ import annotations

from typing import Any

import torch

from seglosses_core.presets import PresetLoss as Core
from seglosses_core.presets import offer
from seglosses_core.presets.loss import find_loss
from seglosses_torch.module import TorchLoss, module_class


class _Preset(TorchLoss):
    def __repr__(self) -> str:
        return repr(self.core)

    def equivalent(self, num_classes: int, **options: Any) -> TorchLoss:
        found: Any = self.core
        return found.equivalent(num_classes, package="seglosses_torch", **options)


PresetLoss = module_class(Core, _Preset, __module__=__name__)

torch.compiler.assume_constant_result(find_loss)

offer(__name__, PresetLoss, class_axis=1)
