"""The Lovász extension of the Jaccard loss: errors in the order of their size, each with a slope of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seglosses_core.activations import Activation, Cotangent, Prediction
from seglosses_core.arithmetic import divide, product
from seglosses_core.checks import dtype_is
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.ops import Ops
from seglosses_core.region import Absent, Aggregate, RegionLoss, ScoreBack
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class LovaszLoss(RegionLoss):
    """`L = Σ_i m_i g_i` for each image and class, with m ≥ 0 the errors of the pixels and g the slope of the Jaccard
    loss of wrong pixels, which are taken in the order of their errors.
    """

    @property
    def sees(self) -> str:  # type: ignore[override]
        return self.aggregate

    def check_values(
        self, logits: Array, target: Array, mask: Array | None, sample_weight: Array | None, ops: Ops
    ) -> None:
        super().check_values(logits, target, mask, sample_weight, ops)
        given = [x for x in (target, mask, sample_weight) if x is not None]
        if self.validate and dtype_is(target, "floating") and all(map(ops.is_eager, given)):
            kind = {"num_classes": logits.shape[ops.class_axis], "dtype": ops.compute_dtype(logits)}
            read = Target(target, **kind, ops=ops, mask=mask, sample_weight=sample_weight)
            if not bool(is_hard(read, ops)):
                raise ValueError(f"target must be 0 or 1 everywhere for {type(self).__name__}, got others.")

    def measured(self, prediction: Prediction) -> Sequence[Array]:
        """What errors are made of, logits-shaped."""
        raise NotImplementedError

    def errors(self, y: Array, *measured: Array, ops: Ops) -> tuple[Array, Array, Array]:
        """m, what has their order, and their derivative with respect to what they are errors of."""
        raise NotImplementedError

    def cotangent(self, factors: Sequence[Array]) -> Cotangent:
        """From the derivative with respect to what they are errors of, as a product."""
        raise NotImplementedError

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        pixels = self.pixel_weights(target)
        weights = None if pixels is None else ops.over_classes(pixels)

        def of_rows(*rows: Any) -> tuple[Array, Array]:
            *measured, y, weights = rows
            m, keys, direction = self.errors(y, *measured, ops=ops)
            g = ops.cast(jaccard_slopes(keys, y, weights, ops), m.dtype)
            return ops.xp.sum(m * g, axis=-1, dtype=ops.accumulation_dtype(m)), g * direction

        given = [*self.measured(prediction), target.values, weights]
        values, slopes = ops.over_rows(of_rows, given, batch=self.aggregate == "batch")
        if not target.hard:
            nan = ops.zero_or_nan(is_hard(target, ops), values.dtype)
            values, slopes = values + nan, slopes + ops.cast(nan, slopes.dtype)

        def back(upstream: Array) -> Cotangent:
            table = ops.cast(upstream + ops.xp.zeros_like(values), slopes.dtype)
            return self.cotangent([ops.over_pixels(table), slopes])

        return values, back


def is_hard(target: Target, ops: Ops) -> Array:
    """Whether nothing lies between 0 and 1."""
    return ops.xp.all((target.values == 0) | (target.values == 1))


def jaccard_slopes(keys: Array, y: Array, weights: Array | None, ops: Ops) -> Array:
    """g of each pixel: `keys` with the order of the errors, the hard target and the weights of the pixels, None for 1,
    are `(N, C, P)`.

    Without ties, with the foreground of weight G and the weights of larger errors added up, a foreground pixel has
    `w / U`, another `w I / (U (U + w))`, where `U = G + background` and `I = G − foreground`: what differences of the
    Jaccard index come to, without their cancellation. Equal errors share what foreground first and background first
    give on average.
    """
    xp = ops.xp
    if ops.may_look(y) and not bool(xp.any(y if weights is None else y * weights)):
        return slopes_of_absent(keys, weights, ops)
    weights = weights if weights is None else weights + 0 * y
    order, at_ends = ops.ranked(keys)
    wide = ops.accumulation_dtype(keys)
    y, weights = (x if x is None else ops.cast(ops.take(x, order), wide) for x in (y, weights))
    if weights is None:
        found, every = ops.running_sums(y), ops.running_sums(xp.ones_like(order))
    else:
        found, every = ops.running_sums(weights * y), ops.running_sums(weights)
    missed = xp.max(found, axis=-1, keepdims=True) - found
    union = missed + every
    some = union > 0
    inverse, inverse_with = at_ends(1 / xp.where(some, union, xp.ones_like(union)))
    # Without foreground the first of the others costs 1, though none is missed.
    common, common_with = at_ends(xp.where(some, missed, xp.full_like(missed, 2.0)))
    of_background = (common + common_with) * inverse * inverse_with
    g = xp.where(y > 0, inverse + inverse_with, of_background) / 2
    return ops.put_back(g if weights is None else g * weights, order)


def slopes_of_absent(keys: Array, weights: Array | None, ops: Ops) -> Array:
    """`jaccard_slopes` without foreground: the pixels with the largest error share 1."""
    xp = ops.xp
    counted = keys if weights is None else xp.where(weights > 0, keys, xp.full_like(keys, -math.inf))
    worst = ops.cast(keys == xp.max(counted, axis=-1, keepdims=True), ops.accumulation_dtype(keys))
    worst = worst if weights is None else worst * ops.cast(weights, worst.dtype)
    return divide(worst, xp.sum(worst, axis=-1, keepdims=True), xp)


@dataclass(frozen=True, kw_only=True)
class LovaszSoftmaxLoss(LovaszLoss):
    """`L = Σ_i m_i g_i` for each class, with the errors `m = |y − p|` in falling order and g what the Jaccard loss of
    wrong pixels grows by with each of them: its Lovász extension, convex in p.

    Berman, Rannen Triki and Blaschko 2018 (arXiv:1705.08790, eqs. 8, 9 and 11), by default as their code has it: over
    the whole batch, of the classes that are present. With activation="sigmoid" each class by itself. Ours: pixel
    weights, which count as that many pixels; equal errors share their slopes. A target between 0 and 1 makes
    the loss NaN. The authors advise to train with cross-entropy first, or to add it.

    Parameters
    ----------
    aggregate : "image" or "batch"
        Whether the errors of each image have an order of their own, or those of the batch one.
    absent : "count" or "skip"
        A class that is absent, if it counts, costs its largest error.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = LovaszSoftmaxLoss()
    >>> float(loss(logits, labels).round(6))
    0.370831
    """

    aggregate: Aggregate = "batch"
    absent: Absent = "skip"

    def measured(self, prediction: Prediction) -> Sequence[Array]:
        return prediction.probabilities, prediction.complements

    def errors(self, y: Array, *measured: Array, ops: Ops) -> tuple[Array, Array, Array]:
        (p, rest), xp, is_there = measured, ops.xp, y > 0
        m, right = xp.where(is_there, rest, p), xp.where(is_there, p, rest)
        # Of errors near 1 the odds have an order still.
        odds = m / xp.maximum(right, xp.full_like(right, float(xp.finfo(right.dtype).smallest_normal)))
        one = xp.ones_like(p)
        return m, odds, xp.where(is_there, -one, one)

    def cotangent(self, factors: Sequence[Array]) -> Cotangent:
        return Cotangent(terms=[(1, tuple(factors))])


@dataclass(frozen=True, kw_only=True)
class LovaszHingeLoss(LovaszLoss):
    """`L = Σ_i m_i g_i` for each class, with the hinge errors `m = max(0, 1 − σ z)` of the logits in falling order, σ
    being 1 where y = 1 and −1 elsewhere, and g what the Jaccard loss of wrong pixels grows by with each of them.

    Berman, Rannen Triki and Blaschko 2018 (arXiv:1705.08790, section 3.1), for one class or for overlapping ones: the
    activation is "sigmoid", though none is applied. Ours: pixel weights, which count as that many pixels; equal errors
    share their slopes, and an error of 0 has none. A target between 0 and 1 makes the loss NaN.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[0.5, -0.2, 1.0, -1.5]]])  # one image, one class, four pixels
    >>> labels = np.asarray([[1, 0, 0, 1]])
    >>> loss = LovaszHingeLoss()
    >>> float(loss(logits, labels).round(6))
    1.775
    """

    activation: Activation = "sigmoid"

    needs = Needs(finite_logits=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.activation != "sigmoid":
            raise ValueError(
                f"activation must be 'sigmoid' for {type(self).__name__}, whose errors are of logits, got"
                f" {self.activation!r}."
            )

    def measured(self, prediction: Prediction) -> Sequence[Array]:
        return (prediction.logits,)

    def errors(self, y: Array, *measured: Array, ops: Ops) -> tuple[Array, Array, Array]:
        (z,), xp, signs = measured, ops.xp, 2 * y - 1
        towards = signs * z
        margin = 1 - towards
        nothing = 0 * margin
        # `where` would hide a NaN. The logits have the order of the errors, unrounded; errors of 0 need none.
        m = xp.where(margin <= 0, nothing, margin)
        return m, -towards, xp.where(margin > 0, -signs, nothing)

    def cotangent(self, factors: Sequence[Array]) -> Cotangent:
        return Cotangent(logits=[product(factors)])
