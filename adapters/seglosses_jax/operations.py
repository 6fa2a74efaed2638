"""The operations of `seglosses_core.ops.Ops`, and the activations, as XLA likes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from seglosses_core.activations import ACTIVATIONS, Prediction, Sigmoid
from seglosses_core.activations.softmax import AtLabel, OneHotSoftmax
from seglosses_core.arithmetic import is_zero, once
from seglosses_core.moments import COMPLEMENT, SQUARED_ERROR, Moment
from seglosses_core.ops import Ops
from seglosses_core.target import Target


@jax.jit
def _materialised_on_a_cpu(x: Array) -> Array:
    """`x`. For a CPU, XLA takes sums of products in one pass over what is there, and in several of a choice by label,
    which it makes of a product with a comparison that it sees."""
    return jax.lax.platform_dependent(x, cpu=jax.lax.optimization_barrier, default=lambda x: x)


@jax.custom_jvp
def _barrier(x: Any) -> Any:
    """`x`, which XLA does not join with what made it. JAX 0.4 has no derivative of its barrier."""
    return jax.lax.optimization_barrier(x)


_barrier.defjvp(lambda primals, tangents: (_barrier(*primals), *tangents))


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
@partial(jax.jit, static_argnums=(1, 2))
def _sums_in_one_pass(summands: list[Array], axes: tuple[int, ...], dtype: Any) -> list[Array]:
    """The sum of each of these over the axes, in this dtype."""
    longest = max(axes, key=lambda axis: (summands[0].shape[axis], axis), default=None)
    if longest is None or summands[0].shape[longest] > 2048:
        return _sums(summands, axes, dtype)
    return jax.lax.platform_dependent(
        summands,
        cpu=partial(_sums_by_lines, axes=axes, dtype=dtype, longest=longest),
        default=partial(_sums, axes=axes, dtype=dtype),
    )


def _sums(summands: list[Array], axes: tuple[int, ...], dtype: Any) -> list[Array]:
    return [jnp.sum(x, axis=axes, dtype=dtype) for x in summands]


def _sums_by_lines(summands: list[Array], axes: tuple[int, ...], dtype: Any, longest: int) -> list[Array]:
    """First along the longest axis, since a loop of XLA adds one number after the other. Sums that are not one loop
    make it materialise what they read."""
    zeros = [jnp.zeros((), x.dtype) for x in summands]
    lines = jax.lax.reduce(
        summands, zeros, lambda x, y: [a + b for a, b in zip(x, y, strict=True)], (longest,)
    )
    others = tuple(axis - (axis > longest) for axis in axes if axis != longest)
    return _sums(lines, others, dtype)


@_sums_in_one_pass.defjvp
def _tangents(axes: tuple[int, ...], dtype: Any, primals: Any, tangents: Any) -> Any:
    (summands,), (slopes,) = primals, tangents
    return _sums_in_one_pass(summands, axes, dtype), _sums(slopes, axes, dtype)


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

    def may_choose(self, x: Array) -> bool:
        return self.may_look(x) or not self.is_eager(x)

    def choose(
        self, condition: Array, first: Callable[[], list[Array]], second: Callable[[], list[Array]]
    ) -> list[Array]:
        if self.is_eager(condition):
            return super().choose(condition, first, second)
        # On a GPU the program would wait until the host has read the condition.
        return jax.lax.platform_dependent(cpu=lambda: jax.lax.cond(condition, first, second), default=second)

    def stop_gradient(self, x: Array) -> Array:
        return jax.lax.stop_gradient(x)

    def zero_or_nan(self, usable: Array, dtype: Any) -> Array:
        return jnp.sqrt(usable.astype(dtype) - 1)

    def zero_or_infinity(self, finite: Array, dtype: Any) -> Array:
        return -jnp.log(finite.astype(dtype))

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
            p = _barrier(p)
        return super().power_sum(p, exponent, weights)

    def one_hot(self, labels: Array, num_classes: int, dtype: Any) -> Array:
        hot = super().one_hot(labels, num_classes, dtype)
        return hot if dtype == jnp.bool else _materialised_on_a_cpu(hot)

    def activation(self, name: str) -> type[Prediction]:
        return {**ACTIVATIONS, "softmax": JaxSoftmax, "sigmoid": JaxSigmoid}[name]


class JaxSoftmax(OneHotSoftmax):
    @once
    def _with_label(self) -> tuple[Array, AtLabel]:
        # XLA has a loop of its own for a softmax; to form again what else is needed costs less than to keep it.
        ops, z, p = self.ops, self.logits, self._softmax()
        missed = ops.sum_classes(p - p * self.hot)
        highest = jnp.max(z, axis=ops.class_axis, keepdims=True)
        total = ops.sum_classes(jnp.exp(z - highest))
        shifted = ops.take_at_label(z, self.labels) - jnp.squeeze(highest, axis=ops.class_axis)
        at_label = jnp.exp(shifted) / total
        likely = missed <= 0.5
        log_p = jnp.where(likely, ops.log1p(-jnp.where(likely, missed, 0)), shifted - jnp.log(total))
        # See `_shares` for the choice.
        return p, AtLabel(at_label, jnp.where(likely, missed, 1 - at_label), log_p)

    def _error_of_labels(self, target: Target, missed: Array) -> Array:
        # XLA would keep what the sums are made of.
        p, y = _barrier((self.probabilities, target.values))
        return p - p * y - y * self.ops.over_classes(missed)


class JaxSigmoid(Sigmoid):
    def _sums(
        self, wanted: Sequence[Moment], target: Target, weights: Array | None, batch: bool
    ) -> tuple[list[Array], Any]:
        if target.has_labels:
            return super()._sums(wanted, target, weights, batch)
        ops, y = self.ops, target.values
        error = self.error(target) if any(m.i is SQUARED_ERROR for m in wanted) else None

        def summand(i: Any, j: Any) -> Array:
            if i is SQUARED_ERROR:
                assert error is not None
                return error**2
            of_p = self.complements if i is COMPLEMENT else 1 if is_zero(i) else self.power(i)
            of_y = 1 - y if j is COMPLEMENT else 1 if is_zero(j) else target.power(j)
            return jnp.broadcast_to(of_p * of_y, y.shape)

        summands = [summand(m.i, m.j) for m in wanted]
        if weights is not None:
            summands = [x * ops.over_classes(weights) for x in summands]
        sums = _sums_in_one_pass(summands, ops.spatial_axes, ops.accumulation_dtype(y))
        return sums, None if error is None else lambda: error

    @once
    def probabilities(self) -> Array:
        return jax.nn.sigmoid(self.logits)

    @once
    def complements(self) -> Array:
        return jax.nn.sigmoid(-self.logits)
