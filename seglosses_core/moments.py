"""Moments, the sums of products of prediction and target that region losses are made of: their names, those of the
target alone, and their derivatives. `Prediction.moments` forms them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from seglosses_core.arithmetic import is_zero, product_or_none
from seglosses_core.libraries import Array

if TYPE_CHECKING:
    from seglosses_core.target import Target

COMPLEMENT = "complement"
SQUARED_ERROR = "squared error"

Term = tuple[Any, tuple[Array, ...]]
"""(k, factors): stands for `a p^k`, with a the product of the factors, each of which broadcasts against p."""
LabelTerm = tuple[Any, Array]
"""(k, a): stands for `a p^k` at each pixel's label; a is a map."""


class Moment(NamedTuple):
    """`S = Σ w p^i y^j` over the pixels of an image, and what S is multiplied by in the numerator and in the
    denominator of a ratio.

    Near perfection `Σ p − Σ p y` and `Σ y − Σ p y` are small differences, whose digits are lost: `false_positives` and
    `false_negatives` are sums of their own, `Σ w p (1 − y)` and `Σ w (1 − p) y`. So is `squared_error`,
    `Σ w (p − y)²`, for `Σ p² + Σ y² − 2 Σ p y`.
    """

    i: Any
    """The exponent of p; COMPLEMENT stands for 1 − p."""
    j: Any
    """The exponent of y; COMPLEMENT stands for 1 − y. Both are SQUARED_ERROR for (p − y)²."""
    n: Any = 0
    d: Any = 0


def true_positives(n: Any = 0, d: Any = 0) -> Moment:
    """`Σ w p y`."""
    return Moment(1, 1, n, d)


def false_positives(n: Any = 0, d: Any = 0) -> Moment:
    """`Σ w p (1 − y)`."""
    return Moment(1, COMPLEMENT, n, d)


def false_negatives(n: Any = 0, d: Any = 0) -> Moment:
    """`Σ w (1 − p) y`."""
    return Moment(COMPLEMENT, 1, n, d)


def squared_error(n: Any = 0, d: Any = 0) -> Moment:
    """`Σ w (p − y)²`."""
    return Moment(SQUARED_ERROR, SQUARED_ERROR, n, d)


class MomentSlopes(NamedTuple):
    """What flows back into moments: tables, until it is known how they go home."""

    wanted: Sequence[Moment]
    slopes: Sequence[Array]
    """∂L/∂S of each moment, `(N, C)` or `(1, C)`, in the dtype of accumulation."""
    weights: Array | None
    """The w of the moments, as `Target.weights` has them."""
    target: Target
    error: Callable[[], Array] | None = None
    """p − y, logits-shaped, where it is known more exactly than p; None where it is not, or not needed."""

    def terms(self) -> tuple[list[Term], list[LabelTerm]]:
        """`u = p ∂L/∂p = Σ ∂L/∂S · w i p^i y^j`, a term for each pair of exponents: those of all entries, and those at
        the labels alone."""
        target, weights, ops = self.target, self.weights, self.target.ops
        tables: dict[Any, tuple[Any, Any, Array]] = {}

        def add(i: Any, j: Any, table: Array) -> None:
            key = (exponent_key(i), exponent_key(j))
            tables[key] = (i, j, tables[key][2] + table if key in tables else table)

        def subtract(i: Any, j: Any, table: Array) -> None:
            key = (exponent_key(i), exponent_key(j))
            tables[key] = (i, j, tables[key][2] - table if key in tables else -table)

        for (i, j, *_), slope in zip(self.wanted, self.slopes, strict=True):
            if i is SQUARED_ERROR and self.error is not None:
                add(1, SQUARED_ERROR, 2 * slope)
            elif i is SQUARED_ERROR:
                add(2, 0, 2 * slope)
                subtract(1, 1, 2 * slope)
            elif j is COMPLEMENT:
                add(1, 0, slope)
                subtract(1, 1, slope)
            elif i is COMPLEMENT:
                subtract(1, 1, slope)
            elif not is_zero(i):
                add(i, j, slope if isinstance(i, int) and i == 1 else i * slope)
        terms, label_terms = [], []
        for i, j, table in tables.values():
            table = ops.cast(table, target.dtype)
            in_error = j is SQUARED_ERROR
            if target.by_label and not (in_error or is_zero(j)):
                coefficient = ops.table_at_label(table, target.labels)
                label_terms.append((i, coefficient if weights is None else coefficient * weights))
                continue
            factors = [ops.over_pixels(table)]
            if weights is not None:
                factors.append(ops.over_classes(weights))
            if in_error:
                assert self.error is not None
                factors.append(self.error())
            elif not is_zero(j):
                factors.append(target.power(j))
            terms.append((i, tuple(factors)))
        return terms, label_terms


def joined(moments: Sequence[MomentSlopes]) -> list[MomentSlopes]:
    """What flows back into moments of the same weights together, so that it takes one way home."""
    found: dict[tuple[int, int], MomentSlopes] = {}
    for one in moments:
        key = id(one.weights), id(one.target)
        seen = found.get(key)
        if seen is not None:
            error = one.error if seen.error is None else seen.error
            one = MomentSlopes(
                [*seen.wanted, *one.wanted], [*seen.slopes, *one.slopes], one.weights, one.target, error
            )
        found[key] = one
    return list(found.values())


def exponent_key(exponent: Any) -> Any:
    """What is the same of exponents that are the same: of arrays the array itself alone."""
    return exponent if isinstance(exponent, (int, float)) else id(exponent)


def class_sizes(target: Target, weights: Array | None, *, batch: bool) -> Array:
    """`Σ w y`, as `moments` gives it."""
    sizes = target_sum(target, 1, weights, batch)
    return target.ops.xp.sum(sizes, axis=0, keepdims=True) if batch else sizes


def target_sum(target: Target, j: Any, weights: Array | None, batch: bool) -> Array:
    """`Σ w y^j`; of a batch perhaps of each image still."""
    if target.has_labels:
        return sum_by_label(target, [weights], batch)
    return target.ops.power_sum(target.power(j), 1, weights)


def sum_by_label(target: Target, factors: Sequence[Array | None], batch: bool) -> Array:
    """A product of maps summed for each label; of a batch as of one image of all pixels."""
    ops, summand = target.ops, product_or_none(factors)
    if not target.by_label:
        return ops.power_sum(target.values, 1, summand)
    labels = target.labels
    if batch:
        labels, summand = (x if x is None else ops.xp.reshape(x, (1, -1)) for x in (labels, summand))
    if summand is None:
        return ops.label_histogram(labels, target.num_classes, target.dtype)
    return ops.sum_by_label(summand, labels, target.num_classes)


def names_mistakes(wanted: Sequence[Moment]) -> bool:
    """Whether false positives, false negatives or squared errors are asked for, and else true positives alone."""
    mistakes = (1, COMPLEMENT), (COMPLEMENT, 1), (SQUARED_ERROR, SQUARED_ERROR)
    # An exponent that is an array is not looked at.
    named = [(m.i, m.j) for m in wanted if isinstance(m.i, (int, str)) and isinstance(m.j, (int, str))]
    found = [pair for pair in named if pair in mistakes]
    return bool(found) and len(found) + named.count((1, 1)) == len(wanted)
