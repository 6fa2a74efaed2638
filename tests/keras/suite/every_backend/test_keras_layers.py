"""What learns or remembers: the layers LearnableLoss and CenterLoss."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras_problems import CHANNELS, CLASSES, KERNEL, data, inputs, one_step

import seglosses_core as core
from seglosses_keras import CenterLoss, CrossEntropyLoss, DiceLoss, LearnableLoss, PowerJaccardLoss

pytestmark = pytest.mark.sampled(4)

RATE = 0.5


def model_with(layer, *, rate=RATE, features=False, dtype=None, **mode):
    images = keras.Input((None, None, CHANNELS))
    labels = keras.Input((None, None), dtype="int32")
    logits = keras.layers.Dense(CLASSES, use_bias=False, name="linear", dtype=dtype)(images)
    outputs = layer([labels, logits, images] if features else [labels, logits])
    model = keras.Model([images, labels], outputs)
    model.get_layer("linear").set_weights([KERNEL])
    model.compile(optimizer=keras.optimizers.SGD(rate), **mode)
    return model


def fit(model, images, labels, epochs=1):
    return model.fit([images, labels], epochs=epochs, verbose=0, shuffle=False).history["loss"]


def array(value):
    return keras.ops.convert_to_numpy(value)


LEARNABLE = {
    "p": (
        lambda: PowerJaccardLoss(p=1.3),
        lambda raw: core.PowerJaccardLoss(class_axis=-1, p=float(1 + 1 / (1 + np.exp(-raw)))),
    ),
    "weights": (
        lambda: 0.3 * DiceLoss() + 0.7 * CrossEntropyLoss(),
        lambda raw: core.EnsembleLoss(
            losses=[core.DiceLoss(class_axis=-1), core.CrossEntropyLoss(class_axis=-1)],
            weights=(np.exp(raw) / np.exp(raw).sum()).tolist(),
        ),
    ),
}


@pytest.mark.parametrize("learn", LEARNABLE)
def test_a_step_moves_what_is_learnt_by_its_derivative(learn):
    images, (_, labels) = inputs(), data()
    loss, of_raw = LEARNABLE[learn]
    layer = LearnableLoss(loss(), learn=learn)
    raw = array(layer.raw).astype("float64")
    model = model_with(layer)
    (value,) = fit(model, images, labels)

    wide = (images.astype("float64") @ KERNEL.astype("float64"), labels)
    steps = 1e-5 * np.eye(raw.size).reshape(raw.size, *raw.shape)
    slopes = [float(of_raw(raw + step)(*wide) - of_raw(raw - step)(*wide)) / 2e-5 for step in steps]
    expected, kernel = one_step(of_raw(raw), images, labels, RATE)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(model.get_layer("linear").get_weights()[0], kernel, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(array(layer.raw), raw - RATE * np.reshape(slopes, raw.shape), rtol=1e-5)


def test_p_is_learnt_within_its_bounds_and_saved(tmp_path):
    images, (_, labels) = inputs(), data()
    layer = LearnableLoss(PowerJaccardLoss(p=1.5))
    np.testing.assert_allclose(array(layer.value), 1.5, rtol=1e-6)
    model = model_with(layer, rate=50.0)
    fit(model, images, labels, epochs=5)
    p = float(array(layer.value))
    assert 1 <= p <= 2
    assert abs(p - 1.5) > 0.05
    before = model.evaluate([images, labels], verbose=0)
    assert float(array(layer.value)) == p
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert float(array(again.layers[-1].value)) == p
    assert again.evaluate([images, labels], verbose=0) == before


def test_what_cannot_be_learnt():
    with pytest.raises(TypeError, match="loss must be a loss of seglosses_keras with 'p'"):
        LearnableLoss(DiceLoss())
    with pytest.raises(ValueError, match="learn must be one of 'p', 'weights', got 'q'"):
        LearnableLoss(DiceLoss(), learn="q")
    with pytest.raises(ValueError, match=r"p must be .*below 2, got 2\.0"):
        LearnableLoss(PowerJaccardLoss())
    with pytest.raises(ValueError, match=r"weights\[0\] must be above 0, got 0\.0"):
        LearnableLoss(0 * DiceLoss() + CrossEntropyLoss(), learn="weights")
    with pytest.raises(ValueError, match="loss must be one number"):
        LearnableLoss(PowerJaccardLoss(p=1.5, reduction="none"))


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("mode", [{}, {"run_eagerly": True}], ids=["compiled", "eager"])
def test_centers_move_in_training_alone(features, mode, tmp_path):
    images, (_, labels) = inputs(), data()
    options = {"weight": 0.3, "rate": 0.7}
    layer = CenterLoss(num_classes=CLASSES, num_features=CHANNELS if features else None, **options)
    model = model_with(layer, features=features, **mode)
    oracle = core.CenterLoss(class_axis=-1, **options)
    centers = np.zeros((CLASSES, CHANNELS if features else CLASSES), "float32")
    for _ in range(2):
        kernel = model.get_layer("linear").get_weights()[0]
        given = {"centers": centers, "features": images if features else None}
        logits = images @ kernel
        value, gradient = oracle.value_and_grad(logits, labels, **given)
        gradient = gradient[0] if features else gradient
        np.testing.assert_allclose(fit(model, images, labels), value, rtol=1e-5)
        centers = oracle.updated_centers(logits, labels, **given)
        np.testing.assert_allclose(array(layer.centers), centers, rtol=1e-5, atol=1e-6)
        step = RATE * np.einsum("nhwi,nhwc->ic", images, gradient)
        np.testing.assert_allclose(
            model.get_layer("linear").get_weights()[0], kernel - step, rtol=1e-5, atol=1e-6
        )

    before = model.evaluate([images, labels], verbose=0)
    np.testing.assert_allclose(array(layer.centers), centers, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(again.layers[-1].centers), array(layer.centers))
    assert again.layers[-1].core == layer.core
    assert again.evaluate([images, labels], verbose=0) == before


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_layers_compute_in_float32_under_mixed_precision(dtype):
    images, (_, labels) = inputs(), data()
    learnable = LearnableLoss(PowerJaccardLoss(p=1.3), dtype=dtype)
    center = CenterLoss(num_classes=CLASSES, dtype=dtype)
    for layer in (learnable, center):
        model = model_with(layer)  # its logits are float32, and stay so
        fit(model, images, labels)
        assert all(weight.dtype == "float32" for weight in layer.weights)
    loss = core.CenterLoss(class_axis=-1)
    expected = loss.updated_centers(images @ KERNEL, labels, centers=np.zeros((CLASSES, CLASSES), "float32"))
    np.testing.assert_allclose(array(center.centers), expected, rtol=1e-5, atol=1e-6)


def test_labels_with_a_last_axis_of_one():
    logits, labels = data()
    for layer in (CenterLoss(num_classes=CLASSES), LearnableLoss(PowerJaccardLoss(p=1.3))):
        values = []
        for given in (labels, labels[..., None]):
            layer([given, logits])
            values.append(float(array(layer.losses[0])))
        assert values[0] == values[1]


def test_errors_of_the_center_loss():
    logits, labels = data()
    with pytest.raises(ValueError, match=r"centers must have the shape \(3, 3\)"):
        CenterLoss(num_classes=2)([labels, logits])
    with pytest.raises(ValueError, match="num_classes must be at least 2, got 1"):
        CenterLoss(num_classes=1)
    with pytest.raises(ValueError, match="reduction must give one number"):
        CenterLoss(num_classes=2, reduction="none")
