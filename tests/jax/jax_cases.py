"""One small problem for every loss, and for every path that a loss can take through the core; the classes are last."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import seglosses_jax as sl
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build

N, H, W, C = 2, 3, 5, 4


@dataclass(frozen=True)
class Case:
    """How to make a loss, and the arguments of one call."""

    name: str
    make: Callable[[], sl.JaxLoss]
    target: str = "labels"
    weighted: bool = False

    def logits(self, dtype: Any = "float64") -> Array:
        drawn = 2 * np.random.default_rng(1).standard_normal((N, H, W, C))
        if self.make().activation == "identity":
            drawn = np.exp(drawn) / np.exp(drawn).sum(-1, keepdims=True)
        return jnp.asarray(drawn, dtype=dtype)

    def arguments(self) -> dict[str, Array]:
        """Everything else that the call takes."""
        given: dict[str, Array] = {"target": TARGETS[self.target]()}
        if self.weighted:
            mask = np.random.default_rng(2).random((N, H, W))
            given["mask"] = jnp.asarray(np.where(mask > 0.2, mask, 0))
            given["sample_weight"] = jnp.asarray([0.7, 1.6])
        if self.name == "CenterLoss":
            given["centers"] = jnp.asarray(np.random.default_rng(3).standard_normal((C, C)))
        return given

    def __str__(self) -> str:
        return self.name


def labels() -> Array:
    return jnp.asarray(np.random.default_rng(4).integers(C, size=(N, H, W)))


def soft() -> Array:
    drawn = np.exp(np.random.default_rng(5).standard_normal((N, H, W, C)))
    return jnp.asarray(drawn / drawn.sum(-1, keepdims=True))


def heat_map() -> Array:
    return jnp.where(jax.nn.one_hot(labels(), C) == 1, 1.0, np.random.default_rng(6).random((N, H, W, C)))


TARGETS = {"labels": labels, "soft": soft, "heat map": heat_map}

PATHS = [
    Case("CrossEntropyLoss", lambda: sl.CrossEntropyLoss(class_weights=(1.0, 0.5, 2.0, 0.0)), weighted=True),
    Case("FocalLoss", lambda: sl.FocalLoss(gamma=1.5, alpha=jnp.asarray([0.1, 0.2, 0.3, 0.4]))),
    Case("DiceLoss", sl.DiceLoss),
    Case("JaccardLoss", lambda: sl.JaccardLoss(aggregate="batch", absent="skip"), weighted=True),
    Case("TverskyLoss", lambda: sl.TverskyLoss(alpha=0.3, beta=0.7, include_background=False), "soft"),
    Case("PowerDiceLoss", lambda: sl.PowerDiceLoss(p=jnp.asarray(1.5))),
    Case("PowerJaccardLoss", lambda: sl.PowerJaccardLoss(p=1.7), "soft", weighted=True),
    Case("PointwiseExponentialLoss", lambda: sl.PointwiseExponentialLoss(denominator="union")),
    Case(
        "LocallyAdaptiveLoss",
        lambda: sl.LocallyAdaptiveLoss(kernel_size=3, cost=sl.FocalLoss()),
        weighted=True,
    ),
    Case("CenterLoss", lambda: sl.CenterLoss(weight=0.3)),
    Case("DistanceAwareCrossEntropyLoss", sl.DistanceAwareCrossEntropyLoss, "heat map"),
    Case("MeanSquaredErrorLoss", sl.MeanSquaredErrorLoss, "heat map", weighted=True),
    Case("EnsembleLoss", lambda: jnp.asarray(0.3) * sl.DiceLoss() + 0.7 * sl.CrossEntropyLoss()),
    Case("CrossEntropyLoss, soft", lambda: sl.CrossEntropyLoss(label_smoothing=0.1), "soft"),
    Case("FocalLoss, sigmoid", lambda: sl.FocalLoss(activation="sigmoid", reduction="sum"), weighted=True),
    Case("PowerDiceLoss, identity", lambda: sl.PowerDiceLoss(p=1.3, activation="identity")),
    Case("Minkowski", lambda: sl.CrossEntropyLoss(reduction=sl.Minkowski(k=2.5)), weighted=True),
    Case("MaxPooling", lambda: sl.CrossEntropyLoss(reduction=sl.MaxPooling())),
    Case("TopK", lambda: sl.FocalLoss(reduction=sl.TopK(fraction=0.3))),
]

CASES = PATHS + [
    Case(
        name,
        functools.partial(build, sl, name, entry.samples[0].hyperparameters, -1),
        entry.samples[0].targets[-1],
    )
    for name, entry in ENTRIES.items()
    if name not in {case.name for case in PATHS}
]
"""Paths through the core, and of every loss that has none here the first sample of its record."""

ONE_PER_LOSS = [next(case for case in CASES if case.name.partition(",")[0] == name) for name in ENTRIES]


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


each_case = pytest.mark.parametrize("case", CASES, ids=str)
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
