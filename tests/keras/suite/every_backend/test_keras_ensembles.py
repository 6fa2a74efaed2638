"""What the members of an ensemble give, and weights that are set during training."""

from __future__ import annotations

import copy

import keras
import numpy as np
import pytest
from keras import ops
from keras_problems import data, inputs, linear_model

import seglosses_core
from seglosses_keras import BoundaryLoss, CrossEntropyLoss, DiceLoss, EnsembleLoss, FocalLoss, LearnableLoss

LOGITS, LABELS = data()
DISTANCES = np.random.default_rng(3).normal(size=LOGITS.shape).astype("float32")


def weight(value):
    return keras.Variable(value, trainable=False)


@pytest.mark.parametrize("given", [{}, {"sample_weight": np.array([1.0, 2.0, 0.0], "float32")},
                                   {"mask": LABELS > 0}], ids=lambda given: "-".join(given) or "plain")  # fmt: skip
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_parts(given, reduction):
    members = [DiceLoss(reduction=reduction), CrossEntropyLoss(reduction=reduction)]
    loss = EnsembleLoss(losses=members, weights=[0.25, 2.0])
    value, parts = loss.parts(LABELS, LOGITS, **given)
    assert float(value) == pytest.approx(float(loss(LABELS, LOGITS, **given)), rel=1e-6)
    assert [float(part) for part in parts] == pytest.approx(
        [float(member(LABELS, LOGITS, **given)) for member in members], rel=1e-6
    )


def test_parts_of_what_takes_inputs():
    loss = 2.0 * (0.5 * BoundaryLoss() + DiceLoss()) + CrossEntropyLoss()
    value, parts = loss.parts(LABELS, LOGITS, distances=DISTANCES)
    expected = seglosses_core.BoundaryLoss(class_axis=-1)(LOGITS, LABELS, distances=DISTANCES)
    assert float(parts[0]) == pytest.approx(float(expected), rel=1e-5)
    assert float(value) == pytest.approx(float(parts[0] + 2 * parts[1] + parts[2]), rel=1e-6)


def test_members_as_metrics():
    loss = 0.25 * DiceLoss() + 2 * CrossEntropyLoss()
    model = linear_model()
    model.compile(optimizer="sgd", loss=loss, metrics=list(loss.losses))
    found = model.evaluate(inputs(), LABELS, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(
        0.25 * found["dice_loss"] + 2 * found["cross_entropy_loss"], rel=1e-5
    )


@pytest.mark.parametrize("kind", ["list", "vector", "product", "nested"])
def test_weights_that_are_set(kind):
    alpha = weight([0.5, 1.0] if kind == "vector" else 0.5)
    a, b = DiceLoss(), CrossEntropyLoss()
    loss = {
        "list": lambda: EnsembleLoss(losses=[a, b], weights=[alpha, 1]),
        "vector": lambda: EnsembleLoss(losses=[a, b], weights=alpha),
        "product": lambda: a * alpha + b,
        "nested": lambda: 1 * (a * alpha + b),
    }[kind]()
    for value in (0.5, 0.125):
        alpha.assign([value, 1.0] if kind == "vector" else value)
        expected = EnsembleLoss(losses=[a, b], weights=[value, 1])
        for given in ({}, {"sample_weight": np.array([1.0, 2.0, 0.0], "float32")}):
            for one in (loss, loss + FocalLoss() * weight(0.0), 1.0 * loss):
                assert float(one(LABELS, LOGITS, **given)) == pytest.approx(
                    float(expected(LABELS, LOGITS, **given)), rel=1e-6
                )
        again = EnsembleLoss.from_config(loss.get_config())
        assert float(again(LABELS, LOGITS)) == pytest.approx(float(expected(LABELS, LOGITS)), rel=1e-6)
    copied = copy.deepcopy(loss)
    alpha.assign([1.0, 1.0] if kind == "vector" else 1.0)
    assert float(copied(LABELS, LOGITS)) == pytest.approx(float(expected(LABELS, LOGITS)), rel=1e-6)


def test_a_layer_learns_with_weights_that_are_set():
    alpha = weight(0.5)
    layer = LearnableLoss(EnsembleLoss(losses=[DiceLoss() * alpha, CrossEntropyLoss()]), learn="weights")
    for value in (0.5, 0.25):
        alpha.assign(value)
        layer([ops.convert_to_tensor(LABELS), ops.convert_to_tensor(LOGITS)])
        expected = 0.5 * value * DiceLoss()(LABELS, LOGITS) + 0.5 * CrossEntropyLoss()(LABELS, LOGITS)
        found = ops.convert_to_numpy(layer.losses[-1])
        assert float(found) == pytest.approx(float(ops.convert_to_numpy(expected)), rel=1e-6)


class Schedule(keras.callbacks.Callback):
    """Sets α at the start of each epoch, and counts what has been traced at its end."""

    def __init__(self, alpha, values, traced):
        super().__init__()
        self.alpha, self.values, self.traced, self.counts = alpha, values, traced, []

    def on_epoch_begin(self, epoch, logs=None):
        self.alpha.assign(self.values[epoch])

    def on_epoch_end(self, epoch, logs=None):
        self.counts.append(len(self.traced))


def test_a_schedule_in_fit():
    """Each epoch has its α, and the step is traced in the first alone."""
    traced, values = [], [1.0, 0.25, 0.0]

    class Traced(DiceLoss):
        def _value(self, *given):
            traced.append(1)
            return super()._value(*given)

    model = linear_model()
    model.alpha = alpha = weight(5.0)
    a, b = DiceLoss(), CrossEntropyLoss()
    model.compile(
        optimizer=keras.optimizers.SGD(0.0),
        loss=a * alpha + b,
        metrics=[Traced(name="traced")],
    )
    logits = model.predict(inputs(), verbose=0)
    schedule = Schedule(alpha, values, traced)
    history = model.fit(
        inputs(), LABELS, epochs=3, batch_size=len(LABELS), shuffle=False, verbose=0,
        callbacks=[schedule],
    ).history  # fmt: skip
    dice, entropy = float(a(LABELS, logits)), float(b(LABELS, logits))
    assert history["loss"] == pytest.approx([value * dice + entropy for value in values], rel=1e-5)
    if keras.backend.backend() != "torch":  # which runs eagerly
        assert schedule.counts[0] == schedule.counts[-1] > 0
