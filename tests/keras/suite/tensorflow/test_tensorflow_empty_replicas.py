"""A replica without an image, and sums over classes that no setting rounds."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_problems import (
    CHANNELS,
    CLASSES,
    KERNEL,
    LOSSES,
    NAMES,
    build,
    data,
    each_loss,
    inputs,
    linear_model,
)

import seglosses_core
import seglosses_keras
from seglosses_keras import (
    CrossEntropyLoss,
    MaxPooling,
    Minkowski,
    TopK,
    tensorflow_operations,
)

pytestmark = pytest.mark.sampled(4)

POOLED = [
    ("CrossEntropyLoss", {"reduction": pooling, "activation": activation})
    for pooling in (Minkowski(k=2.5), MaxPooling(), TopK(fraction=0.3))
    for activation in ("softmax", "sigmoid")
]


def value_and_gradient(loss):
    """For a batch of unknown size."""

    @tf.function(
        input_signature=[tf.TensorSpec((None, None, None, CLASSES)), tf.TensorSpec((None,) * 3, tf.int32)]
    )
    def function(logits, labels):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(labels, logits)
        return value, tape.gradient(value, logits)

    return function


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    ("name", "options"),
    LOSSES + POOLED,
    ids=NAMES + [f"{o['reduction']}-{o['activation']}" for _, o in POOLED],
)
def test_no_image_costs_nothing(name, options):
    function = value_and_gradient(build(seglosses_keras, name, options))
    logits, labels = data()
    value, gradient = function(logits[:0], labels[:0])
    assert value == 0
    assert gradient.shape == (0, *logits.shape[1:])
    value, gradient = function(logits, labels)
    assert np.isfinite(value)
    assert np.any(gradient != 0)


@pytest.mark.parametrize(
    ("name", "options"), [("LocallyAdaptiveLoss", {"kernel_size": 3}), POOLED[2]], ids=["local", "pooled"]
)
def test_a_replica_without_images(strategy, name, options):
    """Three images in batches of two for two replicas: in the last step one of them has none."""
    loss = build(seglosses_keras, name, options, across_replicas=False)
    core = build(seglosses_core, name, options)
    images, labels = inputs(), data()[1]
    with strategy.scope():
        model = linear_model()
        model.compile(optimizer=keras.optimizers.SGD(0.5), loss=loss)
    model.fit(images, labels, batch_size=2, shuffle=False, verbose=0)
    kernel = KERNEL
    for batch in ([0, 1], [2]):
        slopes = [core.value_and_grad(images[[i]] @ kernel, labels[[i]])[1] for i in batch]
        both = [
            np.einsum("nhwi,nhwc->ic", images[[i]], slope) for i, slope in zip(batch, slopes, strict=True)
        ]
        kernel = kernel - 0.5 * sum(both) / 2
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-5, atol=1e-6)


def test_in_eager_mode_no_image_is_an_error():
    with pytest.raises(ValueError, match=r"logits must not be empty, got float32 of shape \(0, 4, 5, 3\)"):
        CrossEntropyLoss()(tf.zeros((0, 4, 5), tf.int32), tf.zeros((0, 4, 5, CLASSES)))


@each_loss
def test_no_matrix_product_where_it_may_be_rounded(monkeypatch, name, options):
    """As TF32 has it on GPUs, or bfloat16 on TPUs."""
    monkeypatch.setattr(tensorflow_operations, "only_cpus", False)
    graph = value_and_gradient(build(seglosses_keras, name, options)).get_concrete_function().graph
    kinds = {operation.type for operation in graph.get_operations()}
    assert "Mul" in kinds
    assert not [kind for kind in kinds if "MatMul" in kind or "Einsum" in kind or "Conv" in kind]


def test_sums_over_classes_agree_with_and_without_a_matrix_product(monkeypatch):
    x = tf.random.stateless_normal((2, 3, 4, CHANNELS), (1, 2))
    found = []
    for only_cpus in (True, False):
        monkeypatch.setattr(tensorflow_operations, "only_cpus", only_cpus)
        found.append(tensorflow_operations.TensorFlowOps(3, 4).sum_classes(x).numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)
