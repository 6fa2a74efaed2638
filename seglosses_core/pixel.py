"""What pixel losses share: a cost for every pixel, or for every class of every pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from seglosses_core.arithmetic import product_or_none
from seglosses_core.call import Shared
from seglosses_core.costs import Costs, Weights, in_unit, what_counts
from seglosses_core.inputs import Input
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.single import SingleLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class PixelLoss(SingleLoss):
    """A loss of one cost per pixel, or per class of a pixel.

    The mean is over the valid pixels of the whole batch, `Σ w ℓ / Σ w` unless `divisor` says otherwise, and over the
    classes too where these overlap (sigmoid). The weight of a pixel is
    `mask · sample_weight · class weight of its target`, that of an overlapping class its own.

    A call may bring a `factor`, `(N, *S)` and ≥ 0, such as `border_weights` makes: the costs of each pixel are
    multiplied by it, and unlike `mask` it does not count in what the mean divides by. One that is negative makes the
    value NaN. (Keras has it as the `sample_weight` of pixels.)
    """

    inputs = MappingProxyType(
        {"factor": Input("N *S", "what the costs of each pixel are multiplied by", otherwise="1")}
    )
    pointwise = True

    def costs_of(self, shared: Shared) -> Costs:
        costs, ops, xp = super().costs_of(shared), shared.ops, shared.ops.xp
        factor = shared.call.inputs.get("factor")
        if factor is None:
            return costs
        valid = shared.target.valid
        if len(costs.values.shape) == ops.rank:
            factor, valid = ops.over_classes(factor), None if valid is None else ops.over_classes(valid)
        if valid is not None:
            factor = xp.where(valid, factor, xp.ones_like(factor))
        factor = factor + ops.zero_or_nan(factor >= 0, factor.dtype)
        # At p = 0 a cost may be ∞, and 0 · ∞ would be NaN.
        values = xp.where(factor == 0, xp.zeros_like(costs.values), costs.values) * factor
        back = costs.back
        return replace(
            costs, values=values, back=None if back is None else lambda upstream: back(upstream * factor)
        )

    def weigh(self, weights: Array | None, unit: Array | None, target: Target, ops: Ops) -> Weights:
        """The weights of pixels, a map, or of their classes, logits-shaped."""
        if weights is None or self.divisor == "weights":
            return Weights(weights, unit)
        valid = target.valid
        if valid is not None and len(weights.shape) == ops.rank:
            valid = ops.over_classes(valid)
        return Weights(weights, unit, in_unit(what_counts(self.divisor, weights, valid, ops), unit, ops))

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        """Those of every class of every pixel, logits-shaped."""
        pixels, unit = target.weights(with_samples=True), target.unit(with_samples=True)
        classes, unit_of_classes = self.class_table(target, ops)
        weights = None if pixels is None else ops.over_classes(pixels)
        if classes is not None:
            weights = product_or_none([weights, ops.over_pixels(classes)])
        if weights is not None:
            weights = ops.xp.ones_like(target.values) * weights
        return self.weigh(weights, product_or_none([unit, unit_of_classes]), target, ops)
