"""From logits to probabilities, and the way back for the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seglosses_core.namespace import Array, AtLabel, Ops, Term, divide, is_zero, log, once, power, product

ACTIVATIONS = ("softmax", "sigmoid", "identity")


@dataclass
class Cotangent:
    """What flows back from a loss, in parts instead of one array of the logits' size, so that losses can share one
    prediction. With p the probabilities, the parts add up in `u = ∂L/∂log p = p ∂L/∂p`.
    """

    everywhere: list[Term] = field(default_factory=list)
    """Terms that are added to all of u."""
    at_label: list[tuple[Any, Array]] = field(default_factory=list)
    """Pairs (k, a): adds `a p^k` at each pixel's label; a is a map."""
    complement: list[Array] = field(default_factory=list)
    """∂L/∂log(1 − p), logits-shaped."""
    logits: list[Array] = field(default_factory=list)
    """∂L/∂logits, past the activation already."""
    features: Array | None = None
    """∂L/∂features, for a loss that takes features beside the logits."""

    def __add__(self, other: Cotangent) -> Cotangent:
        """The parts of both; of losses that take no features."""
        return Cotangent(
            self.everywhere + other.everywhere,
            self.at_label + other.at_label,
            self.complement + other.complement,
            self.logits + other.logits,
        )


Pullback = Callable[[Array], Cotangent]
"""Takes the derivative of whatever comes after a value with respect to that value, gives the parts before it."""


class Prediction:
    """The probabilities of `logits` under one activation, each form of them computed once and shared.

    `labels` are the target's, where it has some. With `log_at_label` the softmax also gives the log-probabilities of
    the labels, which cost less beside it than alone.
    """

    def __init__(
        self,
        logits: Array,
        activation: str,
        ops: Ops,
        *,
        labels: Array | None = None,
        log_at_label: bool = False,
    ) -> None:
        self.logits = logits
        self.activation = activation
        self.ops = ops
        self.labels = labels
        self._log_at_label = log_at_label and labels is not None

    @property
    def num_classes(self) -> int:
        return self.logits.shape[self.ops.class_axis]

    @once
    def _softmax_at(self) -> tuple[Array, AtLabel]:
        return self.ops.softmax_at(self.logits, self.labels)

    @once
    def probabilities(self) -> Array:
        if self.activation == "identity":
            return self.logits
        if self.activation == "sigmoid":
            return self.ops.sigmoid(self.logits)
        if self._log_at_label:
            return self.ops.fill_at(self._softmax_at[0], self.labels, self._softmax_at[1].probability)
        return self.ops.softmax(self.logits)

    @once
    def complements(self) -> Array:
        """1 − p, accurate relative to itself; not of softmax."""
        return self.ops.sigmoid_complement(self.logits) if self.activation == "sigmoid" else 1 - self.logits

    @once
    def log_probabilities(self) -> Array:
        if self.activation == "sigmoid":
            return self.ops.log_sigmoid(self.logits)
        if self.activation == "identity":
            return log(self.logits, self.ops.xp)
        return self.ops.log_softmax(self.logits)

    @once
    def log_complements(self) -> Array:
        """log(1 − p)."""
        if self.activation == "sigmoid":
            return self.ops.log_sigmoid_complement(self.logits)
        if self.activation == "identity":
            return log(self.complements, self.ops.xp)
        leader, unlikely, _, odds_against = self._race
        return self.ops.xp.where(leader, self.ops.log_sigmoid(odds_against), self.ops.xp.log1p(-unlikely))

    @once
    def _race(self) -> tuple[Array, Array, Array, Array]:
        """What 1 − p needs of softmax where it underflows: the most likely class, one-hot; the probabilities of the
        others, and 0 for it; their softmax without it; and their log-odds against it, `log((1 − p) / p)`."""
        ops, xp, z = self.ops, self.ops.xp, self.logits
        first = xp.argmax(z, axis=ops.class_axis)
        leader = ops.one_hot(first, self.num_classes, xp.bool)
        others = xp.where(leader, xp.full_like(z, -math.inf), z)
        second = xp.max(others, axis=ops.class_axis, keepdims=True)
        second = xp.where(second > -math.inf, second, xp.zeros_like(second))
        exponentials = xp.exp(others - second)
        total = ops.over_classes(ops.sum_classes(exponentials))
        odds_against = second - ops.over_classes(ops.take(z, first)) + log(total, xp)
        unlikely = xp.where(leader, xp.zeros_like(z), self.probabilities)
        return leader, unlikely, divide(exponentials, total, xp), odds_against

    @once
    def at_label(self) -> Array:
        """The probability of each pixel's label: a map."""
        if self._log_at_label and self.activation == "softmax":
            return self._softmax_at[1].probability
        return self.ops.take(self.probabilities, self.labels)

    @once
    def log_at_label(self) -> Array:
        """The log-probability of each pixel's label: a map."""
        if self.activation == "softmax":
            return self._softmax_at[1].log
        if self.activation == "sigmoid":
            return self.ops.log_sigmoid(self.ops.take(self.logits, self.labels))
        return log(self.at_label, self.ops.xp)

    def log_towards(self, signs: Array) -> tuple[Array, Callable[[Array], Array]]:
        """log p where the sign is 1, log(1 − p) where it is −1, logits-shaped; and the way back from it to the logits.
        For sigmoid and identity."""
        xp = self.ops.xp
        if self.activation == "sigmoid":
            log_p, back = self.ops.log_sigmoid_and_back(self.logits * signs)
            return log_p, lambda slope: back(slope * signs)
        p = xp.where(signs > 0, self.probabilities, self.complements)
        return log(p, xp), lambda slope: signs * self._over_probability(slope, p, 0)

    def gradient(self, cotangent: Cotangent) -> Array:
        """∂L/∂logits from the parts that flow back."""
        if self.activation == "identity":
            gradient = self._identity_back(cotangent)
        else:
            gradient = self._activation_back(cotangent)
        for part in cotangent.logits:
            gradient = part if gradient is None else gradient + part
        return self.ops.xp.zeros_like(self.logits) if gradient is None else gradient

    def _activation_back(self, cotangent: Cotangent) -> Array | None:
        ops, everywhere = self.ops, cotangent.everywhere
        if not (everywhere or cotangent.at_label or cotangent.complement):
            return None
        at_label = None
        if cotangent.at_label:
            at_label = sum(a if is_zero(k) else a * power(self.at_label, k) for k, a in cotangent.at_label)
        complement = sum(cotangent.complement) if cotangent.complement else None
        labels = self.labels
        if self._log_at_label and self.activation == "softmax" and not everywhere and complement is None:
            p, known = self._softmax_at
            return ops.softmax_back_at(p, labels, at_label, known.complement)
        p = self.probabilities
        if self.activation == "sigmoid":
            return ops.sigmoid_back(p, self.logits, labels, everywhere, at_label, complement)
        if complement is None:
            return ops.softmax_back(p, labels, everywhere, at_label)
        leader, unlikely, share, _ = self._race
        part = -complement * unlikely / (1 - unlikely)
        likely = ops.xp.where(leader, complement * p, ops.xp.zeros_like(complement))
        gradient = ops.softmax_back(p, labels, [*everywhere, (0, (part,))], at_label)
        return gradient + share * ops.over_classes(ops.sum_classes(likely)) - likely

    def _identity_back(self, cotangent: Cotangent) -> Array | None:
        ops = self.ops
        gradient = None
        for exponent, factors in cotangent.everywhere:
            coefficient = product(factors)
            part = self._over_probability(coefficient, self.probabilities, exponent)
            gradient = part if gradient is None else gradient + part
        if cotangent.at_label:
            part = sum(self._over_probability(a, self.at_label, k) for k, a in cotangent.at_label)
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
        infinity = xp.full_like(quotient, float("inf"))
        endless = xp.where(
            coefficient < 0, -infinity, xp.where(coefficient > 0, infinity, xp.zeros_like(quotient))
        )
        return xp.where(zero, endless, quotient)
