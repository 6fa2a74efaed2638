"""Nothing beyond the Array API standard, nothing that does not trace: array-api-strict gives what NumPy gives."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

import array_api_strict
import numpy as np
import pytest
from traceable import traceable

import seglosses_core as core
from seglosses_core.libraries import STANDARD

CPU, ELSEWHERE = array_api_strict.Device("CPU_DEVICE"), array_api_strict.Device("device1")


def on_device(device):
    """To array-api-strict on a device; arrays on two devices do not mix."""
    return lambda x: array_api_strict.asarray(x, device=device)


def flat(value_and_gradient):
    value, gradient = value_and_gradient
    return [value, *(gradient if isinstance(gradient, tuple) else (gradient,))]


def assert_same(result, expected, device, class_axis=1):
    assert isinstance(result, type(array_api_strict.asarray(0.0)))
    assert result.device == device
    result = np.asarray(on_device(CPU)(result))
    result = np.moveaxis(result, class_axis, 1) if result.ndim == 4 else result
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    # Not to the bit: NumPy's 0-dimensional results become scalars, which have a power routine of their own.
    np.testing.assert_allclose(result, expected, rtol=1e-13, atol=1e-14 * np.abs(expected).max())


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("class_axis", "device"), [(1, CPU), (-1, ELSEWHERE)], ids=["first", "last, elsewhere"]
)
def test_strict_equals_numpy(problem, class_axis, device):
    gradient = problem.is_scalar
    expected = problem.call(gradient=gradient)
    moved = problem.with_class_axis(class_axis)
    with traceable():
        result = moved.call(on_device(device), gradient=gradient)
    if not gradient:
        return assert_same(result, expected, device, class_axis)
    for ours, theirs in zip(flat(result), flat(expected), strict=True):
        assert_same(ours, np.asarray(theirs), device, class_axis)


def test_updated_centers_are_pure():
    random = np.random.default_rng(2)
    logits, labels = random.normal(size=(2, 3, 4, 5)), random.integers(0, 3, size=(2, 4, 5))
    arrays = {
        "centers": random.normal(size=(3, 6)),
        "features": random.normal(size=(2, 6, 4, 5)),
        "sample_weight": np.asarray([1.0, 2.0]),
    }
    update = core.CenterLoss(ignore_index=1).updated_centers
    convert = on_device(ELSEWHERE)
    with traceable():
        result = update(convert(logits), convert(labels), **{name: convert(x) for name, x in arrays.items()})
    assert_same(result, update(logits, labels, **arrays), ELSEWHERE)


@pytest.mark.parametrize("look", [bool, float, int, iter, lambda x: x.__setitem__(..., 0.0)])
def test_the_referee_sees_what_does_not_trace(look):
    x = array_api_strict.asarray([1.0])
    with traceable(), pytest.raises(AssertionError, match="does not trace"):
        look(x)


def test_the_referee_sees_shapes_that_depend_on_values():
    x = array_api_strict.asarray([1.0])
    with traceable(), pytest.raises(RuntimeError):
        x[x > 0]


# -- the standard -----------------------------------------------------------------------------------------------------


def used_of_the_standard():
    """The attributes of `xp` in the core."""
    for file in Path(core.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                owner = node.value
                if "xp" in (getattr(owner, "id", None), getattr(owner, "attr", None)):
                    yield node.attr


def test_what_is_used_of_the_standard_is_listed():
    assert set(used_of_the_standard()) == set(STANDARD)


@pytest.mark.parametrize("missing", [["take_along_axis"], ["arange", "sort"]])
def test_a_library_that_lacks_a_part_of_the_standard_is_refused(missing):
    """As dask and sparse do, before anything is computed."""

    class Array:
        shape, dtype = (2, 3, 4), np.dtype(np.float64)

        def __array_namespace__(self, api_version=None):
            namespace = ModuleType("partial")
            vars(namespace).update(dict.fromkeys(set(STANDARD) - set(missing)))
            return namespace

    with pytest.raises(
        TypeError, match=rf"2024\.12, got one of test_purity, which lacks {', '.join(missing)}\."
    ):
        core.DiceLoss()(Array(), Array())
