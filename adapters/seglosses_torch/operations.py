"""The operations of `seglosses_core.ops.Ops` by PyTorch's own kernels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from seglosses_core.arithmetic import log1p_by_series, product
from seglosses_core.ops import AtLabel, Ops, Term, is_ordinary


def is_recorded() -> bool:
    """Whether a tracer, `torch.jit.trace` or `make_fx`, writes down each operation on real tensors."""
    return torch.jit.is_tracing() or get_proxy_mode() is not None


@torch.library.custom_op("seglosses::nearest", mutates_args=())
def _nearest(squared: Tensor, axis: int, factor: float) -> Tensor:
    """`Ops.nearest`, which a tracer would write down step by step; the axis counts from the end."""
    length = squared.shape[axis]
    shape = [1] * squared.ndim
    shape[axis] = length
    offsets = torch.arange(length, dtype=squared.dtype, device=squared.device).view(shape)
    nearest = squared.clone()
    for j in range(length):
        offset = (offsets - j).square_().mul_(factor)
        torch.minimum(nearest, squared.narrow(axis, j, 1) + offset, out=nearest)
    return nearest


@_nearest.register_fake
def _(squared: Tensor, axis: int, factor: float) -> Tensor:
    return torch.empty_like(squared)


@_nearest.register_vmap
def _(info: Any, places: Any, squared: Tensor, axis: int, factor: float) -> tuple[Tensor, int]:
    return _nearest(squared.movedim(places[0], 0), axis, factor), 0


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
        if (
            torch.compiler.is_compiling()
            or is_recorded()
            or torch._C._functorch.is_functorch_wrapped_tensor(x)
        ):
            return False
        return not (x.is_meta or isinstance(x, FakeTensor))

    def chunks(self, logits: Tensor) -> Iterator[tuple[slice, ...]] | None:
        return None

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
        return _nearest(squared, axis - squared.ndim, factor)

    def cumulative_max(self, x: Tensor) -> Tensor:
        return x.cummax(-1).values

    def clip(self, x: Tensor, lowest: int, highest: int) -> Tensor:
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

    def log1p(self, x: Tensor) -> Tensor:
        return log1p_by_series(x, xp)

    def softmax(self, z: Tensor) -> Tensor:
        if z.stride(self.class_axis) == 1:
            # channels_last, which PyTorch's kernel keeps on the last axis alone
            return z.movedim(self.class_axis, -1).softmax(-1).movedim(-1, self.class_axis)
        return z.softmax(self.class_axis)


class EagerOps(TorchOps):
    """For plain first derivatives: overwrites what is its own, and what the contract of `Ops` lets it.

    A fresh tensor costs more than a passage through one that is there, so that the gradient is made where the
    probabilities were. On the CPU, where looking at a number costs nothing, what is needed for rare values alone is
    done for them alone.
    """

    powers_by_log = False
    chunk_size = 2**18
    large_chunk = 2**20
    """For the way back through the softmax, which needs one array beside: each start of the threads costs, too."""

    def chunks(self, logits: Tensor, size: int | None = None) -> Iterator[tuple[slice, ...]] | None:
        if logits.device.type != "cpu":
            return None
        return self._cut(logits, logits.stride(), size or self.chunk_size)

    def usable_labels(
        self, labels: Tensor, num_classes: int, valid: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        if labels.device.type != "cpu":
            return super().usable_labels(labels, num_classes, valid)
        usable = labels if valid is None else labels * valid
        lowest, highest = (x.item() for x in usable.aminmax())
        if lowest >= 0 and highest < num_classes:
            return usable, None
        return super().usable_labels(labels, num_classes, valid)

    def count(self, x: Tensor) -> int:
        return x.numel()

    def is_ordinary(self, weights: Tensor) -> bool:
        if weights.dtype == torch.bool or weights.device.type != "cpu":
            return weights.dtype == torch.bool
        lowest, highest = weights.aminmax()
        return is_ordinary(lowest.item(), highest.item())

    def log1p(self, x: Tensor) -> Tensor:
        return x.log1p()

    def is_hard(self, target: Tensor) -> bool:
        if target.device.type != "cpu":
            return False
        lowest, highest = (target * target).sub_(target).aminmax()
        return lowest.item() == highest.item() == 0

    def finite_where_unused(self, log_p: Tensor, used: Callable[[], Tensor]) -> Tensor:
        if log_p.device.type == "cpu" and log_p.amin().item() > -math.inf:
            return log_p
        return super().finite_where_unused(log_p, used)

    def sum_pixels(self, x: Tensor) -> Tensor:
        # One axis alone is not summed in two steps otherwise.
        return (
            self._sum_chunks(super().sum_pixels, x) if len(self.spatial_axes) == 1 else super().sum_pixels(x)
        )

    def power_sum(self, p: Tensor, exponent: Any, weights: Tensor | None) -> Tensor:
        if weights is None and isinstance(exponent, int) and exponent == 1:
            return self.sum_pixels(p)

        def sums(p: Tensor, weights: Tensor | None) -> Tensor:
            return super(EagerOps, self).power_sum(p, exponent, weights)

        return self._sum_chunks(sums, p, weights)

    def may_choose(self, x: Tensor) -> bool:
        return x.device.type == "cpu"

    def scaled(self, x: Tensor, factor: Any) -> Tensor:
        return x if factor is None else x.mul_(factor)

    def off_label(self, p: Tensor, labels: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        # The probabilities of the labels leave their array and come back to it.
        at_label = self.take_at_label(p, labels)
        others = self.fill_at(p, labels, torch.zeros_like(at_label))
        sums, rest = self.power_sum(others, 1, weights), others.sum(self.class_axis)
        if not self.spatial_axes:
            sums = sums.clone()  # a sum over no axis may be its argument
        self.fill_at(p, labels, at_label)
        return sums, rest

    def label_histogram(self, labels: Tensor, num_classes: int, dtype: Any) -> Tensor:
        if labels.device.type != "cpu":
            return super().label_histogram(labels, num_classes, dtype)
        if labels.numel() < self.chunk_size:
            counts = self._cells(labels, num_classes).bincount(minlength=labels.shape[0] * num_classes)
        else:
            images = labels.reshape(labels.shape[0], -1)
            counts = torch.stack([image.bincount(minlength=num_classes) for image in images])
        return counts.view(-1, num_classes).to(torch.float64)

    def sum_by_label(self, pixel_map: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        sums = pixel_map.new_zeros((labels.shape[0], num_classes), dtype=self.accumulation_dtype(pixel_map))
        if labels.numel() < self.chunk_size and labels.device.type == "cpu":
            cells = self._cells(labels, num_classes)
            sums.view(-1).scatter_add_(0, cells, pixel_map.reshape(-1).to(sums.dtype))
            return sums
        flat, labels = pixel_map.reshape(labels.shape[0], -1), labels.reshape(labels.shape[0], -1)
        for values, index in zip(
            flat.split(self.chunk_size, 1), labels.split(self.chunk_size, 1), strict=True
        ):
            sums.scatter_add_(1, index, values.to(sums.dtype))
        return sums

    def pad(self, x: Tensor, axes: Sequence[int], widths: Sequence[int], value: float) -> Tensor:
        of_axis = dict(zip(axes, widths, strict=True))
        both_sides = [of_axis.get(axis, 0) for axis in reversed(range(x.ndim)) for _ in range(2)]
        return torch.nn.functional.pad(x, both_sides, value=value)

    def add_product(self, total: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return total.addcmul_(x, y)

    def take_at_label(self, x: Tensor, labels: Tensor) -> Tensor:
        places = self._places(x, labels)
        if places is None:
            return super().take_at_label(x, labels)
        return self._flat(x).index_select(0, places).view(labels.shape)

    def add_at(self, x: Tensor, labels: Tensor, pixel_map: Tensor) -> Tensor:
        places = self._places(x, labels)
        if places is None:
            index = labels.unsqueeze(self.class_axis)
            return x.scatter_add_(self.class_axis, index, self._over(pixel_map, index))
        self._flat(x).scatter_add_(0, places, pixel_map.expand(labels.shape).reshape(-1))
        return x

    def table_at_label(self, table: Tensor, labels: Tensor) -> Tensor:
        if table.ndim == 1 or table.shape[0] != labels.shape[0]:
            return super().table_at_label(table, labels)
        if labels.numel() >= self.chunk_size or labels.device.type != "cpu":
            return super().table_at_label(table, labels)
        cells = self._cells(labels, table.shape[-1])
        return table.reshape(-1).index_select(0, cells).view(labels.shape)

    def fill_at(self, p: Tensor, labels: Tensor, at_label: Tensor) -> Tensor:
        places = self._places(p, labels)
        if places is None:
            axis = self.class_axis
            return p.scatter_(axis, labels.unsqueeze(axis), at_label.unsqueeze(axis))
        self._flat(p).scatter_(0, places, at_label.reshape(-1))
        return p

    def _places(self, x: Tensor, labels: Tensor) -> Tensor | None:
        """Where each pixel's label lies in the memory of `x`; None for large arrays and for those with gaps. Indexing
        in one axis is several times faster."""
        if x.device.type != "cpu" or x.numel() > self.chunk_size:
            return None
        axis = self.class_axis
        contiguous = x.is_contiguous()
        if not contiguous and not x.movedim(axis, -1).is_contiguous():
            return None
        of, as_contiguous, places = self._seen_places
        if of is not labels or as_contiguous != contiguous:
            inner = math.prod(x.shape[axis + 1 :]) if contiguous else 1
            blocks = labels.reshape(-1, inner)
            places = torch.add(torch.arange(inner, device=x.device), blocks, alpha=inner)
            if len(blocks) > 1:
                first = torch.arange(0, x.numel(), x.shape[axis] * inner, device=x.device)
                places += first[:, None]
            places = places.view(-1)
            self._seen_places = labels, contiguous, places
        return places

    def _cells(self, labels: Tensor, num_classes: int) -> Tensor:
        """Where the label of each pixel lies in a table `(N, C)`, pixels in one axis."""
        of, of_classes, cells = self._seen_cells
        if of is not labels or of_classes != num_classes:
            cells = labels.reshape(labels.shape[0], -1)
            if len(cells) > 1:
                first = torch.arange(0, len(cells) * num_classes, num_classes, device=labels.device)
                cells = cells + first[:, None]
            cells = cells.view(-1)
            self._seen_cells = labels, num_classes, cells
        return cells

    _seen_places: tuple[Any, ...] = (None, None, None)
    _seen_cells: tuple[Any, ...] = (None, None, None)
    """The labels that were asked for last, and what was found."""

    def _flat(self, x: Tensor) -> Tensor:
        """`x` as it lies in memory."""
        return (x if x.is_contiguous() else x.movedim(self.class_axis, -1)).view(-1)

    def softmax_at(self, z: Tensor, labels: Tensor) -> tuple[Tensor, AtLabel]:
        axis = self.class_axis
        p = self.softmax(z)
        at_label = self.take_at_label(p, labels)
        rest = self.fill_at(p, labels, torch.zeros_like(at_label)).sum(axis)
        rare = z.device.type != "cpu" or not at_label.amin().item() > torch.finfo(z.dtype).tiny * 1e6
        log_p = torch.div(rest, at_label).log1p_().neg_()
        if rare:
            # Where the probability underflows, it is measured against that of the most likely class.
            likeliest = p.amax(axis).maximum(at_label)
            far = self.take_at_label(z, labels) - z.amax(axis) + likeliest.log_()
            log_p = torch.where(rest > at_label, far, log_p)
        return p, AtLabel(at_label, rest, log_p)

    def sigmoid(self, z: Tensor) -> Tensor:
        return z.sigmoid()

    def sigmoid_complement(self, z: Tensor) -> Tensor:
        return z.neg().sigmoid_()

    def log_sigmoid(self, z: Tensor) -> Tensor:
        return torch.nn.functional.logsigmoid(z)

    def log_sigmoid_complement(self, z: Tensor) -> Tensor:
        return torch.nn.functional.logsigmoid(z.neg())

    def log_sigmoid_and_back(self, z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        if z.device.type != "cpu":
            return super().log_sigmoid_and_back(z)
        log_p, kept = torch.ops.aten.log_sigmoid_forward(z)
        return log_p, lambda slope: torch.ops.aten.log_sigmoid_backward(slope, z, kept)

    def sum_product(self, x: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        return self._sum_chunks(super().sum_product, x, y, weights)

    def softmax_back(
        self,
        p: Tensor,
        labels: Tensor | None,
        everywhere: Sequence[Term],
        at_label: Tensor | None,
    ) -> Tensor:
        for share, *given in self._in_chunks(self.large_chunk, p, labels, everywhere, at_label):
            u = self.sum_terms(share, *given)
            u.addcmul_(share, u.sum(self.class_axis, keepdim=True), value=-1)
            torch.addcmul(u, share, u.sum(self.class_axis, keepdim=True), value=-1, out=share)
        return p

    def sigmoid_back(
        self,
        p: Tensor,
        z: Tensor,
        labels: Tensor | None,
        everywhere: Sequence[Term],
        at_label: Tensor | None,
        complement: Tensor | None,
    ) -> Tensor:
        given = self._in_chunks(self.chunk_size, p, labels, everywhere, at_label, z, complement)
        for share, labels, everywhere, at_label, z, complement in given:
            u, q = self.sum_terms(share, labels, everywhere, at_label), self.sigmoid_complement(z)
            if complement is None:
                torch.mul(u, q, out=share)
            else:
                share.copy_(u.mul_(q).addcmul_(complement, share, value=-1))
        return p

    def sum_terms(
        self,
        p: Tensor,
        labels: Tensor | None,
        everywhere: Sequence[Term],
        at_label: Tensor | None,
    ) -> Tensor:
        # Terms with the same exponent are added up before they meet p, which is one passage less for each.
        joined: list[Term] = []
        for k, factors in sorted(everywhere, key=lambda term: len(term[1])):
            if joined and joined[-1][0] is k and len(factors) > 1:
                sum_so_far = product(joined[-1][1])
                joined[-1] = (k, (torch.addcmul(sum_so_far, product(factors[:-1]), factors[-1]),))
            else:
                joined.append((k, factors))
        return super().sum_terms(p, labels, joined, at_label)

    def _in_chunks(
        self,
        size: int,
        p: Tensor,
        labels: Tensor | None,
        everywhere: Sequence[Term],
        at_label: Tensor | None,
        *others: Tensor | None,
    ) -> Iterator[Any]:
        """The arguments as they are in each part of this size."""
        parts = self.chunks(p, size)
        if parts is None:
            yield p, labels, everywhere, at_label, *others
            return
        for part in parts:
            terms = [(k, tuple(self.chunk_of(x, part) for x in factors)) for k, factors in everywhere]
            share, index, *rest = (
                x if x is None else self.chunk_of(x, part) for x in (p, labels, at_label, *others)
            )
            yield share, index, terms, *rest

    def _sum_chunks(self, sums: Callable[..., Tensor], first: Tensor, *others: Tensor | None) -> Tensor:
        """Sums over the pixels of each part, added up in the wide dtype."""
        parts = self.chunks(first)
        if parts is None:
            return sums(first, *others)
        found = [
            sums(*(x if x is None else self.chunk_of(x, part) for x in (first, *others))) for part in parts
        ]
        return sum(found[1:], found[0])

    def softmax_back_at(self, p: Tensor, labels: Tensor, at_label: Tensor, complement: Tensor) -> Tensor:
        gradient = p.mul_(self.over_classes(at_label.neg()))
        return self.fill_at(gradient, labels, at_label * complement)


class CompiledOps(TorchOps):
    """For `torch.compile`, which fuses loops: a comparison with the labels costs nothing in a loop over the classes,
    where an indexed read makes the compiler write down what it reads from."""

    prefers_one_hot = True
    powers_by_log = False

    def is_above_zero(self, number: Any) -> bool:
        return False

    softmax = Ops.softmax
    add_at = Ops.add_at
    sum_by_label = Ops.sum_by_label

    def _sum(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return super()._sum(x, axes[::-1])

    def take_at_label(self, x: Tensor, labels: Tensor) -> Tensor:
        hot = self.one_hot(labels, x.shape[self.class_axis], torch.bool)
        return self.sum_classes(torch.where(hot, x, 0.0))

    def reach(self, radius: int, length: int | None) -> int:
        # A program that is exported is for lengths of any size.
        return radius if torch.compiler.is_exporting() else super().reach(radius, length)

    def table_at_label(self, table: Tensor, labels: Tensor) -> Tensor:
        hot = self.one_hot(labels, table.shape[-1], torch.bool)
        return self.sum_classes(torch.where(hot, self.over_pixels(table), 0.0))

    def softmax_at(self, z: Tensor, labels: Tensor) -> tuple[Tensor, AtLabel]:
        # The exponential at the label is taken once more: read from the others, it makes the compiler keep those.
        shifted = z - z.amax(self.class_axis, keepdim=True)
        exponentials = shifted.exp()
        hot = self.one_hot(labels, z.shape[self.class_axis], torch.bool)
        rest = self.sum_classes(torch.where(hot, 0.0, exponentials))
        shifted_at_label = self.take_at_label(shifted, labels)
        at_label = shifted_at_label.exp()
        p = exponentials / self.over_classes(rest + at_label)
        return p, self.shares(shifted_at_label, at_label, rest)

    def softmax_back(
        self,
        p: Tensor,
        labels: Tensor | None,
        everywhere: Sequence[Term],
        at_label: Tensor | None,
    ) -> Tensor:
        # In one passage over the classes: with R the sum of u and Q that of p without the likely class j, where there
        # is one, ∂L/∂z_j = Q Σ u − R.
        u = self.sum_terms(p, labels, everywhere, at_label)
        likely = p > 0.5
        rest = self.sum_classes(torch.where(likely, 0.0, u))
        total = self.over_classes(rest + self.sum_classes(torch.where(likely, u, 0.0)))
        complement = self.over_classes(self.sum_classes(torch.where(likely, 0.0, p)))
        return torch.where(likely, total * complement - self.over_classes(rest), u - p * total)
