"""The Lovász extension of the Jaccard loss: errors in the order of their size, each with a slope of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seglosses_core.activations import Activation, Cotangent, Prediction
from seglosses_core.arithmetic import divide
from seglosses_core.checks import dtype_is
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.ops import Ops
from seglosses_core.region import Absent, Aggregate, RegionLoss, ScoreBack
from seglosses_core.target import Target

ErrorsBack = Callable[[Array], Cotangent]
"""From the derivative with respect to the errors."""


@dataclass(frozen=True, kw_only=True)
class LovaszLoss(RegionLoss):
    """`L = Σ_i m_i g_i` for each image and class, with m ≥ 0 the errors of the pixels and g the slope of the Jaccard
    loss of wrong pixels, which are taken in the order of their errors.
    """

    def check_values(
        self, logits: Array, target: Array, mask: Array | None, sample_weight: Array | None, ops: Ops
    ) -> None:
        super().check_values(logits, target, mask, sample_weight, ops)
        given = [x for x in (target, mask, sample_weight) if x is not None]
        if self.validate and dtype_is(target, "floating") and all(map(ops.is_eager, given)):
            read = Target(
                target,
                num_classes=logits.shape[ops.class_axis],
                dtype=ops.compute_dtype(logits),
                ops=ops,
                mask=mask,
                sample_weight=sample_weight,
            )
            if not bool(is_hard(read, ops)):
                raise ValueError(f"target must be 0 or 1 everywhere for {type(self).__name__}, got others.")

    def errors(self, prediction: Prediction, target: Target, ops: Ops) -> tuple[Array, Array, ErrorsBack]:
        """m, logits-shaped; what has their order; and the way back."""
        raise NotImplementedError

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        batch, pixels = self.aggregate == "batch", self.pixel_weights(target)
        errors, keys, back = self.errors(prediction, target, ops)
        weights = ops.xp.ones_like(errors) if pixels is None else ops.over_classes(pixels)
        sides = (target.values * weights, (1 - target.values) * weights)
        m, order, foreground, background = (ops.rows(x, batch=batch) for x in (errors, keys, *sides))
        g = jaccard_slopes(order, foreground, background, ops)
        if not target.hard:
            g = g + ops.zero_or_nan(is_hard(target, ops), g.dtype)

        def to_errors(upstream: Array) -> Cotangent:
            slope = ops.cast(upstream[..., None] * g, errors.dtype)
            return back(ops.from_rows(slope, errors, batch=batch))

        return ops.xp.sum(ops.cast(m, g.dtype) * g, axis=-1), to_errors


def is_hard(target: Target, ops: Ops) -> Array:
    """Whether nothing lies between 0 and 1."""
    return ops.xp.all((target.values == 0) | (target.values == 1))


def jaccard_slopes(keys: Array, foreground: Array, background: Array, ops: Ops) -> Array:
    """g of each pixel, all arrays `(N, C, P)`: `keys` with the order of the errors, and the weights of the pixels on
    either side of the target.

    Without ties, with the foreground of weight G and the weights of larger errors added up, a foreground pixel has
    `w / U`, another `w I / (U (U + w))`, where `U = G + background` and `I = G − foreground`: what differences of the
    Jaccard index come to, without their cancellation. Equal errors share what foreground first and background first
    give on average.
    """
    xp = ops.xp
    (found, found_with), (extra, extra_with) = ops.sums_above(keys, (foreground, background))
    foreground, background = (ops.cast(x, found.dtype) for x in (foreground, background))
    total = xp.max(found_with, axis=-1, keepdims=True)
    union, union_with = total + extra, total + extra_with
    inverse, inverse_with = (divide(xp.ones_like(x), x, xp) for x in (union, union_with))
    common = (total - found + total - found_with) / 2
    of_background = xp.where(union > 0, common * inverse, xp.ones_like(union)) * inverse_with
    return foreground * (inverse + inverse_with) / 2 + background * of_background


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

    def errors(self, prediction: Prediction, target: Target, ops: Ops) -> tuple[Array, Array, ErrorsBack]:
        xp, p, rest, is_there = ops.xp, prediction.probabilities, prediction.complements, target.values > 0

        def back(slope: Array) -> Cotangent:
            return Cotangent(terms=[(1, (xp.where(is_there, -slope, slope),))])

        m, right = xp.where(is_there, rest, p), xp.where(is_there, p, rest)
        # Of errors near 1 the odds have an order still.
        odds = m / xp.maximum(right, xp.full_like(right, float(xp.finfo(right.dtype).smallest_normal)))
        return m, odds, back


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

    def errors(self, prediction: Prediction, target: Target, ops: Ops) -> tuple[Array, Array, ErrorsBack]:
        xp = ops.xp
        towards = target.signs * prediction.logits
        margin = 1 - towards
        wrong, nothing = margin > 0, 0 * margin

        def back(slope: Array) -> Cotangent:
            return Cotangent(logits=[xp.where(wrong, -target.signs * slope, nothing)])

        # `where` would hide a NaN. The logits have the order of the errors, unrounded; errors of 0 need none.
        return xp.where(margin <= 0, nothing, margin), -towards, back
