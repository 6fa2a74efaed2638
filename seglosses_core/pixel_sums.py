"""Sums over pixels of functions of prediction and target that are no products of powers, as `moments` has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.libraries import Array
from seglosses_core.moments import Term
from seglosses_core.target import Target


class Summand(NamedTuple):
    """A function g(p, y) of each class of each pixel, logits-shaped, and its derivative ∂g/∂p."""

    values: Array
    slopes: Array


def pixel_sums(
    summands: Sequence[Summand], target: Target, weights: Array | None, *, batch: bool
) -> tuple[list[Array], Callable[[Sequence[Array]], Cotangent]]:
    """`Σ w g` of each, and the way back from their derivatives, as `moments` gives them."""
    ops = target.ops
    sums = [ops.power_sum(g.values, 1, weights) for g in summands]
    if batch:
        sums = [ops.xp.sum(x, axis=0, keepdims=True) for x in sums]

    def back(slopes: Sequence[Array]) -> Cotangent:
        terms: list[Term] = []
        for table, g in zip(slopes, summands, strict=True):
            factors = [ops.over_pixels(ops.cast(table, target.dtype))]
            if weights is not None:
                factors.append(ops.over_classes(weights))
            terms.append((1, (*factors, g.slopes)))
        return Cotangent(terms=terms)

    return sums, back


def pixel_count(target: Target, weights: Array | None, *, batch: bool) -> Array:
    """`Σ w` over the pixels of each image, `(N, 1)`, or of the batch, `(1, 1)`; with weights of entries those of each
    class, `(N, C)` or `(1, C)`; wide."""
    ops = target.ops
    if weights is None:
        pixels = target.given_labels if target.has_labels else ops.class_zero(target.dense)
        weights = ops.xp.ones_like(pixels, dtype=target.dtype)
    counts = ops.sum_pixels(weights) if target.of_entries else ops.sum_image(weights)[:, None]
    return ops.xp.sum(counts, axis=0, keepdims=True) if batch else counts


def errors(prediction: Prediction, target: Target) -> tuple[Array, Array]:
    """`Prediction.error`, and its sign, both logits-shaped.

    The sign is the slope of |p − y| by p: 0 where p is y, but at the ends of the unit interval that of the one side
    that there is.
    """
    xp, p, y = target.ops.xp, prediction.probabilities, target.values
    one = xp.ones_like(y)
    below = (p < y) | (y == 1)
    above = (p > y) | (y == 0)
    return prediction.error(target), xp.where(below, -one, xp.where(above, one, 0 * one))
