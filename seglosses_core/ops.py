"""The few operations that the Array API standard lacks, written in its terms.

An adapter brings a subclass of `Ops` with native kernels, faster but never different, and registers it for its library.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from seglosses_core.activations import ACTIVATIONS, Prediction
from seglosses_core.arithmetic import combination, divide, power
from seglosses_core.libraries import (
    Array,
    library_of,
    namespace_of,
    registered,
)
from seglosses_core.neighbours import Neighbours
from seglosses_core.parts import ALONE, Parts
from seglosses_core.weights import is_ordinary


def ops_for(array: Array, class_axis: int, rank: int) -> Ops:
    """The operations on arrays of the library of `array`."""
    make_ops = registered(array)
    return Ops(namespace_of(array), class_axis, rank) if make_ops is None else make_ops(class_axis, rank)


class Ops(Neighbours):
    """What the losses need beyond the standard. Shapes are those that `Layout` says; a method whose text says so may
    overwrite its first argument."""

    prefers_one_hot = False
    """Whether products with a one-hot target, which a compiler draws into its sums, are better than a look by label."""
    powers_by_log = False
    """Whether p^k is formed as exp(k log p) where k is no whole number: p^k itself has no usable second derivative
    where p underflows."""

    parts: Parts = ALONE
    """What of the batch is in the call, and how sums over it become those over all."""

    casts_logits = True
    """Whether logits narrower than the computation are cast before it; if not, predictions read them as they are."""
    checks_labels = True
    """Whether a `Target` looks for labels that are none when it is made. If not, it does when somebody asks for labels
    that are safe to index with, and predictions that do without those look themselves (`Prediction.nan_if_invalid`)."""

    def activation(self, name: str) -> type[Prediction]:
        """The class of the predictions of an activation; an adapter answers with its own."""
        return ACTIVATIONS[name]

    def activation_of_entries(self, name: str) -> type[Prediction]:
        """The same where the classes of a pixel have weights of their own."""
        return self.activation(name)

    # -- rare values ----------------------------------------------------------------------------------------------

    def zero_or_nan(self, usable: Array, dtype: Any) -> Array:
        """0 where a bool array is True, else NaN. An adapter makes the NaN only where there is one, for people who have
        their library stop at every NaN."""
        zero = self.xp.zeros_like(usable, dtype=dtype)
        return self.xp.where(usable, zero, self.xp.full_like(zero, math.nan))

    def zero_or_infinity(self, finite: Array, dtype: Any) -> Array:
        """0 where a bool array is True, else ∞."""
        zero = self.xp.zeros_like(finite, dtype=dtype)
        return self.xp.where(finite, zero, self.xp.full_like(zero, math.inf))

    def checksum(self, text: str) -> int:
        """A number that differs, as a rule, where texts do."""
        return zlib.crc32(text.encode())

    def require_agreement(self, agree: Array, error: Callable[[], Exception]) -> None:
        """Raise unless a 0-dimensional bool is True, where looking at it costs nothing."""
        if self.is_eager(agree) and not bool(agree):
            raise error()

    def is_ordinary(self, weights: Array) -> bool:
        """Whether weights are known to be finite, not negative and of a size that needs no scaling (`relative`); False
        where values are not looked at."""
        return library_of(weights) == "numpy" and is_ordinary(weights.min(), weights.max())

    # -- ratios of sums -------------------------------------------------------------------------------------------

    def ratio(
        self,
        sums: Sequence[Array],
        coefficients: Sequence[tuple[Any, Any]],
        above: Any,
        below: Any,
        unit: Array | None,
    ) -> tuple[Array, Array, Sequence[Array]]:
        """`u = 1 − (n·S + above) / (d·S + below)` of sums S with pairs (n, d); the ratio itself; and ∂u/∂S for each.

        `unit` is that of the sums, None for 1. Where the denominator is 0, the ratio is 1.
        """
        difference = 0 if above is below else below - above
        terms = [*sums, 1 if unit is None else 1 / unit]
        # d − n first: near perfection the ratio is 1, and what is added to both cancels exactly.
        missed = combination([*(d - n for n, d in coefficients), difference], terms)
        found = combination([*(n for n, _ in coefficients), above], terms)
        denominator = combination([*(d for _, d in coefficients), below], terms)
        never_zero = unit is None and self.is_above_zero(below)

        def over_denominator(numerator: Any, otherwise: float = 0.0) -> Array:
            if never_zero:
                return numerator / denominator
            return divide(numerator, denominator, self.xp, otherwise)

        u, ratio = over_denominator(missed), over_denominator(found, otherwise=1.0)

        def slope(n: Any, d: Any) -> Array:
            """`(d − n − d u) / (d·S + below)`, without a difference that vanishes where u is near 1 or near 0."""
            only_below = isinstance(n, int) and n == 0
            return over_denominator(d * ratio if only_below else combination([d - n, -d], [1, u]))

        return u, ratio, [slope(n, d) for n, d in coefficients]

    def each_times(self, tables: Sequence[Array], factor: Array) -> Sequence[Array]:
        """Each of the tables times a number or a table."""
        return [table * factor for table in tables]

    # -- sums -----------------------------------------------------------------------------------------------------

    def count(self, x: Array) -> Any:
        """The number of entries: an int, or where lengths are unknown an array of the wide dtype."""
        return math.prod(x.shape)

    def label_histogram(self, labels: Array, num_classes: int, dtype: Any) -> Array:
        """The number of pixels of each image and label: `(N, C)`, wide; `dtype` is that of a map of weights."""
        return self.sum_by_label(self.xp.ones_like(labels, dtype=dtype), labels, num_classes)

    def total(self, x: Array) -> Array:
        """The sum of all entries, in the wide dtype."""
        return self.xp.sum(x, dtype=self.accumulation_dtype(x))

    def sum_pixels(self, x: Array) -> Array:
        """Logits-shaped `x` summed over the pixels of each image: `(N, C)`, wide."""
        return self.xp.sum(x, axis=self.spatial_axes, dtype=self.accumulation_dtype(x))

    def sum_image(self, pixel_map: Array) -> Array:
        """A map summed over the pixels of each image: `(N,)`, wide."""
        axes = tuple(range(1, len(pixel_map.shape)))
        return self.xp.sum(pixel_map, axis=axes, dtype=self.accumulation_dtype(pixel_map))

    def sum_classes(self, x: Array) -> Array:
        """Logits-shaped `x` summed over the classes: a map."""
        return self.xp.sum(x, axis=self.class_axis)

    def matmul(self, x: Array, y: Array) -> Array:
        """The product of matrices on the last two axes, in their own precision."""
        return self.xp.matmul(x, y)

    def sum_by_label(self, pixel_map: Array, labels: Array, num_classes: int) -> Array:
        """A map summed over the pixels of each image and label: `(N, C)`, wide."""
        xp = self.xp
        if self.prefers_one_hot:
            hot, spread = self.one_hot(labels, num_classes, xp.bool), self.over_classes(pixel_map)
            return self.sum_pixels(xp.where(hot, spread, xp.zeros_like(spread)))
        if library_of(pixel_map) == "numpy":
            import numpy

            images = labels.shape[0]
            cells = labels.reshape(images, -1) + num_classes * numpy.arange(images)[:, None]
            return numpy.bincount(cells.ravel(), pixel_map.ravel(), images * num_classes).reshape(images, -1)
        zero = xp.zeros_like(pixel_map)
        sums = [self.sum_image(xp.where(labels == c, pixel_map, zero)) for c in range(num_classes)]
        return xp.stack(sums, axis=1)

    def sum_batch_by_label(self, pixel_map: Array, labels: Array, num_classes: int) -> Array:
        """A map summed over the pixels of each label, whatever their image: `(C,)`, wide."""
        if self.prefers_one_hot:
            return self.xp.sum(self.sum_by_label(pixel_map, labels, num_classes), axis=0)
        # As one image: a table of many small ones would be large.
        pixel_map, labels = (self.xp.reshape(x, (1, -1)) for x in (pixel_map, labels))
        return self.sum_by_label(pixel_map, labels, num_classes)[0, :]

    def sum_product(self, x: Array, y: Array, weights: Array | None) -> Array:
        """Σ w x y over the pixels of each image: `(N, C)`, wide; `weights` is a map, logits-shaped or None."""
        product = x * y
        return self.sum_pixels(product if weights is None else product * self.over_classes(weights))

    def power_sum(self, p: Array, exponent: Any, weights: Array | None) -> Array:
        """Σ w p^k over the pixels of each image: `(N, C)`, wide; `weights` is a map, logits-shaped or None."""
        powers = power(p, exponent)
        return self.sum_pixels(powers if weights is None else powers * self.over_classes(weights))

    # -- labels ---------------------------------------------------------------------------------------------------

    def usable_labels(
        self, labels: Array, num_classes: int, valid: Array | None
    ) -> tuple[Array, Array | None]:
        """The labels, with any class for what is none; and whether all valid ones are classes, or None if that is known
        already."""
        inside = (labels >= 0) & (labels < num_classes)
        fine = self.xp.all(inside if valid is None else inside | ~valid)
        return self.clip(labels, 0, num_classes - 1), fine

    def clip(self, x: Array, lowest: float, highest: float) -> Array:
        return self.xp.clip(x, lowest, highest)

    def one_hot(self, labels: Array, num_classes: int, dtype: Any) -> Array:
        """`[label == c]`, logits-shaped."""
        xp = self.xp
        classes = xp.arange(num_classes, dtype=labels.dtype, device=self.device(labels))
        return xp.astype(self.over_classes(labels) == self.over_pixels(classes), dtype)

    def is_hard(self, target: Array) -> bool:
        """Whether the entries of a target are known to be 0 and 1; False where that is not looked at."""
        return False

    def take_at_label(self, x: Array, labels: Array) -> Array:
        """The entry of logits-shaped `x` at each pixel's label: a map."""
        taken = self.xp.take_along_axis(x, self.over_classes(labels), axis=self.class_axis)
        return self.xp.squeeze(taken, axis=self.class_axis)

    def add_at(self, x: Array, labels: Array, pixel_map: Array) -> Array:
        """Logits-shaped `x` with a map added at each pixel's label. May overwrite `x`."""
        hot = self.one_hot(labels, x.shape[self.class_axis], self.xp.bool)
        return self.xp.where(hot, x + self.over_classes(pixel_map), x)

    def table_at_label(self, table: Array, labels: Array) -> Array:
        """The entry of a table `(N, C)`, `(1, C)` or `(C,)` at each pixel's label: a map."""
        xp = self.xp
        images = labels.shape[0]
        table = xp.broadcast_to(table if len(table.shape) == 2 else table[None, :], (images, table.shape[-1]))
        flat = xp.take_along_axis(table, xp.reshape(labels, (images, -1)), axis=1)
        return xp.reshape(flat, labels.shape)

    def rows_at_label(self, table: Array, labels: Array) -> Array:
        """The row of a table `(C, D)` at each pixel's label: `(N, D, *S)` with D at the class axis."""
        xp = self.xp
        rows = xp.take(table, xp.reshape(labels, (-1,)), axis=0)
        rows = xp.reshape(rows, (*labels.shape, table.shape[1]))
        return self.moveaxis(rows, -1, self.class_axis)

    # -- logarithms -----------------------------------------------------------------------------------------------

    def log1p(self, x: Array) -> Array:
        """log(1 + x) for x ≥ −1/2, to full relative precision."""
        return self.xp.log1p(x)

    def expm1(self, x: Array) -> Array:
        """exp(x) − 1, to full relative precision."""
        return self.xp.expm1(x)

    def log(self, x: Array) -> Array:
        """log x with log 0 = −∞, and nothing for NumPy to warn of."""
        xp = self.xp
        positive = x > 0
        logarithm = xp.log(xp.where(positive, x, xp.ones_like(x)))
        return xp.where(positive, logarithm, 0 * x - self.zero_or_infinity(positive, x.dtype))

    def log_sigmoid(self, z: Array) -> Array:
        """log σ(z). Written with `where`, so that its derivative is right at 0 too, where those of `abs` and
        `minimum` differ between the frameworks.
        """
        xp = self.xp
        negative = z < 0
        return xp.where(negative, z, xp.zeros_like(z)) - self.log1p(xp.exp(xp.where(negative, z, -z)))

    def finite_where_unused(self, log_p: Array, used: Callable[[], Array]) -> Array:
        """0 for −inf where that is not used: its cost, 0 · ∞, is 0 there."""
        return self.xp.where(used() | (log_p > -math.inf), log_p, self.xp.zeros_like(log_p))
