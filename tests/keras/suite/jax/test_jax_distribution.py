"""Images on several devices: a loss is that of all of them, for JAX computes as if there were one."""

from __future__ import annotations

import jax
import keras
import numpy as np
from keras_problems import CHANNELS, CLASSES, SHAPE, linear_model, one_step

import seglosses_core
import seglosses_keras

RATE = 0.5


def test_two_devices_step_as_one():
    random = np.random.default_rng(3)
    images = random.normal(size=(4, *SHAPE, CHANNELS)).astype("float32")
    labels = random.integers(0, CLASSES, images.shape[:-1]).astype("int32")
    labels[:2] = np.where(random.uniform(size=labels[:2].shape) < 0.8, 255, labels[:2])

    def loss(package):
        common = {"class_axis": -1, "ignore_index": 255}
        return package.DiceLoss(aggregate="batch", **common) + package.CrossEntropyLoss(**common)

    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=jax.devices()))
    try:
        model = linear_model()
        model.compile(optimizer=keras.optimizers.SGD(RATE), loss=loss(seglosses_keras))
        value = model.fit(images, labels, batch_size=4, shuffle=False, verbose=0).history["loss"][0]
    finally:
        keras.distribution.set_distribution(None)
    assert len(model.layers[-1].kernel.value.sharding.device_set) == 2
    expected, kernel = one_step(loss(seglosses_core), images, labels, RATE)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-6, atol=1e-6)
