"""Derivatives on TensorFlow: of the logits, of everything else, and of derivatives; eager, in graphs and under XLA."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras_problems import BATCH, CLASSES, LOSSES, NAMES, SHAPE, data, divided_by_count, each_loss, pair, soft

import seglosses_core
from seglosses_keras import CrossEntropyLoss, DiceLoss, EnsembleLoss, FocalLoss, PowerDiceLoss

pytestmark = pytest.mark.sampled(4)

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
MODES = {"eager": lambda f: f, "graph": tf.function, "XLA": lambda f: tf.function(f, jit_compile=True)}


def product_with_hessian(function, x, direction):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = function(x)
        slope = tf.reduce_sum(inner.gradient(value, x) * direction)
    return outer.gradient(slope, x)


@each_loss
def test_second_derivative_is_that_of_the_formula(name, options):
    loss, core = pair(name, options)
    logits, labels = data(scale=1.0)
    direction = tf.constant(np.random.default_rng(5).normal(size=logits.shape).astype("float32"))
    labels = tf.constant(labels)
    # The core, called with TensorFlow's arrays, is its formula, differentiated by TensorFlow.
    expected = product_with_hessian(lambda z: core(z, labels), tf.constant(logits), direction)
    found = product_with_hessian(lambda z: loss(labels, z), tf.constant(logits), direction)
    assert float(tf.reduce_max(tf.abs(expected))) > 1e-4
    np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.parametrize("mode", ["graph", "XLA"])
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "DiceLoss", "PowerDiceLoss"])
def test_second_derivative_compiled(name, mode):
    loss, core = pair(name, {})
    logits, labels = data(scale=1.0)
    direction = np.random.default_rng(5).normal(size=logits.shape).astype("float32")
    found = MODES[mode](lambda z: product_with_hessian(lambda x: loss(labels, x), z, direction))(
        tf.constant(logits)
    )
    expected = product_with_hessian(lambda z: core(z, labels), tf.constant(logits), direction)
    np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.sampled(24)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "options"), LOSSES, ids=NAMES)
def test_gradient_with_unknown_lengths(name, options, mode):
    loss, core = pair(name, options)
    logits, labels = data()

    def gradient(z, y):
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = loss(y, z)
        return value, tape.gradient(value, z)

    if mode != "eager":
        unknown = (None,) * (1 + len(SHAPE))
        specs = [tf.TensorSpec((*unknown, CLASSES), tf.float32), tf.TensorSpec(unknown, tf.int32)]
        gradient = tf.function(gradient, input_signature=specs, jit_compile=mode == "XLA")
    for found, expected in zip(
        gradient(tf.constant(logits), tf.constant(labels)), core.value_and_grad(logits, labels), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("what", "index"), [("target", 0), ("mask", 1), ("sample_weight", 2)])
@pytest.mark.parametrize("kind", [CrossEntropyLoss, FocalLoss, DiceLoss, PowerDiceLoss])
def test_gradient_of_anything_but_the_logits(kind, what, index):
    logits, labels = data()
    random = np.random.default_rng(0)
    given = [soft(labels), random.uniform(0.5, 2, labels.shape), random.uniform(0.5, 2, BATCH)]
    loss = kind(dtype="float64")
    core = getattr(seglosses_core, kind.__name__)(class_axis=-1)
    wide = [x.astype("float64") for x in given]
    variables = [tf.constant(x) for x in wide]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        value = loss(variables[0], logits.astype("float64"), variables[2], mask=variables[1])
    (gradient,) = tape.gradient(value, [variables[index]])
    assert gradient is not None

    def number(x):
        arrays = [*wide]
        arrays[index] = x
        target, mask, weight = arrays
        return divided_by_count(core, logits.astype("float64"), target, weight, mask)[0]

    for place in [(0,) * wide[index].ndim, (1,) * wide[index].ndim]:
        step = np.zeros_like(wide[index])
        step[place] = 1e-5
        expected = (number(wide[index] + step) - number(wide[index] - step)) / 2e-5
        assert abs(expected) > 1e-7
        np.testing.assert_allclose(gradient[place], expected, rtol=1e-5, atol=1e-9)


def test_gradient_of_hyper_parameters():
    logits, labels = data()
    p = tf.Variable(1.5)
    with tf.GradientTape() as tape:
        value = PowerDiceLoss(p=p)(labels, logits)
    h = 1e-4
    wide = logits.astype("float64")
    number = [seglosses_core.PowerDiceLoss(p=1.5 + step, class_axis=-1)(wide, labels) for step in (h, -h)]
    np.testing.assert_allclose(tape.gradient(value, p), (number[0] - number[1]) / (2 * h), rtol=1e-4)

    weights = tf.constant([0.3, 0.7])
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = EnsembleLoss(losses=[DiceLoss(), CrossEntropyLoss()], weights=weights)(labels, logits)
    expected = [DiceLoss()(labels, logits), CrossEntropyLoss()(labels, logits)]
    np.testing.assert_allclose(tape.gradient(value, weights), expected, rtol=1e-6)


def test_mixed_second_derivative_of_logits_and_target():
    logits, labels = data()
    y, z = tf.constant(soft(labels)), tf.constant(logits)
    direction = tf.constant(np.random.default_rng(5).normal(size=logits.shape).astype("float32"))

    def mixed(loss):
        with tf.GradientTape() as outer:
            outer.watch(y)
            with tf.GradientTape() as inner:
                inner.watch(z)
                value = loss(z, y)
            slope = tf.reduce_sum(inner.gradient(value, z) * direction)
        return outer.gradient(slope, y)

    expected = mixed(seglosses_core.DiceLoss(class_axis=-1))
    ours = DiceLoss()
    np.testing.assert_allclose(mixed(lambda z, y: ours(y, z)), expected, **CLOSE)


def test_a_scaled_loss_keeps_its_gradient_in_half_precision():
    """At 512² the gradient of a Dice loss is near 1e-7, which float16 cannot hold; times 65536 it can."""
    logits, labels = data(shape=(256, 256))
    half = tf.constant(logits, tf.float16)
    with tf.GradientTape() as tape:
        tape.watch(half)
        value = DiceLoss()(labels, half) * 65536
    gradient = tape.gradient(value, half)
    assert gradient.dtype == tf.float16
    expected = seglosses_core.DiceLoss(class_axis=-1).value_and_grad(half.numpy().astype("float32"), labels)[
        1
    ]
    expected = expected * 65536
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=2e-3, atol=2e-3 * np.abs(expected).max())
