"""What pixel losses share: a cost for every pixel, or for every class of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.arithmetic import product_or_none
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.single import SingleLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class PixelLoss(SingleLoss):
    """A loss of one cost per pixel, or per class of a pixel.

    The mean is over the valid pixels of the whole batch, `Σ w ℓ / Σ w`, and over the classes too where these overlap
    (sigmoid). The weight of a pixel is `mask · sample_weight · class weight of its target`.
    """

    pointwise = True

    def cost_weights(self, target: Target, ops: Ops) -> tuple[Array | None, Array | None]:
        """Those of every class of every pixel, logits-shaped."""
        pixels, unit = target.weights(with_samples=True), target.unit(with_samples=True)
        classes, unit_of_classes = self.class_table(target, ops)
        weights = None if pixels is None else ops.over_classes(pixels)
        if classes is not None:
            weights = product_or_none([weights, ops.over_pixels(classes)])
        if weights is not None:
            weights = ops.xp.ones_like(target.values) * weights
        return weights, product_or_none([unit, unit_of_classes])
