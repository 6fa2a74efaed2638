"""From a map of costs to a number, where that is neither mean nor sum: Minkowski, loss max-pooling, top-k, hard
examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from seglosses_core.arithmetic import divide, one_if_zero, power, power_or_zero
from seglosses_core.checks import check_flag, check_integer, check_number, unwrap_numpy_scalars
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.parts import OfPowers, Taken

Back = Callable[[Array], Any]
"""From the derivative of what follows with respect to a number, or a map."""


class Entries(NamedTuple):
    """What is pooled: costs ℓ ≥ 0 with weights ω ≥ 0, of one shape, and the way back from the costs."""

    costs: Array
    weights: Array
    back: Back | None


MakeEntries = Callable[[], Entries]
"""Entries of weight 0 do not exist."""


class Pooling:
    """A reduction of a map of costs ℓ ≥ 0 with weights ω ≥ 0; entries of weight 0 do not exist."""

    sorts: ClassVar[bool] = True
    """Whether entries are put in order, so that no few sums stand for a part of them."""

    def __post_init__(self) -> None:
        unwrap_numpy_scalars(self)

    def __call__(self, make: MakeEntries, ops: Ops, over: str | None) -> tuple[Array, Back | None]:
        """The pooled number, and the way back. Without any entry: 0. What the entries are `over` may have other parts,
        None for nothing."""
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

    sorts = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("k", self.k, at_least=1)

    def __call__(self, make: MakeEntries, ops: Ops, over: str | None) -> tuple[Array, Back | None]:
        xp = ops.xp
        (highest, powers, total), back = ops.parts.add_up(
            over, lambda: self._take(make(), ops), merge=OfPowers(k=self.k)
        )
        mean = divide(powers, total, xp)
        some = xp.where(mean > 0, mean, xp.ones_like(mean))
        norm = xp.where(mean > 0, power(some, 1 / self.k), xp.zeros_like(mean))

        def pullback(upstream: Array) -> Any:
            assert back is not None
            return back(
                [
                    upstream,
                    divide(power(some, 1 / self.k - 1), total, xp) * ops.cast(upstream, total.dtype),
                    upstream,
                ]
            )

        return ops.cast(norm, highest.dtype) * highest, None if back is None else pullback

    def _take(self, entries: Entries, ops: Ops) -> Taken:
        """The largest cost, `Σ ω s^k` of the costs by it, and `Σ ω`; and the way back from the second, which lacks the
        factor by which the third is divided."""
        xp, (costs, weights, to_costs) = ops.xp, entries
        # Divided by the largest cost, no power overflows and the largest does not underflow. By what they are divided
        # makes no difference, and has no derivative.
        highest = ops.stop_gradient(_largest(xp.where(weights > 0, costs, xp.zeros_like(costs)), xp))
        scaled = xp.where(weights > 0, _shares(costs, highest, ops), xp.zeros_like(costs))

        def back(slopes: Sequence[Array]) -> Any:
            assert to_costs is not None
            return to_costs(
                ops.cast(slopes[1], costs.dtype) * weights * power_or_zero(scaled, self.k - 1, xp)
            )

        sums = [highest, ops.total(weights * power_or_zero(scaled, self.k, xp)), ops.total(weights)]
        return Taken(sums, None if to_costs is None else back)


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

    def __call__(self, make: MakeEntries, ops: Ops, over: str | None) -> tuple[Array, Back | None]:
        def kept(costs: Array, weights: Array) -> Array:
            xp, valid = ops.xp, weights > 0
            (count,) = ops.parts.reduce(over, [ops.total(ops.cast(valid, costs.dtype))], "sum", "TopK")
            places = xp.floor(count * self.fraction + 1e-3)
            places = xp.where(places < 1, xp.ones_like(places), places)
            return _costliest(costs, valid, places, ops, over)

        return _mean_of(kept, make, ops, over)


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

    def __call__(self, make: MakeEntries, ops: Ops, over: str | None) -> tuple[Array, Back | None]:
        limit = self.cost_threshold if self.threshold is None else -math.log(self.threshold)

        def kept(costs: Array, weights: Array) -> Array:
            xp, valid = ops.xp, weights > 0
            places = xp.full_like(ops.total(ops.cast(valid, costs.dtype)), float(self.min_kept))
            hard = _costliest(costs, valid, places, ops, over, per_image=self.per_image)
            return hard if limit is None else xp.where(valid & (costs > limit), xp.ones_like(hard), hard)

        return _mean_of(kept, make, ops, over)


def _mean_of(
    choose: Callable[[Array, Array], Array], make: MakeEntries, ops: Ops, over: str | None
) -> tuple[Array, Back | None]:
    """`Σ κ ω ℓ / Σ κ ω` with the parts κ of the entries that are kept, 0 without any weight, and the way back. The
    choice has no derivative."""

    def take() -> Taken:
        costs, weights, to_costs = make()
        weights = weights * choose(costs, weights)

        def back(slopes: Sequence[Array]) -> Any:
            assert to_costs is not None
            return to_costs(weights * ops.cast(slopes[0], costs.dtype))

        return Taken([ops.total(costs * weights), ops.total(weights)], None if to_costs is None else back)

    (total, count), back = ops.parts.add_up(over, take)
    count = one_if_zero(count, ops.xp)

    def pullback(upstream: Array) -> Any:
        assert back is not None
        return back([ops.cast(upstream, count.dtype) / count, upstream])

    return total / count, None if back is None else pullback


def _costliest(
    costs: Array, valid: Array, places: Array, ops: Ops, over: str | None, *, per_image: bool = False
) -> Array:
    """Of so many places for the costliest entries, of the batch or of each image, the part that each has: 1, an equal
    share of the last places for those that tie for them, or 0."""
    xp = ops.xp
    if ops.parts.splits(over) and not per_image:
        bits = xp.where(valid, ops.order_bits(costs), xp.full_like(ops.order_bits(costs), -1))
        last = _last_place(bits, places, ops, over)
        above, tied = (ops.cast(valid & x, costs.dtype) for x in (bits > last, bits == last))
        taken = ops.parts.reduce(over, [ops.total(above), ops.total(tied)], "sum", "TopK")
        return above + tied * ops.cast(divide(places - taken[0], taken[1], xp), costs.dtype)
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


def _last_place(bits: Array, places: Array, ops: Ops, over: str | None) -> Array:
    """The `places`-th largest of integers ≥ 0 in all parts, digit by digit, by counting; −1 if there are fewer. Entries
    below 0 do not exist."""
    xp = ops.xp
    ordered = xp.sort(xp.reshape(bits, (-1,)))
    size = ops.count(ordered)

    def holds(edges: Array) -> Array:
        there = size - ops.cast(xp.searchsorted(ordered, edges), places.dtype)
        (count,) = ops.parts.reduce(over, [there], "sum", "TopK")
        return count >= places

    return _largest_that(holds, bits, ops)


def _largest_that(holds: Callable[[Array], Array], bits: Array, ops: Ops) -> Array:
    """The largest integer ≥ 0 of the width of `bits` of which something holds that holds of all smaller ones, found by
    eight binary digits at a time; −1 if it holds of none."""
    xp = ops.xp
    found = xp.zeros_like(xp.max(bits))
    width = xp.iinfo(bits.dtype).bits
    for shift in range(width - 8, -1, -8):
        # The sign is no digit.
        digits = xp.arange(128 if shift == width - 8 else 256, dtype=bits.dtype, device=ops.device(bits))
        edges = found + digits * 2**shift
        reached = ops.cast(xp.sum(ops.cast(holds(edges), bits.dtype)), bits.dtype)
        found = found + xp.where(reached > 0, reached - 1, 0 * reached) * 2**shift
    return xp.where(reached > 0, found, found - 1)


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

    def __call__(self, make: MakeEntries, ops: Ops, over: str | None) -> tuple[Array, Back | None]:
        xp, p, q = ops.xp, self.p, self.p / (self.p - 1)
        at = ops.parts.keep("pooling", lambda: self._at_optimum(make(), ops, over))

        def take() -> Taken:
            # Relative to the largest cost below the bound, no power overflows and the largest does not underflow.
            at_bound = xp.where(at.uncapped, xp.zeros_like(at.costs), at.costs)
            sums = [ops.total(at_bound), ops.total(power_or_zero(at.shares, q, xp)), ops.total(at.weights)]
            return Taken(sums, None if at.back is None else lambda slopes: at.back(slopes[0]))

        (at_bound, total, of_weights), back = ops.parts.add_up(over, take)
        scale = divide(at.count, of_weights, xp)
        norm = power_or_zero(at.places, 1 / p, xp) * power_or_zero(total, 1 / q, xp)
        value = at.bound * scale * (at_bound + norm * ops.cast(at.largest, total.dtype))

        def pullback(upstream: Array) -> Any:
            assert back is not None
            slope = at.bound * power_or_zero(divide(at.places, total, xp), 1 / p, xp)
            optimum = ops.cast(slope, at.costs.dtype) * power_or_zero(at.shares, 1 / (p - 1), xp)
            highest = xp.ones_like(optimum) * ops.cast(at.bound, at.costs.dtype)
            slopes = xp.where(at.uncapped, optimum, highest) * at.weights * ops.cast(scale, at.costs.dtype)
            return back([upstream * slopes, upstream, upstream])

        return ops.cast(value, at.costs.dtype) * at.highest, None if back is None else pullback

    def _at_optimum(self, entries: Entries, ops: Ops, over: str | None) -> _AtOptimum:
        xp, p, q = ops.xp, self.p, self.p / (self.p - 1)
        costs, weights, back = entries

        def whole(op: str, *sums: Array) -> Sequence[Array]:
            return ops.parts.reduce(over, sums, op, "MaxPooling")

        # Divided by the largest first: the sum of the weights, or its inverse, may be outside the dtype's range.
        weights = divide(weights, whole("max", _largest(weights, xp))[0], xp)
        (count,) = whole("sum", ops.total(ops.cast(weights > 0, costs.dtype)))
        costs = xp.where(weights > 0, costs, xp.zeros_like(costs)) * weights
        (highest,) = whole("max", _largest(costs, xp))
        scaled = _shares(costs, highest, ops)
        supported = self.ratio * count
        nearest = xp.floor(supported + 0.5)
        # A place more for the rounding of m would let in an entry that the largest ones leave no weight.
        rounding = 2 * xp.finfo(supported.dtype).eps * nearest
        supported = xp.where(xp.abs(supported - nearest) <= rounding, nearest, supported)
        some = xp.where(count > 0, count, xp.ones_like(count))
        bound = some ** (-1 / q) * (self.ratio * some) ** (-1 / p)
        if ops.parts.splits(over):
            bits = ops.order_bits(scaled)
            uncapped = bits <= self._threshold_bits(scaled, bits, supported, ops, over)
        else:
            uncapped = scaled <= self._threshold(scaled, supported, ops)
        places = supported - whole("sum", ops.total(ops.cast(~uncapped, costs.dtype)))[0]
        free = xp.where(uncapped, scaled, xp.zeros_like(scaled))
        (largest,) = whole("max", _largest(free, xp))
        return _AtOptimum(
            scaled, back, weights, count, highest, bound, places, uncapped, largest, divide(free, largest, xp)
        )

    def _threshold(self, costs: Array, supported: Array, ops: Ops) -> Array:
        """The largest cost whose entry stays below the bound τ; `supported` is m."""
        xp = ops.xp
        ascending = xp.sort(xp.reshape(costs, (-1,)))
        rank = ops.cumulative_sum(xp.ones_like(ascending, dtype=ops.index_dtype))
        larger = ops.cast(xp.max(rank) - rank, ops.accumulation_dtype(costs))
        # Fewer than m entries are at τ, so the ⌈m⌉-th largest is below it.
        pivot = _largest(xp.where(larger >= supported - 1, ascending, xp.zeros_like(ascending)), xp)
        powers = self._powers_by(pivot, ascending, ops)
        # An entry stays below τ if it does so when exactly the larger ones are at τ. Those that do are the smallest
        # entries, whatever the number of larger ones.
        below = powers * (supported - larger) <= ops.cumulative_sum(powers)
        return _largest(xp.where(below, ascending, xp.zeros_like(ascending)), xp)

    def _powers_by(self, pivot: Array, costs: Array, ops: Ops) -> Array:
        """`(ℓ / pivot)^q`, wide. Relative to the ⌈m⌉-th largest cost, the powers that underflow matter to nobody, and
        those beyond 2^96, more than n / (m + 1 − ⌈m⌉), are of entries that are at τ."""
        xp = ops.xp
        above = costs > pivot
        powers = divide(xp.where(above, pivot, costs), xp.where(above, costs, pivot), xp)
        powers = power_or_zero(powers, self.p / (self.p - 1), xp)
        least = xp.full_like(pivot, 2.0**-96)
        powers = xp.where(above, 1 / xp.where(powers > least, powers, least), powers)
        return ops.cast(powers, ops.accumulation_dtype(costs))

    def _threshold_bits(
        self, costs: Array, bits: Array, supported: Array, ops: Ops, over: str | None
    ) -> Array:
        """What lies between the entries of all parts that stay below the bound τ and those that do not, as the bits of
        costs: what `_threshold` says of entries holds of all numbers up to there."""
        xp = ops.xp
        places = xp.where(supported > 1, -xp.floor(-supported), xp.ones_like(supported))  # ⌈m⌉
        pivot = ops.from_order_bits(_last_place(bits, places, ops, over), costs)
        ascending = xp.sort(xp.reshape(costs, (-1,)))
        ordered, size = ops.order_bits(ascending), ops.count(ascending)
        summed = ops.cumulative_sum(self._powers_by(pivot, ascending, ops))
        summed = xp.concat([xp.zeros_like(supported)[None], summed])

        def stays(edges: Array) -> Array:
            upto = xp.searchsorted(ordered, edges, side="right")
            larger, sums = ops.parts.reduce(
                over, [size - ops.cast(upto, supported.dtype), xp.take(summed, upto)], "sum", "MaxPooling"
            )
            return (
                self._powers_by(pivot, ops.from_order_bits(edges, costs), ops) * (supported - larger) <= sums
            )

        return _largest_that(stays, bits, ops)


class _AtOptimum(NamedTuple):
    """What the optimum of loss max-pooling is made of."""

    costs: Array
    """Relative to the largest."""
    back: Back | None
    weights: Array
    """By which the costs were multiplied, relative to the largest, and not to their mean yet."""
    count: Array
    """How many weights there are."""
    highest: Array
    bound: Array
    places: Array
    """How many entries' worth of weight lies below the bound."""
    uncapped: Array
    largest: Array
    """Of what lies below the bound."""
    shares: Array
    """The costs below the bound, relative to that."""


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
