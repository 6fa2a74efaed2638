"""The problems of `problems.py` as pytrees and JAX arrays; the classes are last."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from problems import LABELS, LOGITS, PROBLEMS, SOFT, TARGETS, C, H, N, Problem, W, first_of_each, with_options

import seglosses_jax as sl
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build

__all__ = ["C", "H", "N", "W"]


class Case(Problem):
    """How to make a loss, and the arguments of one call."""

    def make(self, **options: Any) -> sl.JaxLoss:
        """The loss, with other hyper-parameters if it has those."""
        hyperparameters = with_options(self.loss, self.sample.hyperparameters, options)
        leaves = {name: jnp.asarray(hyperparameters[name]) for name in self.leaves}
        return build(sl, self.loss, {**hyperparameters, **leaves}, -1)

    @property
    def leaves(self) -> list[str]:
        """The hyper-parameters that are arrays: powers, and what is many numbers but for the class weights."""
        given = self.sample.hyperparameters
        several = [name for name, x in given.items() if isinstance(x, list) and isinstance(x[0], float)]
        return [name for name in given if name == "p" or (name in several and name != "class_weights")]

    def logits(self, dtype: Any = "float64") -> Array:
        return classes_last(self.scores()).astype(dtype)

    def arguments(self) -> dict[str, Array]:
        """Everything else that the call takes."""
        return {name: classes_last(x) for name, x in self.given().items()}


def classes_last(x: np.ndarray) -> Array:
    """Of what has classes, or features, and pixels."""
    return jnp.asarray(np.moveaxis(x, 1, -1) if x.ndim == LOGITS.ndim else x)


def labels() -> Array:
    return jnp.asarray(LABELS)


def soft() -> Array:
    return classes_last(SOFT)


def heat_map() -> Array:
    return classes_last(TARGETS["heat map"])


def logits(dtype: Any = "float64") -> Array:
    return classes_last(LOGITS).astype(dtype)


CASES = [Case(**vars(problem)) for problem in PROBLEMS]
ONE_PER_LOSS = first_of_each(CASES)
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_curved = pytest.mark.parametrize("case", [c for c in CASES if ENTRIES[c.loss].curved], ids=str)
one_curved = pytest.mark.parametrize("case", [c for c in ONE_PER_LOSS if ENTRIES[c.loss].curved], ids=str)
each_loss = pytest.mark.parametrize("case", ONE_PER_LOSS, ids=str)


def by_formula(loss: sl.JaxLoss, logits: Array, target: Array, **given: Any) -> Array:
    """The value without the hand-written derivative: what JAX makes of it is an independent witness."""
    weights = given.pop("mask", None), given.pop("sample_weight", None)
    return loss.value(loss.prepare(logits, target, *weights, given))


def close(found: Any, expected: Any, *, relative: float = 1e-11) -> None:
    """Same dtype and shape, and equal beside the largest entry; an all-zero expectation would prove nothing."""
    assert isinstance(found, Array)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    found, expected = (np.asarray(x, dtype=np.float64) for x in (found, expected))
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=relative * scale)
