"""The sums that a loss is a function of, as something to keep: of a slab of a volume, of a micro-batch, of a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seglosses_core.across import Across, BetweenProcesses
from seglosses_core.call import Shared
from seglosses_core.checks import is_array
from seglosses_core.libraries import Array, library_of
from seglosses_core.ops import Ops, ops_for
from seglosses_core.parts import Entry, Exchange, Key, SomeParts, Taken, merged

if TYPE_CHECKING:
    from seglosses_core.loss import Loss

PARTS_OF = ("batch", "images")


@dataclass(frozen=True)
class Statistics:
    """What `Loss.statistics` takes of a part of a batch: a few numbers, of which `Loss.from_statistics` makes the loss.

    `a + b` is what it takes of both parts together, and `sum` adds up many.
    """

    entries: Mapping[Key, Entry]
    of: str
    """The loss, but for its arrays."""
    parts_of: str
    num_classes: int
    dtype: Any
    factor: Any = None
    """What flows back into a part is multiplied by that, None for 1."""

    @property
    def ops(self) -> Ops:
        return ops_for(self.arrays()[0], 1, 3)

    def arrays(self) -> list[Array]:
        """All numbers, in a fixed order."""
        return [x for entry in self.entries.values() for x in entry.sums]

    def replaced(self, arrays: Sequence[Array]) -> Statistics:
        """The same with other arrays, in that order."""
        left = list(arrays)
        entries = {}
        for key, entry in self.entries.items():
            entries[key] = entry._replace(sums=left[: len(entry.sums)])
            left = left[len(entry.sums) :]
        return replace(self, entries=entries)

    def check_like(self, of: str, parts_of: str | None = None) -> None:
        """Require that these are of a loss, and of such parts."""
        if self.of != of:
            raise ValueError(f"statistics must be of one loss, got those of {self.of} and of {of}.")
        if parts_of is not None and self.parts_of != parts_of:
            raise ValueError(f"statistics must have one parts_of, got {self.parts_of!r} and {parts_of!r}.")

    def __add__(self, other: Any) -> Statistics:
        if not isinstance(other, Statistics):
            return NotImplemented
        self.check_like(other.of, other.parts_of)
        if self.shapes() != other.shapes():
            raise ValueError(
                "statistics must be of parts of the same images, of as many classes, with parts_of='images', got sums"
                f" of shapes {self.shapes()} and {other.shapes()}."
            )
        both = zip(self.entries.items(), other.entries.values(), strict=True)
        return replace(self, entries={key: merged(a, b, self.ops) for (key, a), b in both})

    def __radd__(self, other: Any) -> Statistics:
        """`sum` starts with 0."""
        return self if type(other) is int and other == 0 else NotImplemented

    def shapes(self) -> list[tuple[int, ...]]:
        return [tuple(x.shape) for x in self.arrays()]


def description(loss: Loss) -> str:
    """A loss, but for its arrays, which may be learnt."""

    def of(value: Any, numbers: str | None = None) -> str:
        if is_array(value):
            return f"an array of shape {tuple(value.shape)}"
        if isinstance(value, tuple):
            # Numbers beside arrays become such where a program is traced.
            beside = "an array of shape ()" if any(map(is_array, value)) else None
            return f"({', '.join(of(x, beside) for x in value)})"
        if numbers is not None and isinstance(value, (int, float)):
            return numbers
        return repr(value) if not hasattr(value, "hyperparameters") else description(value)

    given = ", ".join(f"{name}={of(value)}" for name, value in loss.hyperparameters().items())
    return f"{type(loss).__name__}({given})"


class _OneRound(Exchange):
    """Sums that are not brought together yet."""

    def __init__(self, name: str, parts_of: str) -> None:
        self.name = name
        self.images, self.pixels = parts_of == "batch", parts_of == "images"
        self.entries: dict[Key, Entry] = {}

    def settle(self, entries: dict[Key, Entry], ops: Ops) -> tuple[list[Sequence[Array]], list[Any]]:
        if self.entries:
            raise TypeError(
                f"{self.name} takes sums that depend on other sums over all parts, so that none of one pass over a part"
                " stand for it: keep the logits of all parts, and give each its part of the gradient with respect to"
                " them."
            )
        self.entries = entries
        return [entry.sums for entry in entries.values()], [None] * len(entries)


class Collected(_OneRound):
    """The sums of a call, which go on as if there were no other parts."""


class Totals(_OneRound):
    """The sums over all parts are known."""

    def __init__(self, name: str, totals: Statistics) -> None:
        super().__init__(name, totals.parts_of)
        self.totals = totals

    def settle(self, entries: dict[Key, Entry], ops: Ops) -> tuple[list[Sequence[Array]], list[Any]]:
        own, _ = super().settle(entries, ops)
        known = [entry.sums for entry in self.totals.entries.values()]
        shapes = [[tuple(x.shape) for x in sums] for sums in own]
        if shapes != [[tuple(x.shape) for x in sums] for sums in known]:
            raise ValueError(
                f"totals must be of parts like this one, got sums of shapes {self.totals.shapes()} for"
                f" {[shape for part in shapes for shape in part]}."
            )
        return [
            [with_derivative_of(x, y, self.totals.factor, ops) for x, y in zip(whole, part, strict=True)]
            for whole, part in zip(known, own, strict=True)
        ], [self.totals.factor] * len(own)


def with_derivative_of(whole: Array, part: Array, factor: Any, ops: Ops) -> Array:
    """A number, with the derivative that autodiff takes of another, times a factor, None for 1."""
    if library_of(part) == "numpy":
        return whole
    there = ops.xp.isfinite(part)
    part = ops.xp.where(there, part, ops.xp.zeros_like(part))
    change = part - ops.stop_gradient(part)
    return ops.stop_gradient(whole) + (change if factor is None else factor * change)


class WithoutPixels(Shared):
    """What is left of a call of which the sums are known."""

    def __init__(self, statistics: Statistics, ops: Ops) -> None:
        self.ops = ops
        self.target: Any = _TargetWithoutPixels(statistics, ops)
        self._predictions = {}

    def prediction(self, activation: str) -> Any:
        return None

    def inputs(self, names: Any) -> dict[str, Array]:
        return {}


class _TargetWithoutPixels:
    mask = valid = sample_weight = mask_unit = sample_unit = nan_if_invalid = None
    has_labels = by_label = False
    hard = True

    def __init__(self, statistics: Statistics, ops: Ops) -> None:
        self.ops = ops
        self.num_classes = statistics.num_classes
        self.dtype = statistics.dtype
        self.like = statistics.arrays()[0]

    def weights(self, *, with_samples: bool) -> None:
        """Those of pixels that are not there."""

    def unit(self, *, with_samples: bool) -> None:
        """That of these."""


def take_statistics(loss: Loss, call: Any, parts_of: str) -> Statistics:
    """`Loss.statistics` of a call."""
    exchange = Collected(type(loss).__name__, parts_of)
    empty, call.ops.parts = call.ops.parts.empty, SomeParts(exchange, call.ops)
    call.ops.parts.empty = empty
    loss.value(call)
    return Statistics(
        exchange.entries,
        description(loss),
        parts_of,
        int(call.logits.shape[call.ops.class_axis]),
        call.ops.compute_dtype(call.logits),
    )


def everywhere(loss: Loss, statistics: Statistics, across: Across) -> Statistics:
    """`Loss.all_reduce`."""
    statistics.check_like(description(loss))
    exchange = BetweenProcesses(across, description(loss))
    given = {"batch": exchange.images, "images": exchange.pixels}
    if not given[statistics.parts_of] or all(given.values()):
        raise ValueError(
            f"statistics with parts_of={statistics.parts_of!r} are of parts of one kind, which the loss must be across"
            f" alone, got {across!r}."
        )
    found, factors = exchange.settle(dict(statistics.entries), statistics.ops)
    return replace(statistics.replaced([x for sums in found for x in sums]), factor=factors[0])


def number_from(loss: Loss, statistics: Statistics) -> Array:
    """`Loss.from_statistics`."""
    statistics.check_like(description(loss))
    ops = statistics.ops
    exchange = Totals(type(loss).__name__, statistics)
    known = {key: Taken(entry.sums) for key, entry in statistics.entries.items()}
    ops.parts = SomeParts(exchange, ops, known)
    shared = WithoutPixels(statistics, ops)
    value, _, invalid = ops.parts.run(lambda: (*loss.evaluate(shared), shared.nan_if_invalid))
    return value if invalid is None else value * (1 + invalid)
