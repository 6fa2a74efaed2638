"""Keras' convention for weights: a mean divides by what it would divide by without them."""

from __future__ import annotations

from typing import Any

from seglosses_core.libraries import Array
from seglosses_core.local import LocallyAdaptiveLoss
from seglosses_core.loss import Loss, replace
from seglosses_core.ops import Ops
from seglosses_core.pixel import CostMap, DistanceAwareCrossEntropyLoss, LogPixelLoss
from seglosses_core.prediction import Cotangent
from seglosses_core.reductions import one_if_zero
from seglosses_core.region import RegionLoss
from seglosses_core.target import Target
from seglosses_keras.backends import make_ops


def mean_weight(loss: Loss, logits: Array, target: Array, mask: Array | None, weights: Array) -> Array:
    """`Σ w q / Σ q`: what the core's mean divides by with the weights w of images `(N,)` or pixels `(N, *S)`, over what
    it divides by without them. q is what an image or a pixel counts for there; it is 0 for one that is left out."""
    rank = len(logits.shape)
    ops = make_ops(loss.class_axis % rank, rank)
    read = Target(
        target,
        num_classes=logits.shape[ops.class_axis],
        dtype=ops.compute_dtype(logits),
        ops=ops,
        ignore_index=loss.ignore_index,
        mask=mask,
    )
    weights = ops.cast(weights, read.dtype)
    of_images = len(weights.shape) == 1
    if of_images and isinstance(loss, RegionLoss) and loss.aggregate == "image":
        counts = _counts_of_images(loss, read, logits, ops)
    else:
        counts = _counts_of_pixels(loss, read, logits, ops)
        weights = ops.over_image(weights) if of_images else weights
    mean = one_if_zero(ops.total(counts * weights), ops.xp) / one_if_zero(ops.total(counts), ops.xp)
    return ops.cast(mean, read.dtype)


def _counts_of_images(loss: RegionLoss, target: Target, logits: Array, ops: Ops) -> Array:
    """The weight of the classes that count of each image, `(N,)`."""
    classes = logits[tuple(0 if axis in ops.spatial_axes else slice(None) for axis in range(ops.rank))]
    no_prediction: Any = None
    like = ops.xp.ones_like(classes, dtype=target.dtype)
    return ops.xp.sum(loss.importance(target, no_prediction, target.mask, like, ops)[0], axis=1)


def _counts_of_pixels(loss: Loss, target: Target, logits: Array, ops: Ops) -> Array:
    """The mask, times the class weight of each pixel's target, `(N, *S)`. Where a pixel has an entry for every class,
    their weights add up to the same for all pixels."""
    counts = target.mask
    if counts is None:
        counts = ops.xp.ones_like(ops.class_zero(logits), dtype=target.dtype)
    if isinstance(loss, LocallyAdaptiveLoss):
        if loss.stride > 1:
            counts = loss.on_grid(CostMap(counts, counts, lambda seed: Cotangent()), ops)
        loss = replace(loss.cost, activation=loss.activation, class_weights=loss.class_weights)
    if not isinstance(loss, LogPixelLoss):
        return counts
    classes, _ = loss.read_class_weights(ops, counts)
    if isinstance(loss, DistanceAwareCrossEntropyLoss):
        foreground = ops.cast(target.values == 1, target.dtype)
        return counts * ops.sum_classes(
            foreground if classes is None else foreground * ops.over_pixels(classes)
        )
    if not loss.exclusive(target.num_classes):
        return counts
    if target.labels is not None:
        return counts if classes is None else counts * ops.table_at_label(classes, target.labels)
    return counts * ops.sum_classes(
        target.values if classes is None else target.values * ops.over_pixels(classes)
    )
