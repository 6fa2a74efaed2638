"""The derivative of a loss as a `torch.autograd.Function`."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.autograd import forward_ad
from torch.autograd.function import once_differentiable

from seglosses_core.checks import describe
from seglosses_core.loss import Loss
from seglosses_torch.operations import CompiledOps, EagerOps, TorchOps, is_recorded


def evaluate(
    loss: Loss,
    logits: Tensor,
    target: Tensor,
    mask: Tensor | None = None,
    sample_weight: Tensor | None = None,
    *,
    by_formula: bool = False,
    **inputs: Any,
) -> Tensor:
    """The value of a loss of the core, by the path that is right for what is asked of it.

    The hand-written derivative serves the gradient of the logits; the formula, differentiated by autograd, serves that
    of anything else, forward mode and export. Half precision goes to float32 before either, so that the upstream
    gradient is multiplied in before the gradient is rounded.
    """
    if not isinstance(logits, Tensor):
        raise TypeError(f"logits must be a torch array, got {describe(logits)}.")
    given = {"logits": logits, "target": target, "mask": mask, "sample_weight": sample_weight, **inputs}
    hidden = _tensors(loss)
    for name, value in (*given.items(), *hidden):
        _refuse_distributed(name, value)
    axis = loss.check(logits, target, mask, sample_weight)
    compiling = torch.compiler.is_compiling()
    ops = (CompiledOps if compiling else TorchOps)(axis, logits.ndim)
    loss.check_values(logits, target, mask, sample_weight, ops)
    logits = logits.to(ops.compute_dtype(logits))
    constants = [x for _, x in hidden]
    others = [x for x in (target, mask, sample_weight, *inputs.values(), *constants) if x is not None]
    # An exported or traced program has no hand-written derivatives, forward mode cannot enter one, and a compiler
    # cannot differentiate or map one.
    by_formula = by_formula or torch.compiler.is_exporting() or torch.jit.is_tracing()
    by_formula = by_formula or forward_ad._current_level >= 0
    by_formula = by_formula or (compiling and torch._C._are_functorch_transforms_active())
    differentiated = torch.is_grad_enabled() and any(x.requires_grad for x in (logits, *others))
    plain = not (compiling or is_recorded() or torch._C._are_functorch_transforms_active())
    plain = plain and not any(map(_is_transformed, (logits, *others)))
    with _no_autocast(logits):
        if not differentiated and not by_formula:
            if plain:
                ops = EagerOps(axis, logits.ndim)
                return loss.at_once(logits, target, mask, sample_weight, ops, gradient=False, **inputs)[0]
        elif not (
            by_formula
            or loss.reduction == "none"
            or any(x.requires_grad for x in others)
            or (not compiling and any(map(_is_transformed, constants)))
        ):
            derivative = _Compiled if compiling else _AtOnce if plain else _Transformed
            call = _Call(loss, axis, tuple(inputs))
            return derivative.apply(call, logits, target, mask, sample_weight, *inputs.values())
        return loss.formula(logits, target, mask, sample_weight, ops, **inputs)


@dataclasses.dataclass
class _Call:
    """What backward must know beside tensors."""

    loss: Loss
    axis: int
    names: tuple[str, ...]
    """Of what the loss takes beside logits, target and weights."""

    def named(self, inputs: Sequence[Tensor | None]) -> dict[str, Any]:
        return dict(zip(self.names, inputs, strict=True))


class _AtOnce(torch.autograd.Function):
    """The value, with the derivative that the loss brings.

    Forward makes the gradient too, and backward scales it in place. Where it is to be differentiated again, or
    transformed, it is made anew from the logits by operations that autograd can follow.
    """

    @staticmethod
    def forward(ctx: Any, call: _Call, logits: Tensor, *others: Tensor | None) -> Tensor:
        ctx.call = call
        ctx.save_for_backward(logits, *others)
        value, *ctx.made = _at_once(call, logits, others)
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled() or _is_transformed(upstream):
            return _differentiable(ctx, upstream)
        logits, *others = ctx.saved_tensors
        made, ctx.made = ctx.made, None
        gradient, factor = made or _at_once(ctx.call, logits, others)[1:]
        factor = upstream if factor is None else upstream * factor
        if factor.device.type != "cpu" or factor != 1:
            gradient.mul_(factor)
        return None, gradient, *(None,) * len(others)


class _Transformed(torch.autograd.Function):
    """The same under the transformations of `torch.func`, which ask for the context apart."""

    generate_vmap_rule = True

    @staticmethod
    def forward(call: _Call, logits: Tensor, *others: Tensor | None) -> Tensor:
        target, mask, sample_weight, *inputs = others
        ops = TorchOps(call.axis, logits.ndim)
        return call.loss.formula(logits, target, mask, sample_weight, ops, **call.named(inputs))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.call = inputs[0]
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        return _differentiable(ctx, upstream)


def _differentiable(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    """What backward returns, as operations that can be differentiated and transformed."""
    logits, target, mask, sample_weight, *inputs = ctx.saved_tensors
    ops = TorchOps(ctx.call.axis, logits.ndim)
    gradient = ctx.call.loss.formula_and_gradient(
        logits, target, mask, sample_weight, ops, **ctx.call.named(inputs)
    )[1]
    return None, _of_logits(gradient) * upstream, *(None,) * (len(ctx.saved_tensors) - 1)


class _Compiled(torch.autograd.Function):
    """The same for a compiler, which has both passes before it and decides what is computed in which of them. It does
    not differentiate twice."""

    @staticmethod
    def forward(ctx: Any, call: _Call, logits: Tensor, *others: Tensor | None) -> Tensor:
        target, mask, sample_weight, *inputs = others
        ops = CompiledOps(call.axis, logits.ndim)
        value, gradient = call.loss.formula_and_gradient(
            logits, target, mask, sample_weight, ops, **call.named(inputs)
        )
        ctx.save_for_backward(_of_logits(gradient))
        ctx.others = len(others)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return None, gradient * upstream, *(None,) * ctx.others


def _at_once(
    call: _Call, logits: Tensor, others: Sequence[Tensor | None]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The value, the gradient in the logits' memory format, and a factor that is still to be multiplied into it."""
    target, mask, sample_weight, *inputs = others
    ops = EagerOps(call.axis, logits.ndim)
    value, gradient, factor = call.loss.at_once(
        logits, target, mask, sample_weight, ops, gradient=True, **call.named(inputs)
    )
    gradient = _of_logits(gradient)
    same = gradient.stride() == logits.stride()
    return value, gradient if same else torch.empty_like(logits).copy_(gradient), factor


def _of_logits(gradient: Any) -> Tensor:
    return gradient[0] if isinstance(gradient, tuple) else gradient


def _is_transformed(tensor: Tensor) -> bool:
    """Whether `torch.func`, or autograd's batching, is at work on a tensor, so that what it wraps must not be
    overwritten, or a tensor has no values to look at."""
    functorch = torch._C._functorch
    wrapped = functorch.is_functorch_wrapped_tensor(tensor) or functorch.is_legacy_batchedtensor(tensor)
    return wrapped or isinstance(tensor, FakeTensor)


def _refuse_distributed(name: str, value: Any) -> None:
    """Told by the type's name, without an import of torch.distributed."""
    if any(kind.__name__ == "DTensor" for kind in type(value).__mro__):
        raise TypeError(
            f"{name} must be a tensor of one process, got a DTensor, {describe(value)} with placements"
            f" {value.placements}; pass {name}.full_tensor(), which is all of it on every process, or"
            f" {name}.to_local(), the part of this process, for the loss of that part alone."
        )


def _tensors(loss: Any) -> list[tuple[str, Tensor]]:
    """The tensors among the hyper-parameters of a loss and of the losses in it, with their names."""
    found: list[tuple[str, Tensor]] = []
    for field in dataclasses.fields(loss):
        value = getattr(loss, field.name)
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, Tensor):
                found.append((field.name, item))
            elif isinstance(item, Loss):
                found += _tensors(item)
    return found


def _no_autocast(logits: Tensor) -> Any:
    device = logits.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()
