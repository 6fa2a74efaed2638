"""A loss that is no sum of others: the hyper-parameters that all of these share, and its way from costs to a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from seglosses_core.activations import Activation, Prediction
from seglosses_core.call import Back, Call, Gradients, Shared
from seglosses_core.checks import (
    check_choice,
    check_flag,
    check_weights,
    describe,
    is_array,
    shape_text,
    unwrap_numpy_scalars,
)
from seglosses_core.costs import Costs, Weights, or_one, reduce, totals
from seglosses_core.libraries import Array, shape_of
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops
from seglosses_core.parts import ALL, IMAGES
from seglosses_core.reductions import Pooling
from seglosses_core.target import Target
from seglosses_core.weights import is_ordinary, relative

OVER = {"pixel": ALL, "image": IMAGES, "batch": None}
"""By what a cost belongs to, what a sum of costs is over."""

Reduction = Literal["mean", "sum", "none"]
Divisor = Literal["weights", "valid", "all"]

Inner = TypeVar("Inner", bound="SingleLoss")


@dataclass(frozen=True, kw_only=True)
class SingleLoss(Loss):
    """The hyper-parameters that all losses share but ensembles, which have those of their members.

    Parameters
    ----------
    activation : "softmax", "sigmoid" or "identity"
        Softmax for exclusive classes, sigmoid for one class or overlapping ones, identity for logits that are
        probabilities, or heat maps, already.
    class_axis : int
        Where the logits have their classes.
    ignore_index : int, optional
        The label whose pixels are ignored.
    reduction : "mean", "sum", "none" or a pooling
        From many numbers to one: `Σ w ℓ / Σ w`, `Σ w ℓ`, or each `w ℓ`.
    class_weights : sequence or array `(C,)`, optional
        Non-negative; the mean divides by their sum. The values of an array, which may be learnt, are not checked.
    divisor : "weights", "valid" or "all"
        What the mean divides by: `Σ w`, or the number of pixels (of overlapping classes of pixels, or of images and
        their classes) that are not ignored, or that of all, of which the ignored ones cost 0. Of the last two, a
        pooling takes w ℓ.
    validate : bool
        Look at values too, in eager mode: labels outside the classes, NaN, probabilities outside [0, 1] or in the place
        of logits. Without it a warning says the last, at the first eager call on a CPU.
    """

    activation: Activation = "softmax"
    class_axis: int = 1
    ignore_index: int | None = None
    reduction: Reduction | Pooling = "mean"
    class_weights: Sequence[float] | Array | None = None
    divisor: Divisor = "weights"
    validate: bool = False

    pointwise = False
    """Whether costs have a derivative by hand and depend on nothing but their own pixel: then they can be computed
    chunk by chunk."""
    sees = "pixel"
    """What of a batch a cost, or a score, depends on beside sums: a "pixel", the "image" around it, or the "batch"."""
    grain = "pixel"
    """What a cost belongs to: a "pixel", an "image", or the "batch"."""

    @property
    def weighs_entries(self) -> bool:
        """Whether overlapping classes of a pixel can have weights of their own: not where a cost depends on what is
        around it."""
        return self.sees == "pixel"

    def __post_init__(self) -> None:
        unwrap_numpy_scalars(self)
        check_choice("activation", self.activation, get_args(Activation))
        for name in ("class_axis", "ignore_index"):
            value = getattr(self, name)
            if not (value is None and name == "ignore_index") and type(value) is not int:
                raise TypeError(f"{name} must be an integer, got {type(value).__name__}: {value!r}.")
        named = isinstance(self.reduction, str) and self.reduction in get_args(Reduction)
        if not (named or isinstance(self.reduction, Pooling)):
            raise ValueError(
                "reduction must be 'mean', 'sum', 'none' or a pooling, such as Minkowski(k=3), got"
                f" {self.reduction!r}."
            )
        check_choice("divisor", self.divisor, get_args(Divisor))
        check_flag("validate", self.validate)
        if self.class_weights is not None:
            check_weights("class_weights", self.class_weights)

    def check_classes(self, logits: Array, axis: int) -> None:
        for name in ("class_weights", *self.of_each_class):
            self.check_per_class(name, logits, axis)

    def classes_exclude(self, num_classes: int) -> bool:
        """Whether classes exclude each other."""
        return self.activation == "softmax"

    def refusal_of_entries(self, logits: Array, axis: int) -> str | None:
        name = type(self).__name__
        if self.activation == "softmax" or self.classes_exclude(shape_of(logits)[axis]):  # type: ignore[arg-type]
            return (
                f"the classes of {name} with activation={self.activation!r} exclude each other, and weights of their"
                " own are for overlapping ones"
            )
        if self.needs.labels_only:
            return f"{name} takes labels, of which a pixel has one, and has no weights of single classes"
        if not self.weighs_entries:
            return (
                f"{name} looks at more than single entries; to weigh overlapping classes apart, make each an image of"
                " its own, with logits and target of shape (N C, 1, *S) and a mask of shape (N C, *S)"
            )
        return None

    def check_parts(self, *, images: bool, pixels: bool, summed: bool = False) -> None:
        name = type(self).__name__
        if summed and self.reduction == "none":
            raise ValueError(f"reduction must not be 'none' for statistics, got {self!r}.")
        if self.sees == "batch" and (images or pixels):
            raise ValueError(
                f"{name} with aggregate='batch' puts the pixels of the whole batch in one order: no part of it has a"
                " share that others need not see. Gather the logits, or take aggregate='image'."
            )
        if pixels and (self.sees == "image" or getattr(self.reduction, "per_image", False)):
            raise ValueError(
                f"{name} looks at whole images: parts of a batch may have different images of it (images=), not pieces"
                " of them. Keep the logits of all pieces, and give each its part of the gradient with respect to them."
            )
        if summed and isinstance(self.reduction, Pooling) and self.reduction.sorts:
            raise TypeError(
                f"{self.reduction!r} looks for a threshold among all pixels, for which no sums over a part of them"
                " stand: keep the logits of all parts, and give each its part of the gradient with respect to them."
            )

    # -- for losses -----------------------------------------------------------------------------------------------

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        """What the loss costs, with weights: all that is its own."""
        raise NotImplementedError

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        """What each cost counts for, from the target alone."""
        raise NotImplementedError

    def class_table(self, target: Target, ops: Ops) -> tuple[Array | None, Array | None]:
        """The class weights `(C,)`, of ordinary size, and the unit that they are in; None for 1."""
        given = self.class_weights
        if given is None:
            return None, None
        if not isinstance(given, tuple):
            return relative(ops.constant(given, target.like, target.dtype), ops)
        largest = max(given)
        if is_ordinary(0, largest):
            return ops.constant(given, target.like, target.dtype), None
        unit = ops.constant(largest, target.like, target.dtype)
        table = ops.constant(tuple(weight / largest for weight in given), target.like, target.dtype)
        return table, ops.cast(unit, ops.accumulation_dtype(unit))

    def activations(self) -> dict[str, bool]:
        return {self.activation: self.needs.label_log_probability}

    def costs_of(self, shared: Shared) -> Costs:
        """`costs` of a call."""
        return self.costs(
            shared.prediction(self.activation), shared.target, shared.ops, **shared.inputs(self.inputs)
        )

    def evaluate(self, shared: Shared) -> tuple[Array, Back | None]:
        parts, over = shared.ops.parts, OVER[self.grain]

        def costs() -> Costs:
            return parts.keep("costs", lambda: self.costs_of(shared))

        value, back = reduce(costs, over, self.reduction, shared.ops, shared.target.dtype)
        if back is None:
            return value, None
        return value, lambda upstream: {self.activation: back(upstream)}

    # -- chunk by chunk -------------------------------------------------------------------------------------------

    def value(self, call: Call) -> Array:
        chunks = self.chunks(call)
        return super().value(call) if chunks is None else self._in_chunks(call, chunks, None)[0]

    def value_and_gradients(self, call: Call) -> tuple[Array, Gradients | None]:
        chunks = self.chunks(call)
        if chunks is None:
            return super().value_and_gradients(call)
        slope = call.ops.xp.zeros_like(call.logits)
        value, factor = self._in_chunks(call, chunks, slope)
        return value, Gradients({"logits": slope}, factor)

    def makes_logits_sized_arrays(self, call: Call) -> bool:
        """Whether arrays of the logits' size lie between the logits and their gradient."""
        return True

    def chunks(self, call: Call) -> Iterator[tuple[slice, ...]] | None:
        """Where the pixels are cut into chunks, so that the arrays in between stay small; None where they are not."""
        if not self.pointwise or call.inputs or self.reduction not in ("mean", "sum") or call.ops.parts.split:
            return None
        weights = [w for w in (call.mask, call.sample_weight) if w is not None]
        if not all(map(call.ops.is_ordinary, weights)) or not self.makes_logits_sized_arrays(call):
            return None
        return call.ops.chunks(call.logits)

    def _in_chunks(
        self, call: Call, chunks: Iterator[tuple[slice, ...]], slope: Array | None
    ) -> tuple[Array, Array]:
        """The value; its gradient is written to `slope`, but for the factor that is given with the value."""
        ops, sums, counts, invalid = call.ops, [], [], 0.0
        for chunk in chunks:
            shared = Shared(call.chunk(chunk), self.activations(), self.ignore_index, scaled=True)
            prediction, target = shared.prediction(self.activation), shared.target
            costs = self.costs(prediction, target, ops)
            total, count, one = totals(costs, str(self.reduction), ops)
            sums.append(total)
            counts.append(count)
            found = shared.nan_if_invalid
            invalid = invalid if found is None else found + invalid
            if slope is not None:
                assert costs.back is not None
                one = ops.xp.ones_like(total, dtype=target.dtype)
                slope[chunk] = prediction.gradient(
                    costs.back(one if costs.weights is None else costs.weights)
                )
        total = sum(sums)
        count = or_one(counts[0] if self.reduction == "sum" else sum(counts), one, ops.xp)
        factor = ops.cast(ops.xp.ones_like(total) / count, call.logits.dtype)
        return ops.cast(total / count, call.logits.dtype) + invalid, factor + invalid

    def check_activation(self, *allowed: str) -> None:
        """Require one of these activations."""
        if self.activation not in allowed:
            raise ValueError(
                f"activation must be {' or '.join(map(repr, allowed))} for {type(self).__name__}, got"
                f" {self.activation!r}."
            )

    def with_options_of_this(self, kind: type[Inner], **options: Any) -> Inner:
        """A loss of another kind, whose costs this one uses: with the options that decide what a cost counts for."""
        return kind(
            activation=self.activation, class_weights=self.class_weights, divisor=self.divisor, **options
        )

    def check_inner(self, argument: str, inner: SingleLoss, common: type[SingleLoss]) -> None:
        """Require of a loss in this one, given as `argument`, that it is of this one's package and leaves alone what
        the losses of the base `common` have in common, but for activation and class axis, which do not count there."""
        self.check_family(argument, inner)
        for field in fields(common):
            name = field.name
            if name not in ("activation", "class_axis") and getattr(inner, name) != field.default:
                raise ValueError(
                    f"{name} must be given to {type(self).__name__}, not to its {argument}, got {inner!r}."
                )

    def check_no_pooling(self) -> None:
        """Require a mean, a sum or none."""
        if not isinstance(self.reduction, str):
            raise ValueError(
                f"reduction must be 'mean', 'sum' or 'none' for {type(self).__name__}, whose costs may be below 0, got"
                f" {self.reduction!r}."
            )

    def check_several_classes(self, logits: Array, axis: int) -> None:
        if shape_of(logits)[axis] == 1:
            raise ValueError(
                f"logits must have at least two classes for {type(self).__name__}, got {describe(logits)}."
            )

    def check_per_class(self, name: str, logits: Array, axis: int) -> None:
        """Require as many entries in the hyper-parameter `name`, where it has entries, as there are classes."""
        values = getattr(self, name)
        if not (isinstance(values, tuple) or (is_array(values) and len(values.shape))):
            return
        classes = shape_of(logits)[axis]
        if isinstance(values, tuple):
            fits, given = len(values) == classes, str(len(values))
        else:
            fits, given = shape_of(values) == (classes,), f"shape {shape_text(values)}"
        if not fits:
            raise ValueError(
                f"{name} must have one entry per class, {classes} for logits of shape {shape_text(logits)}, got"
                f" {given}."
            )
