"""Values and gradients against torch.nn.functional and calculations by hand."""

from __future__ import annotations

import itertools
import subprocess
import sys
from fractions import Fraction
from math import exp, log, log1p, sqrt

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from images import BATCH, CLASSES, WEIGHTS, every_number, hot, make

import seglosses_core as core

SHAPES = [(), (5,), (3, 4), (2, 3, 2)]

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


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
