"""The same call once more, without asking again what decides which operations it is made of.

These are the same for all calls of one form: of one loss, with arrays of the same shapes, layouts and dtypes. The
second call of a form writes them down, and the next ones start just these. On a CPU a call may look at values before it
goes on: each outcome of its looks is another way, written down when it comes up.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from seglosses_core.loss import Loss
from seglosses_torch import function, kernels
from seglosses_torch.eager import EagerOps
from seglosses_torch.kernels.launch import heard_by, on_device_of
from seglosses_torch.modes import Mode, is_transformed, mode_of
from seglosses_torch.tape import Back, Tape, Unlike, Value, Way, needed, program

MOST_FORMS = 64
"""Of one loss; then the programs are forgotten."""
MOST_WAYS = 8
"""Of one form; if there are more, its calls are made anew each time."""


def pays(logits: Tensor) -> bool:
    """Whether Python takes much of the time of a call: on a GPU, and on a CPU where arrays are small."""
    if logits.device.type == "cpu" and logits.numel() <= EagerOps.chunk_size:
        return True
    return kernels.serve_device(logits.device.type)


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
            self._by_form[form] = Program(make, tuple(given), differentiated=differentiated)
        known = self._by_form[form]
        if known is None:
            return None
        with torch.no_grad(), function.no_autocast(logits), on_device_of(logits):
            found = known.run(arrays)
        if found is None:
            if known.is_given_up:
                self._by_form[form] = None
            return None
        if not differentiated:
            return found[1]
        value: Tensor = _Replayed.apply(found, make, tuple(given), *arrays)
        return value


def _may_write_down() -> bool:
    """Whether a call may be done once more than asked for: not where a graph of CUDA records it."""
    return not (torch.cuda.is_available() and torch.cuda.is_current_stream_capturing())


def _are_ordinary(arrays: Iterable[Tensor]) -> bool:
    """Whether they are tensors of no other class, and none is empty."""
    return all((type(x) is Tensor or type(x) is Parameter) and x.numel() for x in arrays)


def _form(x: Tensor) -> tuple[Any, ...]:
    """All that decides about operations: of kernels, it is also whether an address is a multiple of 16."""
    return x.shape, x.stride(), x.dtype, x.device, x.data_ptr() % 16


class Program:
    """What calls of one form start."""

    def __init__(self, make: Callable[[], Loss], names: tuple[str, ...], *, differentiated: bool) -> None:
        self._make = make
        self._names = names
        self._differentiated = differentiated
        self._there: Callable[..., tuple[Any, ...] | None] = _nowhere
        self._learning = threading.Lock()
        self.ways: list[Way] = []
        self.is_given_up = False

    def run(self, arrays: Sequence[Tensor]) -> tuple[Any, ...] | None:
        """The way that a call with these arrays goes, the value, and what the way back needs; None where no way is
        known that has these outcomes of looks. It is then, if it can be."""
        there = self._there
        found = there(*arrays)
        if found is None:
            with self._learning:
                if self._there is there:  # and no other thread has learnt a way
                    self._learn(arrays)
        return found

    def _learn(self, arrays: Sequence[Tensor]) -> None:
        self.is_given_up = True
        if len(self.ways) == MOST_WAYS:
            return
        with contextlib.suppress(Unlike):
            own, way = write_down(self._make(), self._names, arrays, differentiated=self._differentiated)
            self._there = program([*self.ways, way], own)
            self.ways.append(way)
            self.is_given_up = False


def _nowhere(*arrays: Tensor) -> None:
    """No way is known."""


def write_down(
    loss: Loss, names: tuple[str, ...], arrays: Sequence[Tensor], *, differentiated: bool
) -> tuple[list[Value], Way]:
    """The numbers of the arrays, of which the first are the arguments of these names, and the way that the loss goes
    with them."""
    arrays = [arrays[0].detach(), *arrays[1:]]
    given, tape = dict(zip(names, arrays, strict=False)), Tape(arrays)
    own = [*map(tape.number, arrays)]
    with (
        torch.no_grad(), function.no_autocast(arrays[0]), on_device_of(arrays[0]), heard_by(tape), tape.listening()
    ):  # fmt: skip
        call = function.prepare(loss, given, Mode.EAGER)
        if not differentiated:
            return own, Way(tape.steps, [tape.number(loss.value(call))])
        if call.ops.casts_logits:
            made = function.with_gradient(loss, call)
            if made is None:
                raise Unlike(loss)
            wanted = [tape.number(x) for x in made if x is not None]
            return own, Way(tape.steps, wanted, functools.partial(_scaled, arrays[0].dtype), once=True)
        fused = function.fused(loss, call)
        if fused is None or fused[2]:
            raise Unlike(loss)
        value, to_gradient, _ = fused
        upstream, start = torch.ones_like(value), len(tape.steps)
        scale = tape.given(upstream)
        gradient = tape.number(to_gradient(upstream))
    kept, back = _way_back(tape.steps[start:], own, scale, gradient)
    return own, Way(tape.steps[:start], [tape.number(value), *kept], back)


def _way_back(
    steps: Sequence[Any], own: Sequence[Value], scale: Value, wanted: Value
) -> tuple[list[Value], Back]:
    """What has to be kept for the steps from the arrays and what comes from upstream to the gradient, and a function of
    these."""
    if any(step.was is not None for step in steps):
        raise Unlike(steps)
    steps = needed(steps, {wanted})
    made = {x for step in steps for x in step.gives}
    kept = sorted({x for step in steps for x in step.read()} - {*own, scale, *made})
    run = program([Way(steps, [wanted])], [*own, *kept, scale])

    def back(arrays: Sequence[Tensor], kept: Sequence[Tensor], upstream: Tensor) -> Tensor:
        gradient: Tensor = run(*arrays, *kept, upstream)[1]
        return gradient

    return kept, back


def _scaled(dtype: torch.dtype, arrays: Sequence[Tensor], kept: Sequence[Tensor], upstream: Tensor) -> Tensor:
    gradient, *factors = kept
    return function.scaled(gradient, factors[0] if factors else None, upstream, dtype)


class _Replayed(torch.autograd.Function):
    """A value and its gradient by a program. Where that is to be differentiated again, or transformed, or what was kept
    is gone, it is made anew by operations that autograd can follow."""

    @staticmethod
    def forward(
        ctx: Any, found: tuple[Any, ...], make: Callable[[], Loss], names: tuple[str, ...], *arrays: Tensor
    ) -> Tensor:
        way, value, *ctx.kept = found
        ctx.way, ctx.make, ctx.names = way, make, names
        ctx.save_for_backward(*arrays[: len(names)])
        ctx.constants = arrays[len(names) :]
        detached: Tensor = value.detach()  # which will hold ctx, and the way back may hold the value
        return detached

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        arrays, kept = ctx.saved_tensors, ctx.kept
        if torch.is_grad_enabled() or is_transformed(upstream) or kept is None:
            given = dict(zip(ctx.names, arrays, strict=True))
            gradient = function.differentiable(ctx.make(), given, upstream)
        else:
            if ctx.way.once:
                ctx.kept = None
            with function.no_autocast(arrays[0]), on_device_of(arrays[0]):
                gradient = ctx.way.back([*arrays, *ctx.constants], kept, upstream)
        return None, None, None, gradient, *(None,) * (len(arrays) - 1 + len(ctx.constants))
