"""The losses of other libraries, as Keras losses: `from seglosses_keras.presets.monai import DiceCELoss`. Called with
`(y_true, y_pred)`; the class axis is the last."""

from __future__ import annotations

from typing import Any

import keras

from seglosses_core.presets import PresetLoss as Core
from seglosses_core.presets import offer
from seglosses_keras.loss import KerasLoss


@keras.saving.register_keras_serializable(package="seglosses")
class PresetLoss(KerasLoss):
    __doc__ = Core.__doc__
    core_class = Core

    def equivalent(self, num_classes: int, **options: Any) -> KerasLoss:
        found: Any = self.core
        return found.equivalent(num_classes, package="seglosses_keras", **options)

    def _with_sample_weight(
        self, logits: Any, target: Any, mask: Any, weights: Any, inputs: dict[str, Any]
    ) -> Any:
        raise ValueError(
            f"sample_weight must be left out for {self.preset} of {self.peer}, which has none; make `equivalent(…)`,"
            " which takes it as Keras' losses do."
        )


offer(__name__, PresetLoss, class_axis=-1, target_first=True)
