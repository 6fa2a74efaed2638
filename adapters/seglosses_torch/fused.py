"""Activations whose passes over the pixels are one kernel each way."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import once, sum_or_none
from seglosses_core.moments import COMPLEMENT, Moment, MomentSlopes
from seglosses_core.target import Target
from seglosses_torch.eager import EagerOps, EagerSoftmax
from seglosses_torch.kernels import passes, softmax
from seglosses_torch.kernels.ratio import ratio


class FusedOps(EagerOps):
    """For GPUs, where a launch costs more than a pass over a map. Logits stay in their dtype: a kernel reads them."""

    casts_logits = False
    checks_labels = False
    value: Tensor | None = None
    """What the loss amounts to, set before the way back: where it is NaN, so is all of the gradient."""
    materialised = False
    """Whether anything of the logits' size has been formed: then the gradient is made at once, to let go of it."""

    def activation(self, name: str) -> type[Prediction]:
        if name == "softmax":
            return FusedSoftmax
        self.materialised = True
        return super().activation(name)

    def ratio(
        self,
        sums: Sequence[Tensor],
        coefficients: Sequence[tuple[Any, Any]],
        above: Any,
        below: Any,
        unit: Tensor | None,
    ) -> tuple[Tensor, Tensor, Any]:
        numbers = [above, below, *itertools.chain(*coefficients)]
        alike = len({(x.ndim, x.stride(), x.dtype) for x in sums}) == 1 and sums[0].ndim == 2
        if (
            unit is None
            and len(sums) <= passes.MOST_SUMS
            and alike
            and all(type(k) in (int, float) for k in numbers)
            and self.is_above_zero(below)
        ):
            return ratio(list(sums), [(_whole(n), _whole(d)) for n, d in coefficients], above, below)
        return super().ratio(sums, coefficients, above, below, unit)

    def each_times(self, tables: Sequence[Tensor], factor: Tensor) -> Sequence[Tensor]:
        return tables * factor if isinstance(tables, Tensor) else super().each_times(tables, factor)


class FusedSoftmax(EagerSoftmax):
    """Moments and what is known of each pixel's label come from the logits in one pass, and the gradient in another.
    What no kernel gives is formed as in `EagerSoftmax`."""

    ops: FusedOps
    masks_logits = True
    given_labels: Any

    def __init__(
        self,
        logits: Tensor,
        ops: FusedOps,
        *,
        labels: Tensor | None = None,
        label_log_probability: bool = False,
        valid: Tensor | None = None,
    ) -> None:
        self.ops = ops
        self.valid = valid
        self.given_logits = logits
        self.given_labels = labels
        self._asks_for_label = label_log_probability and labels is not None

    # -- what is formed as in `EagerSoftmax` ----------------------------------------------------------------------

    @once
    def logits(self) -> Tensor:
        """In the dtype of the computation, and 0 where pixels do not count."""
        self.ops.materialised = True
        z = self.given_logits.to(self.ops.compute_dtype(self.given_logits))
        return z if self.valid is None else z.masked_fill(~self.ops.over_classes(self.valid), 0.0)

    @once
    def labels(self) -> Tensor | None:
        """Safe to index with."""
        if self.given_labels is None:
            return None
        classes = self.given_logits.shape[self.ops.class_axis]
        labels, fine = self.ops.usable_labels(self.given_labels.long(), classes, self.valid)
        if fine is not None:
            self.nan_if_invalid = self.ops.zero_or_nan(fine, self.ops.compute_dtype(self.given_logits))
        return labels

    # -- one pass there -------------------------------------------------------------------------------------------

    def _pixels(self, target: Tensor, weights: Tensor | None) -> passes.Pixels:
        return passes.Pixels(self.given_logits, self.ops.class_axis, target, self.valid, weights)

    def moments(
        self, wanted: Sequence[Moment], target: Target, weights: Tensor | None, *, batch: bool
    ) -> tuple[list[Tensor], Callable[[Sequence[Tensor]], Cotangent]]:
        exponents = _exponents(wanted)
        if exponents is None:
            return super().moments(wanted, target, weights, batch=batch)
        pixels = self._pixels(_array_of(target), weights)
        sums, _ = passes.forward(softmax, pixels, exponents, at_label=False)
        if batch:
            sums = [x.sum(0, keepdim=True) for x in sums]
        return sums, lambda slopes: Cotangent(moments=[MomentSlopes(wanted, slopes, weights, target)])

    @once
    def _maps(self) -> tuple[Tensor, Tensor]:
        """log p and 1 − p of each pixel's label."""
        maps = passes.forward(softmax, self._pixels(self.given_labels, None), (), at_label=True)[1]
        assert maps is not None
        return maps

    @once
    def label_log_probability(self) -> Tensor:
        return self._maps[0]

    @once
    def label_complement(self) -> Tensor:
        return self._maps[1]

    @once
    def label_probability(self) -> Tensor:
        return self._maps[0].exp()

    # -- one pass back --------------------------------------------------------------------------------------------

    def gradient(self, cotangent: Cotangent) -> Tensor:
        groups: dict[int, list[MomentSlopes]] = {}
        others = Cotangent(terms=cotangent.terms, complement=cotangent.complement, logits=cotangent.logits)
        for slopes in cotangent.moments:
            if _exponents(slopes.wanted) is None:
                others.moments.append(slopes)
            else:
                groups.setdefault(id(slopes.weights), []).append(slopes)
        at_label = self._at_label(cotangent)
        parts: list[Any] = []
        for group in groups.values():
            joins = at_label is not None and group[0].target.has_labels
            parts.append(self._back(group, at_label if joins else None))
            at_label = None if joins else at_label
        if at_label is not None:
            parts.append(self._back([], at_label))
        if others.moments or others.terms or others.complement or others.logits or not parts:
            parts.append(super().gradient(others))
        gradient: Any = sum_or_none(parts)
        return gradient

    def _back(self, group: list[MomentSlopes], at_label: Tensor | None) -> Tensor:
        """The gradient from moments that have their weights in common, and from what is added at the labels."""
        exponents: passes.Moments = sum((_exponents(one.wanted) or () for one in group), ())
        tables = _stacked([one.slopes for one in group], self.given_logits.shape[0])
        array = _array_of(group[0].target) if group else self.given_labels
        value: Any = self.ops.value
        if value is None:
            value = self.given_logits.new_zeros((), dtype=self.ops.compute_dtype(self.given_logits))
        return passes.backward(
            softmax,
            self._pixels(array, group[0].weights if group else None),
            exponents,
            tables,
            at_label,
            value,
        )


def _stacked(groups: list[Sequence[Tensor]], images: int) -> Tensor | None:
    """All tables as one array `(M, N or 1, C)`; None if there are none."""
    if len(groups) == 1 and isinstance(groups[0], Tensor):
        return groups[0]
    tables = [table for group in groups for table in group]
    if len({len(table) for table in tables}) > 1:
        tables = [table.expand(images, -1) for table in tables]
    return torch.stack(tables) if tables else None


def _whole(number: float) -> float:
    """A whole number as an integer: the kernels' compiler compares these."""
    return int(number) if number == int(number) else number


def _array_of(target: Target) -> Any:
    return target.given_labels if target.has_labels else target.dense


def _exponents(wanted: Sequence[Moment]) -> passes.Moments | None:
    """Those of p and of the target, as the kernels have them; None where one is an array."""
    pairs = tuple([(moment.i, moment.j) for moment in wanted])
    if any(type(k) not in (int, float, str) for pair in pairs for k in pair):
        return None
    return _as_numbers(pairs)


@functools.lru_cache(maxsize=256)
def _as_numbers(pairs: tuple[tuple[Any, Any], ...]) -> passes.Moments:
    found: Any = tuple(tuple(-1 if k is COMPLEMENT else _whole(k) for k in pair) for pair in pairs)
    return found
