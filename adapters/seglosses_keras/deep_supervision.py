"""The loss of several outputs in the order of Keras."""

from __future__ import annotations

from typing import Any

from seglosses_core.deep_supervision import DeepSupervisionLoss as Core
from seglosses_core.deep_supervision import levels_of


class DeepSupervisionLoss(Core):
    __doc__ = f"""{Core.__doc__}
    Called with `(y_true, y_pred)`, the outputs `y_pred` in a list: in a training step of one's own, for
    `model.compile` takes one loss for each output, and `loss_weights`.
    """

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, *, mask: Any = None) -> Any:
        levels = levels_of(y_pred, y_true, mask, self.weights, self.loss.core.class_axis)
        return sum(weight * self.loss(y, z, sample_weight, mask=own) for weight, z, y, own in levels)
