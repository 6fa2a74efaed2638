"""What a prediction is under any activation: probabilities, the sums that losses are made of, and the way home."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from seglosses_core.arithmetic import (
    is_whole,
    is_zero,
    once,
    power,
    power_by_log,
    power_or_zero,
    product,
    sum_or_none,
)
from seglosses_core.libraries import Array, dtype_name
from seglosses_core.moments import (
    COMPLEMENT,
    SQUARED_ERROR,
    LabelTerm,
    Moment,
    MomentSlopes,
    Term,
    exponent_key,
    joined,
    names_mistakes,
    sum_by_label,
    target_sum,
)

if TYPE_CHECKING:
    from seglosses_core.ops import Ops
    from seglosses_core.target import Target


@dataclass
class Cotangent:
    """What flows back from a loss, in parts instead of one array of the logits' size, so that losses can share one
    prediction. With p the probabilities, the parts add up in `u = ∂L/∂log p = p ∂L/∂p`.
    """

    moments: list[MomentSlopes] = field(default_factory=list)
    """The derivatives with respect to moments."""
    terms: list[Term] = field(default_factory=list)
    """Terms that are added to all of u."""
    label_terms: list[LabelTerm] = field(default_factory=list)
    """Terms that are added at each pixel's label."""
    complement: list[Array] = field(default_factory=list)
    """∂L/∂log(1 − p), logits-shaped."""
    logits: list[Array] = field(default_factory=list)
    """∂L/∂logits, past the activation already."""
    inputs: dict[str, Array] = field(default_factory=dict)
    """The derivative with respect to what a loss takes beside logits and target, by name."""

    def __add__(self, other: Cotangent) -> Cotangent:
        """The parts of both."""
        inputs = dict(self.inputs)
        for name, slope in other.inputs.items():
            inputs[name] = inputs[name] + slope if name in inputs else slope
        return Cotangent(
            self.moments + other.moments,
            self.terms + other.terms,
            self.label_terms + other.label_terms,
            self.complement + other.complement,
            self.logits + other.logits,
            inputs,
        )


@dataclass
class Side:
    """One answer that a prediction can give, such as a pixel's label, a class or the absence of a class: the logarithm
    of its probability p, and 1 − p where a cost needs it, all to full relative precision."""

    log: Array
    probability: Callable[[], Array]
    """p."""
    complement: Callable[[], Array]
    """1 − p."""
    log_complement: Callable[[], Array]
    """log(1 − p)."""

    def complement_power(self, exponent: Any, ops: Ops) -> Array:
        """`(1 − p)^exponent`."""
        if ops.powers_by_log and not is_whole(exponent):
            return power_by_log(self.log_complement(), exponent, ops.xp)
        return power_or_zero(self.complement(), exponent, ops.xp)


class Prediction:
    """The probabilities of `logits` under one activation, each form of them computed once and shared, and the way back
    from them.

    Parameters
    ----------
    logits : logits-shaped
        Without anything that could do harm where pixels do not count, unless `masks_logits`.
    ops : Ops
    labels : map of integers or None
        Those of the target, where it has some: `Target.labels`, or with `masks_logits` its `given_labels`.
    label_log_probability : bool
        Whether the log-probabilities of the labels will be asked for, which may cost less beside the others than alone.
    valid : map of bool or None
        Where pixels count, None if all do; given with `masks_logits` alone.
    """

    harmless: ClassVar[float] = 0.0
    """A logit for pixels that do not count, of which no function is infinite."""
    masks_logits: ClassVar[bool] = False
    """Whether the class takes logits and labels as they were given, and `valid`, and sees to it itself that pixels
    which do not count do no harm."""
    nan_if_invalid: Array | None = None
    """0-dimensional, NaN if labels turned out to be none, else 0; None where the class does not look at that
    (`Ops.checks_labels`). It is read when all that the value is made of has been asked for."""

    def __init__(
        self,
        logits: Array,
        ops: Ops,
        *,
        labels: Array | None = None,
        label_log_probability: bool = False,
        valid: Array | None = None,
    ) -> None:
        self.logits = logits
        self.ops = ops
        self.labels = labels
        self.valid = valid
        self._found_sums: dict[Any, tuple[list[Array], Any, Any]] = {}
        """Moments that were asked for, p − y for their way back, and what they are known by, kept so that no other
        object takes its id."""
        self._asks_for_label = label_log_probability and labels is not None

    # -- probabilities --------------------------------------------------------------------------------------------

    probabilities: Any
    """Logits-shaped, as the next three are."""
    complements: Any
    """1 − p, to full relative precision."""
    log_probabilities: Any
    log_complements: Any
    """log(1 − p)."""
    label_complement: Any
    """One less the probability of each pixel's label, to full relative precision: a map."""
    label_log_probability: Any
    """A map."""
    label_log_complement: Any
    """The logarithm of `label_complement`: a map."""

    @once
    def label_probability(self) -> Array:
        """The probability of each pixel's label: a map."""
        return self.ops.take_at_label(self.probabilities, self.labels)

    def power(self, exponent: Any) -> Array:
        """p^exponent, logits-shaped."""
        if self.powers_by_log(exponent):
            return power_by_log(self.log_probabilities, exponent, self.ops.xp)
        return power(self.probabilities, exponent)

    def label_power(self, exponent: Any) -> Array:
        """p^exponent of each pixel's label: a map."""
        if self.powers_by_log(exponent):
            return power_by_log(self.label_log_probability, exponent, self.ops.xp)
        return power(self.label_probability, exponent)

    def powers_by_log(self, exponent: Any) -> bool:
        return self.ops.powers_by_log and not is_whole(exponent)

    # -- sides ----------------------------------------------------------------------------------------------------

    def label_side(self) -> Side:
        """The label of each pixel, of classes that exclude each other: maps."""
        return Side(
            self.label_log_probability,
            lambda: self.label_probability,
            lambda: self.label_complement,
            lambda: self.label_log_complement,
        )

    def presence(self) -> Side:
        """Each class, logits-shaped."""
        return Side(
            self.log_probabilities,
            lambda: self.probabilities,
            lambda: self.complements,
            lambda: self.log_complements,
        )

    def absence(self) -> Side:
        """The absence of each class, logits-shaped."""
        return Side(
            self.log_complements,
            lambda: self.complements,
            lambda: self.probabilities,
            lambda: self.log_probabilities,
        )

    def side_of(self, target: Target) -> tuple[Side, Callable[[Array], Array]]:
        """The presence of each class where the target is 1, its absence where it is 0, logits-shaped; and the way back
        from its logarithm to the logits. For classes that overlap, and a hard target."""
        raise NotImplementedError

    # -- moments --------------------------------------------------------------------------------------------------

    def moments(
        self, wanted: Sequence[Moment], target: Target, weights: Array | None, *, batch: bool
    ) -> tuple[list[Array], Callable[[Sequence[Array]], Cotangent]]:
        """Each moment `(N, C)`, or `(1, C)` of a `batch` that counts as one image, in the dtype of accumulation; and
        the way back from their derivatives, tables of that shape and dtype. `weights` is what `Target.weights` is."""
        names = tuple((exponent_key(m.i), exponent_key(m.j)) for m in wanted)
        key = names, id(weights), id(target), batch
        if key not in self._found_sums:
            sums, error = self._sums(wanted, target, weights, batch)
            if batch:
                sums = [self.ops.xp.sum(x, axis=0, keepdims=True) for x in sums]
            self._found_sums[key] = sums, error, (wanted, weights, target)
        sums, error, _ = self._found_sums[key]
        return list(sums), lambda slopes: Cotangent(
            moments=[MomentSlopes(wanted, slopes, weights, target, error)]
        )

    def _sums(
        self, wanted: Sequence[Moment], target: Target, weights: Array | None, batch: bool
    ) -> tuple[list[Array], Any]:
        """The moments, of a batch perhaps those of each image still; and p − y if their way back needs it."""
        ops, squares = self.ops, any(m.i is SQUARED_ERROR for m in wanted)
        if not (names_mistakes(wanted) and ops.may_choose(target.like)):
            return self._exact_sums(wanted, target, weights, batch)
        # A graph cannot choose the way back, which is another from squared errors.
        if squares and not (target.by_label and ops.may_look(target.like)):
            return self._exact_sums(wanted, target, weights, batch)
        totals, enough = self._from_totals(wanted, target, weights, batch)
        error = None

        def exact() -> list[Array]:
            nonlocal error
            # A copy keeps what is formed here, for in a graph nothing else can reach it.
            sums, error = copy(self)._exact_sums(wanted, target, weights, batch)
            return sums

        return ops.choose(enough, lambda: [totals[m.i, m.j] for m in wanted], exact), error

    def _exact_sums(
        self, wanted: Sequence[Moment], target: Target, weights: Array | None, batch: bool
    ) -> tuple[list[Array], Any]:
        """Each moment as a sum of its own."""
        ops = self.ops
        apart: tuple[Array, Array] | None = None
        if target.has_labels and any(m.j is COMPLEMENT for m in wanted):
            apart = self._apart_from_label(target, weights)
        squares, error = None, None
        if any(m.i is SQUARED_ERROR for m in wanted):
            squares, error = self._squared_errors(target, weights, batch)

        def one(i: Any, j: Any) -> Array:
            if i is SQUARED_ERROR:
                return squares
            if j is COMPLEMENT:
                if apart is not None:
                    return apart[0]
                return ops.sum_product(1 - target.values, self.probabilities, weights)
            if i is COMPLEMENT:
                if not target.has_labels:
                    return ops.sum_product(target.values, self.complements, weights)
                missed = self.label_complement if apart is None else apart[1]
                return sum_by_label(target, [missed, weights], batch)
            if is_zero(j):
                powers, exponent = (self.power(i), 1) if self.powers_by_log(i) else (self.probabilities, i)
                return ops.power_sum(powers, exponent, weights)
            if is_zero(i):
                return target_sum(target, j, weights, batch)
            if target.by_label:
                return sum_by_label(target, [self.label_power(i), weights], batch)
            return ops.sum_product(target.power(j), self.power(i), weights)

        return [one(m.i, m.j) for m in wanted], error

    def _from_totals(
        self, wanted: Sequence[Moment], target: Target, weights: Array | None, batch: bool
    ) -> tuple[dict[tuple[Any, Any], Array], Array]:
        """True positives, and as differences of totals the mistakes, which costs less; and whether no class is so
        nearly perfect that digits are lost."""
        ops, xp = self.ops, self.ops.xp
        if target.by_label:
            found = sum_by_label(target, [self.label_probability, weights], batch)
        else:
            found = ops.sum_product(target.values, self.probabilities, weights)
        sizes = target_sum(target, 1, weights, batch)
        sums: dict[tuple[Any, Any], Array] = {(1, 1): found}
        enough, most = [], 63 / 64 if dtype_name(found) == "float64" else 15 / 16

        def total(exponent: int) -> Array:
            return self._beside(found, ops.power_sum(self.probabilities, exponent, weights), batch)

        if any(m.i is SQUARED_ERROR for m in wanted):
            squares = total(2)
            enough.append(2 * found <= most * (squares + sizes))
            sums[SQUARED_ERROR, SQUARED_ERROR] = squares + sizes - 2 * found
        if any(COMPLEMENT in (m.i, m.j) for m in wanted):
            predicted = total(1)
            enough.append(found <= most * xp.minimum(predicted, sizes))
            sums |= {(1, COMPLEMENT): predicted - found, (COMPLEMENT, 1): sizes - found}
        return sums, xp.all(xp.stack(enough))

    def _squared_errors(
        self, target: Target, weights: Array | None, batch: bool
    ) -> tuple[Array, Callable[[], Array]]:
        """`Σ w (p − y)²`, and p − y for the way back: of labels it is formed there."""
        ops = self.ops
        if not target.has_labels:
            error = self.error(target)
            return ops.power_sum(error, 2, weights), lambda: error
        squares, missed = self._apart_from_label(target, weights, exponent=2)
        at_label = sum_by_label(target, [missed, missed, weights], batch)
        sums = at_label + self._beside(at_label, squares, batch)
        return sums, lambda: self._error_of_labels(target, missed)

    def _beside(self, by_label: Array, sums: Array, batch: bool) -> Array:
        """Sums of each image, as they are or over the batch, as those by label are."""
        return (
            self.ops.xp.sum(sums, axis=0, keepdims=True) if batch and by_label.shape != sums.shape else sums
        )

    def error(self, target: Target) -> Array:
        """p − y, to full relative precision where y is 1 too, logits-shaped."""
        if target.has_labels:
            return self._error_of_labels(target, self._complement_of(self._others(target)))
        xp, p, y = self.ops.xp, self.probabilities, target.values
        return xp.where(y == 1, -self.complements, p - y)

    def _error_of_labels(self, target: Target, missed: Array) -> Array:
        """The same, with 1 − p of each pixel's label at hand."""
        p, ops, missed = self.probabilities, self.ops, self.ops.over_classes(missed)
        if ops.prefers_one_hot:
            return self._others(target) - target.values * missed
        hot = ops.one_hot(target.labels, p.shape[ops.class_axis], ops.xp.bool)
        return ops.xp.where(hot, -missed, p)

    def _apart_from_label(
        self, target: Target, weights: Array | None, exponent: int = 1
    ) -> tuple[Array, Array]:
        """`Σ w p^exponent` over the pixels of each image that have other labels, `(N, C)` and wide; and 1 − p of each
        pixel's label, a map."""
        return self._sums_of_others(self._others(target), weights, exponent)

    def _sums_of_others(self, others: Array, weights: Array | None, exponent: int) -> tuple[Array, Array]:
        """`_apart_from_label`, from the probabilities with 0 at each pixel's label."""
        return self.ops.power_sum(others, exponent, weights), self._complement_of(others)

    def _others(self, target: Target) -> Array:
        """The probabilities with 0 at each pixel's label."""
        p, ops, xp = self.probabilities, self.ops, self.ops.xp
        if ops.prefers_one_hot:
            return p * (1 - target.values)
        hot = ops.one_hot(target.labels, p.shape[ops.class_axis], xp.bool)
        return xp.where(hot, xp.zeros_like(p), p)

    def _complement_of(self, others: Array) -> Array:
        """1 − p of each pixel's label, a map, from `_others`."""
        return self.label_complement

    # -- the way back ---------------------------------------------------------------------------------------------

    def gradient(self, cotangent: Cotangent) -> Array:
        """∂L/∂logits from the parts that flow back. May overwrite what the prediction holds: it is asked last."""
        for slopes in reversed(joined(cotangent.moments)):
            terms, label_terms = slopes.terms()
            cotangent = replace(
                cotangent,
                terms=[*terms, *cotangent.terms],
                label_terms=[*label_terms, *cotangent.label_terms],
            )
        parts = list(cotangent.logits)
        if cotangent.terms or cotangent.label_terms or cotangent.complement:
            parts.insert(0, self._gradient(cotangent))
        gradient = sum_or_none(parts)
        return self.ops.xp.zeros_like(self.logits) if gradient is None else gradient

    def _gradient(self, cotangent: Cotangent) -> Array:
        """Through the activation, from `terms`, `label_terms` and `complement`, of which there is one at least."""
        raise NotImplementedError

    def _at_label(self, cotangent: Cotangent) -> Array | None:
        """What `label_terms` amount to: a map."""
        return sum_or_none(
            [a if is_zero(k) else a * power(self.label_probability, k) for k, a in cotangent.label_terms]
        )

    def _sum_terms(
        self, p: Array, labels: Array | None, terms: Sequence[Term], at_label: Array | None
    ) -> Array:
        """`Σ a p^k` over the terms, and the map at the labels: logits-shaped, of all probabilities or a part of
        them."""
        u: Array = None
        for exponent, factors in terms:
            term = product(factors)
            term = term if is_zero(exponent) else term * power(p, exponent)
            u = term if u is None else u + term
        if u is None:
            u = self.ops.xp.zeros_like(p)
        elif tuple(u.shape) != tuple(p.shape):
            u = self.ops.xp.zeros_like(p) + u
        return u if at_label is None else self.ops.add_at(u, labels, at_label)
