"""What a prediction is compared with: labels, one-hot or soft targets; ignored pixels and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seglosses_core.arithmetic import once, power, product_or_none
from seglosses_core.checks import dtype_is
from seglosses_core.libraries import Array
from seglosses_core.weights import ORDINARY, relative

if TYPE_CHECKING:
    from seglosses_core.ops import Ops


_NO_LABEL = -(2**31)


def as_labels(target: Array, num_classes: int, ops: Ops) -> Array:
    """Labels as integers `(N, *S)`, if they came with an axis of length 1 in the place of the classes, or as floats, of
    which one that is not whole becomes a number that is no label; any other target as it is."""
    xp = ops.xp
    if len(target.shape) == ops.rank and target.shape[ops.class_axis] == 1 < num_classes:
        target = xp.squeeze(target, axis=ops.class_axis)
    if len(target.shape) == ops.rank or not dtype_is(target, "floating"):
        return target
    wide = ops.cast(target, ops.compute_dtype(target))
    labels = xp.where(xp.abs(wide) < 2.0**31, wide, 0.5 * xp.ones_like(wide))
    whole = xp.floor(labels) == labels
    labels = ops.cast(labels, ops.index_dtype)
    return xp.where(whole, labels, xp.full_like(labels, _NO_LABEL))


class Target:
    """The target of one call, made safe: what is ignored is 0 here, whatever it was.

    Attributes
    ----------
    has_labels : bool
        Whether the target came as labels of two or more classes.
    given_labels : map of integers or None
        These labels, not looked at yet, in the index dtype or as narrow as they came.
    dense : logits-shaped or None
        The target of each class, where it came as one-hot or soft, or with one class.
    of_entries : bool
        Whether the classes of a pixel have weights of their own: then `valid` and `mask`, and the `weights`, are
        logits-shaped in place of maps, and labels are dense.
    valid : map of bool or None
        Where pixels count; None if all do.
    mask : map or None
        The weight of each pixel without `sample_weight`, 0 where invalid; None if all are 1.
    sample_weight : `(N,)` or None
    mask_unit, sample_unit : 0-dimensional or None
        What `mask` and `sample_weight` have to be multiplied by to be those that were given: weights of a size that
        overflows or underflows in products are scaled first. None for 1.
    nan_if_invalid : 0-dimensional or None
        NaN if a label that counts lies outside the classes, an integer of a one-hot target is neither 0 nor 1, or a
        weight is negative, infinite or NaN, else 0. The value is multiplied by one more than it, so that it becomes NaN
        in every framework. (Indexing with such a label would raise, wrap or clamp, depending on the framework.)
    """

    def __init__(
        self,
        target: Array,
        *,
        num_classes: int,
        dtype: Any,
        ops: Ops,
        ignore_index: int | None = None,
        mask: Array | None = None,
        sample_weight: Array | None = None,
        scaled: bool = False,
    ) -> None:
        """`scaled`: the weights are known to need no scaling."""
        xp = ops.xp
        self.ops = ops
        self.num_classes = num_classes
        self.dtype = dtype
        self.dense = self.mask = self.nan_if_invalid = None
        self._scaled = scaled
        self.sample_weight, self.sample_unit = self._read_weights(sample_weight)
        if mask is not None and num_classes == 1 and len(mask.shape) == ops.rank:
            mask = xp.squeeze(mask, axis=ops.class_axis)
        self.of_entries = mask is not None and len(mask.shape) == ops.rank
        integers = dtype_is(target, "integer")
        if integers and num_classes == 1 and len(target.shape) == ops.rank:
            target = xp.squeeze(target, axis=ops.class_axis)
        labelled = len(target.shape) < ops.rank
        self._hard = labelled or integers or target.dtype == xp.bool
        if labelled and (ops.checks_labels or ignore_index is not None):
            target = ops.cast(target, ops.index_dtype)  # a narrower one may lack the ignore_index
        self.valid = self._find_valid(target, mask, ignore_index if labelled else None)
        self.has_labels = labelled and num_classes > 1 and not self.of_entries
        self.given_labels = target if self.has_labels else None
        if self.has_labels:
            if ops.checks_labels:
                self.labels  # noqa: B018
        elif labelled and num_classes > 1:
            self.dense = ops.one_hot(self._usable(target), num_classes, dtype)
        elif labelled:
            self.dense = ops.cast(ops.over_classes(self._usable(target)), dtype)
        else:
            if integers:
                self.require(xp.all(self.only_valid((target == 0) | (target == 1), True)))
                target = target == 1
            self.dense = self.only_valid(ops.cast(target, dtype))
        weight, self.mask_unit = self._read_weights(mask)
        if self.valid is not None:
            weight = xp.ones_like(self.valid, dtype=dtype) if weight is None else weight
            self.mask = xp.where(self.valid, weight, xp.zeros_like(weight))

    def _find_valid(self, target: Array, mask: Array | None, ignore_index: int | None) -> Array | None:
        ops, xp = self.ops, self.ops.xp
        valid = None
        if mask is not None:
            valid = mask if mask.dtype == xp.bool else mask > 0
        if ignore_index is not None:
            kept = self._beside_mask(target != ignore_index)
            valid = kept if valid is None else valid & kept
        if self.sample_weight is not None:
            if valid is None:
                pixels = target if len(target.shape) < ops.rank else ops.class_zero(target)
                valid = xp.ones_like(pixels, dtype=xp.bool)
            valid = valid & self._beside_mask(ops.over_image(self.sample_weight > 0))
        return valid

    def _beside_mask(self, pixel_map: Array) -> Array:
        """A map that broadcasts against the mask."""
        return self.ops.over_classes(pixel_map) if self.of_entries else pixel_map

    @once
    def labels(self) -> Array | None:
        """Each pixel's class, safe to index with: of what is none, any; None without labels."""
        return self._usable(self.given_labels) if self.has_labels else None

    def _usable(self, labels: Array) -> Array:
        ops = self.ops
        labels = ops.cast(labels, ops.index_dtype)
        valid = ops.xp.any(self.valid, axis=ops.class_axis) if self.of_entries else self.valid
        labels, all_valid = ops.usable_labels(labels, max(self.num_classes, 2), valid)
        if all_valid is not None:
            self.require(all_valid)
        return labels

    def _read_weights(self, weights: Array | None) -> tuple[Array | None, Array | None]:
        """Weights in the dtype of the computation and of ordinary size, and the unit that they are in."""
        if weights is None:
            return None, None
        ops = self.ops
        read = ops.cast(weights, self.dtype)
        if weights.dtype == ops.xp.bool or ops.is_ordinary(read):
            return read, None
        self.require(ops.xp.all((read >= 0) & (read < float("inf"))))
        if ops.parts.split:
            # A unit would have to be that of all parts.
            largest = ops.xp.max(read)  # of nothing −∞ in TensorFlow
            self.require((largest <= 0) | ((largest >= 1 / ORDINARY) & (largest <= ORDINARY)))
            return read, None
        return (read, None) if self._scaled else relative(read, ops)

    def require(self, all_valid: Array) -> None:
        """Make the value NaN unless a 0-dimensional bool is True."""
        nan = self.ops.zero_or_nan(all_valid, self.dtype)
        self.nan_if_invalid = nan if self.nan_if_invalid is None else self.nan_if_invalid + nan

    @once
    def values(self) -> Array:
        """The target of each class, logits-shaped: one-hot if it came as labels."""
        if self.dense is not None:
            return self.dense
        return self.ops.one_hot(self.labels, self.num_classes, self.dtype)

    @once
    def hard(self) -> bool:
        """Whether each class is known to be 1 or 0."""
        return self._hard or self.ops.is_hard(self.dense)

    @once
    def signs(self) -> Array:
        """For a hard target 1 and −1 instead of 1 and 0, logits-shaped."""
        return 2 * self.values - 1

    def only_valid(self, x: Array, otherwise: float = 0.0) -> Array:
        """Logits-shaped `x` with a harmless number where pixels do not count: not even NaN gets through from there."""
        if self.valid is None:
            return x
        xp = self.ops.xp
        return xp.where(self.ops.over_classes(self.valid), x, xp.full_like(x, otherwise))

    def weights(self, *, with_samples: bool) -> Array | None:
        """The weight of each pixel, a map, or `of_entries` logits-shaped, or None if all are 1; with or without its
        image's `sample_weight`."""
        if self.sample_weight is None or not with_samples:
            return self.mask
        return self.mask * self._beside_mask(self.ops.over_image(self.sample_weight))

    def unit(self, *, with_samples: bool) -> Array | None:
        """The unit that `weights` are in, wide; None for 1."""
        units = [self.mask_unit, self.sample_unit if with_samples else None]
        return product_or_none(units)

    @property
    def by_label(self) -> bool:
        """Whether labels are better than their one-hot form."""
        return self.has_labels and not self.ops.prefers_one_hot

    @property
    def like(self) -> Array:
        """An array of the target's device."""
        return self.given_labels if self.has_labels else self.dense

    def power(self, j: Any) -> Array:
        """y^j for j > 0, logits-shaped."""
        return self.values if self.has_labels else power(self.dense, j)
