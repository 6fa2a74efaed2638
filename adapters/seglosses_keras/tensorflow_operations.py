"""The operations of `seglosses_core.namespace.Ops` on TensorFlow, where lengths may be unknown."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from seglosses_core.namespace import Ops
from seglosses_keras import tensorflow_namespace


class TensorFlowOps(Ops):
    def __init__(self, class_axis: int, rank: int) -> None:
        super().__init__(tensorflow_namespace, class_axis, rank)

    def device(self, x: tf.Tensor) -> None:
        return None

    def constant(self, values: Any, like: tf.Tensor) -> tf.Tensor:
        if hasattr(values, "dtype"):
            return tf.cast(values, like.dtype)
        return tf.convert_to_tensor(values, like.dtype)

    def is_eager(self, x: tf.Tensor) -> bool:
        return tf.executing_eagerly() and hasattr(x, "numpy")

    def take(self, x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        moved = tensorflow_namespace.moveaxis(x, self.class_axis, self.rank - 1)
        return tf.gather(moved, labels, batch_dims=self.rank - 1)

    def look_up(self, table: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        if table.shape.rank == 1:
            return tf.gather(table, labels)
        if table.shape[0] == 1:
            return tf.gather(table[0], labels)
        return tf.gather(table, labels, batch_dims=1)

    def rows(self, table: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return tensorflow_namespace.moveaxis(tf.gather(table, labels), self.rank - 1, self.class_axis)


def check_lengths(
    logits: tf.Tensor, class_axis: int, **arrays: tf.Tensor | None
) -> tuple[tf.Tensor, dict[str, tf.Tensor | None]]:
    """The same arrays, which a graph gives only after it has compared the lengths that the checks could not know, lest
    a length of 1 be broadcast. XLA leaves this out."""
    full = tf.shape(logits)
    pixels = tf.concat([full[:class_axis], full[class_axis + 1 :]], 0)
    assertions = []
    for name, x in arrays.items():
        if x is None or (x.shape.is_fully_defined() and logits.shape.is_fully_defined()):
            continue
        expected = full if x.shape.rank == logits.shape.rank else pixels[: x.shape.rank]
        message = f"{name} does not fit the shape of the logits"
        assertions.append(tf.debugging.assert_equal(tf.shape(x), expected, message))
    if not assertions or tf.executing_eagerly():
        return logits, arrays
    with tf.control_dependencies(assertions):
        checked = {name: None if x is None else tf.identity(x) for name, x in arrays.items()}
        return tf.identity(logits), checked
