"""A loss of the core as an `nn.Module`."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, Self

import torch
from torch import Tensor, nn

from seglosses_core.across import Across
from seglosses_core.checks import (
    check_addend,
    check_parameter,
    is_array,
    matrix_of_numbers,
    python_number,
)
from seglosses_core.ensemble import EnsembleLoss as CoreEnsembleLoss
from seglosses_core.hyperparameters import replace
from seglosses_core.inputs import CALL
from seglosses_core.libraries import library_of
from seglosses_core.loss import Loss
from seglosses_core.signatures import Parameters, constructor, known_to_take, parameters_of
from seglosses_core.statistics import Statistics
from seglosses_torch.distributed import across
from seglosses_torch.function import evaluate
from seglosses_torch.replay import Programs, pays

_READABLE = ("activation", "class_axis", "ignore_index", "reduction", "validate")
"""What an ensemble has from its members."""


class TorchLoss(nn.Module):
    """What all losses of this package share.

    A hyper-parameter given as a tensor becomes a buffer, as a parameter or a module (`LearnablePower`) it is learnt; so
    does each weight of an ensemble.
    The derivative is the hand-written one; with respect to anything but the logits, it is autograd's of the formula.
    """

    core_class: type[Loss]
    _across: Across | None = None

    def __init__(self, *positional: Any, **hyperparameters: Any) -> None:
        super().__init__()
        constants = {}
        self._bound_names: list[str] = []
        for name, kind in self.core_class.default_losses().items():
            if hyperparameters.get(name) is None:
                hyperparameters[name] = _made[kind]()
        for name, value in hyperparameters.items():
            value = python_number(value)
            if name in self.core_class.matrices:
                if isinstance(value, Tensor) and value.requires_grad:
                    raise TypeError(f"{name} must be fixed numbers, got a tensor that requires a gradient.")
                value = matrix_of_numbers(name, value)
            if isinstance(value, Loss):
                raise TypeError(
                    f"{name} must be of seglosses_torch, got one of {value.package()}: {value!r}."
                )
            if isinstance(value, (Tensor, nn.Module)):
                self._bound_names.append(name)
                if isinstance(value, (nn.Parameter, nn.Module)):
                    setattr(self, name, value)
                else:
                    self.register_buffer(name, value)
                with torch.no_grad():
                    value = _first_value(name, value)
            for item in value if isinstance(value, tuple) else (value,):
                if is_array(item) and not isinstance(item, Tensor):
                    raise TypeError(
                        f"{name} must be a torch array or numbers, got one of {library_of(item)}."
                    )
            constants[name] = value
        self._programs = Programs()
        self.core = self.core_class(*positional, **constants)  # which refuses what is positional

    def bound(self) -> Loss:
        """The loss of the core with the current values of what is learnt or moved."""
        loss = self.core
        if self._bound_names:
            loss = replace(loss, **{name: _current(getattr(self, name)) for name in self._bound_names})
        return loss if self._across is None else loss._with_across(self._across)

    @CALL.method
    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        totals: Statistics | None = None,
        **inputs: Tensor | None,
    ) -> Tensor:
        """The loss of `logits` `(N, C, *S)` against labels `(N, *S)` or a target of the logits' shape; see the core's
        `Loss.__call__`. Half precision is computed in float32, autocast or not."""
        return self._evaluate(None, logits, target, mask, sample_weight, inputs, totals=totals)

    def formula(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        **inputs: Tensor | None,
    ) -> Tensor:
        """The same number without the hand-written derivative: what autograd makes of it serves forward mode too."""
        return self._evaluate(self.bound(), logits, target, mask, sample_weight, inputs, by_formula=True)

    def _evaluate(
        self,
        loss: Loss | None,
        logits: Tensor,
        target: Tensor,
        mask: Tensor | None,
        sample_weight: Tensor | None,
        inputs: dict[str, Tensor | None],
        *,
        by_formula: bool = False,
        totals: Statistics | None = None,
    ) -> Tensor:
        """Of `loss`, None for the bound one."""
        inputs, value = self._with_held(inputs), None
        if loss is None:
            loss = self.bound()
            if totals is None:
                given = {"logits": logits, "target": target, "mask": mask, "sample_weight": sample_weight}
                value = self.replayed(loss, given | inputs)
        if value is None:
            value = evaluate(
                loss, logits, target, mask, sample_weight, by_formula=by_formula, totals=totals, **inputs
            )
        if self.training:
            self.after_step(logits, target, mask, sample_weight, inputs)
        return value

    def replayed(self, loss: Loss, given: dict[str, Tensor | None]) -> Tensor | None:
        """The value of `loss` by the program of earlier calls of the same form; None where there is none."""
        logits, target = given["logits"], given["target"]
        if (
            torch.compiler.is_compiling()
            or not isinstance(logits, Tensor)
            or target is None
            or not pays(logits)
            or loss._across is not None
            or loss.reduction == "none"
        ):
            return None
        return self._programs.value(loss, {name: x for name, x in given.items() if x is not None})

    def _with_held(self, inputs: dict[str, Tensor | None]) -> dict[str, Tensor | None]:
        held = self.held_inputs()
        for name in held.keys() & inputs.keys():
            raise TypeError(
                f"{name} must not be given to {type(self).__name__}, which holds its own, got {name}=."
            )
        return {**inputs, **held}

    def across(self, *, images: Any = None, pixels: Any = None, gradients: str = "mean") -> Self:
        """The same loss of a batch that is cut into parts, one for each process: a copy whose value is that of the
        whole batch, on every process, and whose gradient is its share. What is learnt is shared with the copy.

        All processes must call it at the same time, with as many classes; parts may differ in size, be ignored as a
        whole, and be empty. Weights must lie between 2^−54 and 2^54 where they are not 0.

        Parameters
        ----------
        images : "world", ProcessGroup or DeviceMesh of one axis, optional
            The parts have different images.
        pixels : "world", ProcessGroup or DeviceMesh of one axis, optional
            The parts are of the same images.
        gradients : "mean" or "sum"
            What of the gradients of the processes is taken: DDP and FSDP take the mean.

        Raises
        ------
        ValueError
            Where a cost depends on more of the batch than a process has: on neighbours, on an order.
        """
        self.core.check_parts(images=images is not None, pixels=pixels is not None)
        return self._with_across(across(images, pixels, gradients))

    def alone(self) -> Self:
        """The same loss without other processes, such as for validation on one of them."""
        return self._with_across(None)

    def _with_across(self, across: Across | None) -> Self:
        new = copy.copy(self)
        for name in ("_parameters", "_buffers", "_modules"):
            new.__dict__[name] = dict(self.__dict__[name])
        new.__dict__["_programs"] = Programs()
        new.__dict__["_across"] = across
        return new

    def statistics(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        parts_of: str = "batch",
        **inputs: Tensor | None,
    ) -> Statistics:
        """The few sums that the loss is a function of, of a part of a batch; see the core's `Loss.statistics`. Autograd
        differentiates them."""
        given = {"mask": mask, "sample_weight": sample_weight, **self._with_held(inputs)}
        return self.bound().statistics(logits, target, parts_of=parts_of, **given)

    def from_statistics(self, statistics: Statistics) -> Tensor:
        """The value from the sums over all parts."""
        return self.bound().from_statistics(statistics)

    def all_reduce(self, statistics: Statistics) -> Statistics:
        """The statistics of the parts of all processes that the loss is `across`: the `totals` of all."""
        return self.bound().all_reduce(statistics)

    def held_inputs(self) -> dict[str, Tensor]:
        """Inputs of the loss that the module holds itself."""
        return {}

    def after_step(
        self,
        logits: Tensor,
        target: Tensor,
        mask: Tensor | None,
        sample_weight: Tensor | None,
        inputs: dict[str, Tensor | None],
    ) -> None:
        """What a call in training mode does after the loss is computed."""

    def extra_repr(self) -> str:
        names = [f.name for f in dataclasses.fields(self.core) if f.name not in self._modules]  # type: ignore[arg-type]
        given = [f"{name}={getattr(self, name)!r}" for name in names]
        if self._across is not None:
            groups = {"images": self._across.images, "pixels": self._across.pixels}
            given += [f"across {name}={group!r}" for name, group in groups.items() if group is not None]
        return ", ".join(given)

    def __setattr__(self, name: str, value: Any) -> None:
        core = self.__dict__.get("core")
        if core is not None and name in core.__dataclass_fields__ and name not in self._bound_names:
            raise AttributeError(f"{name} is fixed when a loss is made; make a new {type(self).__name__}.")
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            # Hyper-parameters alone: a method of the core would not know what has been learnt since.
            core = self.__dict__.get("core")
            if core is None or not (name in core.__dataclass_fields__ or name in _READABLE):
                raise
            return getattr(core, name)

    def __add__(self, other: Any) -> EnsembleLoss:
        return _sum(self, other) if isinstance(other, TorchLoss) else NotImplemented

    def __radd__(self, other: Any) -> TorchLoss:
        check_addend(other)
        return self

    def __mul__(self, weight: Any) -> EnsembleLoss:
        if isinstance(weight, nn.Module):
            return NotImplemented
        return _scaled(self, weight)

    __rmul__ = __mul__
    __array_ufunc__ = None
    """Leaves `numpy_scalar * loss` to `__rmul__`."""


def _first_value(name: str, value: Any) -> Any:
    try:
        return _current(value)
    except TypeError as error:
        raise TypeError(
            f"{name} must be a number, a tensor, or a loss of seglosses_torch or a module such as LearnablePower, which"
            f" is called without arguments, got {value!r}."
        ) from error


def _current(value: Any) -> Any:
    if isinstance(value, TorchLoss):
        return value.bound()
    if isinstance(value, nn.Parameter) and torch.compiler.is_compiling():
        return value.view_as(value)  # a compiler cannot look at the type of a parameter
    return value() if isinstance(value, nn.Module) else value


def parameters(core_class: type[Loss]) -> Parameters:
    """Those of a module's constructor: what may be an array for the core may be a module here, which is learnt."""
    losses = dict.fromkeys(("Loss", "PixelLoss", "RatioLoss"), TorchLoss)
    return parameters_of(core_class, Array=Tensor | nn.Module, **losses)


class EnsembleLoss(TorchLoss):
    __doc__ = f"""{(CoreEnsembleLoss.__doc__ or "").partition("    Examples")[0].rstrip()}

    `loss.weights = [0.9, 0.1]` sets them during training. Tensors take the new values and are part of checkpoints; what
    was given as numbers becomes tensors, of no checkpoint, the first time, for which a compiled step is compiled again,
    and not after that.
    """
    __module__ = "seglosses_torch"
    core_class = CoreEnsembleLoss

    @known_to_take(parameters(CoreEnsembleLoss))
    def __init__(self, *, losses: Any, weights: Any = None, sum_to_one: bool = False) -> None:
        members = list(losses) if isinstance(losses, Iterable) else []
        if not members or not all(isinstance(loss, TorchLoss) for loss in members):
            raise TypeError(f"losses must be a sequence of losses of seglosses_torch, got {losses!r}.")
        for loss in members:
            if loss._across is not None:
                raise ValueError(
                    f"losses must be across no processes themselves, got {loss!r}: use across on their sum."
                )
        weights = python_number(weights)
        if isinstance(weights, tuple) and not all(map(_is_constant, weights)):
            weights = Weights(weights)
        super().__init__(losses=_Members(members), weights=weights, sum_to_one=sum_to_one)
        held = [name for member in members for name in member.held_inputs()]
        if len(set(held)) < len(held):
            raise ValueError(f"losses must hold no more than one {held[0]} among them, got {members!r}.")

    def parts(
        self,
        logits: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        sample_weight: Tensor | None = None,
        **inputs: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What a call gives, and beside it what each of `losses` gives by itself, without its weight: for a log, from
        one computation of all. These are detached; the first is differentiable as ever."""
        bound = self.bound()
        assert isinstance(bound, CoreEnsembleLoss)
        loss, members = bound.keeping()
        value = self._evaluate(loss, logits, target, mask, sample_weight, inputs)
        return value, tuple(member.detach() for member in members)

    def __setattr__(self, name: str, value: Any) -> None:
        by_value = not (isinstance(value, nn.Module) or (isinstance(value, Tensor) and value.requires_grad))
        if name == "weights" and "core" in self.__dict__ and by_value:
            self._set_weights(value)
        else:
            super().__setattr__(name, value)

    def _set_weights(self, weights: Any) -> None:
        core: Any = self.core
        weights = CoreEnsembleLoss(losses=core.losses, weights=weights, sum_to_one=core.sum_to_one).weights
        held = self.weights
        if isinstance(held, tuple):
            held = Weights(held)
            self._bound_names.append("weights")
            super().__setattr__("weights", held)
        if isinstance(held, Weights):
            held.assign(weights)
        elif isinstance(held, nn.Module):
            raise AttributeError(f"weights cannot be set where a module gives them, {held!r}.")
        else:
            with torch.no_grad():
                held.copy_(torch.as_tensor(weights))

    def held_inputs(self) -> dict[str, Tensor]:
        return {name: x for member in self.losses for name, x in member.held_inputs().items()}

    def after_step(
        self,
        logits: Tensor,
        target: Tensor,
        mask: Tensor | None,
        sample_weight: Tensor | None,
        inputs: dict[str, Tensor | None],
    ) -> None:
        for member in self.losses:
            own = {name: x for name, x in inputs.items() if name in member.core.inputs}
            member.after_step(logits, target, mask, sample_weight, own)


class _Members(nn.ModuleList):
    """The members of an ensemble; called, they give the losses of the core."""

    def forward(self) -> tuple[Loss, ...]:
        return tuple(member.bound() for member in self)  # type: ignore[operator]


class Weights(nn.Module):
    """The weights of an ensemble where not all are numbers: a tensor becomes a buffer, a parameter or a module is
    learnt. Called, it gives their values."""

    def __init__(self, weights: Iterable[Any]) -> None:
        super().__init__()
        self._numbers: list[float | None] = []
        for i, weight in enumerate(weights):
            self._numbers.append(weight if _is_constant(weight) else None)
            _first_value(f"weights[{i}]", weight)
            if isinstance(weight, (nn.Parameter, nn.Module)):
                setattr(self, str(i), weight)
            elif isinstance(weight, Tensor):
                self.register_buffer(str(i), weight)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Any]:
        """Each as it was given."""
        for i, number in enumerate(self._numbers):
            yield getattr(self, str(i)) if number is None else number

    def forward(self) -> tuple[Any, ...]:
        return tuple(
            [_current(weight) for weight in self.__iter__()]
        )  # `in self` ends the compiler of torch 2.4

    def assign(self, weights: Iterable[Any]) -> None:
        """Other values: tensors take them, numbers become tensors."""
        for i, weight in enumerate(weights):
            held = None if self._numbers[i] is not None else getattr(self, str(i))
            if held is None:
                self._numbers[i] = None
                self.register_buffer(str(i), torch.as_tensor(float(weight)), persistent=False)
            elif isinstance(held, nn.Module):
                raise AttributeError(f"weights[{i}] cannot be set where a module gives it, {held!r}.")
            else:
                with torch.no_grad():
                    held.copy_(torch.as_tensor(weight))

    def __repr__(self) -> str:
        return f"Weights({', '.join(map(repr, self))})"


def _is_constant(weight: Any) -> bool:
    return not isinstance(weight, (Tensor, nn.Module))


def _sum(a: TorchLoss, b: TorchLoss) -> EnsembleLoss:
    (members, weights), (more, their_weights) = _terms(a), _terms(b)
    return EnsembleLoss(losses=members + more, weights=weights + their_weights)


def _scaled(loss: TorchLoss, weight: Any) -> EnsembleLoss:
    weight = python_number(weight)
    check_parameter("the weight of a loss", weight, at_least=0)
    members, weights = _terms(loss)
    if not all(map(_is_constant, (weight, *weights))):
        # A product would be no parameter any more.
        return EnsembleLoss(losses=[loss], weights=[weight])
    return EnsembleLoss(losses=members, weights=[weight * own for own in weights])


def _terms(loss: TorchLoss) -> tuple[list[Any], list[Any]]:
    """The losses and weights that a loss adds to a sum: itself, too, if it is an ensemble with one array of weights."""
    if not isinstance(loss, EnsembleLoss) or not isinstance(loss.weights, (tuple, Weights)):
        return [loss], [1.0]
    return list(loss.losses), list(loss.weights)


def module_class(core_class: type[Loss], base: type[TorchLoss] = TorchLoss, **extra: Any) -> type[TorchLoss]:
    """The module of a loss of the core, with its name, its documentation and its parameters."""
    made = type(
        core_class.__name__,
        (base,),
        {
            "__doc__": core_class.__doc__,
            "__module__": "seglosses_torch",
            "__init__": constructor(base, parameters(core_class)),
            "core_class": core_class,
            **extra,
        },
    )
    _made[core_class] = made
    return made


_made: dict[type[Loss], type[TorchLoss]] = {}
