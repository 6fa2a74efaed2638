"""The entries of each row in the order of their size, and what runs along rows: sums and maxima up to each entry."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from seglosses_core.layout import Layout
from seglosses_core.libraries import Array, dtype_name, library_of


class Orders(Layout):
    """Rows are on the last axis: the pixels of a class, of an image or of the whole batch."""

    row_chunk_size = 2**15
    """The entries of the rows that are worked on at a time; large ones are worked on one by one."""

    def rows(self, x: Array, *, batch: bool) -> Array:
        """Logits-shaped `x` with the pixels on the last axis: `(N, C, P)`, or `(1, C, N P)` of a whole batch."""
        moved = self.xp.permute_dims(x, self._rows_order(batch))
        kept = moved.shape[: 1 if batch else 2]
        rows = self.xp.reshape(moved, (*kept, -1))
        return rows[None, ...] if batch else rows

    def from_rows(self, rows: Array, like: Array, *, batch: bool) -> Array:
        """`rows` back in the shape of logits."""
        order = self._rows_order(batch)
        moved = self.xp.reshape(rows, tuple(like.shape[axis] for axis in order))
        return self.xp.permute_dims(moved, tuple(map(order.index, range(self.rank))))

    def _rows_order(self, batch: bool) -> tuple[int, ...]:
        first = (self.class_axis, 0) if batch else (0, self.class_axis)
        return (*first, *self.spatial_axes)

    def over_rows(
        self, function: Callable[..., tuple[Array, Array]], arrays: Sequence[Array | None], *, batch: bool
    ) -> tuple[Array, Array]:
        """What a function makes of the `rows` of arrays, of which the first is logits-shaped and the others broadcast
        against it, or are None: a table, and rows, which are brought back in the shape of logits. Where arrays can be
        written to in parts, it gets some rows at a time."""

        def of_part(arrays: Sequence[Array | None]) -> tuple[Array, Array]:
            table, rows = function(*(x if x is None else self.rows(x, batch=batch) for x in arrays))
            return table, self.from_rows(rows, arrays[0], batch=batch)

        like: Array = arrays[0]
        parts = self.parts_of_rows(like, batch=batch)
        if parts is None:
            return of_part(arrays)
        table, whole = None, self.xp.zeros_like(like)
        for part in parts:
            found, whole[part] = of_part([x if x is None else self.chunk_of(x, part) for x in arrays])
            if table is None:
                images = 1 if batch else like.shape[0]
                size = images, like.shape[self.class_axis]
                table = self.xp.zeros(size, dtype=found.dtype, device=self.device(like))
            table[part[0], part[self.class_axis]] = found
        return table, whole

    def parts_of_rows(self, logits: Array, *, batch: bool) -> Iterator[tuple[slice, ...]] | None:
        """Where large logits are cut between rows; None where arrays cannot be written to in parts."""
        if not self.fills_parts(logits):
            return None
        images, classes = logits.shape[0], logits.shape[self.class_axis]
        rows = classes if batch else images * classes
        at_once = max(1, self.row_chunk_size * rows // math.prod(logits.shape))
        if at_once >= rows:
            return None
        images_at_once = images if batch else max(1, at_once // classes)

        def part(n: int, c: int) -> tuple[slice, ...]:
            cut = [slice(None)] * self.rank
            cut[0], cut[self.class_axis] = slice(n, n + images_at_once), slice(c, c + at_once)
            return tuple(cut)

        return itertools.starmap(
            part, itertools.product(range(0, images, images_at_once), range(0, classes, at_once))
        )

    def ranked(self, keys: Array) -> tuple[Array, Callable[[Array], tuple[Array, Array]]]:
        """The places of the entries of each row, which lies on the last axis, in falling order of their keys; and a
        function: of what there is after 0, 1, 2, … of them, one number more than a row has, what there is for each
        before all that equal it, and after them. The keys have no derivative."""
        falling, order = self.falling(keys)
        if self.fills_parts(keys) and keys.shape[-1] == math.prod(keys.shape):
            tied, first, last = self._ties(falling)
            if 8 * tied.shape[0] <= keys.shape[-1]:
                return order, lambda x: (_but(x[..., :-1], tied, x, first), _but(x[..., 1:], tied, x, last))
        before, through = self.levels(falling)
        return order, lambda x: (self.take(x, before), self.take(x, through))

    def _ties(self, falling: Array) -> tuple[Array, Array, Array]:
        """The entries of one row that others equal, and how many are larger, and not smaller."""
        xp = self.xp
        row = xp.reshape(falling, (-1,))
        starts, ends = self._edges(row)
        places = xp.arange(row.shape[0], dtype=self.index_dtype, device=self.device(row))
        tied = places[~(starts & ends)]
        return tied, *self._counts(tied, starts[tied], ends[tied], row.shape[0])

    def levels(self, falling: Array) -> tuple[Array, Array]:
        """For each entry of rows in falling order how many are larger, and how many are not smaller."""
        index = self.cumulative_sum(self.xp.ones_like(falling, dtype=self.index_dtype), axis=-1) - 1
        return self._counts(index, *self._edges(falling), falling.shape[-1])

    def _edges(self, falling: Array) -> tuple[Array, Array]:
        """Whether an entry is the first of those that equal it, and whether it is the last."""
        xp = self.xp
        steps = falling[..., 1:] != falling[..., :-1]
        edge = xp.ones_like(falling[..., :1], dtype=xp.bool)
        return xp.concat([edge, steps], axis=-1), xp.concat([steps, edge], axis=-1)

    def _counts(self, index: Array, starts: Array, ends: Array, length: int) -> tuple[Array, Array]:
        """From the first and the last of those that are equal, at these places of rows so long."""
        xp = self.xp
        before = self.cumulative_max(xp.where(starts, index, xp.zeros_like(index)))
        left = xp.flip(xp.where(ends, length - 1 - index, xp.zeros_like(index)), axis=-1)
        return before, length - xp.flip(self.cumulative_max(left), axis=-1)

    def falling(self, keys: Array) -> tuple[Array, Array]:
        """The keys of each row in falling order, or other numbers that are equal where they are, and their places."""
        order = self.xp.argsort(keys, axis=-1, descending=True, stable=False)
        return self.take(keys, order), order

    def take(self, x: Array, places: Array) -> Array:
        """The entries of each row at these places."""
        return self.xp.take_along_axis(x, places, axis=-1)

    def put_back(self, x: Array, order: Array) -> Array:
        """What was taken of each row in some order, `take`, where it was."""
        if library_of(x) == "numpy":
            import numpy

            found = numpy.empty_like(x)
            numpy.put_along_axis(found, order, x, axis=-1)
            return found
        return self.take(x, self.xp.argsort(order, axis=-1))

    def running_sums(self, x: Array) -> Array:
        """The sums of the first 0, 1, 2, … entries of each row, which are integers or wide; wide."""
        total = self.cast(self.cumulative_sum(x, axis=-1), self.accumulation_dtype(x))
        return self.xp.concat([self.xp.zeros_like(total[..., :1]), total], axis=-1)

    def order_bits(self, x: Array) -> Array:
        """Numbers ≥ 0 as integers of the same order and width."""
        return x.view(self.xp.int64 if dtype_name(x) == "float64" else self.xp.int32)

    def from_order_bits(self, bits: Array, like: Array) -> Array:
        """The numbers of the dtype of `like` that have these bits."""
        return bits.view(like.dtype)

    def cumulative_max(self, x: Array) -> Array:
        """Along the last axis."""
        if library_of(x) == "numpy":
            import numpy

            return numpy.maximum.accumulate(x, axis=-1)
        step = 1
        while step < x.shape[-1]:
            later = self.xp.maximum(x[..., step:], x[..., :-step])
            x = self.xp.concat([x[..., :step], later], axis=-1)
            step *= 2
        return x

    def cumulative_sum(self, x: Array, axis: int = 0) -> Array:
        return self.xp.cumulative_sum(x, axis=axis)


def _but(x: Array, places: Array, other: Array, others: Array) -> Array:
    """`x` with entries of another array at these places."""
    if not places.shape[0]:
        return x
    x = x + 0
    x[..., places] = other[..., others]
    return x
