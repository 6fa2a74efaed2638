"""Functions of the target that look through windows, against loops, in every framework."""

from __future__ import annotations

import itertools
from math import exp

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

import seglosses_core
import seglosses_jax
import seglosses_keras
import seglosses_torch

SHAPES = [(4,), (5, 3), (2, 3, 4)]
MAKE = {
    "numpy": (seglosses_core, np.asarray),
    "torch": (seglosses_torch, torch.asarray),
    "jax": (seglosses_jax, jnp.asarray),
    "tensorflow": (seglosses_keras, tf.constant),
}
everywhere = pytest.mark.parametrize(
    ("framework", "shape"),
    [*(("numpy", shape) for shape in SHAPES), ("torch", (5, 3)), ("jax", (5, 3)), ("tensorflow", (5, 3))],
)


def labels_of(shape, classes=3):
    labels = np.random.default_rng(0).integers(0, classes, (2, *shape))
    labels[0].flat[1] = 9
    return labels


def window(place, shape, radius):
    """The offsets of the cells around a place, and their places, inside or not."""
    for offset in itertools.product(range(-radius, radius + 1), repeat=len(shape)):
        yield offset, tuple(i + o for i, o in zip(place, offset, strict=True))


@everywhere
@pytest.mark.parametrize(("kernel_size", "classes"), [(1, 3), (3, 1), (3, 3), (9, 3)])
def test_boundary_weights(framework, shape, kernel_size, classes):
    labels = labels_of(shape, max(classes, 2))
    hot = labels[:, None] == np.arange(1, 2 if classes == 1 else 4).reshape(-1, *(1,) * len(shape)) - (
        classes > 1
    )
    expected = np.ones(labels.shape)
    for image, *place in np.ndindex(labels.shape):
        for of_class in hot[image]:
            inside = [
                of_class[at]
                for _, at in window(place, shape, kernel_size // 2)
                if all(0 <= i < n for i, n in zip(at, shape, strict=True))
            ]
            difference = abs(sum(inside) / kernel_size ** len(shape) - of_class[tuple(place)])
            expected[(image, *place)] = max(expected[(image, *place)], 1 + 2 * difference)
    package, make = MAKE[framework]
    options = {"num_classes": classes, "kernel_size": kernel_size, "factor": 2.0, "ignore_index": 9}
    found = np.asarray(package.boundary_weights(make(labels), **options))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@everywhere
@pytest.mark.parametrize(("kernel_size", "sigma"), [(1, 1.0), (3, 1.0), (5, 0.7)])
def test_spatially_varying_labels(framework, shape, kernel_size, sigma):
    labels = labels_of(shape)
    expected = np.zeros((2, 3, *shape))
    for image, *place in np.ndindex(labels.shape):
        centre = labels[(image, *place)]
        if centre == 9:
            continue
        mean = np.zeros(3)
        for offset, at in window(place, shape, kernel_size // 2):
            at = tuple(min(max(i, 0), n - 1) for i, n in zip(at, shape, strict=True))
            label = labels[(image, *at)]
            if any(offset) and label != 9:
                mean[label] += exp(-sum(o * o for o in offset) / (2 * sigma**2))
        own = np.eye(3)[centre]
        expected[(image, slice(None), *place)] = (own + (mean / mean.sum() if mean.sum() else own)) / 2
    package, make = MAKE[framework]
    options = {"num_classes": 3, "kernel_size": kernel_size, "sigma": sigma, "ignore_index": 9}
    found = np.asarray(package.spatially_varying_labels(make(labels), **options))
    if framework in ("jax", "tensorflow"):
        found = np.moveaxis(found, -1, 1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_a_straight_boundary():
    """The other class has 3 of 8 neighbours, or 9 of 26: weights exp(−d²/2)."""
    for dimensions, (other, every) in {
        2: (exp(-0.5) + 2 * exp(-1), 4 * exp(-0.5) + 4 * exp(-1)),
        3: (exp(-0.5) + 4 * exp(-1) + 4 * exp(-1.5), 6 * exp(-0.5) + 12 * exp(-1) + 8 * exp(-1.5)),
    }.items():
        labels = np.zeros((1, *(6,) * dimensions), dtype=int)
        labels[:, 3:] = 1
        soft = seglosses_core.spatially_varying_labels(labels, num_classes=2)
        assert soft[(0, 1, *(2,) * dimensions)] == pytest.approx(other / every / 2, rel=1e-6)


def test_functions_of_targets_trace():
    labels = labels_of((5, 6))
    options = {"num_classes": 3, "ignore_index": 9}
    for name in ("boundary_weights", "spatially_varying_labels"):
        eager = getattr(seglosses_jax, name)(jnp.asarray(labels), **options)
        traced = jax.jit(lambda y, name=name: getattr(seglosses_jax, name)(y, **options))(labels)
        np.testing.assert_allclose(traced, eager, rtol=1e-6)
        unknown = tf.TensorSpec((None, None, None), tf.int64)
        function = tf.function(
            lambda y, name=name: getattr(seglosses_keras, name)(y, **options), input_signature=[unknown]
        )
        np.testing.assert_allclose(function(tf.constant(labels)), eager, rtol=1e-6)


@pytest.mark.parametrize("name", ["boundary_weights", "spatially_varying_labels"])
def test_a_label_that_is_no_class_makes_all_nan(name):
    assert np.isnan(getattr(seglosses_core, name)(labels_of((5,)), num_classes=3)).all()


@pytest.mark.parametrize(
    ("name", "labels", "options", "message"),
    [
        ("boundary_weights", [0, 1], {}, "labels must be an array, got list"),
        ("boundary_weights", np.zeros((1, 3)), {}, "labels must be integers or bool, got float64"),
        ("boundary_weights", np.zeros(3, int), {}, "labels must have a batch axis and spatial axes"),
        ("boundary_weights", np.zeros((1, 3), int), {"kernel_size": 4}, "kernel_size must be odd"),
        ("boundary_weights", np.zeros((1, 3), int), {"factor": -1}, "factor must be at least 0, got -1"),
        ("boundary_weights", np.zeros((1, 3), int), {"num_classes": 0}, "num_classes must be at least 1"),
        ("boundary_weights", np.zeros((1, 3), int), {"ignore_index": 0.5}, "ignore_index must be an integer"),
        (
            "spatially_varying_labels",
            np.zeros((1, 3), int),
            {"num_classes": 1},
            "num_classes must be at least 2",
        ),
        (
            "spatially_varying_labels",
            np.zeros((1, 3), int),
            {"num_classes": 2, "sigma": 0},
            "sigma must be above 0",
        ),
        (
            "spatially_varying_labels",
            np.zeros((1, 3), int),
            {"num_classes": 2, "class_axis": 0},
            "class_axis must be",
        ),
    ],
)
def test_what_does_not_fit(name, labels, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(seglosses_core, name)(labels, **options)
