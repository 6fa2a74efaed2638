"""The mean of the weights that Keras multiplies a mean by."""

from __future__ import annotations

from typing import Any

from seglosses_core.arithmetic import one_if_zero
from seglosses_core.libraries import Array
from seglosses_core.parts import ALL, Taken
from seglosses_core.single import SingleLoss
from seglosses_core.target import Target, as_labels
from seglosses_keras.backends import make_ops


def mean_weight(loss: SingleLoss, logits: Array, target: Array, mask: Array | None, weights: Array) -> Array:
    """`Σ w q / Σ q`: what the core's mean divides by with the weights w of images `(N,)` or pixels `(N, *S)`, over what
    it divides by without them; q is 0 for what is left out. A pooling divides by the weights of all that has a cost.
    Where weights are of something smaller than what the loss has a cost of, they are those of pixels that count."""
    rank = len(logits.shape)
    ops = make_ops(loss.class_axis % rank, rank)
    ops.parts = loss.parts_in(ops, None)
    target = as_labels(target, logits.shape[ops.class_axis], ops)
    of_images = len(weights.shape) == 1
    dtype = ops.compute_dtype(logits)
    weights = ops.cast(weights, dtype)
    pixels = ops.xp.ones_like(ops.class_zero(logits), dtype=dtype) if mask is None else ops.cast(mask, dtype)

    def counted(mask: Array, sample_weight: Array | None) -> tuple[Array, Any]:
        """Their sum, and the unit that it is in."""
        read = Target(
            target,
            num_classes=logits.shape[ops.class_axis],
            dtype=dtype,
            ops=ops,
            ignore_index=loss.ignore_index,
            mask=mask,
            sample_weight=sample_weight,
        )
        if loss.grain == "pixel" or (loss.grain == "image" and of_images):
            counts, unit, counted = loss.cost_weights(read, ops)
            counts = counts if counted is None else counted
        else:
            counts, unit = read.weights(with_samples=True), read.unit(with_samples=True)
        return ops.total(counts), 1 if unit is None else unit

    def mean() -> Array:
        if of_images:
            sums = [counted(pixels, weights)]
        else:
            spread = weights if len(pixels.shape) < rank else ops.over_classes(weights)
            sums = [counted(pixels * spread, None)]
        sums.append(counted(pixels, None))
        if ops.parts.splits(ALL):
            taken = ops.parts.add_up(ALL, lambda: Taken([total * unit for total, unit in sums]))
            sums = [(total, 1) for total in taken.sums]
        (weighted, unit), (plain, plain_unit) = [
            (one_if_zero(total, ops.xp), ops.xp.where(total > 0, unit, ops.xp.ones_like(total)))
            for total, unit in sums
        ]
        return ops.cast(weighted / plain * (unit / plain_unit), dtype)

    return ops.parts.run(mean)
