"""Keras on TensorFlow, as a graph and under XLA, class axis last."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import seglosses_keras
from benchmarks.cases import ALPHA, GAMMA, PIXEL_LOSSES, REGION_LOSSES, TVERSKY, Case, ours
from benchmarks.competitors import DICE_ALONE, LIMIT, OURS, OURS_ONE_HOT, PLAIN, Competitor
from benchmarks.competitors.plain import Names, formula


def of_seglosses(case: Case, loss: str) -> Competitor:
    function = ours(seglosses_keras, case, loss)
    return Competitor(lambda z, y: function(y, z))


def dice_alone(case: Case, loss: str) -> Competitor | None:
    return of_seglosses(case, "dice") if loss == "dice_cross_entropy" else None


def with_one_hot(case: Case, loss: str) -> Competitor | None:
    """The target that Keras' own region losses take."""
    if case.binary or loss not in REGION_LOSSES:
        return None
    return Competitor(of_seglosses(case, loss).function, target="one-hot")


def _windows(x: Any, size: int) -> Any:
    window = [1, size, size, 1]
    found = tf.image.extract_patches(x, window, strides=[1] * 4, rates=[1] * 4, padding="SAME")
    return tf.reshape(found, (*x.shape[:-1], size * size, x.shape[-1]))


NAMES = Names(
    axis=-1,
    softmax=tf.nn.softmax,
    log_softmax=tf.nn.log_softmax,
    sigmoid=tf.sigmoid,
    log_sigmoid=tf.math.log_sigmoid,
    one_hot=lambda y, z: tf.one_hot(y, z.shape[-1], dtype=z.dtype),
    sum=tf.reduce_sum,
    mean=tf.reduce_mean,
    expand=tf.expand_dims,
    windows=_windows,
    like=lambda x, z: tf.cast(x, z.dtype),
)


def plain(case: Case, loss: str) -> Competitor | None:
    function = formula(NAMES, case, loss)
    return Competitor(function) if function else None


def of_keras(case: Case, loss: str) -> Competitor | None:
    """ε is Keras' own, in the denominator only, which makes no difference of 1e-4 to classes of some pixels."""
    losses = keras.losses
    if loss == "cross_entropy":
        kind = losses.BinaryCrossentropy if case.binary else losses.SparseCategoricalCrossentropy
        function = kind(from_logits=True)
        return Competitor(lambda z, y: function(y, z))
    if loss == "focal":
        if case.binary:
            function = losses.BinaryFocalCrossentropy(
                apply_class_balancing=True, alpha=ALPHA, gamma=GAMMA, from_logits=True
            )
            return Competitor(lambda z, y: function(y, z))
        function = losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=GAMMA, from_logits=True)
        return Competitor(lambda z, y: function(y, z), target="one-hot")
    pixels = tuple(range(1, len(case.shape) - 1))
    # In Keras α weighs false negatives.
    swapped = {"alpha": TVERSKY["beta"], "beta": TVERSKY["alpha"]}
    found: dict[str, Any] = {
        "dice": losses.Dice(axis=pixels),
        "dice_cross_entropy": losses.Dice(axis=pixels),
        "jaccard": losses.Tversky(alpha=1.0, beta=1.0, axis=pixels),
        "tversky": losses.Tversky(**swapped, axis=pixels),
    }
    if loss not in found:
        return None
    if case.binary:
        return Competitor(lambda z, y: found[loss](y, tf.sigmoid(z)))
    if loss == "dice_cross_entropy":
        cross_entropy = losses.CategoricalCrossentropy(from_logits=True)
        return Competitor(
            lambda z, y: found[loss](y, tf.nn.softmax(z)) + cross_entropy(y, z), target="one-hot"
        )
    return Competitor(lambda z, y: found[loss](y, tf.nn.softmax(z)), target="one-hot")


def limit(case: Case, loss: str) -> Competitor:
    if loss in PIXEL_LOSSES:
        return Competitor(lambda z, y: z + 1)
    return Competitor(lambda z, y: z + tf.reduce_sum(z))


LIBRARIES: dict[str, Callable[[Case, str], Competitor | None]] = {
    OURS: of_seglosses,
    OURS_ONE_HOT: with_one_hot,
    DICE_ALONE: dice_alone,
    PLAIN: plain,
    "keras": of_keras,
    LIMIT: limit,
}


class Runner:
    """Logits and a target in TensorFlow, and a traced function of them with its gradient."""

    def __init__(
        self,
        competitor: Competitor,
        case: Case,
        logits: np.ndarray,
        target: np.ndarray,
        *,
        mode: str,
        device: str,
        differentiate: bool,
    ) -> None:
        with tf.device("GPU" if device == "cuda" else "CPU"):
            self.logits = tf.constant(np.moveaxis(logits, 1, -1), case.dtype)
            form = np.moveaxis(target, 1, -1) if target.ndim == logits.ndim else target
            self.target = tf.constant(form, case.dtype if target.dtype == np.float32 else tf.int32)
        function = competitor.function

        @tf.function(jit_compile=mode == "xla")
        def run(logits: tf.Tensor, target: tf.Tensor) -> Any:
            if not differentiate:
                return (function(logits, target),) * 2
            with tf.GradientTape() as tape:
                tape.watch(logits)
                value = function(logits, target)
            return value, tape.gradient(value, logits)

        self.run = run

    def evaluate(self) -> Any:
        return self.run(self.logits, self.target)

    def wait(self, result: Any) -> None:
        tf.test.experimental.sync_devices()

    def numpy(self, result: Any) -> tuple[float, np.ndarray]:
        value, gradient = result
        return float(value), tf.cast(gradient, tf.float32).numpy()

    def peak(self) -> tuple[int, str]:
        # TensorFlow keeps the memory that it has had, on a CPU too: the size of the process does not show it.
        place = self.logits.device
        tf.config.experimental.reset_memory_stats(place)
        before = tf.config.experimental.get_memory_info(place)["current"]
        self.wait(self.evaluate())
        return tf.config.experimental.get_memory_info(place)["peak"] - before, "TensorFlow allocator"

    def about(self) -> dict[str, Any]:
        on_cpu = self.logits.device.endswith("CPU:0")
        details = (
            {}
            if on_cpu
            else tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        )
        return {"device": details.get("device_name", "")}
