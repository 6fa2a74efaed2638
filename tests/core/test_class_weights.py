"""Class weights from counts, worked by hand."""

from __future__ import annotations

from math import log, sqrt

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import seglosses_core
from seglosses_core import class_weights_from_counts


@pytest.mark.parametrize(
    ("scheme", "beta", "expected"),
    [
        ("inverse", None, [5, 5 / 9]),
        ("sqrt_inverse", None, [sqrt(10), sqrt(10 / 9)]),
        ("median", None, [5, 5 / 9]),
        ("log", None, [1 / log(1.12), 1 / log(1.92)]),
        # (1 − β)/(1 − β) = 1 and .1/(1 − .9⁹), times 2 over their sum.
        ("effective", 0.9, [2 / (1 + 0.1 / (1 - 0.9**9)), 2 - 2 / (1 + 0.1 / (1 - 0.9**9))]),
    ],
)
@pytest.mark.parametrize(
    "make", [list, np.asarray, torch.tensor, jnp.asarray], ids=["list", "numpy", "torch", "jax"]
)
def test_one_and_nine(scheme, beta, expected, make):
    weights = class_weights_from_counts(make([1, 9]), scheme=scheme, beta=beta)
    assert weights == pytest.approx(tuple(expected), rel=1e-14)
    assert all(type(weight) is float for weight in weights)
    seglosses_core.CrossEntropyLoss(class_weights=weights)


def test_the_median_of_frequencies():
    assert class_weights_from_counts([0.5, 0.1, 0.2], scheme="median") == pytest.approx(
        (0.4, 2, 1), rel=1e-15
    )


def test_effective_numbers_near_one():
    """1 − β^n keeps its digits: for β → 1 the weights are those of the inverse."""
    weights = class_weights_from_counts([1, 3], scheme="effective", beta=1 - 1e-12)
    assert weights == pytest.approx((1.5, 0.5), rel=1e-10)


def test_a_class_that_does_not_occur():
    assert class_weights_from_counts([0, 2], scheme="log")[0] == pytest.approx(1 / log(1.02), rel=1e-15)
    for scheme in ("inverse", "sqrt_inverse", "median", "effective"):
        with pytest.raises(ValueError, match=r"^counts\[0\] must be above 0, got 0"):
            class_weights_from_counts([0, 2], scheme=scheme, beta=0.9 if scheme == "effective" else None)


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ([1, 2], {"scheme": "other"}, "scheme must be one of 'inverse', .*, got 'other'"),
        ([1, 2], {"scheme": "effective"}, "beta must be given for scheme='effective' alone, got None"),
        ([1, 2], {"scheme": "log", "beta": 0.9}, "beta must be given for .* alone, got 0.9 for 'log'"),
        ([1, 2], {"scheme": "effective", "beta": 1.0}, "beta must be above 0 and below 1, got 1.0"),
        ([0, 0], {"scheme": "log"}, r"counts must have at least one positive entry, got \(0, 0\)"),
        (3, {"scheme": "log"}, "counts must be a sequence or an array with one number per class, got 3"),
        ([], {"scheme": "log"}, "counts must have one number per class"),
        (np.ones((2, 2)), {"scheme": "log"}, r"counts must be 1-dimensional, .* got shape \(2, 2\)"),
        ([1, float("nan")], {"scheme": "inverse"}, r"counts\[1\] must be above 0.* got nan"),
    ],
)
def test_what_does_not_fit(counts, options, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        class_weights_from_counts(counts, **options)
