"""Lengths that are unknown, replicas, and the core and its heat maps called with TensorFlow's arrays."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_problems import (
    CHANNELS,
    CLASSES,
    KERNEL,
    build,
    data,
    each_loss,
    inputs,
    linear_model,
    one_step,
    pair,
)

import seglosses_core
from seglosses_core.heatmaps import cornernet_radius, gaussian_heatmap, gaussian_heatmap_from_labels
from seglosses_keras import CrossEntropyLoss, DiceLoss
from seglosses_keras.presets import monai
from seglosses_keras.tensorflow_operations import TensorFlowOps

pytestmark = pytest.mark.sampled(4)

RATE = 0.5


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_on_a_dataset_of_unknown_lengths(jit_compile):
    shapes = [(4, 5), (7, 3)]
    parts = [(inputs(i, shape), data(i, shape=shape)[1]) for i, shape in enumerate(shapes)]
    signature = (
        tf.TensorSpec((None, None, None, CHANNELS), tf.float32),
        tf.TensorSpec((None, None, None), tf.int32),
    )
    dataset = tf.data.Dataset.from_generator(lambda: iter(parts), output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(parts)))
    model = linear_model()
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss=DiceLoss(), jit_compile=jit_compile)
    model.fit(dataset, shuffle=False, verbose=0)
    core, kernel = seglosses_core.DiceLoss(class_axis=-1), KERNEL
    for images, labels in parts:
        _, gradient = core.value_and_grad(images @ kernel, labels)
        kernel = kernel - RATE * np.einsum("nhwi,nhwc->ic", images, gradient)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("target", lambda y: {"y_true": y[:, :1]}),
        ("target", lambda y: {"y_true": y[:1]}),
        ("mask", lambda y: {"y_true": y, "mask": y[:, :, :1] > 0}),
        ("sample_weight", lambda y: {"y_true": y, "sample_weight": tf.ones(1)}),
    ],
)
def test_lengths_that_turn_out_wrong_are_not_broadcast(name, given):
    logits, labels = data()

    @tf.function(
        input_signature=[tf.TensorSpec((None, None, None, CLASSES)), tf.TensorSpec((None,) * 3, tf.int32)]
    )
    def value(z, y):
        return DiceLoss()(y_pred=z, **given(y))

    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name} does not fit the shape of the logits"):
        value(logits, labels)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kind", [DiceLoss, CrossEntropyLoss])
def test_two_replicas_step_as_one(strategy, kind, reduction):
    images, labels = np.concatenate([inputs(1), inputs(2)]), np.concatenate([data(1)[1], data(2)[1]])
    weight = np.array([1.0, 2.0, 0.5, 1.5, 1.0, 3.0], "float32")
    kernels = []
    for scope in (strategy.scope(), tf.device("CPU:0")):
        with scope:
            model = linear_model()
            model.compile(optimizer=keras.optimizers.SGD(RATE), loss=kind(reduction=reduction))
        model.fit(images, labels, sample_weight=weight, batch_size=6, shuffle=False, verbose=0)
        kernels.append(model.get_weights()[0])
    np.testing.assert_allclose(kernels[0], kernels[1], rtol=1e-5, atol=1e-5)
    core = getattr(seglosses_core, kind.__name__)(class_axis=-1, reduction=reduction)
    expected = one_step(core, images, labels, RATE, sample_weight=weight)[1]
    mean = weight.mean() if reduction == "mean" else 1
    np.testing.assert_allclose(kernels[1], KERNEL + mean * (expected - KERNEL), rtol=1e-5, atol=1e-5)


def test_two_replicas_with_weights_of_pixels_and_an_attached_mask(strategy):
    images, labels = np.concatenate([inputs(1), inputs(2)]), np.concatenate([data(1)[1], data(2)[1]])
    images[:3, 1:], images[3:, 3:] = 0, 0
    weight = np.random.default_rng(0).uniform(0, 2, labels.shape).astype("float32")
    x = keras.Input(images.shape[1:])
    with strategy.scope():
        y = keras.layers.Dense(CLASSES, use_bias=False)(keras.layers.Masking(0.0)(x))
        model = keras.Model(x, y)
        model.set_weights([KERNEL])
        model.compile(optimizer=keras.optimizers.SGD(RATE), loss=CrossEntropyLoss())
    model.fit(images, labels, sample_weight=weight, batch_size=6, shuffle=False, verbose=0)
    core, kept = seglosses_core.CrossEntropyLoss(class_axis=-1), np.any(images != 0, -1)
    expected = one_step(core, images, labels, RATE, mask=weight * kept)[1]
    mean = weight[kept].mean()
    np.testing.assert_allclose(
        model.get_weights()[0], KERNEL + mean * (expected - KERNEL), rtol=1e-5, atol=1e-5
    )


# -- without Keras ----------------------------------------------------------------------------------------------------


@each_loss
def test_the_core_takes_tensors(name, options):
    core = build(seglosses_core, name, options)
    logits, labels = data()
    expected, slope = core.value_and_grad(logits, labels)
    value, gradient = core.value_and_grad(tf.constant(logits), tf.constant(labels))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-7)


def test_without_the_adapter_the_core_refuses_tensors():
    text = (
        "import seglosses_core, tensorflow as tf\n"
        "try: seglosses_core.DiceLoss()(tf.zeros((2, 3, 4)), tf.zeros((2, 4), tf.int32))\n"
        "except TypeError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("arrays must have an Array API namespace, got one of tensorflow.")
    assert "import seglosses_keras" in run.stdout


HEATMAPS = {
    "radius": (
        gaussian_heatmap,
        {"shape": (6, 7), "num_classes": 2, "radius": 2, "class_axis": -1},
        "points",
    ),
    "sigma": (gaussian_heatmap, {"shape": (6, 7), "num_classes": 2, "sigma": 1.5}, "points"),
    "labels": (gaussian_heatmap_from_labels, {"num_classes": 3, "sigma": 1.0, "class_axis": -1}, "labels"),
    "ignored": (gaussian_heatmap_from_labels, {"num_classes": 2, "radius": 2, "ignore_index": 2}, "labels"),
    "boxes": (cornernet_radius, {}, "boxes"),
}


@pytest.mark.parametrize("compiled", ["eager", "graph", "unknown batch", "XLA"])
@pytest.mark.parametrize("case", HEATMAPS)
def test_heat_maps(case, compiled):
    function, options, kind = HEATMAPS[case]
    random = np.random.default_rng(0)
    arrays = {
        "points": (
            random.uniform(-1, 7, (2, 3, 2)).astype("float32"),
            random.integers(0, 2, (2, 3), "int32"),
        ),
        "labels": (random.integers(0, 3, (2, 6, 7), "int32"),),
        "boxes": tuple(random.uniform(1, 50, (2, 4, 5)).astype("float32")),
    }[kind]
    expected = function(*arrays, **options)

    def run(*x):
        return function(*x, **options)

    if compiled == "unknown batch":
        unknown = 3 if kind == "labels" else 1
        specs = [tf.TensorSpec((None,) * unknown + x.shape[unknown:], x.dtype) for x in arrays]
        run = tf.function(run, input_signature=specs)
    elif compiled != "eager":
        run = tf.function(run, jit_compile=compiled == "XLA")
    found = run(*map(tf.constant, arrays))
    assert found.dtype.name == expected.dtype.name
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_heat_map_is_a_target():
    loss, core = pair("DistanceAwareCrossEntropyLoss", {})
    logits, labels = data()
    options = {"num_classes": CLASSES, "sigma": 1.0, "class_axis": -1}
    value = loss(gaussian_heatmap_from_labels(tf.constant(labels), **options), logits)
    np.testing.assert_allclose(
        value, core(logits, gaussian_heatmap_from_labels(labels, **options)), rtol=1e-5
    )


def test_in_a_graph_a_step_of_a_scan_waits_for_the_one_before():
    """What it reads, too, so that what all steps read is never there at once."""
    reads, totals = [], []

    def step(total, number):
        reads.append(tf.sqrt(source))
        totals.append(total + number * reads[-1])
        return totals[-1]

    with tf.Graph().as_default():
        source = tf.ones(2)
        TensorFlowOps(1, 2).scan(step, tf.zeros(2), [1.0, 2.0, 3.0])
    assert [list(read.op.control_inputs) for read in reads[1:]] == [[total.op] for total in totals[:-1]]


def test_presets_that_divide_by_the_pixels_need_known_lengths():
    loss = monai.FocalLoss(reduction="sum", include_background=False, to_onehot_y=True)
    specs = [tf.TensorSpec((None, 3, None, 5)), tf.TensorSpec((None, 3, None), tf.int32)]
    function = tf.function(lambda logits, labels: loss(labels, logits), input_signature=specs)
    with pytest.raises(
        ValueError, match=r"divides by the number of pixels .* got shape \(None, 3, None, 5\)"
    ):
        function(tf.zeros((2, 3, 4, 5)), tf.zeros((2, 3, 4), tf.int32))
