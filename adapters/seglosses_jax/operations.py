"""The operations of `seglosses_core.ops.Ops`, and the activations, as XLA likes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from seglosses_core.activations import ACTIVATIONS, Prediction, Sigmoid, Softmax
from seglosses_core.activations.softmax import AtLabel
from seglosses_core.arithmetic import log1p_by_series, once
from seglosses_core.ops import Ops


@jax.custom_jvp
@jax.jit
def _log1p(x: Array) -> Array:
    return log1p_by_series(x, jnp)


_log1p.defjvp(lambda primals, tangents: (_log1p(*primals), tangents[0] / (1 + primals[0])))


class JaxOps(Ops):
    """XLA sums float32 in stages, and fuses a comparison with the labels into the sum over it."""

    prefers_one_hot = True
    powers_by_log = True

    def __init__(self, class_axis: int, rank: int) -> None:
        super().__init__(jnp, class_axis, rank)

    def device(self, x: Array) -> None:
        """The default: a constant goes where the computation is."""
        return None

    def is_eager(self, x: Any) -> bool:
        # Inside jax.grad alone there is a value, beneath the derivative.
        return not isinstance(jax.lax.stop_gradient(x), jax.core.Tracer)

    def may_look(self, x: Array) -> bool:
        if not self.is_eager(x):
            return False
        value = jax.lax.stop_gradient(x)
        # A constant of a trace is an array of the host, which has no devices.
        return not hasattr(value, "devices") or {d.platform for d in value.devices()} == {"cpu"}

    def stop_gradient(self, x: Array) -> Array:
        return jax.lax.stop_gradient(x)

    def zero_or_nan(self, usable: Array, dtype: Any) -> Array:
        return jnp.sqrt(usable.astype(dtype) - 1)

    def zero_or_infinity(self, finite: Array, dtype: Any) -> Array:
        return -jnp.log(finite.astype(dtype))

    def log1p(self, x: Array) -> Array:
        return _log1p(x)

    def each_image(self, x: Array, dtype: Any) -> Array:
        # Made from the shape: the same on all members of an axis along which images are cut, as JAX sees too.
        return jnp.ones(x.shape[:1], dtype)

    def shifted_view(
        self, x: Array, axes: Sequence[int], place: Sequence[Any], sizes: Sequence[int]
    ) -> Array:
        for axis, start, size in zip(axes, place, sizes, strict=True):
            x = jax.lax.dynamic_slice_in_dim(x, start, x.shape[axis] + 1 - size, axis)
        return x

    def scan(self, step: Callable[..., Any], state: Any, *given: Sequence[Any]) -> Any:
        if all(map(self.is_eager, jax.tree.leaves(state))):
            return super().scan(step, state, *given)
        # Some steps at a time are one kernel, and read and write the state once. Unrolled as a whole, XLA would hold
        # what all of them read; what is left over at the end costs memory, too.
        unroll = max(k for k in range(1, 9) if len(given[0]) % k == 0)
        dtype = jax.tree.leaves(state)[0].dtype
        arrays = [jnp.asarray(numbers) for numbers in given]
        arrays = [x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x for x in arrays]
        return jax.lax.scan(lambda state, now: (step(state, *now), None), state, arrays, unroll=unroll)[0]

    def matmul(self, x: Array, y: Array) -> Array:
        return jnp.matmul(x, y, precision="highest")  # elsewhere than on a CPU the default rounds x and y

    def cumulative_max(self, x: Array) -> Array:
        return jax.lax.cummax(x, axis=x.ndim - 1)

    def total(self, x: Array) -> Array:
        # A choice that changes nothing. XLA fuses products and sums into the reduction behind them and materialises
        # what these read; a choice it leaves alone, so that one loop makes x from whatever it is made of.
        return super().total(jnp.where(x != x, jnp.nan, x))

    def power_sum(self, p: Array, exponent: Any, weights: Array | None) -> Array:
        if isinstance(exponent, (int, float)) and exponent == 2:
            # XLA would keep the squares for the way back, where they cost less to form again.
            p = jax.lax.optimization_barrier(p)
        return super().power_sum(p, exponent, weights)

    def activation(self, name: str) -> type[Prediction]:
        return {**ACTIVATIONS, "softmax": JaxSoftmax, "sigmoid": JaxSigmoid}[name]


class JaxSoftmax(Softmax):
    @once
    def _with_label(self) -> tuple[Array, AtLabel]:
        # The exponentials are taken twice, which costs XLA less than to keep them.
        ops, z = self.ops, self.logits
        shifted = z - jnp.max(z, axis=ops.class_axis, keepdims=True)
        hot = ops.one_hot(self.labels, z.shape[ops.class_axis], jnp.bool)
        rest = ops.sum_classes(jnp.where(hot, 0, jnp.exp(shifted)))
        shifted_at_label = ops.take_at_label(shifted, self.labels)
        at_label = jnp.exp(shifted_at_label)
        p = jnp.exp(shifted - ops.over_classes(jnp.log(rest + at_label)))
        return p, self._shares(shifted_at_label, at_label, rest)

    def _apart_from_label(
        self, labels: Array, weights: Array | None, exponent: int = 1
    ) -> tuple[Array, Array]:
        # Formed for each of the two sums, which XLA does not take in one loop: it would keep what both read.
        again = self._others(jax.lax.optimization_barrier(labels))
        return self.ops.power_sum(self._others(labels), exponent, weights), self._complement_of(again)


class JaxSigmoid(Sigmoid):
    @once
    def probabilities(self) -> Array:
        return jax.nn.sigmoid(self.logits)

    @once
    def complements(self) -> Array:
        return jax.nn.sigmoid(-self.logits)
