"""Tanimoto: Jaccard with squares, of a class and of its complement."""

from __future__ import annotations

from dataclasses import dataclass

from seglosses_core.activations import Prediction
from seglosses_core.checks import check_flag, check_integer
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import Summand, errors
from seglosses_core.region import RatioLoss, ScoreBack
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class TanimotoLoss(RatioLoss):
    """`L = 1 − ½ (t(p, y) + t(1 − p, 1 − y))` with `t(p, y) = (Σ p y + ε) / (Σ p² + Σ y² − Σ p y + ε)`.

    Diakogiannis et al. 2020 (arXiv:1904.00592), as their later code has it, without weights of classes; with a depth,
    the fractal Tanimoto of 2021 (arXiv:2009.02062): t is the mean over a = 1, 2, 4, …, 2^(depth − 1) of
    `(Σ p y + ε) / (a (Σ p² + Σ y²) − (2 a − 1) Σ p y + ε)`. L is 0 at p = y alone, for soft targets too. The complement
    gives a class without target a gradient.

    Parameters
    ----------
    complement : bool
        Without it, `L = 1 − t(p, y)`, which is `PowerJaccardLoss(p=2)`.
    depth : int
        At least 0; 0 and 1 are the same.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = TanimotoLoss()
    >>> float(loss(logits, labels).round(6))
    0.28456
    """

    complement: bool = True
    depth: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("complement", self.complement)
        check_integer("depth", self.depth, at_least=0)

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        def take() -> Taken:
            y, (error, _) = target.values, errors(prediction, target)
            # The differences of p and of 1 − p are the same: t is I over a E + I.
            summands = [Summand(error * error, 2 * error), Summand(prediction.probabilities * y, y)]
            if self.complement:
                summands.append(Summand(prediction.complements * (1 - y), y - 1))
            return self.pixel_sums(summands, target)

        sums, back = self.add_up(ops, take)
        unit, levels = self.sums_unit(target), [2**level for level in range(max(1, self.depth))]
        share = 1 / (len(levels) * (len(sums) - 1))
        losses, of_errors, of_overlaps = [], [], []
        for overlap in sums[1:]:
            found = [self.ratio([sums[0], overlap], [(0, a), (1, 1)], unit, ops) for a in levels]
            losses += [loss for loss, _ in found]
            of_errors += [slopes[0] for _, slopes in found]
            of_overlaps.append(share * sum(slopes[1] for _, slopes in found))
        loss = share * sum(losses)
        all_slopes = [share * sum(of_errors), *of_overlaps]
        return loss, lambda upstream: back([ops.cast(upstream, loss.dtype) * slope for slope in all_slopes])
