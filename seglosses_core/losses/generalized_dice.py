"""Generalized Dice: one ratio for all classes, small classes weighted up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_choice, check_flag
from seglosses_core.libraries import Array
from seglosses_core.losses.dice import DiceRatio
from seglosses_core.ops import Ops
from seglosses_core.target import Target

Weighting = Literal["square", "simple", "uniform"]
_EXPONENTS: dict[Weighting, int] = {"square": 2, "simple": 1, "uniform": 0}


@dataclass(frozen=True, kw_only=True)
class GeneralizedDiceLoss(DiceRatio):
    """`L = 1 − (2 Σ_c ω_c I_c + ε) / (Σ_c ω_c (P_c + T_c) + ε)` for each image, with `I = Σ y p`, `P = Σ p`,
    `T = Σ y` and `ω = 1 / T²`.

    Sudre et al. 2017 (arXiv:1707.03237, section 2.1). Ours: ω is divided by its largest entry, so that ε keeps its
    meaning; a class that the target does not have gets the largest, 1, or with absent="skip" 0; `class_weights`,
    relative to their largest, and `include_background` act on ω. No gradient flows through ω. There is one loss for
    each image, `(N,)`.

    Parameters
    ----------
    weights : "square", "simple" or "uniform"
        ω is 1 / T², 1 / T or 1.
    relative : bool
        Whether ω is divided by its largest entry. If not, ε stands beside sums as small as 1 / T, and where none of
        the classes is there all ω are 0, and ε is left alone.
    per_class : bool
        False: `DiceLoss` has a ratio for each class.
    overlap : "product" or "minimum"
        What p and y have in common, `p y` or `min(p, y)`: see `OverlapLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = GeneralizedDiceLoss()
    >>> float(loss(logits, labels).round(6))
    0.310391
    """

    weights: Weighting = "square"
    relative: bool = True
    per_class: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("weights", self.weights, get_args(Weighting))
        check_flag("relative", self.relative)
        if self.per_class:
            raise ValueError(f"per_class must be False for {type(self).__name__}, got True; DiceLoss has it.")

    def shares_of_sums(self, target: Target, ops: Ops) -> Array:
        shares = self.relative_shares(target, ops)
        return shares * self._omega(self.sizes(target), shares, self.sums_unit(target), ops)

    def _omega(self, sizes: Array, shares: Array, unit: Array | None, ops: Ops) -> Array:
        """ω of sizes in a unit, relative to the largest of a class that counts."""
        xp, exponent = ops.xp, _EXPONENTS[self.weights]
        counted = (sizes > 0) & (shares > 0)
        one, largest = xp.ones_like(sizes), xp.max(sizes, axis=1, keepdims=True)
        least = xp.min(xp.where(counted, sizes, largest), axis=1, keepdims=True)
        relative = xp.where(sizes > 0, least / xp.where(sizes > 0, sizes, one), one) ** exponent
        if self.relative or exponent == 0:
            return relative
        least = least if unit is None else unit * least
        largest_omega = divide(xp.ones_like(least), least, xp) ** exponent
        return xp.where(xp.any(counted, axis=1, keepdims=True), relative * largest_omega, 0 * relative)
