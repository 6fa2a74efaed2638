"""Logits that are probabilities, or heat maps, already."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seglosses_core.activations.prediction import Cotangent, Prediction, Side
from seglosses_core.arithmetic import is_zero, once, power, product, sum_or_none
from seglosses_core.libraries import Array

if TYPE_CHECKING:
    from seglosses_core.ops import Ops
    from seglosses_core.target import Target


class Identity(Prediction):
    """Probabilities as they were given, within [clip, 1 − clip]."""

    harmless = 0.5

    def __init__(
        self,
        logits: Array,
        ops: Ops,
        *,
        labels: Array | None = None,
        label_log_probability: bool = False,
        valid: Array | None = None,
        clip: float = 0.0,
    ) -> None:
        super().__init__(logits, ops, labels=labels, label_log_probability=label_log_probability, valid=valid)
        self.clip = clip

    def clipped(self, clip: float) -> Identity:
        """The same probabilities within [clip, 1 − clip]."""
        return type(self)(self.logits, self.ops, labels=self.labels, valid=self.valid, clip=clip)

    @once
    def probabilities(self) -> Array:
        return self._within_clip(self.logits)

    @once
    def complements(self) -> Array:
        return self._within_clip(1 - self.logits)

    @once
    def log_probabilities(self) -> Array:
        return self._log(self.probabilities, self.complements)

    @once
    def log_complements(self) -> Array:
        return self._log(self.complements, self.probabilities)

    @once
    def label_complement(self) -> Array:
        return self.ops.take_at_label(self.complements, self.labels)

    @once
    def label_log_probability(self) -> Array:
        if self.clip:
            return self.ops.take_at_label(self.log_probabilities, self.labels)
        return self.ops.log(self.label_probability)

    @once
    def label_log_complement(self) -> Array:
        return self._log(self.label_complement, self.label_probability)

    def powers_by_log(self, exponent: Any) -> bool:
        return False

    def side_of(self, target: Target) -> tuple[Side, Callable[[Array], Array]]:
        xp, p, q, signs = self.ops.xp, self.probabilities, self.complements, target.signs
        p, q = xp.where(signs > 0, p, q), xp.where(signs > 0, q, p)
        side = Side(self._log(p, q), lambda: p, lambda: q, lambda: self._log(q, p))
        return side, lambda slope: signs * self._over_probability(slope, p, 0)

    def gradient(self, cotangent: Cotangent) -> Array:
        gradient = super().gradient(cotangent)
        if self.clip:
            inside = (self.logits >= self.clip) & (1 - self.logits >= self.clip)
            gradient = self.ops.xp.where(inside, gradient, self.ops.xp.zeros_like(gradient))
        return gradient

    def _gradient(self, cotangent: Cotangent) -> Array:
        ops, p = self.ops, self.probabilities
        gradient = sum_or_none(
            [self._over_probability(product(factors), p, k) for k, factors in cotangent.terms]
        )
        if cotangent.label_terms:
            part = sum_or_none(
                [self._over_probability(a, self.label_probability, k) for k, a in cotangent.label_terms]
            )
            gradient = ops.add_at(ops.xp.zeros_like(p) if gradient is None else gradient, self.labels, part)
        for coefficient in cotangent.complement:
            part = self._over_probability(coefficient, self.complements, 0)
            gradient = -part if gradient is None else gradient - part
        return gradient

    def _within_clip(self, p: Array) -> Array:
        return self.ops.clip(p, self.clip, 1 - self.clip) if self.clip else p

    def _log(self, p: Array, rest: Array) -> Array:
        """log p of probabilities that were given; `rest` is 1 − p, which is exact where a clipped p near 1 is not."""
        if not self.clip:
            return self.ops.log(p)
        return self.ops.xp.where(p > 0.5, self.ops.log1p(-rest), self.ops.log(p))

    def _over_probability(self, coefficient: Array, p: Array, exponent: Any) -> Array:
        """`a p^(k−1)`, with 0 / 0 = 0 and a / 0 = ±inf."""
        xp = self.ops.xp
        if not is_zero(exponent):
            return coefficient * power(p, exponent - 1) + xp.zeros_like(p)
        zero = p == 0
        quotient = coefficient / xp.where(zero, xp.ones_like(p), p)
        endless = self.ops.zero_or_infinity(~zero | (coefficient == 0), quotient.dtype)
        return xp.where(zero, xp.where(coefficient < 0, -endless, endless), quotient)
