"""The TensorFlow namespace: each function against array-api-strict, eager and in a graph; none that nobody needs."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import array_api_strict as strict
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import seglosses_core
from seglosses_keras import tensorflow_namespace as xp

pytestmark = pytest.mark.sampled(4)

FEW = settings(max_examples=20, deadline=None, derandomize=True)
PUBLIC = {
    name
    for name, value in vars(xp).items()
    if not name.startswith("_") and name not in ("annotations", "Any", "Sequence", "tf")
}

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-30, -1e30, np.inf, -np.inf, np.nan]


@st.composite
def arrays(draw, kinds=("float32", "float64", "int32", "int64"), rank=None, special=True):
    dtype = draw(st.sampled_from(kinds))
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=rank or 1, max_size=rank or 3)))
    seed = draw(st.integers(0, 2**16))
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    x = (random.integers(-3, 4, shape) if "int" in dtype else random.normal(size=shape) * 3).astype(dtype)
    if special and "float" in dtype and draw(st.booleans()):
        x.flat[random.integers(x.size)] = draw(st.sampled_from(SPECIAL))
    return x


FLOATS, NUMBERS, BOOLS = ("float32", "float64"), ("float32", "float64", "int32", "int64"), ("bool",)


def check(call, *inputs, exact=True):
    """`call(namespace, *arrays)` on both, and again in a graph where no length is known."""
    with np.errstate(all="ignore"):
        expected = call(strict, *map(strict.asarray, inputs))
    wanted = np.asarray(expected)
    unknown = [tf.TensorSpec([None] * x.ndim, x.dtype) for x in inputs]
    graph = tf.function(lambda *x: call(xp, *x), input_signature=unknown)
    for run in (lambda *x: call(xp, *x), graph):
        found = run(*map(tf.constant, inputs))
        assert found.dtype.name == str(expected.dtype).rpartition(".")[2]
        assert found.shape == wanted.shape
        if exact:
            np.testing.assert_array_equal(found.numpy(), wanted)
        else:
            eps = np.finfo(wanted.dtype).eps
            np.testing.assert_allclose(found.numpy(), wanted, rtol=8 * eps, atol=8 * eps)


ELEMENTWISE = {
    "abs": NUMBERS, "exp": FLOATS, "log": FLOATS, "log1p": FLOATS, "sqrt": FLOATS,
    "expm1": FLOATS, "tanh": FLOATS,
    "floor": NUMBERS, "isnan": NUMBERS, "isfinite": NUMBERS,
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTWISE)
@FEW
@given(st.data())
def test_elementwise(name, data):
    x = data.draw(arrays(ELEMENTWISE[name]))
    check(lambda n, a: getattr(n, name)(a), x, exact=name in ("abs", "floor", "isnan", "isfinite", "sqrt"))


@pytest.mark.parametrize("name", ["minimum", "maximum"])
@FEW
@given(st.data())
def test_of_two(name, data):
    x = data.draw(arrays(NUMBERS))
    y = np.roll(x, 1)
    check(lambda n, a, b: getattr(n, name)(a, b), x, y)


@FEW
@given(arrays(FLOATS))
def test_clip_to_the_limits_of_a_dtype(x):
    check(lambda n, a: n.clip(a, -1.5, -n.finfo(a.dtype).smallest_normal), x)


@FEW
@given(arrays(NUMBERS))
def test_where(x):
    check(lambda n, c, a: n.where(c, a, n.zeros_like(a)), x > 0, x)


@pytest.mark.since(array_api_strict="2.3.1")  # which does not make int64 of each number
@FEW
@given(arrays(NUMBERS), st.sampled_from([0, 2]))
def test_where_with_a_number(x, number):
    check(lambda n, c, a: n.where(c, number, a), x > 0, x)
    check(lambda n, c, a: n.where(c, a, number), x > 0, x)


REDUCTIONS = {
    "sum": NUMBERS, "mean": FLOATS, "max": NUMBERS, "min": NUMBERS,
    "all": (*NUMBERS, "bool"), "any": (*NUMBERS, "bool"),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
@FEW
@given(st.data())
def test_reductions(name, data):
    x = data.draw(arrays(REDUCTIONS[name], special=name in ("all", "any")))
    axes = [None, 0, -1, tuple(range(x.ndim)), ()]
    axis, keepdims = data.draw(st.sampled_from(axes)), data.draw(st.booleans())
    exact = x.dtype.kind != "f" or name not in ("sum", "mean")
    check(lambda n, a: getattr(n, name)(a, axis=axis, keepdims=keepdims), x, exact=exact)


@FEW
@given(arrays(NUMBERS, special=False), st.sampled_from(["float64", "int64"]))
def test_sum_in_a_dtype(x, dtype):
    x = np.floor(x)
    check(lambda n, a: n.sum(a, dtype=getattr(n, dtype)), x.astype("int32") if dtype == "int64" else x)


@FEW
@given(arrays(NUMBERS, special=False))
def test_argmax_sort_and_cumulative_sum(x):
    for axis in range(x.ndim):
        check(lambda n, a, i=axis: n.argmax(a, axis=i), x)
        check(lambda n, a, i=axis: n.cumulative_sum(a, axis=i), np.floor(x))
        for descending in (False, True):
            check(lambda n, a, i=axis, d=descending: n.sort(a, axis=i, descending=d), x)


@FEW
@given(arrays(NUMBERS, rank=1, special=False), st.sampled_from(["left", "right"]))
def test_searchsorted(x, side):
    ordered = np.sort(x.flatten())
    check(lambda n, a, b: n.searchsorted(a, b, side=side), ordered, np.append(ordered, ordered[:1] - 1))


@FEW
@given(arrays(("int32", "int64")))
def test_the_width_of_integers(x):
    check(lambda n, a: a * n.iinfo(a.dtype).bits, x)


@FEW
@given(st.integers(-3, 3), st.integers(0, 5), st.sampled_from(NUMBERS))
def test_arange_zeros_and_asarray(start, length, dtype):
    check(lambda n, a: n.arange(length, dtype=getattr(n, dtype)), np.zeros(1))
    check(lambda n, a: n.arange(start, start + length, dtype=getattr(n, dtype)), np.zeros(1))
    check(lambda n, a: n.zeros((length, 2), dtype=getattr(n, dtype)), np.zeros(1))
    check(lambda n, a: n.asarray([start, 2], dtype=getattr(n, dtype)), np.zeros(1))


@FEW
@given(arrays((*NUMBERS, "bool")), st.sampled_from([None, "bool", *NUMBERS]))
def test_like_another(x, dtype):
    for name in ("zeros_like", "ones_like"):
        check(lambda n, a, f=name: getattr(n, f)(a, dtype=dtype and getattr(n, dtype)), x)
    value = {"b": True, "i": 3, "f": 0.1}[np.dtype(dtype or x.dtype).kind]
    check(lambda n, a: n.full_like(a, value, dtype=dtype and getattr(n, dtype)), x)


@FEW
@given(arrays((*NUMBERS, "bool"), special=False), st.sampled_from(["bool", *NUMBERS]))
def test_astype(x, dtype):
    for copy in (True, False):
        check(lambda n, a, c=copy: n.astype(a, getattr(n, dtype), copy=c), x)


@FEW
@given(arrays((*NUMBERS, "bool"), rank=3), st.integers(0, 2), st.integers(0, 2))
def test_shapes(x, source, destination):
    check(lambda n, a: n.reshape(a, (-1,)), x)
    check(lambda n, a: n.expand_dims(a, axis=source), x)
    check(lambda n, a: n.squeeze(n.expand_dims(a, axis=-1), axis=-1), x)
    check(lambda n, a: n.moveaxis(a, source, destination), x)
    check(lambda n, a: n.moveaxis(a, source - 3, destination - 3), x)
    check(lambda n, a: n.broadcast_to(a, (2, *x.shape)), x)
    check(lambda n, a, b: n.concat([a, b], axis=source), x, x)
    check(lambda n, a, b: n.stack([a, b], axis=source), x, x)


@FEW
@given(arrays(NUMBERS, rank=3), st.integers(-3, 2), st.integers(0, 100))
def test_take(x, axis, seed):
    random = np.random.default_rng(seed)
    index = random.integers(0, x.shape[axis], 4)
    check(lambda n, a, i: n.take(a, i, axis=axis), x, index)
    shape = list(x.shape)
    shape[axis] = 2
    index = random.integers(0, x.shape[axis], shape)
    check(lambda n, a, i: n.take_along_axis(a, i, axis=axis), x, index)


def test_order():
    x = np.random.default_rng(0).permutation(24).reshape(2, 3, 4).astype("float32")
    for axis in (-1, 0, 1):
        check(lambda n, a, axis=axis: n.argsort(a, axis=axis), x)
        check(lambda n, a, axis=axis: n.argsort(a, axis=axis, descending=True), x)
        check(lambda n, a, axis=axis: n.flip(a, axis=axis), x)
    check(lambda n, a: n.permute_dims(a, (2, 0, 1)), x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_matrices(dtype):
    """Of small whole numbers, so that the sums are exact in any order."""
    random = np.random.default_rng(0)
    x, y = (random.integers(-4, 5, shape).astype(dtype) for shape in ((2, 3, 4), (2, 4, 5)))
    check(lambda n, a, b: n.matmul(a, b), x, y)
    check(lambda n, a: n.matrix_transpose(a), x)


def test_dtypes():
    there = xp.__array_namespace_info__().dtypes()
    assert there == {name: getattr(xp, name) for name in ("bool", "int32", "int64", "float32", "float64")}


def test_nothing_is_there_that_nobody_uses():
    files = [*Path(seglosses_core.__file__).parent.rglob("*.py")]
    files += [Path(xp.__file__).with_name("tensorflow_operations.py")]
    used = set(
        re.findall(r"\b(?:xp|tensorflow_namespace)\.(\w+)", "\n".join(file.read_text() for file in files))
    )
    dtypes = set(xp.__array_namespace_info__().dtypes())
    assert used - {"__array_namespace_info__"} <= PUBLIC
    assert PUBLIC - dtypes <= used


def test_every_function_is_tested_here():
    text = Path(__file__).read_text()
    functions = {
        name for name in PUBLIC if inspect.isroutine(getattr(xp, name)) or callable(getattr(xp, name))
    }
    tested = set(re.findall(r"\bn\.(\w+)\(", text)) | set(re.findall(r'"(\w+)"', text))
    dtypes = set(xp.__array_namespace_info__().dtypes())
    assert functions - dtypes <= tested
