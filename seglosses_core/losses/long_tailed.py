"""Cross-entropies for classes of very different sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_number, check_per_class
from seglosses_core.costs import Costs
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer, LogPixelLoss
from seglosses_core.loss import Needs
from seglosses_core.ops import Ops
from seglosses_core.parts import ALL, Merge, Taken
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class LogitAdjustedCrossEntropyLoss(LogPixelLoss):
    """`ℓ = −Σ_c y_c log softmax(z + τ log π)_c`, with π how often classes occur: rare ones need a larger margin.

    Menon et al. 2021 (arXiv:2007.07314, eq. 10). For training alone: predictions are made from z. With τ = 1 it is the
    balanced softmax of Ren et al. 2020 (arXiv:2007.10740). For exclusive classes, activation="softmax".

    Parameters
    ----------
    priors : sequence or array `(C,)`
        π or counts, above 0; divided by their sum.
    tau : float
        τ ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = LogitAdjustedCrossEntropyLoss(priors=[0.8, 0.2])
    >>> float(loss(logits, labels).round(6))
    0.831134
    """

    priors: Sequence[float] | Array
    tau: float = 1.0

    of_each_class = ("priors",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_per_class("priors", self.priors, above=0)
        check_number("tau", self.tau, at_least=0)
        self.check_activation("softmax")

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return -answer.side.log, lambda: -1.0

    def _costs(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        z = prediction.logits
        adjusted = ops.activation("softmax")(
            z
            - ops.xp.max(z, axis=ops.class_axis, keepdims=True)
            + ops.over_pixels(self._offset(target, ops)),
            ops,
            labels=target.labels,
            label_log_probability=True,
        )
        costs = super()._costs(adjusted, target, ops)
        back = costs.back
        assert back is not None
        return replace(costs, back=lambda upstream: Cotangent(logits=[adjusted.gradient(back(upstream))]))

    def _offset(self, target: Target, ops: Ops) -> Array:
        """τ log π, `(C,)`."""
        if isinstance(self.priors, tuple):
            total = math.fsum(self.priors)
            offset = tuple(self.tau * math.log(prior / total) for prior in self.priors)
            return ops.constant(offset, target.like, target.dtype)
        priors = ops.constant(self.priors, target.like, target.dtype)
        return self.tau * ops.xp.log(priors / ops.xp.sum(priors))

    def makes_logits_sized_arrays(self, call: Any) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class RecallCrossEntropyLoss(LogPixelLoss):
    """`ℓ = −(1 − R_y) log p_y`, with R_c the share of the pixels of class c for which c is the most likely class.

    Tian et al. 2022 (arXiv:2106.14917). R is that of the batch and has no gradient; as in their code, 1 − R is
    at least that of one wrong pixel. Ours: the mean is over the valid pixels and not divided by 1 − R; pixels count in
    R with their weights, and one wrong pixel has the least of them. Of equally likely classes the first is the most
    likely. The target must be labels of at least two classes that exclude each other.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = RecallCrossEntropyLoss()
    >>> float(loss(logits, labels).round(6))
    0.22581
    """

    needs = Needs(labels_only=True, label_log_probability=True)
    pointwise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_activation("softmax", "identity")
        self.check_no_overlapping("whose classes exclude each other")

    def check_classes(self, logits: Array, axis: int) -> None:
        super().check_classes(logits, axis)
        self.check_several_classes(logits, axis)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return -answer.side.log, lambda: -1.0

    def _costs(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        costs = super()._costs(prediction, target, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        factor = ops.table_at_label(self._misses(prediction, target, ops), target.labels)
        return replace(
            costs, values=costs.values * factor, back=lambda upstream: to_entropy(upstream * factor)
        )

    def _misses(self, prediction: Prediction, target: Target, ops: Ops) -> Array:
        """1 − R of each class, `(C,)`."""
        (one, misses, present), _ = ops.parts.add_up(
            ALL, lambda: self._counts(prediction, target, ops), merge=LEAST_AND_SUMS, then=True
        )
        one = -one
        misses = ops.xp.where(misses < one, one, misses)
        return ops.cast(divide(misses, present, ops.xp), target.dtype)

    def _counts(self, prediction: Prediction, target: Target, ops: Ops) -> Taken:
        """−1 times what one pixel counts for; what the pixels of each class that are missed count for, and all."""
        xp = ops.xp
        weights = target.weights(with_samples=True)
        if weights is None:
            weights = xp.ones_like(target.labels, dtype=target.dtype)
        likeliest = ops.cast(xp.argmax(prediction.logits, axis=ops.class_axis), ops.index_dtype)
        missed = xp.where(likeliest == target.labels, xp.zeros_like(weights), weights)
        sums = [ops.sum_batch_by_label(w, target.labels, target.num_classes) for w in (missed, weights)]
        one = xp.min(xp.where(weights > 0, weights, xp.max(weights)))
        return Taken([-ops.cast(one, sums[0].dtype), *sums])


LEAST_AND_SUMS = Merge(maxima=1, lowest=-math.inf)
