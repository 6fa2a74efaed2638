"""The same call once more, without asking again what decides which operations it is made of.

These are the same for all calls of one form: of one loss, with arrays of the same shapes, layouts and dtypes. After
some of them one is written down, and the next ones start just what it started. On a CPU a call may look at values
before it goes on: each outcome of its looks is another way, written down when it comes up.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from seglosses_core.hyperparameters import Hyperparameters
from seglosses_core.loss import Loss
from seglosses_torch import function, internals, kernels
from seglosses_torch.eager import EagerOps
from seglosses_torch.function import Kept, Made
from seglosses_torch.kernels.launch import heard_by, on_device_of
from seglosses_torch.modes import Mode, mode_of
from seglosses_torch.tape import Back, Step, Tape, Unlike, Value, Way, as_function, needed

CALLS_BEFORE = 16
"""So many calls of a form are computed anew, then one is written down, which takes as long as some thirty gain."""
MOST_FORMS = 64
"""Of the arguments of one module; the one that was given longest ago is forgotten first."""
MOST_LOSSES = 16
"""That one module has been, as its hyper-parameters changed, with arguments of one form; the oldest goes first."""
MOST_WAYS = 8
"""Of one program; calls of a form that goes more are computed anew each time."""


def pays(logits: Tensor) -> bool:
    """Whether Python takes much of the time of a call: on a GPU, and on a CPU where arrays are small."""
    if logits.device.type == "cpu" and logits.numel() <= EagerOps.chunk_size:
        return True
    return kernels.serve_device(logits.device.type)


class Programs:
    """Those of a module, by the form of what a call is given. A copy starts anew."""

    def __init__(self) -> None:
        self._by_form: OrderedDict[Any, Calls] = OrderedDict()

    def __reduce__(self) -> tuple[type[Programs], tuple[()]]:
        return Programs, ()

    def known(self) -> list[Program]:
        """All that have been written down."""
        calls = [calls for calls in self._by_form.values() if not calls.are_given_up]
        every = [program for one in calls for program in one.by_loss.values()]
        return [program for program in every if program is not None and program.ways]

    def value(self, loss: Loss, given: Mapping[str, Tensor]) -> Tensor | None:
        """That of a loss with these arguments; None where no program gives it."""
        arrays, logits = tuple(given.values()), given["logits"]
        if not _are_ordinary(arrays) or mode_of(logits, arrays[1:], (), none=False) is not Mode.EAGER:
            return None
        differentiated = torch.is_grad_enabled() and logits.requires_grad
        calls = self._calls((differentiated, tuple(given), *map(_form, arrays)))
        if calls.are_given_up or calls.number < CALLS_BEFORE:
            return None
        constants: list[Tensor] = []
        structure = _structure(loss, constants)
        held = {id(x): x for x in constants}  # which losses may share
        if len({*map(id, arrays), *held}) < len(arrays) + len(held) or not _are_ordinary(constants):
            return None
        if constants and mode_of(logits, constants, (), none=False) is not Mode.EAGER:
            return None
        places = [*held]
        shared = tuple(places.index(id(x)) for x in constants)
        known = calls.program((structure, shared, *map(_form, held.values())))
        if known is None:
            return None
        with function.no_autocast(logits), on_device_of(logits):
            given = _as_ours(loss, given)
            arrays = (*given.values(), *held.values())
            with torch.no_grad():
                found = known.run(loss, tuple(given), arrays, differentiated=differentiated)
            if found is None:
                calls.are_given_up = known.is_given_up
                return None
            way, value, *others = found
            if not differentiated:
                return value
            prepared, kept = others[: len(way.names) - 1], others[len(way.names) - 1 :]
            made = value, lambda arrays, upstream: way.back(arrays, kept, upstream), way.once
            of_call = Kept(loss, tuple(way.names), way.class_axis, totals=None, empty=False)
            result: Tensor = Made.apply(of_call, made, given["logits"], *prepared)
            return result

    def _calls(self, form: Any) -> Calls:
        calls = self._by_form.get(form)
        if calls is None:
            calls = Calls()
        _put_last(self._by_form, form, calls, MOST_FORMS)
        calls.number += 1
        return calls


class Calls:
    """Those of a module with arguments of one form."""

    def __init__(self) -> None:
        self.number = 0
        self.are_given_up = False
        self.by_loss: OrderedDict[Any, Program | None] = OrderedDict()
        """By what the loss was, its `_structure` and the forms of its arrays; None if it was that once."""

    def program(self, loss: Any) -> Program | None:
        """That of a loss that has been there before."""
        try:
            seen = loss in self.by_loss
        except TypeError:  # what a user's module gives
            return None
        program = self.by_loss.get(loss)
        if seen and program is None:
            program = Program()
        _put_last(self.by_loss, loss, program, MOST_LOSSES)
        return program


def _put_last(known: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """As what was asked for last; the first goes if there are too many."""
    known[key] = value
    with contextlib.suppress(KeyError):  # of other threads
        known.move_to_end(key)
        if len(known) > most:
            known.popitem(last=False)


def _as_ours(loss: Loss, given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The arguments as a loss of ours takes them, and logits in the dtype of the computation: what autograd is to
    differentiate itself."""
    if type(loss).translate is not Loss.translate:
        of_mode = functools.partial(function.make_ops, mode=Mode.EAGER)
        translated = loss.translate(given["logits"], given["target"], given.get("mask"), of_mode)
        theirs = dict(zip(("logits", "target", "mask"), translated, strict=True))
        given = {name: x for name, x in {**given, **theirs}.items() if x is not None}
    logits = given["logits"]
    ops = function.make_ops(logits, loss.class_axis % logits.ndim, Mode.EAGER)
    if not ops.casts_logits:
        return given
    return {**given, "logits": ops.cast(logits, ops.compute_dtype(logits))}


def _structure(loss: Hyperparameters, arrays: list[Tensor]) -> tuple[Any, ...]:
    """All that tells a loss from others but for the arrays in it, which are put into the list."""
    found: list[Any] = [type(loss)]
    for name in loss.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(loss, name)
        if isinstance(loss, Loss) and name in loss.matrices and not isinstance(value, Tensor):
            found.append(_Itself(value))
        else:
            _add(value, found, arrays)
    return tuple(found)


def _add(value: Any, found: list[Any], arrays: list[Tensor]) -> None:
    if isinstance(value, Tensor):
        arrays.append(value)
        found.append(Tensor)
    elif isinstance(value, Hyperparameters):
        found.append(_structure(value, arrays))
    elif isinstance(value, (tuple, list)):
        found.append(len(value))
        for item in value:
            _add(item, found, arrays)
    else:
        found.extend((type(value), value))  # for 1 is equal to 1.0


class _Itself:
    """A value that is the same as itself alone, for to compare it would take long."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)


def _may_write_down() -> bool:
    """Whether a call may be done once more than asked for, and is heard: not where a graph of CUDA records it, or
    somebody has put what listens aside."""
    recorded = torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()
    return internals.is_function_seen() and not recorded


def _are_ordinary(arrays: Iterable[Tensor]) -> bool:
    """Whether they are dense tensors of no other class, and none is empty."""
    return all(
        (type(x) is Tensor or type(x) is Parameter) and x.layout is torch.strided and x.numel()
        for x in arrays
    )


def _form(x: Tensor) -> tuple[Any, ...]:
    """All that decides about operations: of kernels, it is also whether an address is a multiple of 16."""
    return x.shape, x.stride(), x.dtype, x.device, x.data_ptr() % 16


class Program:
    """What calls of one form start."""

    def __init__(self) -> None:
        self._there: Callable[..., tuple[Any, ...] | None] = _nowhere
        self._learning = threading.Lock()
        self.ways: list[Way] = []
        self.is_given_up = False
        """Whether calls cannot be written down, or go too many ways."""

    def run(
        self, loss: Loss, names: tuple[str, ...], arrays: Sequence[Tensor], *, differentiated: bool
    ) -> tuple[Any, ...] | None:
        """The way that a call with these arrays goes, and what is wanted of it; None where no way is known that has
        these outcomes of looks. From then on it is, if it can be."""
        there = self._there
        found = there(*arrays)
        # Another thread may be learning, or whoever listens to what is done here may have called once more.
        if found is None and _may_write_down() and self._learning.acquire(blocking=False):
            try:
                if self._there is there:
                    self._learn(loss, names, arrays, differentiated)
            finally:
                self._learning.release()
        return found

    def _learn(
        self, loss: Loss, names: tuple[str, ...], arrays: Sequence[Tensor], differentiated: bool
    ) -> None:
        learnt = False
        if len(self.ways) < MOST_WAYS:
            with contextlib.suppress(Unlike):
                own, way = write_down(loss, names, arrays, differentiated=differentiated)
                self._there = as_function([*self.ways, way], own)
                self.ways.append(way)
                learnt = True
        self.is_given_up = not learnt


def _nowhere(*arrays: Tensor) -> None:
    """No way is known."""


def write_down(
    loss: Loss, names: tuple[str, ...], arrays: Sequence[Tensor], *, differentiated: bool
) -> tuple[list[Value], Way]:
    """The numbers of the arrays, of which the first are arguments of these names and the rest are in the loss, and the
    way that a call goes with them."""
    arrays = [arrays[0].detach(), *arrays[1:]]
    inputs: dict[str, Any] = dict(zip(names, arrays, strict=False))
    logits, target = inputs.pop("logits"), inputs.pop("target")
    mask, sample_weight = inputs.pop("mask", None), inputs.pop("sample_weight", None)
    of_mode = functools.partial(function.make_ops, mode=Mode.EAGER)
    tape = Tape(arrays)
    own = [*map(tape.number, arrays)]
    if len({*own}) < len(own):
        raise Unlike(arrays)
    with torch.no_grad(), heard_by(tape), tape.listening():
        call = loss.prepare(logits, target, mask, sample_weight, inputs, of_mode, translated=True)
        if call.logits is not logits:
            raise Unlike(loss)
        if not differentiated:
            return own, Way(tape.steps, [tape.number(loss.value(call))])
        prepared = call.arrays()
        of_call = [*map(tape.number, prepared.values())]
        back: Back
        if call.ops.casts_logits:
            made = function.with_gradient(loss, call)
            if made is None:
                raise Unlike(loss)
            value, *kept = (tape.number(x) for x in made if x is not None)
            back, once, end = _scaled, True, len(tape.steps)
        else:
            fused = function.fused(loss, call)
            if fused is None or fused[2]:
                raise Unlike(loss)
            value, once, end = tape.number(fused[0]), False, len(tape.steps)
            upstream = torch.ones_like(fused[0])
            scale = tape.given(upstream)
            gradient = tape.number(fused[1](arrays, upstream))
            kept, back = _way_back(tape.steps[end:], of_call, scale, gradient)
    wanted = [value, *of_call[1:], *kept]
    return own, Way(tape.steps[:end], wanted, tuple(prepared), call.ops.class_axis, back, once)


def _way_back(
    steps: Sequence[Step], of_call: Sequence[Value], scale: Value, wanted: Value
) -> tuple[list[Value], Back]:
    """What has to be kept for the steps from the tensors of the call and what comes from upstream to the gradient, and
    a function of these."""
    if any(step.was is not None for step in steps) or len({*of_call}) < len(of_call):
        raise Unlike(steps)
    steps = needed(steps, {wanted})
    made = {x for step in steps for x in step.gives}
    kept = sorted({x for step in steps for x in step.read()} - {*of_call, scale, *made})
    run = as_function([Way(steps, [wanted])], [*of_call, *kept, scale])

    def back(arrays: Sequence[Tensor], kept: Sequence[Tensor], upstream: Tensor) -> Tensor:
        with function.no_autocast(arrays[0]), on_device_of(arrays[0]):
            gradient: Tensor = run(*arrays, *kept, upstream)[1]
        return gradient

    return kept, back


def _scaled(arrays: Sequence[Tensor], kept: Sequence[Tensor], upstream: Tensor) -> Tensor:
    gradient, *factors = kept
    return function.scaled(gradient, factors[0] if factors else None, upstream)
