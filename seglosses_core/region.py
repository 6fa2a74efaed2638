"""What region losses share: a score for each image and class, or for each image.

A ratio loss is, for each image and class,

    L = 1 − (n·S + ε) / (d·S + ε)

with S sums over the pixels (`Moment`). It names its sums with their coefficients n and d; the rest is here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import divide, is_there, one_if_zero, product_or_none
from seglosses_core.checks import check_choice, check_flag, check_smooth, shape_text
from seglosses_core.costs import Costs, Weights, in_unit, what_counts
from seglosses_core.libraries import Array
from seglosses_core.moments import Moment, class_sizes
from seglosses_core.ops import Ops
from seglosses_core.parts import ALL, IMAGES, PIXELS, SAME, Merge, Taken
from seglosses_core.pixel_sums import Summand, pixel_count, pixel_sums
from seglosses_core.single import SingleLoss
from seglosses_core.target import Target

Aggregate = Literal["image", "batch"]
Absent = Literal["count", "skip", "zero"]
Average = Literal["pooled", "image", "class"]

ScoreBack = Callable[[Array], Cotangent]
"""From the derivative with respect to the scores."""


@dataclass(frozen=True, kw_only=True)
class RegionLoss(SingleLoss):
    """A loss of images and their classes.

    The mean is `Σ ω L / Σ ω` over images and classes, with ω the product of `sample_weight`, `class_weights` and what
    the options leave in; an image without a valid pixel is left out, and with a `mask` of the logits' shape a class of
    an image without one. `divisor` may be another.

    Parameters
    ----------
    aggregate : "image" or "batch"
        Sums over each image, or over the batch as if it were one image.
    absent : "count", "skip" or "zero"
        What happens to a class that the target of an image (of the batch) does not have. With "zero" it costs 0 and
        stays in what the mean divides by.
    include_background : bool
        Whether class 0 counts.
    average : "pooled", "image" or "class"
        The mean over images and classes at once, over images of the means over their classes, or over classes of the
        means over their images (Wang et al. 2023, arXiv:2310.19252). They differ where classes are left out of some
        images. A sum, too, is then of such means.
    """

    aggregate: Aggregate = "image"
    absent: Absent = "count"
    include_background: bool = True
    average: Average = "pooled"

    per_class = True
    """Whether each class of an image has a score of its own, or all have one together."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("aggregate", self.aggregate, get_args(Aggregate))
        check_choice("absent", self.absent, get_args(Absent))
        check_flag("include_background", self.include_background)
        check_choice("average", self.average, get_args(Average))
        for name, kept in (("average", ("pooled",)), ("absent", ("count", "skip"))):
            if not self.per_class and getattr(self, name) not in kept:
                raise ValueError(
                    f"{name} must be {' or '.join(map(repr, kept))} for {type(self).__name__} with one number for all"
                    f" classes of an image, got {getattr(self, name)!r}."
                )

    @property
    def grain(self) -> str:  # type: ignore[override]
        return self.aggregate

    def check_classes(self, logits: Array, axis: int) -> None:
        super().check_classes(logits, axis)
        if not self.include_background and logits.shape[axis] == 1:
            raise ValueError(
                f"include_background=False leaves no class of logits of shape {shape_text(logits)}: with one class,"
                " that is the foreground."
            )

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack | None]:
        """The loss of each image and class, `(N, C)`, or of each image, `(N,)`, and the way back; in the dtype of
        accumulation. Over the batch N is 1."""
        raise NotImplementedError

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        values, back = self.score(prediction, target, ops, **inputs)
        weighted = self.cost_weights(target, ops)
        if self.absent != "count":
            # A class without target may cost ∞, and 0 · ∞ would be NaN.
            left_out = (weighted.values == 0) & (values == float("inf"))
            values = ops.xp.where(left_out, ops.xp.zeros_like(values), values)
        if self.aggregate == "image" or self.reduction != "none" or len(values.shape) == 1:
            return Costs(values, weighted, back)
        # Over the batch, one number for each class.
        to_scores = None if back is None else lambda upstream: back(upstream[None, :])
        weights = None if weighted.values is None else weighted.values[0, :]
        return Costs(values[0, :], Weights(weights, weighted.unit), to_scores)

    # -- what counts ----------------------------------------------------------------------------------------------

    def pixel_weights(self, target: Target) -> Array | None:
        """What each pixel counts for in the sums over an image, or over the batch: see `Target.weights`."""
        return target.weights(with_samples=self.aggregate == "batch")

    def sums_unit(self, target: Target) -> Array | None:
        """The unit of those weights, and of the sums; None for 1."""
        return target.unit(with_samples=self.aggregate == "batch")

    def add_up(self, ops: Ops, take: Callable[[], Taken]) -> tuple[Sequence[Array], Any]:
        """Sums over the pixels of an image, or of the batch, and the way back: what `take` gives, with those of other
        parts of these pixels. What is of their size belongs into `take`."""
        return ops.parts.add_up(ALL if self.aggregate == "batch" else PIXELS, take)

    def over_images(self, tables: Sequence[Array], ops: Ops) -> list[Array]:
        """Sums over the pixels of each image, those of the batch added up: then N is 1."""
        if self.aggregate == "image":
            return list(tables)
        return [ops.xp.sum(table, axis=0, keepdims=True) for table in tables]

    def sizes(self, target: Target) -> Array:
        """The pixels of each class, `Σ w y`, as the sums are."""

        def take() -> Taken:
            return Taken([class_sizes(target, self.pixel_weights(target), batch=self.aggregate == "batch")])

        return self.add_up(target.ops, take)[0][0]

    def pixel_count(self, target: Target) -> Array:
        """All pixels, `Σ w`, as `pixel_sums.pixel_count` gives them."""

        def take() -> Taken:
            return Taken([pixel_count(target, self.pixel_weights(target), batch=self.aggregate == "batch")])

        return self.add_up(target.ops, take)[0][0]

    def pixel_sums(self, summands: Sequence[Summand], target: Target) -> Taken:
        """Sums over the pixels of this part, and the way back."""
        batch = self.aggregate == "batch"
        return Taken(*pixel_sums(summands, target, self.pixel_weights(target), batch=batch))

    def pixel_mean(self, summand: Callable[[], Summand], target: Target) -> tuple[Array, ScoreBack]:
        """A sum over the pixels by their number, `Σ w g / Σ w`, and the way back."""
        (total,), back = self.add_up(target.ops, lambda: self.pixel_sums([summand()], target))
        count = one_if_zero(self.pixel_count(target), target.ops.xp)
        return total / count, lambda upstream: back([upstream / count])

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        """ω, what each score counts for in the mean."""
        if (
            target.mask is None
            and not ops.parts.split
            and self.class_weights is None
            and self.absent == "count"
            and self.include_background
            and self.average == "pooled"
        ):
            return Weights(None)
        xp = ops.xp
        images, unit = self.image_weights(target, ops)
        counted_images = what_counts(self.divisor, images, images > 0, ops)
        classes, counted_classes, unit_of_classes = self.class_shares(target, ops)
        weigh = self.divisor == "weights"
        if not self.per_class:
            some = ops.cast(classes > 0, images.dtype)
            counted = None if weigh else in_unit(xp.max(counted_images, axis=1), unit, ops)
            return Weights(xp.max(images * some, axis=1), unit, counted)
        weights = images * classes
        counted = counted_images * counted_classes
        units = [unit, unit_of_classes]
        if self.average == "image":
            there = what_counts(self.divisor, ops.cast(images > 0, images.dtype), images > 0, ops)
            size = xp.sum(there * counted_classes, axis=1, keepdims=True)
            weights = images * divide(classes, size, xp)
            # An image that is left out altogether is one of all all the same.
            nothing = 1 / target.num_classes if self.divisor == "all" else 0.0
            counted = counted_images * divide(counted_classes, size, xp, otherwise=nothing)
            units = units[:1] if weigh else units
        if self.average == "class":
            own = Taken(
                [
                    xp.max(counted_classes, axis=0, keepdims=True),
                    xp.sum(counted, axis=0, keepdims=True),
                ]
            )
            over = None if self.aggregate == "batch" else IMAGES
            (most, size), _ = ops.parts.add_up(over, lambda: own, merge=Merge(maxima=1), then=True)
            weights, counted = most * divide(weights, size, xp), most * divide(counted, size, xp)
            units = units[1:] if weigh else units
        unit = product_or_none(units)
        if weigh:
            return Weights(weights, unit, counted if self.absent == "zero" else None)
        return Weights(weights, unit, in_unit(counted, unit, ops))

    def image_weights(self, target: Target, ops: Ops) -> tuple[Array, Array | None]:
        """What each image counts for, `(N, 1)`, or the batch, `(1, 1)`; with weights of entries each class of it,
        `(N, C)` or `(1, C)`. 0 without a valid pixel."""
        batch = self.aggregate == "batch"
        dtype = ops.accumulation_dtype(target.like)
        if target.mask is not None or ops.parts.split:

            def take() -> Taken:
                return Taken([pixel_count(target, target.mask, batch=batch)])

            weights = ops.cast(self.add_up(ops, take)[0][0] > 0, dtype)
        elif batch:
            weights = ops.constant([[1.0]], target.like, dtype)
        else:
            weights = ops.each_image(target.like, dtype)[:, None]
        if not batch and ops.parts.splits(PIXELS):

            def given() -> Taken:
                own = target.sample_weight
                own = ops.each_image(target.like, dtype) if own is None else own
                return Taken([own[:, None]])

            return weights * ops.parts.add_up(PIXELS, given, merge=SAME).sums[0], None
        if batch or target.sample_weight is None:
            return weights, None
        return weights * ops.cast(target.sample_weight, dtype)[:, None], target.sample_unit

    def class_shares(self, target: Target, ops: Ops) -> tuple[Array, Array, Array | None]:
        """What each class of an image counts for, and what it adds to what a mean divides by, `(N, C)`, or `(1, C)` for
        every image; and the unit of the first."""
        dtype = ops.accumulation_dtype(target.like)
        present = None
        if self.absent != "count":
            present = ops.cast(is_there(self.sizes(target)), dtype)
        kept = [float(c > 0 or self.include_background) for c in range(target.num_classes)]
        counted = ops.constant(kept, target.like, dtype)[None, :]
        if present is not None and self.absent == "skip":
            counted = counted * present
        classes, unit = self.class_table(target, ops)
        shares = counted if classes is None else counted * ops.cast(classes, dtype)[None, :]
        if self.divisor == "weights":
            counted = shares
        if present is not None and self.absent == "zero":
            shares = shares * present
        return shares, counted, unit

    def relative_shares(self, target: Target, ops: Ops) -> Array:
        """What each class of an image counts for, relative to the most."""
        shares, _, _ = self.class_shares(target, ops)
        return shares / one_if_zero(ops.xp.max(shares, axis=1, keepdims=True), ops.xp)


@dataclass(frozen=True, kw_only=True)
class RatioLoss(RegionLoss):
    """A region loss that is one less a ratio of sums.

    Parameters
    ----------
    smooth : float or pair of floats
        ε ≥ 0, once in the numerator and once in the denominator; of a pair, the first is for the numerator.
    """

    smooth: float | tuple[float, float] = 1e-5

    smooth_numerator = True
    """Whether a single `smooth` stands in the numerator too."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_smooth(self.smooth)

    def moments(self) -> list[Moment]:
        """The sums that the loss is made of."""
        raise NotImplementedError

    def sums(self, prediction: Prediction, target: Target) -> Taken:
        """Their values for each image and class, and the way back from their derivatives."""
        weights, batch = self.pixel_weights(target), self.aggregate == "batch"
        return Taken(*prediction.moments(self.moments(), target, weights, batch=batch))

    def coefficients(self, target: Target) -> list[tuple[Any, Any]]:
        """Of each sum, what it is multiplied by in the numerator and in the denominator."""
        return [(m.n, m.d) for m in self.moments()]

    def transform(self, u: Array, score: Array, ops: Ops) -> tuple[Array, Array | None]:
        """A function of u, which is 1 less the ratio `score`, that takes its place, and its derivative; None for 1."""
        return u, None

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        sums, back = self.add_up(ops, lambda: self.sums(prediction, target))
        shares = None if self.per_class else self.shares_of_sums(target, ops)
        if shares is not None:
            sums = [ops.xp.sum(shares * x, axis=1) for x in sums]
        loss, slopes = self.ratio(sums, self.coefficients(target), self.sums_unit(target), ops)
        if shares is None:
            return loss, lambda upstream: back(ops.each_times(slopes, ops.cast(upstream, loss.dtype)))
        return loss, lambda upstream: back(
            [(ops.cast(upstream, loss.dtype) * slope)[:, None] * shares for slope in slopes]
        )

    def shares_of_sums(self, target: Target, ops: Ops) -> Array:
        """With one ratio for all classes, what the sums of each are multiplied by."""
        return self.relative_shares(target, ops)

    def ratio(
        self, sums: Sequence[Array], coefficients: Sequence[tuple[Any, Any]], unit: Array | None, ops: Ops
    ) -> tuple[Array, Sequence[Array]]:
        """L and ∂L/∂S for each sum S, of which `coefficients` has those in the numerator and in the denominator; `unit`
        is that of the weights in the sums. A denominator of 0, which only a `smooth` of 0 allows, means a perfect
        score."""
        if isinstance(self.smooth, tuple):
            above, below = self.smooth
        else:
            above, below = (self.smooth if self.smooth_numerator else 0), self.smooth
        u, score, slopes = ops.ratio(sums, coefficients, above, below, unit)
        loss, steepness = self.transform(u, score, ops)
        return loss, slopes if steepness is None else [steepness * slope for slope in slopes]


@dataclass(frozen=True, kw_only=True)
class JointRatioLoss(RatioLoss):
    """A ratio loss of each class, or of all classes together.

    Parameters
    ----------
    per_class : bool
        Whether each class has a ratio of its own. If not, the sums are added up over the classes first, each
        multiplied by its class weight relative to the largest, and there is one loss for each image, `(N,)`.
    """

    per_class: bool = True

    def __post_init__(self) -> None:
        check_flag("per_class", self.per_class)
        super().__post_init__()
