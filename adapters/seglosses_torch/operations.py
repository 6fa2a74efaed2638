"""The operations of `seglosses_core.namespace.Ops` by PyTorch's own kernels."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor

from seglosses_core.namespace import Ops


class TorchOps(Ops):
    """Differentiable in every mode; overwrites nothing."""

    def __init__(self, class_axis: int, rank: int) -> None:
        super().__init__(xp, class_axis, rank)

    @property
    def index_dtype(self) -> torch.dtype:
        return torch.int64

    def wide(self, x: Tensor) -> Any:
        return torch.float32 if x.device.type == "mps" else torch.float64

    def cast(self, x: Tensor, dtype: Any) -> Tensor:
        return x.to(dtype)

    def constant(self, values: Any, like: Tensor) -> Tensor:
        return torch.as_tensor(values, dtype=like.dtype, device=like.device)

    def device(self, x: Tensor) -> torch.device:
        return x.device

    def is_eager(self, x: Tensor) -> bool:
        return not torch.compiler.is_compiling() and not torch._C._functorch.is_functorch_wrapped_tensor(x)

    # PyTorch sums float32 in stages, which is as good as float64 and needs no copy in it.

    def total(self, x: Tensor) -> Tensor:
        return x.sum().to(self.wide(x))

    def sum_pixels(self, x: Tensor) -> Tensor:
        return (x.sum(self.spatial_axes) if self.spatial_axes else x).to(self.wide(x))

    def sum_image(self, pixel_map: Tensor) -> Tensor:
        axes = tuple(range(1, pixel_map.ndim))
        return (pixel_map.sum(axes) if axes else pixel_map).to(self.wide(pixel_map))

    def sum_by_label(self, pixel_map: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        values = pixel_map.reshape(labels.shape[0], -1).to(self.wide(pixel_map))
        sums = torch.zeros((labels.shape[0], num_classes), dtype=values.dtype, device=values.device)
        return sums.scatter_add(1, labels.reshape(labels.shape[0], -1), values)

    def cumulative_sum(self, x: Tensor, axis: int = 0) -> Tensor:
        return x.cumsum(axis)

    def take(self, x: Tensor, labels: Tensor) -> Tensor:
        return x.gather(self.class_axis, labels.unsqueeze(self.class_axis)).squeeze(self.class_axis)

    def add_at(self, x: Tensor, labels: Tensor, pixel_map: Tensor) -> Tensor:
        return x.scatter_add(
            self.class_axis, labels.unsqueeze(self.class_axis), pixel_map.unsqueeze(self.class_axis)
        )

    def look_up(self, table: Tensor, labels: Tensor) -> Tensor:
        if table.ndim == 1 or table.shape[0] == 1:
            return table.reshape(-1)[labels]
        return table.gather(1, labels.reshape(labels.shape[0], -1)).reshape(labels.shape)

    def rows(self, table: Tensor, labels: Tensor) -> Tensor:
        return table[labels].movedim(-1, self.class_axis)

    def softmax(self, z: Tensor) -> Tensor:
        if (
            z.stride(self.class_axis) == 1
        ):  # channels_last, which PyTorch's kernel keeps on the last axis alone
            return z.movedim(self.class_axis, -1).softmax(-1).movedim(-1, self.class_axis)
        return z.softmax(self.class_axis)


class EagerOps(TorchOps):
    """For plain first derivatives: overwrites what is its own, and what the contract of `Ops` lets it."""

    def sum_by_label(self, pixel_map: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        values = pixel_map.reshape(labels.shape[0], -1).to(self.wide(pixel_map))
        sums = values.new_zeros((labels.shape[0], num_classes))
        return sums.scatter_add_(1, labels.reshape(labels.shape[0], -1), values)

    def add_at(self, x: Tensor, labels: Tensor, pixel_map: Tensor) -> Tensor:
        return x.scatter_add_(
            self.class_axis, labels.unsqueeze(self.class_axis), pixel_map.unsqueeze(self.class_axis)
        )

    def softmax_at(self, z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        axis = self.class_axis
        index = labels.unsqueeze(axis)
        highest = z.amax(axis, keepdim=True)
        exponentials = (z - highest).exp_()
        at_label = exponentials.gather(axis, index)
        rest = exponentials.scatter_(axis, index, 0.0).sum(axis, keepdim=True)
        p = exponentials.scatter_(axis, index, at_label).div_(rest + at_label)
        shifted = z.gather(axis, index).sub_(highest)
        return p, self.log_share(shifted, at_label, rest).squeeze(axis)

    def sigmoid_pair(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return z.sigmoid(), z.neg().sigmoid_()

    def log_sigmoid(self, z: Tensor) -> Tensor:
        return torch.nn.functional.logsigmoid(z)

    def softmax_back(self, u: Tensor, p: Tensor) -> Tensor:
        for _ in range(2):
            u.addcmul_(p, u.sum(self.class_axis, keepdim=True), value=-1)
        return u

    def softmax_back_at(self, p: Tensor, labels: Tensor, at_label: Tensor, complement: Tensor) -> Tensor:
        axis = self.class_axis
        gradient = p.mul_(at_label.neg().unsqueeze(axis))
        return gradient.scatter_(axis, labels.unsqueeze(axis), (at_label * complement).unsqueeze(axis))
