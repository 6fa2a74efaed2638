"""The losses of other libraries, as pytrees: `from seglosses_jax.presets.monai import DiceCELoss`. The class axis is
the last; `class_axis=1` takes the arrays of PyTorch."""

from __future__ import annotations

from seglosses_core.presets import PresetLoss as Core
from seglosses_core.presets import offer
from seglosses_jax.loss import jax_class

PresetLoss = jax_class(Core)
PresetLoss.__module__ = __name__

offer(__name__, PresetLoss, class_axis=-1)
