"""Logits of classes that exclude each other: p = exp z / Σ exp z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seglosses_core.activations.prediction import Cotangent, Prediction
from seglosses_core.arithmetic import divide, once, sum_or_none
from seglosses_core.libraries import Array
from seglosses_core.moments import Term


class AtLabel(NamedTuple):
    """The probability p of each pixel's label, a map each."""

    probability: Array
    complement: Array
    """1 − p, to full relative precision."""
    log: Array
    """log p, to full relative precision."""


class Softmax(Prediction):
    """`p_c = exp z_c / Σ_k exp z_k`."""

    @once
    def probabilities(self) -> Array:
        return self._with_label[0] if self._asks_for_label else self._softmax()

    def _softmax(self) -> Array:
        z, axis, xp = self.logits, self.ops.class_axis, self.ops.xp
        exponentials = xp.exp(z - xp.max(z, axis=axis, keepdims=True))
        return exponentials / xp.sum(exponentials, axis=axis, keepdims=True)

    @once
    def _with_label(self) -> tuple[Array, AtLabel]:
        """The softmax, and what is known of each pixel's label, as accurate as `log_probabilities`."""
        ops, xp, z = self.ops, self.ops.xp, self.logits
        highest = xp.max(z, axis=ops.class_axis, keepdims=True)
        exponentials = xp.exp(z - highest)
        hot = ops.one_hot(self.labels, z.shape[ops.class_axis], xp.bool)
        rest = ops.sum_classes(xp.where(hot, xp.zeros_like(z), exponentials))
        at_label = ops.take_at_label(exponentials, self.labels)
        total = rest + at_label
        shifted = ops.take_at_label(z, self.labels) - xp.squeeze(highest, axis=ops.class_axis)
        return exponentials / ops.over_classes(total), self._shares(shifted, at_label, rest)

    def _shares(self, shifted: Array, part: Array, rest: Array) -> AtLabel:
        """Of `p = part / (part + rest)`, where `part = exp(shifted)` may underflow and `rest` may be tiny."""
        xp = self.ops.xp
        likely = rest <= part
        total = part + rest
        p = part / total
        ratio = xp.where(likely, rest, xp.zeros_like(rest)) / xp.where(likely, part, xp.ones_like(part))
        log_p = xp.where(likely, -self.ops.log1p(ratio), shifted - xp.log(total))
        # The derivative of rest / total, which autodiff may take, is a difference: right only where p is not small.
        return AtLabel(p, xp.where(likely, rest / total, 1 - p), log_p)

    @once
    def complements(self) -> Array:
        p, xp = self.probabilities, self.ops.xp
        likely = p > 0.5  # at most one class
        rest = self.ops.sum_classes(xp.where(likely, xp.zeros_like(p), p))
        return xp.where(likely, self.ops.over_classes(rest), 1 - p)

    @once
    def log_probabilities(self) -> Array:
        """log p, to full relative precision near p = 1 too: with r the most likely class,
        `log p_c = (z_c − z_r) − log1p(Σ_{k≠r} exp(z_k − z_r))`.
        """
        ops, xp, z = self.ops, self.ops.xp, self.logits
        reference = xp.argmax(z, axis=ops.class_axis)
        shifted = z - ops.over_classes(ops.take_at_label(z, reference))
        others = ~ops.one_hot(reference, z.shape[ops.class_axis], xp.bool)
        rest = ops.sum_classes(xp.where(others, xp.exp(shifted), xp.zeros_like(z)))
        return shifted - ops.over_classes(ops.log1p(rest))

    @once
    def log_complements(self) -> Array:
        leader, unlikely, _, odds_against = self._top_class_apart
        return self.ops.xp.where(leader, self.ops.log_sigmoid(odds_against), self.ops.log1p(-unlikely))

    @once
    def _top_class_apart(self) -> tuple[Array, Array, Array, Array]:
        """What 1 − p needs where it underflows: the most likely class, one-hot; the probabilities of the others, and 0
        for it; their softmax without it; and their log-odds against it, `log((1 − p) / p)`."""
        xp, z = self.ops.xp, self.logits
        leader, share, odds_against = self._others_than(xp.argmax(z, axis=self.ops.class_axis))
        unlikely = xp.where(leader, xp.zeros_like(z), self.probabilities)
        return leader, unlikely, share, odds_against

    def _others_than(self, classes: Array) -> tuple[Array, Array, Array]:
        """For one class of each pixel: that class, one-hot; the softmax of the others without it; and their log-odds
        against it."""
        ops, xp, z = self.ops, self.ops.xp, self.logits
        one = ops.one_hot(classes, z.shape[ops.class_axis], xp.bool)
        lowest = xp.full_like(z, float(xp.finfo(z.dtype).min))
        highest = xp.max(xp.where(one, lowest, z), axis=ops.class_axis, keepdims=True)
        exponentials = xp.where(one, xp.zeros_like(z), xp.exp(xp.where(one, highest, z) - highest))
        total = ops.over_classes(ops.sum_classes(exponentials))
        odds_against = highest - ops.over_classes(ops.take_at_label(z, classes)) + ops.log(total)
        return one, divide(exponentials, total, xp), odds_against

    @once
    def label_probability(self) -> Array:
        if self._asks_for_label:
            return self._with_label[1].probability
        return self.ops.take_at_label(self.probabilities, self.labels)

    @once
    def label_complement(self) -> Array:
        return self._with_label[1].complement

    @once
    def label_log_probability(self) -> Array:
        return self._with_label[1].log

    @once
    def label_log_complement(self) -> Array:
        odds_against = self._others_than(self.labels)[2]
        return self.ops.log_sigmoid(self.ops.xp.squeeze(odds_against, axis=self.ops.class_axis))

    def _complement_of(self, others: Array) -> Array:
        return self.label_complement if self._asks_for_label else self.ops.sum_classes(others)

    # -- the way back ---------------------------------------------------------------------------------------------

    def _gradient(self, cotangent: Cotangent) -> Array:
        ops, xp, terms = self.ops, self.ops.xp, cotangent.terms
        at_label = self._at_label(cotangent)
        complement = sum_or_none(cotangent.complement)
        if complement is None:
            if self._asks_for_label and not terms:
                return self._gradient_of_label(at_label)
            return self._gradient_of_logs(terms, at_label)
        leader, unlikely, share, _ = self._top_class_apart
        part = -complement * unlikely / (1 - unlikely)
        likely = xp.where(leader, complement * self.probabilities, xp.zeros_like(complement))
        gradient = self._gradient_of_logs([*terms, (0, (part,))], at_label)
        return gradient + share * ops.over_classes(ops.sum_classes(likely)) - likely

    def _gradient_of_logs(self, terms: Sequence[Term], at_label: Array | None) -> Array:
        """From `u = ∂L/∂log p`, log p taken as free, to `∂L/∂z = u − p Σ u`.

        The result sums to 0 over the classes; what is left of that sum is rounding, and taking it off once more
        keeps the full relative precision of the gradient where a probability is within rounding of 1.
        """
        p, ops = self.probabilities, self.ops
        u = self._sum_terms(p, self.labels, terms, at_label)
        gradient = u - p * ops.over_classes(ops.sum_classes(u))
        return gradient - p * ops.over_classes(ops.sum_classes(gradient))

    def _gradient_of_label(self, at_label: Array) -> Array:
        """`_gradient_of_logs` where u is 0 but at each pixel's label: with 1 − p there nothing cancels."""
        (p, label), ops = self._with_label, self.ops
        hot = ops.one_hot(self.labels, p.shape[ops.class_axis], ops.xp.bool)
        return ops.xp.where(
            hot, ops.over_classes(at_label * label.complement), -p * ops.over_classes(at_label)
        )


class OneHotSoftmax(Softmax):
    """For compilers: what concerns the label of a pixel as products with its one-hot form instead of choices."""

    @once
    def hot(self) -> Array:
        """The labels, one-hot, in the dtype of the logits."""
        return self.ops.one_hot(self.labels, self.logits.shape[self.ops.class_axis], self.logits.dtype)

    def _gradient_of_label(self, at_label: Array) -> Array:
        (p, label), over_classes = self._with_label, self.ops.over_classes
        others = p - p * self.hot
        return self.hot * over_classes(at_label * label.complement) - others * over_classes(at_label)

    def _sum_terms(
        self, p: Array, labels: Array | None, terms: Sequence[Term], at_label: Array | None
    ) -> Array:
        u = super()._sum_terms(p, labels, terms, None)
        return u if at_label is None else u + self.hot * self.ops.over_classes(at_label)
