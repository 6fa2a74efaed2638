"""Values and gradients against torch.nn.functional, calculations by hand and relations that must hold."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
from fractions import Fraction
from math import exp, isnan, log, log1p, sqrt

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import seglosses_core as core

BATCH, CLASSES = 2, 3
SHAPES = [(), (5,), (3, 4), (2, 3, 2)]
WEIGHTS = (0.5, 2.0, 1.0)

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_number = pytest.mark.parametrize("reduction", ["mean", "sum"])
every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def make(shape=(3, 4), classes=CLASSES, batch=BATCH, seed=0):
    """Logits and labels."""
    random = np.random.default_rng(seed)
    return random.normal(size=(batch, classes, *shape)), random.integers(
        0, max(classes, 2), size=(batch, *shape)
    )


def hot(labels, classes=CLASSES):
    return np.moveaxis(np.eye(classes)[labels], -1, 1)


def assert_equals_torch(loss, formula, logits, target, **weights):
    """Value, and gradient of a scalar, against a formula in torch and its autograd."""
    leaf = torch.asarray(logits).requires_grad_()
    expected = formula(leaf, torch.asarray(target))
    np.testing.assert_allclose(
        loss(logits, target, **weights), expected.detach().numpy(), rtol=1e-12, atol=1e-15
    )
    if loss.reduction == "none":
        return
    value, gradient = loss.value_and_grad(logits, target, **weights)
    (theirs,) = torch.autograd.grad(expected, leaf)
    assert value == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, theirs.numpy(), rtol=1e-10, atol=1e-14)


# -- against torch.nn.functional --------------------------------------------------------------------------------------


@every_shape
@every_reduction
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("class_weights", [None, WEIGHTS], ids=["plain", "weights"])
@pytest.mark.parametrize("ignore_index", [None, 1, -100])
def test_cross_entropy(shape, reduction, smoothing, class_weights, ignore_index):
    logits, labels = make(shape)
    labels.flat[0] = 0
    if ignore_index == -100:
        labels.flat[-1] = -100
    loss = core.CrossEntropyLoss(
        label_smoothing=smoothing, class_weights=class_weights, ignore_index=ignore_index, reduction=reduction
    )
    options = {
        "weight": None if class_weights is None else torch.tensor(class_weights, dtype=torch.float64),
        "ignore_index": -100 if ignore_index is None else ignore_index,
    }
    assert_equals_torch(
        loss,
        lambda z, y: F.cross_entropy(z, y, reduction=reduction, label_smoothing=smoothing, **options),
        logits,
        labels,
    )


@every_shape
@every_reduction
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_soft_targets(shape, reduction, smoothing):
    logits, _ = make(shape)
    target = np.random.default_rng(1).dirichlet([0.5] * CLASSES, size=(BATCH, *shape))
    target = np.moveaxis(target, -1, 1)
    loss = core.CrossEntropyLoss(label_smoothing=smoothing, reduction=reduction)

    def formula(z, y):
        value = F.cross_entropy(z, y, reduction="none", label_smoothing=smoothing)
        return {"mean": value.mean(), "sum": value.sum(), "none": value}[reduction]

    assert_equals_torch(loss, formula, logits, target)


@every_shape
@every_reduction
def test_cross_entropy_of_probabilities(shape, reduction):
    logits, labels = make(shape)
    p = torch.softmax(torch.asarray(logits), 1).numpy()
    loss = core.CrossEntropyLoss(activation="identity", reduction=reduction)
    assert_equals_torch(loss, lambda p, y: F.nll_loss(torch.log(p), y, reduction=reduction), p, labels)


@every_shape
@every_reduction
@pytest.mark.parametrize("classes", [1, 3])
def test_binary_cross_entropy(shape, reduction, classes):
    logits, _ = make(shape, classes)
    target = np.random.default_rng(2).choice([0.0, 0.3, 1.0], size=logits.shape)
    loss = core.CrossEntropyLoss(activation="sigmoid", reduction=reduction)
    assert_equals_torch(
        loss, lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction=reduction), logits, target
    )


@every_shape
@every_reduction
def test_binary_cross_entropy_of_probabilities(shape, reduction):
    logits, labels = make(shape, 1)
    p = 1 / (1 + np.exp(-logits))
    loss = core.CrossEntropyLoss(activation="identity", reduction=reduction)
    assert_equals_torch(
        loss, lambda p, y: F.binary_cross_entropy(p, y[:, None].double(), reduction=reduction), p, labels
    )


def test_binary_cross_entropy_with_weights():
    """Normalised: torch multiplies by the weights without dividing by their sum."""
    logits, labels = make()
    random = np.random.default_rng(3)
    mask, images = random.uniform(0.1, 2, labels.shape), np.asarray([1.0, 4.0])
    weight = mask[:, None] * images[:, None, None, None] * np.asarray(WEIGHTS)[:, None, None]
    loss = core.CrossEntropyLoss(activation="sigmoid", class_weights=WEIGHTS)

    def formula(z, y):
        total = F.binary_cross_entropy_with_logits(z, y, weight=torch.asarray(weight), reduction="sum")
        return total / weight.sum()

    assert_equals_torch(loss, formula, logits, hot(labels), mask=mask, sample_weight=images)


def test_binary_label_smoothing():
    logits, _ = make()
    target = np.random.default_rng(4).integers(0, 2, size=logits.shape)
    loss = core.CrossEntropyLoss(activation="sigmoid", label_smoothing=0.2)
    assert_equals_torch(
        loss, lambda z, y: F.binary_cross_entropy_with_logits(z, 0.8 * y.double() + 0.1), logits, target
    )


@every_reduction
@pytest.mark.parametrize("activation", ["identity", "sigmoid", "softmax"])
def test_mean_squared_error(reduction, activation):
    logits, _ = make()
    target = np.random.default_rng(5).normal(size=logits.shape)
    loss = core.MeanSquaredErrorLoss(activation=activation, reduction=reduction)
    activate = {"identity": lambda z: z, "sigmoid": torch.sigmoid, "softmax": lambda z: torch.softmax(z, 1)}[
        activation
    ]
    assert_equals_torch(loss, lambda z, y: F.mse_loss(activate(z), y, reduction=reduction), logits, target)


@every_number
@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 5])
@pytest.mark.parametrize("alpha", [None, 0.25, (0.2, 0.7, 0.4)])
def test_focal(reduction, gamma, alpha):
    logits, labels = make()
    factor = torch.tensor(1.0 if alpha is None else alpha, dtype=torch.float64).expand(CLASSES)

    def formula(z, y):
        entropy = F.cross_entropy(z, y, reduction="none")
        cost = factor[y] * (1 - torch.exp(-entropy)) ** gamma * entropy
        return getattr(cost, reduction)()

    assert_equals_torch(
        core.FocalLoss(gamma=gamma, alpha=alpha, reduction=reduction), formula, logits, labels
    )


@every_number
@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 5])
@pytest.mark.parametrize("alpha", [None, 0.25, (0.2, 0.7, 0.4)])
def test_sigmoid_focal(reduction, gamma, alpha):
    logits, _ = make()
    target = np.random.default_rng(6).choice([0.0, 0.3, 1.0], size=logits.shape)
    a = torch.tensor(0.5 if alpha is None else alpha, dtype=torch.float64).expand(CLASSES)[:, None, None]
    scale = 2 if alpha is None else 1

    def formula(z, y):
        p = torch.sigmoid(z)
        cost = -a * y * (1 - p) ** gamma * F.logsigmoid(z) - (1 - a) * (1 - y) * p**gamma * F.logsigmoid(-z)
        return scale * getattr(cost, reduction)()

    loss = core.FocalLoss(gamma=gamma, alpha=alpha, reduction=reduction, activation="sigmoid")
    assert_equals_torch(loss, formula, logits, target)


# -- by hand ----------------------------------------------------------------------------------------------------------

# One image, one class. Σ y p = 5/4, Σ p = 5/2, Σ y = 2, Σ p² = 15/8, Σ p² y = 13/16; ε = 1/2.
P, Y = np.asarray([[[1 / 2, 1 / 4, 3 / 4, 1]]]), np.asarray([[1, 0, 1, 0]])
HAND = {
    "Dice": (core.DiceLoss, {}, Fraction(2, 5)),  # 1 − 3 / 5
    "Jaccard": (core.JaccardLoss, {}, Fraction(8, 15)),  # 1 − (7/4) / (15/4)
    "Tversky": (core.TverskyLoss, {"alpha": 0.25, "beta": 0.75}, Fraction(1, 3)),  # 1 − (28/16) / (42/16)
    "Tversky of halves": (core.TverskyLoss, {}, Fraction(4, 11)),  # 1 − (7/4) / (5/4 + 5/8 + 3/8 + 1/2)
    "power Dice": (core.PowerDiceLoss, {}, Fraction(11, 35)),  # 1 − 3 / (35/8)
    "power Dice, p = 1": (core.PowerDiceLoss, {"p": 1}, Fraction(2, 5)),
    "power Jaccard": (core.PowerJaccardLoss, {}, Fraction(11, 25)),  # 1 − (7/4) / (25/8)
    "power Jaccard, p = 1": (core.PowerJaccardLoss, {"p": 1}, Fraction(8, 15)),
    "exponential": (
        core.PointwiseExponentialLoss,
        {"alpha": 2, "exponent": 2},
        Fraction(27, 40),
    ),  # 1 − (13/8) / 5
    "exponential, union": (
        core.PointwiseExponentialLoss,
        {"alpha": 2, "exponent": 2, "denominator": "union"},
        Fraction(17, 30),  # 1 − (13/8) / (15/4)
    ),
}


@pytest.mark.parametrize("name", HAND)
@pytest.mark.parametrize("dense", [False, True], ids=["labels", "one-hot"])
def test_region_loss_by_hand(name, dense):
    kind, options, expected = HAND[name]
    loss = kind(activation="identity", smooth=0.5, **options)
    assert loss(P, Y[:, None] if dense else Y) == pytest.approx(float(expected), rel=1e-15)


def test_dice_gradient_by_hand():
    """N = 3, D = 5: −(2 D − N) / D² = −7/25 in the foreground, N / D² = 3/25 outside."""
    gradient = core.DiceLoss(activation="identity", smooth=0.5).value_and_grad(P, Y)[1]
    np.testing.assert_allclose(gradient, np.where(Y == 1, -7 / 25, 3 / 25)[:, None], rtol=1e-14)


def test_jaccard_gradient_by_hand():
    """N = 7/4, D = 15/4: −1 / D in the foreground, N / D² outside."""
    gradient = core.JaccardLoss(activation="identity", smooth=0.5).value_and_grad(P, Y)[1]
    np.testing.assert_allclose(gradient, np.where(Y == 1, -4 / 15, 28 / 225)[:, None], rtol=1e-14)


@pytest.mark.parametrize("p", [1, 1.5, 2])
def test_power_jaccard_gradient_as_printed(p):
    """Duque-Arias et al. print the derivative for one pixel: (ε + y ŷ)(p ŷ^(p−1) − y) / D² − y / D."""
    for y, q in itertools.product((0, 1), (0.2, 0.9)):
        d = y + q**p - y * q + 0.1
        expected = (0.1 + y * q) * (p * q ** (p - 1) - y) / d**2 - y / d
        loss = core.PowerJaccardLoss(p=p, smooth=0.1, activation="identity")
        gradient = loss.value_and_grad(np.asarray([[q]]), np.asarray([y]))[1]
        assert gradient.item() == pytest.approx(expected, rel=1e-14)


def test_softmax_dice_by_hand():
    """Two pixels of three classes, p = (½, ¼, ¼) and (⅛, ⅜, ½), labels 0 and 2, ε = 0: per class
    1 − 1 / (13/8), 1 − 0 / (5/8), 1 − 1 / (7/4)."""
    p = np.asarray([[[1 / 2, 1 / 8], [1 / 4, 3 / 8], [1 / 4, 1 / 2]]])
    labels = np.asarray([[0, 2]])
    scores = [5 / 13, 1, 3 / 7]
    none = core.DiceLoss(smooth=0, reduction="none")(np.log(p), labels)
    np.testing.assert_allclose(none, [scores], rtol=1e-14)
    assert core.DiceLoss(smooth=0)(np.log(p), labels) == pytest.approx(sum(scores) / 3, rel=1e-14)
    skip = core.DiceLoss(smooth=0, absent="skip")(np.log(p), labels)
    assert skip == pytest.approx((5 / 13 + 3 / 7) / 2, rel=1e-14)
    foreground = core.DiceLoss(smooth=0, include_background=False)(np.log(p), labels)
    assert foreground == pytest.approx((1 + 3 / 7) / 2, rel=1e-14)
    weighted = core.DiceLoss(smooth=0, class_weights=(1, 2, 5))(np.log(p), labels)
    assert weighted == pytest.approx((5 / 13 + 2 + 15 / 7) / 8, rel=1e-14)


def test_nothing_predicted_where_nothing_is_scores_perfectly():
    """A denominator of 0 without ε, and ε / ε with it."""
    p, labels = np.asarray([[[1.0, 1.0], [0.0, 0.0]]]), np.asarray([[0, 0]])
    for smooth in (0, 1e-5):
        value, gradient = core.DiceLoss(activation="identity", smooth=smooth).value_and_grad(p, labels)
        assert value == pytest.approx(0, abs=1e-15)
        assert np.all(np.isfinite(gradient))


def test_distance_aware_by_hand():
    """p = ½ everywhere, y = 1, ½, 0: costs ¼ ln 2, (½)⁴ ¼ ln 2, ¼ ln 2; one entry has y = 1."""
    logits, heat_map = np.zeros((1, 1, 3)), np.asarray([[[1, 0.5, 0]]])
    loss = core.DistanceAwareCrossEntropyLoss()
    assert loss(logits, heat_map) == pytest.approx((1 / 4 + 1 / 64 + 1 / 4) * log(2), rel=1e-15)


def test_distance_aware_divides_by_the_number_of_peaks():
    logits, heat_map = np.zeros((2, 1, 2)), np.asarray([[[1, 1]], [[1, 0.9]]])
    total = core.DistanceAwareCrossEntropyLoss(reduction="sum")(logits, heat_map)
    assert core.DistanceAwareCrossEntropyLoss()(logits, heat_map) == pytest.approx(total / 3, rel=1e-15)
    weighted = core.DistanceAwareCrossEntropyLoss()(logits, heat_map, sample_weight=np.asarray([3, 1]))
    assert weighted == pytest.approx((7 * log(2) / 4 + 0.1**4 * log(2) / 4) / 7, rel=1e-14)


def test_distance_aware_without_a_peak_divides_by_one():
    logits, heat_map = np.zeros((1, 1, 3)), np.zeros((1, 1, 3))
    assert core.DistanceAwareCrossEntropyLoss()(logits, heat_map) == pytest.approx(3 / 4 * log(2), rel=1e-15)


def test_center_by_hand():
    """x = (0, 0), c_1 = (1, 2): ln 2 + (0.5 / 2) · 5."""
    loss = core.CenterLoss(weight=0.5)
    centers = np.asarray([[7.0, 7.0], [1.0, 2.0]])
    value, gradient = loss.value_and_grad(np.zeros((1, 2)), np.asarray([1]), centers=centers)
    assert value == pytest.approx(log(2) + 1.25, rel=1e-15)
    np.testing.assert_allclose(gradient, [[0.5 - 0.5, -0.5 - 1.0]], rtol=1e-15)


def test_center_of_features_by_hand():
    """The distance is that of the features, (1, 1, 1) to (0, 1, 3): 5."""
    loss = core.CenterLoss(weight=0.5)
    arrays = {"centers": np.asarray([[9.0, 9, 9], [0, 1, 3]]), "features": np.ones((1, 3))}
    value, (gradient, of_features) = loss.value_and_grad(np.zeros((1, 2)), np.asarray([1]), **arrays)
    assert value == pytest.approx(log(2) + 1.25, rel=1e-15)
    np.testing.assert_allclose(gradient, [[0.5, -0.5]], rtol=1e-15)
    np.testing.assert_allclose(of_features, [[0.5, 0, -1]], rtol=1e-15)


def test_centers_move_by_hand():
    """Class 0 has x = 1 and 3, class 1 x = 5 with weight 2, class 2 nothing: with c = 0, 1, 8 and α = ½,
    c₀ − ½ (−4 / 3), c₁ − ½ · 2 (−4) / 3, c₂."""
    logits = np.asarray([[[1.0, 3, 5, 99]] * 3])
    labels, mask = np.asarray([[0, 0, 1, 2]]), np.asarray([[1.0, 1, 2, 0]])
    centers = np.repeat([[0.0], [1], [8]], 3, axis=1)
    moved = core.CenterLoss().updated_centers(logits, labels, centers=centers, mask=mask)
    np.testing.assert_allclose(moved, np.repeat([[2 / 3], [7 / 3], [8]], 3, axis=1), rtol=1e-15)


def locally_adaptive(logits, labels, size, stride, standardize):
    """Costs and centres by loops, as the paper defines them; labels of −1 do not exist."""
    x = logits - logits.mean(1, keepdims=True)
    x = x / logits.std(1, keepdims=True) if standardize else logits
    shape = labels.shape[1:]
    costs = []
    for n, pixel in itertools.product(range(len(labels)), itertools.product(*map(range, shape))):
        label = labels[(n, *pixel)]
        if label < 0 or any(i % stride for i in pixel):
            continue
        total, count = np.zeros(logits.shape[1]), 0
        for offset in itertools.product(range(-(size // 2), size // 2 + 1), repeat=len(shape)):
            place = tuple(i + u for i, u in zip(pixel, offset, strict=True))
            inside = all(0 <= i < m for i, m in zip(place, shape, strict=True))
            if inside and labels[(n, *place)] == label:
                total += 2.0 ** (1 - max((abs(u) for u in offset), default=0)) * x[(n, slice(None), *place)]
                count += 1
        f = total / count
        costs.append(np.log(np.exp(f - f.max()).sum()) + f.max() - f[label])
    return np.asarray(costs)


@every_shape
@pytest.mark.parametrize(
    ("size", "stride", "standardize"), [(3, 1, True), (5, 2, False), (7, 1, True), (1, 1, True)]
)
def test_locally_adaptive_against_loops(shape, size, stride, standardize):
    logits, labels = make(shape)
    labels.flat[-1] = -1
    costs = locally_adaptive(logits, labels, size, stride, standardize)
    options = {"kernel_size": size, "stride": stride, "standardize": standardize, "ignore_index": -1}
    expected = {core.Minkowski(): np.mean(costs**3) ** (1 / 3), "mean": costs.mean(), "sum": costs.sum()}
    assert core.LocallyAdaptiveLoss(**options)(logits, labels) == pytest.approx(
        expected[core.Minkowski()], rel=1e-12
    )
    for reduction, value in expected.items():
        loss = core.LocallyAdaptiveLoss(reduction=reduction, **options)
        assert loss(logits, labels) == pytest.approx(value, rel=1e-12)


def test_locally_adaptive_takes_any_cost():
    """A window of one pixel without standardisation doubles the logits: ω(0) = 2."""
    logits, labels = make()
    for cost in (core.FocalLoss(gamma=1.5, alpha=WEIGHTS), core.CrossEntropyLoss(label_smoothing=0.3)):
        loss = core.LocallyAdaptiveLoss(kernel_size=1, standardize=False, cost=cost, reduction="mean")
        value, gradient = loss.value_and_grad(logits, labels)
        expected, slope = cost.value_and_grad(2 * logits, labels)
        assert value == pytest.approx(expected, rel=1e-14)
        np.testing.assert_allclose(gradient, 2 * slope, rtol=1e-12, atol=1e-16)


def test_standardised_constant_logits_have_no_gradient():
    value, gradient = core.LocallyAdaptiveLoss().value_and_grad(
        np.full((1, 3, 4, 4), 7.0), np.zeros((1, 4, 4), int)
    )
    assert value == pytest.approx(log(3), rel=1e-15)
    np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


def test_ensemble_is_the_weighted_sum():
    logits, labels = make()
    members = core.DiceLoss(), core.FocalLoss(reduction=core.TopK(fraction=0.5)), core.CrossEntropyLoss()
    parts = [member.value_and_grad(logits, labels) for member in members]
    weights = (0.2, 1.5, 3.0)
    expected = sum(w * value for w, (value, _) in zip(weights, parts, strict=True))
    slope = sum(w * gradient for w, (_, gradient) in zip(weights, parts, strict=True))
    a, b, c = members
    for ensemble in (
        core.EnsembleLoss(losses=members, weights=weights),
        0.2 * a + b * 1.5 + 3 * c,
        0.2 * a + 1.5 * (b + 2 * c),
    ):
        value, gradient = ensemble.value_and_grad(logits, labels)
        assert value == pytest.approx(expected, rel=1e-14)
        np.testing.assert_allclose(gradient, slope, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(("logit", "cost"), [(40.0, log1p(exp(-80))), (1e4, 0.0), (-40.0, 80.0), (-1e4, 2e4)])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_cross_entropy_at_extremes(activation, logit, cost):
    """Two classes at ±z are one class at 2z."""
    labels = np.asarray([1])
    logits = np.asarray([[-logit, logit]]) if activation == "softmax" else np.asarray([[2 * logit]])
    value, gradient = core.CrossEntropyLoss(activation=activation).value_and_grad(logits, labels)
    assert value == pytest.approx(cost, rel=1e-14, abs=0)
    assert gradient[0, -1] == pytest.approx(
        -exp(-80) if logit == 40 else -1.0 * (logit < 0), rel=1e-12, abs=0
    )


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 5])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_focal_gradient_is_finite_at_certainty(activation, gamma):
    logits = np.asarray([[-1e4, 1e4], [1e4, -1e4]])
    loss = core.FocalLoss(gamma=gamma, activation=activation, alpha=None, reduction="sum")
    value, gradient = loss.value_and_grad(logits, np.asarray([1, 1]))
    pairs = {"softmax": 2e4, "sigmoid": 2 * 1e4}
    assert value == pytest.approx(pairs[activation], rel=1e-14)
    np.testing.assert_allclose(gradient, [[0, 0], [1, -1]], rtol=1e-14)


def test_region_sums_of_many_pixels():
    """Above 2²⁴ a float32 counter of ones stops. Both classes have half of the pixels, both are predicted on all."""
    count = 2**24 + 2**20
    labels = np.zeros((1, count), dtype=np.int8)
    labels[:, ::2] = 1
    p = np.ones((1, count, 2), dtype=np.float32)
    assert np.sum(p, axis=1)[0, 0] == 2**24
    loss = core.JaccardLoss(activation="identity", class_axis=-1, smooth=0)
    assert loss(p, labels) == pytest.approx(0.5, rel=1e-6)


# -- relations, for every loss ----------------------------------------------------------------------------------------

CENTERS = np.random.default_rng(7).normal(size=(CLASSES, CLASSES))
PIXEL_LOSSES = [
    core.CrossEntropyLoss(),
    core.CrossEntropyLoss(label_smoothing=0.2),
    core.CrossEntropyLoss(activation="sigmoid"),
    core.FocalLoss(),
    core.FocalLoss(activation="sigmoid", gamma=0.5),
    core.DistanceAwareCrossEntropyLoss(),
    core.MeanSquaredErrorLoss(activation="softmax"),
]
REGION_LOSSES = [
    core.DiceLoss(),
    core.DiceLoss(activation="sigmoid", aggregate="batch"),
    core.JaccardLoss(absent="skip"),
    core.TverskyLoss(alpha=0.3, beta=0.9, include_background=False),
    core.PowerDiceLoss(p=1.5),
    core.PowerJaccardLoss(aggregate="batch", absent="skip"),
    core.PointwiseExponentialLoss(),
]
LABEL_LOSSES = [core.CenterLoss(weight=0.3), core.LocallyAdaptiveLoss(kernel_size=3)]
LOCAL = core.LocallyAdaptiveLoss
ENSEMBLE = core.EnsembleLoss(losses=(core.DiceLoss(), core.CrossEntropyLoss()))
ALL_LOSSES = [*PIXEL_LOSSES, *REGION_LOSSES, *LABEL_LOSSES, ENSEMBLE]


def over(losses):
    return pytest.mark.parametrize(
        "loss", losses, ids=lambda loss: f"{type(loss).__name__}-{loss.activation}"
    )


def change(loss, **options):
    """With other common options, in an ensemble for each member."""
    if isinstance(loss, core.EnsembleLoss):
        return core.EnsembleLoss(losses=[change(member, **options) for member in loss.losses])
    return dataclasses.replace(loss, **options)


def run(loss, logits, target, **arrays):
    """Value and gradient; the center loss with its centres."""
    more = {"centers": CENTERS} if isinstance(loss, core.CenterLoss) else {}
    return loss.value_and_grad(logits, target, **more, **arrays)


def value_of(loss, logits, target, **arrays):
    more = {"centers": CENTERS} if isinstance(loss, core.CenterLoss) else {}
    return loss(logits, target, **more, **arrays)


@over([*PIXEL_LOSSES, *REGION_LOSSES])
@every_number
@pytest.mark.parametrize("dtype", [bool, np.int64, np.float64])
def test_one_hot_equals_labels(loss, reduction, dtype):
    logits, labels = make()
    loss = change(loss, reduction=reduction, class_weights=WEIGHTS)
    weights = {
        "mask": np.random.default_rng(8).uniform(0, 2, labels.shape),
        "sample_weight": np.asarray([1.0, 2.5]),
    }
    value, gradient = run(loss, logits, labels, **weights)
    dense, dense_gradient = run(loss, logits, hot(labels).astype(dtype), **weights)
    assert dense == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(dense_gradient, gradient, rtol=1e-11, atol=1e-15)


@over(PIXEL_LOSSES)
@pytest.mark.parametrize("pooling", [core.Minkowski(), core.TopK(fraction=0.5), core.MaxPooling()])
def test_one_hot_equals_labels_for_every_pooling(loss, pooling):
    logits, labels = make()
    loss = change(loss, reduction=pooling, class_weights=WEIGHTS)
    value, gradient = run(loss, logits, labels)
    dense, dense_gradient = run(loss, logits, hot(labels))
    assert dense == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(dense_gradient, gradient, rtol=1e-10, atol=1e-15)


@over([*PIXEL_LOSSES, *REGION_LOSSES, *LABEL_LOSSES])
def test_none_adds_up_to_sum(loss):
    logits, labels = make()
    labels[0, 0, 0] = 9
    options = {"class_weights": WEIGHTS, "ignore_index": 9}
    weights = {
        "mask": np.random.default_rng(9).uniform(0, 2, labels.shape),
        "sample_weight": np.asarray([1.0, 2.5]),
    }
    none = value_of(change(loss, reduction="none", **options), logits, labels, **weights)
    total = value_of(change(loss, reduction="sum", **options), logits, labels, **weights)
    assert np.sum(none) == pytest.approx(total, rel=1e-13)


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (core.CrossEntropyLoss(), (2, 3, 4)),
        (core.CrossEntropyLoss(activation="sigmoid"), (2, 3, 3, 4)),
        (core.MeanSquaredErrorLoss(), (2, 3, 3, 4)),
        (core.DiceLoss(), (2, 3)),
        (core.DiceLoss(aggregate="batch"), (3,)),
        (core.LocallyAdaptiveLoss(stride=2), (2, 3, 4)),
        (core.CenterLoss(), (2, 3, 4)),
    ],
)
def test_shape_of_none(loss, shape):
    logits, labels = make()
    assert value_of(change(loss, reduction="none"), logits, labels).shape == shape


@over(ALL_LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", core.Minkowski()], ids=["mean", "sum", "minkowski"])
def test_sample_weight_repeats_images(loss, reduction):
    if isinstance(reduction, core.Pooling) and loss in [*REGION_LOSSES, ENSEMBLE]:
        reduction = "mean"
    logits, labels = make(batch=3)
    labels[labels == 2] = 0
    labels[1, 0, 0] = 2
    loss = change(loss, reduction=reduction, class_weights=WEIGHTS)
    times = np.asarray([1, 3, 2])
    value, gradient = run(loss, logits, labels, sample_weight=times)
    repeated, parts = run(loss, np.repeat(logits, times, 0), np.repeat(labels, times, 0))
    assert value == pytest.approx(repeated, rel=1e-13)
    np.testing.assert_allclose(
        np.repeat(gradient / times[:, None, None, None], times, 0), parts, rtol=1e-10, atol=1e-15
    )


@over(ALL_LOSSES)
def test_sample_weight_of_zero_leaves_an_image_out(loss):
    logits, labels = make(batch=3)
    value, gradient = run(loss, logits, labels, sample_weight=np.asarray([1, 0, 1]))
    expected, parts = run(loss, logits[[0, 2]], labels[[0, 2]])
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient[[0, 2]], parts, rtol=1e-11, atol=1e-15)
    np.testing.assert_array_equal(gradient[1], np.zeros_like(gradient[1]))


@over([loss for loss in ALL_LOSSES if not isinstance(loss, LOCAL)])
@pytest.mark.parametrize("reduction", ["mean", "sum", core.Minkowski()], ids=["mean", "sum", "minkowski"])
def test_weight_of_two_counts_a_pixel_twice(loss, reduction):
    if isinstance(reduction, core.Pooling) and loss in [*REGION_LOSSES, ENSEMBLE]:
        reduction = "mean"
    logits, labels = make((6,))
    loss = change(loss, reduction=reduction)
    times = np.asarray([1, 2, 1, 0, 3, 1])
    value, gradient = run(loss, logits, labels, mask=np.tile(times, (BATCH, 1)))
    repeated, parts = run(loss, np.repeat(logits, times, 2), np.repeat(labels, times, 1))
    assert value == pytest.approx(repeated, rel=1e-13)
    some = times > 0
    expected = np.repeat(gradient[..., some] / times[some], times[some], 2)
    np.testing.assert_allclose(expected, parts, rtol=1e-10, atol=1e-15)


@over(ALL_LOSSES)
@pytest.mark.parametrize("dtype", [bool, np.int32, np.float32])
def test_mask_of_ones_is_no_mask(loss, dtype):
    logits, labels = make()
    value, gradient = run(loss, logits, labels)
    masked, masked_gradient = run(loss, logits, labels, mask=np.ones(labels.shape, dtype))
    assert masked == pytest.approx(value, rel=1e-15)
    np.testing.assert_allclose(masked_gradient, gradient, rtol=1e-14, atol=1e-17)


@over(ALL_LOSSES)
def test_ignore_index_that_no_pixel_bears_changes_no_bit(loss):
    logits, labels = make()
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(change(loss, ignore_index=255), logits, labels)
    np.testing.assert_array_equal(same, value)
    np.testing.assert_array_equal(same_gradient, gradient)


@over(ALL_LOSSES)
@pytest.mark.parametrize("junk", [np.nan, np.inf, -np.inf, 1e30, -1e30])
@pytest.mark.parametrize("way", ["ignore_index", "mask", "sample_weight"])
def test_ignored_pixels_change_no_bit(loss, junk, way):
    logits, labels = make()
    ignored = np.zeros(labels.shape, bool)
    ignored[0] = True
    ignored[1, 1] = way != "sample_weight"
    weights = {}
    if way == "ignore_index":
        loss, labels = change(loss, ignore_index=255), np.where(ignored, 255, labels)
    elif way == "mask":
        weights = {"mask": np.where(ignored, 0.0, 0.7)}
    else:
        weights = {"sample_weight": np.asarray([0.0, 1.3])}
    value, gradient = run(loss, logits, labels, **weights)
    everywhere = np.broadcast_to(ignored[:, None], logits.shape)
    dirty, dirty_gradient = run(loss, np.where(everywhere, junk, logits), labels, **weights)
    np.testing.assert_array_equal(dirty, value)
    np.testing.assert_array_equal(dirty_gradient, gradient)
    assert not dirty_gradient[everywhere].any()
    assert dirty_gradient[~everywhere].any()


@over([*PIXEL_LOSSES, *REGION_LOSSES])
def test_masked_soft_targets_change_no_bit(loss):
    logits, labels = make()
    target, mask = hot(labels) * 0.9, np.ones(labels.shape, bool)
    mask[1, 0] = False
    dirty = np.where(mask[:, None], target, np.nan)
    value, gradient = run(loss, logits, target, mask=mask)
    same, same_gradient = run(loss, logits, dirty, mask=mask)
    np.testing.assert_array_equal(same, value)
    np.testing.assert_array_equal(same_gradient, gradient)


def test_ignored_features_change_no_bit():
    logits, labels = make()
    features, mask = np.random.default_rng(10).normal(size=logits.shape), np.ones(labels.shape)
    mask[0, 0] = 0
    dirty = np.where(mask[:, None] > 0, features, np.nan)
    for function in (core.CenterLoss().value_and_grad, core.CenterLoss().updated_centers):
        clean = function(logits, labels, centers=CENTERS, mask=mask, features=features)
        result = function(logits, labels, centers=CENTERS, mask=mask, features=dirty)
        np.testing.assert_equal(result, clean)


@over(ALL_LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", core.Minkowski(), core.TopK(), core.MaxPooling()])
@pytest.mark.parametrize("way", ["ignore_index", "mask", "sample_weight"])
def test_nothing_valid_is_zero(loss, reduction, way):
    if isinstance(reduction, core.Pooling) and loss in [*REGION_LOSSES, ENSEMBLE]:
        reduction = "mean"
    logits, labels = make()
    loss, weights = change(loss, reduction=reduction), {}
    if way == "ignore_index":
        loss, labels = change(loss, ignore_index=255), np.full_like(labels, 255)
    elif way == "mask":
        weights = {"mask": np.zeros(labels.shape, bool)}
    else:
        weights = {"sample_weight": np.zeros(BATCH)}
    value, gradient = run(loss, np.full_like(logits, np.nan), labels, **weights)
    assert value == 0
    np.testing.assert_array_equal(gradient, np.zeros_like(logits))


@over(REGION_LOSSES)
def test_an_image_without_a_valid_pixel_leaves_the_mean(loss):
    logits, labels = make()
    loss = change(loss, ignore_index=255)
    expected = run(loss, logits[:1], labels[:1])[0]
    labels[1] = 255
    assert run(loss, logits, labels)[0] == pytest.approx(expected, rel=1e-14)


@over(ALL_LOSSES)
@pytest.mark.parametrize("label", [-1, CLASSES, 255])
def test_label_outside_the_classes_is_nan(loss, label):
    logits, labels = make()
    labels[0, 1, 2] = label
    value, gradient = run(loss, logits, labels)
    assert isnan(value)
    assert np.isnan(gradient).any()
    mask = np.ones(labels.shape, bool)
    mask[0, 1, 2] = False
    value, gradient = run(loss, logits, labels, mask=mask)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("kind", [core.CrossEntropyLoss, core.DiceLoss, core.FocalLoss])
@pytest.mark.parametrize(("label", "fine"), [(0, True), (1, True), (2, False), (-1, False)])
def test_labels_of_one_class(kind, label, fine):
    value = kind(activation="sigmoid")(np.zeros((1, 1, 2)), np.asarray([[1, label]]))
    assert isnan(value) != fine


@over([loss for loss in ALL_LOSSES if not isinstance(loss, LOCAL)])
@pytest.mark.parametrize("shape", [(24,), (2, 3, 4), (2, 2, 3, 2)], ids=str)
def test_shape_of_the_image_does_not_matter(loss, shape):
    logits, labels = make((4, 6))
    value, gradient = run(loss, logits, labels)
    same, reshaped = run(loss, logits.reshape(BATCH, CLASSES, *shape), labels.reshape(BATCH, *shape))
    assert same == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(reshaped.reshape(gradient.shape), gradient, rtol=1e-11, atol=1e-15)


@over(ALL_LOSSES)
@every_number
def test_no_spatial_axis_is_one_pixel(loss, reduction):
    logits, labels = make(())
    loss = change(loss, reduction=reduction)
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(loss, logits[..., None, None], labels[..., None, None])
    assert same == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(same_gradient[..., 0, 0], gradient, rtol=1e-12, atol=1e-16)


@over([loss for loss in ALL_LOSSES if loss.activation == "softmax"])
def test_shifting_softmax_logits_changes_nothing(loss):
    if isinstance(loss, core.CenterLoss):
        loss = change(loss, weight=0.0)
    logits, labels = make()
    shift = np.random.default_rng(11).normal(size=(BATCH, 1, 3, 4)) * 5
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(loss, logits + shift, labels)
    assert same == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(same_gradient, gradient, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(gradient.sum(1), 0, atol=1e-14)


@over(ALL_LOSSES)
def test_equal_class_weights_are_no_class_weights(loss):
    logits, labels = make()
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(change(loss, class_weights=(4.0,) * CLASSES), logits, labels)
    assert same == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(same_gradient, gradient, rtol=1e-11, atol=1e-16)


@over([*PIXEL_LOSSES, *REGION_LOSSES, *LABEL_LOSSES])
def test_class_weight_of_zero_silences_the_pixels_of_a_class(loss):
    """Or, where classes overlap, the class itself."""
    logits, labels = make()
    gradient = run(change(loss, class_weights=(1, 0, 1)), logits, labels)[1]
    exclusive = (
        type(loss) in (core.CrossEntropyLoss, core.FocalLoss, core.CenterLoss)
        and loss.activation == "softmax"
    )
    if exclusive:
        silent = np.broadcast_to((labels == 1)[:, None], gradient.shape)
        assert not gradient[silent].any()
        assert gradient[~silent].all()
    elif loss.activation == "sigmoid":
        assert not gradient[:, 1].any()
    assert gradient.any()


@over(REGION_LOSSES)
def test_region_mean_is_that_of_the_scores(loss):
    logits, labels = make(batch=3)
    labels[0] = np.minimum(labels[0], 1)
    scores = change(loss, reduction="none", absent="count", include_background=True)(logits, labels)
    scores = np.atleast_2d(scores)
    counts = np.asarray([[np.count_nonzero(image == c) for c in range(CLASSES)] for image in labels])
    counts = counts.sum(0, keepdims=True) if loss.aggregate == "batch" else counts
    weights = np.broadcast_to(WEIGHTS, scores.shape).copy()
    if loss.aggregate == "image":
        weights *= np.asarray([1.0, 2, 5])[:, None]
        value = change(loss, class_weights=WEIGHTS)(logits, labels, sample_weight=np.asarray([1.0, 2, 5]))
    else:
        value = change(loss, class_weights=WEIGHTS)(logits, labels)
    if loss.absent == "skip":
        weights *= counts > 0
    if not loss.include_background:
        weights[:, 0] = 0
    assert value == pytest.approx(np.sum(weights * scores) / np.sum(weights), rel=1e-13)


@over(REGION_LOSSES)
def test_batch_is_one_large_image(loss):
    logits, labels = make()
    value = change(loss, aggregate="batch")(logits, labels)
    joined = np.concatenate(list(logits), -1)[None], np.concatenate(list(labels), -1)[None]
    assert value == pytest.approx(change(loss, aggregate="image")(*joined), rel=1e-13)


@over(ALL_LOSSES)
@pytest.mark.parametrize(
    ("dtype", "computed"), [("float64", "float64"), ("float32", "float32"), ("float16", "float32")]
)
def test_dtypes(loss, dtype, computed):
    logits, labels = make()
    logits = logits.astype(dtype)
    value, gradient = run(loss, logits, labels, mask=np.ones(labels.shape), sample_weight=np.ones(BATCH))
    assert value.dtype == computed
    assert gradient.dtype == dtype
    exact, slope = run(loss, logits.astype("float64"), labels)
    assert value == pytest.approx(exact, rel=1e-13 if dtype == "float64" else 1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=2e-3 if dtype == "float16" else 1e-4, atol=1e-6)


@over(ALL_LOSSES)
def test_value_is_the_same_with_and_without_gradient(loss):
    logits, labels = make()
    np.testing.assert_array_equal(run(loss, logits, labels)[0], value_of(loss, logits, labels))


@over(ALL_LOSSES)
def test_inputs_stay_as_they_are(loss):
    arrays = [*make(), np.ones((BATCH, 3, 4)), np.ones(BATCH)]
    before = [x.copy() for x in arrays]
    for x in arrays:
        x.flags.writeable = False
    run(loss, arrays[0], arrays[1], mask=arrays[2], sample_weight=arrays[3])
    for x, y in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(x, y)


def test_minkowski_of_pixels_is_the_root_of_their_cubes():
    logits, labels = make()
    costs = F.cross_entropy(torch.asarray(logits), torch.asarray(labels), reduction="none").numpy()
    loss = core.CrossEntropyLoss(reduction=core.Minkowski(k=2))
    assert loss(logits, labels) == pytest.approx(sqrt(np.mean(costs**2)), rel=1e-14)


def test_what_autodiff_takes_for_constant_without_the_adapters() -> None:
    """The divisor of the normalised focal loss: in a process that has the core alone."""
    program = """
import jax, numpy as np, torch, seglosses_core as core
loss = core.FocalLoss(normalized=True, alpha=None, class_axis=1)
logits, labels = np.array([[[0.5, -1.0, 2.0], [0.0, 1.0, -0.5]]], np.float32), np.array([[0, 1, 1]])
expected = loss.value_and_grad(logits, labels)[1]
x = torch.tensor(logits, requires_grad=True)
loss(x, torch.tensor(labels)).backward()
found = jax.grad(loss)(jax.numpy.asarray(logits), jax.numpy.asarray(labels))
print(abs(x.grad.numpy() - expected).max() < 1e-6, abs(np.asarray(found) - expected).max() < 1e-6)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "True True\n"
