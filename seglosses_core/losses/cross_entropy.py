"""Cross-entropy, of exclusive and of overlapping classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seglosses_core.checks import check_number, check_one_or_per_class
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer, LogPixelLoss, constant
from seglosses_core.ops import Ops
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class CrossEntropyLoss(LogPixelLoss):
    """`ℓ = −Σ_c y_c log p_c`, for overlapping classes `ℓ = −y log p − (1 − y) log(1 − p)` for each.

    With labels, class weights and smoothing it is what torch.nn.CrossEntropyLoss computes, but that a label of class
    weight 0 leaves its pixels out, smoothed or not; with activation="sigmoid" the binary cross-entropy.
    activation="identity" takes probabilities: of exclusive classes, or with one class that of the foreground.

    Parameters
    ----------
    label_smoothing : float
        ε in [0, 1]: the target becomes `(1 − ε) y + ε / C`, for overlapping classes `(1 − ε) y + ε / 2` (Szegedy et al.
        2016, section 7).
    pos_weight : float, sequence or array `(C,)`, optional
        β > 0, for overlapping classes: `ℓ = −β y log p − (1 − y) log(1 − p)`, as in
        torch.nn.BCEWithLogitsLoss. The mean is not divided by it.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = CrossEntropyLoss(label_smoothing=0.1)
    >>> float(loss(logits, labels).round(6))
    0.467644
    """

    label_smoothing: float = 0.0
    pos_weight: float | Sequence[float] | Array | None = None

    of_each_class = ("pos_weight",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("label_smoothing", self.label_smoothing, at_least=0, at_most=1)
        if self.pos_weight is not None:
            check_one_or_per_class("pos_weight", self.pos_weight, above=0)
            if self.activation != "sigmoid" and not self.overlapping:
                raise ValueError(
                    f"pos_weight is for overlapping classes, activation='sigmoid', got activation={self.activation!r};"
                    " pass class_weights= for exclusive ones."
                )

    @property
    def has_smoothing(self) -> bool:
        return self.label_smoothing > 0

    def smoothed_target(self, values: Array, uniform: float) -> Array:
        if not self.has_smoothing:
            return values
        return (1 - self.label_smoothing) * values + self.label_smoothing * uniform

    def class_factors(self, ops: Ops, target: Target) -> tuple[Any, Any] | None:
        return None if self.pos_weight is None else (constant(self.pos_weight, target, ops), 1)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return -answer.side.log, lambda: -1.0


@dataclass(frozen=True, kw_only=True)
class TwoSidedCrossEntropyLoss(CrossEntropyLoss):
    """For losses that add something to cross-entropy: of overlapping classes both sides count, hard or not, so that
    labels and dense targets give the same to the last digit."""

    single_sided_if_hard = False
