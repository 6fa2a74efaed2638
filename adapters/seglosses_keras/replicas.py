"""The replicas of a distribution strategy of TensorFlow, among which the images of a batch are divided."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from seglosses_core.loss import Loss


def across_replicas(loss: Loss) -> Loss:
    """A loss of the core as that of the whole batch, where a replica among others computes it."""
    if tf.distribute.in_cross_replica_context() or tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return loss
    try:
        return loss.across(images=Replicas())
    except ValueError as error:
        raise ValueError(f"{error} With across_replicas=False each replica has a loss of its own.") from error


class Replicas:
    """A group, as `Loss.across` takes it, of all replicas."""

    may_disagree = False

    def __init__(self) -> None:
        self.size = tf.distribute.get_strategy().num_replicas_in_sync
        self.found: list[tf.Tensor] = []

    def all_reduce(self, vector: tf.Tensor, op: str) -> tf.Tensor:
        whole = _sum(vector) if op == "sum" else self._max(vector)
        self.found.append(whole)
        return whole

    def _max(self, vector: tf.Tensor) -> tf.Tensor:
        """By a sum, for there is no other operation, of what has a place for each replica; without a derivative."""
        here = tf.range(self.size)[:, None] == tf.distribute.get_replica_context().replica_id_in_sync_group
        places = tf.where(here, tf.stop_gradient(vector)[None, :], tf.zeros_like(vector)[None, :])
        return tf.reduce_max(_sum(places), axis=0)

    def once_more(self) -> Known:
        return Known(self.found)


class Known:
    """The same group for the same computation once more: what it gave is not sent again, but has its derivatives."""

    may_disagree = False

    def __init__(self, found: list[tf.Tensor]) -> None:
        self.size = tf.distribute.get_strategy().num_replicas_in_sync
        self._left = iter(found)

    def all_reduce(self, vector: tf.Tensor, op: str) -> tf.Tensor:
        whole = next(self._left)
        return tf.stop_gradient(whole) if op == "max" else _known_sum(vector, whole)


@tf.custom_gradient
def _known_sum(vector: tf.Tensor, whole: tf.Tensor) -> tuple[tf.Tensor, Callable[..., object]]:
    """The sum over the replicas, of which this one has `vector`. What flows back into an all-sum is an all-sum."""
    return tf.identity(whole), lambda upstream: (_sum(upstream), None)


def _sum(x: tf.Tensor) -> tf.Tensor:
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x)
