"""The part of the Array API standard (2024.12) that the losses and heat maps need, over raw TensorFlow operations.

TensorFlow brings no such namespace. The dtypes are those of the losses: bool, int32, int64, float32, float64. Lengths
may be unknown here (`None`), in graphs and under XLA. What no namespace can mend, because it is the operators of
`tf.Tensor`: mixed dtypes raise, `bool * float` casts in silence, there is no `x[array]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as _numpy
import tensorflow as tf

bool = tf.bool
int32 = tf.int32
int64 = tf.int64
float32 = tf.float32
float64 = tf.float64

_Axis = int | Sequence[int] | None


class _Info:
    def dtypes(self) -> dict[str, Any]:
        return {dtype.name: dtype for dtype in (bool, int32, int64, float32, float64)}


def __array_namespace_info__() -> _Info:
    return _Info()


def finfo(dtype: tf.DType, /) -> Any:
    return _numpy.finfo(dtype.as_numpy_dtype)


def iinfo(dtype: tf.DType, /) -> Any:
    return _numpy.iinfo(dtype.as_numpy_dtype)


# -- creation ---------------------------------------------------------------------------------------------------------


def asarray(values: Any, /, *, dtype: Any = None, device: Any = None) -> tf.Tensor:
    return tf.convert_to_tensor(values, dtype=dtype)


def arange(start: int, /, stop: int | None = None, *, dtype: Any, device: Any = None) -> tf.Tensor:
    return tf.range(start, dtype=dtype) if stop is None else tf.range(start, stop, dtype=dtype)


def zeros(shape: Sequence[int], /, *, dtype: Any, device: Any = None) -> tf.Tensor:
    return tf.zeros(shape, dtype)


def zeros_like(x: tf.Tensor, /, *, dtype: Any = None) -> tf.Tensor:
    return tf.zeros_like(x, dtype=dtype)


def ones_like(x: tf.Tensor, /, *, dtype: Any = None) -> tf.Tensor:
    return tf.ones_like(x, dtype=dtype)


def full_like(x: tf.Tensor, value: float, /, *, dtype: Any = None) -> tf.Tensor:
    return tf.fill(tf.shape(x), tf.convert_to_tensor(value, dtype or x.dtype))


def astype(x: tf.Tensor, dtype: Any, /, *, copy: Any = True) -> tf.Tensor:
    if dtype == tf.bool:
        return x != tf.zeros((), x.dtype) if x.dtype != tf.bool else tf.identity(x)
    return tf.cast(x, dtype)


# -- elementwise ------------------------------------------------------------------------------------------------------

abs = tf.abs
exp = tf.exp
expm1 = tf.math.expm1
log = tf.math.log
log1p = tf.math.log1p
sqrt = tf.sqrt
tanh = tf.tanh


def floor(x: tf.Tensor, /) -> tf.Tensor:
    return x if x.dtype.is_integer else tf.floor(x)


def isnan(x: tf.Tensor, /) -> tf.Tensor:
    return tf.math.is_nan(x) if x.dtype.is_floating else tf.zeros_like(x, dtype=tf.bool)


def isfinite(x: tf.Tensor, /) -> tf.Tensor:
    return tf.math.is_finite(x) if x.dtype.is_floating else tf.ones_like(x, dtype=tf.bool)


def minimum(x: Any, y: Any, /) -> tf.Tensor:
    return tf.minimum(x, y)


def maximum(x: Any, y: Any, /) -> tf.Tensor:
    return tf.maximum(x, y)


def clip(x: tf.Tensor, /, min: float, max: float) -> tf.Tensor:
    return tf.clip_by_value(x, min, max)


def where(condition: tf.Tensor, x: Any, y: Any, /) -> tf.Tensor:
    """At least one of x and y is an array; a number takes the dtype of the other."""
    dtype = x.dtype if isinstance(x, tf.Tensor) else y.dtype
    return tf.where(condition, tf.convert_to_tensor(x, dtype), tf.convert_to_tensor(y, dtype))


# -- reductions -------------------------------------------------------------------------------------------------------


def sum(x: tf.Tensor, /, *, axis: _Axis = None, dtype: Any = None, keepdims: Any = False) -> tf.Tensor:
    return tf.reduce_sum(_summable(x, dtype), axis=_axes(axis), keepdims=keepdims)


def mean(x: tf.Tensor, /, *, axis: _Axis = None, keepdims: Any = False) -> tf.Tensor:
    return tf.reduce_mean(x, axis=_axes(axis), keepdims=keepdims)


def max(x: tf.Tensor, /, *, axis: _Axis = None, keepdims: Any = False) -> tf.Tensor:
    return tf.reduce_max(x, axis=_axes(axis), keepdims=keepdims)


def min(x: tf.Tensor, /, *, axis: _Axis = None, keepdims: Any = False) -> tf.Tensor:
    return tf.reduce_min(x, axis=_axes(axis), keepdims=keepdims)


def all(x: tf.Tensor, /, *, axis: _Axis = None, keepdims: Any = False) -> tf.Tensor:
    return tf.reduce_all(astype(x, tf.bool), axis=_axes(axis), keepdims=keepdims)


def any(x: tf.Tensor, /, *, axis: _Axis = None, keepdims: Any = False) -> tf.Tensor:
    return tf.reduce_any(astype(x, tf.bool), axis=_axes(axis), keepdims=keepdims)


def argmax(x: tf.Tensor, /, *, axis: int) -> tf.Tensor:
    return tf.argmax(x, axis=axis, output_type=tf.int64)


def cumulative_sum(x: tf.Tensor, /, *, axis: int) -> tf.Tensor:
    return tf.cumsum(_summable(x), axis=axis)


def sort(x: tf.Tensor, /, *, axis: int = -1, descending: Any = False) -> tf.Tensor:
    return tf.sort(x, axis=axis, direction="DESCENDING" if descending else "ASCENDING")


def argsort(x: tf.Tensor, /, *, axis: int = -1, descending: Any = False) -> tf.Tensor:
    order = tf.argsort(x, axis=axis, direction="DESCENDING" if descending else "ASCENDING", stable=True)
    return tf.cast(order, tf.int64)


def searchsorted(x: tf.Tensor, values: tf.Tensor, /, *, side: str = "left") -> tf.Tensor:
    return tf.searchsorted(x, values, side=side, out_type=tf.int64)


# -- shapes and indices -----------------------------------------------------------------------------------------------


def flip(x: tf.Tensor, /, *, axis: int) -> tf.Tensor:
    return tf.reverse(x, [axis])


def permute_dims(x: tf.Tensor, /, axes: Sequence[int]) -> tf.Tensor:
    return tf.transpose(x, axes)


def matrix_transpose(x: tf.Tensor, /) -> tf.Tensor:
    return tf.linalg.matrix_transpose(x)


def matmul(x: tf.Tensor, y: tf.Tensor, /) -> tf.Tensor:
    return tf.matmul(x, y)


def broadcast_to(x: tf.Tensor, shape: Sequence[int], /) -> tf.Tensor:
    return tf.broadcast_to(x, shape)


def reshape(x: tf.Tensor, shape: Sequence[int], /) -> tf.Tensor:
    return tf.reshape(x, shape)


def expand_dims(x: tf.Tensor, /, *, axis: int) -> tf.Tensor:
    return tf.expand_dims(x, axis)


def squeeze(x: tf.Tensor, /, *, axis: int) -> tf.Tensor:
    return tf.squeeze(x, axis)


def concat(arrays: Sequence[tf.Tensor], /, *, axis: int = 0) -> tf.Tensor:
    return tf.concat(arrays, axis)


def stack(arrays: Sequence[tf.Tensor], /, *, axis: int = 0) -> tf.Tensor:
    return tf.stack(arrays, axis)


def moveaxis(x: tf.Tensor, source: int, destination: int, /) -> tf.Tensor:
    order = list(range(x.shape.rank))
    order.insert(destination % x.shape.rank, order.pop(source))
    return tf.transpose(x, order)


def take(x: tf.Tensor, indices: tf.Tensor, /, *, axis: int = 0) -> tf.Tensor:
    return tf.gather(x, indices, axis=axis)


def take_along_axis(x: tf.Tensor, indices: tf.Tensor, /, *, axis: int = -1) -> tf.Tensor:
    """By a gather in batches with the axis last, which has a gradient under XLA too. Only the axis may differ in
    length."""
    last = x.shape.rank - 1
    taken = tf.gather(moveaxis(x, axis, last), moveaxis(indices, axis, last), batch_dims=last)
    return moveaxis(taken, last, axis)


def _axes(axis: _Axis) -> Any:
    return list(axis) if isinstance(axis, tuple) else axis


def _summable(x: tf.Tensor, dtype: Any = None) -> tf.Tensor:
    """In the dtype of the sum, which for integers is int64."""
    return tf.cast(x, dtype or (int64 if x.dtype.is_integer else x.dtype))
