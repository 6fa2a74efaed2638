"""A loss of the core as a `keras.losses.Loss`."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from seglosses_core import CenterLoss
from seglosses_core.checks import (
    check_addend,
    check_flag,
    check_logits,
    check_mask,
    check_parameter,
    is_array,
    python_number,
)
from seglosses_core.ensemble import EnsembleLoss as CoreEnsembleLoss
from seglosses_core.hyperparameters import replace
from seglosses_core.inputs import Convention, check_inputs
from seglosses_core.loss import Loss
from seglosses_core.reductions import HardExampleMining, MaxPooling, Minkowski, Pooling, TopK
from seglosses_core.signatures import Parameters, constructor, keyword, known_to_take, parameters_of
from seglosses_core.single import SingleLoss
from seglosses_keras.arguments import (
    are_of_pixels,
    as_target,
    as_tensor,
    as_weights,
    attached_mask,
    beside,
    within,
)
from seglosses_keras.backends import across_replicas, evaluate, share_of_replica
from seglosses_keras.weights import mean_weight


class Hyperparameter:
    """An attribute that reads what a loss, or a layer, was given, and that cannot be set."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, loss: Any, kind: type | None = None) -> Any:
        if loss is None:
            return self
        return loss.kept[self.name] if self.name in loss.kept else getattr(loss.core, self.name)

    def __set__(self, loss: Any, value: Any) -> None:
        # Keras' own constructor sets the reduction of a loss, before there is a core.
        if "core" in vars(loss):
            raise AttributeError(
                f"{self.name} is fixed when a loss is made; make a new {type(loss).__name__}."
            )


CALL = Convention(
    "y_true",
    "y_pred",
    "sample_weight and mask",
    positional=3,
    theirs="is theirs, called with y_true and y_pred here",
)

COMMON = ("activation", "class_axis", "ignore_index", "reduction", "validate")
"""What an ensemble has from its members."""


def add_attributes(kind: type, core_class: type[Loss]) -> None:
    """The hyper-parameters of a loss of the core as attributes of a class of Keras."""
    for name in {*COMMON, *(f.name for f in dataclasses.fields(core_class))}:  # type: ignore[arg-type]
        setattr(kind, name, Hyperparameter(name))


class KerasLoss(keras.losses.Loss):
    """What all losses of this package share.

    Called with `(y_true, y_pred)`: `y_pred` are the logits `(N, *S, C)` and `y_true` labels `(N, *S)` or `(N, *S, 1)`,
    integers or floats that are whole, or a target of the logits' shape. The number is that of the other packages.

    A `sample_weight` `(N,)` weighs images, `(N, *S)` or `(N, *S, 1)` pixels. As in Keras' own losses a mean is then
    `Σ w ℓ` over what it divides by without these weights: the valid pixels for a pixel loss, the images with a valid
    pixel for a region loss; those of weight 0 count there, those left out do not. A pooling is no such mean, nor is a
    region loss with weights of pixels or aggregate="batch": there the core's number is multiplied by the mean weight of
    the pixels that count. Each loss of an ensemble does as it does alone. reduction="mean_with_sample_weight" divides
    by the sum of the weights.

    `mask=` is the core's, `(N, *S)`, or of overlapping classes of the logits' shape. A mask that layers such as
    `Masking` attach to `y_pred` counts too, `(N, *S)`, `(N, *S, 1)` or its first axes alone, as `(N, T)` for images in
    time; of both, a pixel counts where both let it.

    What a loss takes beside these is given by keyword, as `loss(y_true, y_pred, distances=maps)`: in a training step of
    one's own, or in a model's `compute_loss(x, y, y_pred)`, to which `fit` hands all that the data have as y.

    Under a distribution strategy of TensorFlow the number is that of the whole batch, whatever each replica has of it,
    and so is the step of `fit`. With `across_replicas=False` each has the loss of its own images, and the mean of these
    counts.

    `dtype="float64"` computes in float64; else the dtype of the logits decides, and it is float32 at least. Labels are
    never cast.
    """

    core_class: type[Loss]
    across_replicas: Any = Hyperparameter("across_replicas")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "core_class" in vars(cls):
            add_attributes(cls, cls.core_class)

    def __init__(
        self,
        *positional: Any,
        across_replicas: bool = True,
        name: str | None = None,
        dtype: Any = None,
        **hyperparameters: Any,
    ) -> None:
        super().__init__(name=name or _snake_case(type(self).__name__), dtype=dtype)
        check_flag("across_replicas", across_replicas)
        hyperparameters = {name: python_number(value) for name, value in hyperparameters.items()}
        self.kept: dict[str, Any] = {"across_replicas": across_replicas}
        """The hyper-parameters that the core is not given, or in another form."""
        reduction = hyperparameters.get("reduction")
        if isinstance(reduction, str) and reduction == "mean_with_sample_weight":
            self.kept["reduction"], hyperparameters["reduction"] = reduction, "mean"
        if any(f.name == "class_axis" for f in dataclasses.fields(self.core_class)):  # type: ignore[arg-type]
            hyperparameters.setdefault("class_axis", -1)
        for key, kind in self.core_class.default_losses().items():
            if hyperparameters.get(key) is None:
                hyperparameters[key] = _made[kind]()
        self.kept |= {key: value for key, value in hyperparameters.items() if _holds(value, *_KEPT)}
        given = {key: to_core(key, value) for key, value in hyperparameters.items()}
        self.core = self.core_class(*positional, **given)  # which refuses what is positional

    @CALL.method
    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, *, mask: Any = None, **inputs: Any
    ) -> Any:
        with keras.name_scope(self.name):
            value = self._value(*self._prepared(y_true, y_pred, sample_weight, mask, inputs))
            return self._of_replica(value)

    def _of_replica(self, value: Any) -> Any:
        """What a replica gives of a number: Keras adds up the replicas, as the sum over their own images alone is."""
        own_sum = self._is_sum() and self._here()._across is None
        return value if own_sum or self.core.reduction == "none" else share_of_replica(value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss without weights, but with the mask attached to `y_pred`, and not scaled for replicas."""
        return self._value(*self._prepared(y_true, y_pred, None, None, {}))

    def bound(self) -> Loss:
        """The loss of the core with the present values of variables."""
        return self.core

    def _prepared(
        self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, inputs: dict[str, Any]
    ) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """What a call was given, as the core takes it: logits, target, mask, weights of images or pixels, inputs."""
        logits = as_tensor("logits", y_pred)
        attached = attached_mask(logits)
        if self.dtype == "float64":
            logits = ops.cast(logits, "float64")
        core = self._here()
        across = core._across is not None
        axis = check_logits(logits, core.class_axis, core.activation, may_be_empty=across)
        target = as_target(y_true, logits, core)
        if mask is not None:
            mask = as_tensor("mask", mask)
            check_mask(mask, logits, axis, core.refusal_of_entries(logits, axis))
        if attached is not None:
            mask = within(attached, mask, logits, axis)
        CALL.check_names(core.inputs, inputs, type(self).__name__)
        inputs = {name: x if x is None else as_tensor(name, x) for name, x in inputs.items()}
        inputs = check_inputs(core.inputs, inputs, logits, axis, type(self).__name__)
        weights = None if sample_weight is None else as_weights(sample_weight, logits, axis)
        return logits, target, mask, weights, inputs

    def _value(self, logits: Any, target: Any, mask: Any, weights: Any, inputs: dict[str, Any]) -> Any:
        if weights is None:
            return evaluate(self._here(), logits, target, mask, None, **inputs)
        return self._with_sample_weight(logits, target, mask, weights, inputs)

    def _with_sample_weight(
        self, logits: Any, target: Any, mask: Any, weights: Any, inputs: dict[str, Any]
    ) -> Any:
        if are_of_pixels(weights, logits):
            pixels = weights
            if mask is not None:
                axis = self.core.class_axis % len(logits.shape)
                pixels = beside(weights, mask, axis) * ops.cast(mask, "float32")
            value = evaluate(self._here(), logits, target, pixels, None, **inputs)
        else:
            value = evaluate(self._here(), logits, target, mask, weights, **inputs)
        if self.reduction in ("sum", "none", "mean_with_sample_weight"):
            return value
        core = self._here()
        assert isinstance(core, SingleLoss)
        return value * ops.cast(mean_weight(core, logits, target, mask, weights), value.dtype)

    def _here(self) -> Loss:
        """The core's loss of a call: with the images of other replicas where there are any."""
        return across_replicas(self.bound()) if self.across_replicas else self.bound()

    def _is_sum(self) -> bool:
        return self.core.reduction == "sum"

    def get_config(self) -> dict[str, Any]:
        """Everything that `from_config` needs, dtype included."""
        config = {name: getattr(self, name) for name in ("across_replicas", "name", "dtype")}
        for field in dataclasses.fields(self.core):  # type: ignore[arg-type]
            config[field.name] = to_config(getattr(self, field.name))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> KerasLoss:
        return cls(**{key: from_config(value) for key, value in config.items()})

    def _terms(self) -> tuple[list[KerasLoss], list[Any]]:
        """The losses and weights that this one adds to a sum."""
        return [self], [1.0]

    def __add__(self, other: Any) -> EnsembleLoss:
        if not isinstance(other, KerasLoss):
            return NotImplemented
        (losses, weights), (more, their_weights) = self._terms(), other._terms()
        return EnsembleLoss(losses=losses + more, weights=weights + their_weights)

    def __radd__(self, other: Any) -> KerasLoss:
        check_addend(other)
        return self

    def __mul__(self, weight: Any) -> EnsembleLoss:
        if isinstance(weight, KerasLoss):
            return NotImplemented
        weight = python_number(weight)
        check_fixed("the weight of a loss", weight)
        check_parameter("the weight of a loss", weight, at_least=0)
        losses, weights = self._terms()
        if _holds((weight, *weights), keras.Variable):
            return EnsembleLoss(losses=[self], weights=[weight])  # a product would be no variable any more
        return EnsembleLoss(losses=losses, weights=[weight * own for own in weights])

    __rmul__ = __mul__
    __array_ufunc__ = None
    """Leaves `numpy_scalar * loss` to `__rmul__`."""

    def __repr__(self) -> str:
        return repr(self.core)


def _snake_case(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


def check_fixed(name: str, value: Any, *, settable: bool = True) -> None:
    """Require of a variable that none has to train it, and that it is read in each call."""
    if isinstance(value, keras.Variable) and (value.trainable or not settable):
        given = "a trainable keras.Variable" if settable else "a keras.Variable"
        wanted = ", or a variable with trainable=False that is set" if settable else ""
        raise TypeError(
            f"{name} must be a number or an array{wanted}, got {given}: no model trains the variables of a loss; use"
            " the layer LearnableLoss."
        )


def to_core(name: str, value: Any) -> Any:
    """A hyper-parameter as the core takes it; of a variable its present value."""
    check_fixed(name, value, settable=name == "weights")
    if isinstance(value, keras.Variable):
        value = ops.convert_to_numpy(value)
    if isinstance(value, Loss):
        raise TypeError(f"{name} must be of seglosses_keras, got one of {value.package()}: {value!r}.")
    if isinstance(value, KerasLoss):
        return value.core
    if isinstance(value, tuple):
        return tuple(to_core(name, item) for item in value)
    if type(value) is np.ndarray and value.dtype.kind in "iuf" and value.ndim < 2:
        return python_number(value.tolist())
    return value


def _holds(value: Any, *kinds: type) -> bool:
    return any(isinstance(item, kinds) for item in (value if isinstance(value, tuple) else (value,)))


_POOLINGS = {kind.__name__: kind for kind in (HardExampleMining, MaxPooling, Minkowski, TopK)}


def to_config(value: Any) -> Any:
    """A hyper-parameter as JSON."""
    if isinstance(value, KerasLoss):
        return keras.saving.serialize_keras_object(value)
    if isinstance(value, Pooling):
        return {"pooling": type(value).__name__, **vars(value)}
    if isinstance(value, (tuple, list)):
        return [to_config(item) for item in value]
    return ops.convert_to_numpy(value).tolist() if is_array(value) else value


def from_config(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(map(from_config, value))
    if not isinstance(value, dict):
        return value
    if "pooling" in value:
        return _POOLINGS[value["pooling"]](**{key: item for key, item in value.items() if key != "pooling"})
    return keras.saving.deserialize_keras_object(value)


Reduction = Literal["mean", "sum", "none", "mean_with_sample_weight"]


def parameters(core_class: type[Loss]) -> Parameters:
    """Those of a constructor of Keras. An ensemble is across replicas as its members are, and a layer is not."""
    losses = dict.fromkeys(("Loss", "PixelLoss", "RatioLoss"), KerasLoss)
    found = parameters_of(core_class, Reduction=Reduction, **losses)
    found = [p.replace(default=-1) if p.name == "class_axis" else p for p in found]
    neither = core_class in (CoreEnsembleLoss, CenterLoss)
    across = [] if neither else [keyword("across_replicas", bool, True)]
    return [*found, *across, keyword("name", str | None, None), keyword("dtype", Any, None)]


_KEPT = (KerasLoss, keras.Variable)
"""What the core is given in another form."""


class EnsembleLoss(KerasLoss):
    __doc__ = f"""{(CoreEnsembleLoss.__doc__ or "").partition("    Examples")[0].rstrip()}

    A weight may be a `keras.Variable(…, trainable=False)` that is set during training, by `assign` in a callback, and
    nothing is compiled again. On JAX it has to be one of the model, `model.alpha = variable`: a compiled step takes no
    other for a variable. What is saved of it is its value.
    """
    core_class = CoreEnsembleLoss
    losses: Any

    @known_to_take(parameters(CoreEnsembleLoss))
    def __init__(
        self,
        *,
        losses: Sequence[KerasLoss],
        weights: Any = None,
        sum_to_one: bool = False,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        members = tuple(losses) if isinstance(losses, Iterable) else ()
        if not members or not all(isinstance(loss, (KerasLoss, Loss)) for loss in members):
            raise TypeError(f"losses must be a sequence of losses of seglosses_keras, got {losses!r}.")
        across = [getattr(loss, "across_replicas", True) for loss in members]
        if len(set(across)) > 1:
            raise ValueError(f"across_replicas must be the same for all losses of an ensemble, got {across}.")
        super().__init__(
            losses=members,
            weights=weights,
            sum_to_one=sum_to_one,
            across_replicas=across[0],
            name=name,
            dtype=dtype,
        )

    def bound(self) -> Loss:
        core: Any = self.core
        members, weights = tuple(loss.bound() for loss in self.losses), self.weights
        if isinstance(weights, keras.Variable):
            weights = ops.copy(weights)
        elif _holds(weights, keras.Variable):
            weights = tuple(ops.copy(w) if isinstance(w, keras.Variable) else w for w in weights)
        if weights is self.weights and all(map(operator.is_, members, core.losses)):
            return core
        return replace(core, losses=members, weights=weights)

    @CALL.method
    def parts(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, *, mask: Any = None, **inputs: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """What a call gives, and beside it what each of `losses` gives by itself, without its weight: for the log of a
        training step of one's own. To `fit` the losses can be given as `metrics=list(loss.losses)`.

        Each is computed by itself; a compiler finds what they have in common."""
        with keras.name_scope(self.name):
            members = self._members(*self._prepared(y_true, y_pred, sample_weight, mask, inputs))
            found = [self._of_replica(value) for value in (self._sum(members), *members)]
            return found[0], tuple(found[1:])

    def _members(
        self, logits: Any, target: Any, mask: Any, weights: Any, inputs: dict[str, Any]
    ) -> list[Any]:
        return [
            loss._value(
                logits,
                target,
                mask,
                weights,
                {name: inputs[name] for name in loss.core.inputs if name in inputs},
            )
            for loss in self.losses
        ]

    def _sum(self, members: list[Any]) -> Any:
        terms = zip(self.bound().terms(), members, strict=True)
        return sum(
            (ops.cast(weight, member.dtype) if is_array(weight) else weight) * member
            for (weight, _), member in terms
        )

    def _terms(self) -> tuple[list[KerasLoss], list[Any]]:
        if isinstance(self.weights, keras.Variable):
            return super()._terms()
        return list(self.losses), [self.weights[i] for i in range(len(self.losses))]

    def _is_sum(self) -> bool:
        return all(loss._is_sum() for loss in self.losses)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["across_replicas"]  # which its members have
        return config

    def _with_sample_weight(
        self, logits: Any, target: Any, mask: Any, weights: Any, inputs: dict[str, Any]
    ) -> Any:
        # Each member by itself, for they divide by different counts; in halves, each would round its own gradient.
        if keras.backend.standardize_dtype(logits.dtype) in ("float16", "bfloat16"):
            logits = ops.cast(logits, "float32")
        return self._sum(self._members(logits, target, mask, weights, inputs))


EnsembleLoss.__module__ = "seglosses_keras"
keras.saving.register_keras_serializable(package="seglosses")(EnsembleLoss)


def keras_class(core_class: type[Loss]) -> type[KerasLoss]:
    """The Keras loss of a loss of the core, with its name, its documentation and its parameters."""
    made = type(
        core_class.__name__,
        (KerasLoss,),
        {
            "__doc__": core_class.__doc__,
            "__module__": "seglosses_keras",
            "__init__": constructor(KerasLoss, parameters(core_class)),
            "core_class": core_class,
        },
    )
    _made[core_class] = made
    return keras.saving.register_keras_serializable(package="seglosses")(made)


_made: dict[type[Loss], type[KerasLoss]] = {}
