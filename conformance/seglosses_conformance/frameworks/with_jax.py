"""JAX, jitted or not."""

from __future__ import annotations

import contextlib
import copy
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from seglosses_conformance.frameworks.base import Array, Call, Evaluation, Framework, Function, Unavailable
from seglosses_conformance.ways import DERIVATIVES


def enable_x64(enabled: bool) -> contextlib.AbstractContextManager[None]:
    """`jax.enable_x64`, wherever the release that is there has it."""
    import jax

    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(enabled)
    experimental: Any = importlib.import_module("jax.experimental")
    return experimental.enable_x64(enabled)


class Jax(Framework):
    """`jax.value_and_grad`, jitted or not; float64 in a session with x64."""

    library = "jax"
    native_axis = -1
    ways = ("upstream", "loss scale", "backward twice", "after another", *DERIVATIVES)
    overwritable = False

    def __init__(self, device: str = "cpu", jit: bool = False) -> None:
        import jax

        try:
            self.device = jax.devices("gpu" if device == "cuda" else device)[0]
        except RuntimeError as error:
            raise Unavailable(f"jax finds no {device} device: {error}") from None
        self.jit = jit

    @contextlib.contextmanager
    def session(self, dtype: str) -> Iterator[None]:
        import jax

        with enable_x64(dtype == "float64"), jax.default_device(self.device):
            yield

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import jax.numpy as jnp

        # Without x64 JAX has 32-bit integers only, and says so each time it is asked for others.
        return jnp.asarray(values, dtype=None if values.dtype == np.int64 else jnp.dtype(dtype))

    def numpy(self, array: Array) -> np.ndarray:
        return np.asarray(array).astype(np.float64)

    def evaluate(self, call: Call) -> Evaluation:
        import jax

        made = jax.jit if self.jit else lambda f: f
        varied, value_of, total_of = self._functions(call)
        if not varied:
            return Evaluation([made(value_of)(varied, call.arrays)], {})
        (_, value), gradients = made(jax.value_and_grad(total_of, has_aux=True))(varied, call.arrays)
        values = [value] if self.jit else [value_of(varied, call.arrays), value]
        return Evaluation(values, gradients)

    def _functions(self, call: Call) -> tuple[dict[str, Array], Function, Function]:
        def value_of(varied: dict[str, Array], arrays: dict[str, Array]) -> Array:
            return call.function(**{**arrays, **varied})

        def total_of(varied: dict[str, Array], arrays: dict[str, Array]) -> tuple[Array, Array]:
            value = value_of(varied, arrays)
            return (value * call.upstream).sum(), value

        return {name: call.arrays[name] for name in call.wrt}, value_of, total_of

    def backward_twice(self, call: Call) -> Evaluation:
        import jax

        varied, _, total_of = self._functions(call)
        total, pullback, value = jax.vjp(lambda varied: total_of(varied, call.arrays), varied, has_aux=True)
        (once,), (again,) = (pullback(jax.numpy.ones_like(total)) for _ in range(2))
        return Evaluation([value], {name: (once[name] + again[name]) / 2 for name in varied})

    def compiled(self, call: Call) -> Evaluation:
        compiling = copy.copy(self)
        compiling.jit = True
        return compiling.evaluate(call)

    def curvature(self, call: Call, direction: Array) -> Array:
        import jax

        def gradient(logits: Array) -> Array:
            return jax.grad(lambda logits: call(logits=logits))(logits)

        return jax.jvp(gradient, (call.arrays["logits"],), (direction,))[1]

    def environment(self) -> dict[str, Any]:
        import jax

        return {
            "jax device": str(self.device.device_kind),
            "jax x64": "in float64 comparisons only",
            "jax matmul precision": str(jax.config.values["jax_default_matmul_precision"]),
        }
