"""What is asked of torch under names that are private, or that not every release since 2.4 has: here alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.autograd import forward_ad
from torch.fx.experimental import proxy_tensor
from torch.utils._python_dispatch import TorchDispatchMode

_get_proxy_mode = getattr(proxy_tensor, "get_proxy_mode", None) or proxy_tensor.get_innermost_proxy_mode
"""The former since torch 2.5."""

F = TypeVar("F", bound=Callable[..., Any])


def is_exporting() -> bool:
    """Whether `torch.export` is at work; before torch 2.7, which cannot tell, False."""
    return hasattr(torch.compiler, "is_exporting") and torch.compiler.is_exporting()


def is_recorded() -> bool:
    """Whether a tracer, `torch.jit.trace` or `make_fx`, records each operation on real tensors."""
    return torch.jit.is_tracing() or _get_proxy_mode() is not None


def is_forward_mode() -> bool:
    """Whether tangents are carried along."""
    return forward_ad._current_level >= 0


def is_under_transforms() -> bool:
    """Whether a transformation of `torch.func` is at work."""
    return torch._C._are_functorch_transforms_active()


def is_wrapped(tensor: Tensor) -> bool:
    """Whether a transformation of `torch.func` has a tensor."""
    return torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def is_batched(tensor: Tensor) -> bool:
    """Whether autograd computes several gradients at once with a tensor."""
    return torch._C._functorch.is_legacy_batchedtensor(tensor)


def is_fake(tensor: Tensor) -> bool:
    """Whether a tensor has no values to look at, be it on a device."""
    return isinstance(tensor, FakeTensor)


def constant_result(function: F) -> F:
    """What `torch.compiler.assume_constant_result` does to a function, without the compiler, which that imports: it
    takes seconds, brings Triton along, and beside TensorFlow it may end the process."""
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


class DispatchMode(TorchDispatchMode):
    """A `TorchDispatchMode` that does not import the compilers, which would not follow it."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


def is_function_seen() -> bool:
    """Whether a `TorchFunctionMode` would see what is called; before torch 2.5, which cannot tell, True."""
    return not getattr(torch._C, "_is_torch_function_all_disabled", bool)()


def binding(name: str) -> Any:
    """PyTorch's own binding of an operation for Python, a function or a method; None if there is none."""
    return getattr(torch._C._VariableFunctions, name, None) or getattr(torch._C.TensorBase, name, None)


_HAVE_AUTOCAST = {device: torch.amp.is_autocast_available(device) for device in ("cpu", "cuda")}
"""Asked beforehand: the compilers of torch 2.8 and before do not know the question, and that of 2.4 warns of it."""


@constant_result
def has_autocast(device: str) -> bool:
    """Whether autocast knows a type of devices."""
    known = _HAVE_AUTOCAST.get(device)
    return torch.amp.is_autocast_available(device) if known is None else known


def distributed_tensors() -> Any:
    """The module that has DTensor; it has a public name since torch 2.5."""
    from torch.distributed import tensor

    if hasattr(tensor, "DTensor"):
        return tensor
    from torch.distributed import _tensor

    return _tensor
