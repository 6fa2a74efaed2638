"""Correlation of prediction and target, true negatives included."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.activations import Prediction
from seglosses_core.arithmetic import divide, one_if_zero, power_or_zero
from seglosses_core.checks import check_number
from seglosses_core.libraries import Array
from seglosses_core.moments import false_negatives, false_positives, true_positives
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.region import RegionLoss, ScoreBack
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class MCCLoss(RegionLoss):
    """`L = 1 − (TP TN − FP FN) / √((TP + FP) (TP + FN) (TN + FP) (TN + FN) + ε)`, Matthews' correlation coefficient.

    Abhishek and Hamarneh 2021 (arXiv:2010.13454, eqs. 3-5), with the sums `TP = Σ y p`, `FP = Σ (1 − y) p`,
    `FN = Σ y (1 − p)` and `TN = Σ (1 − y) (1 − p)`. As in MONAI the loss is 0, and its gradient too, where FP = FN = 0.
    A class that no pixel has, or that all have, is 1 without a gradient otherwise: `absent="skip"` leaves the first
    kind out. Meant for hard targets: of soft ones the loss is above 0 at p = y.

    Parameters
    ----------
    smooth : float
        ε ≥ 0.
    pseudocount : float
        ≥ 0, added to each of TP, FP, FN and TN: then a class that is absent has a slope, too.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = MCCLoss()
    >>> float(loss(logits, labels).round(6))
    0.51759
    """

    smooth: float = 1e-5
    pseudocount: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("smooth", self.smooth, at_least=0)
        check_number("pseudocount", self.pseudocount, at_least=0)

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        xp, pixels, unit = ops.xp, self.pixel_count(target), self.sums_unit(target)
        wanted = [true_positives(), false_positives(), false_negatives()]

        def take() -> Taken:
            weights, batch = self.pixel_weights(target), self.aggregate == "batch"
            return Taken(*prediction.moments(wanted, target, weights, batch=batch))

        sums, back = self.add_up(ops, take)
        # Counts relative to n + ε^¼, so that no product of four overflows.
        root = self.smooth**0.25 if unit is None else self.smooth**0.25 / unit
        added = self.pseudocount if unit is None else self.pseudocount / unit
        scale = one_if_zero(pixels + root + 4 * added, xp)
        tp, fp, fn = ((x + added) / scale for x in sums)
        others = (pixels - self.sizes(target) + 2 * added) / scale  # n − T
        loss, slopes = uncorrelated(tp, fp, fn, others, (root / scale) ** 4, scale, ops)

        def to_sums(upstream: Array) -> list[Array]:
            found = [ops.cast(upstream, loss.dtype) * slope for slope in slopes]
            return [*found, xp.zeros_like(found[0])]

        return loss, lambda upstream: back(to_sums(upstream))


def uncorrelated(
    tp: Array, fp: Array, fn: Array, others: Array, smooth: Array, scale: Array, ops: Ops
) -> tuple[Array, list[Array]]:
    """1 less the correlation of counts, in which `scale` is 1 and `others` are the pixels without the class; and its
    derivatives by `Σ y p` and `Σ (1 − y) p` themselves."""
    xp, tn = ops.xp, others - fp
    predicted, size, rest = tp + fp, tp + fn, tn + fn
    square = predicted * size * others * rest
    norm = power_or_zero(square + smooth, 0.5, xp)
    score = divide(tp * tn - fp * fn, norm, xp)
    # square − (TP TN − FP FN)², without a difference of what is nearly the same.
    true, false = tp * tn, fp * fn
    gap = 4 * true * false + (true + false) * (tp + tn) * (fp + fn)
    gap = gap + false * (tp * tp + tn * tn) + true * (fp * fp + fn * fn)
    missed = divide(gap + smooth, square + smooth, xp, otherwise=1.0)
    likely = score > 0
    loss = xp.where(likely, missed / (1 + xp.where(likely, score, xp.zeros_like(score))), 1 - score)
    wrong = ~(fp + fn == 0)
    loss = xp.where(wrong, loss, xp.zeros_like(loss))

    steepness = divide(score * (rest - predicted), 2 * norm, xp)
    of_true = divide(others * (size * steepness - 1), norm * scale, xp)
    of_false = divide(size * (others * steepness + 1), norm * scale, xp)
    # A class that all pixels have, or none, has no slope: not even one that would meet zeros only.
    counted = wrong & (others > 0) & (size > 0)
    return loss, [xp.where(counted, x, xp.zeros_like(x)) for x in (of_true, of_false)]
