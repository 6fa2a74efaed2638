"""The passes as operations of `torch.library`: a compiler writes them down and does not look into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seglosses_torch.kernels import neighbours, passes
from seglosses_torch.kernels.pixels import Pixels, WayBack, computed_dtype


@torch.library.custom_op("seglosses::pass_there", mutates_args=())
def pass_there(
    activation: str,
    logits: Tensor,
    class_axis: int,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    exponents: Sequence[float],
    at_label: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """`passes.forward`: all sums as one array `(M, N, C)`, and the two maps, which are empty unless asked for.
    `exponents` are those of p and of the target in turn."""
    pixels = Pixels(activation, logits, class_axis, target, valid, weights)
    sums, maps = passes.forward(pixels, passes.as_pairs(exponents), at_label=at_label)
    like = logits if activation == "sigmoid" else target
    logs, rests = maps or (logits.new_empty(0, dtype=pixels.dtype), logits.new_empty(0, dtype=pixels.dtype))
    if at_label:
        logs, rests = passes.laid_out_like(like, logs), passes.laid_out_like(like, rests)
    if sums:
        return torch.stack(sums), logs, rests
    return logits.new_empty((0, *_table_shape(logits, class_axis)), dtype=torch.float64), logs, rests


@pass_there.register_fake
def _(
    activation: str,
    logits: Tensor,
    class_axis: int,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    exponents: Sequence[float],
    at_label: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    dtype = computed_dtype(logits)
    shape = len(exponents) // 2, *_table_shape(logits, class_axis)
    sums = logits.new_empty(shape, dtype=torch.float64)
    if not at_label:
        return sums, logits.new_empty(0, dtype=dtype), logits.new_empty(0, dtype=dtype)
    like = logits if activation == "sigmoid" else target
    return sums, torch.empty_like(like, dtype=dtype), torch.empty_like(like, dtype=dtype)


@torch.library.custom_op("seglosses::gradient", mutates_args=())
def pass_back(
    activation: str,
    logits: Tensor,
    class_axis: int,
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    exponents: Sequence[float],
    slopes: Tensor | None,
    at_label: Tensor | None,
    value: Tensor,
    rounded: bool,
) -> Tensor:
    """`passes.backward`, in the layout that `torch.empty_like` gives."""
    pixels = Pixels(activation, logits, class_axis, target, valid, weights)
    way = WayBack(pixels, passes.as_pairs(exponents), slopes, at_label)
    return passes.laid_out_like(logits, passes.backward(way, value, rounded=rounded))


@pass_back.register_fake
def _(activation: str, logits: Tensor, *others: Any) -> Tensor:
    return torch.empty_like(logits, dtype=None if others[-1] else computed_dtype(logits))


@torch.library.custom_op("seglosses::attached", mutates_args=())
def attached(
    logits: Tensor,
    value: Tensor,
    activation: str,
    class_axis: int,
    exponents: Sequence[float],
    target: Tensor,
    valid: Tensor | None,
    weights: Tensor | None,
    slopes: Tensor | None,
    at_label: Tensor | None,
) -> Tensor:
    """The value, whose gradient `pass_back` makes."""
    return value.clone()


@attached.register_fake
def _(logits: Tensor, value: Tensor, *others: object) -> Tensor:
    return torch.empty_like(value)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    logits, value, activation, class_axis, exponents, *tensors = inputs
    ctx.form = activation, class_axis, exponents
    ctx.save_for_backward(logits, value, *tensors)


def _go_back(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    logits, value, target, valid, weights, slopes, at_label = ctx.saved_tensors
    activation, class_axis, exponents = ctx.form
    slopes = None if slopes is None else slopes * upstream
    at_label = None if at_label is None else at_label * upstream
    gradient = pass_back(
        activation,
        logits,
        class_axis,
        target,
        valid,
        weights,
        exponents,
        slopes,
        at_label,
        value,
        True,  # rounded
    )
    return gradient, *(None,) * 9


attached.register_autograd(_go_back, setup_context=_keep)


@torch.library.custom_op("seglosses::sum_alike", mutates_args=())
def sum_alike(x: Tensor, class_axis: int, labels: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """`neighbours.sum_alike`, of at most three spatial axes."""
    made = neighbours.sum_alike(x, class_axis, labels, size)
    totals, number = made or (torch.empty_like(x), torch.empty_like(labels, dtype=x.dtype))
    return passes.laid_out_like(x, totals), passes.laid_out_like(labels, number)


@sum_alike.register_fake
def _(x: Tensor, class_axis: int, labels: Tensor, size: int) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x), torch.empty_like(labels, dtype=x.dtype)


def _table_shape(logits: Tensor, class_axis: int) -> tuple[int, int]:
    return logits.shape[0], logits.shape[class_axis]
