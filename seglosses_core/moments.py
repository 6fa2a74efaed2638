"""The one pass over the pixels that region losses need: sums of products of prediction and target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from seglosses_core.arithmetic import is_zero, product_or_none
from seglosses_core.libraries import Array
from seglosses_core.prediction import Cotangent, Prediction
from seglosses_core.target import Target

COMPLEMENT = "complement"


class Moment(NamedTuple):
    """`S = Σ w p^i y^j` over the pixels of an image, and what S is multiplied by in the numerator and in the
    denominator of a ratio.

    Near perfection `Σ p − Σ p y` and `Σ y − Σ p y` are small differences, whose digits are lost: `false_positives` and
    `false_negatives` are sums of their own, `Σ w p (1 − y)` and `Σ w (1 − p) y`.
    """

    i: Any
    """The exponent of p; COMPLEMENT stands for 1 − p."""
    j: Any
    """The exponent of y; COMPLEMENT stands for 1 − y."""
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


def moments(
    prediction: Prediction, target: Target, wanted: Sequence[Moment], weights: Array | None, *, batch: bool
) -> tuple[list[Array], Callable[[Sequence[Array]], Cotangent]]:
    """Each moment `(N, C)`, or `(1, C)` of a `batch` that counts as one image, in the dtype of accumulation; and the
    way back from their derivatives. `weights` is a map, None for 1."""
    sums = _sums(prediction, target, wanted, weights, batch)
    if batch:
        sums = [target.ops.xp.sum(x, axis=0, keepdims=True) for x in sums]
    return sums, lambda slopes: _back(target, wanted, slopes, weights)


def class_sizes(target: Target, weights: Array | None, *, batch: bool) -> Array:
    """`Σ w y`, as `moments` gives it."""
    sizes = _target_sum(target, 1, weights, batch)
    return target.ops.xp.sum(sizes, axis=0, keepdims=True) if batch else sizes


def _target_sum(target: Target, j: Any, weights: Array | None, batch: bool) -> Array:
    if target.by_label:
        return _sum_by_label(target, [weights], batch)
    return target.ops.power_sum(target.power(j), 1, weights)


def _sum_by_label(target: Target, factors: Sequence[Array | None], batch: bool) -> Array:
    """A product of maps summed for each label; of a batch as of one image of all pixels."""
    ops, labels, summand = target.ops, target.labels, product_or_none(factors)
    if batch and not ops.prefers_one_hot:
        labels, summand = (x if x is None else ops.xp.reshape(x, (1, -1)) for x in (labels, summand))
    if summand is None:
        return ops.label_histogram(labels, target.num_classes, target.dtype)
    return ops.sum_by_label(summand, labels, target.num_classes)


def _sums(
    prediction: Prediction, target: Target, wanted: Sequence[Moment], weights: Array | None, batch: bool
) -> list[Array]:
    ops, labels = target.ops, target.labels
    off_label: tuple[Array, Array] | None = None
    cheap = _from_totals(prediction, target, weights, batch) if _names_overlaps(wanted) else None
    if cheap is not None:
        return [cheap[m.i, m.j] for m in wanted]
    if labels is not None and any(m.j is COMPLEMENT for m in wanted):
        p = prediction.probabilities
        # Operations may move entries of p for a while; probabilities that were given are the caller's.
        off_label = ops.off_label(p * 1 if prediction.activation == "identity" else p, labels, weights)

    def one(i: Any, j: Any) -> Array:
        if j is COMPLEMENT:
            if off_label is not None:
                return off_label[0]
            return ops.sum_product(1 - target.values, prediction.probabilities, weights)
        if i is COMPLEMENT:
            if labels is None:
                return ops.sum_product(target.values, prediction.complements, weights)
            others = off_label[1] if off_label and prediction.activation == "softmax" else None
            missed = prediction.label_complement if others is None else others
            return _sum_by_label(target, [missed, weights], batch)
        if is_zero(j):
            if prediction.powers_by_log(i):
                return ops.power_sum(prediction.power(i), 1, weights)
            return ops.power_sum(prediction.probabilities, i, weights)
        if is_zero(i):
            return _target_sum(target, j, weights, batch)
        if target.by_label:
            return _sum_by_label(target, [prediction.label_power(i), weights], batch)
        return ops.sum_product(target.power(j), prediction.power(i), weights)

    return [one(m.i, m.j) for m in wanted]


def _names_overlaps(wanted: Sequence[Moment]) -> bool:
    """Whether only true positives, false positives and false negatives are asked for."""
    overlaps = (1, 1), (1, COMPLEMENT), (COMPLEMENT, 1)
    # An exponent that is an array is not looked at.
    return all(
        isinstance(m.i, int | str) and isinstance(m.j, int | str) and (m.i, m.j) in overlaps for m in wanted
    )


def _from_totals(
    prediction: Prediction, target: Target, weights: Array | None, batch: bool
) -> dict[tuple[Any, Any], Array] | None:
    """True positives, and as differences of totals the false ones, which costs less: where values may be looked at, and
    where no class is so nearly perfect that digits would be lost."""
    ops = target.ops
    if not (target.by_label and ops.may_choose(target.labels)):
        return None
    found = _sum_by_label(target, [prediction.label_probability, weights], batch)
    sizes = _target_sum(target, 1, weights, batch)
    predicted = ops.power_sum(prediction.probabilities, 1, weights)
    if batch and found.shape != predicted.shape:
        predicted = ops.xp.sum(predicted, axis=0, keepdims=True)
    if not bool(ops.xp.all(found <= 63 / 64 * ops.xp.minimum(predicted, sizes))):
        return None
    return {(1, 1): found, (1, COMPLEMENT): predicted - found, (COMPLEMENT, 1): sizes - found}


def _back(
    target: Target, wanted: Sequence[Moment], slopes: Sequence[Array], weights: Array | None
) -> Cotangent:
    """`u = p ∂L/∂p = Σ ∂L/∂S · w i p^i y^j`, in one term for each pair of exponents."""
    ops = target.ops
    tables: dict[Any, tuple[Any, Any, Array]] = {}

    def add(i: Any, j: Any, table: Array) -> None:
        key = (_key(i), _key(j))
        tables[key] = (i, j, tables[key][2] + table if key in tables else table)

    def subtract(i: Any, j: Any, table: Array) -> None:
        key = (_key(i), _key(j))
        tables[key] = (i, j, tables[key][2] - table if key in tables else -table)

    for (i, j, *_), slope in zip(wanted, slopes, strict=True):
        if j is COMPLEMENT:
            add(1, 0, slope)
            subtract(1, 1, slope)
        elif i is COMPLEMENT:
            subtract(1, 1, slope)
        elif not is_zero(i):
            add(i, j, slope if isinstance(i, int) and i == 1 else i * slope)
    cotangent = Cotangent()
    for i, j, table in tables.values():
        table = ops.cast(table, target.dtype)
        if not is_zero(j) and target.by_label:
            coefficient = ops.table_at_label(table, target.labels)
            cotangent.label_terms.append((i, coefficient if weights is None else coefficient * weights))
            continue
        factors = [ops.over_pixels(table)]
        if weights is not None:
            factors.append(ops.over_classes(weights))
        if not is_zero(j):
            factors.append(target.power(j))
        cotangent.terms.append((i, tuple(factors)))
    return cotangent


def _key(exponent: Any) -> Any:
    """What is the same of exponents that are the same: of arrays the array itself alone."""
    return exponent if isinstance(exponent, (int, float)) else id(exponent)
