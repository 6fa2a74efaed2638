"""The losses as pytrees: what is a leaf, what is static, and what JAX makes of either."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import Array
from jax_cases import C, Case, N, close, each_case, each_loss, labels, logits

import seglosses_core
import seglosses_jax as sl


def with_leaves() -> dict[str, sl.JaxLoss]:
    weights = jnp.asarray([1.0, 2.0, 0.5])
    return {
        ".p": sl.PowerDiceLoss(p=jnp.asarray(1.5)),
        ".class_weights": sl.DiceLoss(class_weights=weights),
        ".alpha": sl.FocalLoss(alpha=weights / 4),
        ".cost.alpha": sl.LocallyAdaptiveLoss(kernel_size=3, cost=sl.FocalLoss(alpha=weights / 4)),
        ".weights": sl.EnsembleLoss(losses=[sl.DiceLoss(), sl.FocalLoss()], weights=jnp.asarray([0.4, 0.6])),
        ".losses[1].p": sl.DiceLoss() + sl.PowerJaccardLoss(p=jnp.asarray(1.2)),
    }


each_leaf = pytest.mark.parametrize("path", with_leaves())


@each_leaf
def test_arrays_are_leaves_with_a_path(path: str) -> None:
    loss = with_leaves()[path]
    ((found, leaf),) = jax.tree_util.tree_leaves_with_path(loss)
    assert jax.tree_util.keystr(found) == path
    assert isinstance(leaf, Array)


@each_case
def test_numbers_are_static(case: Case) -> None:
    assert len(jax.tree.leaves(case.make())) == len(case.leaves)


@each_leaf
def test_flatten_and_unflatten(path: str) -> None:
    loss, z = with_leaves()[path], logits()
    leaves, structure = jax.tree.flatten(loss)
    again = jax.tree.unflatten(structure, leaves)
    assert type(again) is type(loss)
    assert jax.tree.structure(again) == structure
    assert repr(again) == repr(loss)
    assert again(z, labels()) == loss(z, labels())


@each_leaf
@pytest.mark.parametrize(
    "placeholder", [None, True, pytest.param(object(), id="object"), "frozen", 1.5], ids=str
)
def test_placeholders_keep_the_structure(path: str, placeholder: Any) -> None:
    """Masks and labels of an optimiser are trees of the same structure with no arrays in them."""
    loss = with_leaves()[path]
    mapped = jax.tree.map(lambda _: placeholder, loss)
    assert jax.tree.leaves(mapped, is_leaf=lambda x: x is placeholder) == [placeholder]
    restored = jax.tree.map(lambda _, leaf: leaf, mapped, loss, is_leaf=lambda x: x is placeholder)
    assert jax.tree.structure(restored) == jax.tree.structure(loss)


@each_leaf
def test_learnt_by_optax(path: str) -> None:
    """Adam, masked to what is learnt, on the loss itself."""
    loss, z, t = with_leaves()[path], logits(), labels()
    optimizer = optax.masked(optax.adam(1e-3), jax.tree.map(lambda _: True, loss))
    state = optimizer.init(loss)

    @jax.jit
    def step(loss: sl.JaxLoss, state: Any) -> Any:
        value, slopes = jax.value_and_grad(lambda loss: loss(z, t))(loss)
        updates, state = optimizer.update(slopes, state, loss)
        return value, optax.apply_updates(loss, updates), state

    before, updated, state = step(loss, state)
    after, _, _ = step(updated, state)
    assert after < before
    assert jax.tree.structure(updated) == jax.tree.structure(loss)


@each_leaf
def test_as_argument_and_as_closure_of_jit(path: str) -> None:
    loss, z, t = with_leaves()[path], logits(), labels()
    expected = loss(z, t)
    close(jax.jit(lambda loss, z: loss(z, t))(loss, z), expected)
    close(jax.jit(lambda z: loss(z, t))(z), expected)
    close(jax.jit(loss)(z, t), expected)


@each_leaf
def test_no_compilation_when_only_leaves_change(path: str) -> None:
    traces = []

    @jax.jit
    def slope(loss: sl.JaxLoss, z: Array) -> Array:
        traces.append(loss)
        return jax.grad(lambda z: loss(z, labels()))(z)

    loss, z = with_leaves()[path], logits()
    first = slope(loss, z)
    second = slope(jax.tree.map(lambda x: x * 0.9 + 0.05, loss), z)
    slope(with_leaves()[path], z)
    assert len(traces) == 1
    assert not jnp.array_equal(first, second)


def test_a_static_change_compiles_anew() -> None:
    traces = []

    @jax.jit
    def value(loss: sl.JaxLoss, z: Array) -> Array:
        traces.append(loss)
        return loss(z, labels())

    z = logits()
    for beta in (0.5, 0.5, 0.9):
        value(sl.TverskyLoss(beta=beta), z)
    assert len(traces) == 2


def test_static_argument() -> None:
    z = logits()
    value = jax.jit(lambda loss, z: loss(z, labels()), static_argnums=0)
    close(
        value(sl.DiceLoss(class_weights=[1, 2, 3]), z),
        sl.DiceLoss(class_weights=(1, 2, 3))(z, labels()),
    )
    assert hash(sl.DiceLoss()) == hash(sl.DiceLoss())
    assert sl.DiceLoss() == sl.DiceLoss() != sl.DiceLoss(smooth=1.0)
    assert sl.DiceLoss() != seglosses_core.DiceLoss(class_axis=-1)


def test_vmap_over_a_leaf() -> None:
    z, powers = logits(), jnp.asarray([1.2, 1.5, 1.9])
    losses = jax.vmap(lambda p: sl.PowerDiceLoss(p=p))(powers)
    found = jax.vmap(lambda loss: loss(z, labels()))(losses)
    close(found, jnp.stack([sl.PowerDiceLoss(p=p)(z, labels()) for p in powers]))
    slope = jax.jit(jax.grad(lambda z, loss: loss(z, labels())))
    slopes = jax.jit(jax.vmap(slope, in_axes=(None, 0)))(z, losses)
    close(slopes, jnp.stack([slope(z, sl.PowerDiceLoss(p=p)) for p in powers]))


@each_loss
@pytest.mark.sampled(1)
def test_vmap_is_the_loop(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits()
    t = given.pop("target")
    zs, ts = jnp.stack([z, z[::-1]]), jnp.stack([t, t[::-1]])
    slopes = jax.value_and_grad(lambda z, t: loss(z, t, **given))
    one = jax.jit(slopes)
    expected = jax.tree.map(lambda *x: jnp.stack(x), *[one(*pair) for pair in zip(zs, ts, strict=True)])
    for found, other in zip(jax.jit(jax.vmap(slopes))(zs, ts), expected, strict=True):
        close(found, other)


# -- Python's own ways ------------------------------------------------------------------------------------------------


@each_case
def test_pickle_and_deepcopy(case: Case) -> None:
    loss = case.make()
    for other in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss), copy.copy(loss)):
        assert type(other) is type(loss)
        assert repr(other) == repr(loss)
        assert jax.tree.structure(other) == jax.tree.structure(loss)
        assert jax.tree.all(jax.tree.map(jnp.array_equal, other, loss))


@pytest.mark.parametrize("core", seglosses_core.LOSSES, ids=lambda kind: kind.__name__)
def test_classes_have_the_core_s_names_signatures_and_documentation(core: type) -> None:
    kind = getattr(sl, core.__name__)
    assert issubclass(kind, core)
    assert issubclass(kind, sl.JaxLoss)
    assert (kind.__name__, kind.__qualname__, kind.__module__) == (
        core.__name__,
        core.__name__,
        "seglosses_jax",
    )
    assert kind.__doc__ == core.__doc__
    found, expected = (dict(inspect.signature(k).parameters) for k in (kind, core))
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in found.values())
    if "class_axis" in expected:
        assert found["class_axis"].default == -1
        expected["class_axis"] = found["class_axis"]
    assert list(found) == list(expected)
    assert {n: p.default for n, p in found.items()} == {n: p.default for n, p in expected.items()}


def test_losses_are_frozen() -> None:
    loss = sl.FocalLoss()
    with pytest.raises(AttributeError, match="gamma"):
        loss.gamma = 3.0


def test_sums_of_losses_are_of_this_package() -> None:
    loss = 0.3 * sl.DiceLoss() + np.float32(0.7) * sl.CrossEntropyLoss()
    assert isinstance(loss, sl.EnsembleLoss)
    assert isinstance(loss, seglosses_core.EnsembleLoss)
    assert loss.class_axis == -1


def test_numpy_arrays_are_accepted() -> None:
    z, t = logits(), labels()
    mask, weights = jnp.ones(t.shape), jnp.asarray([1.0, 2.0])
    expected = sl.DiceLoss()(z, t, mask=mask, sample_weight=weights)
    close(sl.DiceLoss()(z, np.asarray(t), mask=np.asarray(mask), sample_weight=np.asarray(weights)), expected)
    close(sl.DiceLoss()(np.asarray(z), t), sl.DiceLoss()(z, t))
    close(sl.DiceLoss(class_weights=np.ones(C))(z, t), sl.DiceLoss()(z, t))
    close(sl.PowerDiceLoss(p=np.float64(1.5))(z, t), sl.PowerDiceLoss(p=1.5)(z, t))
    value, slope = sl.DiceLoss().value_and_grad(np.asarray(z), np.asarray(t))
    close(value, sl.DiceLoss()(z, t))
    close(slope, jax.grad(sl.DiceLoss())(z, t))
    centers = np.ones((C, C))
    for given in (np.asarray, jnp.asarray):
        loss = sl.CenterLoss()
        found = loss(given(z), given(t), centers=centers, features=np.asarray(z))
        close(found, loss(z, t, centers=jnp.asarray(centers)))
        moved = loss.updated_centers(given(z), given(t), centers=centers, features=np.asarray(z))
        close(moved, loss.updated_centers(z, t, centers=jnp.asarray(centers)))


def test_arrays_of_other_libraries_are_refused() -> None:
    torch = pytest.importorskip("torch", reason="only to have another library's arrays")
    z = logits()
    with pytest.raises(TypeError, match=r"logits must be a jax array, got one of torch"):
        sl.DiceLoss()(torch.zeros(2, 3, 4), labels())
    with pytest.raises(TypeError, match=r"target must be a jax array like the logits, got one of torch"):
        sl.DiceLoss()(z, torch.zeros(2, 3, 5, dtype=torch.int64))


# -- many devices -----------------------------------------------------------------------------------------------------

SHARDED = """
import jax, jax.numpy as jnp
from functools import partial
from jax.sharding import AxisType, PartitionSpec as P
import seglosses_jax as sl

mesh = jax.make_mesh((2,), ("images",), axis_types=(AxisType.Auto,))
assert len(jax.devices()) == 2
z = jax.random.normal(jax.random.key(0), (4, 3, 5, 4))
t = jax.random.randint(jax.random.key(1), (4, 3, 5), 0, 4)
p = jnp.asarray(1.5)

for make in (
    lambda p: sl.PowerJaccardLoss(p=p),
    lambda p: sl.DiceLoss() + sl.CrossEntropyLoss() + p * sl.FocalLoss(),
):
    def value(p, z, t):
        return make(p)(z, t)

    @partial(jax.shard_map, mesh=mesh, in_specs=(P(), P("images"), P("images")), out_specs=P(), check_vma=True)
    def sharded(p, z, t):
        return jax.lax.pmean(value(p, z, t), "images")

    def all_of(f):
        v = jnp.cos(z)
        slope = jax.grad(f, argnums=1)
        hvp = jax.grad(lambda z: jnp.vdot(slope(p, z, t), v))(z)
        return f(p, z, t), slope(p, z, t), hvp, jax.grad(f)(p, z, t), jax.jvp(lambda z: f(p, z, t), (z,), (v,))[1]

    found, expected = (jax.jit(partial(all_of, f))() for f in (sharded, value))
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert jnp.allclose(one, other, rtol=1e-5, atol=1e-5 * jnp.abs(other).max()), (make(p), one, other)
print("agrees")
"""


@pytest.mark.since(jax="0.7")
def test_inside_shard_map() -> None:
    """Two devices with half the images each give the value and the gradients of one with all of them."""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    environment = {**os.environ, **flags}
    ran = subprocess.run([sys.executable, "-c", SHARDED], env=environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "agrees\n"), ran.stderr


@pytest.mark.since(jax="0.7")
def test_the_batch_of_images_may_be_sharded_by_jit() -> None:
    """No shard_map: the compiler splits the work, and the sums are over the whole batch."""
    mesh = jax.make_mesh((1,), ("images",), axis_types=(jax.sharding.AxisType.Auto,))
    place = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("images"))
    z, t = logits(), labels()
    assert z.shape[0] == N
    loss = sl.DiceLoss(aggregate="batch")
    close(jax.jit(loss)(jax.device_put(z, place), jax.device_put(t, place)), loss(z, t))
