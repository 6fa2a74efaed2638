"""Replicas with images that are not alike, not as many, or none: the numbers are those of one device with all."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_problems import CHANNELS, CLASSES, KERNEL, SHAPE, divided_by_count, one_step
from packaging.version import Version

import seglosses_core
import seglosses_keras
from seglosses_keras import DiceLoss, LovaszSoftmaxLoss, replicas
from seglosses_keras.presets import monai

RATE, IGNORED = 0.5, 255
REPORTS = Version(keras.__version__) >= Version("3.10")
"""Whether Keras reports what it trains: earlier releases do not add up the replicas' metrics as they should."""
SIZES = [4, 3, 1]
"""Of batches, of which one replica has 2, 2 and 1 images and the other 2, 1 and none."""
random = np.random.default_rng(3)
IMAGES = random.normal(size=(8, *SHAPE, CHANNELS)).astype("float32")
LABELS = random.integers(0, CLASSES, IMAGES.shape[:-1]).astype("int32")
LABELS[:2] = np.where(random.uniform(size=LABELS[:2].shape) < 0.8, 0, LABELS[:2])  # mostly background
LABELS[2:4] = np.where(random.uniform(size=LABELS[2:4].shape) < 0.7, IGNORED, LABELS[2:4])
LABELS[4:] = np.where(random.uniform(size=LABELS[4:].shape) < 0.2, IGNORED, LABELS[4:])

OF_IMAGES = random.uniform(0, 2, len(IMAGES)).astype("float32")
OF_PIXELS = random.uniform(0, 2, LABELS.shape).astype("float32")


def losses(package):
    """The same losses of Keras and of the core."""
    common = {"class_axis": -1, "ignore_index": IGNORED}
    dice = package.DiceLoss(aggregate="batch", class_weights=[1.0, 0.5, 2.0], **common)
    entropy = package.CrossEntropyLoss(**common)
    return {
        "dice_of_batch": dice,
        "dice_of_images": package.DiceLoss(absent="skip", **common),
        "cross_entropy": entropy,
        "minkowski": package.CrossEntropyLoss(reduction=package.Minkowski(k=3), **common),
        "ensemble": dice + 0.5 * entropy,
        "locally_adaptive": package.LocallyAdaptiveLoss(kernel_size=3, **common),
    }


def more_losses(package):
    common = {"class_axis": -1, "ignore_index": IGNORED}
    mining = package.HardExampleMining(min_kept=7, threshold=None)
    poolings = [package.TopK(fraction=0.2), package.MaxPooling(), mining]
    found = {str(i): package.CrossEntropyLoss(reduction=one, **common) for i, one in enumerate(poolings)}
    return found | {
        "sum": package.CrossEntropyLoss(reduction="sum", **common),
        "sum_and_mean": package.CrossEntropyLoss(reduction="sum", **common) + package.DiceLoss(**common),
        "average": package.DiceLoss(average="class", absent="skip", **common),
        "soft": package.JaccardMetricLoss(**common),
    }


def data(names, weights):
    """In batches of these sizes, of which graphs do not know the size; each output has the same target."""
    arrays = (IMAGES, dict.fromkeys(names, LABELS), *([weights] if weights else []))
    whole, found, start = tf.data.Dataset.from_tensor_slices(arrays), None, 0
    for size in SIZES:
        batch = whole.skip(start).take(size).batch(size)
        found, start = batch if found is None else found.concatenate(batch), start + size
    return found


def trained(strategy, losses, weights):
    """For a linear model of each loss: the loss that fit reports, the weights after it, and the loss of evaluate. And
    what fit reports of all together."""
    with strategy.scope():
        images = keras.Input((None, None, CHANNELS))
        heads = {name: keras.layers.Dense(CLASSES, use_bias=False, name=name) for name in losses}
        model = keras.Model(images, {name: head(images) for name, head in heads.items()})
        model.set_weights([KERNEL] * len(losses))
        model.compile(optimizer=keras.optimizers.SGD(RATE), loss=dict(losses))
    batches = data(losses, weights)
    before = model.fit(batches, shuffle=False, verbose=0).history
    after = model.evaluate(batches, verbose=0, return_dict=True)
    found = {
        name: (before[f"{name}_loss"][0], head.get_weights()[0], after[f"{name}_loss"])
        for name, head in heads.items()
    }
    return found, before["loss"][0]


def agree(found, wanted, what):
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6, err_msg=what)


def compare(strategy, losses, step, weights=None):
    """With one device, where `step(name, part, kernel)` gives the loss of some of the images and the next weights."""
    found, together = trained(strategy, losses, weights)
    ends, total = np.cumsum(SIZES), 0
    parts = [slice(end - size, end) for end, size in zip(ends, SIZES, strict=True)]
    for name in losses:
        kernel, before = KERNEL, []
        for part in parts:
            value, kernel = step(name, part, kernel)
            before.append(value)
        loss, moved, evaluated = found[name]
        agree(moved, kernel, f"{name}: weights")
        total = total + np.asarray(before)
        if REPORTS:
            agree(loss, np.mean(before), f"{name}: loss")  # of batches for one output, Keras knows no size
            agree(evaluated, np.mean([step(name, part, kernel)[0] for part in parts]), f"{name}: evaluated")
    if REPORTS:
        np.testing.assert_allclose(together, np.average(total, weights=SIZES), rtol=1e-6)


@pytest.mark.parametrize("losses", [losses, pytest.param(more_losses, marks=pytest.mark.slow)])
def test_the_numbers_are_those_of_one_device(strategy, losses):
    core = losses(seglosses_core)

    def step(name, part, kernel):
        return one_step(core[name], IMAGES[part], LABELS[part], RATE, kernel)

    compare(strategy, losses(seglosses_keras), step)


def test_the_mean_of_the_weights_is_that_of_all_replicas(strategy):
    weights = {"dice_of_images": OF_IMAGES, "cross_entropy": OF_PIXELS}
    ours, core = losses(seglosses_keras), losses(seglosses_core)

    def step(name, part, kernel):
        images = IMAGES[part]
        value, slope = divided_by_count(core[name], images @ kernel, LABELS[part], weights[name][part])
        return value, kernel - RATE * np.tensordot(images, slope, ([0, 1, 2], [0, 1, 2]))

    compare(strategy, {name: ours[name] for name in weights}, step, weights)


# -- without fit ------------------------------------------------------------------------------------------------------


def on_replicas(strategy, compute, sizes):
    """What `compute` gives on each replica, which has so many of the images."""
    ends, found = np.cumsum(sizes), {}

    def one():
        i = int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))
        part = slice(ends[i] - sizes[i], ends[i])
        found[i] = compute(tf.constant(LABELS[part]), tf.constant(IMAGES[part] @ KERNEL), part)

    strategy.run(one)
    return [found[i] for i in range(len(sizes))]


def value_and_gradients(loss, labels, logits, direction):
    """And the product of the second derivative with a direction."""
    with tf.GradientTape() as outer:
        outer.watch(logits)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(labels, logits)
        gradient = tape.gradient(value, logits)
        along = tf.reduce_sum(gradient * direction)
    return value, gradient, outer.gradient(along, logits)


@pytest.mark.parametrize("sizes", [(3, 2), (5, 0)], ids=str)
@pytest.mark.parametrize("name", ["dice_of_batch", "minkowski", "preset"])
def test_second_derivatives_and_replicas_without_images_in_eager_mode(strategy, name, sizes):
    loss = {**losses(seglosses_keras), "preset": monai.DiceLoss(batch=True, softmax=True, to_onehot_y=True)}[
        name
    ]
    direction = random.normal(size=(*LABELS.shape, CLASSES)).astype("float32")

    def compute(labels, logits, part):
        labels = labels if name != "preset" else labels % CLASSES
        return value_and_gradients(loss, labels, logits, direction[part])

    value, *wanted = compute(tf.constant(LABELS[:5]), tf.constant(IMAGES[:5] @ KERNEL), slice(5))
    found = on_replicas(strategy, compute, sizes)
    assert [x.shape[0] for _, x, _ in found] == list(sizes)
    for own, *_ in found:
        agree(2 * own, value, "value")  # Keras adds up the replicas
    for i, what in enumerate(("gradient", "second derivative"), 1):
        joined = np.concatenate([one[i] for one in found])
        np.testing.assert_allclose(joined, wanted[i - 1], rtol=1e-5, atol=1e-7, err_msg=what)


def test_sums_are_exchanged_once(strategy, monkeypatch):
    """Of all losses of an ensemble together, and not again for the gradient."""
    exchanged, send = [], replicas._sum
    monkeypatch.setattr(replicas, "_sum", lambda x: exchanged.append(x.shape) or send(x))

    def compute(labels, logits, part):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(labels, logits)
        return tape.gradient(value, logits)

    loss = losses(seglosses_keras)["ensemble"]
    on_replicas(strategy, compute, (2, 2))
    assert [x.rank for x in exchanged] == [1, 1]
    assert exchanged[0][0] < 10 * CLASSES


def test_each_replica_may_have_a_loss_of_its_own(strategy):
    loss = DiceLoss(aggregate="batch", ignore_index=IGNORED, across_replicas=False)
    found = on_replicas(strategy, lambda labels, logits, part: loss(labels, logits), (3, 2))
    for value, part in zip(found, (slice(3), slice(3, 5)), strict=True):
        agree(2 * value, loss(LABELS[part], IMAGES[part] @ KERNEL), "value")
    lovasz = LovaszSoftmaxLoss(aggregate="batch", ignore_index=IGNORED)
    with pytest.raises(
        ValueError, match=r"order.* With across_replicas=False each replica has a loss of its own"
    ):
        on_replicas(strategy, lambda labels, logits, part: lovasz(labels, logits), (3, 2))
