"""The number and its derivative are those of the core on NumPy, whatever the form of the target and the weights."""

from __future__ import annotations

import keras
import ml_dtypes
import numpy as np
import pytest
from keras import ops
from keras_problems import (
    BATCH,
    CLASSES,
    DENSE,
    FIRST,
    SHAPE,
    build,
    data,
    dense,
    divided_by_count,
    each_loss,
    one_hot,
    pair,
    value_and_gradient,
)

import seglosses_core
import seglosses_keras
from seglosses_conformance.losses import ENTRIES

pytestmark = pytest.mark.sampled(4)

CLOSE = {"rtol": 1e-5, "atol": 1e-7}


def number(value):
    return ops.convert_to_numpy(value)


def test_every_loss_is_here():
    names = {kind.__name__ for kind in seglosses_core.LOSSES}
    assert names <= set(seglosses_keras.__all__)
    layers = {name for name in names if issubclass(getattr(seglosses_keras, name), keras.layers.Layer)}
    more = {name for name in names if ENTRIES[name].inputs(np.zeros((1, 3, 1)))}  # test_keras_training.py
    assert {name for name, _ in FIRST} == names - layers - more


@each_loss
def test_number_and_gradient(name, options):
    loss, core = pair(name, options)
    logits, labels = data()
    value, gradient = value_and_gradient(lambda z: loss(labels, z), logits)
    expected, slope = core.value_and_grad(logits, labels)
    assert value.shape == ()
    assert value.dtype == "float32"
    np.testing.assert_allclose(value, expected, **CLOSE)
    np.testing.assert_allclose(gradient, slope, **CLOSE)


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("name", "options"), DENSE)
def test_soft_targets_with_mask_and_weights(name, options):
    loss, core = pair(name, options)
    logits, labels = data()
    target, mask, weight = dense(name, labels), labels != 1, np.array([1.0, 0.0, 2.5], "float32")
    value, gradient = value_and_gradient(lambda z: loss(target, z, weight, mask=mask), logits)
    expected, slope = divided_by_count(core, logits, target, weight, mask)
    np.testing.assert_allclose(value, expected, **CLOSE)
    np.testing.assert_allclose(gradient, slope, **CLOSE)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "DiceLoss"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("trailing", [False, True], ids=["(N, H, W)", "(N, H, W, 1)"])
def test_forms_of_labels(name, dtype, trailing):
    loss, core = pair(name, {})
    logits, labels = data()
    given = labels.astype(dtype)
    np.testing.assert_allclose(
        number(loss(given[..., None] if trailing else given, logits)), core(logits, labels), **CLOSE
    )


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_forms_of_one_hot(dtype):
    loss, core = pair("DiceLoss", {})
    logits, labels = data()
    np.testing.assert_allclose(
        number(loss(one_hot(labels).astype(dtype), logits)), core(logits, labels), **CLOSE
    )


@pytest.mark.parametrize("trailing", [False, True])
@pytest.mark.parametrize("options", [{}, {"ignore_index": 7}])
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "DiceLoss", "LocallyAdaptiveLoss"])
def test_one_class(name, options, trailing):
    more = {"standardize": False} if name == "LocallyAdaptiveLoss" else {}
    loss, core = pair(name, {"activation": "sigmoid", **options, **more})
    logits, labels = data(classes=1)
    if options:
        labels[0, 0] = 7
    np.testing.assert_allclose(
        number(loss(labels[..., None] if trailing else labels, logits)), core(logits, labels), **CLOSE
    )


@pytest.mark.parametrize("shape", [(), (6,), (2, 3, 4)], ids=["0-D", "1-D", "3-D"])
def test_any_number_of_spatial_dimensions(shape):
    logits, labels = data(shape=shape)
    for name in ("CrossEntropyLoss", "DiceLoss"):
        loss, core = pair(name, {})
        for given in (labels, labels[..., None]):
            np.testing.assert_allclose(number(loss(given, logits)), core(logits, labels), **CLOSE)


def test_class_axis_one():
    loss = seglosses_keras.DiceLoss(class_axis=1)
    logits, labels = data()
    moved = np.moveaxis(logits, -1, 1)
    expected = seglosses_core.DiceLoss()(moved, labels)
    for given in (labels, labels[..., None], labels[:, None], labels[:, None].astype("float32")):
        np.testing.assert_allclose(number(loss(given, moved)), expected, **CLOSE)


def test_a_soft_target_of_one_pixel_is_no_label():
    logits, target = np.full((2, 1, 1), 0.25, "float32"), np.full((2, 1, 1), 0.5, "float32")
    loss = seglosses_keras.CrossEntropyLoss(class_axis=1, activation="sigmoid")
    expected = seglosses_core.CrossEntropyLoss(activation="sigmoid")(logits, target)
    np.testing.assert_allclose(number(loss(target, logits)), expected, **CLOSE)


@pytest.mark.parametrize(
    ("name", "shape"), [("CrossEntropyLoss", (BATCH, *SHAPE)), ("DiceLoss", (BATCH, CLASSES))]
)
def test_no_reduction(name, shape):
    loss, core = pair(name, {"reduction": "none"})
    logits, labels = data()
    value = number(loss(labels, logits))
    assert value.shape == shape
    np.testing.assert_allclose(value, core(logits, labels), **CLOSE)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "DiceLoss", "LocallyAdaptiveLoss"])
def test_half_precision_is_computed_in_float32(name, dtype):
    loss, core = pair(name, {})
    logits, labels = data()
    rounded = logits.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype).astype("float32")
    value = loss(labels, ops.cast(ops.convert_to_tensor(logits), dtype))
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    np.testing.assert_allclose(number(value), core(rounded, labels), **CLOSE)


def test_float64(backend):
    loss, core = pair("DiceLoss", {"class_weights": (0.1, 0.2, 0.3)})
    logits, labels = data()
    if backend == "jax":  # which has no float64 unless asked for
        value = number(loss(labels, logits.astype("float64")))
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, core(logits, labels), **CLOSE)
        return
    value = number(loss(labels, ops.convert_to_tensor(logits, dtype="float64")))
    assert value.dtype == "float64"
    np.testing.assert_allclose(value, core(logits.astype("float64"), labels), rtol=1e-14)
    asked = build(seglosses_keras, "DiceLoss", {"class_weights": (0.1, 0.2, 0.3)}, dtype="float64")
    np.testing.assert_array_equal(number(asked(labels, logits)), value)


def test_label_257_survives_bfloat16():
    logits = np.zeros((1, 2, 300), "float32")
    logits[..., 257] = 4
    labels = np.full((1, 2), 257)
    loss = seglosses_keras.CrossEntropyLoss(dtype="bfloat16")
    expected = seglosses_core.CrossEntropyLoss(class_axis=-1)(logits, labels)
    np.testing.assert_allclose(number(loss(labels, logits)), expected, **CLOSE)


# -- weights ----------------------------------------------------------------------------------------------------------


# Releases before know no mean_with_sample_weight, or weigh ignored pixels in another way.
@pytest.mark.since(keras="3.15")
@pytest.mark.parametrize("trailing", [False, True])
@pytest.mark.parametrize("ignored", [None, 1])
@pytest.mark.parametrize("reduction", ["mean", "mean_with_sample_weight", "sum"])
def test_pixel_weights_are_those_of_keras(reduction, ignored, trailing):
    logits, labels = data()
    weight = np.random.default_rng(3).uniform(0, 2, labels.shape).astype("float32")
    weight[0, 0] = 0
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    expected = number(theirs(labels, logits, weight))
    if ignored is not None:
        # Keras divides by the weights of ignored pixels too where it divides by the weights: not ours to copy.
        theirs = keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=ignored, reduction=reduction
        )
        given = weight * (labels != ignored) if reduction == "mean_with_sample_weight" else weight
        expected = number(theirs(labels, logits, given))
    ours = seglosses_keras.CrossEntropyLoss(reduction=reduction, ignore_index=ignored)
    given = weight[..., None] if trailing else weight
    np.testing.assert_allclose(number(ours(labels, logits, given)), expected, rtol=1e-5)


@pytest.mark.parametrize("reduction", ["mean_with_sample_weight", "sum"])
@pytest.mark.parametrize("name", ["DiceLoss", "CrossEntropyLoss"])
def test_an_image_of_weight_two_is_there_twice(name, reduction):
    loss = build(seglosses_keras, name, {"reduction": reduction})
    logits, labels = data()
    times = [1, 2, 3]
    weighted = loss(labels, logits, np.array(times, "float32"))
    repeated = loss(np.repeat(labels, times, 0), np.repeat(logits, times, 0))
    np.testing.assert_allclose(number(weighted), number(repeated), rtol=1e-6)


@pytest.mark.parametrize("form", ["images", "pixels", "mask"])
@pytest.mark.sampled(8)
@pytest.mark.parametrize(("name", "options"), FIRST, ids=dict(FIRST))
def test_what_weighs_nothing_may_be_nan(name, options, form):
    loss, _ = pair(name, options)
    logits, labels = data()
    weight = np.array([1.0, 0.0, 1.0], "float32")
    if form != "images":
        weight = np.ones(labels.shape, "float32") * weight[:, None, None]
    given = {"mask": weight} if form == "mask" else {"sample_weight": weight}
    mean = 1 if form == "mask" else 2 / 3
    rest = number(loss(labels[::2], logits[::2])) * mean
    logits[1] = np.nan
    value, gradient = value_and_gradient(lambda z: loss(labels, z, **given), logits)
    np.testing.assert_allclose(value, rest, **CLOSE)
    assert np.all(gradient[1] == 0)
    assert np.all(np.isfinite(gradient))


def test_nothing_weighs_anything():
    loss = seglosses_keras.CrossEntropyLoss()
    logits, labels = data()
    for shape in ((BATCH,), labels.shape):
        value, gradient = value_and_gradient(
            lambda z, s=shape: loss(labels, z, np.zeros(s, "float32")), logits
        )
        assert value == 0
        assert np.all(gradient == 0)


@pytest.mark.parametrize(
    "reductions", [("mean",) * 2, ("sum",) * 2, ("mean_with_sample_weight",) * 2, ("sum", "mean")]
)
def test_an_ensemble_with_weights_is_the_sum_of_its_members(reductions):
    logits, labels = data()
    labels[0] = labels[1, :2] = 255
    a, b = (
        getattr(seglosses_keras, name)(reduction=reduction, ignore_index=255)
        for name, reduction in zip(("DiceLoss", "CrossEntropyLoss"), reductions, strict=True)
    )
    for weight in (np.array([1.0, 0.5, 3.0], "float32"), np.linspace(0, 2, labels.size, dtype="float32")):
        weight = weight if weight.size == BATCH else weight.reshape(labels.shape)
        expected = 0.3 * number(a(labels, logits, weight)) + 0.7 * number(b(labels, logits, weight))
        for loss in (0.3 * a + 0.7 * b, seglosses_keras.EnsembleLoss(losses=[0.3 * a + 0.7 * b])):
            np.testing.assert_allclose(number(loss(labels, logits, weight)), expected, rtol=1e-6)


# -- errors -----------------------------------------------------------------------------------------------------------

LOGITS, LABELS = data()
WRONG = {
    "integer logits": (LABELS, LOGITS.astype("int32"), {}),
    "bool labels": (LABELS.astype("bool"), LOGITS, {}),
    "a missing axis": (LABELS[0], LOGITS, {}),
    "an extra axis": (LABELS[..., None, None], LOGITS, {}),
    "another shape": (LABELS[:, :-1], LOGITS, {}),
    "a broadcast": (LABELS[:, :1], LOGITS, {}),
    "one class": (LABELS, LOGITS[..., :1], {}),
    "an empty batch": (LABELS[:0], LOGITS[:0], {}),
    "no array": ([[0]], LOGITS, {}),
    "a mask of another shape": (LABELS, LOGITS, {"mask": LABELS[0] > 0}),
    "a mask with classes": (LABELS, LOGITS, {"mask": LOGITS > 0}),
    "weights of another batch": (LABELS, LOGITS, {"sample_weight": np.ones(BATCH + 1, "float32")}),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_are_those_of_the_core(case):
    target, logits, given = WRONG[case]
    with pytest.raises((TypeError, ValueError)) as expected:
        seglosses_core.DiceLoss(class_axis=-1)(logits, target, **given)
    with pytest.raises(expected.type) as raised:
        seglosses_keras.DiceLoss()(target, logits, **given)
    assert str(raised.value) == str(expected.value)


def test_pixel_weights_of_another_shape():
    with pytest.raises(ValueError, match=r"sample_weight must have .* got float32 of shape \(3, 5, 4\)\.$"):
        seglosses_keras.DiceLoss()(LABELS, LOGITS, np.ones((BATCH, *SHAPE[::-1]), "float32"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("PowerDiceLoss", {"p": 3.0}),
        ("LocallyAdaptiveLoss", {"kernel_size": 4}),
        ("CrossEntropyLoss", {"class_weights": (1.0, -1.0)}),
        ("CrossEntropyLoss", {"reduction": "median"}),
        ("DiceLoss", {"activation": "tanh"}),
        ("DiceLoss", {"smooth": True}),
    ],
)
def test_errors_of_hyper_parameters_are_those_of_the_core(name, options):
    with pytest.raises((TypeError, ValueError)) as expected:
        build(seglosses_core, name, options)
    with pytest.raises(expected.type) as raised:
        build(seglosses_keras, name, options)
    assert str(raised.value) == str(expected.value)


def test_validate_looks_at_values():
    labels = LABELS.copy()
    labels[0, 0, 0] = 9
    assert np.isnan(number(seglosses_keras.DiceLoss()(labels, LOGITS)))
    with pytest.raises(ValueError, match="target must hold labels from 0 to 2"):
        seglosses_keras.DiceLoss(validate=True)(labels, LOGITS)


def test_losses_of_other_packages_and_variables_are_refused():
    with pytest.raises(TypeError, match="losses must be of seglosses_keras"):
        seglosses_keras.EnsembleLoss(losses=[seglosses_core.DiceLoss()])
    with pytest.raises(
        TypeError, match=r"p must be a number or an array, got a keras\.Variable: .* LearnableLoss"
    ):
        seglosses_keras.PowerDiceLoss(p=keras.Variable(1.5))
