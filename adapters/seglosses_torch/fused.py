"""Activations whose passes over the pixels are one kernel each way, eager and compiled."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from seglosses_core.activations import Cotangent, Prediction, Side, Sigmoid, Softmax
from seglosses_core.arithmetic import once, sum_or_none
from seglosses_core.call import Cotangents, Shared
from seglosses_core.moments import COMPLEMENT, SQUARED_ERROR, Moment, MomentSlopes
from seglosses_core.target import Target
from seglosses_torch.compiled import CompiledOps, CompiledSoftmax
from seglosses_torch.eager import EagerOps, EagerSigmoid, EagerSoftmax
from seglosses_torch.kernels import in_graphs, passes
from seglosses_torch.kernels.neighbours import sum_alike
from seglosses_torch.kernels.pixels import Exponents, Pixels, WayBack
from seglosses_torch.kernels.ratio import ratio
from seglosses_torch.operations import TorchOps

Maps = tuple[Tensor, Tensor]
"""log p and 1 − p of each pixel's label."""


class OnePassOps(TorchOps):
    """Logits stay in their dtype: a kernel reads them."""

    casts_logits = False
    checks_labels = False
    value: Tensor | None = None
    """What the loss amounts to, set before the way back: where it is NaN, so is all of the gradient."""
    materialised = False
    """Whether anything of the logits' size has been formed."""
    upstream_first = True
    """Whether what comes from upstream is there before the way back."""

    def activation_of_entries(self, name: str) -> type[Prediction]:
        self.materialised = True  # for the kernels read weights of pixels
        return super().activation(name)

    def pass_there(
        self, pixels: Pixels, exponents: Exponents, *, at_label: bool
    ) -> tuple[Sequence[Tensor], Maps | None]:
        """The sum `(N, C)` of each pair of exponents, and the maps if they are asked for."""
        raise NotImplementedError

    def pass_back(self, way: WayBack, value: Tensor, *, rounded: bool) -> Tensor:
        raise NotImplementedError


class FusedOps(OnePassOps, EagerOps):
    """For GPUs, where a launch costs more than a pass over a map."""

    def may_look(self, x: Tensor) -> bool:
        return False

    def on_cpu(self, x: Tensor) -> bool:
        return False

    def activation(self, name: str) -> type[Prediction]:
        if name in FUSED:
            return FUSED[name]
        self.materialised = True
        return super().activation(name)

    def pass_there(
        self, pixels: Pixels, exponents: Exponents, *, at_label: bool
    ) -> tuple[Sequence[Tensor], Maps | None]:
        return passes.forward(pixels, exponents, at_label=at_label)

    def pass_back(self, way: WayBack, value: Tensor, *, rounded: bool) -> Tensor:
        return passes.backward(way, value, rounded=rounded)

    def sum_alike(self, x: Tensor, labels: Tensor, size: int) -> tuple[Tensor, Tensor]:
        return sum_alike(x, self.class_axis, labels, size) or super().sum_alike(x, labels, size)

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


class CompiledFusedOps(OnePassOps, CompiledOps):
    """The same kernels in a compiled program, which fuses what is left."""

    upstream_first = False

    def activation(self, name: str) -> type[Prediction]:
        return COMPILED_FUSED.get(name) or super().activation(name)

    def pass_there(
        self, pixels: Pixels, exponents: Exponents, *, at_label: bool
    ) -> tuple[Sequence[Tensor], Maps | None]:
        activation, class_axis, flat = WayBack(pixels, exponents).form()
        sums, *maps = in_graphs.pass_there(
            activation, pixels.logits, class_axis, pixels.target, pixels.valid, pixels.weights, flat, at_label
        )
        return sums.unbind(), (maps[0], maps[1]) if at_label else None

    def pass_back(self, way: WayBack, value: Tensor, *, rounded: bool) -> Tensor:
        activation, class_axis, flat = way.form()
        logits, (target, valid, weights, slopes, at_label) = way.pixels.logits, way.tensors()
        return in_graphs.pass_back(
            activation, logits, class_axis, target, valid, weights, flat, slopes, at_label, value, rounded
        )

    def sum_alike(self, x: Tensor, labels: Tensor, size: int) -> tuple[Tensor, Tensor]:
        if self.rank > 5:
            return super().sum_alike(x, labels, size)
        return in_graphs.sum_alike(x, self.class_axis, labels, size)


class OnePass(Prediction):
    """Moments come from the logits in one pass, and the gradient in another. What no kernel gives is formed as the
    other base class forms it."""

    ops: OnePassOps
    name: ClassVar[str]
    """Of the activation, as the kernels know it."""
    labels_in_pass: ClassVar[bool] = False
    """Whether what flows back at the labels goes home in the pass."""
    masks_logits = True
    given_labels: Any

    def __init__(
        self,
        logits: Tensor,
        ops: OnePassOps,
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

    # -- what is formed -------------------------------------------------------------------------------------------

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

    def _pixels(self, target: Tensor, weights: Tensor | None) -> Pixels:
        return Pixels(self.name, self.given_logits, self.ops.class_axis, target, self.valid, weights)

    def moments(
        self, wanted: Sequence[Moment], target: Target, weights: Tensor | None, *, batch: bool
    ) -> tuple[list[Tensor], Callable[[Sequence[Tensor]], Cotangent]]:
        exponents = _exponents(wanted)
        if exponents is None:
            return super().moments(wanted, target, weights, batch=batch)
        pixels = self._pixels(_array_of(target), weights)
        sums, _ = self.ops.pass_there(pixels, exponents, at_label=False)
        if batch:
            sums = [x.sum(0, keepdim=True) for x in sums]
        return list(sums), lambda slopes: Cotangent(moments=[MomentSlopes(wanted, slopes, weights, target)])

    # -- one pass back --------------------------------------------------------------------------------------------

    def ways_back(self, cotangent: Cotangent) -> tuple[list[WayBack], Cotangent | None]:
        """The passes that a cotangent takes, one for the moments that have their weights in common; and what is left
        of it for what was formed, None if nothing is."""
        groups: dict[int, list[MomentSlopes]] = {}
        others = Cotangent(terms=cotangent.terms, complement=cotangent.complement, logits=cotangent.logits)
        for slopes in cotangent.moments:
            if _exponents(slopes.wanted) is None:
                others.moments.append(slopes)
            else:
                groups.setdefault(id(slopes.weights), []).append(slopes)
        at_label = None
        if self.labels_in_pass:
            at_label = self._at_label(cotangent)
        else:
            others.label_terms = cotangent.label_terms
        ways = []
        for group in groups.values():
            joins = at_label is not None and group[0].target.has_labels
            ways.append(self._way_back(group, at_label if joins else None))
            at_label = None if joins else at_label
        if at_label is not None:
            ways.append(self._way_back([], at_label))
        left = others.moments or others.terms or others.label_terms or others.complement or others.logits
        return ways, others if left or not ways else None

    def _way_back(self, group: list[MomentSlopes], at_label: Tensor | None) -> WayBack:
        exponents: Exponents = sum((_exponents(one.wanted) or () for one in group), ())
        tables = _stacked([one.slopes for one in group], self.given_logits.shape[0])
        array = _array_of(group[0].target) if group else self.given_labels
        pixels = self._pixels(array, group[0].weights if group else None)
        return WayBack(pixels, exponents, tables, at_label)

    def gradient(self, cotangent: Cotangent) -> Tensor:
        ways, others = self.ways_back(cotangent)
        last = len(ways) == 1 and others is None and self.ops.upstream_first and not self.ops.materialised
        parts = [self._pass_back(way, rounded=last) for way in ways]
        if others is not None:
            parts.append(super().gradient(others))
        gradient: Any = sum_or_none(parts)
        return gradient

    def _pass_back(self, way: WayBack, *, rounded: bool = False) -> Tensor:
        """In the dtype of the computation, or `rounded` to that of the logits: then nothing may be added any more."""
        value = self.ops.value
        if value is None:
            value = self.given_logits.new_zeros((), dtype=self.ops.compute_dtype(self.given_logits))
        return self.ops.pass_back(way, value, rounded=rounded)


class OnePassSoftmax(OnePass, Softmax):
    """What is known of each pixel's label comes from a pass, too."""

    name = "softmax"
    labels_in_pass = True

    @once
    def _maps(self) -> Maps:
        """log p and 1 − p of each pixel's label."""
        maps = self.ops.pass_there(self._pixels(self.given_labels, None), (), at_label=True)[1]
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


class OnePassSigmoid(OnePass, Sigmoid):
    """What is known of each class, where the target says 1 or 0, comes from a pass, too."""

    name = "sigmoid"

    def side_of(self, target: Target) -> tuple[Side, Callable[[Tensor], Tensor]]:
        self.ops.materialised = True
        pixels = self._pixels(_array_of(target), None)
        maps = self.ops.pass_there(pixels, (), at_label=True)[1]
        assert maps is not None
        formed = super().side_of
        side = Side(
            maps[0],
            lambda: maps[0].exp(),
            lambda: maps[1],
            lambda: formed(target)[0].log_complement(),
        )
        return side, lambda slope: self._pass_back(WayBack(pixels, (), None, slope))


class FusedSoftmax(OnePassSoftmax, EagerSoftmax):
    ops: FusedOps


class FusedSigmoid(OnePassSigmoid, EagerSigmoid):
    ops: FusedOps


class CompiledFusedSoftmax(OnePassSoftmax, CompiledSoftmax):
    ops: CompiledFusedOps


class CompiledFusedSigmoid(OnePassSigmoid):
    ops: CompiledFusedOps


FUSED: dict[str, type[Prediction]] = {"softmax": FusedSoftmax, "sigmoid": FusedSigmoid}
COMPILED_FUSED: dict[str, type[Prediction]] = {
    "softmax": CompiledFusedSoftmax,
    "sigmoid": CompiledFusedSigmoid,
}
NAMED = {COMPLEMENT: -1, SQUARED_ERROR: -2}
"""What stands in the place of an exponent, as the kernels know it."""


def only_way_back(shared: Shared, cotangents: Cotangents) -> WayBack | None:
    """The pass that the gradient of the logits takes, if it takes one and nothing else."""
    if len(cotangents) > 1:
        return None
    ((activation, cotangent),) = cotangents.items()
    prediction = shared.prediction(activation)
    if not isinstance(prediction, OnePass):
        return None
    ways, others = prediction.ways_back(cotangent)
    return ways[0] if len(ways) == 1 and others is None else None


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


def _exponents(wanted: Sequence[Moment]) -> Exponents | None:
    """Those of p and of the target, as the kernels have them; None where one is an array."""
    pairs = [(moment.i, moment.j) for moment in wanted]
    if any(type(k) not in (int, float, str) for pair in pairs for k in pair):
        return None
    found: Any = tuple(
        [tuple([NAMED[k] if isinstance(k, str) else _whole(k) for k in pair]) for pair in pairs]
    )
    return found
