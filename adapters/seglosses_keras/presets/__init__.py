"""The losses of other libraries, as Keras losses: `from seglosses_keras.presets.monai import DiceCELoss`. Called with
`(y_true, y_pred)`; the class axis is the last."""

from __future__ import annotations

from typing import Any

from keras.saving import register_keras_serializable  # `keras` is a module of presets here

from seglosses_core.presets import PresetLoss as Core
from seglosses_core.presets import offer
from seglosses_keras.backends import make_ops
from seglosses_keras.loss import KerasLoss


@register_keras_serializable(package="seglosses")
class PresetLoss(KerasLoss):
    __doc__ = Core.__doc__
    core_class = Core
    core: Core

    def __init__(self, *, arguments: Any, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        # What a loss of Keras is called, and computes in, is said in its arguments.
        given = dict(arguments)
        own_name, own_dtype = given.pop("name", None), given.pop("dtype", None)
        super().__init__(
            arguments=tuple(given.items()), name=name or own_name, dtype=dtype or own_dtype, **options
        )
        if given.get("reduction") == "mean_with_sample_weight":
            self.kept["reduction"] = "mean_with_sample_weight"

    def equivalent(self, num_classes: int, **options: Any) -> KerasLoss:
        found: Any = self.core.equivalent(
            num_classes, package="seglosses_keras", across_replicas=self.across_replicas, **options
        )
        return found

    def _with_sample_weight(
        self, logits: Any, target: Any, mask: Any, weights: Any, inputs: dict[str, Any]
    ) -> Any:
        if not self.core.recipe.takes_sample_weight:
            raise ValueError(
                f"sample_weight must be left out for {self.core.preset} of {self.core.peer}; make `equivalent(…)`,"
                " which takes it as the losses of this package do."
            )
        if self.reduction != "mean":
            return super()._with_sample_weight(logits, target, mask, weights, inputs)
        rank = len(logits.shape)
        axis = self.core.class_axis % rank
        target, *_ = self.core.our_target(target, logits, axis, make_ops(axis, rank))
        labelled = len(target.shape) < rank
        loss = self.equivalent(logits.shape[axis], labelled=labelled, axes=rank)
        return loss._with_sample_weight(logits, target, mask, weights, inputs)


offer(__name__, PresetLoss, class_axis=-1, target_first=True, further=("across_replicas",))
