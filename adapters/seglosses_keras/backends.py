"""The value of a loss of the core on the arrays of Keras' backend, with the hand-written derivative."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import keras

from seglosses_core.checks import dtype_is
from seglosses_core.libraries import register_library
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops
from seglosses_core.presets import PresetLoss

Evaluate = Callable[..., Any]
"""`(loss, logits, target, mask, sample_weight, **inputs) -> value`, for a loss of the core."""

MakeOps = Callable[[int, int], Ops]
"""`(class_axis, rank) -> operations`"""


def _tensorflow() -> tuple[Evaluate, MakeOps]:
    import tensorflow as tf

    from seglosses_keras.tensorflow_operations import TensorFlowOps, check_lengths

    register_library("tensorflow", TensorFlowOps)

    def evaluate(
        loss: Loss, logits: Any, target: Any, mask: Any, sample_weight: Any, **inputs: Any
    ) -> tf.Tensor:
        strategy = tf.distribute.get_strategy()
        if (
            strategy.num_replicas_in_sync > 1
            and tf.inside_function()
            and tf.distribute.in_cross_replica_context()
        ):
            # Keras builds a model for several replicas from the mean of their batches, in which labels are float64.
            target = tf.cast(target, tf.int64) if target.dtype == tf.float64 else target
        call = loss.prepare(logits, target, mask, sample_weight, inputs)
        if 0 in logits.shape:
            # What stands in for no pixels depends on them, lest their replica have no gradient to add to the others'.
            nothing = 0 * tf.reduce_sum(tf.cast(logits, call.logits.dtype))
            call = call.replaced({"logits": call.logits + nothing})
        call = call.replaced(check_lengths(call.arrays(), call.ops.class_axis, loss.inputs))
        arrays, ops = call.arrays(), cast(TensorFlowOps, call.ops)
        replicas = None if loss._across is None else loss._across.images
        if loss.reduction == "none" or any(map(tf.is_tensor, _leaves(loss))):
            return loss.value(call)
        free = {name: x for name, x in arrays.items() if name != "logits" and dtype_is(x, "floating")}

        def once_more() -> None:
            if replicas is not None:
                empty = ops.parts.empty
                ops.parts = loss.across(images=replicas.once_more()).parts_in(ops, None)
                ops.parts.empty = empty

        @tf.custom_gradient
        def hand_written(logits: tf.Tensor, *values: tf.Tensor) -> Any:
            given = call.replaced({"logits": logits, **dict(zip(free, values, strict=True))})

            def backward(upstream: tf.Tensor) -> Any:
                # Made here, not in the forward pass, whose operations no outer tape would see.
                once_more()
                with ops.choosing():
                    gradients = loss.value_and_gradients(given)[1]
                watched = values if gradients else (logits, *values)
                others: list[tf.Tensor] = []
                if watched:
                    with tf.GradientTape() as tape:
                        tape.watch(watched)
                        once_more()
                        value = loss.value(given)
                    others = tape.gradient(value, watched, upstream, unconnected_gradients="zero")
                if gradients is None:
                    return others
                slope = gradients.times(upstream, ops)["logits"]
                return (slope, *others) if values else slope

            with ops.choosing():
                return loss.value(given), backward

        return hand_written(call.logits, *free.values())

    return evaluate, TensorFlowOps


def _jax() -> tuple[Evaluate, MakeOps]:
    import seglosses_jax
    from seglosses_jax.operations import JaxOps

    def evaluate(loss: Loss, logits: Any, target: Any, mask: Any, sample_weight: Any, **inputs: Any) -> Any:
        return twin(loss)(logits, target, mask=mask, sample_weight=sample_weight, **inputs)

    def twin(value: Any) -> Any:
        """The same loss as a pytree, and those in it: what is traced in them must be a leaf."""
        if isinstance(value, tuple):
            return tuple(map(twin, value))
        if not isinstance(value, Loss):
            return value
        values = {f.name: twin(getattr(value, f.name)) for f in dataclasses.fields(value)}  # type: ignore[arg-type]
        if isinstance(value, PresetLoss):
            from seglosses_jax.presets import PresetLoss as JaxPreset

            return JaxPreset(**values)
        return getattr(seglosses_jax, type(value).__name__)(**values)

    return evaluate, JaxOps


def _torch() -> tuple[Evaluate, MakeOps]:
    import torch

    from seglosses_torch.compiled import CompiledOps
    from seglosses_torch.function import evaluate
    from seglosses_torch.operations import TorchOps

    def make_ops(class_axis: int, rank: int) -> Ops:
        return (CompiledOps if torch.compiler.is_compiling() else TorchOps)(class_axis, rank)

    return evaluate, make_ops


def _leaves(value: Any) -> list[Any]:
    """What the hyper-parameters of a loss, and of the losses in it, are in the end."""
    if isinstance(value, Loss):
        return [x for f in dataclasses.fields(value) for x in _leaves(getattr(value, f.name))]  # type: ignore[arg-type]
    if isinstance(value, (tuple, list)):
        return [x for item in value for x in _leaves(item)]
    return [value]


evaluate, make_ops = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()]()


def across_replicas(loss: Loss) -> Loss:
    """A loss of the core as that of the whole batch under a distribution strategy of TensorFlow; on JAX it
    is that anyway."""
    if keras.backend.backend() != "tensorflow":
        return loss
    from seglosses_keras import replicas

    return replicas.across_replicas(loss)


def share_of_replica(value: Any) -> Any:
    """What a replica gives of a number under a distribution strategy of TensorFlow: Keras adds up the replicas."""
    if keras.backend.backend() != "tensorflow":
        return value
    import tensorflow as tf

    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return value / replicas if replicas > 1 else value
