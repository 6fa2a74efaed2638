"""TensorFlow, eager, in a graph and under XLA."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from seglosses_conformance.frameworks.base import Array, Call, Evaluation, Framework, Unavailable
from seglosses_conformance.ways import DERIVATIVES


class TensorFlow(Framework):
    """`tf.GradientTape`; in a `tf.function` only the length of the class axis is known, under XLA all are."""

    library = "tensorflow"
    native_axis = -1
    ways = ("upstream", "loss scale", "backward twice", "after another", *DERIVATIVES)
    overwritable = False

    def __init__(self, device: str = "cpu", graph: bool = False, xla: bool = False) -> None:
        import tensorflow as tf

        if device != "cpu" and not tf.config.list_physical_devices("GPU"):
            raise Unavailable("tensorflow finds no GPU")
        self.device = "/GPU:0" if device == "cuda" else "/CPU:0"
        self.graph = graph
        self.xla = xla

    def session(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        import tensorflow as tf

        return tf.device(self.device)

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import tensorflow as tf

        return tf.cast(tf.constant(values), dtype)

    def numpy(self, array: Array) -> np.ndarray:
        if array is None:  # what a tape gives for a value that it has not seen come from an input
            raise ValueError(
                "TensorFlow finds no gradient: the value is not computed from the input by its functions"
            )
        return np.asarray(array).astype(np.float64)

    def evaluate(self, call: Call) -> Evaluation:
        import tensorflow as tf

        if not self.graph:
            value, gradients = self._walk(call, call.arrays)
            return Evaluation([call(), value] if call.wrt else [value], gradients)
        if self.xla:
            options: dict[str, Any] = {"jit_compile": True}
        else:
            options = {
                "input_signature": [{name: self._with_unknown_lengths(name, call) for name in call.arrays}]
            }
        value, gradients = tf.function(lambda arrays: self._walk(call, arrays), autograph=False, **options)(
            call.arrays
        )
        return Evaluation([value], gradients)

    def _walk(self, call: Call, arrays: dict[str, Array], times: int = 1) -> tuple[Array, dict[str, Array]]:
        """There and, as often as is asked for, back: the value and the mean of the gradients."""
        import tensorflow as tf

        varied = {name: arrays[name] for name in call.wrt}
        with tf.GradientTape(watch_accessed_variables=False, persistent=times > 1) as tape:
            tape.watch(varied)
            value = call.function(**arrays)
            total = tf.reduce_sum(value * tf.cast(call.upstream, value.dtype))
        if not varied:
            return value, {}
        gradients = tape.gradient(total, varied)
        for _ in range(times - 1):
            again = tape.gradient(total, varied)
            gradients = {name: (gradients[name] + again[name]) / 2 for name in varied}
        return value, gradients

    def backward_twice(self, call: Call) -> Evaluation:
        value, gradients = self._walk(call, call.arrays, times=2)
        return Evaluation([value], gradients)

    def compiled(self, call: Call) -> Evaluation:
        import tensorflow as tf

        compiled = tf.function(lambda arrays: self._walk(call, arrays), autograph=False)
        value, gradients = compiled(call.arrays)
        return Evaluation([value], gradients)

    def _with_unknown_lengths(self, name: str, call: Call) -> Any:
        import tensorflow as tf

        array = call.arrays[name]
        # Only logits-shaped arrays have a class axis, and a table of centres is as fixed as a variable.
        if name == "centers":
            return tf.TensorSpec.from_tensor(array)
        shape: list[int | None] = [None] * array.shape.rank
        if array.shape.rank == call.arrays["logits"].shape.rank:
            shape[call.class_axis] = array.shape[call.class_axis]
        return tf.TensorSpec(shape, array.dtype)

    def curvature(self, call: Call, direction: Array) -> Array:
        import tensorflow as tf

        logits = call.arrays["logits"]
        with tf.GradientTape() as outer:
            outer.watch(logits)
            with tf.GradientTape() as inner:
                inner.watch(logits)
                value = call(logits=logits)
            along = tf.reduce_sum(inner.gradient(value, logits) * direction)
        return outer.gradient(along, logits, unconnected_gradients="zero")

    def environment(self) -> dict[str, Any]:
        import tensorflow as tf

        return {
            "tensorflow threads": tf.config.threading.get_intra_op_parallelism_threads() or "all cores",
            "tensorflow TF32": tf.config.experimental.tensor_float_32_execution_enabled(),
        }
