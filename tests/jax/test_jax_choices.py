"""Sums from totals, or exact where a class is nearly perfect: a program of `jax.jit` chooses, however transformed."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import seglosses_core
import seglosses_jax

LOSSES = [("DiceLoss", {}), ("PowerJaccardLoss", {"p": 2}), ("PowerDiceLoss", {"p": 2, "aggregate": "batch"})]


def problem(nats: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, (2, 8, 9))
    right = np.moveaxis(np.eye(4)[labels], -1, 1)
    return (rng.normal(size=right.shape) + nats * right).astype(np.float32), labels


@pytest.mark.parametrize("nats", [0.0, 3.0, 12.0])
@pytest.mark.parametrize(("name", "options"), LOSSES)
def test_both_ways(name: str, options: dict[str, Any], nats: float) -> None:
    logits, labels = problem(nats)
    core = getattr(seglosses_core, name)(**options)
    value, slope = core.value_and_grad(logits.astype(np.float64), labels)
    loss = getattr(seglosses_jax, name)(class_axis=1, **options)
    found, gradient = jax.jit(jax.value_and_grad(lambda z: loss(z, labels)))(jnp.asarray(logits))
    np.testing.assert_allclose(found, value, rtol=2e-6)
    np.testing.assert_allclose(gradient, slope, rtol=0, atol=2e-6 * np.abs(slope).max())
    # Along the logits: forward mode of the value and of the gradient, and reverse mode of the gradient.
    scores, steps = jnp.asarray(logits), 1e-3
    _, along = jax.jit(lambda z: jax.jvp(lambda z: loss(z, labels), (z,), (z,)))(scores)
    np.testing.assert_allclose(
        along, (slope * logits).sum(), rtol=2e-5, atol=1e-6 * np.abs(slope * logits).sum()
    )
    of_value = jax.grad(lambda z: loss(z, labels))
    curved = jax.jit(lambda z: jax.jvp(of_value, (z,), (z,))[1])(scores)
    reverse = jax.jit(jax.grad(lambda z: jnp.vdot(of_value(z), scores)))(scores)
    ahead, behind = (
        core.value_and_grad(logits.astype(np.float64) * (1 + step), labels)[1] for step in (steps, -steps)
    )
    expected = (ahead - behind) / (2 * steps)
    for second in (curved, reverse):
        np.testing.assert_allclose(second, expected, rtol=0, atol=2e-4 * np.abs(expected).max())


def test_images_of_a_map_choose_for_themselves() -> None:
    logits = np.concatenate([problem(0.0)[0][:1], problem(12.0)[0][1:]])
    labels = problem(0.0)[1]
    loss = seglosses_jax.DiceLoss(class_axis=1)
    each = jax.jit(jax.vmap(jax.value_and_grad(lambda z, t: loss(z[None], t[None]))))(logits, labels)
    for i in range(2):
        value, slope = seglosses_core.DiceLoss().value_and_grad(
            logits[i : i + 1].astype(np.float64), labels[i : i + 1]
        )
        np.testing.assert_allclose(each[0][i], value, rtol=2e-6)
        np.testing.assert_allclose(each[1][i], slope[0], rtol=0, atol=2e-6 * np.abs(slope).max())
