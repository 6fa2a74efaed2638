"""From logits to probabilities, and the way back for the gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seglosses_core.namespace import Array, Ops, divide, is_zero, log, once, power

ACTIVATIONS = ("softmax", "sigmoid", "identity")


@dataclass
class Cotangent:
    """What flows back from a loss, in parts instead of one array of the logits' size, so that losses can share one
    prediction. With p the probabilities, the parts add up in `u = ∂L/∂log p = p ∂L/∂p`.
    """

    everywhere: list[tuple[Any, Array]] = field(default_factory=list)
    """Pairs (k, a): adds `a p^k`; a broadcasts against the logits."""
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
    def _softmax_at(self) -> tuple[Array, Array]:
        return self.ops.softmax_at(self.logits, self.labels)

    @once
    def _sigmoid_pair(self) -> tuple[Array, Array]:
        return self.ops.sigmoid_pair(self.logits)

    @once
    def probabilities(self) -> Array:
        if self.activation == "identity":
            return self.logits
        if self.activation == "sigmoid":
            return self._sigmoid_pair[0]
        return self._softmax_at[0] if self._log_at_label else self.ops.softmax(self.logits)

    @once
    def complements(self) -> Array:
        """1 − p, accurate relative to itself."""
        if self.activation == "sigmoid":
            return self._sigmoid_pair[1]
        if self.activation == "identity":
            return 1 - self.logits
        return -self.ops.xp.expm1(self.log_probabilities)

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
            return self.ops.log_sigmoid(-self.logits)
        return log(self.complements, self.ops.xp)

    @once
    def at_label(self) -> Array:
        """The probability of each pixel's label: a map."""
        return self.ops.take(self.probabilities, self.labels)

    @once
    def log_at_label(self) -> Array:
        """The log-probability of each pixel's label: a map."""
        if self.activation == "softmax":
            return self._softmax_at[1]
        if self.activation == "sigmoid":
            return self.ops.log_sigmoid(self.ops.take(self.logits, self.labels))
        return log(self.at_label, self.ops.xp)

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
        ops = self.ops
        if (
            self._log_at_label
            and self.activation == "softmax"
            and not (cotangent.everywhere or cotangent.complement)
        ):
            if not cotangent.at_label:
                return None
            at_label = sum(_times_power(a, self.at_label, k) for k, a in cotangent.at_label)
            complement = -ops.xp.expm1(self.log_at_label)
            return ops.softmax_back_at(self.probabilities, self.labels, at_label, complement)
        u = None
        for exponent, coefficient in cotangent.everywhere:
            part = _times_power(coefficient, self.probabilities, exponent)
            u = part if u is None else u + part
        if cotangent.at_label:
            part = sum(_times_power(a, self.at_label, k) for k, a in cotangent.at_label)
            u = ops.add_at(ops.xp.zeros_like(self.logits) if u is None else u, self.labels, part)
        complement = sum(cotangent.complement) if cotangent.complement else None
        if self.activation == "softmax":
            if complement is not None:
                odds = divide(self.probabilities, self.complements, ops.xp)
                u = -complement * odds if u is None else u - complement * odds
            return None if u is None else ops.softmax_back(u, self.probabilities)
        gradient = None if u is None else u * self.complements
        if complement is not None:
            part = complement * self.probabilities
            gradient = -part if gradient is None else gradient - part
        return gradient

    def _identity_back(self, cotangent: Cotangent) -> Array | None:
        ops = self.ops
        gradient = None
        for exponent, coefficient in cotangent.everywhere:
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
            return _times_power(coefficient, p, exponent - 1) + xp.zeros_like(p)
        zero = p == 0
        quotient = coefficient / xp.where(zero, xp.ones_like(p), p)
        infinity = xp.full_like(quotient, float("inf"))
        endless = xp.where(
            coefficient < 0, -infinity, xp.where(coefficient > 0, infinity, xp.zeros_like(quotient))
        )
        return xp.where(zero, endless, quotient)


def _times_power(coefficient: Array, p: Array, exponent: Any) -> Array:
    if is_zero(exponent):
        return coefficient
    return coefficient * power(p, exponent)
