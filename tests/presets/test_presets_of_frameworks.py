"""The losses of Keras and optax by their names, beside those of Keras and optax."""

from __future__ import annotations

import importlib

import jax
import numpy as np
import optax
import pytest
from in_keras import run_in_keras

from seglosses_conformance.presets.inputs import INPUTS

of_optax, of_keras, of_qubvel = (
    importlib.import_module(f"seglosses_jax.presets.{peer}") for peer in ("optax", "keras", "qubvel")
)

LOGITS, LABELS = INPUTS["labels"]
LAST = np.moveaxis(LOGITS, 1, -1).astype("float32")
ONE_HOT = np.moveaxis(INPUTS["one-hot"][1], 1, -1).astype("float32")


@pytest.mark.parametrize(
    ("name", "labels", "options"),
    [
        ("softmax_cross_entropy", ONE_HOT, {}),
        ("softmax_cross_entropy", ONE_HOT, {"where": LABELS != 1}),
        ("softmax_cross_entropy_with_integer_labels", LABELS, {"where": LABELS != 1}),
        ("softmax_cross_entropy", ONE_HOT, {"where": LABELS[..., None] != 1}),
        ("poly_loss_cross_entropy", ONE_HOT, {"epsilon": 0.5, "where": LABELS[..., None] != 1}),
        ("sigmoid_binary_cross_entropy", ONE_HOT, {}),
        ("dice_loss", ONE_HOT, {"class_weights": np.array([1.0, 2.0, 3.0, 0.5]), "alpha": 0.3}),
    ],
)
def test_a_train_step_with_optax_names(name, labels, options):
    """The classes are last; through jit and grad, the mean taken outside."""

    def step(loss):
        return jax.jit(jax.value_and_grad(lambda logits: loss(logits, labels, **options).mean()))(LAST)

    theirs, ours = (
        step(getattr(optax, name, None) or getattr(optax.losses, name)),
        step(getattr(of_optax, name)),
    )
    assert float(ours[0]) == pytest.approx(float(theirs[0]), rel=1e-6)
    assert np.allclose(ours[1], theirs[1], rtol=0, atol=1e-6 * np.abs(theirs[1]).max())


def test_optax_by_names_and_over_examples():
    loss = of_optax.softmax_cross_entropy
    assert np.array_equal(loss(labels=ONE_HOT, logits=LAST), loss(LAST, ONE_HOT))
    several = jax.vmap(loss)(LAST[:, None], ONE_HOT[:, None])
    assert np.allclose(several[:, 0], loss(LAST, ONE_HOT))


def test_functions_of_keras_begin_with_the_target():
    made = of_keras.SparseCategoricalCrossentropy(from_logits=True)
    found = of_keras.sparse_categorical_crossentropy(LABELS, LAST, from_logits=True)
    value = float(made(LAST, LABELS))
    assert value == float(made(y_true=LABELS, y_pred=LAST)) == pytest.approx(float(found.mean()), rel=1e-6)


PROGRAM = """
import numpy as np
import keras
from seglosses_conformance.presets.inputs import INPUTS
import seglosses_keras.presets.keras as ours

last = lambda x: np.moveaxis(x, 1, -1)
logits, one_hot, multilabel = (last(INPUTS[name][k]).astype("float32") for name, k in (
    ("labels", 0), ("one-hot", 1), ("multilabel", 1)
))
labels, ignored = INPUTS["labels"][1], INPUTS["image-ignored"][1]
weights = (labels % 3 / 2).astype("float32")
sparse = dict(from_logits=True, ignore_class=255)
for name, arguments, target, given in (
    ("SparseCategoricalCrossentropy", sparse, ignored, logits),
    ("SparseCategoricalCrossentropy", sparse, ignored[..., None].astype("float32"), logits),
    ("CategoricalCrossentropy", dict(from_logits=True, label_smoothing=0.1), one_hot, logits),
    ("CategoricalFocalCrossentropy", dict(from_logits=True, alpha=[1.0, 2.0, 3.0, 0.5]), one_hot, logits),
    ("BinaryCrossentropy", dict(from_logits=True), multilabel, logits),
    ("BinaryFocalCrossentropy", dict(from_logits=True), multilabel[..., :1].astype(int), logits[..., :1]),
    ("MeanSquaredError", {}, multilabel, logits),
    ("CategoricalGeneralizedCrossEntropy", {}, labels, keras.ops.convert_to_numpy(keras.ops.softmax(logits))),
):
    for reduction in ("sum_over_batch_size", "sum", None, "mean_with_sample_weight"):
        made = [getattr(of, name)(**arguments, reduction=reduction) for of in (keras.losses, ours)]
        assert made[0].name == made[1].name
        made.append(type(made[1]).from_config(made[1].get_config()))
        for given_weights in (None, weights):
            theirs, *found = (
                keras.ops.convert_to_numpy(loss(target, given, sample_weight=given_weights)) for loss in made
            )
            for one in found:
                assert np.allclose(one, theirs, rtol=2e-6, atol=1e-6), (name, reduction, one, theirs)

assert ours.Dice(dtype="float64").dtype == "float64"
assert ours.Dice(name="overlap").name == "overlap"
try:
    ours.Dice()(one_hot, one_hot, sample_weight=weights)
except ValueError as error:
    assert "sample_weight must be left out for Dice of keras" in str(error)
else:
    raise AssertionError("a sample_weight")

model = keras.Sequential([keras.layers.Conv2D(4, 1, activation="softmax")])
model.compile(loss=ours.SparseCategoricalCrossentropy(ignore_class=255), optimizer="sgd")
history = model.fit(logits, ignored, sample_weight=weights, epochs=2, verbose=0).history["loss"]
assert history[1] < history[0]
model.compile(loss=ours.dice, optimizer="sgd")
assert abs(model.evaluate(logits, one_hot, verbose=0) - float(keras.losses.dice(one_hot, model(logits)))) < 1e-6
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_in_keras(backend):
    """Weights of pixels too, and what a reduction makes of them."""
    run_in_keras(PROGRAM, backend)


ONE = ONE_HOT[..., :1]
REFUSED = {
    "axis=1 is not supported .* pass class_axis=": lambda: of_keras.CategoricalCrossentropy(axis=1),
    "dtype='float64' is not supported .* that of the logits decides": lambda: of_keras.Dice(dtype="float64"),
    "reduction must be one of .* got 'average'": lambda: of_keras.Dice(reduction="average"),
    "label_smoothing=0.1 .* times 1 - label_smoothing": lambda: of_keras.BinaryFocalCrossentropy(label_smoothing=0.1),
    "label_smoothing=0.1 .* give it the target": lambda: of_keras.CategoricalFocalCrossentropy(label_smoothing=0.1),
    "y_pred must have at least two classes": lambda: of_keras.CategoricalCrossentropy()(ONE, ONE),
    r"axis=\(0, 1\) .* y_pred has 4 axes": lambda: of_keras.Dice(axis=(0, 1))(LAST, ONE_HOT),
    "reduction='none' .* of sums over all axes": lambda: of_keras.Tversky(reduction=None)(LAST, ONE_HOT),
    "axis=1 .* pass class_axis=.*": lambda: of_optax.softmax_cross_entropy(LAST, ONE_HOT, axis=1),
    r"axis=\(1, 2, 3\) .* the axes of pixels": lambda: of_optax.dice_loss(LAST, ONE_HOT, axis=(1, 2, 3)),
    "ignore_background=True .* leave out the first": lambda: of_optax.dice_loss(
        LAST, ONE_HOT, reduction="none", ignore_background=True
    ),
    "reduction must be 'mean', 'sum' or 'none'": lambda: of_optax.dice_loss(LAST, ONE_HOT, reduction="average"),
    "predictions must have one class, got 4": lambda: of_optax.binary_dice_loss(LAST, ONE_HOT),
    r"mask must have .* got bool of shape \(3, 3, 4, 4\)": lambda: of_optax.softmax_cross_entropy(
        LAST, ONE_HOT, where=ONE_HOT > 0
    ),
    "class_indexes=.* give it those classes": lambda: of_qubvel.CategoricalCELoss(class_indexes=[1, 2]),
    "class_weights must have one number .* 2, got 4": lambda: of_qubvel.DiceLoss(
        class_weights=[1, 2, 3, 4], class_indexes=[1, 2]
    )(LAST, ONE_HOT),
    "pr must have at least two classes": lambda: of_qubvel.cce_dice_loss(ONE, ONE),
}  # fmt: skip


@pytest.mark.parametrize(("message", "call"), REFUSED.items())
def test_refused(message, call):
    with pytest.raises(ValueError, match=message):
        call()


def test_weights_that_are_traced_are_refused():
    def step(logits):
        return of_optax.dice_loss(logits, ONE_HOT, class_weights=jax.numpy.array([1.0, 2.0, 3.0, 0.5])).mean()

    assert np.isfinite(step(LAST))
    with pytest.raises(
        TypeError, match=r"class_weights must be known where the loss is made, got .* with NumPy"
    ):
        jax.jit(step)(LAST)
