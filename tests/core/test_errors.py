"""Bad input: an error that names the argument, what came and what would be right, the same text in every framework."""

from __future__ import annotations

import re

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from errors_of_calls import CALLS
from errors_of_hyperparameters import HYPERPARAMETERS
from failing import DENSE, FRAMEWORKS, LABELS, LOGITS, call, floats, labels

import seglosses_core
import seglosses_jax
import seglosses_torch
from seglosses_conformance.losses import ENTRIES


@pytest.fixture(params=FRAMEWORKS)
def framework(request):
    return FRAMEWORKS[request.param]


OF_RECORDS = {
    f"{loss}, {', '.join(f'{name}={value}' for name, value in one.hyperparameters.items())}": (
        call(loss, options=one.hyperparameters),
        one.error,
        one.argument,
        one.given,
        one.wanted,
    )
    for loss, entry in ENTRIES.items()
    for one in entry.refuses
}
CASES = CALLS | HYPERPARAMETERS | OF_RECORDS


def failure(attempt, framework):
    with pytest.raises((TypeError, ValueError)) as caught:
        attempt(framework)
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_error_names_argument_given_and_wanted(case, framework):
    attempt, kind, argument, given, wanted = CASES[case]
    error = failure(attempt, framework)
    assert type(error) is kind
    message = str(error)
    assert argument in message
    assert given in message
    assert wanted in message
    assert message.endswith(".")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("other", ["torch", "jax"])
def test_every_framework_has_the_same_text(case, other):
    attempt = CASES[case][0]
    expected = str(failure(attempt, FRAMEWORKS["numpy"]))
    assert package_free(str(failure(attempt, FRAMEWORKS[other]))) == package_free(expected)


def package_free(message):
    return re.sub(r"seglosses_\w+\.", "", message)


# -- arrays of different libraries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["target", "mask", "sample_weight"])
@pytest.mark.parametrize(
    ("logits", "other"),
    [("torch", "numpy"), ("torch", "jax"), ("numpy", "torch"), ("numpy", "jax"), ("jax", "torch")],
)
def test_arrays_of_two_libraries(argument, logits, other):
    framework = FRAMEWORKS[logits]
    arrays = {"target": LABELS, "mask": floats(2, 4, 5), "sample_weight": floats(2)}
    arrays = {
        name: (FRAMEWORKS[other] if name == argument else framework).array(x) for name, x in arrays.items()
    }
    loss = framework.losses.DiceLoss(class_axis=1)
    with pytest.raises(
        TypeError, match=rf"^{argument} must be a {logits} array like the logits, got one of {other}"
    ):
        loss(framework.array(LOGITS), arrays.pop("target"), **arrays)


def test_numpy_target_beside_jax_logits():
    loss = seglosses_jax.DiceLoss(class_axis=1)
    expected = seglosses_core.DiceLoss()(LOGITS, LABELS)
    assert loss(jnp.asarray(LOGITS), LABELS) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("argument", ["logits", "target", "mask", "sample_weight"])
def test_lists_are_no_arrays(argument, framework):
    arrays = {"logits": LOGITS, "target": LABELS, "mask": floats(2, 4, 5), "sample_weight": floats(2)}
    arrays = {name: x.tolist() if name == argument else framework.array(x) for name, x in arrays.items()}
    loss = framework.losses.DiceLoss(class_axis=1)
    with pytest.raises(TypeError, match=rf"^{argument} must be an? .*array.*, got list"):
        loss(arrays.pop("logits"), arrays.pop("target"), **arrays)


def test_class_first_data_for_a_class_last_loss():
    with pytest.raises(
        ValueError,
        match=r"^target must be integer labels of shape \(2, 3, 4\) .* got int32 of shape \(2, 4, 5\)",
    ):
        seglosses_jax.DiceLoss()(jnp.asarray(LOGITS), jnp.asarray(LABELS))


# -- the core alone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [seglosses_core.CrossEntropyLoss, seglosses_core.DiceLoss])
def test_no_gradient_of_many_numbers(kind):
    with pytest.raises(ValueError, match=r"one number, got reduction='none'"):
        kind(reduction="none").value_and_grad(LOGITS, LABELS)


def test_centers_are_needed():
    with pytest.raises(TypeError, match=r"^CenterLoss needs centers=, one row per class, of shape \(C, D\)"):
        seglosses_core.CenterLoss()(LOGITS, LABELS)


@pytest.mark.parametrize(
    ("centers", "kind", "message"),
    [
        (
            floats(3),
            ValueError,
            r"^centers must have the shape \(3, 3\), one row per class, got float32 of shape \(3,\)",
        ),
        (labels(3, 3), TypeError, r"^centers must be real floating point, got int32 of shape \(3, 3\)"),
        ([[0.0] * 3] * 3, TypeError, r"^centers must be an array, got list"),
    ],
)
def test_centers_that_do_not_fit(centers, kind, message):
    loss = seglosses_core.CenterLoss()
    for function in (loss, loss.value_and_grad, loss.updated_centers):
        with pytest.raises(kind, match=message):
            function(LOGITS, LABELS, centers=centers)


@pytest.mark.parametrize(
    ("members", "kind", "message"),
    [
        ([], TypeError, "losses must be a sequence of at least one loss"),
        (
            seglosses_core.DiceLoss(),
            TypeError,
            "losses must be a sequence of at least one loss .* got DiceLoss",
        ),
        ([seglosses_core.DiceLoss(), "dice"], TypeError, "losses must be a sequence of at least one loss"),
        ([seglosses_core.DiceLoss(reduction="none")], ValueError, "reduction='none'"),
    ],
)
def test_members_that_do_not_fit(members, kind, message):
    with pytest.raises(kind, match=message):
        seglosses_core.EnsembleLoss(losses=members)


@pytest.mark.parametrize("weights", [3, {1: 2}, "1"])
def test_weights_that_are_no_sequence(weights):
    with pytest.raises(
        TypeError, match="weights must be a sequence or an array with one number per loss, got"
    ):
        seglosses_core.EnsembleLoss(losses=[seglosses_core.DiceLoss()], weights=weights)


def test_members_of_another_package():
    core, own = seglosses_core.DiceLoss(class_axis=-1), seglosses_jax.CrossEntropyLoss()
    with pytest.raises(
        TypeError, match=r"losses must be of seglosses_jax, got one of seglosses_core: DiceLoss"
    ):
        seglosses_jax.EnsembleLoss(losses=[core, own])
    with pytest.raises(
        TypeError, match=r"losses must be of seglosses_jax, got one of seglosses_core: DiceLoss"
    ):
        _ = own + core
    with pytest.raises(
        TypeError, match=r"losses must be of seglosses_core, got one of seglosses_jax: CrossEnt"
    ):
        _ = core + own
    with pytest.raises(TypeError, match=r"at least one loss of seglosses_core, got \(DiceLoss"):
        seglosses_core.EnsembleLoss(losses=[seglosses_torch.DiceLoss()])
    with pytest.raises(TypeError, match="a loss must be added to a loss of its package"):
        _ = own + seglosses_torch.DiceLoss()


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_numbers_beyond_all_floats(number):
    with pytest.raises(ValueError, match=r"gamma must be .*, got -?inf"):
        seglosses_core.FocalLoss(gamma=number)


@pytest.mark.parametrize("alpha", [(None, 1, 1), (torch.tensor(0.5), 1, 1)])
def test_a_sequence_of_alphas_is_of_numbers(alpha):
    """An array among them would not be learnt."""
    for package in (seglosses_core, seglosses_torch):
        with pytest.raises(TypeError, match=r"alpha\[0\] must be a number, got"):
            package.FocalLoss(alpha=alpha)


@pytest.mark.parametrize(
    ("logits", "class_axis", "message"),
    [
        ([1], 1, "logits must be an array, got list"),
        (np.float32(1), 1, r"logits must have a batch and a class axis, .* of shape \(\)"),
        (LOGITS, 7, "class_axis must be an axis of the logits"),
    ],
)
def test_logits_that_centers_cannot_be_compared_with(logits, class_axis, message):
    loss = seglosses_core.CenterLoss(class_axis=class_axis)
    with pytest.raises((TypeError, ValueError), match=message):
        loss(logits, LABELS, centers=np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("cost", "kind", "message"),
    [
        (seglosses_core.DiceLoss(), TypeError, "cost must be a pixel loss"),
        (seglosses_core.CenterLoss(), TypeError, "cost must be a pixel loss"),
        ("cross-entropy", TypeError, "cost must be a pixel loss"),
        (
            seglosses_core.FocalLoss(ignore_index=1),
            ValueError,
            "ignore_index must be given to LocallyAdaptiveLoss",
        ),
        (
            seglosses_core.FocalLoss(reduction="sum"),
            ValueError,
            "reduction must be given to LocallyAdaptiveLoss",
        ),
    ],
)
def test_costs_that_do_not_fit(cost, kind, message):
    with pytest.raises(kind, match=message):
        seglosses_core.LocallyAdaptiveLoss(cost=cost)


PACKAGES = {"core": seglosses_core, "torch": seglosses_torch, "jax": seglosses_jax}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("other", PACKAGES)
def test_a_cost_is_of_the_same_package(package, other):
    own, cost = PACKAGES[package].LocallyAdaptiveLoss, PACKAGES[other].FocalLoss()
    if package == other:
        assert isinstance(own(cost=cost).cost, PACKAGES[package].FocalLoss)
        assert isinstance(own().cost, PACKAGES[package].CrossEntropyLoss)
        assert isinstance(own(cost=own().cost).cost, PACKAGES[package].CrossEntropyLoss)
        return
    with pytest.raises(
        TypeError, match=r"^cost must be (of seglosses|a pixel loss, such as FocalLoss\(\)).* got"
    ):
        own(cost=cost)


@pytest.mark.parametrize("loss", [seglosses_core.DiceLoss, seglosses_core.EnsembleLoss, seglosses_core.TopK])
def test_hyper_parameters_go_by_name(loss):
    with pytest.raises(TypeError, match="positional"):
        loss(1.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        loss(smoothing=1.0)


@pytest.mark.parametrize("junk", [np.nan, np.inf, 2.0])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "identity"])
def test_validation_does_not_look_at_ignored_pixels(junk, activation):
    logits, target = LOGITS.copy(), LABELS.copy()
    logits[0, :, 1, 2], target[0, 1, 2] = junk, 255
    for kind, options in (
        (seglosses_core.DiceLoss, {}),
        (
            seglosses_core.LocallyAdaptiveLoss,
            {"standardize": False, "cost": seglosses_core.MeanSquaredErrorLoss()},
        ),
    ):
        loss = kind(activation=activation, ignore_index=255, validate=True, **options)
        assert np.isfinite(loss(logits, target))


def test_validation_lets_right_values_pass():
    logits = np.where(np.arange(3)[:, None, None] == 2, np.float32("-inf"), LOGITS)
    for loss in (seglosses_core.CrossEntropyLoss(validate=True), seglosses_core.DiceLoss(validate=True)):
        for target in (LABELS, DENSE > 0.6, (DENSE > 0.6).astype(int)):
            weights = {"mask": floats(2, 4, 5), "sample_weight": floats(2)}
            assert np.isfinite(loss(logits, target, **weights))
