"""From logits to probabilities, and the way back for the gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seglosses_core.arithmetic import (
    divide,
    is_whole,
    is_zero,
    once,
    power,
    power_by_log,
    power_or_zero,
    product,
)
from seglosses_core.libraries import Array
from seglosses_core.ops import AtLabel, Ops, Term

ACTIVATIONS = ("softmax", "sigmoid", "identity")


@dataclass
class Cotangent:
    """What flows back from a loss, in parts instead of one array of the logits' size, so that losses can share one
    prediction. With p the probabilities, the parts add up in `u = ∂L/∂log p = p ∂L/∂p`.
    """

    terms: list[Term] = field(default_factory=list)
    """Terms that are added to all of u."""
    label_terms: list[tuple[Any, Array]] = field(default_factory=list)
    """Pairs (k, a): adds `a p^k` at each pixel's label; a is a map."""
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
    """The probabilities of `logits` under one activation, each form of them computed once and shared.

    `labels` are the target's, where it has some. With `label_log_probability` the softmax also gives the
    log-probabilities of the labels, which cost less beside it than alone.
    """

    def __init__(
        self,
        logits: Array,
        activation: str,
        ops: Ops,
        *,
        labels: Array | None = None,
        label_log_probability: bool = False,
        clip: float = 0.0,
    ) -> None:
        self.logits = logits
        self.activation = activation
        self.ops = ops
        self.labels = labels
        self.clip = clip
        self._label_log_probability = label_log_probability and labels is not None

    def clipped(self, clip: float) -> Prediction:
        """The same probabilities within [clip, 1 − clip], for activation="identity"."""
        return Prediction(self.logits, "identity", self.ops, labels=self.labels, clip=clip)

    @property
    def num_classes(self) -> int:
        return self.logits.shape[self.ops.class_axis]

    @once
    def _softmax_at(self) -> tuple[Array, AtLabel]:
        return self.ops.softmax_at(self.logits, self.labels)

    @once
    def probabilities(self) -> Array:
        if self.activation == "identity":
            return self._within_clip(self.logits)
        if self.activation == "sigmoid":
            return self.ops.sigmoid(self.logits)
        if self._label_log_probability:
            return self.ops.fill_at(self._softmax_at[0], self.labels, self._softmax_at[1].probability)
        return self.ops.softmax(self.logits)

    @once
    def complements(self) -> Array:
        """1 − p, to full relative precision."""
        if self.activation == "sigmoid":
            return self.ops.sigmoid_complement(self.logits)
        if self.activation == "identity":
            return self._within_clip(1 - self.logits)
        p, xp = self.probabilities, self.ops.xp
        likely = p > 0.5  # at most one class
        rest = self.ops.sum_classes(xp.where(likely, xp.zeros_like(p), p))
        return xp.where(likely, self.ops.over_classes(rest), 1 - p)

    @once
    def log_probabilities(self) -> Array:
        if self.activation == "sigmoid":
            return self.ops.log_sigmoid(self.logits)
        if self.activation == "identity":
            return self._log(self.probabilities, self.complements)
        return self.ops.log_softmax(self.logits)

    def _within_clip(self, p: Array) -> Array:
        return self.ops.xp.clip(p, self.clip, 1 - self.clip) if self.clip else p

    def _log(self, p: Array, rest: Array) -> Array:
        """log p of probabilities that were given; `rest` is 1 − p, which is exact where a clipped p near 1 is not."""
        if not self.clip:
            return self.ops.log(p)
        return self.ops.xp.where(p > 0.5, self.ops.log1p(-rest), self.ops.log(p))

    @once
    def log_complements(self) -> Array:
        """log(1 − p)."""
        if self.activation == "sigmoid":
            return self.ops.log_sigmoid_complement(self.logits)
        if self.activation == "identity":
            return self._log(self.complements, self.probabilities)
        leader, unlikely, _, odds_against = self._top_class_apart
        return self.ops.xp.where(leader, self.ops.log_sigmoid(odds_against), self.ops.log1p(-unlikely))

    @once
    def _top_class_apart(self) -> tuple[Array, Array, Array, Array]:
        """What 1 − p needs of softmax where it underflows: the most likely class, one-hot; the probabilities of the
        others, and 0 for it; their softmax without it; and their log-odds against it, `log((1 − p) / p)`."""
        xp, z = self.ops.xp, self.logits
        leader, share, odds_against = self._others_than(xp.argmax(z, axis=self.ops.class_axis))
        unlikely = xp.where(leader, xp.zeros_like(z), self.probabilities)
        return leader, unlikely, share, odds_against

    def _others_than(self, classes: Array) -> tuple[Array, Array, Array]:
        """Of softmax, for one class of each pixel: that class, one-hot; the softmax of the others without it; and their
        log-odds against it."""
        ops, xp, z = self.ops, self.ops.xp, self.logits
        one = ops.one_hot(classes, self.num_classes, xp.bool)
        lowest = xp.full_like(z, float(xp.finfo(z.dtype).min))
        highest = xp.max(xp.where(one, lowest, z), axis=ops.class_axis, keepdims=True)
        exponentials = xp.where(one, xp.zeros_like(z), xp.exp(xp.where(one, highest, z) - highest))
        total = ops.over_classes(ops.sum_classes(exponentials))
        odds_against = highest - ops.over_classes(ops.take_at_label(z, classes)) + ops.log(total)
        return one, divide(exponentials, total, xp), odds_against

    @once
    def label_probability(self) -> Array:
        """The probability of each pixel's label: a map."""
        if self._label_log_probability and self.activation == "softmax":
            return self._softmax_at[1].probability
        return self.ops.take_at_label(self.probabilities, self.labels)

    @once
    def label_complement(self) -> Array:
        """One less the probability of each pixel's label, to full relative precision: a map."""
        if self.activation == "softmax":
            return self._softmax_at[1].complement
        if self.activation == "sigmoid":
            return self.ops.sigmoid_complement(self.ops.take_at_label(self.logits, self.labels))
        return self.ops.take_at_label(self.complements, self.labels)

    @once
    def label_log_probability(self) -> Array:
        """The log-probability of each pixel's label: a map."""
        if self.activation == "softmax":
            return self._softmax_at[1].log
        if self.activation == "sigmoid":
            return self.ops.log_sigmoid(self.ops.take_at_label(self.logits, self.labels))
        if self.clip:
            return self.ops.take_at_label(self.log_probabilities, self.labels)
        return self.ops.log(self.label_probability)

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
        return self.ops.powers_by_log and self.activation != "identity" and not is_whole(exponent)

    # -- sides ----------------------------------------------------------------------------------------------------

    def label_side(self) -> Side:
        """The label of each pixel, of classes that exclude each other: maps."""

        def log_complement() -> Array:
            if self.activation == "identity":
                return self._log(self.label_complement, self.label_probability)
            odds_against = self._others_than(self.labels)[2]
            return self.ops.log_sigmoid(self.ops.xp.squeeze(odds_against, axis=self.ops.class_axis))

        return Side(self.label_log_probability, lambda: self.label_complement, log_complement)

    def presence(self) -> Side:
        """Each class, logits-shaped."""
        return Side(self.log_probabilities, lambda: self.complements, lambda: self.log_complements)

    def absence(self) -> Side:
        """The absence of each class, logits-shaped."""
        return Side(self.log_complements, lambda: self.probabilities, lambda: self.log_probabilities)

    def side_of(self, signs: Array) -> tuple[Side, Callable[[Array], Array]]:
        """The presence of each class where the sign is 1, its absence where it is −1, logits-shaped; and the way back
        from its logarithm to the logits. For sigmoid and identity."""
        ops, xp = self.ops, self.ops.xp
        if self.activation == "sigmoid":
            z = self.logits * signs
            log_p, back = ops.log_sigmoid_and_back(z)
            side = Side(log_p, lambda: ops.sigmoid_complement(z), lambda: ops.log_sigmoid_complement(z))
            return side, lambda slope: back(slope * signs)
        p, q = self.probabilities, self.complements
        p, q = xp.where(signs > 0, p, q), xp.where(signs > 0, q, p)
        side = Side(self._log(p, q), lambda: q, lambda: self._log(q, p))
        return side, lambda slope: signs * self._over_probability(slope, p, 0)

    # -- the way back ---------------------------------------------------------------------------------------------

    def gradient(self, cotangent: Cotangent) -> Array:
        """∂L/∂logits from the parts that flow back."""
        if self.activation == "identity":
            gradient = self._identity_back(cotangent)
        else:
            gradient = self._activation_back(cotangent)
        for part in cotangent.logits:
            gradient = part if gradient is None else gradient + part
        if gradient is None:
            return self.ops.xp.zeros_like(self.logits)
        if self.clip:
            inside = (self.logits >= self.clip) & (1 - self.logits >= self.clip)
            gradient = self.ops.xp.where(inside, gradient, self.ops.xp.zeros_like(gradient))
        return gradient

    def _activation_back(self, cotangent: Cotangent) -> Array | None:
        ops, terms = self.ops, cotangent.terms
        if not (terms or cotangent.label_terms or cotangent.complement):
            return None
        at_label = None
        if cotangent.label_terms:
            at_label = sum(
                a if is_zero(k) else a * power(self.label_probability, k) for k, a in cotangent.label_terms
            )
        complement = sum(cotangent.complement) if cotangent.complement else None
        labels = self.labels
        if self._label_log_probability and self.activation == "softmax" and not terms and complement is None:
            p, known = self._softmax_at
            return ops.softmax_back_at(p, labels, at_label, known.complement)
        p = self.probabilities
        if self.activation == "sigmoid":
            return ops.sigmoid_back(p, self.logits, labels, terms, at_label, complement)
        if complement is None:
            return ops.softmax_back(p, labels, terms, at_label)
        leader, unlikely, share, _ = self._top_class_apart
        part = -complement * unlikely / (1 - unlikely)
        likely = ops.xp.where(leader, complement * p, ops.xp.zeros_like(complement))
        gradient = ops.softmax_back(p, labels, [*terms, (0, (part,))], at_label)
        return gradient + share * ops.over_classes(ops.sum_classes(likely)) - likely

    def _identity_back(self, cotangent: Cotangent) -> Array | None:
        ops = self.ops
        gradient = None
        for exponent, factors in cotangent.terms:
            coefficient = product(factors)
            part = self._over_probability(coefficient, self.probabilities, exponent)
            gradient = part if gradient is None else gradient + part
        if cotangent.label_terms:
            part = sum(self._over_probability(a, self.label_probability, k) for k, a in cotangent.label_terms)
            gradient = ops.add_at(
                ops.xp.zeros_like(self.logits) if gradient is None else gradient, self.labels, part
            )
        for coefficient in cotangent.complement:
            part = self._over_probability(coefficient, self.complements, 0)
            gradient = -part if gradient is None else gradient - part
        return gradient

    def _over_probability(self, coefficient: Array, p: Array, exponent: Any) -> Array:
        """`a p^(k−1)`, with 0 / 0 = 0 and a / 0 = ±inf."""
        xp = self.ops.xp
        if not is_zero(exponent):
            return coefficient * power(p, exponent - 1) + xp.zeros_like(p)
        zero = p == 0
        quotient = coefficient / xp.where(zero, xp.ones_like(p), p)
        endless = self.ops.zero_or_infinity(~zero | (coefficient == 0), quotient.dtype)
        return xp.where(zero, xp.where(coefficient < 0, -endless, endless), quotient)
