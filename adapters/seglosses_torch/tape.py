"""What a call does with its arrays, written down operation by operation, and made a function of them.

A call may look at bools before it goes on: then it goes one way or another, and the function asks again.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from seglosses_torch import internals
from seglosses_torch.kernels.launch import Start

MOST_STEPS = 1000
"""Of one way: what is longer takes too long to write down."""

aten = torch.ops.aten
_LEAVING = {Tensor.numpy, Tensor.tolist, Tensor.__array__, Tensor.__dlpack__}
"""What takes values to where no operation of PyTorch follows them."""


class Unlike(Exception):
    """Another call may need other operations, or more memory than without a program."""


class Value(NamedTuple):
    """What a step gives, or a program is given, by its number."""

    number: int


class Step(NamedTuple):
    """An operation, the start of a kernel, or a look. Arguments that are arrays are the `Value`s of earlier steps."""

    start: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    gives: tuple[Value, ...]
    several: bool
    """Whether it gives a sequence."""
    acts: bool
    """Whether it does something beside what it gives: overwrites an array, or decides what follows."""
    was: bool | None = None
    """Of a look at a bool what it was, on which what follows may depend."""

    def read(self) -> set[Value]:
        return {x for x in _leaves((self.arguments, *self.options.values())) if isinstance(x, Value)}


class Way(NamedTuple):
    """One way of a program: its steps, what they are to give, and the way back."""

    steps: Sequence[Step]
    wanted: Sequence[Value]
    """The value; where it is differentiated, the further tensors of the prepared call, and what else is kept."""
    names: Sequence[str] = ()
    """Of the tensors of the call, logits first."""
    class_axis: int = 1
    back: Back | None = None
    once: bool = False
    """Whether the way back overwrites what is kept."""


Back = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor], Tensor]
"""From the tensors of the call, what else was kept, and what comes from upstream, to the gradient."""


class Tape(internals.DispatchMode):
    """Writes down what is done with some arrays. What does not depend on them is done once."""

    def __init__(self, given: Iterable[Tensor]) -> None:
        super().__init__()
        self.steps: list[Any] = []
        self._is_aside = False
        self._numbers = itertools.count()
        # The number of an array; None where it is always the same.
        self._known: Any = WeakTensorKeyDictionary()
        for x in given:
            self.given(x)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        with self, _Leaving():
            yield

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        found = operation(*args, **kwargs)
        if self._is_aside:
            return found
        read = [x for x in _leaves((args, *kwargs.values())) if isinstance(x, Tensor)]
        results = [x for x in _leaves(found) if isinstance(x, Tensor)]
        if operation is aten._local_scalar_dense.default and self._looks(read[0], found):
            return found
        if _decides(operation, read) or any(
            x.device.type == "cpu" != y.device.type for x in results for y in read
        ):
            raise Unlike(operation)
        constant = [x for x in read if self._known.get(x) is None]
        if any(self._known.get(x) is None for x in _overwritten(operation, args, kwargs)):
            raise Unlike(operation)
        # What does not depend on what is given has no number; nor has the 1 that a way back begins with.
        if (read and len(constant) == len(read)) or (operation is aten.ones_like.default and not found.ndim):
            return found
        several = not isinstance(found, Tensor)
        arguments, options = self.valued(args), {name: self.valued(x) for name, x in kwargs.items()}
        gives = tuple(map(self.given, results))
        start = _binding(operation, args, kwargs)
        self.steps.append(Step(start, arguments, options, gives, several, operation._schema.is_mutable))
        if len(self.steps) > MOST_STEPS:
            raise Unlike(operation)
        return found

    def _looks(self, x: Tensor, found: Any) -> bool:
        """Whether it is a look at a bool that costs nothing."""
        if x.device.type != "cpu" or x.dtype != torch.bool:
            return False
        if self._known.get(x) is not None:
            self.steps.append(Step(Tensor.item, (self.number(x),), {}, (), False, True, found))
        return True

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        self._is_aside = True
        yield
        self._is_aside = False

    def start(self, start: Start, arguments: tuple[Any, ...]) -> None:
        """Of a kernel, which writes into some of its arguments."""
        self.steps.append(Step(start, self.valued(arguments), {}, (), True, True))

    def valued(self, x: Any) -> Any:
        """Arguments with numbers in place of arrays."""
        if isinstance(x, Tensor):
            return x if self._known.get(x) is None else self._known[x]
        return type(x)(map(self.valued, x)) if type(x) in (tuple, list) else x

    def number(self, x: Tensor) -> Value:
        """Of an array that depends on what is given."""
        if self._known.get(x) is None:
            raise Unlike(x)
        value: Value = self._known[x]
        return value

    def given(self, x: Tensor) -> Value:
        """The number of an array that is given from here on, or made; the old one if it has been overwritten."""
        if self._known.get(x) is None:
            self._known[x] = Value(next(self._numbers))
        return self.number(x)


class _Leaving(TorchFunctionMode):
    """Sees to it that values go nowhere where they would not be followed."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if function in _LEAVING:
            raise Unlike(function)
        return function(*args, **(kwargs or {}))


def _decides(operation: Any, read: Iterable[Tensor]) -> bool:
    """Whether what an operation gives may decide what follows."""
    if not {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}.intersection(operation.tags):
        return False
    if operation is aten.index.Tensor:
        return any(x.dtype in (torch.bool, torch.uint8) for x in read)  # which pick, by masks
    # Labels have been looked at before they are counted, and so there are as many counts as asked for.
    return operation is not aten.bincount.default


def _overwritten(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[Any]:
    """Those of the arguments that an operation writes into."""
    for i, argument in enumerate(operation._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            yield args[i] if i < len(args) else kwargs[argument.name]


def _binding(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What starts an operation in less time than `torch.ops` takes, with the same arguments; else the operation."""
    name, same = operation.overloadpacket.__name__, operation
    if operation is aten._to_copy.default:
        name, same = "to", aten.to.dtype
    found = internals.binding(name)
    if found is None:
        return operation
    if operation._schema.is_mutable:
        args = tuple(x.clone() if isinstance(x, Tensor) else x for x in args)
        kwargs = {name: x.clone() if isinstance(x, Tensor) else x for name, x in kwargs.items()}
    heard = _Heard()
    with contextlib.suppress(Exception), heard:  # of one that takes other arguments
        found(*args, **kwargs)
    return found if heard.operations == [same] else operation


class _Heard(internals.DispatchMode):
    """Hears which operations are started."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Any] = []

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.operations.append(operation)
        return operation(*args, **(kwargs or {}))


def needed(steps: Sequence[Step], wanted: Iterable[Value]) -> list[Step]:
    """The steps without those whose results nothing needs."""
    found, used = [], set(wanted)
    for step in reversed(steps):
        if step.acts or used.intersection(step.gives):
            found.append(step)
            used |= step.read()
    return found[::-1]


def as_function(ways: Sequence[Way], given: Sequence[Value]) -> Callable[..., Any]:
    """The ways as a function of what is given, which keeps nothing for longer than it is needed. It returns the way
    that it goes and what is wanted of that; None where a look has an outcome that it has in none of them."""
    constants: dict[str, Any] = {}

    def text(x: Any) -> str:
        if isinstance(x, Value):
            return f"x{x.number}"
        if type(x) in (tuple, list) and any(isinstance(y, Value) for y in _leaves(x)):
            inner = "".join(f"{text(y)}, " for y in x)
            return f"({inner})" if type(x) is tuple else f"[{inner}]"
        constants[f"c{len(constants)}"] = x
        return f"c{len(constants) - 1}"

    def line(step: Step) -> str:
        arguments = [*map(text, step.arguments), *(f"{name}={text(x)}" for name, x in step.options.items())]
        call = f"{text(step.start)}({', '.join(arguments)})"
        if step.was is not None:
            return f"if {call} is not {step.was}: return None"
        left = "".join(f"{text(x)}, " for x in step.gives) if step.several else text(*step.gives)
        return f"{left} = {call}" if step.gives else call

    def let_go(values: set[Value]) -> list[str]:
        return [f"del {', '.join(map(text, sorted(values)))}"] if values else []

    def block(together: Sequence[Way], start: int) -> tuple[list[str], set[Value]]:
        """The lines of ways that have gone together up to here, and what they need."""
        steps = together[0].steps
        end = next((i for i in range(start, len(steps)) if _part(together, i)), len(steps))
        if end < len(steps):
            (first, needs_first), (second, needs_second) = (
                block([way for way in together if way.steps[end].was is was], end + 1)
                for was in (True, False)
            )
            (at,) = steps[end].read()
            used = {at, *needs_first, *needs_second}
            first, second = [*let_go(used - needs_first), *first], [*let_go(used - needs_second), *second]
            after = [f"if {text(at)}.item():", *(f"    {x}" for x in first), *second]
        else:
            (way,) = together
            used = {*way.wanted}
            after = [f"return {text(way)}, {''.join(f'{text(x)}, ' for x in way.wanted)}"]
        lines = []
        for step in reversed(needed(steps[start:end], used)):
            lines += [*let_go({*step.read(), *step.gives} - used), line(step)]
            used = used.difference(step.gives) | step.read()
        return [*reversed(lines), *after], used

    head = f"def run({', '.join(map(text, given))}):"
    lines, _ = block(ways, 0)
    exec("\n".join([head, *(f"    {x}" for x in lines)]), constants)
    run: Callable[..., Any] = constants.pop("run")
    return run


def _part(ways: Sequence[Way], place: int) -> bool:
    """Whether ways that have gone together look at something that was not the same for all."""
    steps = [way.steps[place] for way in ways]
    if any((step.read(), step.gives) != (steps[0].read(), steps[0].gives) for step in steps):
        raise Unlike(steps)
    return len({step.was for step in steps}) > 1


def _leaves(x: Any) -> Iterator[Any]:
    if type(x) in (tuple, list):
        for y in x:
            yield from _leaves(y)
    else:
        yield x
