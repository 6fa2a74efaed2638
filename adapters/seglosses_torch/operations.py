"""The operations of `seglosses_core.ops.Ops` by PyTorch's own kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor

from seglosses_core.activations import Prediction, Softmax
from seglosses_core.arithmetic import expm1_by_tanh
from seglosses_core.envelope import lower_envelope
from seglosses_core.ops import Ops
from seglosses_torch import internals
from seglosses_torch.modes import is_plain


def _plain_nearest(squared: Tensor, axis: int, factor: float) -> Tensor:
    """`Ops.nearest`; the axis counts from the end."""
    if squared.device.type == "cpu":
        return torch.from_numpy(lower_envelope(squared.numpy(), axis, factor))
    moved = squared.movedim(axis, -1)
    lines = moved.reshape(-1, moved.shape[-1])
    index = torch.arange(lines.shape[1], dtype=squared.dtype, device=squared.device)
    parabolas = (index - index[:, None]).square_().mul_(factor)
    nearest, other = lines[:, :1] + parabolas[0], torch.empty_like(lines)
    for j in range(1, lines.shape[1]):
        torch.add(lines[:, j : j + 1], parabolas[j], out=other)
        torch.minimum(nearest, other, out=nearest)
    return nearest.view(moved.shape).movedim(-1, axis).contiguous()


# A tracer would write it down step by step. With a schema, for torch 2.4 reads none from annotations that are strings.
_nearest = torch.library.custom_op(
    "seglosses::nearest",
    _plain_nearest,
    mutates_args=(),
    schema="(Tensor squared, int axis, float factor) -> Tensor",
)


@_nearest.register_fake
def _(squared: Tensor, axis: int, factor: float) -> Tensor:
    return squared.new_empty(squared.shape)


def _nearest_of_batch(
    info: Any, places: Any, squared: Tensor, axis: int, factor: float
) -> tuple[Tensor, int]:
    return _nearest(squared.movedim(places[0], 0), axis, factor), 0


if hasattr(_nearest, "register_vmap"):  # since torch 2.5
    _nearest.register_vmap(_nearest_of_batch)


class TorchOps(Ops):
    """Differentiable in every mode; overwrites nothing."""

    powers_by_log = True

    def __init__(self, class_axis: int, rank: int) -> None:
        super().__init__(xp, class_axis, rank)

    @property
    def index_dtype(self) -> torch.dtype:
        return torch.int64

    def accumulation_dtype(self, x: Tensor) -> Any:
        return torch.float32 if x.device.type == "mps" else torch.float64

    def constant(self, values: Any, like: Tensor, dtype: Any = None) -> Tensor:
        return torch.as_tensor(values, dtype=dtype or like.dtype, device=like.device)

    def scaled(self, x: Tensor, factor: Any) -> Tensor:
        return x if factor is None else x * factor

    def device(self, x: Tensor) -> torch.device:
        return x.device

    def is_eager(self, x: Tensor) -> bool:
        if torch.compiler.is_compiling() or internals.is_recorded() or internals.is_wrapped(x):
            return False
        return not (x.is_meta or internals.is_fake(x))

    def checksum(self, text: str) -> int:
        # A compiler has no checksums: it sees one program, which all processes run.
        return 0 if torch.compiler.is_compiling() else super().checksum(text)

    def require_agreement(self, agree: Tensor, error: Callable[[], Exception]) -> None:
        if agree.device.type == "cpu":
            super().require_agreement(agree, error)

    def may_look(self, x: Tensor) -> bool:
        return self.is_eager(x) and x.device.type == "cpu"

    def stop_gradient(self, x: Tensor) -> Tensor:
        return x.detach()

    def fills_parts(self, x: Tensor) -> bool:
        return False

    # PyTorch sums float32 in stages, which is as good as float64 where all that is added is positive.

    def count(self, x: Tensor) -> Any:
        # Of a traced tensor, the length may be a symbol.
        return x.new_full((), x.numel(), dtype=self.accumulation_dtype(x))

    def total(self, x: Tensor) -> Tensor:
        return x.sum().to(self.accumulation_dtype(x))

    def sum_pixels(self, x: Tensor) -> Tensor:
        return self._sum(x, self.spatial_axes)

    def sum_image(self, pixel_map: Tensor) -> Tensor:
        return self._sum(pixel_map, tuple(range(1, pixel_map.ndim)))

    def _sum(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        """The sum over `axes`, all but the first in float64: a small loss is a difference of large sums, which needs
        more digits than float32 has for them."""
        if len(axes) > 1:
            return x.sum(axes[0], keepdim=True).sum(axes, dtype=self.accumulation_dtype(x))
        return (x.sum(axes) if axes else x).to(self.accumulation_dtype(x))

    def sum_by_label(self, pixel_map: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        values = pixel_map.reshape(labels.shape[0], -1).to(self.accumulation_dtype(pixel_map))
        sums = torch.zeros((labels.shape[0], num_classes), dtype=values.dtype, device=values.device)
        return sums.scatter_add(1, labels.reshape(labels.shape[0], -1), values)

    def cumulative_sum(self, x: Tensor, axis: int = 0) -> Tensor:
        return x.cumsum(axis)

    def nearest(self, squared: Tensor, axis: int, factor: float) -> Tensor:
        if internals.is_under_transforms() and not hasattr(_nearest, "register_vmap"):
            return super().nearest(squared, axis, factor)  # torch 2.4 transforms no operation of ours
        # To call an operation of ours imports the compilers.
        nearest = _plain_nearest if is_plain(squared) else _nearest
        return nearest(squared, axis - squared.ndim, factor)

    def moveaxis(self, x: Tensor, source: int, destination: int) -> Tensor:
        return x.movedim(source, destination)  # torch.moveaxis is not known to vmap

    def cumulative_max(self, x: Tensor) -> Tensor:
        return x.cummax(-1).values

    def take(self, x: Tensor, places: Tensor) -> Tensor:
        return x.gather(-1, places)

    def put_back(self, x: Tensor, order: Tensor) -> Tensor:
        return torch.empty_like(x).scatter(-1, order, x)

    def clip(self, x: Tensor, lowest: float, highest: float) -> Tensor:
        return x.clamp(lowest, highest)  # that of the namespace looks at the bounds, which may be symbols

    def take_at_label(self, x: Tensor, labels: Tensor) -> Tensor:
        return x.gather(self.class_axis, labels.unsqueeze(self.class_axis)).squeeze(self.class_axis)

    def add_at(self, x: Tensor, labels: Tensor, pixel_map: Tensor) -> Tensor:
        index = labels.unsqueeze(self.class_axis)
        return x.scatter_add(self.class_axis, index, self._over(pixel_map, index))

    def _over(self, pixel_map: Tensor, index: Tensor) -> Tensor:
        """A map, or a number, as wide as an index."""
        return pixel_map.unsqueeze(self.class_axis) if pixel_map.ndim else pixel_map.expand_as(index)

    def table_at_label(self, table: Tensor, labels: Tensor) -> Tensor:
        if table.ndim == 1 or table.shape[0] == 1:
            return table.reshape(-1)[labels]
        return table.gather(1, labels.reshape(labels.shape[0], -1)).reshape(labels.shape)

    def rows_at_label(self, table: Tensor, labels: Tensor) -> Tensor:
        return table[labels].movedim(-1, self.class_axis)

    def expm1(self, x: Tensor) -> Tensor:
        return expm1_by_tanh(x, xp)

    def activation(self, name: str) -> type[Prediction]:
        return TorchSoftmax if name == "softmax" else super().activation(name)


class TorchSoftmax(Softmax):
    def _softmax(self) -> Tensor:
        z, axis = self.logits, self.ops.class_axis
        if z.stride(axis) == 1:
            # channels_last, which PyTorch's kernel keeps on the last axis alone
            return z.movedim(axis, -1).softmax(-1).movedim(-1, axis)
        return z.softmax(axis)
