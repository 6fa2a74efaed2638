"""A call of a library in JAX, under jit, class axis last: what `on_torch.py` has for PyTorch."""

from __future__ import annotations

import dataclasses
import functools
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import Case
from benchmarks.competitors.on_jax import LIBRARIES
from benchmarks.gpu.inputs import make_inputs
from benchmarks.gpu.plan import Job
from benchmarks.worker import in_form

ROUND = 5e-3
"""Seconds of calls between two looks at the clock, for JAX has no events."""


@functools.cache
def _inputs(case: Case) -> tuple[jax.Array, jax.Array]:
    """Logits and labels, with one class a mask, which stay on the device."""
    if case.dtype != "float32":
        logits, target = _inputs(dataclasses.replace(case, dtype="float32"))
        return logits.astype(case.dtype), target.astype(case.dtype) if case.binary else target
    first, labels = make_inputs(case)
    last = jnp.moveaxis(jnp.asarray(first), 1, -1)
    if case.binary:
        return last, jnp.moveaxis(jnp.asarray(in_form(labels, case, "mask")), 1, -1)
    return last, jnp.asarray(labels, np.int32)


def _compiled(job: Job, given: Any) -> Any:
    competitor = LIBRARIES[job.library](job.case, job.loss)
    assert competitor is not None
    return jax.jit(jax.value_and_grad(competitor.function)).lower(*given).compile()


def compile_only(job: Job, device: str) -> None:
    """Leaves what XLA makes in its cache."""
    case = job.case
    shape = (case.shape[0], *case.shape[2:], case.classes)
    logits = jax.ShapeDtypeStruct(shape, case.dtype)
    labels = jax.ShapeDtypeStruct(shape[:-1], np.int32)
    _compiled(job, (logits, logits if case.binary else labels))


class Call:
    """One library with the inputs of a case."""

    def __init__(self, job: Job, device: str) -> None:
        self.case = job.case
        place = jax.devices("gpu" if device == "cuda" else device)[0]
        self.given = jax.device_put(_inputs(job.case), place)
        self.compiled = _compiled(job, self.given)

    @property
    def bytes_moved(self) -> int:
        logits, target = self.given
        return 3 * logits.nbytes + 2 * target.nbytes

    def evaluate(self) -> Any:
        return self.compiled(*self.given)

    def wait(self, result: Any) -> None:
        jax.block_until_ready(result)

    def sample(self, places: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.evaluate()
        batch, classes, *pixels = np.unravel_index(places, self.case.shape)
        return float(value), np.asarray(gradient[(batch, *pixels, classes)], np.float64)

    def times(self, repeats: int) -> list[float]:
        in_a_row = max(1, round(ROUND / self.seconds_until_done()))
        return [self._seconds_each(in_a_row) for _ in range(max(5, repeats // in_a_row))]

    def _seconds_each(self, calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            result = self.evaluate()
        self.wait(result)
        return (time.perf_counter() - start) / calls

    def seconds_until_done(self) -> float:
        return self._seconds_each(1)

    def peak(self) -> int:
        """What XLA plans beside arguments and results."""
        planned = self.compiled.memory_analysis()
        assert planned is not None
        return planned.temp_size_in_bytes


def release() -> None:
    """Nothing: the next row takes what the last has left."""
