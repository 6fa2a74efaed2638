"""What every loss is: hyper-parameters in, a value or a value and its gradient out, along one path.

logits, target → checks → float32 or float64 → Prediction, Target → costs → number
gradient of the logits ← Prediction.gradient ← Cotangent ← back ←──────────────┘
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from seglosses_core.across import Across, BetweenProcesses, PartsDisagree
from seglosses_core.call import Back, Call, Gradients, Shared
from seglosses_core.checks import (
    are_probabilities,
    check_addend,
    check_choice,
    check_library,
    check_logits,
    check_mask,
    check_parameter,
    check_sample_weight,
    check_target,
    check_values,
    double,
    python_number,
)
from seglosses_core.hyperparameters import Hyperparameters, replace
from seglosses_core.inputs import CALL, Input, check_inputs
from seglosses_core.libraries import Array, library_of, shape_of
from seglosses_core.ops import Ops, ops_for
from seglosses_core.parts import ALONE, Parts, SomeParts
from seglosses_core.reductions import Pooling
from seglosses_core.statistics import (
    PARTS_OF,
    Statistics,
    Totals,
    description,
    everywhere,
    number_from,
    take_statistics,
)
from seglosses_core.target import as_labels

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


class Loss(Hyperparameters):
    """A segmentation loss: a frozen set of hyper-parameters that can be called.

    Of its kinds, a `SingleLoss` says what it costs and an `EnsembleLoss` adds others up; what both have in common
    happens here.
    """

    activation: str
    class_axis: int
    ignore_index: int | None
    validate: bool
    reduction: str | Pooling

    inputs: ClassVar[Mapping[str, Input]] = {}
    """What a call takes beside logits, target, mask and sample_weight."""
    needs: ClassVar[Needs] = Needs()
    of_each_class: ClassVar[tuple[str, ...]] = ()
    """Hyper-parameters beside class_weights that have, or may have, one entry for each class."""
    matrices: ClassVar[tuple[str, ...]] = ()
    """Hyper-parameters that are matrices of numbers, whether they are given as sequences or as arrays."""

    has_a_target_of_its_own: ClassVar[bool] = False
    """Whether it takes its target in other forms than the rest, so that they cannot share one."""

    family: ClassVar[type[Loss]]
    """The class that all losses of the package have in common: those of two packages do not go together."""
    ensemble_class: ClassVar[type[EnsembleLoss]]
    """What a sum of losses of the family becomes."""

    @CALL.method
    def __call__(
        self,
        logits: Array,
        target: Array,
        *,
        mask: Array | None = None,
        sample_weight: Array | None = None,
        totals: Statistics | None = None,
        **inputs: Array | None,
    ) -> Array:
        """The loss of `logits` against `target`.

        Parameters
        ----------
        logits : array of real floating point, `(N, C, *S)` with C at `class_axis`
            Scores, one per class; probabilities or heat maps with activation="identity".
        target : labels `(N, *S)` or `(N, 1, *S)`, or an array of the logits' shape
            Labels are integers, or floats that are whole numbers; the axis of length 1 is in the place of the classes.
            Of the logits' shape, a one-hot target of bool or of the integers 0 and 1, or a soft one of floating dtype.
            With one class integers are labels in both shapes, and floats a soft target, of the logits' shape.
        mask : array `(N, *S)`, or of overlapping classes `(N, C, *S)`, optional
            Bool, or non-negative weights; what is False or 0 is ignored, even NaN. Of the logits' shape it weighs each
            class of a pixel by itself, such as where images have some of the classes annotated only.
        sample_weight : array `(N,)`, optional
            Image n counts as `sample_weight[n]` images.
        totals : Statistics, optional
            The sum of the `statistics` of all parts of a batch, of which this is one: then the value is that of the
            whole, and the gradient this part's share of it.
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
        with self.announced(logits):
            return self.value(self.prepare(logits, target, mask, sample_weight, inputs, totals=totals))

    @CALL.method
    def value_and_grad(
        self,
        logits: Array,
        target: Array,
        *,
        mask: Array | None = None,
        sample_weight: Array | None = None,
        totals: Statistics | None = None,
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
        with self.announced(logits):
            call = self.prepare(logits, target, mask, sample_weight, inputs, totals=totals)
            value, gradients = self.value_and_gradients(call)
        if gradients is None:
            raise TypeError(
                f"{type(self).__name__} has no derivative by hand, and arrays of {library_of(logits)} have no autodiff:"
                " differentiate it in PyTorch, JAX or TensorFlow."
            )
        found = gradients.times(None, call.ops)
        slopes = [call.ops.cast(slope, logits.dtype) for slope in found.values()]
        if 0 in shape_of(logits):
            own = {"logits": logits, **inputs}
            slopes = [x[tuple(map(slice, own[name].shape))] for name, x in zip(found, slopes, strict=True)]
        return value, slopes[0] if len(slopes) == 1 else tuple(slopes)

    # -- parts of a batch -----------------------------------------------------------------------------------------

    def across(self, *, images: Any = None, pixels: Any = None, gradients: str = "mean") -> Self:
        """The same loss of a batch that is cut into parts, of which each call has one: a copy whose value is that of
        the whole batch, on every part, and whose gradient is its share.

        All parts must be called at the same time, with as many classes; they may differ in size, and be ignored as a
        whole. A label outside the classes anywhere makes the value NaN everywhere. Weights must lie between 2^−54 and
        2^54 where they are not 0.

        Parameters
        ----------
        images : group, optional
            The parts have different images. A group has `all_reduce(vector, op)`, which gives the sum, op="sum", or the
            maximum, op="max", of the vectors of all parts.
        pixels : group, optional
            The parts are of the same images.
        gradients : "mean" or "sum"
            Of the gradients of the parts, which is that of the whole.

        Raises
        ------
        ValueError
            Where a cost depends on more of the batch than a part has: on neighbours, on an order.
        """
        self.check_parts(images=images is not None, pixels=pixels is not None)
        return self._with_across(Across(images, pixels, gradients))

    def alone(self) -> Self:
        """The same loss without other parts, such as for validation on one of several processes."""
        return self._with_across(None)

    def _with_across(self, across: Across | None) -> Self:
        new = replace(self)
        object.__setattr__(new, "_across", across)
        return new

    def statistics(
        self,
        logits: Array,
        target: Array,
        *,
        mask: Array | None = None,
        sample_weight: Array | None = None,
        parts_of: str = "batch",
        **inputs: Array | None,
    ) -> Statistics:
        """The few sums that the loss is a function of, of a part of a batch: those of two parts add up to those of
        both.

        `loss(z, t)` is `loss.from_statistics(loss.statistics(z, t))`. Arguments are those of a call.

        Parameters
        ----------
        parts_of : "batch" or "images"
            Whether the parts are other images, or other pixels of the same images.

        Raises
        ------
        TypeError
            Where no sums over a part stand for it: a search, or sums that depend on others.
        ValueError
            Where a cost depends on more than a part has, and for reduction="none".
        """
        check_choice("parts_of", parts_of, PARTS_OF)
        self.check_parts(images=parts_of == "batch", pixels=parts_of == "images", summed=True)
        return take_statistics(self, self.prepare(logits, target, mask, sample_weight, inputs), parts_of)

    def from_statistics(self, statistics: Statistics) -> Array:
        """The value from the sums over all parts."""
        return number_from(self, statistics)

    def all_reduce(self, statistics: Statistics) -> Statistics:
        """The statistics of the parts of all members of the groups that the loss is `across`: the `totals` of all."""
        if self._across is None:
            raise ValueError(f"all_reduce needs a loss that is across images= or pixels=, got {self!r}.")
        return everywhere(self, statistics, self._across)

    @contextlib.contextmanager
    def announced(self, logits: Array) -> Iterator[None]:
        """What fails here is told to those who wait for the sums of this part."""
        if self._across is None:
            yield
            return
        try:
            yield
        except PartsDisagree:
            raise
        except Exception:
            self._across.fail(logits)
            raise

    def parts_in(self, ops: Ops, totals: Statistics | None) -> Parts:
        """What of a batch a call has."""
        if totals is not None:
            totals.check_like(description(self))
            return SomeParts(Totals(type(self).__name__, totals), ops)
        if self._across is None:
            return ALONE
        return SomeParts(BetweenProcesses(self._across, description(self)), ops)

    # -- for adapters: the two ways in which a loss is computed ---------------------------------------------------

    def value(self, call: Call) -> Array:
        """The value; differentiable throughout, where the operations are."""
        return self.value_and_back(call)[0]

    def value_and_gradients(self, call: Call) -> tuple[Array, Gradients | None]:
        """The value with its derivatives; those are None where the loss has none by hand. Both are differentiable
        throughout, where the operations are."""
        value, back = self.value_and_back(call)
        if back is None:
            return value, None
        return value, Gradients(back(call.ops.xp.ones_like(value)))

    def value_and_back(self, call: Call) -> tuple[Array, Callable[[Array], dict[str, Array]] | None]:
        """The value from all pixels at once, and the way from the derivative of what follows to those of the arguments,
        by their names; None where the loss has none by hand."""
        value, shared, back = self.value_and_cotangents(call)
        return value, None if back is None else lambda upstream: shared.gradients(back(upstream))

    def value_and_cotangents(self, call: Call) -> tuple[Array, Shared, Back | None]:
        """The same with what goes home through each activation in place of the derivatives."""
        shared = Shared(call, self.activations(), self.ignore_index)
        value, back, invalid = call.ops.parts.run(lambda: (*self.evaluate(shared), shared.nan_if_invalid))
        if invalid is None:
            return value, shared, back
        value = value * (1 + invalid)
        return value, shared, None if back is None else lambda upstream: back(upstream + invalid)

    def package(self) -> str:
        return self.family.__module__.partition(".")[0]

    def check_family(self, name: str, *losses: Any) -> None:
        """Require of those that are losses that they are of this one's package."""
        for loss in losses:
            if isinstance(loss, Loss) and loss.family is not self.family:
                raise TypeError(f"{name} must be of {self.package()}, got one of {loss.package()}: {loss!r}.")

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        """Check the arguments of a call, and give the class axis counted from the front."""
        may_be_empty = self._across is not None
        axis = check_logits(logits, self.class_axis, self.activation, may_be_empty=may_be_empty)
        labels_only = type(self).__name__ if self.needs.labels_only else None
        check_target(target, logits, axis, ignore_index=self.ignore_index, labels_only=labels_only)
        if mask is not None:
            check_mask(mask, logits, axis, self.refusal_of_entries(logits, axis))
        if sample_weight is not None:
            check_sample_weight(sample_weight, logits)
        self.check_classes(logits, axis)
        return axis

    def refusal_of_entries(self, logits: Array, axis: int) -> str | None:
        """Why several classes of a pixel cannot have weights of their own; None if they can."""
        return None

    def check_classes(self, logits: Array, axis: int) -> None:
        """Check what the hyper-parameters ask of the logits."""

    def check_parts(self, *, images: bool, pixels: bool, summed: bool = False) -> None:
        """Require that parts may have different images, or different pixels of the same, and, if `summed`, that sums of
        one pass over each are enough."""
        raise NotImplementedError

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
        *,
        totals: Statistics | None = None,
        translated: bool = False,
    ) -> Call:
        """Check the arguments; bring logits and inputs to the dtype of the computation, and all to one library.
        `translated` says that they are what `translate` gives."""
        if not translated:
            logits, target, mask = self.translate(logits, target, mask, make_ops)
        axis = self.check(logits, target, mask, sample_weight)
        for name, array in self.arrays():
            check_library(name, array, logits)
        if inputs or self.inputs:
            inputs = check_inputs(self.inputs, inputs, logits, axis, type(self).__name__)
        ops = (make_ops or self.make_ops)(logits, axis)
        ops.parts = self.parts_in(ops, totals)
        library = library_of(logits)
        target, mask, sample_weight = (
            x if x is None or library_of(x) == library else ops.xp.asarray(x)
            for x in (target, mask, sample_weight)
        )
        target = as_labels(target, shape_of(logits)[axis], ops)  # type: ignore[arg-type]
        self.check_values(logits, target, mask, sample_weight, ops)
        self._look_once(logits, ops)
        dtype = ops.compute_dtype(logits)
        inputs = {name: x if library_of(x) == library else ops.xp.asarray(x) for name, x in inputs.items()}
        inputs = {name: x if self.inputs[name].integers else ops.cast(x, dtype) for name, x in inputs.items()}
        if ops.casts_logits:
            logits = ops.cast(logits, dtype)
        call = Call(logits, target, mask, sample_weight, inputs, ops)
        return call.without_empty_axes() if self._across is not None and 0 in shape_of(logits) else call

    def translate(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        make_ops: Callable[[Array, int], Ops] | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """Logits, target and mask as losses of ours take them, where this one takes others."""
        return logits, target, mask

    def _look_once(self, logits: Array, ops: Ops) -> None:
        """A warning if logits are probabilities already, at the first call of a loss that is eager and on a CPU: on a
        GPU the look would have to wait for all that comes before."""
        if not ops.may_look(logits) or self._looked_at:
            return
        self._looked_at.append(True)
        for activation in self.activation.split(", "):
            if are_probabilities(logits, activation, ops):
                warnings.warn(f"logits look like probabilities: {double(activation)}.", stacklevel=5)

    # -- sums of losses -----------------------------------------------------------------------------------------

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
