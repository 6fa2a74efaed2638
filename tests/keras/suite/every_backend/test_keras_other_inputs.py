"""The gradient of everything that is not the logits, and shapes and weights that do not fit, on every backend."""

from __future__ import annotations

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
    one_hot,
    pair,
    soft,
    value_and_gradient,
)
from problems import wrong_shapes

import seglosses_core as core
import seglosses_keras as sl
from seglosses_conformance.losses import ENTRIES

pytestmark = pytest.mark.sampled(4)

every = pytest.mark.parametrize(("name", "options"), FIRST, ids=dict(FIRST))
LOGITS, LABELS = data(scale=1.0)
WIDE = LOGITS.astype("float64")
RNG = np.random.default_rng(12)
MASK = RNG.uniform(0.3, 2, LABELS.shape).astype("float32")
PER_CLASS = np.array([0.3, 0.9, 0.6], "float32")


def check(ours, wide, x):
    """The gradient of `ours` at x by the backend, against central differences of `wide` by the core in float64."""
    gradient = slope(ours, x)
    direction = RNG.normal(size=np.shape(x))
    step = 1e-5 * direction
    expected = (float(wide(x + step)) - float(wide(x - step))) / 2e-5
    assert abs(expected) > 1e-5
    np.testing.assert_allclose(
        np.sum(gradient * direction), expected, rtol=1e-3, atol=1e-5 * np.abs(gradient).sum()
    )


def slope(function, x):
    """A product with 1 makes TensorFlow's sparse gradient of a gather dense."""
    return value_and_gradient(lambda x: function(x * 1.0), x)[1]


@pytest.mark.parametrize(
    ("name", "options"), [one for one in FIRST if one in DENSE and ENTRIES[one[0]].soft_slope]
)
def test_soft_target(name, options):
    loss, oracle = pair(name, options)
    check(lambda t: loss(t, LOGITS), lambda t: oracle(WIDE, t), soft(LABELS))


def test_heat_map():
    heat_map = np.where(one_hot(LABELS) == 1, 1, RNG.uniform(0, 0.9, LOGITS.shape)).astype("float32")
    peaks = heat_map == 1  # where the loss itself jumps
    oracle = core.DistanceAwareCrossEntropyLoss(class_axis=-1)
    check(
        lambda t: sl.DistanceAwareCrossEntropyLoss()(ops.where(peaks, 1.0, t), LOGITS),
        lambda t: oracle(WIDE, np.where(peaks, 1.0, t)),
        heat_map,
    )


@every
@pytest.mark.parametrize("kind", ["mask", "sample_weight", "pixels", "pixels and a mask"])
def test_weights(name, options, kind):
    loss, oracle = pair(name, options)
    kept = LABELS > 0
    cases = {
        "mask": (MASK, lambda w: loss(LABELS, LOGITS, mask=w), lambda w: oracle(WIDE, LABELS, mask=w)),
        "sample_weight": (
            np.array([0.4, 1.7, 0.9], "float32"),
            lambda w: loss(LABELS, LOGITS, w),
            lambda w: oracle(WIDE, LABELS, sample_weight=w) * w.mean(),
        ),
        "pixels": (
            MASK,
            lambda w: loss(LABELS, LOGITS, w),
            lambda w: oracle(WIDE, LABELS, mask=w) * w.mean(),
        ),
        "pixels and a mask": (
            MASK,
            lambda w: loss(LABELS, LOGITS, w, mask=kept),
            lambda w: oracle(WIDE, LABELS, mask=w * kept) * w[kept].mean(),
        ),
    }
    x, ours, wide = cases[kind]
    check(ours, wide, x)


@pytest.mark.parametrize(("name", "options"), [one for one in FIRST if one[0] != "EnsembleLoss"])
def test_class_weights(name, options):
    check(
        lambda w: build(sl, name, options, class_weights=w)(LABELS, LOGITS),
        lambda w: build(core, name, options, class_weights=w)(WIDE, LABELS),
        PER_CLASS,
    )


def test_alpha():
    check(
        lambda a: sl.FocalLoss(alpha=a)(LABELS, LOGITS),
        lambda a: core.FocalLoss(alpha=a, class_axis=-1)(WIDE, LABELS),
        PER_CLASS,
    )
    check(
        lambda a: sl.LocallyAdaptiveLoss(cost=sl.FocalLoss(alpha=a))(LABELS, LOGITS),
        lambda a: core.LocallyAdaptiveLoss(class_axis=-1, cost=core.FocalLoss(alpha=a))(WIDE, LABELS),
        PER_CLASS,
    )


@pytest.mark.parametrize("name", ["PowerDiceLoss", "PowerJaccardLoss"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_power(name, depth):
    """Alone, in an ensemble, and in an ensemble of one."""

    def value(module, p, **more):
        loss = getattr(module, name)(p=p, **more)
        if depth:
            loss = 0.5 * loss + module.DiceLoss(**more)
        return module.EnsembleLoss(losses=[loss, module.DiceLoss(**more)]) if depth == 2 else loss

    for target in (LABELS, soft(LABELS), one_hot(LABELS)):
        check(
            lambda p, target=target: value(sl, p)(target, LOGITS),
            lambda p, target=target: value(core, np.asarray(p), class_axis=-1)(WIDE, target),
            np.float32(1.4),
        )


@pytest.mark.parametrize("as_list", [False, True])
def test_weights_of_an_ensemble(as_list):
    def value(weights):
        given = [weights[0], weights[1]] if as_list else weights
        return sl.EnsembleLoss(losses=[sl.DiceLoss(), sl.CrossEntropyLoss()], weights=given)(LABELS, LOGITS)

    members = [kind(class_axis=-1)(WIDE, LABELS) for kind in (core.DiceLoss, core.CrossEntropyLoss)]
    gradient = slope(value, np.array([0.3, 0.6], "float32"))
    np.testing.assert_allclose(gradient, members, rtol=1e-5)


def test_features():
    centers, features = RNG.normal(size=(CLASSES, 4)), RNG.normal(size=(*LABELS.shape, 4)).astype("float32")
    oracle = core.CenterLoss(class_axis=-1, weight=0.7)

    def value(logits, features):
        layer = sl.CenterLoss(num_classes=CLASSES, num_features=4, weight=0.7)
        layer.centers.assign(centers)
        layer([LABELS, logits, features])
        return layer.losses[0]

    check(lambda x: value(LOGITS, x), lambda x: oracle(WIDE, LABELS, centers=centers, features=x), features)
    check(
        lambda z: value(z, features),
        lambda z: oracle(z, LABELS, centers=centers, features=features.astype("float64")),
        LOGITS,
    )


# -- shapes and weights that do not fit -------------------------------------------------------------------------------


@every
def test_nothing_is_broadcast(name, options):
    loss, labels = build(sl, name, options), ops.convert_to_tensor(LABELS)
    logits = ops.convert_to_tensor(LOGITS)
    pixels = {LABELS.shape, (*LABELS.shape, 1)}
    for shape in (wrong_shapes(LABELS.shape) | wrong_shapes(LOGITS.shape)) - pixels - {LOGITS.shape}:
        with pytest.raises(ValueError, match=r"^target must "):
            loss(np.zeros(shape, "int32"), logits)
        with pytest.raises((TypeError, ValueError), match=r"^target must "):
            loss(np.zeros(shape, "float32"), logits)
    for held in (LABELS.astype("float32"), LABELS.astype("float64")[..., None]):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(loss(held, logits)), ops.convert_to_numpy(loss(labels, logits))
        )
    for shape in wrong_shapes(LABELS.shape):
        with pytest.raises(ValueError, match=r"^mask must "):
            loss(labels, logits, mask=np.ones(shape, bool))
    for shape in (wrong_shapes((BATCH,)) | wrong_shapes(LABELS.shape)) - pixels - {(BATCH,)}:
        with pytest.raises(ValueError, match=r"^sample_weight must "):
            loss(labels, logits, np.ones(shape, "float32"))
    with pytest.raises(TypeError, match=r"^target must hold integer labels"):
        loss(LABELS.astype(bool), logits)
    with pytest.raises(TypeError, match=r"^logits must be real floating point"):
        loss(logits, labels)  # the other way round


@pytest.mark.parametrize("weight", [np.nan, -1.0, np.inf])
@pytest.mark.parametrize("shape", [(BATCH,), (BATCH, *SHAPE)])
def test_a_weight_that_is_none_makes_the_value_nan(shape, weight):
    weights = np.ones(shape, "float32")
    weights.flat[0] = weight
    for kind in (sl.DiceLoss, sl.CrossEntropyLoss):
        assert np.isnan(ops.convert_to_numpy(kind()(LABELS, LOGITS, weights)))
        if len(shape) > 1:
            assert np.isnan(ops.convert_to_numpy(kind()(LABELS, LOGITS, mask=weights)))


# -- as other libraries are called ------------------------------------------------------------------------------------


def test_a_call_by_other_names_says_what_a_call_is():
    ensemble = sl.DiceLoss() + sl.CrossEntropyLoss()
    for call in (sl.DiceLoss(), ensemble, ensemble.parts):
        for arrays, named, given in (
            ((), {"input": LOGITS, "target": LABELS}, "input=, target="),
            ((), {"logits": LOGITS, "labels": LABELS}, "logits=, labels="),
            ((LABELS,), {}, "an array"),
            ((LABELS, LOGITS, None, None), {}, "an array, an array, an array, an array"),
            ((), {}, "nothing"),
        ):
            with pytest.raises(
                TypeError, match=f"Loss is called with y_true and y_pred, and .*, got {given}"
            ):
                call(*arrays, **named)


def test_what_a_call_does_not_take_is_named():
    beside = "beside y_true, y_pred, sample_weight and mask"
    for loss, name, takes in (
        (sl.DiceLoss(), "weight", ""),
        (sl.DiceLoss(), "ignore_index", ""),
        (sl.BoundaryLoss(), "distance", "; it takes distances"),
    ):
        with pytest.raises(TypeError, match=f"^{type(loss).__name__} takes no '{name}' {beside}{takes}"):
            loss(LABELS, LOGITS, **{name: MASK})
