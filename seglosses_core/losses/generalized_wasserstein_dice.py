"""Dice for classes of which some are nearer to each other than others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.checks import check_choice, check_number, matrix_of_numbers, shape_text
from seglosses_core.libraries import Array, shape_of
from seglosses_core.loss import Needs
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.region import RatioLoss, ScoreBack
from seglosses_core.target import Target

Weighting = Literal["default", "foreground", "gdl"]


@dataclass(frozen=True, kw_only=True)
class GeneralizedWassersteinDiceLoss(RatioLoss):
    """Dice for labels, where an error costs the distance M of the class from the right one: `W = Σ_c M_yc p_c` for each
    pixel, and for each image

        L = 1 − (2 Σ a_y (M_y0 − W) + ε) / (2 Σ a_y (M_y0 − W) + Σ W + ε)    weights="default", a_y = M_y0
        L = 1 − (2 Σ a_y (1 − W) + ε) / (2 Σ a_y (1 − W) + Σ W + ε)          weights="foreground", a_y = [y > 0]
        L = 1 − (2 Σ a_y (1 − W) + ε) / (Σ a_y (2 − W) + ε)                  weights="gdl", a_y = 1 / (T_y + 1)

    with class 0 the background and T the number of pixels of each class. Fidon et al. 2017 (arXiv:1707.00478, eqs. 6
    and 9); "foreground" as in their code and in MONAI, the same where `M_y0`, the distance from the background, is 1;
    "gdl" Tilborghs et al. 2020 (arXiv:2007.15546). Ours: `class_weights`, relative to their largest, multiply a, and
    with `include_background=False` pixels of label 0 do not count.

    Parameters
    ----------
    distances : sequence of C sequences of C numbers, or an array (C, C), optional
        M, symmetric, 0 on the diagonal and above 0 elsewhere; it is divided by its largest entry. None: all errors
        cost 1.
    weights : "default", "foreground" or "gdl"

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = GeneralizedWassersteinDiceLoss(distances=[[0, 1], [1, 0]])
    >>> float(loss(logits, labels).round(6))
    0.254879
    """

    distances: Sequence[Sequence[float]] | Array | None = None
    weights: Weighting = "default"

    needs = Needs(labels_only=True)
    matrices = ("distances",)
    per_class = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "distances", matrix_of_numbers("distances", self.distances))
        super().__post_init__()
        _check_distances(self.distances)
        check_choice("weights", self.weights, get_args(Weighting))
        self.check_activation("softmax", "identity")

    def check_classes(self, logits: Array, axis: int) -> None:
        super().check_classes(logits, axis)
        _check_rows(self.distances, logits, axis)
        self.check_several_classes(logits, axis)

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        xp = ops.xp
        (missed,), to_pixels = self.add_up(ops, lambda: missed_distances(self, prediction, target))
        sizes = self.sizes(target)
        factors, reach, of_missed, unit = self._factors(sizes, target, ops)
        sums = [xp.sum(factors * (reach * sizes - missed), axis=1), xp.sum(of_missed * missed, axis=1)]
        loss, slopes = self.ratio(sums, [(2, 2), (0, 1)], unit, ops)

        def back(upstream: Array) -> Cotangent:
            of_true, of_wrong = ops.each_times(slopes, ops.cast(upstream, loss.dtype))
            return to_pixels([of_wrong[:, None] * of_missed - of_true[:, None] * factors])

        return loss, back

    def _factors(self, sizes: Array, target: Target, ops: Ops) -> tuple[Array, Array, Array, Array | None]:
        """By label, a, what W is taken off from, and what it is multiplied by alone; and the unit of the sums."""
        shares, unit = self.relative_shares(target, ops), self.sums_unit(target)
        if self.weights == "gdl":
            # With a in the inverse of the unit of the sums, their products have none.
            factors = shares / (sizes + (1 if unit is None else 1 / unit))
            return factors, ops.xp.ones_like(sizes), factors, None
        matrix, foreground = _relative(self.distances, target.num_classes), self.weights == "foreground"
        column = [float(c > 0) if foreground else row[0] for c, row in enumerate(matrix)]
        reach = ops.constant(column, target.like, sizes.dtype)[None, :]
        counted = [float(c > 0 or self.include_background) for c in range(target.num_classes)]
        of_missed = ops.constant(counted, target.like, sizes.dtype)[None, :]
        return shares * reach, reach, of_missed, unit


def missed_distances(loss: GeneralizedWassersteinDiceLoss, prediction: Prediction, target: Target) -> Taken:
    """`Σ w Σ_c M_yc p_c` over the pixels of each label y, and the way back."""
    ops, pixels = target.ops, loss.pixel_weights(target)
    matrix = _relative(loss.distances, target.num_classes)
    rows = ops.rows_at_label(ops.constant(matrix, target.like, target.dtype), target.labels)
    costs = ops.sum_classes(rows * prediction.probabilities)
    costs = costs if pixels is None else costs * pixels
    if loss.aggregate == "batch":
        missed = ops.sum_batch_by_label(costs, target.labels, target.num_classes)[None, :]
    else:
        missed = ops.sum_by_label(costs, target.labels, target.num_classes)

    def back(slopes: Sequence[Array]) -> Cotangent:
        of_pixels = ops.table_at_label(ops.cast(slopes[0], target.dtype), target.labels)
        of_pixels = of_pixels if pixels is None else of_pixels * pixels
        return Cotangent(terms=[(1, (ops.over_classes(of_pixels), rows))])

    return Taken(loss.over_images([missed], ops), back)


def _relative(distances: Any, classes: int) -> list[list[float]]:
    """M, its largest entry 1."""
    if distances is None:
        return [[float(i != j) for j in range(classes)] for i in range(classes)]
    largest = max(map(max, distances))
    return [[distance / largest for distance in row] for row in distances]


def _check_rows(distances: Any, logits: Array, axis: int) -> None:
    """Require a row for each class, where there are distances."""
    classes = shape_of(logits)[axis]
    if distances is not None and len(distances) != classes:
        raise ValueError(
            f"distances must have one row per class, {classes} for logits of shape {shape_text(logits)}, got"
            f" {len(distances)}."
        )


def _check_distances(distances: Any) -> None:
    """Require a symmetric matrix of numbers, 0 on the diagonal and above 0 elsewhere, or None."""
    if distances is None:
        return
    if not isinstance(distances, tuple) or not all(isinstance(row, tuple) for row in distances):
        raise TypeError(
            f"distances must be a sequence of sequences of numbers or an array (C, C), got {distances!r}."
        )
    classes = len(distances)
    if classes < 2 or any(len(row) != classes for row in distances):
        lengths = [len(row) for row in distances]
        raise ValueError(
            f"distances must be a matrix (C, C) of at least 2 classes, got rows of lengths {lengths}."
        )
    for i, row in enumerate(distances):
        for j, number in enumerate(row):
            check_number(f"distances[{i}][{j}]", number, at_least=0)
            if i == j and number:
                raise ValueError(f"distances[{i}][{i}] must be 0, got {number!r}.")
            if number != distances[j][i]:
                raise ValueError(
                    f"distances must be symmetric, got {number!r} at [{i}][{j}] and {distances[j][i]!r} at [{j}][{i}]."
                )
            if i != j and not number:
                raise ValueError(
                    f"distances[{i}][{j}] must be above 0, or the loss cannot tell {i} from {j}, got {number!r}."
                )
