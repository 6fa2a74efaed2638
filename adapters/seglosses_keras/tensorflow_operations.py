"""The operations of `seglosses_core.ops.Ops` on TensorFlow, where lengths may be unknown."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from seglosses_core.activations import Prediction, Sigmoid
from seglosses_core.arithmetic import once
from seglosses_core.ops import Ops
from seglosses_keras import tensorflow_namespace

only_cpus = all(device.device_type == "CPU" for device in tf.config.list_physical_devices())


class TensorFlowOps(Ops):
    powers_by_log = True
    _chooses = False

    def __init__(self, class_axis: int, rank: int) -> None:
        super().__init__(tensorflow_namespace, class_axis, rank)

    def device(self, x: tf.Tensor) -> None:
        return None

    def constant(self, values: Any, like: tf.Tensor, dtype: Any = None) -> tf.Tensor:
        make = tf.cast if hasattr(values, "dtype") else tf.convert_to_tensor
        return make(values, dtype or like.dtype)

    def is_eager(self, x: tf.Tensor) -> bool:
        return tf.executing_eagerly() and hasattr(x, "numpy")

    def may_look(self, x: tf.Tensor) -> bool:
        return self.is_eager(x) and "CPU" in x.device

    def may_choose(self, x: tf.Tensor) -> bool:
        # On a GPU the host would wait for the value.
        return self._chooses and only_cpus and (self.may_look(x) or not tf.executing_eagerly())

    @contextmanager
    def choosing(self) -> Iterator[None]:
        """Within, a program may choose: where no autodiff follows, for XLA cannot take a second derivative of that."""
        self._chooses = True
        yield
        self._chooses = False

    def choose(
        self,
        condition: tf.Tensor,
        first: Callable[[], list[tf.Tensor]],
        second: Callable[[], list[tf.Tensor]],
    ) -> list[tf.Tensor]:
        return list(tf.cond(condition, first, second))

    def stop_gradient(self, x: tf.Tensor) -> tf.Tensor:
        return tf.stop_gradient(x)

    def zero_or_nan(self, usable: tf.Tensor, dtype: Any) -> tf.Tensor:
        return tf.sqrt(tf.cast(usable, dtype) - 1)

    def zero_or_infinity(self, finite: tf.Tensor, dtype: Any) -> tf.Tensor:
        return -tf.math.log(tf.cast(finite, dtype))

    def log1p(self, x: tf.Tensor) -> tf.Tensor:
        # TensorFlow's own rounds the last few numbers of an array otherwise than the others, so that equal costs would
        # not tie. Near 0 it is `2 artanh(s) = 2 (s + s³/3 + s⁵/5 + …)` with `s = x / (2 + x)`.
        near = tf.abs(x) < 0.25
        inside = tf.where(near, x, tf.zeros_like(x))
        s = inside / (2 + inside)
        square = s * s
        terms = 11 if x.dtype == tf.float64 else 5
        series = tf.ones_like(x) / (2 * terms - 1)
        for k in range(terms - 1, 0, -1):
            series = series * square + 1 / (2 * k - 1)
        return tf.where(near, 2 * s * series, tf.math.log(1 + tf.where(near, tf.zeros_like(x), x)))

    def count(self, x: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.size(x), self.accumulation_dtype(x))

    def total(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(self._sum_middle(tf.reshape(x, (1, -1, 1))))

    def sum_pixels(self, x: tf.Tensor) -> tf.Tensor:
        first, classes = tf.shape(x)[0], x.shape[self.class_axis]
        if self.class_axis == self.rank - 1:
            return self._sum_middle(tf.reshape(x, (first, -1, classes)))
        if self.class_axis == 1:
            return tf.reshape(self._sum_middle(tf.reshape(x, (first * classes, -1, 1))), (first, classes))
        return super().sum_pixels(x)

    def sum_image(self, pixel_map: tf.Tensor) -> tf.Tensor:
        return self._sum_middle(tf.reshape(pixel_map, (tf.shape(pixel_map)[0], -1, 1)))[:, 0]

    def _sum_middle(self, x: tf.Tensor) -> tf.Tensor:
        """The sum over the middle one of three axes: of a few numbers each in float32, of these sums in float64, as
        TensorFlow adds one after the other."""
        few = 16
        length = tf.shape(x)[1] // few * few
        groups = tf.reshape(x[:, :length], (tf.shape(x)[0], -1, few, x.shape[2]))
        wide = self.accumulation_dtype(x)
        sums = tf.reduce_sum(tf.cast(tf.reduce_sum(groups, 2), wide), 1)
        return sums + tf.reduce_sum(tf.cast(x[:, length:], wide), 1)

    def sum_by_label(self, pixel_map: tf.Tensor, labels: tf.Tensor, num_classes: int) -> tf.Tensor:
        images = tf.shape(labels)[0]
        first = tf.range(images, dtype=labels.dtype)[:, None] * num_classes
        places = first + tf.reshape(labels, (images, -1))
        values = tf.cast(tf.reshape(pixel_map, (images, -1)), self.accumulation_dtype(pixel_map))
        sums = tf.math.unsorted_segment_sum(values, places, images * num_classes)
        return tf.reshape(sums, (images, num_classes))

    def image_rows(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reshape(x, (tf.shape(x)[0], -1))

    def rows(self, x: tf.Tensor, *, batch: bool) -> tf.Tensor:
        moved = tf.transpose(x, self._rows_order(batch))
        return tf.reshape(moved, (1 if batch else tf.shape(x)[0], x.shape[self.class_axis], -1))

    def from_rows(self, rows: tf.Tensor, like: tf.Tensor, *, batch: bool) -> tf.Tensor:
        order = self._rows_order(batch)
        moved = tf.reshape(rows, tf.gather(tf.shape(like), order))
        return tf.transpose(moved, [order.index(axis) for axis in range(self.rank)])

    def falling(self, keys: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rising = -tf.stop_gradient(keys)
        order = tf.argsort(rising, axis=-1)
        return self.take(rising, order), order

    def levels(self, falling: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # By the runs of equal keys: TensorFlow has no cumulative maximum.
        starts, _ = self._edges(falling)
        run = tf.cumsum(tf.cast(tf.reshape(starts, (-1,)), tf.int32)) - 1
        index = tf.reshape(tf.zeros_like(falling, tf.int32) + tf.range(tf.shape(falling)[-1]), (-1,))

        def of_run(reduce: Callable[..., tf.Tensor], x: tf.Tensor) -> tf.Tensor:
            return tf.reshape(tf.gather(reduce(x, run, tf.size(run)), run), tf.shape(falling))

        first, last = tf.math.unsorted_segment_min, tf.math.unsorted_segment_max
        return of_run(first, index), of_run(last, index + 1)

    def order_bits(self, x: tf.Tensor) -> tf.Tensor:
        return tf.bitcast(x, tf.int64 if x.dtype == tf.float64 else tf.int32)

    def from_order_bits(self, bits: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
        return tf.bitcast(bits, like.dtype)

    def nearest_seed(self, seeds: tf.Tensor, axis: int, factor: float, dtype: Any) -> tf.Tensor:
        # TensorFlow has no cumulative maximum.
        return self.nearest(self.zero_at_seeds(seeds, dtype), axis, factor)

    def nearest(self, squared: tf.Tensor, axis: int, factor: float) -> tf.Tensor:
        length = tf.shape(squared)[axis]
        places = tf.cast(tf.range(length), squared.dtype)
        index = tf.reshape(places, [-1 if i == axis else 1 for i in range(squared.shape.rank)])

        def step(j: tf.Tensor, nearest: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            there = tf.gather(squared, [j], axis=axis)
            found = tf.minimum(nearest, there + factor * tf.square(index - places[j]))
            return j + 1, tf.ensure_shape(found, squared.shape)

        return tf.while_loop(lambda j, _: j < length, step, (tf.constant(0), squared))[1]

    def sum_classes(self, x: tf.Tensor) -> tf.Tensor:
        # TensorFlow's matrix product is faster on a CPU than its sum over a short last axis, and as exact. Elsewhere a
        # setting may round what it multiplies, to TF32.
        if self.class_axis == self.rank - 1 and only_cpus:
            return tf.linalg.matvec(x, tf.ones(x.shape[-1], x.dtype))
        return super().sum_classes(x)

    def scan(self, step: Callable[..., Any], state: Any, *given: Sequence[Any]) -> Any:
        for now in zip(*given, strict=True):
            # A graph would begin with all steps at once.
            with tf.control_dependencies(tf.nest.flatten(state)):
                state = step(state, *now)
        return state

    def take_at_label(self, x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        moved = tensorflow_namespace.moveaxis(x, self.class_axis, self.rank - 1)
        return tf.gather(moved, labels, batch_dims=self.rank - 1)

    def table_at_label(self, table: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        if table.shape.rank == 1:
            return tf.gather(table, labels)
        if table.shape[0] == 1:
            return tf.gather(table[0], labels)
        return tf.gather(table, labels, batch_dims=1)

    def rows_at_label(self, table: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return tensorflow_namespace.moveaxis(tf.gather(table, labels), self.rank - 1, self.class_axis)

    def activation(self, name: str) -> type[Prediction]:
        return TensorFlowSigmoid if name == "sigmoid" else super().activation(name)


class TensorFlowSigmoid(Sigmoid):
    @once
    def probabilities(self) -> tf.Tensor:
        return tf.sigmoid(self.logits)

    @once
    def complements(self) -> tf.Tensor:
        return tf.sigmoid(-self.logits)

    @once
    def log_probabilities(self) -> tf.Tensor:
        return tf.math.log_sigmoid(self.logits)

    @once
    def log_complements(self) -> tf.Tensor:
        return tf.math.log_sigmoid(-self.logits)


def check_lengths(
    arrays: dict[str, tf.Tensor], class_axis: int, inputs: Container[str]
) -> dict[str, tf.Tensor]:
    """The same arrays, which a graph gives only after it has compared the lengths that the checks could not know, lest
    a length of 1 be broadcast. XLA leaves this out. Those in `inputs` have shapes of their own."""
    logits = arrays["logits"]
    full = tf.shape(logits)
    pixels = tf.concat([full[:class_axis], full[class_axis + 1 :]], 0)
    assertions = []
    for name, x in arrays.items():
        known = x.shape.is_fully_defined() and logits.shape.is_fully_defined()
        if known or name == "logits" or name in inputs:
            continue
        expected = full if x.shape.rank == logits.shape.rank else pixels[: x.shape.rank]
        message = f"{name} does not fit the shape of the logits"
        assertions.append(tf.debugging.assert_equal(tf.shape(x), expected, message))
    if not assertions or tf.executing_eagerly():
        return arrays
    with tf.control_dependencies(assertions):
        return {name: tf.identity(x) for name, x in arrays.items()}
