"""The adaptive wing loss of heat maps."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.activations import Activation, Cotangent, Prediction
from seglosses_core.arithmetic import power_or_zero
from seglosses_core.checks import check_number
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.ops import Ops
from seglosses_core.pixel import PixelLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class AdaptiveWingLoss(PixelLoss):
    """`ℓ = ω log(1 + (d / ε)^(α − y))` with `d = |y − p|` below θ, from there on a straight line that continues it.

    For each class of each pixel, p being a heat map as it is unless `activation` says otherwise. Wang et al. 2019
    (arXiv:1904.07399), without their weights for pixels near the foreground, which `mask` can be. Near y = 1
    small errors count for more than near y = 0.

    Parameters
    ----------
    alpha : float
        α > 2, so that the exponent is above 1.
    omega : float
        ω > 0.
    epsilon : float
        ε > 0.
    theta : float
        θ > 0.

    Examples
    --------
    >>> import numpy as np
    >>> predicted = np.asarray([[[0.8, 0.4, 0.1]]])  # one image, one class, three pixels
    >>> heat_map = np.asarray([[[1.0, 0.5, 0.0]]])
    >>> loss = AdaptiveWingLoss()
    >>> float(loss(predicted, heat_map).round(6))
    0.886448
    """

    activation: Activation = "identity"
    alpha: float = 2.1
    omega: float = 14.0
    epsilon: float = 1.0
    theta: float = 0.5

    needs = Needs(unit_interval=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, above=2)
        for name in ("omega", "epsilon", "theta"):
            check_number(name, getattr(self, name), above=0)

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        xp, y = ops.xp, target.values
        difference = prediction.probabilities - y
        negative = difference < 0
        distance = xp.where(negative, -difference, difference)
        curved = xp.where(distance < self.theta, distance, xp.full_like(distance, self.theta))
        exponent, scaled = self.alpha - y, curved / self.epsilon
        grown = power_or_zero(scaled, exponent, xp)
        steepness = (
            self.omega / self.epsilon * exponent * power_or_zero(scaled, exponent - 1, xp) / (1 + grown)
        )

        def back(upstream: Array) -> Cotangent:
            return Cotangent(terms=[(1, (upstream, xp.where(negative, -steepness, steepness)))])

        values = self.omega * ops.log1p(grown) + steepness * (distance - curved)
        return Costs(values, self.cost_weights(target, ops), back)
