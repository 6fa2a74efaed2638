"""One loss over parts: of a batch, or of its images, on other devices or passed before.

A loss is a function of a few sums over pixels and images. It takes each of them by `Parts.add_up`, and goes on with the
sum over all parts. What it takes is found by computing it: first with the sums of this part alone, then, these added up
in one exchange, with those of all. Sums that depend on others are taken in a later round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from seglosses_core.arithmetic import divide, power_or_zero
from seglosses_core.libraries import Array

if TYPE_CHECKING:
    from seglosses_core.ops import Ops

IMAGES, PIXELS, ALL = "images", "pixels", "all"
"""What a sum is over, and so which parts it has: sums over images, of numbers that each image has; over the pixels of
each image, which stay apart; and over all pixels."""

Back = Callable[[Sequence[Array]], Any]
"""From the derivatives with respect to sums."""


class Taken(NamedTuple):
    """What a loss takes of a part: sums, and the way back from their derivatives; None where nothing flows back."""

    sums: Sequence[Array]
    back: Back | None = None


@dataclass(frozen=True)
class Merge:
    """How the sums of two parts become those of both: they are added."""

    maxima: int = 0
    """How many of them, the first, are no sums but maxima."""
    lowest: float = 0.0
    """The maximum of nothing."""

    def nothing(self, sums: Sequence[Array], ops: Ops) -> Sequence[Array]:
        """The sums of a part without pixels, in the shapes of these."""
        xp, count = ops.xp, self.maxima
        maxima = [xp.full_like(x, self.lowest) for x in sums[:count]]
        return [*maxima, *(xp.zeros_like(x) for x in sums[count:])]

    def relative_to(self, maxima: Sequence[Array], sums: Sequence[Array], ops: Ops) -> Sequence[Array]:
        """The sums with respect to other maxima, without these."""
        return sums[self.maxima :]

    def slopes(
        self, sums: Sequence[Array], whole: Sequence[Array], slopes: Sequence[Array], ops: Ops
    ) -> Sequence[Array]:
        """The derivatives with respect to the sums of a part, from those with respect to the sums of all."""
        return slopes


@dataclass(frozen=True)
class OfPowers(Merge):
    """Of `max ℓ`, `Σ w (ℓ / max ℓ)^k` and `Σ w`."""

    maxima: int = 1
    k: Any = 1

    def relative_to(self, maxima: Sequence[Array], sums: Sequence[Array], ops: Ops) -> Sequence[Array]:
        own, total, count = sums
        return total * power_or_zero(_share(own, maxima[0], ops), self.k, ops.xp), count

    def slopes(
        self, sums: Sequence[Array], whole: Sequence[Array], slopes: Sequence[Array], ops: Ops
    ) -> Sequence[Array]:
        # As the way back of `Minkowski` has it: of (ℓ / max ℓ)^(k − 1).
        share = power_or_zero(_share(sums[0], whole[0], ops), self.k - 1, ops.xp)
        return slopes[0], slopes[1] * share, slopes[2]


def _share(own: Array, highest: Array, ops: Ops) -> Array:
    """Of a maximum of a part in that of all, which may be 0 or infinite."""
    xp = ops.xp
    equal = own == highest
    one = xp.ones_like(own)
    return xp.where(equal, one, divide(xp.where(equal, one, own), xp.where(equal, one, highest), xp))


@dataclass(frozen=True)
class Same(Merge):
    """What all parts have alike."""

    def nothing(self, sums: Sequence[Array], ops: Ops) -> Sequence[Array]:
        return sums


ADDED, SAME = Merge(), Same()


class Entry(NamedTuple):
    """Sums of a part, or of all of them, wide."""

    over: str
    sums: Sequence[Array]
    merge: Merge


class Parts:
    """The part of a call is all there is."""

    split = False
    """Whether there may be other parts."""
    empty = False
    """Whether the part has no pixels: then what stands in for them counts nothing."""

    def splits(self, over: str | None) -> bool:
        """Whether sums of this kind have other parts."""
        return False

    def add_up(
        self, over: str | None, take: Callable[[], Taken], *, merge: Merge | None = None, then: bool = False
    ) -> Taken:
        """What `take` gives, over all parts, which are added unless `merge` says otherwise; it is not called again
        where that is known. `then` says that what is taken later depends on these sums."""
        return take()

    def reduce(self, over: str | None, sums: Sequence[Array], op: str, name: str) -> Sequence[Array]:
        """Numbers of all parts, by "sum" or "max", at once and without derivatives: in the midst of a search, of which
        `name` is that of who searches."""
        return sums

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives; where it is asked for again in a later round, the same, unless it took sums itself."""
        return make()

    def next_member(self) -> None:
        """What follows takes no sums that depend on those before."""

    def run(self, evaluate: Callable[[], Any]) -> Any:
        """What `evaluate` gives, with the sums over all parts."""
        return evaluate()


ALONE = Parts()


class Exchange:
    """Brings the sums of parts together: between processes, or in time."""

    images = False
    """Whether the parts have different images."""
    pixels = False
    """Whether the parts are of the same images."""

    def settle(self, entries: dict[Key, Entry], ops: Ops) -> tuple[Sequence[Sequence[Array]], Sequence[Any]]:
        """Of the entries of a round those over all parts, and a factor for what flows back into each, None for 1."""
        raise NotImplementedError

    def reduce(
        self, over: str | None, sums: Sequence[Array], op: str, name: str, ops: Ops
    ) -> Sequence[Array]:
        """As `Parts.reduce`."""
        raise TypeError(
            f"{name} looks for a threshold among all pixels, for which no sums over a part of them stand: keep the"
            " logits of all parts, and give each its part of the gradient with respect to them."
        )


Key = tuple[int, ...]
"""Whose entry it is, and which of them; for one that is taken to take another, which of those."""


class SomeParts(Parts):
    """A part among others, which an exchange brings together."""

    split = True

    def __init__(self, exchange: Exchange, ops: Ops, known: dict[Key, Taken] | None = None) -> None:
        self.exchange = exchange
        self.ops = ops
        self._settled = dict(known or {})
        self._new: dict[Key, tuple[Entry, Back | None]] = {}
        self._kept: dict[Any, Any] = {}
        self._place: Key = (0, 0)
        self._blocked = False

    def splits(self, over: str | None) -> bool:
        images, pixels = self.exchange.images, self.exchange.pixels
        return {IMAGES: images, PIXELS: pixels, ALL: images or pixels, None: False}[over]

    def add_up(
        self, over: str | None, take: Callable[[], Taken], *, merge: Merge | None = None, then: bool = False
    ) -> Taken:
        if over is None or not self.splits(over):
            return take()
        key = *self._place[:-1], self._place[-1] + 1
        self._place = key
        if key in self._settled:
            return self._settled[key]
        self._place = *key, 0  # of sums that are taken to take these
        taken = take()
        self._place = key
        if over == IMAGES and any(
            entry.over == PIXELS and other[0] == key[0] for other, (entry, _) in self._new.items()
        ):
            self._blocked = True  # what each image has is not known yet
        if self._blocked:
            return taken
        wide = [self.ops.cast(x, self.ops.accumulation_dtype(x)) for x in taken.sums]
        merge = ADDED if merge is None else merge
        if self.empty:
            wide = list(merge.nothing(wide, self.ops))
        self._new[key] = Entry(over, wide, merge), taken.back
        self._blocked = then
        return Taken(wide, taken.back)

    def reduce(self, over: str | None, sums: Sequence[Array], op: str, name: str) -> Sequence[Array]:
        if not self.splits(over):
            return sums
        sums = ADDED.nothing(sums, self.ops) if self.empty else sums
        return self.exchange.reduce(over, sums, op, name, self.ops)

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        key = self._place[0], key
        if key not in self._kept:
            place = self._place
            made = make()
            if self._place != place:
                return made
            self._kept[key] = made
        return self._kept[key]

    def next_member(self) -> None:
        self._place, self._blocked = (self._place[0] + 1, 0), False

    def run(self, evaluate: Callable[[], Any]) -> Any:
        while True:
            self._new, self._place, self._blocked = {}, (0, 0), False
            found = evaluate()
            if not self._new:
                return found
            entries = {key: entry for key, (entry, _) in self._new.items()}
            whole, factors = self.exchange.settle(entries, self.ops)
            for (key, (entry, back)), sums, factor in zip(self._new.items(), whole, factors, strict=True):
                self._settled[key] = Taken(sums, self._way_back(entry, sums, back, factor))

    def _way_back(self, entry: Entry, whole: Sequence[Array], back: Back | None, factor: Any) -> Back | None:
        if back is None:
            return None

        def of_part(slopes: Sequence[Array]) -> Any:
            slopes = entry.merge.slopes(entry.sums, whole, slopes, self.ops)
            return back(slopes if factor is None else [factor * slope for slope in slopes])

        return of_part


def merged(a: Entry, b: Entry, ops: Ops) -> Entry:
    """The entry of two parts together."""
    if isinstance(a.merge, Same):
        return a
    count, xp = a.merge.maxima, ops.xp
    maxima = [xp.maximum(x, y) for x, y in zip(a.sums[:count], b.sums[:count], strict=True)]
    sums = zip(*(a.merge.relative_to(maxima, entry.sums, ops) for entry in (a, b)), strict=True)
    return Entry(a.over, [*maxima, *(x + y for x, y in sums)], a.merge)
