"""The squared error of heat maps and of probabilities."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.activations import Activation, Cotangent, Prediction
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.ops import Ops
from seglosses_core.pixel import PixelLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class MeanSquaredErrorLoss(PixelLoss):
    """`ℓ = (p − y)²` for each class of each pixel, p being a heat map as it is unless `activation` says otherwise.

    The baseline of Du's article for heat maps; with activation="softmax" the Brier score divided by C.

    Examples
    --------
    >>> import numpy as np
    >>> predicted = np.asarray([[[0.9, 0.4, 0.1]]])  # one image, one class, three pixels
    >>> heat_map = np.asarray([[[1.0, 0.5, 0.0]]])
    >>> loss = MeanSquaredErrorLoss()
    >>> float(loss(predicted, heat_map).round(6))
    0.01
    """

    activation: Activation = "identity"

    needs = Needs(unit_interval=False)

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        difference = prediction.probabilities - target.values

        def back(upstream: Array) -> Cotangent:
            return Cotangent(terms=[(1, (2 * upstream, difference))])

        return Costs(difference * difference, self.cost_weights(target, ops), back)
