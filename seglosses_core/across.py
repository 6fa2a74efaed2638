"""The parts of a batch on several processes: one exchange of all sums, and what a gradient is multiplied by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from seglosses_core.arithmetic import product_or_none
from seglosses_core.checks import check_choice, is_array
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops, ops_for
from seglosses_core.parts import ALL, IMAGES, PIXELS, Entry, Exchange, Key, Same

BLOCK = 512
"""The numbers of the first message of each exchange, however many are sent: so messages fit each other also where the
processes disagree, and all of them see it."""
_HEADER = 3


class Group(Protocol):
    """Processes, or whatever has parts of one batch."""

    def all_reduce(self, vector: Array, op: str) -> Array:
        """The sum, op="sum", or the maximum, op="max", of the vectors of all, on all of them."""


class PartsDisagree(RuntimeError):
    """What the processes compute does not go together, or one of them failed."""


@dataclass(frozen=True)
class Across:
    """Which parts of a batch there are elsewhere, and how the gradients are brought together."""

    images: Any = None
    """A group whose members have different images."""
    pixels: Any = None
    """A group whose members have parts of the same images."""
    gradients: str = "mean"
    """Whether the mean or the sum over the parts is the gradient of the whole."""

    def __post_init__(self) -> None:
        check_choice("gradients", self.gradients, ("mean", "sum"))
        if not self.groups():
            raise ValueError(
                "across needs images= or pixels=, a group that has the other parts; alone() has none."
            )
        for name in ("images", "pixels"):
            group = getattr(self, name)
            if group is not None and not callable(getattr(group, "all_reduce", None)):
                raise TypeError(
                    f"{name} must be a group with all_reduce(vector, op) for op='sum' and 'max', got {group!r}."
                )

    def groups(self) -> list[Any]:
        return [group for group in (self.pixels, self.images) if group is not None]

    def fail(self, like: Array) -> None:
        """Tell others, who wait for sums, that none come."""
        if is_array(like):
            _fail(self.groups(), like)


def _fail(groups: Sequence[Any], like: Array) -> None:
    ops = ops_for(like, 1, 3)
    for group in filter(checks, groups):
        group.all_reduce(ops.constant([math.nan] * BLOCK, like, ops.accumulation_dtype(like)), "sum")


def checks(group: Any) -> bool:
    """Whether the members of a group may disagree: not where one program runs on all of them. Such a group has a `size`
    if what flows back into a sum, by hand, is to be multiplied by that."""
    return getattr(group, "may_disagree", True)


class BetweenProcesses(Exchange):
    """All sums of a round in one vector."""

    def __init__(self, across: Across, of: str) -> None:
        self.across = across
        self.images, self.pixels = across.images is not None, across.pixels is not None
        self.tag = of

    def settle(self, entries: dict[Key, Entry], ops: Ops) -> tuple[Sequence[Sequence[Array]], Sequence[Any]]:
        found = list(entries.values())
        factors: list[Any] = [None] * len(found)
        for group in self.across.groups():
            chosen = [
                i
                for i, e in enumerate(found)
                if group in self._groups_of(e.over) and not isinstance(e.merge, Same)
            ]
            if not chosen:
                continue
            try:
                together, count = self._together(group, [found[i] for i in chosen], ops)
            except PartsDisagree:
                if group is self.across.pixels and self.across.images is not None:
                    _fail([self.across.images], found[0].sums[0])
                raise
            for i, entry in zip(chosen, together, strict=True):
                found[i] = entry
                if self.across.gradients == "mean":
                    factors[i] = product_or_none([factors[i], getattr(group, "factor", count)])
        return [entry.sums for entry in found], factors

    def _together(self, group: Any, entries: list[Entry], ops: Ops) -> tuple[list[Entry], Any]:
        """The entries of all members of a group, and how many there are; None where the group sees to the factor."""
        tag = ops.checksum(repr((self.tag, [[tuple(x.shape) for x in e.sums] for e in entries])))
        maxima = [x for e in entries for x in e.sums[: e.merge.maxima]]
        highest = self._reduce(group, maxima, "max", tag, ops)[0] if maxima else []
        sums, at = [], 0
        for e in entries:
            own = highest[at : at + e.merge.maxima]
            at += e.merge.maxima
            sums += list(e.merge.relative_to(own, e.sums, ops))
        whole, count = self._reduce(group, sums, "sum", tag, ops)
        made, at, place = [], 0, 0
        for e in entries:
            n, m = e.merge.maxima, len(e.sums) - e.merge.maxima
            made.append(e._replace(sums=[*highest[at : at + n], *whole[place : place + m]]))
            at, place = at + n, place + m
        return made, count

    def _reduce(
        self, group: Any, arrays: Sequence[Array], op: str, tag: int, ops: Ops
    ) -> tuple[list[Array], Any]:
        xp = ops.xp
        vector = xp.concat([xp.reshape(x, (-1,)) for x in arrays])
        if checks(group):
            vector, count = self._checked(group, vector, op, float(tag % 2**14), ops)
        else:
            vector, count = group.all_reduce(vector, op), getattr(group, "size", None)
        whole, at = [], 0
        for x in arrays:
            size = math.prod(x.shape)
            whole.append(xp.reshape(vector[at : at + size], x.shape))
            at += size
        return whole, count

    def _checked(self, group: Any, vector: Array, op: str, tag: float, ops: Ops) -> tuple[Array, Any]:
        """The vector of all, behind a header that tells whether they compute the same."""
        xp = ops.xp
        size = vector.shape[0]
        header = [1.0, tag, tag * tag if op == "sum" else -tag]
        padding = [0.0] * max(0, BLOCK - _HEADER - size)
        block = xp.concat(
            [ops.constant(header, vector), vector[: BLOCK - _HEADER], ops.constant(padding, vector)]
        )
        block = group.all_reduce(block, op)
        count = block[0]
        agree = (block[1] == -block[2]) if op == "max" else (block[1] * block[1] == count * block[2])
        ops.require_agreement(agree, self._disagreement)
        whole = block[_HEADER : _HEADER + size] + ops.zero_or_nan(agree, vector.dtype)
        if size > BLOCK - _HEADER:
            rest = group.all_reduce(vector[BLOCK - _HEADER :], op)
            whole = xp.concat([whole, rest])
        return whole, count

    def _groups_of(self, over: str | None) -> list[Any]:
        """Those whose members have other parts of a sum."""
        of_pixels, of_images = over in (PIXELS, ALL), over in (IMAGES, ALL)
        of = ((self.across.pixels, of_pixels), (self.across.images, of_images))
        return [group for group, asked in of if group is not None and asked]

    def _disagreement(self) -> PartsDisagree:
        name = self.tag.partition("(")[0]
        return PartsDisagree(
            "the processes that compute a loss together must call the same losses in the same order, with as many"
            " classes (and images, across pixels=): another process failed, or does something else than"
            f" {name} here."
        )

    def reduce(
        self, over: str | None, sums: Sequence[Array], op: str, name: str, ops: Ops
    ) -> Sequence[Array]:
        dtypes = [x.dtype for x in sums]
        wide = [ops.cast(ops.stop_gradient(x), ops.accumulation_dtype(x)) for x in sums]
        for group in self._groups_of(over):
            wide, _ = self._reduce(group, wide, op, ops.checksum(name), ops)
        return [ops.cast(x, dtype) for x, dtype in zip(wide, dtypes, strict=True)]
