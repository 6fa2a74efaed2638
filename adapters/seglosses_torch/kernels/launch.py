"""The start of a kernel: on the device of its tensors, and told to whoever records what a call starts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

Start = Callable[..., None]
"""Starts one kernel, with one grid and one set of options, for given arguments."""


class Listener(Protocol):
    def aside(self) -> contextlib.AbstractContextManager[None]:
        """In which a kernel is started: what its interpreter does is not to be listened to."""

    def start(self, start: Start, arguments: tuple[Any, ...]) -> None:
        """Is told of each kernel how it can be started again, and with what arguments."""


_heard_by = threading.local()


@contextlib.contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Tells a listener of all kernels that this thread starts."""
    _heard_by.listener = listener
    try:
        yield
    finally:
        del _heard_by.listener


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
    """`kernel[grid](*arguments, **options)`; the first argument is a tensor."""
    listener: Listener | None = getattr(_heard_by, "listener", None)
    with on_device_of(arguments[0]), listener.aside() if listener else contextlib.nullcontext():
        compiled = kernel[grid](*arguments, **options)
    if listener:
        listener.start(_again(kernel, grid, compiled, len(arguments), options), arguments)


def on_device_of(tensor: Tensor) -> contextlib.AbstractContextManager[Any]:
    """In which kernels start where a tensor lies: Triton takes the current device."""
    if tensor.device.type != "cuda" or tensor.device.index == torch.cuda.current_device():
        return contextlib.nullcontext()
    return torch.cuda.device(tensor.device)


def _again(kernel: Any, grid: tuple[int, ...], compiled: Any, given: int, options: dict[str, Any]) -> Start:
    """What was compiled, without a look at what else would have to be: for the same shapes, layouts and dtypes."""
    if compiled is None:  # by the interpreter
        return lambda *arguments: kernel[grid](*arguments, **options)
    constants = [options[name] for name in kernel.arg_names[given:]]
    run = compiled[(*grid, 1, 1)[:3]]
    return lambda *arguments: run(*arguments, *constants)
