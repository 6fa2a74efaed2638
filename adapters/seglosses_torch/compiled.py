"""Operations and activations for `torch.compile`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seglosses_core.activations import Prediction, Softmax
from seglosses_core.activations.softmax import AtLabel, OneHotSoftmax
from seglosses_core.arithmetic import once
from seglosses_core.moments import Term
from seglosses_core.ops import Ops
from seglosses_torch import internals
from seglosses_torch.operations import TorchOps


class CompiledOps(TorchOps):
    """For `torch.compile`, which fuses loops: a comparison with the labels costs nothing in a loop over the classes,
    where an indexed read makes the compiler write down what it reads from."""

    prefers_one_hot = True
    powers_by_log = False

    def is_above_zero(self, number: Any) -> bool:
        return False

    add_at = Ops.add_at
    sum_by_label = Ops.sum_by_label

    def _sum(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return super()._sum(x, axes[::-1])

    def one_hot(self, labels: Tensor, num_classes: int, dtype: Any) -> Tensor:
        if dtype == torch.bool:
            return super().one_hot(labels, num_classes, dtype)
        # By arithmetic: a mask would be kept for the way back, and to read one back takes longer than all of this.
        classes = torch.arange(num_classes, dtype=dtype, device=labels.device)
        return 1 - (self.over_classes(labels.to(dtype)) - self.over_pixels(classes)).abs().clamp(max=1)

    def take_at_label(self, x: Tensor, labels: Tensor) -> Tensor:
        hot = self.one_hot(labels, x.shape[self.class_axis], torch.bool)
        return self.sum_classes(torch.where(hot, x, 0.0))

    def reach(self, radius: int, length: int | None) -> int:
        # A program that is exported is for lengths of any size.
        return radius if internals.is_exporting() else super().reach(radius, length)

    def table_at_label(self, table: Tensor, labels: Tensor) -> Tensor:
        hot = self.one_hot(labels, table.shape[-1], torch.bool)
        return self.sum_classes(torch.where(hot, self.over_pixels(table), 0.0))

    def activation(self, name: str) -> type[Prediction]:
        return CompiledSoftmax if name == "softmax" else super().activation(name)


class CompiledSoftmax(OneHotSoftmax):
    """Sums over few classes are written out by the compiler, which keeps masks, and what is read often, between its
    loops; those over many classes are loops, for which a choice by label costs nothing."""

    @property
    def _few(self) -> bool:
        return self.logits.shape[self.ops.class_axis] <= 8

    @once
    def _with_label(self) -> tuple[Tensor, AtLabel]:
        ops, z = self.ops, self.logits
        shifted = z - z.amax(ops.class_axis, keepdim=True)
        exponentials = shifted.exp()
        if self._few:
            lowest = torch.finfo(z.dtype).min
            far = ops.sum_classes(shifted.clamp(min=lowest) * self.hot)
            far = torch.where(far > lowest, far, -torch.inf)
            at_label = ops.sum_classes(exponentials * self.hot)
            rest = ops.sum_classes(exponentials - exponentials * self.hot)
        else:
            hot = ops.one_hot(self.labels, z.shape[ops.class_axis], torch.bool)
            rest = ops.sum_classes(torch.where(hot, 0.0, exponentials))
            far = ops.take_at_label(shifted, self.labels)
            at_label = far.exp()  # read from the others, it would make the compiler keep those
        total = rest + at_label
        label = self._shares(far, at_label, rest)
        # No autodiff follows, for which `_shares` chooses.
        return exponentials / ops.over_classes(total), label._replace(complement=rest / total)

    def _gradient_of_label(self, at_label: Tensor) -> Tensor:
        kind = OneHotSoftmax if self._few else Softmax
        return kind._gradient_of_label(self, at_label)

    def _sum_terms(
        self, p: Tensor, labels: Tensor | None, terms: Sequence[Term], at_label: Tensor | None
    ) -> Tensor:
        kind = OneHotSoftmax if self._few else Softmax
        return kind._sum_terms(self, p, labels, terms, at_label)

    def _complement_of(self, others: Tensor) -> Tensor:
        # Few classes are added up where the sum is read, for each class anew, unless it is read twice.
        missed = super()._complement_of(others)
        return torch.where(missed != missed, torch.nan, missed)

    def _gradient_of_logs(self, terms: Sequence[Term], at_label: Tensor | None) -> Tensor:
        # In one pass over the classes: with R the sum of u and Q that of p without the likely class j, where there
        # is one, ∂L/∂z_j = Q Σ u − R.
        p, ops = self.probabilities, self.ops
        u = self._sum_terms(p, self.labels, terms, at_label)
        likely = p > 0.5
        rest = ops.sum_classes(torch.where(likely, 0.0, u))
        total = ops.over_classes(rest + ops.sum_classes(torch.where(likely, u, 0.0)))
        complement = ops.over_classes(ops.sum_classes(torch.where(likely, 0.0, p)))
        return torch.where(likely, total * complement - ops.over_classes(rest), u - p * total)
