"""The value of a loss of the core on tensors, and its derivative as a `torch.autograd.Function`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seglosses_core.call import Call
from seglosses_core.checks import describe
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops
from seglosses_core.statistics import Statistics
from seglosses_torch import internals, kernels
from seglosses_torch.compiled import CompiledOps
from seglosses_torch.distributed import is_distributed, of_this_process, with_gradient_scaled
from seglosses_torch.eager import EagerOps
from seglosses_torch.modes import Mode, is_transformed, mode_of
from seglosses_torch.operations import TorchOps


def evaluate(
    loss: Loss,
    logits: Tensor,
    target: Tensor,
    mask: Tensor | None = None,
    sample_weight: Tensor | None = None,
    *,
    by_formula: bool = False,
    totals: Statistics | None = None,
    **inputs: Tensor | None,
) -> Tensor:
    """The value of a loss of the core, by the path that is right for what is asked of it.

    Half precision goes to float32 first, so that the upstream gradient is multiplied in before the gradient is rounded.
    """
    if not isinstance(logits, Tensor):
        raise TypeError(f"logits must be a torch array, got {describe(logits)}.")
    given = {"logits": logits, "target": target, "mask": mask, "sample_weight": sample_weight, **inputs}
    constants = loss.arrays()
    if is_distributed(logits):
        if loss.reduction == "none":
            raise TypeError(
                "logits must be a tensor of one process for reduction='none', got a DTensor; pass logits.to_local(),"
                " the part of this process."
            )
        loss, own, everywhere = of_this_process(loss, given)
        return everywhere(evaluate(loss, **own, by_formula=by_formula, totals=totals))
    for name, value in (*given.items(), *constants):
        if is_distributed(value):
            raise TypeError(
                f"{name} must be a tensor of one process, got a DTensor beside logits that are none, {describe(value)}"
                f" with placements {value.placements}."
            )
    mode = Mode.FORMULA if by_formula else _mode(loss, logits, given, constants)
    of_mode = functools.partial(make_ops, mode=mode)
    with loss.announced(logits), no_autocast(logits):
        call = loss.prepare(logits, target, mask, sample_weight, inputs, of_mode, totals=totals)
        if torch.is_grad_enabled() and logits.requires_grad and mode is not Mode.FORMULA:
            value = _differentiated(loss, call, mode, totals)
            if value is not None:
                return value if logits.numel() else value + 0 * logits.sum()
            call = loss.prepare(logits, target, mask, sample_weight, inputs, make_ops, totals=totals)
        value = loss.value(call)
        return value if totals is not None else _with_gradients_of(loss, value, logits)


def _with_gradients_of(loss: Loss, value: Tensor, logits: Tensor) -> Tensor:
    """A value that autograd differentiates, with the gradient that its parts are to have."""
    if loss._across is None or not value.requires_grad:
        return value
    value = value if logits.numel() else value + 0 * logits.sum()
    added = [group.size() // (group.factor or 1) for group in loss._across.groups()]
    return value if math.prod(added) == 1 else with_gradient_scaled(value, 1 / math.prod(added))


def _mode(loss: Loss, logits: Tensor, given: dict[str, Any], constants: list[tuple[str, Tensor]]) -> Mode:
    others = [x for name, x in given.items() if name != "logits" and isinstance(x, Tensor)]
    mode = mode_of(logits, others, [x for _, x in constants], none=loss.reduction == "none")
    if loss.kept is not None and mode is Mode.TRANSFORMED:
        return Mode.FORMULA  # for nothing may come out of a `torch.autograd.Function` by the side
    return mode


def make_ops(logits: Tensor, axis: int, mode: Mode = Mode.FORMULA) -> Ops:
    if mode is Mode.EAGER:
        return eager_operations(logits, axis)(axis, logits.ndim)
    if mode is Mode.COMPILED and kernels.serve(logits, axis):
        from seglosses_torch.fused import CompiledFusedOps

        return CompiledFusedOps(axis, logits.ndim)
    return (CompiledOps if torch.compiler.is_compiling() else TorchOps)(axis, logits.ndim)


def eager_operations(logits: Tensor, class_axis: int) -> type[EagerOps]:
    if not kernels.serve(logits, class_axis):
        return EagerOps
    from seglosses_torch.fused import FusedOps

    return FusedOps


def _differentiated(loss: Loss, call: Call, mode: Mode, totals: Statistics | None) -> Tensor | None:
    """The value with the derivative by hand; None if the loss has none."""
    arrays = call.arrays()
    kept = Kept(loss, tuple(arrays), call.ops.class_axis, totals, call.ops.parts.empty)
    if mode is Mode.TRANSFORMED:
        return _Transformed.apply(kept, *arrays.values())
    detached = call.replaced({"logits": call.logits.detach()})
    if mode is Mode.EAGER:
        with torch.no_grad():
            made = _value_with_back(loss, detached)
        return None if made is None else Made.apply(kept, made, *arrays.values())
    if not call.ops.casts_logits:
        return _attached_to_kernels(loss, call.logits, detached)
    with torch.no_grad():
        attached = with_gradient(loss, detached)
    return None if attached is None else _Attached.apply(call.logits, *attached[:2])


def _attached_to_kernels(loss: Loss, logits: Tensor, call: Call) -> Tensor | None:
    """The value with the pass that makes the gradient, or with the gradient where that takes more than one."""
    from seglosses_torch.fused import only_way_back
    from seglosses_torch.kernels import in_graphs

    with torch.no_grad():
        value, shared, back = loss.value_and_cotangents(call)
        if back is None:
            return None
        ops: Any = call.ops
        ops.value = value
        cotangents = back(torch.ones_like(value))
        way = only_way_back(shared, cotangents)
        gradient = shared.gradients(cotangents)["logits"] if way is None else None
    if way is None:
        return _Attached.apply(logits, value, gradient)
    return in_graphs.attached(logits, value, *way.form(), *way.tensors())


@dataclasses.dataclass
class Kept:
    """What backward must know of a call beside its tensors."""

    loss: Loss
    names: tuple[str, ...]
    """Of the arguments that are tensors, logits first."""
    class_axis: int
    totals: Statistics | None
    empty: bool

    def call(self, arrays: Sequence[Tensor], operations: type[TorchOps]) -> Call:
        ops = operations(self.class_axis, arrays[0].ndim)
        ops.parts = self.loss.parts_in(ops, self.totals)
        if self.empty:
            ops.parts.empty = True
        given = dict(zip(self.names, arrays, strict=True))
        if ops.casts_logits:
            given["logits"] = ops.cast(given["logits"], ops.compute_dtype(given["logits"]))
        return Call.of(given, ops)


def with_gradient(loss: Loss, call: Call) -> tuple[Tensor, Tensor, Tensor | None] | None:
    """The value, its gradient in the logits' memory format, and a factor that is still to be multiplied into that; None
    where there is no derivative by hand."""
    value, gradients = loss.value_and_gradients(call)
    if gradients is None:
        return None
    gradient, logits = gradients.arrays["logits"], call.logits
    if gradient.stride() != logits.stride():
        gradient = torch.empty_like(logits, dtype=gradient.dtype).copy_(gradient)
    return value, gradient, gradients.factor


Back = Callable[[Sequence[Tensor], Tensor], Tensor]
"""From the tensors of the call and what comes from upstream to the gradient of the logits."""


def _value_with_back(loss: Loss, call: Call) -> tuple[Tensor, Back, bool] | None:
    """The value, the way back from it, and whether that can be gone once alone; None where there is no derivative by
    hand."""
    return (_made if call.ops.casts_logits else fused)(loss, call)


def _made(loss: Loss, call: Call) -> tuple[Tensor, Back, bool] | None:
    """The gradient is made with the value, in place."""
    made = with_gradient(loss, call)
    if made is None:
        return None
    value, gradient, factor = made
    return value, lambda _, upstream: scaled(gradient, factor, upstream), True


def scaled(gradient: Tensor, factor: Tensor | None, upstream: Tensor) -> Tensor:
    """What `with_gradient` gives times what comes from upstream; overwrites it."""
    scale = upstream if factor is None else upstream * factor
    if scale.device.type != "cpu" or scale.item() != 1:
        gradient.mul_(scale)
    return gradient


def fused(loss: Loss, call: Call) -> tuple[Tensor, Back, bool] | None:
    """The gradient is made by kernels that read the logits again; where something of the logits' size would have to be
    kept, it is made now."""
    value, to_arguments = loss.value_and_back(call)
    if to_arguments is None:
        return None
    ops: Any = call.ops
    ops.value = value

    def back(_: Sequence[Tensor], upstream: Tensor) -> Tensor:
        gradient = to_arguments(upstream)["logits"]
        if gradient.stride() != call.logits.stride() or gradient.dtype != call.logits.dtype:
            gradient = torch.empty_like(call.logits).copy_(gradient)
        return gradient

    if not ops.materialised:
        return value, back, False
    gradient = to_arguments(torch.ones_like(value))["logits"]
    return value, lambda _, upstream: torch.empty_like(call.logits).copy_(gradient.mul_(upstream)), True


class Made(torch.autograd.Function):
    """A value with its way back. Where it is to be differentiated again, or transformed, the gradient is made anew from
    the logits by operations that autograd can follow."""

    @staticmethod
    def forward(ctx: Any, kept: Kept, made: tuple[Tensor, Back, bool], *arrays: Tensor) -> Tensor:
        ctx.kept = kept
        ctx.save_for_backward(*arrays)
        value, ctx.back, ctx.once = made
        return value.detach()  # what is returned will hold ctx, and the way back may hold the value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        arrays, kept = ctx.saved_tensors, ctx.kept
        nothing = (None,) * (len(arrays) - 1)
        if torch.is_grad_enabled() or is_transformed(upstream):
            return None, None, _differentiable(kept, arrays, upstream), *nothing
        back = ctx.back
        if back is None:
            again = _value_with_back(
                kept.loss, kept.call(arrays, eager_operations(arrays[0], kept.class_axis))
            )
            assert again is not None
            back = again[1]
        if ctx.once:
            ctx.back = None
        return None, None, back(arrays, upstream), *nothing


class _Transformed(torch.autograd.Function):
    """The same under the transformations of `torch.func`, which ask for the context apart."""

    generate_vmap_rule = True

    @staticmethod
    def forward(kept: Kept, *arrays: Tensor) -> Tensor:
        return kept.loss.value(kept.call(arrays, TorchOps))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.kept, *arrays = inputs
        ctx.save_for_backward(*arrays)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        arrays = ctx.saved_tensors
        return None, _differentiable(ctx.kept, arrays, upstream), *(None,) * (len(arrays) - 1)


class _Attached(torch.autograd.Function):
    """A value with its gradient, for a compiler, which has both passes before it and decides what is computed in which
    of them. It does not differentiate twice."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        ctx.dtype = logits.dtype
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return (gradient * upstream).to(ctx.dtype), None, None


def _differentiable(kept: Kept, arrays: Sequence[Tensor], upstream: Tensor) -> Tensor:
    """What backward returns, as operations that can be differentiated and transformed."""
    call = kept.call(arrays, TorchOps)
    _, gradients = kept.loss.value_and_gradients(call)
    if gradients is not None:
        return gradients.times(upstream, call.ops)["logits"].to(arrays[0].dtype)
    back = torch.func.vjp(lambda logits: kept.loss.value(call.replaced({"logits": logits})), call.logits)[1]
    return back(upstream)[0].to(arrays[0].dtype)


def no_autocast(logits: Tensor) -> Any:
    device = logits.device.type
    if internals.has_autocast(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()
