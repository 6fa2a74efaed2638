"""Logits of classes that overlap, or of one class: p = σ(z)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from seglosses_core.activations.prediction import Cotangent, Prediction, Side
from seglosses_core.arithmetic import once, sum_or_none
from seglosses_core.libraries import Array

if TYPE_CHECKING:
    from seglosses_core.target import Target


class Sigmoid(Prediction):
    """`p = 1 / (1 + exp(−z))` of each logit, whatever the shape."""

    @once
    def probabilities(self) -> Array:
        small, large = self._small_and_large()
        return self.ops.xp.where(self.logits < 0, small, large)

    @once
    def complements(self) -> Array:
        small, large = self._small_and_large()
        return self.ops.xp.where(self.logits < 0, large, small)

    def _small_and_large(self) -> tuple[Array, Array]:
        """σ(−|z|) and σ(|z|), accurate relative to themselves."""
        z, xp = self.logits, self.ops.xp
        small = xp.exp(xp.where(z < 0, z, -z))
        large = 1 / (1 + small)
        return small * large, large

    @once
    def log_probabilities(self) -> Array:
        return self.ops.log_sigmoid(self.logits)

    @once
    def log_complements(self) -> Array:
        # In the terms of `Ops.log_sigmoid(z)`, so that a compiler takes the logarithm once for both.
        z, xp = self.logits, self.ops.xp
        negative = z < 0
        return xp.where(negative, xp.zeros_like(z), -z) - self.ops.log1p(xp.exp(xp.where(negative, z, -z)))

    @once
    def _of_label(self) -> Sigmoid:
        """The sigmoid of each pixel's label: of a map."""
        return type(self)(self.ops.take_at_label(self.logits, self.labels), self.ops)

    @once
    def label_complement(self) -> Array:
        return self._of_label.complements

    @once
    def label_log_probability(self) -> Array:
        return self._of_label.log_probabilities

    @once
    def label_log_complement(self) -> Array:
        return self._of_label.log_complements

    def side_of(self, target: Target) -> tuple[Side, Callable[[Array], Array]]:
        signs = target.signs
        towards = type(self)(self.logits * signs, self.ops)
        log_p, back = towards.log_and_back()
        side = Side(
            log_p,
            lambda: towards.probabilities,
            lambda: towards.complements,
            lambda: towards.log_complements,
        )
        return side, lambda slope: back(slope * signs)

    def log_and_back(self) -> tuple[Array, Callable[[Array], Array]]:
        """The log-probabilities, and the way from a derivative with respect to them to the logits."""
        return self.log_probabilities, lambda slope: slope * self.complements

    def _gradient(self, cotangent: Cotangent) -> Array:
        """From `u = ∂L/∂log p` and `v = ∂L/∂log(1 − p)` to `∂L/∂z = u (1 − p) − v p`."""
        p = self.probabilities
        gradient = self.complements * self._sum_terms(
            p, self.labels, cotangent.terms, self._at_label(cotangent)
        )
        return gradient - sum_or_none(cotangent.complement) * p if cotangent.complement else gradient
