"""Cross-entropy for key points: a miss near the foreground costs less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seglosses_core.arithmetic import power_or_zero, product_or_none
from seglosses_core.checks import check_number
from seglosses_core.costs import Weights
from seglosses_core.libraries import Array
from seglosses_core.log_pixel import Answer
from seglosses_core.losses.focal import focal_cost
from seglosses_core.losses.overlapping import OverlappingLoss
from seglosses_core.ops import Ops
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class DistanceAwareCrossEntropyLoss(OverlappingLoss):
    """For sparse foreground, such as key points: a background pixel near the foreground is punished less.

        ℓ = −(1 − p)^α log p                 where y = 1
        ℓ = −(1 − y)^β p^α log(1 − p)        elsewhere

    with y a heat map of Gaussians that is 1 at the foreground (`gaussian_heatmap`). The mean divides by the number of
    entries with y = 1 in the batch, by 1 if there are none, unless `divisor` says "valid" or "all". Law and Deng 2018
    (CornerNet, arXiv:1808.01244, eq. 1, whose α is a focusing exponent); the article of Du calls it distance-aware.
    Classes always overlap here. Weights are ours: they count in the costs and in the number of foreground entries.

    Parameters
    ----------
    alpha : float
        The focusing exponent, ≥ 0.
    beta : float
        The exponent of the distance factor, ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, 0.0, -3.0]]])  # one image, one class, three pixels
    >>> heat_map = np.asarray([[[1.0, 0.6, 0.0]]])
    >>> loss = DistanceAwareCrossEntropyLoss()
    >>> float(loss(logits, heat_map).round(6))
    0.006349
    """

    alpha: float = 2.0
    beta: float = 4.0

    single_sided_if_hard = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_number("beta", self.beta, at_least=0)

    def target_weights(self, values: Array, ops: Ops) -> tuple[Array, Array]:
        xp = ops.xp
        foreground = values == 1
        distance = power_or_zero(1 - values, self.beta, xp) + ops.zero_or_nan(values <= 1, values.dtype)
        return ops.cast(foreground, values.dtype), xp.where(foreground, xp.zeros_like(values), distance)

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        return focal_cost(answer.side, self.alpha, ops)

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        """The mean divides by those of the foreground."""
        weighted = super().cost_weights(target, ops)
        if self.divisor != "weights" or self.reduction != "mean":
            return weighted
        counted = product_or_none([ops.cast(target.values == 1, target.dtype), weighted.values])
        return weighted._replace(counted=counted)
