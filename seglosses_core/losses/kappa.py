"""Agreement beyond chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seglosses_core.arithmetic import divide
from seglosses_core.libraries import Array
from seglosses_core.moments import Moment, false_negatives, false_positives, true_positives
from seglosses_core.ops import Ops
from seglosses_core.region import RatioLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class KappaLoss(RatioLoss):
    """`L = 1 − (2 (n I − P T) / n + ε) / (P + T − 2 P T / n + ε)` with `I = Σ y p`, `P = Σ p`, `T = Σ y` and n the
    number of pixels: 1 − Cohen's κ, in [0, 2].

    Zhang, Petitjean, Ainouz, ISBI 2020. The formula is κ's own: code that circulates with the paper has another one.
    ε is ours. Where no pixel has a class, L is 1 as soon as some of it is predicted, and hardly has a gradient:
    `absent="skip"` leaves such classes out.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = KappaLoss()
    >>> float(loss(logits, labels).round(6))
    0.558702
    """

    def moments(self) -> list[Moment]:
        return [true_positives(), false_positives(), false_negatives()]

    def coefficients(self, target: Target) -> list[tuple[Any, Any]]:
        ops, pixels, size = target.ops, self.pixel_count(target), self.sizes(target)
        share = divide(size, pixels, ops.xp)  # t = T / n
        others = divide(pixels - size, pixels, ops.xp)
        # FP + FN over 2 (1 − t) TP + (1 − 2 t) FP + FN. A class that all pixels have has no FP, whose slope would only
        # drown that of FN.
        some = ops.cast(others > 0, share.dtype)
        return [(2 * others, 2 * others), (-2 * share * some, (1 - 2 * share) * some), (0, 1)]

    def transform(self, u: Array, score: Callable[[], Array], ops: Ops) -> tuple[Array, Array | None]:
        # u itself; but where a class is everything or nothing its slopes are all score, which u has no digits of.
        return u, ops.xp.ones_like(u)
