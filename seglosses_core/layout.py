"""What the arrays of a call are: their dtypes, whether their values can be looked at, where classes and pixels lie, and
how large ones are cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from seglosses_core.libraries import Array, device_of, dtype_name, library_of


class Layout:
    """Arrays of one library, for logits of one rank with the class axis in one place.

    Shapes below: logits `(N, C, *S)` with `C` at `class_axis`; a map `(N, *S)`; a table `(N, C)`, `(1, C)` or `(C,)`.
    A method whose text says so may overwrite its first argument.
    """

    def __init__(self, xp: Any, class_axis: int, rank: int) -> None:
        self.xp = xp
        self.class_axis = class_axis
        self.rank = rank
        self.spatial_axes = tuple(axis for axis in range(1, rank) if axis != class_axis)

    # -- dtypes ---------------------------------------------------------------------------------------------------

    @property
    def index_dtype(self) -> Any:
        """The dtype in which labels index: int64, or int32 where that is all there is (JAX without x64)."""
        return self._widest("int64", "int32")

    def accumulation_dtype(self, x: Array) -> Any:
        """The dtype in which sums over many pixels are formed and kept: float64 where there is one."""
        return self._widest("float64", "float32")

    def _widest(self, *names: str) -> Any:
        there = self.xp.__array_namespace_info__().dtypes()
        return next(there[name] for name in names if name in there)

    def compute_dtype(self, x: Array) -> Any:
        """float64 for float64, float32 for everything narrower."""
        return self.xp.float64 if dtype_name(x) == "float64" else self.xp.float32

    def cast(self, x: Array, dtype: Any) -> Array:
        return x if x.dtype == dtype else self.xp.astype(x, dtype, copy=False)

    def constant(self, values: Any, like: Array, dtype: Any = None) -> Array:
        """Numbers, or an array, as an array beside `like`: on its device, of its dtype if none is given."""
        dtype = dtype or like.dtype
        if hasattr(values, "dtype"):
            return self.cast(values, dtype)
        return self.xp.asarray(values, dtype=dtype, device=self.device(like))

    def equals(self, x: Array, y: Array) -> Array:
        """1 where the entries of both are equal, else 0; of the dtype of `x`."""
        return self.cast(x == y, x.dtype)

    def exceeds(self, x: Array, y: Any) -> Array:
        """1 where the entries of `x` are larger, else 0; of the dtype of `x`."""
        return self.cast(x > y, x.dtype)

    def scaled(self, x: Array, factor: Any) -> Array:
        """`x factor`, of the dtype of `x`; `factor` is a number or None for 1. May overwrite `x`."""
        if factor is None:
            return x
        x *= self.constant(factor, x)
        return x

    def device(self, x: Array) -> Any:
        return device_of(x)

    def is_eager(self, x: Array) -> bool:
        """Whether values can be looked at, or only shapes and dtypes."""
        return True

    def may_look(self, x: Array) -> bool:
        """Whether the values of `x` can be looked at, and nobody has to wait for a device."""
        return library_of(x) == "numpy"

    def may_choose(self, x: Array) -> bool:
        """Whether a program can take one of two ways by the values of `x`, at little cost."""
        return False

    def choose(
        self, condition: Array, first: Callable[[], list[Array]], second: Callable[[], list[Array]]
    ) -> list[Array]:
        """What `first` gives if a 0-dimensional bool is True, else what `second` gives: arrays of the same shapes and
        dtypes."""
        return first() if bool(condition) else second()

    def is_above_zero(self, number: Any) -> bool:
        """Whether a number is known to be above 0, in every dtype. Of one that a compiler has a symbol for, nothing
        is known."""
        return isinstance(number, (int, float)) and number > 1e-30

    def stop_gradient(self, x: Array) -> Array:
        """`x`, of which autodiff takes no derivative: the library's, if the adapter is not there."""
        library = library_of(x)
        if library == "jax":
            import jax

            return jax.lax.stop_gradient(x)
        return x.detach() if library == "torch" else x

    # -- shapes ---------------------------------------------------------------------------------------------------

    def over_classes(self, pixel_map: Array) -> Array:
        """A map `(N, *S)`, or a number, that broadcasts against logits; what is logits-shaped already as it is."""
        if len(pixel_map.shape) in (0, self.rank):
            return pixel_map
        return self.xp.expand_dims(pixel_map, axis=self.class_axis)

    def over_pixels(self, table: Array) -> Array:
        """A table `(N, C)` or `(C,)` that broadcasts against logits."""
        if len(table.shape) == 1:
            table = table[None, :]
        before, after = self.class_axis - 1, self.rank - 1 - self.class_axis
        return table[(slice(None), *(None,) * before, slice(None), *(None,) * after)]

    def over_image(self, numbers: Array) -> Array:
        """Numbers `(N,)` that broadcast against a map."""
        return numbers[(slice(None), *(None,) * (self.rank - 2))]

    def each_image(self, x: Array, dtype: Any) -> Array:
        """1 for each image of a map, or of logits-shaped `x`: `(N,)`."""
        return self.xp.ones_like(x[(slice(None), *(0,) * (len(x.shape) - 1))], dtype=dtype)

    def moveaxis(self, x: Array, source: int, destination: int) -> Array:
        return self.xp.moveaxis(x, source, destination)

    def image_rows(self, x: Array) -> Array:
        """The entries of each image in a row: `(N, entries)`."""
        return self.xp.reshape(x, (x.shape[0], -1))

    def class_zero(self, x: Array) -> Array:
        """The entries of class 0 of logits-shaped `x`: a map."""
        return x[(*(slice(None),) * self.class_axis, 0, ...)]

    # -- parts ----------------------------------------------------------------------------------------------------

    chunk_size = 2**17
    """The entries of a part of the logits that is worked on at a time: so many stay in the cache."""

    def fills_parts(self, x: Array) -> bool:
        """Whether arrays can be written to in parts, and are better made so."""
        return library_of(x) == "numpy"

    def chunks(self, logits: Array) -> Iterator[tuple[slice, ...]] | None:
        """Where large logits are cut, along one spatial axis; None where arrays cannot be written to in parts."""
        if not self.fills_parts(logits):
            return None
        return self._cut(logits, logits.strides, self.chunk_size)

    def _cut(self, logits: Array, strides: Sequence[int], size: int) -> Iterator[tuple[slice, ...]] | None:
        entries = math.prod(logits.shape)
        if entries <= size or not self.spatial_axes:
            return None
        cut = max(self.spatial_axes, key=lambda axis: (logits.shape[axis] > 1) * strides[axis])
        length = max(1, size * logits.shape[cut] // entries)
        return (
            tuple(slice(start, start + length) if axis == cut else slice(None) for axis in range(self.rank))
            for start in range(0, logits.shape[cut], length)
        )

    def chunk_of(self, x: Array, part: tuple[slice, ...]) -> Array:
        """A part of logits, of a map, or of what broadcasts against logits."""
        if not len(x.shape):
            return x
        if len(x.shape) < self.rank:
            part = part[: self.class_axis] + part[self.class_axis + 1 :]
        return x[tuple(slice(None) if n == 1 else s for n, s in zip(x.shape, part, strict=True))]
