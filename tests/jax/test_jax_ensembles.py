"""What the members of an ensemble give, and weights that are leaves."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax_cases import C, close, labels, logits

import seglosses_jax as sl

A, B = sl.DiceLoss(), sl.CrossEntropyLoss()
ENSEMBLES = {
    "softmax": 0.25 * A + 2 * B,
    "sigmoid": 0.25 * sl.DiceLoss(activation="sigmoid") + 2 * sl.FocalLoss(activation="sigmoid"),
    "leaves": sl.EnsembleLoss(
        losses=[A, sl.PowerDiceLoss(p=jnp.asarray(1.5))], weights=jnp.asarray([0.5, 2.0])
    ),
}
TARGET = jax.nn.one_hot(labels(), C).astype(bool)

each_ensemble = pytest.mark.parametrize("name", ENSEMBLES)


@each_ensemble
def test_parts_and_the_gradient_of_their_sum(name: str) -> None:
    loss, z = ENSEMBLES[name], logits()
    step = jax.jit(jax.value_and_grad(lambda x: x[0].parts(x[1], TARGET), has_aux=True))
    alone = jax.jit(jax.value_and_grad(lambda x: x[0](x[1], TARGET)))
    (value, members), (of_loss, slope) = step((loss, z))
    expected, (expected_of_loss, expected_slope) = alone((loss, z))
    close(value, expected)
    close(slope, expected_slope)
    for one, other in zip(jax.tree.leaves(of_loss), jax.tree.leaves(expected_of_loss), strict=True):
        close(one, other)
    close(jnp.stack(members), jnp.stack([member(z, TARGET) for member in loss.losses]))


def test_members_are_constants() -> None:
    z = logits()
    assert not jnp.any(jax.grad(lambda z: ENSEMBLES["softmax"].parts(z, TARGET)[1][0])(z))
    primal, tangent = jax.jvp(lambda z: ENSEMBLES["softmax"].parts(z, TARGET), (z,), (jnp.ones_like(z),))
    assert jax.tree.structure(primal) == jax.tree.structure(tangent)
    assert not any(map(jnp.any, tangent[1]))


def test_parts_of_each_image() -> None:
    z, loss = logits(), ENSEMBLES["softmax"]
    value, members = jax.vmap(lambda z, t: loss.parts(z[None], t[None]))(z, TARGET)
    close(members[0], jnp.stack([A(z[n : n + 1], TARGET[n : n + 1]) for n in range(len(z))]))
    assert value.shape == members[1].shape == (len(z),)


@pytest.mark.parametrize(
    "weights", [jnp.asarray([0.5, 0.5]), (jnp.asarray(0.5), 1.0)], ids=["vector", "list"]
)
def test_nothing_is_compiled_again_for_other_weights(weights: Any) -> None:
    z, t, traced = logits(), labels(), []

    @jax.jit
    def step(loss: sl.EnsembleLoss, z: jax.Array) -> Any:
        traced.append(loss)
        return jax.value_and_grad(lambda z: loss.parts(z, t), has_aux=True)(z)

    loss = sl.EnsembleLoss(losses=[A, B], weights=weights)
    for alpha in (0.5, 0.25, 0.0):
        new = (jnp.asarray(alpha), 1.0) if isinstance(weights, tuple) else jnp.asarray([alpha, 1.0])
        loss = dataclasses.replace(loss, weights=new)
        (value, _), slope = step(loss, z)
        expected, expected_slope = jax.value_and_grad(lambda z, alpha=alpha: alpha * A(z, t) + B(z, t))(z)
        close(value, expected)
        close(slope, expected_slope)
    assert len(traced) == 1
