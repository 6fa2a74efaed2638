"""Operations and activations for plain first derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from seglosses_core.activations import Cotangent, Identity, Prediction, Sigmoid
from seglosses_core.activations.softmax import AtLabel
from seglosses_core.arithmetic import once, product, sum_or_none
from seglosses_core.moments import Term
from seglosses_core.target import Target
from seglosses_core.weights import is_ordinary
from seglosses_torch.operations import TorchOps, TorchSoftmax


class EagerOps(TorchOps):
    """For plain first derivatives: overwrites what is its own, and what `Ops` and `Prediction` say it may.

    A fresh tensor costs more than a pass over one that is there, so that the gradient is made where the
    probabilities were. On the CPU, where looking at a number costs nothing, what is needed for rare values alone is
    done for them alone.
    """

    powers_by_log = False
    chunk_size = 2**18

    def on_cpu(self, x: Tensor) -> bool:
        """Whether values may be looked at, and a pass costs more than its start."""
        return x.device.type == "cpu"

    def fills_parts(self, x: Tensor) -> bool:
        return self.on_cpu(x)

    def chunks(self, logits: Tensor, size: int | None = None) -> Iterator[tuple[slice, ...]] | None:
        if not self.fills_parts(logits):
            return None
        return self._cut(logits, logits.stride(), size or self.chunk_size)

    def usable_labels(
        self, labels: Tensor, num_classes: int, valid: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        if not self.on_cpu(labels):
            return super().usable_labels(labels, num_classes, valid)
        usable = labels if valid is None else labels * valid
        lowest, highest = usable.aminmax()
        if (lowest >= 0).logical_and_(highest < num_classes).item():
            return usable, None
        return super().usable_labels(labels, num_classes, valid)

    def count(self, x: Tensor) -> int:
        return x.numel()

    def is_ordinary(self, weights: Tensor) -> bool:
        if weights.dtype == torch.bool or not self.on_cpu(weights):
            return weights.dtype == torch.bool
        return is_ordinary(*weights.aminmax())

    def expm1(self, x: Tensor) -> Tensor:
        return x.expm1()

    def log_sigmoid(self, z: Tensor) -> Tensor:
        return torch.nn.functional.logsigmoid(z)

    def is_hard(self, target: Tensor) -> bool:
        if not self.on_cpu(target):
            return False
        lowest, highest = (target * target).sub_(target).aminmax()
        return bool((lowest == 0).logical_and_(highest == 0).item())

    def finite_where_unused(self, log_p: Tensor, used: Callable[[], Tensor]) -> Tensor:
        if self.on_cpu(log_p) and (log_p.amin() > -math.inf).item():
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
        return self.on_cpu(x)

    def scaled(self, x: Tensor, factor: Any) -> Tensor:
        return x if factor is None else x.mul_(factor)

    def label_histogram(self, labels: Tensor, num_classes: int, dtype: Any) -> Tensor:
        if not self.on_cpu(labels):
            return super().label_histogram(labels, num_classes, dtype)
        if labels.numel() < self.chunk_size:
            counts = self._cells(labels, num_classes).bincount(minlength=labels.shape[0] * num_classes)
        else:
            images = labels.reshape(labels.shape[0], -1)
            counts = torch.stack([image.bincount(minlength=num_classes) for image in images])
        return counts.view(-1, num_classes).to(torch.float64)

    def sum_by_label(self, pixel_map: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        sums = pixel_map.new_zeros((labels.shape[0], num_classes), dtype=self.accumulation_dtype(pixel_map))
        if labels.numel() < self.chunk_size and self.on_cpu(labels):
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

    def falling(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        if not self.on_cpu(keys) or keys.dtype != torch.float32:
            return super().falling(keys)
        # Integers are sorted faster than floats, on one axis by their digits: ten times as fast.
        bits = (keys + 0.0).view(torch.int32)  # of −0 those of 0
        rising = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).bitwise_not_()
        one_row = keys.shape[-1] == keys.numel()
        ranked, order = rising.view(-1 if one_row else keys.shape).sort()
        return ranked.view(keys.shape), order.view(keys.shape)

    # Written as floats, comparisons are several times faster than as bools.

    def equals(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.eq(x, y, out=torch.empty_like(x))

    def exceeds(self, x: Tensor, y: Any) -> Tensor:
        return torch.gt(x, y, out=torch.empty_like(x))

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

    def put_at(self, x: Tensor, labels: Tensor, pixel_map: Tensor) -> Tensor:
        """Logits-shaped `x`, overwritten with a map at each pixel's label."""
        places = self._places(x, labels)
        if places is None:
            axis = self.class_axis
            return x.scatter_(axis, labels.unsqueeze(axis), pixel_map.unsqueeze(axis))
        self._flat(x).scatter_(0, places, pixel_map.reshape(-1))
        return x

    def table_at_label(self, table: Tensor, labels: Tensor) -> Tensor:
        if table.ndim == 1 or table.shape[0] != labels.shape[0]:
            return table.reshape(-1).index_select(0, labels.reshape(-1)).view(labels.shape)
        if labels.numel() >= self.chunk_size or not self.on_cpu(labels):
            return super().table_at_label(table, labels)
        cells = self._cells(labels, table.shape[-1])
        return table.reshape(-1).index_select(0, cells).view(labels.shape)

    def _places(self, x: Tensor, labels: Tensor) -> Tensor | None:
        """Where each pixel's label lies in the memory of `x`; None for large arrays and for those with gaps. Indexing
        in one axis is several times faster."""
        if not self.on_cpu(x) or x.numel() > self.chunk_size:
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
            places = places.reshape(-1)
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
            cells = cells.reshape(-1)
            self._seen_cells = labels, num_classes, cells
        return cells

    _seen_places: tuple[Any, ...] = (None, None, None)
    _seen_cells: tuple[Any, ...] = (None, None, None)
    """The labels that were asked for last, and what was found."""

    def _flat(self, x: Tensor) -> Tensor:
        """`x` as it lies in memory."""
        return (x if x.is_contiguous() else x.movedim(self.class_axis, -1)).view(-1)

    def sum_product(self, x: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        return self._sum_chunks(super().sum_product, x, y, weights)

    def activation(self, name: str) -> type[Prediction]:
        return IN_PLACE[name]

    def _sum_chunks(self, sums: Callable[..., Tensor], first: Tensor, *others: Tensor | None) -> Tensor:
        """Sums over the pixels of each part, added up in the wide dtype."""
        parts = self.chunks(first)
        if parts is None:
            return sums(first, *others)
        found = [
            sums(*(x if x is None else self.chunk_of(x, part) for x in (first, *others))) for part in parts
        ]
        return sum(found[1:], found[0])


class InPlace(Prediction):
    """What the activations share."""

    ops: EagerOps
    labels: Any

    def _apart_from_label(
        self, target: Target, weights: Tensor | None, exponent: int = 1
    ) -> tuple[Tensor, Tensor]:
        # The probabilities of the labels leave their array and come back to it.
        p, ops, labels = self.probabilities, self.ops, target.labels
        at_label = ops.take_at_label(p, labels)
        sums, rest = self._sums_of_others(
            ops.put_at(p, labels, torch.zeros_like(at_label)), weights, exponent
        )
        if not ops.spatial_axes:
            sums = sums.clone()  # a sum over no axis may be its argument
        ops.put_at(p, labels, at_label)
        return sums, rest

    def _sum_terms(
        self, p: Tensor, labels: Tensor | None, terms: Sequence[Term], at_label: Tensor | None
    ) -> Tensor:
        # Terms with the same exponent are added up before they meet p, which is one pass less for each.
        joined: list[Term] = []
        for k, factors in sorted(terms, key=lambda term: len(term[1])):
            if joined and joined[-1][0] is k and len(factors) > 1:
                sum_so_far = product(joined[-1][1])
                joined[-1] = (k, (torch.addcmul(sum_so_far, product(factors[:-1]), factors[-1]),))
            else:
                joined.append((k, factors))
        return super()._sum_terms(p, labels, joined, at_label)

    def _in_chunks(
        self, size: int, terms: Sequence[Term], at_label: Tensor | None, *others: Tensor | None
    ) -> Iterator[Any]:
        """The probabilities and the labels, and the arguments, as they are in each part of this size."""
        arrays: tuple[Any, ...] = (self.probabilities, self.labels, at_label, *others)
        parts = self.ops.chunks(self.probabilities, size)
        if parts is None:
            p, labels, at_label, *rest = arrays
            yield p, labels, terms, at_label, *rest
            return
        chunk_of = self.ops.chunk_of
        for part in parts:
            terms_there = [(k, tuple(chunk_of(x, part) for x in factors)) for k, factors in terms]
            p, labels, at_label, *rest = (x if x is None else chunk_of(x, part) for x in arrays)
            yield p, labels, terms_there, at_label, *rest


class EagerSoftmax(InPlace, TorchSoftmax):
    """Its gradient is made where the probabilities were.

    Where the log-probabilities of the labels are asked for, the probabilities of the labels leave their array, so that
    the others can be added up, and come back only when somebody asks for all.
    """

    large_chunk = 2**20
    """For the way back, which needs one array beside: each start of the threads costs, too."""

    @once
    def probabilities(self) -> Tensor:
        if not self._asks_for_label:
            return self._softmax()
        others, label = self._with_label
        return self.ops.put_at(others, self.labels, label.probability)

    @once
    def _with_label(self) -> tuple[Tensor, AtLabel]:
        # Without the probabilities of the labels, for which there is 0.
        ops, z, axis, labels = self.ops, self.logits, self.ops.class_axis, self.labels
        p = self._softmax()
        at_label = ops.take_at_label(p, labels)
        rest = ops.put_at(p, labels, torch.zeros_like(at_label)).sum(axis)
        rare = not (ops.on_cpu(z) and (at_label.amin() > torch.finfo(z.dtype).tiny * 1e6).item())
        log_p = torch.div(rest, at_label).log1p_().neg_()
        if rare:
            # Where the probability underflows, it is measured against that of the most likely class.
            likeliest = p.amax(axis).maximum(at_label)
            far = ops.take_at_label(z, labels) - z.amax(axis) + likeliest.log_()
            log_p = torch.where(rest > at_label, far, log_p)
        return p, AtLabel(at_label, rest, log_p)

    def _gradient_of_logs(self, terms: Sequence[Term], at_label: Tensor | None) -> Tensor:
        axis = self.ops.class_axis
        for p, *given in self._in_chunks(self.large_chunk, terms, at_label):
            u = self._sum_terms(p, *given)
            u.addcmul_(p, u.sum(axis, keepdim=True), value=-1)
            torch.addcmul(u, p, u.sum(axis, keepdim=True), value=-1, out=p)
        return self.probabilities

    def _gradient_of_label(self, at_label: Tensor) -> Tensor:
        (others, label), ops = self._with_label, self.ops
        gradient = others.mul_(ops.over_classes(at_label.neg()))
        return ops.put_at(gradient, self.labels, at_label * label.complement)


class EagerSigmoid(InPlace, Sigmoid):
    """Its gradient is made where the probabilities were."""

    @once
    def probabilities(self) -> Tensor:
        return self.logits.sigmoid()

    @once
    def complements(self) -> Tensor:
        return self.logits.neg().sigmoid_()

    @once
    def log_complements(self) -> Tensor:
        return torch.nn.functional.logsigmoid(self.logits.neg())

    def log_and_back(self) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        z = self.logits
        if not self.ops.on_cpu(z):
            return super().log_and_back()
        log_p, kept = torch.ops.aten.log_sigmoid_forward(z)
        return log_p, lambda slope: torch.ops.aten.log_sigmoid_backward(slope, z, kept)

    def _gradient(self, cotangent: Cotangent) -> Tensor:
        given = cotangent.terms, self._at_label(cotangent), self.logits, sum_or_none(cotangent.complement)
        for p, labels, terms, at_label, z, complement in self._in_chunks(self.ops.chunk_size, *given):
            u, q = self._sum_terms(p, labels, terms, at_label), z.neg().sigmoid_()
            if complement is None:
                torch.mul(u, q, out=p)
            else:
                p.copy_(u.mul_(q).addcmul_(complement, p, value=-1))
        return self.probabilities


class EagerIdentity(Identity):
    ops: EagerOps

    def _apart_from_label(
        self, target: Target, weights: Tensor | None, exponent: int = 1
    ) -> tuple[Tensor, Tensor]:
        others = self.probabilities.clone()  # which are the caller's
        self.ops.put_at(others, target.labels, torch.zeros_like(target.labels, dtype=others.dtype))
        return self._sums_of_others(others, weights, exponent)


IN_PLACE: dict[str, type[Prediction]] = {
    "softmax": EagerSoftmax,
    "sigmoid": EagerSigmoid,
    "identity": EagerIdentity,
}
