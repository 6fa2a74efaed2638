"""compile, fit and evaluate: one step of gradient descent is the one that the core on NumPy says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras_problems import (
    BATCH,
    CLASSES,
    ENSEMBLE,
    KERNEL,
    SHAPE,
    data,
    each_loss,
    inputs,
    linear_model,
    one_hot,
    one_step,
    pair,
)

import seglosses_core
from seglosses_keras import CrossEntropyLoss, DiceLoss

pytestmark = pytest.mark.sampled(4)

RATE = 0.5
MODES = {
    "tensorflow": ({}, {"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}),
    "jax": ({}, {"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}),
    "torch": (
        {},
        {"run_eagerly": True},
        {"jit_compile": False},
    ),  # True hands the whole step to torch.compile
}


def trained(loss, *arguments, mode=None, dtype=None, **options):
    """The model and the loss that it reports for one step."""
    model = linear_model(dtype)
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss=loss, **(mode or {}))
    history = model.fit(*arguments, epochs=1, shuffle=False, verbose=0, **options)
    return model, history.history["loss"][0]


def agrees(model, value, expected, rtol=1e-5):
    np.testing.assert_allclose(value, expected[0], rtol=rtol)
    assert np.abs(model.get_weights()[0] - KERNEL).max() > 1e-3
    np.testing.assert_allclose(model.get_weights()[0], expected[1], rtol=rtol, atol=rtol)


@each_loss
def test_one_step(name, options):
    loss, core = pair(name, options)
    images, (_, labels) = inputs(), data()
    agrees(*trained(loss, images, labels), one_step(core, images, labels, RATE))


@pytest.mark.parametrize("mode", range(4))
@pytest.mark.parametrize("target", ["labels", "labels with a last axis of 1", "one-hot"])
def test_modes(backend, mode, target):
    modes = MODES[backend]
    images, (_, labels) = inputs(), data()
    given = {"labels": labels, "one-hot": one_hot(labels)}.get(target, labels[..., None])
    loss, core = pair("EnsembleLoss", ENSEMBLE)
    model, value = trained(loss, images, given, mode=modes[mode % len(modes)])
    expected = one_step(core, images, labels, RATE)
    agrees(model, value, expected)
    now = core(images @ expected[1], labels)
    np.testing.assert_allclose(model.evaluate(images, given, verbose=0), now, rtol=1e-5)


class Pieces(keras.utils.PyDataset):
    """Two batches of different size, and images of different size."""

    def __init__(self):
        super().__init__()
        self.parts = [(inputs(i, shape), data(i, shape=shape)[1]) for i, shape in enumerate([(4, 5), (7, 3)])]
        self.parts[1] = tuple(part[:2] for part in self.parts[1])

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, i):
        return self.parts[i]


@pytest.mark.parametrize("name", ["DiceLoss", "LocallyAdaptiveLoss"])
def test_sizes_that_vary(name):
    loss, core = pair(name, {})
    model, _ = trained(loss, Pieces())
    kernel, weights = KERNEL, []
    for images, labels in Pieces().parts:
        _, gradient = core.value_and_grad(images @ kernel, labels)
        kernel = kernel - RATE * np.einsum("nhwi,nhwc->ic", images, gradient)
        weights.append(kernel)
    np.testing.assert_allclose(model.get_weights()[0], weights[-1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", ["images", "pixels"])
def test_sample_weight(form):
    images, (_, labels) = inputs(), data()
    weight = np.array([2.0, 0.0, 0.5], "float32")
    given = {"sample_weight": weight}
    if form == "pixels":
        weight = np.random.default_rng(0).uniform(0, 2, labels.shape).astype("float32")
        given = {"mask": weight}
    loss, core = pair("DiceLoss", {})
    model, value = trained(loss, images, labels, sample_weight=weight)
    expected, kernel = one_step(core, images, labels, RATE, **given)
    mean = weight.mean()
    np.testing.assert_allclose(value, expected * mean, rtol=1e-5)
    np.testing.assert_allclose(
        model.get_weights()[0], KERNEL + mean * (kernel - KERNEL), rtol=1e-5, atol=1e-6
    )


class WithMaps(keras.Model):
    """A model whose data have, beside the labels, what its loss takes by keyword."""

    def __init__(self, loss, **options):
        super().__init__(**options)
        self.of_maps = loss

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        labels, maps = y
        weights = None if sample_weight is None else sample_weight[0]  # Keras gives them in the form of y
        return self.of_maps(labels, y_pred, weights, **maps)


MAPS = np.random.default_rng(7).uniform(0, 3, (BATCH, *SHAPE, CLASSES)).astype("float32")


BLOBS = np.random.default_rng(8).integers(0, 3, (BATCH, *SHAPE)).astype("int32")


@pytest.mark.parametrize("mode", range(4))
@pytest.mark.parametrize(
    ("name", "options", "given"),
    [
        ("BoundaryLoss", {}, {"distances": MAPS}),
        ("BlobLoss", {"num_instances": 2, "absent": "count"}, {"instances": BLOBS}),
    ],
    ids=["distances", "instances"],
)
def test_a_step_with_given_maps(backend, mode, name, options, given):
    """In an ensemble of which one member takes them, and with weights, which it hands to each by itself."""
    modes = MODES[backend]
    images, (_, labels) = inputs(), data()
    weight = np.ones(BATCH, "float32") if mode % 2 else None
    (ours, core), (dice, core_dice) = pair(name, options), pair("DiceLoss", {})
    model = linear_model()
    model = WithMaps(0.5 * ours + dice, inputs=model.input, outputs=model.output)
    model.compile(optimizer=keras.optimizers.SGD(RATE), **modes[mode % len(modes)])
    history = model.fit(images, (labels, given), sample_weight=weight, epochs=1, shuffle=False, verbose=0)
    expected = one_step(0.5 * core + core_dice, images, labels, RATE, **given)
    agrees(model, history.history["loss"][0], expected)


def test_maps_that_do_not_fit():
    loss, (logits, labels) = pair("BoundaryLoss", {})[0], data()
    with pytest.raises(ValueError, match=r"^distances must have the shape \(3, 4, 5, 3\)"):
        loss(labels, logits, distances=MAPS[..., :1])
    with pytest.raises(TypeError, match="BoundaryLoss takes no 'distance' beside"):
        loss(labels, logits, distance=MAPS)
    with pytest.raises(TypeError, match=r"EnsembleLoss takes no 'skeleton' beside .* takes distances"):
        (loss + DiceLoss())(labels, logits, np.ones(BATCH, "float32"), skeleton=MAPS)


def test_a_step_with_pixel_weights_is_that_of_keras_own_loss():
    images, (_, labels) = inputs(), data()
    weight = np.random.default_rng(0).uniform(0, 2, labels.shape).astype("float32")
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    (a, value), (b, expected) = (
        trained(loss, images, labels, sample_weight=weight) for loss in (CrossEntropyLoss(), theirs)
    )
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(a.get_weights()[0], b.get_weights()[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(dtype):
    """Gradients of this Dice loss are near 1e-6 and lose their digits in float16 unless they are scaled."""
    shape = (128, 128)
    images, (_, labels) = inputs(shape=shape), data(shape=shape)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        model, value = trained(DiceLoss(), images, labels)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.layers[-1].compute_dtype == dtype.removeprefix("mixed_")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (dtype == "mixed_float16")
    expected, kernel = one_step(seglosses_core.DiceLoss(class_axis=-1), images, labels, RATE)
    within = {"mixed_float16": 2e-3, "mixed_bfloat16": 1.5e-2}[dtype]
    np.testing.assert_allclose(value, expected, rtol=within)
    step = model.get_weights()[0] - KERNEL
    np.testing.assert_allclose(step, kernel - KERNEL, rtol=0, atol=within * np.abs(kernel - KERNEL).max())
