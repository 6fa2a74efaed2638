"""Forward mode, vectorized_map, whole Hessians and third derivatives on TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras_problems import CLASSES, ENSEMBLE, data, each_loss, pair

import seglosses_core
import seglosses_keras

pytestmark = pytest.mark.sampled(4)

LOGITS, LABELS = data(seed=21, scale=1.0)
RNG = np.random.default_rng(22)
MASK = np.where(RNG.random(LABELS.shape) < 0.2, 0, RNG.random(LABELS.shape))
DIRECTION = tf.constant(RNG.normal(size=LOGITS.shape))
Z = tf.constant(LOGITS.astype("float64"))


def call(name, options):
    """The loss and its formula, as functions of the logits, in float64 and with a mask."""
    loss, core = pair(name, options)
    labels, mask = tf.constant(LABELS), tf.constant(MASK)
    return (lambda z: loss(labels, z, mask=mask)), (lambda z: core(z, labels, mask=mask))


def gradient(function, z):
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = function(z)
    return tape.gradient(value, z, unconnected_gradients="zero")


def product(function, z):
    return gradient(lambda z: tf.reduce_sum(gradient(function, z) * DIRECTION), z)


def close(found, expected, relative=1e-9):
    assert found is not None
    expected = np.asarray(expected)
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=relative * scale)


@each_loss
def test_forward_mode(name, options):
    loss, formula = call(name, options)
    with tf.autodiff.ForwardAccumulator(Z, DIRECTION) as accumulator:
        value, slope = loss(Z), gradient(loss, Z)
    close(accumulator.jvp(value), tf.reduce_sum(gradient(formula, Z) * DIRECTION))
    close(accumulator.jvp(slope), product(formula, Z))


@each_loss
def test_third_derivative(name, options):
    loss, formula = call(name, options)

    def third(function):
        return gradient(lambda z: tf.reduce_sum(product(function, z) * tf.cos(DIRECTION)), Z)

    found, expected = third(loss), third(formula)
    if np.any(expected):
        close(found, expected, relative=1e-8)
    else:  # as of a squared error
        assert not np.any(found)


@each_loss
def test_vectorized_map_is_the_loop(name, options):
    loss, _ = pair(name, options)

    def both(given):
        z, labels = given
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = loss(labels, z)
        return value, tape.gradient(value, z)

    stacked = tf.stack([Z, -Z[::-1]]), tf.stack([LABELS, LABELS[::-1]])
    values, slopes = tf.vectorized_map(both, stacked, warn=False)
    for i in range(2):
        value, slope = both((stacked[0][i], stacked[1][i]))
        close(values[i], value)
        close(slopes[i], slope)


def test_a_whole_hessian():
    loss, core = pair("EnsembleLoss", ENSEMBLE)
    z, labels = Z[:, :1, :1], LABELS[:, :1, :1]

    def hessian(function):
        with tf.GradientTape() as tape:
            tape.watch(z)
            slope = gradient(function, z)
        return tape.jacobian(slope, z)

    close(hessian(lambda z: loss(labels, z)), hessian(lambda z: core(z, labels)))


@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_center_loss(mode):
    """The layer's gradient and curvature, with respect to logits and features."""
    centers, features = RNG.normal(size=(CLASSES, 4)), tf.constant(RNG.normal(size=(*LABELS.shape, 4)))
    core = seglosses_core.CenterLoss(class_axis=-1, weight=0.7)
    layer = seglosses_keras.CenterLoss(num_classes=CLASSES, num_features=4, weight=0.7, dtype="float64")
    layer.centers.assign(centers)
    wide = tf.constant(np.asarray(layer.centers, dtype="float64"))

    def loss(z, x):
        layer([LABELS, z, x])
        return layer.losses[0]

    def formula(z, x):
        return core(z, tf.constant(LABELS), centers=wide, features=x)

    def curvature(function):
        def both(z, x):
            with tf.GradientTape(persistent=True) as outer:
                outer.watch([z, x])
                with tf.GradientTape() as inner:
                    inner.watch([z, x])
                    value = function(z, x)
                slopes = inner.gradient(value, [z, x])
                along = tf.reduce_sum(slopes[0] * DIRECTION) + tf.reduce_sum(slopes[1] ** 2)
            return *slopes, *outer.gradient(along, [z, x])

        return (tf.function(both) if mode == "graph" and function is loss else both)(Z, features)

    for found, expected in zip(curvature(loss), curvature(formula), strict=True):
        close(found, expected)
