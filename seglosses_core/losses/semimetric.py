"""Dice and Jaccard for soft targets."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.losses.dice import DiceLoss, JaccardLoss
from seglosses_core.losses.overlap import Overlap


@dataclass(frozen=True, kw_only=True)
class DiceSemimetricLoss(DiceLoss):
    """`L = Σ |p − y| / (Σ p + Σ y + ε)`, Dice with `min(p, y)` for what prediction and target have in common.

    Wang et al. 2023 (arXiv:2303.16296), DML₁. For labels it is the Dice loss; for soft targets it is 0 at p = y alone,
    where the product `p y` draws p to 0 and 1. Per image and class, and every class counts unless `absent="skip"`; the
    authors' code sums over the batch.

    Parameters
    ----------
    overlap : "product" or "minimum"
        "product" is the Dice loss: see `OverlapLoss`.
    log : bool
        −log of the ratio in place of 1 less it: see `LogarithmicLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> target = np.asarray([[[0.9, 0.1, 0.6], [0.1, 0.9, 0.4]]])
    >>> loss = DiceSemimetricLoss()
    >>> float(loss(logits, target).round(6))
    0.0204
    """

    overlap: Overlap = "minimum"


@dataclass(frozen=True, kw_only=True)
class JaccardMetricLoss(JaccardLoss):
    """`L = Σ |p − y| / (Σ max(p, y) + ε)`, Jaccard with `min(p, y)` for what prediction and target have in common.

    Wang, Ning, Blaschko 2023 (arXiv:2302.05666), JML₁, a metric on [0, 1]^n. For labels it is the Jaccard loss; for
    soft targets it is 0 at p = y alone. Per image and class, and every class counts unless `absent="skip"`; the
    authors' code sums over the batch.

    Parameters
    ----------
    overlap : "product" or "minimum"
        "product" is the Jaccard loss: see `OverlapLoss`.
    log : bool
        −log of the ratio in place of 1 less it: see `LogarithmicLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> target = np.asarray([[[0.9, 0.1, 0.6], [0.1, 0.9, 0.4]]])
    >>> loss = JaccardMetricLoss()
    >>> float(loss(logits, target).round(6))
    0.039981
    """

    overlap: Overlap = "minimum"
