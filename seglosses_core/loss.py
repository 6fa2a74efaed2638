"""What every loss is: hyper-parameters in, a value or a value and a gradient out, along one path.

logits, target → checks → float32 or float64 → Prediction, Target → evaluate → number
gradient of the logits ← Prediction.gradient ← Cotangent ← pullback ←────────┘
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from seglosses_core.checks import (
    check_addend,
    check_choice,
    check_flag,
    check_library,
    check_logits,
    check_mask,
    check_sample_weight,
    check_target,
    check_values,
    check_weights,
    identity,
    is_array,
    same,
    shape_text,
    unwrap_numpy_scalars,
)
from seglosses_core.libraries import Array, library_of, shape_of
from seglosses_core.ops import Ops, is_ordinary, ops_for
from seglosses_core.prediction import ACTIVATIONS, Prediction, Pullback
from seglosses_core.reductions import Pooling
from seglosses_core.target import Target

if TYPE_CHECKING:
    from seglosses_core.ensemble import EnsembleLoss


class Loss:
    """A segmentation loss: a frozen set of hyper-parameters that can be called.

    A subclass says what is its own in `evaluate`; everything that losses have in common happens here.
    """

    activation: str
    class_axis: int
    ignore_index: int | None
    validate: bool
    reduction: str | Pooling

    ensemble_class: type[EnsembleLoss]
    """What a sum of losses becomes."""
    family: type[Loss]
    """The class that all losses of the package have in common: those of two packages do not go together."""

    labels_only = False
    """Whether the target must be integer labels."""
    unit_interval = True
    """Whether soft targets, and logits under activation="identity", are probabilities."""
    finite_logits = False
    """Whether −inf, which the probabilities of the other losses allow, is no logit here."""
    needs_inputs = False
    """Whether a call takes more than logits, target and weights."""
    log_at_label = False
    """Whether `evaluate` uses the log-probabilities of the labels."""

    def __call__(
        self, logits: Array, target: Array, *, mask: Array | None = None, sample_weight: Array | None = None
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

        Returns
        -------
        array
            0-dimensional unless `reduction="none"`; float64 for float64 logits, else float32.

        Raises
        ------
        TypeError, ValueError
            If a dtype or a shape does not fit. Nothing is broadcast.
        """
        return self._run(logits, target, mask, sample_weight)

    def value_and_grad(
        self, logits: Array, target: Array, *, mask: Array | None = None, sample_weight: Array | None = None
    ) -> tuple[Array, Array]:
        """The loss and its derivative with respect to `logits`, by the hand-written formula.

        Arguments and errors are those of a call; the gradient has the dtype of the logits.

        Raises
        ------
        ValueError
            Also for `reduction="none"`, which has no single gradient.
        """
        self.check_scalar()
        return self._run(logits, target, mask, sample_weight, gradient=True)

    # -- for adapters ---------------------------------------------------------------------------------------------

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
        labels_only = type(self).__name__ if self.labels_only else None
        check_target(target, logits, axis, ignore_index=self.ignore_index, labels_only=labels_only)
        if mask is not None:
            check_mask(mask, logits, axis)
        if sample_weight is not None:
            check_sample_weight(sample_weight, logits)
        return axis

    def check_scalar(self) -> None:
        if self.reduction == "none":
            raise ValueError("value_and_grad needs a loss that is one number, got reduction='none'.")

    def check_values(
        self, logits: Array, target: Array, mask: Array | None, sample_weight: Array | None, ops: Ops
    ) -> None:
        """What `validate=True` adds, where values can be looked at."""
        given = [x for x in (logits, target, mask, sample_weight) if x is not None]
        if self.validate and all(map(ops.is_eager, given)):
            check_values(
                logits, target, mask, sample_weight, ops,
                activation=self.activation, ignore_index=self.ignore_index, unit_interval=self.unit_interval,
                finite_logits=self.finite_logits,
            )  # fmt: skip

    def formula(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        **inputs: Any,
    ) -> Array:
        """The value for checked arguments with logits in the dtype of the computation; differentiable throughout."""
        return self._value_and_pullback(logits, target, mask, sample_weight, ops, inputs)[0]

    def formula_and_gradient(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        **inputs: Any,
    ) -> tuple[Array, Array]:
        """As `formula`, with the gradient of the logits; both are differentiable throughout."""
        value, gradient = self._value_and_pullback(logits, target, mask, sample_weight, ops, inputs)
        return value, gradient()

    def at_once(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        *,
        gradient: bool,
        **inputs: Any,
    ) -> tuple[Array, Any, Array | None]:
        """For plain first derivatives, the value, the gradient if it is asked for, and a factor that is still to be
        multiplied into it, if there is one."""
        given = (logits, target, mask, sample_weight, ops)
        if gradient:
            return *self.formula_and_gradient(*given, **inputs), None
        return self.formula(*given, **inputs), None, None

    def _ops(self, logits: Array, axis: int) -> Ops:
        """The operations of a call."""
        return ops_for(logits, axis, len(logits.shape))

    def _value(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        **inputs: Any,
    ) -> Array:
        """What a call returns, for checked arguments: an adapter puts the hand-written derivative here."""
        return self.at_once(logits, target, mask, sample_weight, ops, gradient=False, **inputs)[0]

    # -- for losses -----------------------------------------------------------------------------------------------

    def evaluate(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any
    ) -> tuple[Array, Pullback]:
        """The value, and the way back from it to the parts that flow into the prediction."""
        raise NotImplementedError

    # -- the path -------------------------------------------------------------------------------------------------

    def _run(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        gradient: bool = False,
        **inputs: Any,
    ) -> Any:
        computed, target, mask, sample_weight, ops = self._prepare(logits, target, mask, sample_weight)
        if not gradient:
            return self._value(computed, target, mask, sample_weight, ops, **inputs)
        value, slope, factor = self.at_once(
            computed, target, mask, sample_weight, ops, gradient=True, **inputs
        )
        if factor is not None:
            slope *= factor
        if isinstance(slope, tuple):
            return value, tuple(ops.cast(part, logits.dtype) for part in slope)
        return value, ops.cast(slope, logits.dtype)

    def _prepare(
        self, logits: Array, target: Array, mask: Array | None, sample_weight: Array | None
    ) -> tuple[Array, Array, Array | None, Array | None, Ops]:
        """Check the arguments; bring the logits to the dtype of the computation, the others to their library."""
        axis = self.check(logits, target, mask, sample_weight)
        self.check_arrays(logits)
        ops = self._ops(logits, axis)
        target, mask, sample_weight = (
            x if x is None or library_of(x) == library_of(logits) else ops.xp.asarray(x)
            for x in (target, mask, sample_weight)
        )
        self.check_values(logits, target, mask, sample_weight, ops)
        return ops.cast(logits, ops.compute_dtype(logits)), target, mask, sample_weight, ops

    def read(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        *,
        scaled: bool = False,
    ) -> tuple[Prediction, Target]:
        """What a loss is computed from; `scaled` says that the weights need no scaling."""
        read = Target(
            target,
            num_classes=logits.shape[ops.class_axis],
            dtype=logits.dtype,
            ops=ops,
            ignore_index=self.ignore_index,
            mask=mask,
            sample_weight=sample_weight,
            scaled=scaled,
        )
        # log 0 would be infinite at a pixel that does not count.
        logits = read.only_valid(logits, 0.5 if self.activation == "identity" else 0.0)
        prediction = Prediction(
            logits, self.activation, ops, labels=read.labels, log_at_label=self.log_at_label
        )
        return prediction, read

    def _value_and_pullback(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        inputs: dict[str, Any],
    ) -> tuple[Array, Callable[[], Array]]:
        prediction, read = self.read(logits, target, mask, sample_weight, ops)
        value, pullback = self.evaluate(prediction, read, ops, **inputs)
        if read.poison is not None:
            value = value * (1 + read.poison)

        def gradient() -> Any:
            seed = ops.xp.ones_like(value)
            parts = pullback(seed if read.poison is None else seed + read.poison)
            slope = prediction.gradient(parts)
            return slope if parts.features is None else (slope, parts.features)

        return value, gradient

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

    def __add__(self, other: Any) -> EnsembleLoss:
        from seglosses_core.ensemble import add

        return add(self, other)

    def __radd__(self, other: Any) -> Loss:
        check_addend(other)
        return self

    def __mul__(self, weight: Any) -> EnsembleLoss:
        from seglosses_core.ensemble import scale

        return scale(self, weight)

    __rmul__ = __mul__


Loss.family = Loss


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

    poolings = True
    """Whether `reduction` may be a pooling."""

    def __post_init__(self) -> None:
        unwrap_numpy_scalars(self)
        check_choice("activation", self.activation, ACTIVATIONS)
        for name in ("class_axis", "ignore_index"):
            value = getattr(self, name)
            if not (value is None and name == "ignore_index") and type(value) is not int:
                raise TypeError(f"{name} must be an integer, got {type(value).__name__}: {value!r}.")
        known = self.reduction in ("mean", "sum", "none") if isinstance(self.reduction, str) else False
        if not (known or (self.poolings and isinstance(self.reduction, Pooling))):
            poolings = " or a pooling, such as Minkowski(k=3)" if self.poolings else ""
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none'{poolings}, got {self.reduction!r}.")
        check_flag("validate", self.validate)
        if self.class_weights is not None:
            check_weights("class_weights", self.class_weights)

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        axis = super().check(logits, target, mask, sample_weight)
        self.check_per_class("class_weights", logits, axis)
        return axis

    def read_class_weights(self, ops: Ops, like: Array) -> tuple[Array | None, Array | None]:
        """The class weights, of ordinary size, and the unit that they are in; None for 1."""
        given = self.class_weights
        if given is None:
            return None, None
        if not isinstance(given, tuple):
            return ops.relative(ops.constant(given, like))
        largest = max(given)
        if is_ordinary(0, largest):
            return ops.constant(given, like), None
        unit = ops.constant(largest, like)
        return ops.constant(tuple(weight / largest for weight in given), like), ops.cast(
            unit, ops.accumulation_dtype(unit)
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
