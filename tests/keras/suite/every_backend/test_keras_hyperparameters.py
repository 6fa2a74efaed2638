"""What a loss was given can be read, and not set; what is no hyper-parameter is refused with a sentence."""

from __future__ import annotations

import array
import copy
import pickle
from decimal import Decimal
from fractions import Fraction

import keras
import numpy as np
import pytest
from keras import ops
from keras_problems import build, data, each_loss, inputs, linear_model

import seglosses_core
import seglosses_keras
from seglosses_keras import (
    CenterLoss,
    CrossEntropyLoss,
    DiceLoss,
    EnsembleLoss,
    FocalLoss,
    LocallyAdaptiveLoss,
    PowerDiceLoss,
    TverskyLoss,
)
from seglosses_keras.presets import monai

pytestmark = pytest.mark.sampled(4)


@each_loss
def test_every_hyperparameter_is_read_and_not_set(name, options):
    loss = build(seglosses_keras, name, options)
    for field in {*loss.core.hyperparameters(), "reduction", "activation", "class_axis", "validate"}:
        found, expected = getattr(loss, field), getattr(loss.core, field)
        if field in ("cost", "losses"):
            kept = (found,) if field == "cost" else found
            assert all(isinstance(member, seglosses_keras.KerasLoss) for member in kept)
        else:
            assert found == expected
        with pytest.raises(AttributeError, match=f"^{field} is fixed when a loss is made; make a new {name}"):
            setattr(loss, field, found)


def test_what_was_given_is_read():
    loss = TverskyLoss(
        alpha=0.3, reduction="sum", class_weights=np.array([1, 2, 3]), name="mine", dtype="float64"
    )
    for other in (
        loss,
        copy.deepcopy(loss),
        pickle.loads(pickle.dumps(loss)),
        type(loss).from_config(loss.get_config()),
    ):
        assert (other.alpha, other.reduction, other.class_weights) == (0.3, "sum", (1, 2, 3))
        assert (other.beta, other.class_axis, other.name, other.dtype) == (0.5, -1, "mine", "float64")
    assert DiceLoss().reduction == "mean"
    assert DiceLoss(reduction="mean_with_sample_weight").reduction == "mean_with_sample_weight"
    cost = FocalLoss(gamma=1.0)
    assert LocallyAdaptiveLoss(cost=cost).cost is cost
    assert isinstance(LocallyAdaptiveLoss(cost=LocallyAdaptiveLoss().cost).cost, CrossEntropyLoss)
    total = 0.5 * loss + DiceLoss(dtype="float64")
    assert (total.losses[0], total.weights, total.activation) == (loss, (0.5, 1.0), "softmax")
    with pytest.raises(AttributeError, match="has no attribute 'gamma'"):
        _ = loss.gamma


def test_hyperparameters_of_a_layer():
    layer = CenterLoss(num_classes=3, rate=Fraction(1, 4), class_weights=np.array([1.0, 2.0, 3.0]))
    for other in (layer, CenterLoss.from_config(layer.get_config())):
        assert (other.rate, other.weight, other.reduction, other.class_axis) == (0.25, 3e-4, "mean", -1)
        assert other.class_weights == (1.0, 2.0, 3.0)
    with pytest.raises(AttributeError, match=r"^rate is fixed when a loss is made; make a new CenterLoss"):
        layer.rate = 0.5
    with pytest.raises(ValueError, match=r"^reduction must be 'mean'"):
        CenterLoss(num_classes=3, reduction=np.ones(3))
    logits, labels = data()
    layer([ops.convert_to_tensor(labels), ops.convert_to_tensor(logits)], training=True)
    assert np.any(ops.convert_to_numpy(layer.centers) != 0)


def test_keras_goes_on_with_such_losses():
    """As a loss and as a metric, with the reduction that was given."""
    model = linear_model()
    images, (_, labels) = inputs(), data()
    model.compile(
        optimizer="sgd", loss=DiceLoss(reduction="sum"), metrics=[DiceLoss(reduction="sum", name="again")]
    )
    model.fit(images, labels, verbose=0)
    found = model.evaluate(images, labels, verbose=0, return_dict=True)
    expected = seglosses_core.DiceLoss(class_axis=-1, reduction="sum")(
        model.predict(images, verbose=0), labels
    )
    assert found["loss"] == pytest.approx(float(expected), rel=1e-5)
    assert found["again"] == pytest.approx(float(expected), rel=1e-5)


def test_replicas():
    own = DiceLoss(across_replicas=False)
    for loss in (
        own,
        0.5 * own + CrossEntropyLoss(across_replicas=False),
        monai.DiceLoss(across_replicas=False),
    ):
        again = type(loss).from_config(loss.get_config())
        assert (loss.across_replicas, again.across_replicas) == (False, False)
    assert not monai.DiceCELoss(softmax=True, across_replicas=False).equivalent(3).across_replicas
    with pytest.raises(
        AttributeError, match=r"^across_replicas is fixed when a loss is made; make a new DiceLoss"
    ):
        own.across_replicas = True
    with pytest.raises(ValueError, match=r"across_replicas must be the same .* got \[False, True\]"):
        own + DiceLoss()
    with pytest.raises(TypeError, match="across_replicas must be True or False, got"):
        DiceLoss(across_replicas=1)


@pytest.mark.parametrize("kind", [Fraction, Decimal, np.float32, np.float64])
def test_numbers_of_every_type(kind):
    assert PowerDiceLoss(p=kind(1.5)).core == PowerDiceLoss(p=1.5).core
    assert (kind(0.5) * DiceLoss()).core == (0.5 * DiceLoss()).core
    weights = [kind(0.5), kind(2)]
    assert EnsembleLoss(losses=[DiceLoss(), FocalLoss()], weights=weights).weights == (0.5, 2.0)


@pytest.mark.parametrize(
    "weights", [range(1, 4), array.array("d", [1, 2, 3]), np.array([1, 2, 3]), [1, Fraction(2), 3]]
)
def test_sequences_of_every_type(weights):
    for loss in (DiceLoss(class_weights=weights), FocalLoss(alpha=weights)):
        assert (1, 2, 3) in loss.core.hyperparameters().values()
        assert type(loss).from_config(loss.get_config()).core == loss.core


def test_weights_may_be_tensors():
    logits, labels = data()
    a, b, half = DiceLoss(), CrossEntropyLoss(), ops.convert_to_tensor(0.5)
    expected = 0.5 * float(a(labels, logits)) + float(b(labels, logits))
    for loss in (
        half * a + b,
        a * half + b,
        sum([half * a, b]),
        EnsembleLoss(losses=[a, b], weights=[half, 1.0]),
    ):
        assert float(loss(labels, logits)) == pytest.approx(expected, rel=1e-6)
        again = EnsembleLoss.from_config(loss.get_config())
        assert again.weights == (0.5, 1.0)


def test_sums():
    a, b = DiceLoss(), CrossEntropyLoss()
    assert sum([a]) is a
    assert sum([a, b]).losses == (a, b)
    for other in (1, False, "a", np.zeros(3)):
        with pytest.raises(
            TypeError, match="a loss must be added to a loss of its package, or to the 0 of sum"
        ):
            other + a


@pytest.mark.parametrize("field", ["class_weights", "alpha", "weights"])
@pytest.mark.parametrize(
    "given",
    [
        np.array(["a", "b", "c"]), ["a", "b", "c"], np.ones(3, complex), [1j, 1, 1], np.ones(3, bool), [True] * 3,
        np.zeros(3, "M8[s]"), np.array([1, None, 2]), np.ones((3, 3)), [], np.ones(0), [[1, 2, 3]], b"abc", "abc",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_number_per_class_is_refused(field, given):
    kind, options = (EnsembleLoss, {"losses": [DiceLoss()] * 3}) if field == "weights" else (FocalLoss, {})
    with pytest.raises((TypeError, ValueError), match=rf"^{field}.* must (be|have) .* got "):
        kind(**options, **{field: given})


def test_an_array_for_an_option_is_refused():
    for field in ("reduction", "activation", "aggregate", "smooth", "ignore_index"):
        with pytest.raises((TypeError, ValueError), match=f"^{field} must be"):
            DiceLoss(**{field: np.ones(3)})


def test_variables_and_losses_of_other_packages_are_refused():
    variable = keras.Variable(0.5)
    for attempt in (
        lambda: EnsembleLoss(losses=[DiceLoss()], weights=[variable]),
        lambda: EnsembleLoss(losses=[DiceLoss()], weights=keras.Variable([0.5])),
        lambda: DiceLoss() * variable,
    ):
        with pytest.raises(
            TypeError, match=r"weight.* or a variable with trainable=False .*, got a trainable keras.Variable"
        ):
            attempt()
    for attempt in (
        lambda: CenterLoss(num_classes=3, weight=keras.Variable(0.5, trainable=False)),
        lambda: DiceLoss(class_weights=keras.Variable([0.5, 1.0], trainable=False)),
    ):
        with pytest.raises(TypeError, match=r"got a keras.Variable: no model trains the variables of a loss"):
            attempt()
    for attempt in (
        lambda: LocallyAdaptiveLoss(cost=seglosses_core.FocalLoss()),
        lambda: EnsembleLoss(losses=[seglosses_core.DiceLoss(class_axis=-1)]),
    ):
        with pytest.raises(
            TypeError, match=r"^(cost|losses) must be of seglosses_keras, got one of seglosses_core"
        ):
            attempt()
    for members in ([], ["dice"], DiceLoss()):
        with pytest.raises(TypeError, match=r"^losses must be a sequence of losses of seglosses_keras, got"):
            EnsembleLoss(losses=members)
