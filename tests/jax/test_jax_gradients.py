"""The hand-written derivative as JAX sees it, in every mode and order, and the derivative of every other input."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from jax_cases import (
    ONE_PER_LOSS,
    C,
    Case,
    H,
    N,
    W,
    by_formula,
    close,
    each_curved,
    each_loss,
    heat_map,
    labels,
    logits,
    one_curved,
    soft,
)

import seglosses_jax as sl
from seglosses_conformance.losses import ENTRIES

pytestmark = pytest.mark.sampled(4)


def functions(case: Case) -> tuple[Any, Any]:
    """The loss and its formula as functions of the logits."""
    loss, given = case.make(), case.arguments()
    return (lambda z: loss(z, **given)), (lambda z: by_formula(loss, z, **given))


def direction(z: Array) -> Array:
    return jnp.asarray(np.random.default_rng(9).standard_normal(z.shape))


@pytest.mark.sampled(8)
@each_curved
def test_every_mode_is_that_of_the_formula(case: Case) -> None:
    """Value, gradient, forward mode and a Hessian-vector product, forward over reverse."""
    z = case.logits()

    def modes(f: Any) -> Any:
        return jax.tree.leaves(
            jax.jit(lambda z, v: jax.jvp(jax.value_and_grad(f), (z,), (v,)))(z, direction(z))
        )

    call, formula = functions(case)
    for found, expected in zip(modes(call), modes(formula), strict=True):
        close(found, expected, relative=1e-10)


@one_curved
def test_reverse_over_reverse(case: Case) -> None:
    z = case.logits()

    def product(f: Any) -> Array:
        return jax.jit(jax.grad(lambda z: jnp.vdot(jax.grad(f)(z), direction(z))))(z)

    call, formula = functions(case)
    close(product(call), product(formula), relative=1e-10)


@one_curved
def test_hessian(case: Case) -> None:
    loss, z = case.make(), case.logits()[:, :1, :2]
    given = {name: x[:, :1, :2] if x.shape[1:3] == (H, W) else x for name, x in case.arguments().items()}
    found = jax.jit(jax.hessian(lambda z: loss(z, **given)))(z)
    v = direction(z)
    product = jax.jit(jax.grad(lambda z: jnp.vdot(jax.grad(lambda z: by_formula(loss, z, **given))(z), v)))(z)
    close(jnp.tensordot(found, v, v.ndim), product, relative=1e-10)
    transposed = jnp.moveaxis(found, range(z.ndim), range(z.ndim, 2 * z.ndim))
    close(found, transposed, relative=1e-12)


@each_loss
def test_value_and_grad_is_jax_s(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits()

    @jax.jit
    def both(z: Array) -> Any:
        return loss.value_and_grad(z, **given), jax.value_and_grad(lambda z: loss(z, **given))(z)

    for one, other in zip(*both(z), strict=True):
        close(one, other)


def test_values_that_are_one_per_pixel() -> None:
    loss, z = sl.CrossEntropyLoss(reduction="none"), logits()
    jacobian = jax.jit(jax.jacfwd(lambda z: loss(z, labels())))(z)
    assert jacobian.shape == (N, H, W, N, H, W, C)
    summed = jax.grad(lambda z: sl.CrossEntropyLoss(reduction="sum")(z, labels()))(z)
    close(jacobian.sum((0, 1, 2)), summed)
    with pytest.raises(ValueError, match="value_and_grad needs a loss that is one number"):
        loss.value_and_grad(z, labels())


@pytest.mark.sampled(8)
@each_loss
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(case: Case, dtype: str) -> None:
    call, _ = functions(case)

    @jax.jit
    def both(z: Array) -> Any:
        return jax.value_and_grad(call)(z), jax.value_and_grad(call)(z.astype("float64"))

    (value, slope), (expected, exact) = both(case.logits(dtype))
    assert (value.dtype, slope.dtype) == (jnp.float32, jnp.dtype(dtype))
    close(value.astype("float64"), expected, relative=1e-5)
    close(slope.astype("float64"), exact, relative=float(jnp.finfo(dtype).eps))


def test_the_upstream_factor_comes_before_the_rounding() -> None:
    rng = np.random.default_rng(0)
    z = jnp.asarray(rng.standard_normal((1, 64, 64, 64, 2)), dtype="float16")
    t = jnp.asarray(rng.random((1, 64, 64, 64)) < 1e-3).astype(int)
    found = jax.grad(lambda z: 65536 * sl.DiceLoss()(z, t))(z)
    expected = jax.grad(lambda z: 65536 * sl.DiceLoss()(z, t))(z.astype("float64"))
    close(found.astype("float64"), expected, relative=1e-3)


@pytest.mark.usefixtures("float32")
@each_loss
def test_without_x64(case: Case) -> None:
    call, formula = functions(case)
    z = case.logits("float32")
    value, slope = jax.jit(jax.value_and_grad(call))(z)
    assert value.dtype == slope.dtype == jnp.float32
    expected, other = jax.jit(jax.value_and_grad(formula))(z)
    close(value, expected, relative=1e-6)
    close(slope, other, relative=1e-5)


@each_loss
def test_float32_logits_stay_float32_beside_float64(case: Case) -> None:
    """Under x64, float64 masks, targets and hyper-parameters do not widen the value."""
    call, _ = functions(case)
    loss, z = case.make(), case.logits("float32")
    by_autodiff = jax.eval_shape(jax.value_and_grad(call), z)
    by_hand = jax.eval_shape(lambda z: loss.value_and_grad(z, **case.arguments()), z)
    assert {x.dtype for x in (*by_autodiff, *by_hand)} == {np.dtype("float32")}


# -- other inputs -----------------------------------------------------------------------------------------------------


def check_slope(call: Any, x: Array) -> None:
    """The gradient of `call` at x against central differences in three directions, in float64."""
    value, slope = jax.jit(call), jax.jit(jax.grad(call))(x)
    for seed in range(3):
        v = np.random.default_rng(seed).standard_normal(x.shape)
        change = value(x + 1e-5 * v) - value(x - 1e-5 * v)
        np.testing.assert_allclose(np.vdot(slope, v), change / 2e-5, rtol=1e-5, atol=1e-9)
    assert np.abs(slope).max() > 1e-6


SOFT = [case for case in ONE_PER_LOSS if "soft" in case.sample.targets and ENTRIES[case.loss].soft_slope]


@pytest.mark.parametrize("case", SOFT, ids=str)
def test_gradient_of_a_soft_target(case: Case) -> None:
    loss, z, given = case.make(), case.logits(), case.arguments()

    def value(z: Array, t: Array) -> Array:
        return loss(z, **{**given, "target": t})

    check_slope(lambda t: value(z, t), soft())
    both = jax.jit(jax.grad(value, argnums=(0, 1)))(z, soft())
    close(both[0], jax.jit(jax.grad(lambda z: value(z, soft())))(z))
    close(both[1], jax.jit(jax.grad(lambda t: value(z, t)))(soft()))


def test_gradient_of_a_heat_map() -> None:
    loss, z, peaks = sl.DistanceAwareCrossEntropyLoss(), logits(), heat_map() == 1
    check_slope(lambda t: loss(z, jnp.where(peaks, 1.0, t)), heat_map())  # at a peak the loss itself jumps


@pytest.mark.sampled(8)
@each_loss
@pytest.mark.parametrize("weight", ["mask", "sample_weight"])
def test_gradient_of_weights(case: Case, weight: str) -> None:
    loss, given = case.make(), case.arguments()
    shape = (N,) if weight == "sample_weight" else (N, H, W)
    w = jnp.asarray(0.5 + np.random.default_rng(7).random(shape))
    check_slope(lambda w: loss(case.logits(), **{**given, weight: w}), w)


def leaf_slope(make: Any, x: Array, *arguments: Array) -> None:
    """By the pytree, and by a closure over a loss that is made inside the differentiated function."""
    check_slope(lambda x: make(x)(*arguments), x)
    by_leaf = jax.grad(lambda loss: loss(*arguments))(make(x))
    assert type(by_leaf) is type(make(x))
    (leaf,) = jax.tree.leaves(by_leaf)
    close(leaf, jax.grad(lambda x: make(x)(*arguments))(x))


@pytest.mark.parametrize("kind", [sl.PowerDiceLoss, sl.PowerJaccardLoss])
@pytest.mark.parametrize("target", [labels, soft])
def test_gradient_of_a_power(kind: Any, target: Any) -> None:
    leaf_slope(lambda p: kind(p=p), jnp.asarray(1.6), logits(), target())


@pytest.mark.parametrize("name", ["class_weights", "alpha"])
def test_gradient_of_weights_of_classes(name: str) -> None:
    start = jnp.asarray([0.2, 0.5, 0.9])
    leaf_slope(lambda w: sl.FocalLoss(**{name: w}), start, logits(), labels())


def test_gradient_of_ensemble_weights_and_of_a_power_inside() -> None:
    z, t = logits(), labels()

    def make(weights: Array, p: Any = 1.4) -> Any:
        return sl.EnsembleLoss(losses=[sl.DiceLoss(), sl.PowerJaccardLoss(p=p)], weights=weights)

    leaf_slope(make, jnp.asarray([0.2, 0.8]), z, t)
    check_slope(lambda p: make(jnp.asarray([0.2, 0.8]), p)(z, t), jnp.asarray(1.4))
    slopes = jax.grad(lambda loss: loss(z, t))(make(jnp.asarray([0.2, 0.8]), jnp.asarray(1.4)))
    assert [leaf.shape for leaf in jax.tree.leaves(slopes)] == [(), (2,)]
    scaled = jax.grad(lambda w: (w * sl.DiceLoss() + sl.CrossEntropyLoss())(z, t))(jnp.asarray(0.3))
    close(scaled, sl.DiceLoss()(z, t))


def test_gradient_of_features_and_centres() -> None:
    loss, z, t = sl.CenterLoss(weight=0.5), logits(), labels()
    rng = np.random.default_rng(0)
    x, centers = jnp.asarray(rng.standard_normal((N, H, W, 3))), jnp.asarray(rng.standard_normal((C, 3)))
    check_slope(lambda x: loss(z, t, features=x, centers=centers), x)
    check_slope(lambda centers: loss(z, t, features=x, centers=centers), centers)
    slopes = jax.jit(jax.grad(lambda z, x: loss(z, t, features=x, centers=centers), argnums=(0, 1)))(z, x)
    _, by_hand = jax.jit(lambda z, x: loss.value_and_grad(z, t, features=x, centers=centers))(z, x)
    for one, other in zip(slopes, by_hand, strict=True):
        close(one, other)


def test_mixed_second_derivative_of_logits_and_power() -> None:
    z, t, p = logits(), labels(), jnp.asarray(1.6)

    def of_power(z: Array, f: Any) -> Array:
        return jax.grad(lambda p: f(sl.PowerDiceLoss(p=p), z, t))(p)

    found = jax.jit(jax.grad(lambda z: of_power(z, lambda loss, *arguments: loss(*arguments))))(z)
    close(found, jax.jit(jax.grad(lambda z: of_power(z, by_formula)))(z), relative=1e-10)


def test_the_memory_of_the_local_loss_does_not_grow_with_the_window() -> None:
    logits, target = jnp.zeros((1, 64, 64, 5)), jnp.zeros((1, 64, 64), jnp.int32)

    def scratch(size: int) -> int:
        gradient = jax.jit(jax.grad(sl.LocallyAdaptiveLoss(kernel_size=size)))
        return gradient.lower(logits, target).compile().memory_analysis().temp_size_in_bytes

    # The edge of 4 pixels around one padded copy, instead of 1, is all that may be more.
    assert scratch(9) < 1.2 * scratch(3)


def test_what_is_no_number_stays_none_under_jit():
    # XLA makes a choice of a product with a condition, and 0 of NaN times 0.
    logits = jnp.asarray([[[2.0], [-1.0], [0.5], [-2.0]]])
    target = jnp.asarray([[[1.0], [0.0], [1.0], [0.0]]])
    instances = {"instances": jnp.asarray([[1, 0, 2, 0]])}
    for loss, inputs in (
        (sl.DiceLoss(activation="sigmoid", absent="skip"), {}),
        (sl.BlobLoss(activation="sigmoid", num_instances=2), instances),
    ):
        value = jax.jit(functools.partial(loss, **inputs))
        assert not jnp.isnan(value(logits, target)), loss
        assert jnp.isnan(value(logits.at[0, 1, 0].set(jnp.nan), target)), loss
        assert jnp.isnan(value(logits, target.at[0, 2, 0].set(jnp.nan))), loss
    wide = jnp.asarray(np.random.default_rng(0).normal(size=(2, 2, 3, 3)), dtype=jnp.float32)
    value = jax.jit(jax.value_and_grad(sl.AsymmetricLoss()))
    labels = jnp.asarray([[[0, 1, 1], [2, 0, 1]], [[2, 1, 0], [2, 2, 0]]])
    assert jnp.isnan(value(wide.at[0, 0, 1, 0].set(jnp.nan), labels)[0])


def test_a_second_call_outside_jit_compiles_nothing():
    # What chooses by the platform, or is a reduction of several arrays, is compiled even there.
    one, several = jnp.ones((1, 5, 3, 1), jnp.float32), jnp.ones((1, 5, 3, 4), jnp.float32)
    target = jnp.zeros((1, 5, 3), jnp.int32)
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if "backend_compile" in event else None
    )
    for loss, given in (
        (sl.DiceLoss(activation="sigmoid"), one),
        (sl.PowerJaccardLoss(activation="sigmoid", p=2.0), one),
        (sl.PowerJaccardLoss(p=2.0), several),
        (sl.DiceLoss() + sl.CrossEntropyLoss(), several),
    ):
        gradient, others = jax.value_and_grad(loss), 2 * given
        gradient(given, target)
        assert compiled, "the event has another name"
        compiled.clear()
        gradient(others, target)
        assert not compiled, loss
