"""A loss over parts of a batch, along named axes or one after the other: the loss of the batch, and its gradient."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from jax.sharding import PartitionSpec as P
from jax_cases import CASES, Case, by_formula, close, each_loss, labels, logits

import seglosses_jax as sl

with_shard_map = pytest.mark.since(jax="0.8")


@pytest.fixture(autouse=True)
def _compiled_in_a_hurry():
    """The compiler takes longer to optimise than the programs to run."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


# -- two devices ------------------------------------------------------------------------------------------------------


def run_on_devices(tmp_path: Path, what: str) -> dict[str, np.ndarray]:
    script, file = Path(__file__).parent / "parts_on_devices.py", tmp_path / "found.npz"
    ran = subprocess.run(
        [sys.executable, str(script), str(file), what], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    with np.load(file) as found:
        return dict(found)


def compare_with_one_device(found: dict[str, np.ndarray]) -> None:
    for name, x in found.items():
        of_loss, _, leaf = name.partition(":")[0], *name.rpartition(" / ")[1:]
        expected = found[f"{of_loss}: one device / {leaf}"]
        relative = 1e-12 if expected.dtype == np.float64 else 1e-6
        np.testing.assert_allclose(x, expected, rtol=0, atol=relative * np.abs(expected).max(), err_msg=name)
        assert np.abs(expected).max() > 0


@with_shard_map
def test_on_two_devices(tmp_path: Path) -> None:
    """Values and gradients of what a network and the loss learn, in shard_map with and without check_vma, in pmap, and
    under jit; and how little is sent."""
    found = run_on_devices(tmp_path, "values")
    reduced = found.pop("jit: sent"), found.pop("jit: sent in shard_map")
    assert len(found) == 70
    compare_with_one_device(found)
    for calls, largest, gathers in reduced:
        assert 1 <= calls <= 2
        assert largest <= 128
        assert gathers == 0


@with_shard_map
@pytest.mark.slow
def test_explicit_axes_by_auto_axes(tmp_path: Path) -> None:
    compare_with_one_device(run_on_devices(tmp_path, "explicit"))


# -- axes of vmap, which are enough for values ------------------------------------------------------------------------


def cut(x: Array, count: int, axis: int) -> Array:
    return jnp.stack(jnp.split(x, count, axis=axis))


def joined(x: Array, axis: int) -> Array:
    return jnp.concatenate(list(x), axis=axis)


def parts_of(case: Case, kind: str) -> tuple[int, int, dict[str, int | None]]:
    """Into how many parts the arguments are cut, along which axis, and the axis of vmap of each."""
    whole = ("centers",) if kind == "images" else ("centers", "sample_weight")
    count, axis = (2, 0) if kind == "images" else (3, 1)
    return count, axis, {name: None if name in whole else 0 for name in case.arguments()}


def over_parts(case: Case, kind: str, loss: sl.JaxLoss, z: Array) -> tuple[Array, Array]:
    """The value, and the mean of the gradients of the parts, of the same loss across parts."""
    count, axis, axes = parts_of(case, kind)
    given = {n: x if axes[n] is None else cut(x, count, axis) for n, x in case.arguments().items()}
    over = loss.across(**{kind: "parts"})
    one = jax.value_and_grad(lambda z, given: over(z, **given))
    values, slopes = jax.jit(jax.vmap(one, in_axes=(0, axes), axis_name="parts"))(cut(z, count, axis), given)
    assert len(set(values.tolist())) == 1
    return values[0], joined(slopes, axis) / count


@pytest.mark.sampled(20)
@pytest.mark.parametrize("kind", ["images", "pixels"])
@each_loss
def test_parts_are_one_batch(case: Case, kind: str) -> None:
    loss, z = case.make(), case.logits()
    try:
        found = over_parts(case, kind, loss, z)
    except ValueError as error:
        assert kind == "pixels" or "one order" in str(error)  # noqa: PT017
        return
    expected = jax.jit(jax.value_and_grad(lambda z: loss(z, **case.arguments())))(z)
    for one, other in zip(found, expected, strict=True):
        close(one, other, relative=1e-10)


@pytest.mark.usefixtures("float32")
@pytest.mark.parametrize("reduction", [sl.TopK(fraction=0.4), sl.MaxPooling()], ids=repr)
def test_searches_without_x64(reduction: Any) -> None:
    case = next(case for case in CASES if case.loss == "CrossEntropyLoss")
    loss, z = case.make(reduction=reduction), case.logits("float32")
    expected = jax.jit(jax.value_and_grad(lambda z: loss(z, **case.arguments())))(z)
    for one, other in zip(over_parts(case, "pixels", loss, z), expected, strict=True):
        close(one, other, relative=1e-6)


@pytest.mark.parametrize(
    "reduction", [pytest.param(sl.MaxPooling(), marks=pytest.mark.slow), sl.Minkowski()], ids=repr
)
def test_gradients_of_what_is_learnt_and_of_weights(reduction: Any) -> None:
    """Of these the formula is differentiated, through the sums over all parts."""
    z, t = logits(), labels()
    mask = jnp.asarray(0.1 + np.random.default_rng(3).random(t.shape))

    def value(across: Any, weights: Array, alpha: Array, mask: Array, z: Array, t: Array) -> Array:
        loss = weights[0] * sl.FocalLoss(alpha=alpha, reduction=reduction)
        loss = loss + weights[1] * sl.PowerJaccardLoss(p=alpha[1], aggregate="batch")
        return across(loss)(z, t, mask=mask)

    def slopes(across: Any) -> Callable[..., Any]:
        return jax.value_and_grad(lambda *given: value(across, *given), argnums=(0, 1, 2, 3))

    given = jnp.asarray([0.3, 0.8]), jnp.asarray([0.4, 1.2, 0.9])
    expected = jax.jit(slopes(lambda loss: loss))(*given, mask, z, t)
    one = jax.vmap(slopes(lambda loss: loss.across(images="d")), (None, None, 0, 0, 0), axis_name="d")
    values, (w, a, m, g) = jax.jit(one)(*given, *(cut(x, 2, 0) for x in (mask, z, t)))
    found = values[0], (w.mean(0), a.mean(0), joined(m, 0) / 2, joined(g, 0) / 2)
    jax.tree.map(lambda x, y: close(x, y, relative=1e-10), found, expected)


def test_second_derivatives() -> None:
    z, t = logits(), labels()
    v = jnp.asarray(np.random.default_rng(9).standard_normal(z.shape))

    def product(loss: sl.JaxLoss, z: Array, t: Array, v: Array) -> Array:
        return jax.jvp(jax.grad(lambda z: loss(z, t)), (z,), (v,))[1]

    loss = sl.DiceLoss(aggregate="batch") + sl.CrossEntropyLoss()
    expected = jax.jit(lambda: product(loss, z, t, v))()
    one = jax.vmap(lambda *given: product(loss.across(images="d"), *given), axis_name="d")
    close(joined(jax.jit(one)(*(cut(x, 2, 0) for x in (z, t, v))), 0) / 2, expected, relative=1e-10)


def test_a_label_that_is_none_is_seen_by_all_parts() -> None:
    loss = sl.DiceLoss().across(images="d")
    values = jax.jit(jax.vmap(loss, axis_name="d"))(
        cut(logits(), 2, 0), cut(labels().at[0, 0, 0].set(99), 2, 0)
    )
    assert jnp.isnan(values).all()


# -- what varies over an axis: a mesh of one device is enough ---------------------------------------------------------


def one_device() -> Any:
    return jax.make_mesh((1, 1), ("images", "rows"), axis_types=(jax.sharding.AxisType.Auto,) * 2)


@with_shard_map
@pytest.mark.sampled(12)
@each_loss
def test_the_value_is_known_to_be_the_same_on_all_parts(case: Case) -> None:
    loss, rows = case.make(), {"pixels": "rows"}
    try:
        over = loss.across(images="images", **rows)
    except ValueError:
        rows = {}
    try:
        over = loss.across(images="images", **rows)
    except ValueError:
        return
    place = P("images", "rows") if rows else P("images")
    replicated = {"centers": P(), "sample_weight": P("images")}
    places = {name: replicated.get(name, place) for name in case.arguments()}
    mapped = jax.shard_map(
        lambda z, given: over(z, **given), mesh=one_device(), in_specs=(place, places), out_specs=P()
    )
    value, slope = jax.eval_shape(jax.value_and_grad(mapped), case.logits(), case.arguments())
    assert (value.shape, slope.shape) == ((), case.logits().shape)


@with_shard_map
def test_replicated_logits_are_refused() -> None:
    def mapped(loss: sl.JaxLoss, checked: bool = True) -> Any:
        return jax.shard_map(loss, mesh=one_device(), in_specs=P("images"), out_specs=P(), check_vma=checked)

    loss = sl.DiceLoss().across(images=("images", "rows"))
    with pytest.raises(ValueError, match=r"logits must be cut along 'rows', .* got the same on all"):
        mapped(loss)(logits(), labels())
    close(
        jax.jit(mapped(loss, checked=False))(logits(), labels()), jax.jit(sl.DiceLoss())(logits(), labels())
    )


def test_names_without_axes() -> None:
    with pytest.raises(NameError, match="unbound axis name: data"):
        sl.DiceLoss().across(images="data")(logits(), labels())


def test_wrong_axes() -> None:
    loss = sl.DiceLoss()
    for given in (3, (), ("a", 1), jax.sharding.Mesh(np.asarray(jax.devices()[:1]), ("a",))):
        with pytest.raises(
            TypeError, match=r"images must be the name of an axis .* or a tuple of names, got"
        ):
            loss.across(images=given)
    with pytest.raises(TypeError, match=r"no gradients= in JAX, got 'sum': no factor is needed"):
        loss.across(images="a", gradients="sum")
    with pytest.raises(ValueError, match=r"must be different axes, got 'a' and \('a', 'b'\)"):
        loss.across(images="a", pixels=("a", "b"))
    with pytest.raises(ValueError, match="looks at whole images"):
        sl.LocallyAdaptiveLoss(kernel_size=3).across(pixels="a")
    with pytest.raises(ValueError, match=r"no pixels|empty"):
        loss.across(images="a")(logits()[:0], labels()[:0])


# -- pytrees ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [sl.DiceLoss, lambda: jnp.asarray(0.5) * sl.DiceLoss() + sl.FocalLoss()])
def test_axes_are_static(make: Callable[[], sl.JaxLoss]) -> None:
    loss = make()
    over = loss.across(images=("a", "b"), pixels="c")
    structure = jax.tree.structure(over)
    assert structure == jax.tree.structure(make().across(images=("a", "b"), pixels="c"))
    assert structure != jax.tree.structure(loss)
    assert jax.tree.structure(over.alone()) == jax.tree.structure(loss)
    for other in (
        jax.tree.map(lambda x: x, over), copy.deepcopy(over), copy.copy(over), pickle.loads(pickle.dumps(over))
    ):  # fmt: skip
        assert jax.tree.structure(other) == structure
        assert other._across == over._across


def test_losses_across_other_axes_differ() -> None:
    loss = sl.DiceLoss()
    assert loss.across(images="a") == loss.across(images="a") != loss.across(pixels="a") != loss
    assert hash(loss.across(images="a")) == hash(loss.across(images="a"))
    assert loss.across(images="a").alone() == loss


# -- statistics -------------------------------------------------------------------------------------------------------

ADDITIVE = {
    "batch": lambda: sl.DiceLoss(aggregate="batch", absent="skip"),
    "cross-entropy": lambda: sl.CrossEntropyLoss(class_weights=jnp.asarray([1.0, 0.5, 2.0])),
    "Minkowski": lambda: sl.CrossEntropyLoss(reduction=sl.Minkowski()),
    "ensemble": lambda: jnp.asarray(0.3) * sl.DiceLoss() + sl.FocalLoss(),
}
each_additive = pytest.mark.parametrize("loss", [make() for make in ADDITIVE.values()], ids=ADDITIVE)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("parts_of", ["batch", "images"])
@each_additive
def test_statistics_in_a_scan(loss: sl.JaxLoss, parts_of: str) -> None:
    """Each step is forgotten, and made again on the way back."""
    z, t = logits(), labels()
    axis, count = (0, 2) if parts_of == "batch" else (1, 3)

    @jax.checkpoint
    def taken(w: Array, z: Array, t: Array) -> Any:
        return loss.statistics(w * z, t, parts_of=parts_of)

    def value(w: Array) -> Array:
        parts = cut(z, count, axis), cut(t, count, axis)
        first, rest = (jax.tree.map(lambda x, at=at: x[at], parts) for at in (0, slice(1, None)))
        total, _ = jax.lax.scan(lambda sums, part: (sums + taken(w, *part), None), taken(w, *first), rest)
        return loss.from_statistics(total)

    w = jnp.asarray([0.5, 1.0, 1.5])
    found = jax.jit(jax.value_and_grad(value))(w)
    expected = jax.jit(jax.value_and_grad(lambda w: by_formula(loss, w * z, t)))(w)
    for one, other in zip(found, expected, strict=True):
        close(one, other, relative=1e-10)


@pytest.mark.sampled(2)
@each_additive
def test_totals_in_a_second_pass(loss: sl.JaxLoss) -> None:
    z, t = logits(), labels()
    parts = list(zip(cut(z, 2, 0), cut(t, 2, 0), strict=True))
    take = jax.jit(loss.statistics)
    totals = sum(take(*part) for part in parts)
    share = jax.jit(jax.value_and_grad(lambda z, t, totals: loss(z, t, totals=totals)))
    values, slopes = zip(*(share(*part, totals) for part in parts), strict=True)
    value, slope = jax.jit(jax.value_and_grad(loss))(z, t)
    close(values[0], value)
    close(values[1], value)
    close(jnp.concatenate(slopes), slope, relative=1e-10)
    by_hand = jax.jit(lambda *part: loss.value_and_grad(*part, totals=totals)[1])
    close(jnp.concatenate([by_hand(*part) for part in parts]), slope, relative=1e-10)
    flat = jax.jit(jax.grad(lambda totals: loss(*parts[0], totals=totals)))(totals)
    assert all((np.asarray(x) == 0).all() for x in jax.tree.leaves(flat))


def test_totals_of_both_parts_and_a_mask_that_is_learnt() -> None:
    """The formula is differentiated too, with the sums of all parts."""
    loss, z, t = sl.DiceLoss(aggregate="batch"), logits(), labels()
    mask = jnp.asarray(0.1 + np.random.default_rng(3).random(t.shape))
    parts = list(zip(*(cut(x, 2, 0) for x in (z, t, mask)), strict=True))
    take = jax.jit(lambda z, t, m: loss.statistics(z, t, mask=m))
    totals = sum(take(*part) for part in parts)
    slope = jax.jit(jax.grad(lambda m, z, t, totals: loss(z, t, mask=m, totals=totals)))
    expected = jax.jit(jax.grad(lambda m: loss(z, t, mask=m)))(mask)
    close(jnp.concatenate([slope(m, z, t, totals) for z, t, m in parts]), expected, relative=1e-10)


def test_statistics_are_a_pytree() -> None:
    loss = ADDITIVE["ensemble"]()
    one, other = (
        loss.statistics(*part) for part in zip(cut(logits(), 2, 0), cut(labels(), 2, 0), strict=True)
    )
    structure = jax.tree.structure(one)
    assert structure == jax.tree.structure(one + other) == jax.tree.structure(jax.jit(lambda x: x)(other))
    assert len(jax.tree.leaves(one)) == len(one.arrays())
    assert hash(structure) == hash(jax.tree.structure(other))
    again = jax.tree.unflatten(structure, jax.tree.leaves(one))
    close(loss.from_statistics(again), loss(logits()[:1], labels()[:1]))
    with pytest.raises(ValueError, match="statistics must be of one loss"):
        sl.DiceLoss()(logits(), labels(), totals=one)
