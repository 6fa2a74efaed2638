"""Dice, flattened near perfection."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.libraries import Array
from seglosses_core.losses.dice import DiceRatio
from seglosses_core.ops import Ops


@dataclass(frozen=True, kw_only=True)
class LogCoshDiceLoss(DiceRatio):
    """`L = log cosh u` with `u = 1 − (2 Σ y p + ε) / (Σ p + Σ y + ε)` of the Dice loss: flat where that is small.

    Jadon 2020 (arXiv:2006.14822). Its code takes the Dice loss of the whole batch; ours is per image and class unless
    `aggregate="batch"`. L is at most log cosh 1 = 0.4338.

    Parameters
    ----------
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = LogCoshDiceLoss()
    >>> float(loss(logits, labels).round(6))
    0.042537
    """

    def transform(self, u: Array, score: Array, ops: Ops) -> tuple[Array, Array | None]:
        # With t = tanh(u/2), cosh u is 1 + 2 t² / (1 − t²), of which nothing is lost near u = 0.
        t = ops.xp.tanh(u / 2)
        return ops.log1p(2 * t * t / (1 - t * t)), 2 * t / (1 + t * t)
