"""Losses that look at each pixel with what is around it: structure, contours, thick errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import one_if_zero
from seglosses_core.checks import check_integer, check_number, check_window
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import errors
from seglosses_core.region import RegionLoss, ScoreBack
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class MeanMapLoss(RegionLoss):
    """A region loss that is the mean of a map, `L = Σ_i w_i ℓ_i / Σ_i w_i` for each image and class."""

    sees = "image"

    def costs_map(
        self, prediction: Prediction, target: Target, ops: Ops
    ) -> tuple[Array, Callable[[Array], Cotangent]]:
        """ℓ, logits-shaped, and the way back from it, from what is wide."""
        raise NotImplementedError

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        def take() -> Taken:
            weights = self.pixel_weights(target)
            values, from_map = self.costs_map(prediction, target, ops)
            if weights is None:
                weights = ops.xp.ones_like(ops.class_zero(values))
            weights = ops.cast(weights, values.dtype)
            sums = [ops.power_sum(values, 1, weights), ops.sum_image(weights)[:, None]]
            spread = ops.over_classes(weights)
            return Taken(
                self.over_images(sums, ops),
                lambda slopes: from_map(ops.over_pixels(slopes[0]) * ops.cast(spread, slopes[0].dtype)),
            )

        (total, count), back = self.add_up(ops, take)
        count = one_if_zero(count, ops.xp)
        return total / count, lambda upstream: back([ops.cast(upstream, count.dtype) / count])


@dataclass(frozen=True, kw_only=True)
class SSIMLoss(MeanMapLoss):
    """`L = 1 − mean (2 μ_p μ_y + c1) (2 σ_py + c2) / ((μ_p² + μ_y² + c1) (σ_p² + σ_y² + c2))`, with the means, the
    variances and the covariance in a Gaussian window around each pixel.

    Wang et al. 2004 (structural similarity, eq. 13) of masks, as in BASNet (Qin et al. 2019, eq. 6): outside the image
    and at ignored pixels prediction and target are 0. Beside cross-entropy and Jaccard.

    Parameters
    ----------
    window : int
        Odd, at least 3: the width of the window, in pixels.
    sigma : float
        Of the Gaussian, above 0.
    k1 : float
        Above 0: c1 = k1², of a range of 1.
    k2 : float
        Above 0: c2 = k2².

    Examples
    --------
    >>> import numpy as np
    >>> loss = SSIMLoss(activation="identity")
    >>> float(loss(np.asarray([[[[0.5]]]]), np.asarray([[[1]]])).round(6))  # one image, one class, one pixel
    0.355744
    """

    window: int = 11
    sigma: float = 1.5
    k1: float = 0.01
    k2: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window("window", self.window)
        if self.window < 3:
            raise ValueError(f"window must be at least 3, got {self.window}.")
        for name in ("sigma", "k1", "k2"):
            check_number(name, getattr(self, name), above=0)

    def costs_map(
        self, prediction: Prediction, target: Target, ops: Ops
    ) -> tuple[Array, Callable[[Array], Cotangent]]:
        p, y = (target.only_valid(x) for x in (prediction.probabilities, target.values))
        error = target.only_valid(errors(prediction, target)[0])
        dtype, wide = p.dtype, ops.accumulation_dtype(p)
        p, y, error = (ops.cast(x, wide) for x in (p, y, error))  # variances are differences
        c1, c2 = self.k1 * self.k1, self.k2 * self.k2
        blur = partial(blurred, weights=gaussian(self.window, self.sigma), ops=ops)
        mean_y, mean_error = blur(y), blur(error)
        mean_p = mean_y + mean_error
        b1 = mean_p * mean_p + mean_y * mean_y + c1
        b2 = blur(p * p + y * y) - mean_p * mean_p - mean_y * mean_y + c2
        # With e = p − y, 1 less the quotient of the means is μ_e² / b1, that of the variances σ_e² / b2: without a
        # difference that vanishes where p is nearly y.
        of_means = mean_error * mean_error / b1
        of_variances = (blur(error * error) - mean_error * mean_error) / b2

        def back(slope: Array) -> Cotangent:
            of_square = slope * (1 - of_means) / b2
            of_p = of_square * of_variances
            of_mean = slope * (1 - of_variances) * mean_error * (b1 - mean_error * mean_p) / (b1 * b1)
            of_mean = of_mean - (of_square * mean_error - of_p * mean_p)
            found = blur(of_mean) + (error * blur(of_square) - p * blur(of_p))
            return Cotangent(terms=[(1, (target.only_valid(ops.cast(2 * found, dtype)),))])

        return of_means + (1 - of_means) * of_variances, back


@dataclass(frozen=True, kw_only=True)
class ActiveContourLoss(MeanMapLoss):
    """`L = mean √(|∇p|² + 10⁻⁸) + λ (μ mean p (1 − y)² + mean (1 − p) y²)`: the length of the contour and how far it
    is from the target; of a hard target and μ = 1 total variation and the mean of |p − y|.

    Chen et al. 2019 (learning active contour models, eqs. 11 and 12, taken from their code, c₁ = 1 and c₂ = 0). Ours:
    the differences are those to the next pixel on each axis, all at the same pixel, and 0 beyond the last and where one
    of the two is ignored.

    Parameters
    ----------
    weight : float
        λ ≥ 0.
    inside : float
        μ ≥ 0: what a prediction outside of the target counts for.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[[0.8, 0.2], [0.6, 0.1]]]])  # one image, one class, four pixels
    >>> labels = np.asarray([[[1, 0], [1, 0]]])
    >>> loss = ActiveContourLoss(activation="identity")
    >>> float(loss(probabilities, labels).round(6))
    0.533139
    """

    weight: float = 1.0
    inside: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("weight", self.weight, at_least=0)
        check_number("inside", self.inside, at_least=0)

    def costs_map(
        self, prediction: Prediction, target: Target, ops: Ops
    ) -> tuple[Array, Callable[[Array], Cotangent]]:
        xp, p, rest, y = ops.xp, prediction.probabilities, prediction.complements, target.values
        steps = [_step(p, rest, axis, ops) for axis in ops.spatial_axes]
        if target.valid is not None:
            there = target.only_valid(xp.ones_like(p))
            pairs = zip(ops.spatial_axes, steps, strict=True)
            steps = [step * (_next(there, axis, ops) * there) for axis, step in pairs]
        length = xp.sqrt(sum((step * step for step in steps), 0 * p) + 1e-8)
        outside, within = self.inside * (1 - y) * (1 - y), y * y
        region = outside * p + within * rest

        def back(slope: Array) -> Cotangent:
            slope = ops.cast(slope, p.dtype)
            found = slope * (self.weight * (outside - within))
            for axis, step in zip(ops.spatial_axes, steps, strict=True):
                flow = slope * step / length
                found = found - flow + _previous(flow, axis, ops)
            return Cotangent(terms=[(1, (found,))])

        return length + self.weight * region, back


@dataclass(frozen=True, kw_only=True)
class HausdorffERLoss(MeanMapLoss):
    """`L = Σ_k k^α mean b_k` over K erosions of the squared errors `b_0 = (p − y)²`: a thick error lasts
    longest.

        c_k = the mean of b_{k−1} at a pixel and at its neighbours along the axes, 0 outside the image
        e_k = max(0, c_k − t)
        b_k = (e_k − min e_k) / (max e_k − min e_k) over the image, e_k itself where that is 0 / 0

    Karimi and Salcudean 2020 (arXiv:1904.10030, eq. 10), scaled to [0, 1] as in the common code and in kornia. Ours:
    ignored pixels are like those outside, equal extremes share their slope, and t may be other than ½. Where every
    (p − y)² is below t, the loss is 0 and has no gradient: beside a region loss.

    Parameters
    ----------
    alpha : float
        The exponent of k, ≥ 0.
    erosions : int
        K, at least 1.
    threshold : float
        t in [0, 1). Below ½ smaller errors have a slope too, such as those of many classes.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.zeros((1, 1, 5, 5))  # one image, one class
    >>> labels = np.pad(np.ones((1, 3, 3), dtype=int), ((0, 0), (1, 1), (1, 1)))
    >>> loss = HausdorffERLoss(activation="identity")
    >>> float(loss(probabilities, labels).round(6))
    0.328
    """

    alpha: float = 2.0
    erosions: int = 10
    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_integer("erosions", self.erosions, at_least=1)
        check_number("threshold", self.threshold, at_least=0, below=1)

    def costs_map(
        self, prediction: Prediction, target: Target, ops: Ops
    ) -> tuple[Array, Callable[[Array], Cotangent]]:
        error = target.only_valid(errors(prediction, target)[0])
        bound, ways, total = error * error, [], 0 * error
        factors = [float(k) ** self.alpha for k in range(1, self.erosions + 1)]
        for factor in factors:
            bound, way = eroded_bound(bound, self.threshold, target, ops)
            ways.append(way)
            total = total + factor * bound

        def back(share: Array) -> Cotangent:
            share, slope = ops.cast(share, error.dtype), 0 * error
            for factor, way in zip(reversed(factors), reversed(ways), strict=True):
                slope = way(slope + factor * share)
            return Cotangent(terms=[(1, (2 * error * slope,))])

        return total, back


def eroded_bound(
    bound: Array, threshold: float, target: Target, ops: Ops
) -> tuple[Array, Callable[[Array], Array]]:
    """b_k of b_{k−1}, and the way back."""
    xp, axes = ops.xp, ops.spatial_axes
    mean = cross_mean(bound, ops)
    kept = mean >= threshold
    left = xp.where(kept, mean - threshold, 0 * mean)

    def over_image(extreme: Callable[..., Array], otherwise: float) -> Array:
        counted = target.only_valid(left, otherwise)
        return extreme(counted, axis=axes, keepdims=True) if axes else counted

    highest, lowest = over_image(xp.max, 0.0), over_image(xp.min, 1.0)
    differ = highest > lowest
    extent = xp.where(differ, highest - lowest, xp.ones_like(highest))
    eroded = target.only_valid((left - xp.where(differ, lowest, 0 * lowest)) / extent)

    def back(slope: Array) -> Array:
        slope = target.only_valid(slope) / extent
        found = slope
        for extreme, share in ((highest, eroded), (lowest, 1 - eroded)):
            equal = target.only_valid(ops.cast((left == extreme) & differ, slope.dtype))
            of_each = ops.sum_pixels(slope * share) / one_if_zero(ops.sum_pixels(equal), xp)
            found = found - equal * ops.over_pixels(ops.cast(of_each, slope.dtype))
        return cross_mean(xp.where(kept, found, 0 * found), ops)

    return eroded, back


def cross_mean(x: Array, ops: Ops) -> Array:
    """The mean of a pixel and its neighbours along the axes; symmetric, it is its own transpose."""
    beside = [weighted_window(x, axis, [1.0, 0.0, 1.0], ops) for axis in ops.spatial_axes]
    return sum(beside, x) / (1 + 2 * len(beside))


def gaussian(width: int, sigma: float) -> list[float]:
    """The weights of a Gaussian window along an axis, which sum to 1."""
    radius = width // 2
    weights = [math.exp(-(k * k) / (2 * sigma * sigma)) for k in range(-radius, radius + 1)]
    scale = sum(weights)
    return [weight / scale for weight in weights]


def blurred(x: Array, weights: Sequence[float], ops: Ops) -> Array:
    """The mean in a window of these weights along each axis; symmetric, it is its own transpose."""
    for axis in ops.spatial_axes:
        x = weighted_window(x, axis, weights, ops)
    return x


def weighted_window(x: Array, axis: int, weights: Sequence[float], ops: Ops) -> Array:
    """`Σ_k weight_k x(i + k)` along an axis, with 0 outside."""
    padded = ops.pad(x, (axis,), (len(weights) // 2,), 0)

    def add(total: Array, place: Any, weight: Any) -> Array:
        return total + weight * ops.shifted_view(padded, (axis,), (place,), (len(weights),))

    return ops.scan(add, 0 * x, list(range(len(weights))), list(weights))


def _step(p: Array, rest: Array, axis: int, ops: Ops) -> Array:
    """The next probability along an axis less this one, of the last 0; where both are near 1, from `rest`, 1 − p, which
    has the digits there."""
    next_p, next_rest = _next(p, axis, ops), _next(rest, axis, ops)
    return ops.xp.where(next_p + p > 1, rest - next_rest, next_p - p)


def _next(x: Array, axis: int, ops: Ops) -> Array:
    """The next entry along an axis, of the last itself."""
    before = (slice(None),) * axis
    return ops.xp.concat([x[(*before, slice(1, None), ...)], x[(*before, slice(-1, None), ...)]], axis=axis)


def _previous(x: Array, axis: int, ops: Ops) -> Array:
    """The previous entry along an axis, of the first 0."""
    before = (slice(None),) * axis
    first = 0 * x[(*before, slice(0, 1), ...)]
    return ops.xp.concat([first, x[(*before, slice(None, -1), ...)]], axis=axis)
