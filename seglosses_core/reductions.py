"""From a map of costs to a number, where that is neither mean nor sum: Minkowski, loss max-pooling, top-k, hard
examples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seglosses_core.arithmetic import divide, one_if_zero, power, power_or_zero
from seglosses_core.checks import check_flag, check_integer, check_number, unwrap_numpy_scalars
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops

MapPullback = Callable[[Array], Array]
"""Takes the derivative of what follows with respect to the pooled number, gives it with respect to the map: a map, or
one number for all of it."""


class Pooling:
    """A reduction of a map of costs ℓ ≥ 0 with weights ω ≥ 0; entries of weight 0 do not exist."""

    def __post_init__(self) -> None:
        unwrap_numpy_scalars(self)

    def __call__(self, costs: Array, weights: Array, ops: Ops) -> tuple[Array, MapPullback]:
        """The pooled number, and the way back; `weights` has the shape of `costs`. Without any entry: 0."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Minkowski(Pooling):
    """The power mean `(Σ ω ℓ^k / Σ ω)^(1/k)`: with k > 1 the costly pixels count for more.

    Guo et al. 2018 (arXiv:1802.08290), batch pooling, with the weights and the sum over all valid pixels of the batch
    ours.

    Parameters
    ----------
    k : float
        At least 1; 3 in the paper, which tried 1, 2, 3 and 5.
    """

    k: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("k", self.k, at_least=1)

    def __call__(self, costs: Array, weights: Array, ops: Ops) -> tuple[Array, MapPullback]:
        xp = ops.xp
        highest = _largest(xp.where(weights > 0, costs, xp.zeros_like(costs)), xp)
        # Divided by the largest cost, no power overflows and the largest does not underflow.
        scaled = xp.where(weights > 0, _shares(costs, highest, ops), xp.zeros_like(costs))
        total = ops.total(weights)
        mean = divide(ops.total(weights * power_or_zero(scaled, self.k, xp)), total, xp)
        some = xp.where(mean > 0, mean, xp.ones_like(mean))
        norm = xp.where(mean > 0, power(some, 1 / self.k), xp.zeros_like(mean))

        def pullback(seed: Array) -> Array:
            steepness = divide(power(some, 1 / self.k - 1), total, xp) * ops.cast(seed, total.dtype)
            return ops.cast(steepness, costs.dtype) * weights * power_or_zero(scaled, self.k - 1, xp)

        return ops.cast(norm, costs.dtype) * highest, pullback


@dataclass(frozen=True, kw_only=True)
class TopK(Pooling):
    """The mean over the costliest entries: `Σ_top ω ℓ / Σ_top ω` over the `max(1, ⌊fraction · M⌋)` largest of M.

    Entries that tie for the last places share them equally, so that the gradient does not depend on the order of the
    pixels. A product `fraction · M` less than 0.001 below a whole number counts as that number: 0.29 · 100 is 29.

    Parameters
    ----------
    fraction : float
        In (0, 1].
    """

    fraction: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("fraction", self.fraction, above=0, at_most=1)

    def __call__(self, costs: Array, weights: Array, ops: Ops) -> tuple[Array, MapPullback]:
        xp = ops.xp
        valid = weights > 0
        count = ops.total(ops.cast(valid, costs.dtype))
        places = xp.floor(count * self.fraction + 1e-3)
        places = xp.where(places < 1, xp.ones_like(places), places)
        return _mean(costs, weights * _costliest(costs, valid, places, ops), ops)


@dataclass(frozen=True, kw_only=True)
class HardExampleMining(Pooling):
    """The mean over the hard entries: `Σ_hard ω ℓ / Σ_hard ω` over those with ℓ > −log(threshold), for cross-entropy
    p < threshold, and over the `min_kept` costliest in any case; OHEM, or bootstrapped cross-entropy.

    Shrivastava et al. 2016 (arXiv:1604.03540) and Wu et al. 2016 (arXiv:1605.06885), with the threshold of
    segmentation libraries. The mean is over what is kept of the whole batch. Entries that tie for the last places share
    them equally, as in `TopK`; the choice has no derivative.

    Parameters
    ----------
    min_kept : int
        At least 1. All entries are kept if they are no more than that.
    threshold : float or None
        A probability in (0, 1). None: the costliest alone.
    cost_threshold : float, optional
        At least 0, in the place of −log(threshold) where costs are no logarithms; needs threshold=None.
    per_image : bool
        Keep the `min_kept` costliest of each image, not of the batch.
    """

    min_kept: int = 100_000
    threshold: float | None = 0.7
    cost_threshold: float | None = None
    per_image: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("min_kept", self.min_kept, at_least=1)
        if self.threshold is not None:
            check_number("threshold", self.threshold, above=0, below=1)
        if self.cost_threshold is not None:
            check_number("cost_threshold", self.cost_threshold, at_least=0)
            if self.threshold is not None:
                raise ValueError(f"threshold must be None beside cost_threshold, got {self.threshold!r}.")
        check_flag("per_image", self.per_image)

    def __call__(self, costs: Array, weights: Array, ops: Ops) -> tuple[Array, MapPullback]:
        xp = ops.xp
        valid = weights > 0
        places = xp.full_like(ops.total(ops.cast(valid, costs.dtype)), float(self.min_kept))
        kept = _costliest(costs, valid, places, ops, per_image=self.per_image)
        limit = self.cost_threshold if self.threshold is None else -math.log(self.threshold)
        if limit is not None:
            kept = xp.where(valid & (costs > limit), xp.ones_like(kept), kept)
        return _mean(costs, weights * kept, ops)


def _costliest(costs: Array, valid: Array, places: Array, ops: Ops, *, per_image: bool = False) -> Array:
    """Of so many places for the costliest entries, of the batch or of each image, the part that each has: 1, an equal
    share of the last places for those that tie for them, or 0."""
    xp = ops.xp
    entries = xp.where(valid, costs, xp.full_like(costs, -1.0))
    entries = ops.image_rows(entries) if per_image else xp.reshape(entries, (-1,))
    add_up = ops.sum_image if per_image else ops.total

    def spread(numbers: Array) -> Array:
        return numbers[(slice(None), *(None,) * (len(costs.shape) - 1))] if per_image else numbers

    descending = xp.sort(entries, descending=True)
    ones = xp.ones_like(descending, dtype=ops.index_dtype)
    reached = ops.cumulative_sum(ones, axis=len(entries.shape) - 1) >= ops.cast(places, ops.index_dtype)
    last = spread(xp.max(xp.where(reached, descending, xp.full_like(descending, -1.0)), axis=-1))
    above = ops.cast(valid & (costs > last), costs.dtype)
    tied = ops.cast(valid & (costs == last), costs.dtype)
    share = spread(divide(places - add_up(above), add_up(tied), xp))
    return above + tied * ops.cast(share, costs.dtype)


def _mean(costs: Array, weights: Array, ops: Ops) -> tuple[Array, MapPullback]:
    """`Σ ω ℓ / Σ ω`, 0 without any weight, and the way back."""
    total = one_if_zero(ops.total(weights), ops.xp)

    def pullback(seed: Array) -> Array:
        return weights * ops.cast(ops.cast(seed, total.dtype) / total, costs.dtype)

    return ops.cast(ops.total(costs * weights) / total, costs.dtype), pullback


@dataclass(frozen=True, kw_only=True)
class MaxPooling(Pooling):
    """Loss max-pooling: the largest weighted sum that a bounded weighting can reach.

    `max_v Σ v ℓ` over `v ≥ 0`, `‖v‖_p ≤ n^(−1/q)`, `v ≤ τ`, with n entries, q = p / (p − 1), m = ratio · n and
    `τ = n^(−1/q) m^(−1/p)`, so that at least m entries carry weight. The optimum is `v = min(τ, a ℓ^(1/(p−1)))`; it is
    the derivative with respect to ℓ too. Rota Bulò et al., CVPR 2017 (arXiv:1704.02966), whose code has these
    defaults. The weights ω are ours: scaled to mean 1, they multiply the costs.

    Parameters
    ----------
    ratio : float
        The least share of entries that carry weight, in (0, 1].
    p : float
        Above 1; towards infinity the result tends to the mean of the costs, towards 1 to the mean of the m largest. In
        a weight below τ, and so in the gradient, the rounding of its cost is multiplied by 1 / (p − 1).
    """

    ratio: float = 0.3
    p: float = 1.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("ratio", self.ratio, above=0, at_most=1)
        check_number("p", self.p, above=1)

    def __call__(self, costs: Array, weights: Array, ops: Ops) -> tuple[Array, MapPullback]:
        xp = ops.xp
        p, q = self.p, self.p / (self.p - 1)
        count = ops.total(ops.cast(weights > 0, costs.dtype))
        # Divided by the largest first: the sum of the weights, or its inverse, may be outside the dtype's range.
        weights = divide(weights, _largest(weights, xp), xp)
        scale = ops.cast(divide(count, ops.total(weights), xp), costs.dtype) * weights
        costs = xp.where(weights > 0, costs, xp.zeros_like(costs)) * scale
        highest = _largest(costs, xp)
        scaled = _shares(costs, highest, ops)
        supported = self.ratio * count
        whole = xp.floor(supported + 0.5)
        # A place more for the rounding of m would let in an entry that the largest ones leave no weight.
        rounding = 2 * xp.finfo(supported.dtype).eps * whole
        supported = xp.where(xp.abs(supported - whole) <= rounding, whole, supported)
        some = xp.where(count > 0, count, xp.ones_like(count))
        bound = some ** (-1 / q) * (self.ratio * some) ** (-1 / p)

        uncapped = scaled <= self._threshold(scaled, supported, ops)
        places = supported - ops.total(ops.cast(~uncapped, costs.dtype))
        # Relative to the largest cost below the bound, no power overflows and the largest does not underflow.
        free = xp.where(uncapped, scaled, xp.zeros_like(scaled))
        at_bound = xp.where(uncapped, xp.zeros_like(scaled), scaled)
        largest = _largest(free, xp)
        shares = divide(free, largest, xp)
        total = ops.total(power_or_zero(shares, q, xp))
        norm = power_or_zero(places, 1 / p, xp) * power_or_zero(total, 1 / q, xp)
        value = bound * (ops.total(at_bound) + norm * ops.cast(largest, total.dtype))

        def pullback(seed: Array) -> Array:
            slope = bound * power_or_zero(divide(places, total, xp), 1 / p, xp)
            optimum = ops.cast(slope, costs.dtype) * power_or_zero(shares, 1 / (p - 1), xp)
            optimum = xp.where(uncapped, optimum, xp.ones_like(optimum) * ops.cast(bound, costs.dtype))
            return seed * optimum * scale

        return ops.cast(value, costs.dtype) * highest, pullback

    def _threshold(self, costs: Array, supported: Array, ops: Ops) -> Array:
        """The largest cost whose entry stays below the bound τ; `supported` is m."""
        xp = ops.xp
        ascending = xp.sort(xp.reshape(costs, (-1,)))
        rank = ops.cumulative_sum(xp.ones_like(ascending, dtype=ops.index_dtype))
        larger = ops.cast(xp.max(rank) - rank, ops.accumulation_dtype(costs))
        # Fewer than m entries are at τ, so the ⌈m⌉-th largest is below it. Relative to that one, the powers that
        # underflow matter to nobody, and those beyond 2^96, more than n / (m + 1 − ⌈m⌉), are of entries that are at τ.
        pivot = _largest(xp.where(larger >= supported - 1, ascending, xp.zeros_like(ascending)), xp)
        above = ascending > pivot
        powers = divide(xp.where(above, pivot, ascending), xp.where(above, ascending, pivot), xp)
        powers = power_or_zero(powers, self.p / (self.p - 1), xp)
        least = xp.full_like(pivot, 2.0**-96)
        powers = xp.where(above, 1 / xp.where(powers > least, powers, least), powers)
        powers = ops.cast(powers, larger.dtype)
        # An entry stays below τ if it does so when exactly the larger ones are at τ. Those that do are the smallest
        # entries, whatever the number of larger ones.
        below = powers * (supported - larger) <= ops.cumulative_sum(powers)
        return _largest(xp.where(below, ascending, xp.zeros_like(ascending)), xp)


def _largest(x: Array, xp: Any) -> Array:
    """The largest of numbers that are at least 0: 0 if there are none, where the maximum of TensorFlow is −inf."""
    highest = xp.max(x)
    return xp.where(highest == -math.inf, xp.zeros_like(highest), highest)


def _shares(costs: Array, highest: Array, ops: Ops) -> Array:
    """`costs / highest`, or 0 if all are 0; beside an infinite cost the finite ones are nothing."""
    xp = ops.xp
    endless = highest == float("inf")
    shares = divide(costs, xp.where(endless, xp.ones_like(highest), highest), xp)
    return xp.where(endless, ops.cast(costs == highest, costs.dtype), shares)
