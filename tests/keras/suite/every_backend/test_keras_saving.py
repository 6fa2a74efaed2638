"""A loss survives its configuration, a `.keras` file and arithmetic."""

from __future__ import annotations

import json
import re

import keras
import numpy as np
import pytest
from keras import ops
from keras_problems import build, data, each_loss, inputs, linear_model

import seglosses_keras
from seglosses_keras import (
    CrossEntropyLoss,
    DiceLoss,
    EnsembleLoss,
    FocalLoss,
    LocallyAdaptiveLoss,
    Minkowski,
)

pytestmark = pytest.mark.sampled(4)


def same(a, b):
    assert type(a) is type(b)
    assert a.core == b.core
    assert a.get_config() == b.get_config()


@each_loss
def test_configuration_round_trip(name, options):
    loss = build(seglosses_keras, name, options, name="mine", dtype="bfloat16")
    config = json.loads(json.dumps(loss.get_config()))
    again = type(loss).from_config(config)
    same(again, loss)
    assert again.name == "mine"
    assert again.dtype == "bfloat16"
    same(keras.losses.deserialize(json.loads(json.dumps(keras.losses.serialize(loss)))), loss)


def test_configuration_keeps_conventions_of_members_and_nesting():
    inner = 0.5 * DiceLoss(reduction="mean_with_sample_weight") + FocalLoss(
        reduction="mean_with_sample_weight", name="focus"
    )
    loss = EnsembleLoss(
        losses=[inner, CrossEntropyLoss(reduction="mean_with_sample_weight")], weights=[1, 2.0]
    )
    again = EnsembleLoss.from_config(json.loads(json.dumps(loss.get_config())))
    same(again, loss)
    assert again.losses[0].losses[1].name == "focus"
    logits, labels = data()
    weight = np.array([1.0, 2.0, 0.0], "float32")
    assert float(again(labels, logits, weight)) == float(loss(labels, logits, weight))


def test_configuration_of_arrays_and_all_poolings():
    for pooling in (Minkowski(k=2), seglosses_keras.TopK(fraction=0.5), seglosses_keras.MaxPooling(p=3.0)):
        loss = LocallyAdaptiveLoss(
            cost=FocalLoss(gamma=1.0),
            reduction=pooling,
            class_weights=ops.convert_to_tensor([1.0, 0.5, 2.0]),
            ignore_index=255,
        )
        again = LocallyAdaptiveLoss.from_config(json.loads(json.dumps(loss.get_config())))
        assert again.core.reduction == pooling
        assert again.core.cost == loss.core.cost
        assert again.core.class_weights == (1.0, 0.5, 2.0)
        assert again.core.ignore_index == 255


@each_loss
def test_keras_file_with_the_compiled_loss(name, options, tmp_path):
    model = linear_model()
    model.compile(optimizer="sgd", loss=build(seglosses_keras, name, options, name="mine"))
    images, (_, labels) = inputs(), data()
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    same(again.loss, model.loss)
    assert again.evaluate(images, labels, verbose=0) == model.evaluate(images, labels, verbose=0)


def test_arithmetic():
    logits, labels = data()
    a, b = DiceLoss(), CrossEntropyLoss(class_weights=(1.0, 2.0, 3.0))
    expected = 0.3 * float(a(labels, logits)) + 0.7 * float(b(labels, logits))
    for loss in (0.3 * a + 0.7 * b, a * 0.3 + b * np.float32(0.7), np.float64(0.3) * a + 0.7 * b):
        assert isinstance(loss, EnsembleLoss)
        np.testing.assert_allclose(float(loss(labels, logits)), expected, rtol=1e-6)
    doubled = 2 * (0.3 * a + 0.7 * b)
    np.testing.assert_allclose(float(doubled(labels, logits)), 2 * expected, rtol=1e-6)
    assert [type(loss) for loss in doubled.losses] == [DiceLoss, CrossEntropyLoss]
    with pytest.raises(ValueError, match="the weight of a loss must be at least 0, got -1"):
        -1 * a
    with pytest.raises(TypeError):
        a + 1
    with pytest.raises(TypeError):
        a * b


def test_names():
    assert DiceLoss().name == "dice_loss"
    assert keras.saving.get_registered_object("seglosses>DiceLoss") is DiceLoss
    named = {"class_name": "seglosses>DiceLoss", "config": {"smooth": 0.5}}
    assert keras.losses.get(named).core == DiceLoss(smooth=0.5).core
    assert re.match(r"DiceLoss\(.*smooth=0\.5.*\)", repr(DiceLoss(smooth=0.5)))
