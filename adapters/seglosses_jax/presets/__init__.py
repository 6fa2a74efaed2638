"""The losses of other libraries, as pytrees: `from seglosses_jax.presets.monai import DiceCELoss`. The class axis is
the last; `class_axis=1` takes the arrays of PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jax import Array

from seglosses_core.presets import PresetLoss as Core
from seglosses_core.presets import offer
from seglosses_jax.loss import JaxLoss, jax_class


def _call(self: Any, *arrays: Any, **named: Any) -> Array:
    loss, order, others = self.called(arrays, named)
    return JaxLoss.__call__(loss, *order, **others)


if TYPE_CHECKING:

    class PresetLoss(JaxLoss, Core):
        __call__ = _call
else:
    PresetLoss = jax_class(Core)
    PresetLoss.__module__ = __name__
    PresetLoss.__call__ = _call

offer(__name__, PresetLoss, class_axis=-1)
