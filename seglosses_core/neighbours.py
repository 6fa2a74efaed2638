"""What looks at the pixels around each one: windows, and distances to the nearest of some."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from seglosses_core.libraries import Array, library_of, shape_of
from seglosses_core.orders import Orders

UNREACHED = 2.0**100
"""A squared distance to what is not there: more than any other, and no infinity, at which debuggers stop."""


class Neighbours(Orders):
    """Windows are symmetric around a pixel; a method whose text says so may overwrite its first argument."""

    # -- windows --------------------------------------------------------------------------------------------------

    def reach(self, radius: int, length: int | None) -> int:
        """What a window of this radius reaches of an axis: of a known length no more than from one end to the other."""
        return min(radius, length - 1) if isinstance(length, int) else radius

    def pad(self, x: Array, axes: Sequence[int], widths: Sequence[int], value: float) -> Array:
        """`x` with so many entries of this value before and after it on each of the axes."""
        for axis, width in zip(axes, widths, strict=True):
            edge = self.xp.full_like(x[(*(slice(None),) * axis, slice(0, 1), ...)], value)
            x = self.xp.concat([edge] * width + [x] + [edge] * width, axis=axis)
        return x

    def shifted_view(
        self, x: Array, axes: Sequence[int], place: Sequence[Any], sizes: Sequence[int]
    ) -> Array:
        """What is left of a padded `x` when a window of these sizes is moved over it and of each window the cell at
        `place` is read. The lengths need not be known."""
        cut = [slice(None)] * len(x.shape)
        for axis, start, size in zip(axes, place, sizes, strict=True):
            cut[axis] = slice(start, (start + 1 - size) or None)
        return x[tuple(cut)]

    def add_product(self, total: Array, x: Array, y: Array) -> Array:
        """`total + x y`, logits-shaped. May overwrite `total`."""
        return total + x * y

    def scan(self, step: Callable[..., Any], state: Any, *given: Sequence[Any]) -> Any:
        """`state = step(state, *now)` with one after the other of each sequence of numbers, in memory that does not
        grow with their length. Where the numbers become arrays, floats have the dtype of the state."""
        for now in zip(*given, strict=True):
            state = step(state, *now)
        return state

    def sum_alike(self, x: Array, labels: Array, size: int) -> tuple[Array, Array]:
        """Over those of the same label in the window of this odd size around each pixel, at a distance of d pixels on
        the axis where it is largest: `Σ 2^(1 − d) x`, logits-shaped, and their number, a map. The window is symmetric:
        the way back is the same sum."""
        pixel_axes = range(1, self.rank - 1)
        radii = [self.reach(size // 2, length) for length in shape_of(labels)[1:]]
        sizes = [2 * radius + 1 for radius in radii]
        wide_x = self.pad(x, self.spatial_axes, radii, 0)
        wide_labels = self.pad(labels, pixel_axes, radii, -2)

        def add_neighbour(
            sums: tuple[Array, Array], place: Sequence[Any], weight: Any
        ) -> tuple[Array, Array]:
            total, count = sums
            same = self.cast(labels == self.shifted_view(wide_labels, pixel_axes, place, sizes), x.dtype)
            shifted = self.shifted_view(wide_x, self.spatial_axes, place, sizes)
            return self.add_product(total, shifted, self.over_classes(same * weight)), count + same

        places = list(itertools.product(*map(range, sizes)))
        distances = [
            max((0, *(abs(start - r) for start, r in zip(place, radii, strict=True)))) for place in places
        ]
        weights = [2.0 ** (1 - distance) for distance in distances]
        nothing = self.xp.zeros_like(x), self.xp.zeros_like(labels, dtype=x.dtype)
        return self.scan(add_neighbour, nothing, places, weights)

    # -- distances ------------------------------------------------------------------------------------------------

    def zero_at_seeds(self, seeds: Array, dtype: Any) -> Array:
        """0 at the seeds, else UNREACHED."""
        zero = self.xp.zeros_like(seeds, dtype=dtype)
        return self.xp.where(seeds, zero, self.xp.full_like(zero, UNREACHED))

    def nearest_seed(self, seeds: Array, axis: int, factor: float, dtype: Any) -> Array:
        """`min factor (i − j)²` over the seeds j of an axis, for each place i."""
        xp, far = self.xp, 2**30
        along = self.moveaxis(seeds, axis, -1)
        line = along[(*(slice(0, 1),) * (len(along.shape) - 1), ...)]
        index = self.cast(self.cumulative_sum(xp.ones_like(line, dtype=xp.int32), axis=-1), xp.int32)

        def since_last(seeds: Array) -> Array:
            return index - self.cumulative_max(xp.where(seeds, index, xp.full_like(index, -far)))

        until_next = xp.flip(since_last(xp.flip(along, axis=-1)), axis=-1)
        steps = self.moveaxis(xp.minimum(since_last(along), until_next), -1, axis)
        distance = self.cast(steps, dtype)
        squared = factor * (distance * distance)
        return xp.where(steps < far, squared, xp.full_like(squared, UNREACHED))

    def nearest(self, squared: Array, axis: int, factor: float) -> Array:
        """`min_j squared(j) + factor (i − j)²` for each place i of an axis."""
        if library_of(squared) == "numpy":
            from seglosses_core.envelope import lower_envelope

            return lower_envelope(squared, axis, factor)
        length = squared.shape[axis]
        index = self.cumulative_sum(self.xp.ones_like(squared), axis=axis) - 1

        def step(nearest: Array, j: Any) -> Array:
            offset = index - j
            there = self.shifted_view(squared, (axis,), (j,), (length,))
            return self.xp.minimum(nearest, there + factor * (offset * offset))

        return self.scan(step, squared, list(range(length)))
