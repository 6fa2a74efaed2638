"""Third derivatives, and derivatives of the gradient with respect to everything else."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from jax_cases import Case, by_formula, close, each_loss

pytestmark = pytest.mark.sampled(4)


def direction(x: Array, seed: int) -> Array:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(x.shape))


@each_loss
def test_third_and_mixed_derivatives(case: Case) -> None:
    """Along fixed directions: the third derivative, and that of the gradient by weights, by leaves of the loss and by
    soft targets."""
    loss, z, given = case.make(), case.logits(), case.arguments()
    mask = 0.5 + jnp.abs(direction(z[..., 0], 4))
    others = {**given, "mask": mask, "sample_weight": jnp.asarray([0.7, 1.6])}
    soft = {name: x for name, x in others.items() if jnp.issubdtype(x.dtype, jnp.floating)}
    if case.target == "heat map":
        soft.pop("target")  # where it is 1, the loss jumps

    def all_of(call: Any) -> Any:
        def slope(loss: Any, z: Array, soft: Any) -> Array:
            along = jax.grad(lambda z: call(loss, z, **{**others, **soft}))
            return jnp.vdot(along(z), direction(z, 11))

        def orders(loss: Any, z: Array, soft: Any) -> Any:
            third = jax.jvp(jax.grad(lambda z: slope(loss, z, soft)), (z,), (direction(z, 12),))[1]
            return third, jax.grad(slope, argnums=(0, 2))(loss, z, soft)

        return jax.tree.leaves(jax.jit(orders)(loss, z, soft))

    found, expected = all_of(lambda loss, z, **given: loss(z, **given)), all_of(by_formula)
    for one, other in zip(found, expected, strict=True):
        if not np.any(other):  # as the third derivative of a squared error
            assert not np.any(one)
        else:
            close(one, other, relative=1e-9)
