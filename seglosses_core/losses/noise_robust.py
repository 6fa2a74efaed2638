"""Cross-entropies for labels of which some are wrong: a wrong label costs no more than so much, or counts for less."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import divide, is_zero
from seglosses_core.checks import check_number
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer, LogPixelLoss
from seglosses_core.losses.cross_entropy import TwoSidedCrossEntropyLoss
from seglosses_core.ops import Ops
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class GeneralizedCrossEntropyLoss(LogPixelLoss):
    """`ℓ = (1 − p^q) / q` at the label, between cross-entropy, q → 0, and 1 − p, q = 1; for overlapping classes of p
    where y = 1 and of 1 − p where y = 0, mixed by soft targets.

    Zhang and Sabuncu 2018 (arXiv:1805.07836, section 3), without their truncation, which remembers each pixel.
    Overlapping classes are ours. The cost is at most 1 / q, at p = 0 too. Where a probability that is given is exactly
    0 its derivative counts as 0.

    Parameters
    ----------
    q : float
        In (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = GeneralizedCrossEntropyLoss()
    >>> float(loss(logits, labels).round(6))
    0.31636
    """

    q: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("q", self.q, above=0, at_most=1)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        exponent = self.q * answer.side.log
        return -ops.expm1(exponent) / self.q, lambda: -ops.xp.exp(exponent)


@dataclass(frozen=True, kw_only=True)
class SymmetricCrossEntropyLoss(LogPixelLoss):
    """`ℓ = −α Σ_c y_c log p_c − β Σ_c p_c max(log y_c, A)`, with labels `−α log p − βA (1 − p)`; for overlapping
    classes the same of each class and of its absence.

    Wang et al. 2019 (arXiv:1908.06112); A stands for log 0. Ours: overlapping classes; a target that does not
    sum to 1 is divided by its sum under the logarithm; class weights weigh pixels, as everywhere.

    Parameters
    ----------
    alpha : float
        The weight of cross-entropy, ≥ 0; with β (.1, 1) in the paper for CIFAR-10, (6, .1) for CIFAR-100.
    beta : float
        The weight of reverse cross-entropy, ≥ 0.
    log_zero : float
        A, below 0. Common code has log 1e-4.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = SymmetricCrossEntropyLoss()
    >>> float(loss(logits, labels).round(6))
    1.188751
    """

    alpha: float = 0.1
    beta: float = 1.0
    log_zero: float = -4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_number("beta", self.beta, at_least=0)
        check_number("log_zero", self.log_zero, below=0)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        side, factor = answer.side, -self.beta * self.log_zero
        reverse = factor * side.complement()
        # At p = 0, 0 log p is 0.
        value = reverse if is_zero(self.alpha) else reverse - self.alpha * side.log
        return value, lambda: -self.alpha - factor * ops.xp.exp(side.log)

    def _costs(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        exclusive = self.classes_exclude(target.num_classes)
        if exclusive and target.has_labels and self.activation == "softmax":
            return super()._costs(prediction, target, ops)
        entropy = self.with_options_of_this(TwoSidedCrossEntropyLoss, overlapping=self.overlapping)
        costs = entropy._costs(prediction, target, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        p, values = prediction.probabilities, target.values
        if exclusive:
            total = ops.over_classes(ops.sum_classes(values))
            slope = -_log(divide(values, total, ops.xp), self.log_zero, ops)
            reverse = ops.sum_classes(p * slope)
        else:
            present, absent = (_log(y, self.log_zero, ops) for y in (values, 1 - values))
            slope = absent - present
            reverse = -p * present - prediction.complements * absent

        def back(upstream: Array) -> Cotangent:
            wide = ops.over_classes(upstream) if exclusive else upstream
            return to_entropy(self.alpha * upstream) + Cotangent(terms=[(1, (self.beta * wide, slope))])

        value = (
            self.beta * reverse if is_zero(self.alpha) else self.alpha * costs.values + self.beta * reverse
        )
        return replace(costs, values=value, back=back)


def _log(y: Array, lowest: float, ops: Ops) -> Array:
    """max(log y, lowest); NaN stays."""
    xp, below = ops.xp, y <= math.exp(lowest)
    return xp.where(below, xp.full_like(y, lowest), xp.log(xp.where(below, xp.ones_like(y), y)))
