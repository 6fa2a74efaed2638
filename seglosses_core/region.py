"""Region losses: functions of overlap sums.

With `S_ij = Σ w p^i y^j` over the pixels of an image, a region loss is

    L = 1 − (n·S + ε) / (d·S + ε)

for each image and class. A loss names its moments with their coefficients n and d; the ratio, its derivative and the
way from images and classes to one number are in `RegionLoss`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from seglosses_core.arithmetic import divide, is_zero, product_or_none
from seglosses_core.checks import check_choice, check_flag, check_number, check_parameter, shape_text
from seglosses_core.libraries import Array
from seglosses_core.loss import SingleLoss
from seglosses_core.ops import Ops
from seglosses_core.prediction import Cotangent, Prediction, Pullback
from seglosses_core.target import Target


class Moment(NamedTuple):
    """`S_ij = Σ w p^i y^j` and its coefficients in the numerator and the denominator."""

    i: Any
    j: Any
    n: Any = 0
    d: Any = 0


@dataclass(frozen=True, kw_only=True)
class RegionLoss(SingleLoss):
    """What region losses share.

    The mean is `Σ ω L / Σ ω` over images and classes, with ω the product of `sample_weight`, `class_weights` and what
    the options leave in; an image without a valid pixel is left out.

    Parameters
    ----------
    smooth : float
        ε ≥ 0, once in the numerator and once in the denominator.
    aggregate : "image" or "batch"
        Sums over each image, or over the batch as if it were one image.
    absent : "count" or "skip"
        What happens to a class that the target of an image (of the batch) does not have.
    include_background : bool
        Whether class 0 counts.
    """

    smooth: float = 1e-5
    aggregate: str = "image"
    absent: str = "count"
    include_background: bool = True

    poolings = False
    smooth_numerator = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("smooth", self.smooth, at_least=0)
        check_choice("aggregate", self.aggregate, ("image", "batch"))
        check_choice("absent", self.absent, ("count", "skip"))
        check_flag("include_background", self.include_background)

    def ratio(self) -> list[Moment]:
        """The moments that the loss is made of."""
        raise NotImplementedError

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        axis = super().check(logits, target, mask, sample_weight)
        if not self.include_background and logits.shape[axis] == 1:
            raise ValueError(
                f"include_background=False leaves no class of logits of shape {shape_text(logits)}: with one class,"
                " that is the foreground."
            )
        return axis

    def evaluate(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any
    ) -> tuple[Array, Pullback]:
        batch = self.aggregate == "batch"
        weights = target.weights(with_samples=batch)
        ratio = self.ratio()
        sums = [
            self._aggregate(target.moment(prediction, m.i, m.j, weights, batch=batch), ops) for m in ratio
        ]
        smooth = self.smooth
        unit = target.unit(with_samples=batch)
        if unit is not None:
            smooth = smooth / unit  # the sums are of scaled weights
        loss, slopes = self._score(ratio, sums, smooth, ops)
        importance, unit = self.importance(target, prediction, weights, loss, ops)
        if self.reduction != "mean" and unit is not None:
            importance = importance * unit
        weighted = loss * importance
        if self.reduction == "none":
            value = ops.cast(weighted[0, :] if batch else weighted, target.dtype)
            share = importance
        elif self.reduction == "sum":
            value, share = ops.cast(ops.xp.sum(weighted), target.dtype), importance
        else:
            total = ops.xp.sum(importance)
            value = ops.cast(divide(ops.xp.sum(weighted), total, ops.xp), target.dtype)
            share = divide(importance, total, ops.xp)

        def pullback(seed: Array) -> Cotangent:
            scale = share * ops.cast(seed, share.dtype)
            return self._parts(ratio, [scale * slope for slope in slopes], target, weights, ops)

        return value, pullback

    def _aggregate(self, sums: Array, ops: Ops) -> Array:
        return ops.xp.sum(sums, axis=0, keepdims=True) if self.aggregate == "batch" else sums

    def _score(
        self, ratio: list[Moment], sums: list[Array], smooth: Any, ops: Ops
    ) -> tuple[Array, list[Array]]:
        """L and ∂L/∂S for each moment S. A denominator of 0, which only `smooth=0` allows, means a perfect score."""
        terms = list(zip(ratio, sums, strict=True))
        # Whatever the coefficients: a compiler may have a symbol for them, on which nothing must depend.
        numerator = sum(m.n * total for m, total in terms)
        denominator = sum(m.d * total for m, total in terms) + smooth
        if self.smooth_numerator:
            numerator = numerator + smooth
        loss = divide(denominator - numerator, denominator, ops.xp)
        score = divide(numerator, denominator, ops.xp)
        return loss, [divide(m.d * score - m.n, denominator, ops.xp) for m in ratio]

    def importance(
        self, target: Target, prediction: Prediction, weights: Array | None, like: Array, ops: Ops
    ) -> tuple[Array, Array | None]:
        """ω, what each L counts for in the mean: `(N, C)`, or `(1, C)` over the batch; and the unit that it is in."""
        importance = ops.xp.ones_like(like)
        classes, unit_of_classes = self.read_class_weights(ops, like)
        unit_of_images = None
        if target.mask is not None:
            pixels = self._aggregate(ops.sum_image(target.mask)[:, None], ops)
            importance = importance * ops.cast(pixels > 0, like.dtype)
        if self.aggregate == "image" and target.sample_weight is not None:
            importance = importance * ops.cast(target.sample_weight, like.dtype)[:, None]
            unit_of_images = target.sample_unit
        if classes is not None:
            importance = importance * classes[None, :]
        if self.absent == "skip":
            batch = self.aggregate == "batch"
            present = self._aggregate(target.moment(prediction, 0, 1, weights, batch=batch), ops)
            importance = importance * ops.cast(present > 0, like.dtype)
        if not self.include_background:
            foreground = [0.0] + [1.0] * (target.num_classes - 1)
            importance = importance * ops.constant(foreground, like)[None, :]
        return importance, product_or_none([unit_of_images, unit_of_classes])

    def _parts(
        self, ratio: list[Moment], slopes: list[Array], target: Target, weights: Array | None, ops: Ops
    ) -> Cotangent:
        """What flows back from ∂L/∂S: `u = p ∂L/∂p = Σ ∂L/∂S_ij · w i p^i y^j`."""
        parts = Cotangent()
        for (i, j, *_), slope in zip(ratio, slopes, strict=True):
            if is_zero(i):
                continue
            table = ops.cast(i * slope, target.dtype)
            if not is_zero(j) and target.by_label:
                coefficient = ops.table_at_label(table, target.labels)
                parts.at_label.append((i, coefficient if weights is None else coefficient * weights))
                continue
            factors = [ops.over_pixels(table)]
            if weights is not None:
                factors.append(ops.over_classes(weights))
            if not is_zero(j):
                factors.append(target.power(j))
            parts.everywhere.append((i, tuple(factors)))
        return parts


@dataclass(frozen=True, kw_only=True)
class DiceLoss(RegionLoss):
    """`L = 1 − (2 Σ y p + ε) / (Σ p + Σ y + ε)`, the Dice coefficient as a loss.

    Milletari et al. 2016 (V-Net), without their squares: `PowerDiceLoss(p=2)` has them. Shapes, options and errors: see
    `Loss.__call__`, `SingleLoss` and `RegionLoss`.
    """

    def ratio(self) -> list[Moment]:
        return [Moment(1, 1, n=2), Moment(1, 0, d=1), Moment(0, 1, d=1)]


@dataclass(frozen=True, kw_only=True)
class JaccardLoss(RegionLoss):
    """`L = 1 − (Σ y p + ε) / (Σ p + Σ y − Σ y p + ε)`, intersection over union as a loss (Rahman and Wang 2016)."""

    def ratio(self) -> list[Moment]:
        return [Moment(1, 1, n=1, d=-1), Moment(1, 0, d=1), Moment(0, 1, d=1)]


@dataclass(frozen=True, kw_only=True)
class TverskyLoss(RegionLoss):
    """`L = 1 − (I + ε) / (I + α FP + β FN + ε)` with `I = Σ y p`, `FP = Σ p − I`, `FN = Σ y − I`.

    Salehi et al. 2017 (arXiv:1706.05721, eq. 3). α = β = ½ is Dice (with ε counted twice), α = β = 1 is Jaccard.

    Parameters
    ----------
    alpha : float
        The weight of false positives, ≥ 0.
    beta : float
        The weight of false negatives, ≥ 0.
    """

    alpha: float = 0.5
    beta: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_number("beta", self.beta, at_least=0)

    def ratio(self) -> list[Moment]:
        both = 1 - self.alpha - self.beta
        return [Moment(1, 1, n=1, d=both), Moment(1, 0, d=self.alpha), Moment(0, 1, d=self.beta)]


@dataclass(frozen=True, kw_only=True)
class PowerLoss(RegionLoss):
    """A region loss with a power p in [1, 2] on the sums of its denominator."""

    p: float | Array = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_parameter("p", self.p, at_least=1, at_most=2)


@dataclass(frozen=True, kw_only=True)
class PowerDiceLoss(PowerLoss):
    """`L = 1 − (2 Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p + ε)`; p = 1 is Dice, p = 2 V-Net's.

    Duque-Arias et al., VISAPP 2021, "On power Jaccard losses for semantic segmentation". The range of p is theirs for
    the power Jaccard loss and ours here.

    Parameters
    ----------
    p : float or 0-dimensional array
        In [1, 2]. An array may be learnable; its value is not checked.
    """

    def ratio(self) -> list[Moment]:
        return [Moment(1, 1, n=2), Moment(self.p, 0, d=1), Moment(0, self.p, d=1)]


@dataclass(frozen=True, kw_only=True)
class PowerJaccardLoss(PowerLoss):
    """`L = 1 − (Σ y ŷ + ε) / (Σ ŷ^p + Σ y^p − Σ y ŷ + ε)`; p = 1 is Jaccard.

    Duque-Arias et al., VISAPP 2021, "On power Jaccard losses for semantic segmentation". For y = 1 the loss is least at
    `ŷ = (1/(p − 1))^(1/p)`, which lies in the unit interval's upper end or beyond it for 1 ≤ p ≤ 2 alone.

    Parameters
    ----------
    p : float or 0-dimensional array
        In [1, 2]. An array may be learnable; its value is not checked.
    """

    def ratio(self) -> list[Moment]:
        return [Moment(1, 1, n=1, d=-1), Moment(self.p, 0, d=1), Moment(0, self.p, d=1)]


@dataclass(frozen=True, kw_only=True)
class PointwiseExponentialLoss(RegionLoss):
    """Dice with a power on the prediction in the numerator and a factor on it, to fine-tune a saturated model:

        L = 1 − α Σ p^n y / (Σ p + Σ y + ε)            denominator="sum"
        L = 1 − α Σ p^n y / (Σ p + Σ y − Σ p y + ε)    denominator="union"

    Deora, repository bluesky314/PointWise-Exponential-Loss, vectorised and summed form. ε is ours, in the denominator
    only. With the defaults the loss is below 0 for good predictions (down to −9): that is as defined. α = 2, n = 1 with
    "sum" is Dice, α = 1, n = 1 with "union" is Jaccard, each with ε = 0.

    Parameters
    ----------
    alpha : float
        The factor, above 0.
    exponent : float
        n, at least 1.
    denominator : "sum" or "union"
    """

    alpha: float = 20.0
    exponent: float = 3.0
    denominator: str = "sum"

    smooth_numerator = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, above=0)
        check_number("exponent", self.exponent, at_least=1)
        check_choice("denominator", self.denominator, ("sum", "union"))

    def ratio(self) -> list[Moment]:
        moments = [Moment(self.exponent, 1, n=self.alpha), Moment(1, 0, d=1), Moment(0, 1, d=1)]
        return moments if self.denominator == "sum" else [*moments, Moment(1, 1, d=-1)]
