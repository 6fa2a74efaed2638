"""What every loss is: hyper-parameters in, a value or a value and its gradient out, along one path.

logits, target → checks → float32 or float64 → Prediction, Target → costs → number
gradient of the logits ← Prediction.gradient ← Cotangent ← back ←──────────────┘
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from seglosses_core.arithmetic import one_if_zero
from seglosses_core.call import Back, Call, Gradients, Shared
from seglosses_core.checks import (
    check_addend,
    check_choice,
    check_flag,
    check_library,
    check_logits,
    check_mask,
    check_parameter,
    check_sample_weight,
    check_target,
    check_values,
    check_weights,
    identity,
    is_array,
    python_number,
    same,
    shape_text,
    unwrap_numpy_scalars,
)
from seglosses_core.costs import Costs, reduce, totals
from seglosses_core.inputs import Input, check_inputs
from seglosses_core.libraries import Array, library_of, shape_of
from seglosses_core.ops import Ops, is_ordinary, ops_for
from seglosses_core.prediction import ACTIVATIONS, Prediction
from seglosses_core.reductions import Pooling
from seglosses_core.target import Target

if TYPE_CHECKING:
    from seglosses_core.ensemble import EnsembleLoss


@dataclass(frozen=True)
class Needs:
    """What a loss asks of a call beyond shapes that fit."""

    labels_only: bool = False
    """The target must be integer labels."""
    unit_interval: bool = True
    """Soft targets, and logits under activation="identity", are probabilities."""
    finite_logits: bool = False
    """−inf, which the probabilities of other losses allow, is no logit."""
    label_log_probability: bool = False
    """The log-probabilities of the labels are used."""


class Loss:
    """A segmentation loss: a frozen set of hyper-parameters that can be called.

    A loss says in `costs` what is its own (`SingleLoss`); everything that losses have in common happens here.
    """

    activation: str
    class_axis: int
    ignore_index: int | None
    validate: bool
    reduction: str | Pooling

    inputs: ClassVar[Mapping[str, Input]] = {}
    """What a call takes beside logits, target, mask and sample_weight."""
    needs: ClassVar[Needs] = Needs()

    family: ClassVar[type[Loss]]
    """The class that all losses of the package have in common: those of two packages do not go together."""
    ensemble_class: ClassVar[type[EnsembleLoss]]
    """What a sum of losses of the family becomes."""

    def __call__(
        self,
        logits: Array,
        target: Array,
        *,
        mask: Array | None = None,
        sample_weight: Array | None = None,
        **inputs: Array | None,
    ) -> Array:
        """The loss of `logits` against `target`.

        Parameters
        ----------
        logits : array of real floating point, `(N, C, *S)` with C at `class_axis`
            Scores, one per class; probabilities or heat maps with activation="identity".
        target : integer array `(N, *S)`, or array of the logits' shape
            Labels, or a one-hot target of bool or of the integers 0 and 1, or a soft one of floating dtype. With one
            class integers are labels in both shapes.
        mask : array `(N, *S)`, optional
            Bool, or non-negative weights; what is False or 0 is ignored, even NaN.
        sample_weight : array `(N,)`, optional
            Image n counts as `sample_weight[n]` images.
        **inputs : arrays
            What the loss takes beside these, as its own documentation says.

        Returns
        -------
        array
            0-dimensional unless `reduction="none"`; float64 for float64 logits, else float32.

        Raises
        ------
        TypeError, ValueError
            If a dtype or a shape does not fit. Nothing is broadcast.
        """
        return self.value(self.prepare(logits, target, mask, sample_weight, inputs))

    def value_and_grad(
        self,
        logits: Array,
        target: Array,
        *,
        mask: Array | None = None,
        sample_weight: Array | None = None,
        **inputs: Array | None,
    ) -> tuple[Array, Any]:
        """The loss and its derivative with respect to `logits`, by the hand-written formula.

        Arguments and errors are those of a call; the gradient has the dtype of the logits. Where the loss has a
        derivative with respect to inputs that were given, a tuple has theirs behind that of the logits.

        Raises
        ------
        ValueError
            Also for `reduction="none"`, which has no single gradient.
        TypeError
            Also for a loss without a derivative by hand.
        """
        if self.reduction == "none":
            raise ValueError("value_and_grad needs a loss that is one number, got reduction='none'.")
        call = self.prepare(logits, target, mask, sample_weight, inputs)
        value, gradients = self.value_and_gradients(call)
        if gradients is None:
            raise TypeError(
                f"{type(self).__name__} has no derivative by hand, and arrays of {library_of(logits)} have no autodiff:"
                " differentiate it in PyTorch, JAX or TensorFlow."
            )
        found = gradients.times(None, call.ops)
        slopes = [call.ops.cast(slope, logits.dtype) for slope in found.values()]
        return value, slopes[0] if len(slopes) == 1 else tuple(slopes)

    # -- for adapters: the two ways in which a loss is computed ---------------------------------------------------

    def value(self, call: Call) -> Array:
        """The value; differentiable throughout, where the operations are."""
        return self._whole(call)[0]

    def value_and_gradients(self, call: Call) -> tuple[Array, Gradients | None]:
        """The value with its derivatives; those are None where the loss has none by hand. Both are differentiable
        throughout, where the operations are."""
        value, back = self._whole(call)
        if back is None:
            return value, None
        return value, Gradients(back(call.ops.xp.ones_like(value)))

    def _whole(self, call: Call) -> tuple[Array, Callable[[Array], dict[str, Array]] | None]:
        """The value from all pixels at once, and the way back."""
        shared = Shared(call, self.activations(), self.ignore_index)
        value, back = self.evaluate(shared)
        invalid = shared.target.nan_if_invalid
        if invalid is not None:
            value = value * (1 + invalid)
        if back is None:
            return value, None
        return value, lambda upstream: shared.gradients(
            back(upstream if invalid is None else upstream + invalid)
        )

    def hyperparameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def default_losses(cls) -> dict[str, type[Loss]]:
        """The hyper-parameters that are losses unless they are given; an adapter puts its own there."""
        made: dict[str, Any] = {field.name: field.default_factory for field in fields(cls)}  # type: ignore[arg-type]
        return {
            name: kind for name, kind in made.items() if isinstance(kind, type) and issubclass(kind, Loss)
        }

    def package(self) -> str:
        return self.family.__module__.partition(".")[0]

    def check_family(self, name: str, *losses: Any) -> None:
        """Require of those that are losses that they are of this one's package."""
        for loss in losses:
            if isinstance(loss, Loss) and loss.family is not self.family:
                raise TypeError(f"{name} must be of {self.package()}, got one of {loss.package()}: {loss!r}.")

    def check_arrays(self, logits: Array) -> None:
        """Require hyper-parameters that are arrays, here and in the losses in it, to be of the logits' library."""
        for name, value in self.hyperparameters().items():
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Loss):
                    item.check_arrays(logits)
                elif is_array(item):
                    check_library(name, item, logits)

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        """Check the arguments of a call, and give the class axis counted from the front."""
        axis = check_logits(logits, self.class_axis, self.activation)
        labels_only = type(self).__name__ if self.needs.labels_only else None
        check_target(target, logits, axis, ignore_index=self.ignore_index, labels_only=labels_only)
        if mask is not None:
            check_mask(mask, logits, axis)
        if sample_weight is not None:
            check_sample_weight(sample_weight, logits)
        self.check_classes(logits, axis)
        return axis

    def check_classes(self, logits: Array, axis: int) -> None:
        """Check what the hyper-parameters ask of the logits."""

    def check_values(
        self, logits: Array, target: Array, mask: Array | None, sample_weight: Array | None, ops: Ops
    ) -> None:
        """What `validate=True` adds, where values can be looked at."""
        given = [x for x in (logits, target, mask, sample_weight) if x is not None]
        if self.validate and all(map(ops.is_eager, given)):
            check_values(
                logits, target, mask, sample_weight, ops,
                activation=self.activation, ignore_index=self.ignore_index,
                unit_interval=self.needs.unit_interval, finite_logits=self.needs.finite_logits,
            )  # fmt: skip

    # -- for losses -----------------------------------------------------------------------------------------------

    def activations(self) -> dict[str, bool]:
        """Those that are needed of the logits, and whether the log-probabilities of the labels are, too."""
        raise NotImplementedError

    def evaluate(self, shared: Shared) -> tuple[Array, Back | None]:
        """The value, and the way back from it to the predictions; None where there is none by hand."""
        raise NotImplementedError

    # -- the path -------------------------------------------------------------------------------------------------

    def make_ops(self, logits: Array, axis: int) -> Ops:
        """The operations of a call."""
        return ops_for(logits, axis, len(logits.shape))

    def prepare(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        inputs: Mapping[str, Array | None],
        make_ops: Callable[[Array, int], Ops] | None = None,
    ) -> Call:
        """Check the arguments; bring logits and inputs to the dtype of the computation, and all to one library."""
        axis = self.check(logits, target, mask, sample_weight)
        self.check_arrays(logits)
        if inputs or self.inputs:
            inputs = check_inputs(self.inputs, inputs, logits, axis, type(self).__name__)
        ops = (make_ops or self.make_ops)(logits, axis)
        library = library_of(logits)
        target, mask, sample_weight = (
            x if x is None or library_of(x) == library else ops.xp.asarray(x)
            for x in (target, mask, sample_weight)
        )
        self.check_values(logits, target, mask, sample_weight, ops)
        dtype = ops.compute_dtype(logits)
        inputs = {
            name: ops.cast(x if library_of(x) == library else ops.xp.asarray(x), dtype)
            for name, x in inputs.items()
        }
        return Call(ops.cast(logits, dtype), target, mask, sample_weight, inputs, ops)

    # -- Python's own ways ----------------------------------------------------------------------------------------

    def __init_subclass__(cls, **options: Any) -> None:
        # In the class itself, or `dataclass` puts its own there, which fail for arrays.
        super().__init_subclass__(**options)
        cls.__eq__ = Loss.__eq__  # type: ignore[method-assign]
        cls.__hash__ = Loss.__hash__  # type: ignore[method-assign]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(same(value, getattr(other, name)) for name, value in self.hyperparameters().items())

    def __hash__(self) -> int:
        return hash((type(self), *map(identity, self.hyperparameters().values())))

    __array_ufunc__ = None
    """Leaves `numpy_scalar * loss` to `__rmul__`."""

    def terms(self) -> list[tuple[Any, Loss]]:
        """The weights and losses that this one adds to a sum."""
        return [(1.0, self)]

    def __add__(self, other: Any) -> EnsembleLoss:
        return ensemble(self, [*self.terms(), *other.terms()]) if isinstance(other, Loss) else NotImplemented

    def __radd__(self, other: Any) -> Loss:
        check_addend(other)
        return self

    def __mul__(self, weight: Any) -> EnsembleLoss:
        if isinstance(weight, Loss):
            return NotImplemented
        weight = python_number(weight)
        check_parameter("the weight of a loss", weight, at_least=0)
        return ensemble(self, [(weight * own, loss) for own, loss in self.terms()])

    __rmul__ = __mul__


Loss.family = Loss


def ensemble(loss: Loss, terms: Sequence[tuple[Any, Loss]]) -> EnsembleLoss:
    """The weighted sum of losses, of the package of `loss`."""
    weights, losses = zip(*terms, strict=True)
    return loss.ensemble_class(losses=losses, weights=weights)


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
    validate : bool
        Look at values too, in eager mode: labels outside the classes, NaN, probabilities outside [0, 1].
    """

    activation: str = "softmax"
    class_axis: int = 1
    ignore_index: int | None = None
    reduction: str | Pooling = "mean"
    class_weights: Sequence[float] | Array | None = None
    validate: bool = False

    pointwise = False
    """Whether costs have a derivative by hand and depend on nothing but their own pixel: then they can be computed
    chunk by chunk."""
    grain = "pixel"
    """What a cost belongs to: a "pixel", an "image", or the "batch"."""

    def __post_init__(self) -> None:
        unwrap_numpy_scalars(self)
        check_choice("activation", self.activation, ACTIVATIONS)
        for name in ("class_axis", "ignore_index"):
            value = getattr(self, name)
            if not (value is None and name == "ignore_index") and type(value) is not int:
                raise TypeError(f"{name} must be an integer, got {type(value).__name__}: {value!r}.")
        named = isinstance(self.reduction, str) and self.reduction in ("mean", "sum", "none")
        if not (named or isinstance(self.reduction, Pooling)):
            raise ValueError(
                "reduction must be 'mean', 'sum' or 'none' or a pooling, such as Minkowski(k=3), got"
                f" {self.reduction!r}."
            )
        check_flag("validate", self.validate)
        if self.class_weights is not None:
            check_weights("class_weights", self.class_weights)

    def check_classes(self, logits: Array, axis: int) -> None:
        self.check_per_class("class_weights", logits, axis)

    # -- for losses -----------------------------------------------------------------------------------------------

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        """What the loss costs, with weights: all that is its own."""
        raise NotImplementedError

    def cost_weights(self, target: Target, ops: Ops) -> tuple[Array | None, Array | None]:
        """What each cost counts for, None for 1, and the unit of that (`Costs`); from the target alone."""
        raise NotImplementedError

    def counted(self, target: Target, ops: Ops) -> Array | None:
        """What the mean divides by the sum of: the weights."""
        return self.cost_weights(target, ops)[0]

    def class_table(self, target: Target, ops: Ops) -> tuple[Array | None, Array | None]:
        """The class weights `(C,)`, of ordinary size, and the unit that they are in; None for 1."""
        given = self.class_weights
        if given is None:
            return None, None
        if not isinstance(given, tuple):
            return ops.relative(ops.constant(given, target.like, target.dtype))
        largest = max(given)
        if is_ordinary(0, largest):
            return ops.constant(given, target.like, target.dtype), None
        unit = ops.constant(largest, target.like, target.dtype)
        table = ops.constant(tuple(weight / largest for weight in given), target.like, target.dtype)
        return table, ops.cast(unit, ops.accumulation_dtype(unit))

    def activations(self) -> dict[str, bool]:
        return {self.activation: self.needs.label_log_probability}

    def evaluate(self, shared: Shared) -> tuple[Array, Back | None]:
        costs = self.costs(
            shared.prediction(self.activation), shared.target, shared.ops, **shared.inputs(self.inputs)
        )
        value, back = reduce(costs, self.reduction, shared.ops, shared.target.dtype)
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
        if not self.pointwise or self.inputs or self.reduction not in ("mean", "sum"):
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
            total, count = totals(costs, str(self.reduction), ops)
            sums.append(total)
            counts.append(count)
            invalid = invalid if target.nan_if_invalid is None else target.nan_if_invalid + invalid
            if slope is not None:
                assert costs.back is not None
                one = ops.xp.ones_like(total, dtype=target.dtype)
                slope[chunk] = prediction.gradient(
                    costs.back(one if costs.weights is None else costs.weights)
                )
        total, count = sum(sums), one_if_zero(counts[0] if self.reduction == "sum" else sum(counts), ops.xp)
        factor = ops.cast(ops.xp.ones_like(total) / count, call.logits.dtype)
        return ops.cast(total / count, call.logits.dtype) + invalid, factor + invalid

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


def replace(loss: Any, **changes: Any) -> Any:
    """A copy of a loss with other hyper-parameters that are known to be right: without the checks of a new one, which
    cannot look at arrays that are being traced."""
    new = copy.copy(loss)
    names = {f.name for f in fields(loss)}
    for name, value in changes.items():
        if name not in names:
            raise TypeError(f"{type(loss).__name__} has no hyper-parameter {name!r}.")
        object.__setattr__(new, name, value)
    return new
