"""The same call once more, without asking again what decides which operations it is made of.

On a GPU these are the same for all calls of one form: of one loss, with arrays of the same shapes, layouts and dtypes.
The second call of a form writes them down, there and back, and the next ones start just these.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from seglosses_core.loss import Loss
from seglosses_torch import function
from seglosses_torch.kernels.launch import Start, heard_by, on_device_of
from seglosses_torch.modes import Mode, is_transformed, mode_of

MOST_FORMS = 64
"""Of one loss; then the programs are forgotten."""
_UNKNOWN = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""Of operations whose result may decide what follows."""


class Programs:
    """Those of a module, by the form of the call. A copy starts anew."""

    def __init__(self) -> None:
        self._by_form: dict[Any, Program | None] = {}
        self._seen: set[Any] = set()

    def __reduce__(self) -> tuple[type[Programs], tuple[()]]:
        return Programs, ()

    def value(
        self, make: Callable[[], Loss], given: Mapping[str, Tensor], constants: Sequence[Tensor]
    ) -> Tensor | None:
        """That of the loss which is made, with arrays as arguments and others in its hyper-parameters; None where no
        program gives it."""
        # Losses may share a hyper-parameter.
        shared, constants = tuple(map(id, constants)), tuple({id(x): x for x in constants}.values())
        arrays = (*given.values(), *constants)
        logits = arrays[0]
        if len(set(map(id, arrays))) < len(arrays):
            return None
        if not _are_ordinary(arrays) or mode_of(logits, arrays[1:], (), none=False) is not Mode.EAGER:
            return None
        differentiated = torch.is_grad_enabled() and logits.requires_grad
        sharing = shared if len(constants) < len(shared) else ()
        form = (differentiated, *given, *map(_form, arrays), *sharing)
        if form not in self._by_form:
            if form not in self._seen or not _may_write_down():
                if len(self._seen) == MOST_FORMS:
                    self._seen.clear()
                    self._by_form.clear()
                self._seen.add(form)
                return None
            self._by_form[form] = None
            with contextlib.suppress(Unlike):
                self._by_form[form] = write_down(make(), tuple(given), arrays, differentiated=differentiated)
        program = self._by_form[form]
        if program is None:
            return None
        if differentiated:
            found: Tensor = _Replayed.apply(program, make, tuple(given), *arrays)
            return found
        with torch.no_grad(), function.no_autocast(logits), on_device_of(logits):
            return program.there(*arrays)[0]


def _may_write_down() -> bool:
    """Whether a call may be done once more than asked for: not where a graph of CUDA records it."""
    return not (torch.cuda.is_available() and torch.cuda.is_current_stream_capturing())


def _are_ordinary(arrays: Iterable[Tensor]) -> bool:
    """Whether they are tensors of no other class, and none is empty."""
    return all((type(x) is Tensor or type(x) is Parameter) and x.numel() for x in arrays)


def _form(x: Tensor) -> tuple[Any, ...]:
    """All that decides about operations: of kernels, it is also whether an address is a multiple of 16."""
    return x.shape, x.stride(), x.dtype, x.device, x.data_ptr() % 16


class Program(NamedTuple):
    """What calls of one form start."""

    there: Callable[..., tuple[Tensor, ...]]
    """From the arrays to the value and what the way back needs of what was made."""
    back: Callable[..., tuple[Tensor, ...]]
    """From the arrays, what was kept, and what comes from upstream, to the gradient."""


def write_down(
    loss: Loss, names: tuple[str, ...], arrays: Sequence[Tensor], *, differentiated: bool
) -> Program | None:
    """The program of a loss with arrays, the first as the arguments of these names. None where another call may need
    other operations, or where more than a few maps would be kept."""
    arrays = [arrays[0].detach(), *arrays[1:]]
    given, tape = dict(zip(names, arrays, strict=False)), Tape(arrays)
    with (
        torch.no_grad(), function.no_autocast(arrays[0]), on_device_of(arrays[0]), heard_by(tape), tape
    ):  # fmt: skip
        call = function.prepare(loss, given, Mode.EAGER)
        if call.ops.casts_logits:
            return None
        made = function.fused(loss, call) if differentiated else (loss.value(call), None, False)
        if made is None or made[2]:
            return None
        value, to_gradient, _ = made
        upstream = torch.ones_like(value)
        start = len(tape.steps)
        gradients = [] if to_gradient is None else [to_gradient(upstream)]
    there, back = tape.steps[:start], needed(tape.steps[start:], map(tape.valued, gradients))
    own, from_upstream = [*map(tape.valued, arrays)], tape.valued(upstream)
    made_back = {x for step in back for x in step.gives}
    kept = sorted({x for step in back for x in step.read()} - {*own, from_upstream, *made_back})
    wanted = [tape.valued(value), *kept]
    return Program(
        program(needed(there, wanted), own, wanted),
        program(back, [*own, *kept, from_upstream], [*map(tape.valued, gradients)]),
    )


class _Replayed(torch.autograd.Function):
    """A value and its gradient by a program. Where that is to be differentiated again, or transformed, it is made anew
    by operations that autograd can follow."""

    @staticmethod
    def forward(
        ctx: Any, program: Program, make: Callable[[], Loss], names: tuple[str, ...], *arrays: Tensor
    ) -> Tensor:
        ctx.program, ctx.make, ctx.names = program, make, names
        ctx.save_for_backward(*arrays[: len(names)])
        ctx.constants = arrays[len(names) :]
        with function.no_autocast(arrays[0]), on_device_of(arrays[0]):
            value, *ctx.kept = program.there(*arrays)
        return value.detach()  # which will hold ctx, and the way back may hold the value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        arrays = ctx.saved_tensors
        if torch.is_grad_enabled() or is_transformed(upstream):
            gradient = function.differentiable(
                ctx.make(), dict(zip(ctx.names, arrays, strict=True)), upstream
            )
        else:
            with function.no_autocast(arrays[0]), on_device_of(arrays[0]):
                (gradient,) = ctx.program.back(*arrays, *ctx.constants, *ctx.kept, upstream)
        return None, None, None, gradient, *(None,) * (len(arrays) - 1 + len(ctx.constants))


class Value(NamedTuple):
    """What a step gives, or a program is given, by its number."""

    number: int


class Step(NamedTuple):
    """An operation, or the start of a kernel. Arguments that are arrays are the `Value`s of earlier steps."""

    start: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    gives: tuple[Value, ...]
    several: bool
    """Whether it gives a sequence."""
    overwrites: bool

    def read(self) -> set[Value]:
        return {x for x in _leaves((self.arguments, *self.options.values())) if isinstance(x, Value)}


class Unlike(Exception):
    """Another call of the form may need other operations."""


class Tape(TorchDispatchMode):
    """Writes down what is done with some arrays. What does not depend on them is done once."""

    def __init__(self, given: Iterable[Tensor]) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._is_aside = False
        self._numbers = itertools.count()
        # The value of an array; None where it is always the same.
        self._known: Any = WeakTensorKeyDictionary()
        for x in given:
            self._new(x)

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        found = operation(*args, **kwargs)
        if self._is_aside:
            return found
        overwrites = operation._schema.is_mutable
        read = [x for x in _leaves((args, *kwargs.values())) if isinstance(x, Tensor)]
        results = [x for x in _leaves(found) if isinstance(x, Tensor)]
        if _UNKNOWN & set(operation.tags) or any(
            x.device.type == "cpu" != y.device.type for x in results for y in read
        ):
            raise Unlike(operation)
        constant = [x for x in read if self._known.get(x) is None]
        if overwrites and constant:
            raise Unlike(operation)
        if read and len(constant) == len(read):
            return found  # and what does not depend on what is given has no number
        several = not isinstance(found, Tensor)
        arguments, options = self.valued(args), {name: self.valued(x) for name, x in kwargs.items()}
        gives = tuple(self._new(x) for x in results)
        self.steps.append(Step(operation, arguments, options, gives, several, overwrites))
        return found

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        self._is_aside = True
        yield
        self._is_aside = False

    def start(self, start: Start, arguments: tuple[Any, ...]) -> None:
        """Of a kernel, which writes into some of its arguments."""
        self.steps.append(Step(start, self.valued(arguments), {}, (), True, True))

    def valued(self, x: Any) -> Any:
        """Arguments with values in place of arrays."""
        if isinstance(x, Tensor):
            return x if self._known.get(x) is None else self._known[x]
        return type(x)(map(self.valued, x)) if type(x) in (tuple, list) else x

    def _new(self, x: Tensor) -> Value:
        if self._known.get(x) is None:
            self._known[x] = Value(next(self._numbers))
        value: Value = self._known[x]
        return value


def needed(steps: Sequence[Step], wanted: Iterable[Value]) -> list[Step]:
    """The steps without those whose results nothing needs."""
    found, used = [], set(wanted)
    for step in reversed(steps):
        if step.overwrites or used.intersection(step.gives):
            found.append(step)
            used |= step.read()
    return found[::-1]


def program(steps: Sequence[Step], given: Sequence[Value], wanted: Sequence[Value]) -> Callable[..., Any]:
    """The steps as a function of some values that returns others, and keeps nothing for longer than it is needed."""
    constants: dict[str, Any] = {}

    def text(x: Any) -> str:
        if isinstance(x, Value):
            return f"x{x.number}"
        if type(x) in (tuple, list) and any(isinstance(y, Value) for y in _leaves(x)):
            inner = "".join(f"{text(y)}, " for y in x)
            return f"({inner})" if type(x) is tuple else f"[{inner}]"
        constants[f"c{len(constants)}"] = x
        return f"c{len(constants) - 1}"

    lines, used = [], set(wanted)
    for step in reversed(steps):
        read = step.read()
        if done := {*read, *step.gives} - used:
            lines.append(f"    del {', '.join(map(text, sorted(done)))}")
        used |= read
        arguments = [*map(text, step.arguments), *(f"{name}={text(x)}" for name, x in step.options.items())]
        call = f"{text(step.start)}({', '.join(arguments)})"
        left = "".join(f"{text(x)}, " for x in step.gives) if step.several else text(*step.gives)
        lines.append(f"    {left} = {call}" if step.gives else f"    {call}")
    head = f"def run({', '.join(map(text, given))}):"
    exec("\n".join([head, *reversed(lines), f"    return {text(tuple(wanted))}"]), constants)
    run: Callable[..., Any] = constants["run"]
    return run


def _leaves(x: Any) -> Iterator[Any]:
    if type(x) in (tuple, list):
        for y in x:
            yield from _leaves(y)
    else:
        yield x
