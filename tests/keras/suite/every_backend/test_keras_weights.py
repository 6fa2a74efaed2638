"""What a weighted mean divides by where pixels or whole images are left out, and the masks that layers attach."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops
from keras_problems import (
    BATCH,
    CLASSES,
    FIRST,
    LOSSES,
    NAMES,
    data,
    divided_by_count,
    pair,
    value_and_gradient,
)
from problems import with_options

import seglosses_core
from seglosses_keras import (
    CrossEntropyLoss,
    DiceLoss,
    DistanceAwareCrossEntropyLoss,
    LocallyAdaptiveLoss,
    Minkowski,
    PowerJaccardLoss,
)

pytestmark = pytest.mark.sampled(4)

CLOSE = {"rtol": 1e-5, "atol": 1e-7}
LOGITS, LABELS = data()
LABELS[1][LABELS[1] == 1] = 2  # without class 1
LEFT_OUT = LABELS.copy()
LEFT_OUT[0] = 255
LEFT_OUT[1, :3] = 255
WEIGHT = np.array([1000.0, 0.5, 3.0], "float32")
PER_CLASS = (0.3, 2.0, 0.9)
MEANS = [
    ("CrossEntropyLoss", {"class_weights": PER_CLASS}),
    ("CrossEntropyLoss", {"class_weights": PER_CLASS, "activation": "sigmoid"}),
    ("FocalLoss", {"activation": "identity", "class_weights": PER_CLASS, "alpha": PER_CLASS}),
    ("MeanSquaredErrorLoss", {"class_weights": PER_CLASS}),
    ("DistanceAwareCrossEntropyLoss", {"class_weights": PER_CLASS}),
    ("LocallyAdaptiveLoss", {"reduction": "mean", "stride": 2, "class_weights": PER_CLASS}),
    ("LocallyAdaptiveLoss", {"reduction": "mean", "cost": {"loss": "DistanceAwareCrossEntropyLoss"}}),
    ("DiceLoss", {"class_weights": PER_CLASS, "absent": "skip", "include_background": False}),
    ("TverskyLoss", {"absent": "skip", "activation": "sigmoid"}),
]  # fmt: skip
EVERY = [*LOSSES, *MEANS]
EVERY_NAME = [*NAMES, *(f"{name}-mean-{i}" for i, (name, _) in enumerate(MEANS))]
ARE_MEANS = [
    pytest.param(*one, id=name)
    for one, name in zip(EVERY, EVERY_NAME, strict=True)
    if not (one[0] == "HausdorffDTLoss" and one[1].get("log"))  # the logarithm of a mean
]


def number(value):
    return ops.convert_to_numpy(value)


# -- what is left out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["images", "pixels"])
@pytest.mark.parametrize("by", ["ignore_index", "mask", "both"])
@pytest.mark.parametrize(("name", "options"), ARE_MEANS)
def test_left_out(name, options, by, form):
    """The weight of 1000 is that of an image without a valid pixel."""
    if by != "mask":
        options = with_options(name, options, {"ignore_index": 255})
    loss, core = pair(name, options)
    logits = 1 / (1 + np.exp(-LOGITS)) if options.get("activation") == "identity" else LOGITS
    mask = None
    if by != "ignore_index":
        soft_weights = np.random.default_rng(1).uniform(0.2, 2, LABELS.shape)
        mask = (soft_weights * (LEFT_OUT != 255)).astype("float32")
    labels = LABELS if by == "mask" else LEFT_OUT
    weight = WEIGHT
    if form == "pixels":
        weight = np.random.default_rng(2).uniform(0, 2, LABELS.shape).astype("float32")
        weight[0], weight[2, 1] = 1000, 0
    value, gradient = value_and_gradient(lambda z: loss(labels, z, weight, mask=mask), logits)
    expected, slope = divided_by_count(core, logits, labels, weight, mask)
    np.testing.assert_allclose(value, expected, **CLOSE)
    np.testing.assert_allclose(gradient, slope, rtol=1e-4, atol=1e-6)
    again = weight.copy()
    again[0] = 1
    np.testing.assert_allclose(number(loss(labels, logits, again, mask=mask)), expected, **CLOSE)


@pytest.mark.since(keras="3.15")  # releases before weigh ignored pixels in another way
def test_a_step_is_that_of_keras_own_loss():
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    spread = np.broadcast_to(WEIGHT[:, None, None], LABELS.shape)
    expected, slope = value_and_gradient(lambda z: theirs(LEFT_OUT, z, spread), LOGITS)
    ours = CrossEntropyLoss(ignore_index=255)
    for weight in (WEIGHT, spread):
        value, gradient = value_and_gradient(lambda z, w=weight: ours(LEFT_OUT, z, w), LOGITS)
        np.testing.assert_allclose(value, expected, **CLOSE)
        np.testing.assert_allclose(gradient, slope, **CLOSE)


@pytest.mark.parametrize("kind", [DiceLoss, PowerJaccardLoss])
def test_dice_by_hand(kind):
    """`Σ w L / 2`: of three images, two count."""
    each = [number(kind(ignore_index=255)(LEFT_OUT[[i]], LOGITS[[i]])) for i in (1, 2)]
    value = number(kind(ignore_index=255)(LEFT_OUT, LOGITS, WEIGHT))
    np.testing.assert_allclose(value, (0.5 * each[0] + 3 * each[1]) / 2, **CLOSE)
    zero = np.array([1000, 0, 3], "float32")  # an image of weight 0 counts, as in Keras' own losses
    np.testing.assert_allclose(
        number(kind(ignore_index=255)(LEFT_OUT, LOGITS, zero)), 3 * each[1] / 2, **CLOSE
    )


def test_dice_over_the_batch_by_hand():
    """The core's number times the mean weight of 5 and 20 valid pixels."""
    loss = DiceLoss(ignore_index=255, aggregate="batch")
    core = seglosses_core.DiceLoss(ignore_index=255, aggregate="batch", class_axis=-1)
    expected = core(LOGITS, LEFT_OUT, sample_weight=WEIGHT) * (5 * 0.5 + 20 * 3) / 25
    np.testing.assert_allclose(number(loss(LEFT_OUT, LOGITS, WEIGHT)), expected, **CLOSE)


@pytest.mark.parametrize("form", ["images", "pixels"])
@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_NAME)
def test_twice_the_weight_is_twice_the_loss(name, options, form):
    loss, _ = pair(name, {key: value for key, value in options.items() if key != "smooth"})
    logits = 1 / (1 + np.exp(-LOGITS)) if options.get("activation") == "identity" else LOGITS
    weight = np.full((BATCH,) if form == "images" else LABELS.shape, 2, "float32")
    # The weights of pixels weigh smooth too; beside its default the moments of these images are large enough.
    np.testing.assert_allclose(
        number(loss(LABELS, logits, weight)), 2 * number(loss(LABELS, logits)), rtol=0.02
    )


@pytest.mark.parametrize("form", ["images", "pixels"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (DistanceAwareCrossEntropyLoss, {}),
        (DistanceAwareCrossEntropyLoss, {"reduction": Minkowski(k=2.0)}),
        (
            LocallyAdaptiveLoss,
            {"cost": DistanceAwareCrossEntropyLoss(), "activation": "sigmoid", "standardize": False},
        ),
    ],
    ids=["mean", "pooling", "cost"],
)
def test_twice_the_weight_without_foreground(kind, options, form):
    """The mean of the distance-aware loss divides by 1 there; a pooling by its weights, as everywhere."""
    loss, nowhere, logits = kind(**options), np.zeros_like(LABELS), LOGITS[..., :1]
    twice = np.full((BATCH,) if form == "images" else LABELS.shape, 2, "float32")
    np.testing.assert_allclose(
        number(loss(nowhere, logits, twice)), 2 * number(loss(nowhere, logits)), **CLOSE
    )


@pytest.mark.parametrize(
    ("name", "options", "form", "size"),
    [
        pytest.param(name, options, form, size, id=f"{name}-{form}-{size}")
        for name, options in FIRST
        for form, size in [("images", 1e-20), ("images", 1e20), ("pixels", 1e20)]
        if not (name == "StructureLoss" and form == "pixels")  # which adds 1 to its sums, always
    ],
)
def test_weights_of_any_size(name, options, form, size):
    """Those too large or small to be multiplied are scaled on the way, and must come out with their own size. Small
    ones of pixels are nothing beside smooth, which is nothing beside large ones."""
    if hasattr(getattr(seglosses_core, name), "smooth"):
        options = {**options, "smooth": 0.0}
    loss, _ = pair(name, options)
    weight = np.full((BATCH,) if form == "images" else LABELS.shape, size, "float32")
    np.testing.assert_allclose(
        number(loss(LABELS, LOGITS, weight)) / size, number(loss(LABELS, LOGITS)), rtol=1e-4
    )


def test_nothing_left():
    weight = np.array([1.0, 2.0, 3.0], "float32")
    for kind in (DiceLoss, CrossEntropyLoss):
        loss = kind(ignore_index=255)
        value, gradient = value_and_gradient(
            lambda z, loss=loss: loss(np.full_like(LABELS, 255), z, weight), LOGITS
        )
        assert value == 0
        assert np.all(gradient == 0)


ENTRIES = np.random.default_rng(5).uniform(0.5, 2, LOGITS.shape).astype("float32")
ENTRIES[2, ..., 1] = 0
ENTRIES[0, 2:] = 0


@pytest.mark.parametrize("weight", [None, WEIGHT, 1 + LABELS / 2])
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "DiceLoss"])
def test_a_mask_of_entries(name, weight):
    """The core's with the same mask; with weights, its sum by what the mean divides by without them."""
    loss, core = pair(name, {"activation": "sigmoid"})
    value, gradient = value_and_gradient(lambda z: loss(LABELS, z, weight, mask=ENTRIES), LOGITS)
    given = {"mask": ENTRIES}
    if weight is not None:
        given = {"mask": ENTRIES, "sample_weight": weight}
        if weight.ndim > 1:
            given = {"mask": ENTRIES * weight[..., None]}
    expected, slope = core.value_and_grad(LOGITS, LABELS, **given)
    if name == "DiceLoss" and weight is not None:
        there = (ENTRIES > 0).any((1, 2))
        spread = there if weight.ndim > 1 else there * weight[:, None]
        mean = np.sum(spread) / np.sum(there) if weight.ndim == 1 else np.sum(given["mask"]) / np.sum(ENTRIES)
    else:
        spread = 1 if weight is None else weight.reshape(weight.shape + (1,) * (4 - weight.ndim))
        mean = np.sum(ENTRIES * spread) / np.sum(ENTRIES)
    np.testing.assert_allclose(value, mean * expected, **CLOSE)
    np.testing.assert_allclose(gradient, mean * slope, rtol=1e-5, atol=1e-7)


def test_a_mask_of_entries_beside_an_attached_one():
    loss, core = pair("DiceLoss", {"activation": "sigmoid"})
    attached = LABELS != 1
    value = loss(LABELS, Attach(attached)(LOGITS), mask=ENTRIES)
    expected = core(LOGITS, LABELS, mask=ENTRIES * attached[..., None])
    np.testing.assert_allclose(number(value), expected, **CLOSE)
    with pytest.raises(
        ValueError, match="the classes of DiceLoss with activation='softmax' exclude each other"
    ):
        DiceLoss()(LABELS, LOGITS, mask=ENTRIES)


# -- attached masks ---------------------------------------------------------------------------------------------------

TIMES = 6
RANDOM = np.random.default_rng(7)
SEQUENCES = RANDOM.normal(size=(BATCH, TIMES, 2)).astype("float32")
SEQUENCES[:, 4:] = SEQUENCES[0, 1:] = 0
KEPT = np.any(SEQUENCES != 0, -1)
# In int32: of int64 JAX 0.12 warns, where Keras names the dtype to it.
STATES = RANDOM.integers(0, CLASSES, (BATCH, TIMES)).astype("int32")
KERNEL, BIAS = RANDOM.normal(size=(2, CLASSES)).astype("float32"), np.array([0, 1, 2], "float32")


def masked_model():
    x = keras.Input((TIMES, 2))
    model = keras.Model(x, keras.layers.Dense(CLASSES)(keras.layers.Masking(0.0)(x)))
    model.set_weights([KERNEL, BIAS])
    return model


@pytest.mark.parametrize("mode", ["eager", "compiled", "jit"])
def test_an_attached_mask_in_training_is_that_of_keras_own_loss(mode, backend):
    weight = RANDOM.uniform(0, 2, STATES.shape).astype("float32")
    for given in (None, weight):
        found = []
        for loss in (CrossEntropyLoss(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)):
            model = masked_model()
            jit = mode == "jit" and backend != "torch"
            model.compile(keras.optimizers.SGD(0.5), loss, run_eagerly=mode == "eager", jit_compile=jit)
            before = model.evaluate(SEQUENCES, STATES, sample_weight=given, verbose=0)
            model.fit(SEQUENCES, STATES, sample_weight=given, batch_size=BATCH, verbose=0)
            found.append([before, *model.get_weights()])
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["CrossEntropyLoss", "DiceLoss"])
def test_an_attached_mask_counts_like_mask(kind):
    loss, core = pair(kind, {})
    y_pred = masked_model()(SEQUENCES)
    logits = SEQUENCES @ KERNEL + BIAS
    expected = core(logits, STATES, mask=KEPT)
    assert abs(expected - core(logits, STATES)) > 0.01
    np.testing.assert_allclose(number(loss(STATES, y_pred)), expected, **CLOSE)
    np.testing.assert_allclose(number(loss.call(STATES, y_pred)), expected, **CLOSE)
    np.testing.assert_allclose(
        number(loss(STATES, y_pred, WEIGHT)), divided_by_count(core, logits, STATES, WEIGHT, KEPT)[0], **CLOSE
    )
    for mask in (STATES > 0, np.where(STATES > 0, 1.7, 0.2).astype("float32"), STATES):
        both = core(logits, STATES, mask=mask * KEPT)
        np.testing.assert_allclose(number(loss(STATES, y_pred, mask=mask)), both, **CLOSE)


def test_an_embedding_masks_its_padding():
    words = np.array([[3, 1, 0, 0], [2, 2, 1, 0]])
    layer = keras.layers.Embedding(4, CLASSES, mask_zero=True)
    y_pred, labels = layer(words), words % CLASSES
    expected = seglosses_core.DiceLoss(class_axis=-1)(number(y_pred), labels, mask=words != 0)
    np.testing.assert_allclose(number(DiceLoss()(labels, y_pred)), expected, **CLOSE)


class Attach(keras.layers.Layer):
    """Attaches the mask that it is made with."""

    def __init__(self, mask):
        super().__init__()
        self.mask = mask

    def call(self, x):
        return x

    def compute_mask(self, x, previous_mask=None):
        return ops.convert_to_tensor(self.mask)


@pytest.mark.parametrize("class_axis", [-1, 1])
@pytest.mark.parametrize("shape", [LABELS.shape, (*LABELS.shape, 1), LABELS.shape[:2], (BATCH,)])
def test_shapes_of_an_attached_mask(shape, class_axis):
    mask = np.random.default_rng(3).uniform(size=shape) > 0.4
    moved = np.moveaxis(LOGITS, -1, class_axis)
    loss = DiceLoss(class_axis=class_axis)
    expanded = np.expand_dims(mask[..., 0] if len(shape) == 4 else mask, tuple(range(len(shape), 3)))
    everywhere = np.broadcast_to(expanded, LABELS.shape)
    expected = number(loss(LABELS, moved, mask=everywhere))
    assert abs(expected - number(loss(LABELS, moved))) > 1e-4
    np.testing.assert_allclose(number(loss(LABELS, Attach(mask)(moved))), expected, **CLOSE)


@pytest.mark.parametrize("shape", [LOGITS.shape, (BATCH, 5, 4), (BATCH, 1), (1, 4, 5), (BATCH, 4, 1)])
def test_an_attached_mask_of_another_shape(shape):
    y_pred = Attach(np.ones(shape, bool))(LOGITS)
    text = (
        r"^the mask attached to y_pred must have the shape of the labels of logits of shape \(3, 4, 5, 3\), or their"
        rf" first axes, got bool of shape \({', '.join(map(str, shape))}\)\.$"
    )
    for given in ({}, {"mask": LABELS > 0}, {"sample_weight": WEIGHT}):
        with pytest.raises(ValueError, match=text):
            DiceLoss()(LABELS, y_pred, **given)


def test_a_mask_beside_an_attached_one_is_not_broadcast():
    y_pred = Attach(np.ones(LABELS.shape, bool))(LOGITS)
    with pytest.raises(ValueError, match=r"^mask must have the shape of the labels, \(3, 4, 5\)"):
        DiceLoss()(LABELS, y_pred, mask=LABELS[:1] > 0)


def test_half_precision_keeps_its_mask():
    mask = LABELS > 0
    y_pred = Attach(mask)(ops.cast(LOGITS, "float16"))
    expected = number(DiceLoss()(LABELS, ops.cast(LOGITS, "float16"), mask=mask))
    np.testing.assert_allclose(number(DiceLoss()(LABELS, y_pred)), expected, **CLOSE)


# -- variables --------------------------------------------------------------------------------------------------------


def test_variables_are_taken_by_their_value(backend):
    labels = (
        LABELS if backend == "torch" else keras.Variable(LABELS, dtype="int32")
    )  # torch's are not of integers
    for name in ("DiceLoss", "CrossEntropyLoss"):
        loss, core = pair(name, {})
        found = loss(
            labels,
            keras.Variable(LOGITS),
            keras.Variable(WEIGHT),
            mask=keras.Variable(1.0 * (LEFT_OUT != 255)),
        )
        expected = divided_by_count(core, LOGITS, LABELS, WEIGHT, (LEFT_OUT != 255))[0]
        np.testing.assert_allclose(number(found), expected, **CLOSE)
