"""Poolings against brute force, duality and calculations by hand, through the squared error whose map is known."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest

import seglosses_core as core
from seglosses_conformance.losses import ENTRIES
from seglosses_core.region import RegionLoss


def pool(reduction, costs, weights=None):
    """The pooled value of `costs` and its derivative with respect to them."""
    costs = np.asarray(costs, dtype=np.float64)
    logits = np.sqrt(costs)[:, None]
    loss = core.MeanSquaredErrorLoss(reduction=reduction)
    weights = None if weights is None else np.asarray(weights, dtype=np.float64)
    value, gradient = loss.value_and_grad(logits, np.zeros_like(logits), sample_weight=weights)
    # d cost / d logit = 2 √cost
    slope = np.divide(gradient[:, 0], 2 * logits[:, 0], out=np.zeros_like(costs), where=costs > 0)
    return float(value), slope


def random_costs(seed, size=40):
    return np.random.default_rng(seed).gamma(0.7, size=size)


# -- Minkowski --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 1.5, 2, 3, 10])
def test_minkowski_is_the_power_mean(k):
    costs, weights = random_costs(0), np.random.default_rng(1).uniform(0, 2, 40)
    total = np.sum(weights)
    norm = (np.sum(weights * costs**k) / total) ** (1 / k)
    value, slope = pool(core.Minkowski(k=k), costs, weights)
    assert value == pytest.approx(norm, rel=1e-13)
    np.testing.assert_allclose(slope, weights / total * (costs / norm) ** (k - 1), rtol=1e-11)


def test_minkowski_by_hand():
    value, slope = pool(core.Minkowski(k=2), [1, 7])
    assert value == pytest.approx(5, rel=1e-15)  # √((1 + 49) / 2)
    np.testing.assert_allclose(slope, [1 / 10, 7 / 10], rtol=1e-15)


def test_minkowski_of_1_is_the_mean():
    costs = random_costs(2)
    assert pool(core.Minkowski(k=1), costs)[0] == pytest.approx(costs.mean(), rel=1e-14)


@pytest.mark.parametrize("scale", [1e-8, 1e4, 1e120])
def test_minkowski_scales_without_overflow(scale):
    value, slope = pool(core.Minkowski(k=10), [3 * scale, 4 * scale])
    expected, expected_slope = pool(core.Minkowski(k=10), [3, 4])
    assert value == pytest.approx(expected * scale, rel=1e-13)
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-12)


# -- top-k ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fraction", "count", "places"),
    [
        (0.1, 40, 4),
        (0.1, 39, 3),
        (0.1, 9, 1),
        (0.01, 3, 1),
        (1.0, 7, 7),
        (0.29, 100, 29),
        (1 / 3, 3, 1),
        (0.999, 10, 9),
    ],
)
def test_top_k_takes_so_many(fraction, count, places):
    costs = random_costs(3, count)
    highest = np.argsort(costs)[::-1][:places]
    value, slope = pool(core.TopK(fraction=fraction), costs)
    assert value == pytest.approx(costs[highest].mean(), rel=1e-14)
    expected = np.zeros(count)
    expected[highest] = 1 / places
    np.testing.assert_allclose(slope, expected, rtol=1e-13)


def test_top_k_shares_ties():
    """Two places: one for the 9, one for three 4s."""
    value, slope = pool(core.TopK(fraction=0.4), [4, 1, 9, 4, 4])
    assert value == pytest.approx(6.5, rel=1e-15)
    np.testing.assert_allclose(slope, np.asarray([1 / 3, 0, 1, 1 / 3, 1 / 3]) / 2, rtol=1e-14)


def test_top_k_shares_ties_by_weight():
    """One place for two 4s of weights 1 and 3, half of each: (9·1 + 4·½ + 4·1½) / (1 + ½ + 1½)."""
    value, slope = pool(core.TopK(fraction=0.5), [4, 9, 4, 1], [1, 1, 3, 5])
    assert value == pytest.approx(17 / 3, rel=1e-14)
    np.testing.assert_allclose(slope, np.asarray([0.5, 1, 1.5, 0]) / 3, rtol=1e-14)


def test_top_k_of_equal_costs_is_symmetric():
    value, slope = pool(core.TopK(fraction=0.25), np.full(8, 2.0))
    assert value == pytest.approx(2, rel=1e-14)
    np.testing.assert_allclose(slope, np.full(8, 1 / 8), rtol=1e-14)


def test_top_k_does_not_count_ignored_entries():
    """Half of four entries, not of eight."""
    value, _ = pool(core.TopK(fraction=0.5), [1, 2, 3, 4, 50, 60, 70, 80], [1, 1, 1, 1, 0, 0, 0, 0])
    assert value == pytest.approx(3.5, rel=1e-14)


# -- hard example mining ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"min_kept": 7, "threshold": None}, 7),
        ({"min_kept": 1, "threshold": 0.5}, None),
        ({"min_kept": 39, "threshold": 0.5}, 39),
        ({"min_kept": 1, "threshold": None, "cost_threshold": 0.25}, None),
        ({}, 40),
    ],
    ids=str,
)
def test_hard_examples_are_the_costliest_and_all_above_the_threshold(options, kept):
    costs, weights = random_costs(4), np.random.default_rng(5).uniform(0.1, 2, 40)
    limit = options.get("cost_threshold", -np.log(options.get("threshold") or 0.7))
    hard = np.argsort(costs)[::-1][: np.sum(costs > limit) if kept is None else kept]
    assert len(hard) > 1
    value, slope = pool(core.HardExampleMining(**options), costs, weights)
    assert value == pytest.approx(np.sum((weights * costs)[hard]) / np.sum(weights[hard]), rel=1e-13)
    expected = np.zeros(40)
    expected[hard] = weights[hard] / np.sum(weights[hard])
    np.testing.assert_allclose(slope, expected, rtol=1e-12)


def test_hard_examples_share_the_last_places():
    """Two places: one for the 9, one for three 4s."""
    value, _ = pool(core.HardExampleMining(min_kept=2, threshold=None), [4, 1, 9, 4, 4])
    assert value == pytest.approx(6.5, rel=1e-15)


def test_all_hard_examples_above_the_threshold_count():
    value, _ = pool(core.HardExampleMining(min_kept=2, threshold=0.05), [4, 1, 9, 4, 4])
    assert value == pytest.approx(21 / 4, rel=1e-15)


def test_hard_examples_of_each_image():
    """One place in each image: a 9, and a half of each 4; or a 9 and a 1, beside a 3 above the threshold."""
    options = {"min_kept": 1, "threshold": None, "per_image": True}
    value, slope = pool(core.HardExampleMining(**options), [[9, 1, 3], [4, 0, 4]])
    assert value == pytest.approx((9 + 4) / 2, rel=1e-15)
    np.testing.assert_allclose(slope, [[1 / 2, 0, 0], [1 / 4, 0, 1 / 4]], rtol=1e-12)
    value, _ = pool(core.HardExampleMining(cost_threshold=2, **options), [[9, 1, 3], [1, 0, 0]])
    assert value == pytest.approx((9 + 3 + 1) / 3, rel=1e-15)


def test_class_weights_do_not_choose_hard_examples():
    """Of costs log 2 and log 4 the second is kept, though the first weighs 100 times as much."""
    probabilities = np.asarray([[[0.5, 0.75], [0.5, 0.25]]])
    pooling = core.HardExampleMining(min_kept=1, threshold=None)
    loss = core.CrossEntropyLoss(activation="identity", reduction=pooling, class_weights=(100, 1))
    assert loss(probabilities, np.asarray([[0, 1]])) == pytest.approx(np.log(4), rel=1e-15)


# -- loss max-pooling -------------------------------------------------------------------------------------------------


def constraints(count, ratio, p):
    """The radius of the p-norm ball and the bound τ of a single weight."""
    q = p / (p - 1)
    radius = count ** (-1 / q)
    return radius, radius * (ratio * count) ** (-1 / p)


def dual_bound(costs, ratio, p):
    """The least upper bound on `max Σ v ℓ` by Lagrange duality. With a price λ ≥ 0 on `v ≤ τ`, Hölder gives
    `Σ v ℓ ≤ radius ‖ℓ − λ‖_q + τ Σ λ`; the best prices are `(ℓ − t)₊` for some t, and the bound is convex in t.
    """
    q = p / (p - 1)
    radius, tau = constraints(len(costs), ratio, p)

    def bound(t):
        return radius * np.sum(np.minimum(costs, t) ** q) ** (1 / q) + tau * np.sum(np.maximum(costs - t, 0))

    low, high = 0.0, costs.max()
    for _ in range(200):
        third = (high - low) / 3
        if bound(low + third) <= bound(high - third):
            high -= third
        else:
            low += third
    return bound((low + high) / 2)


def published_weights(costs, ratio, p):
    """`v = min(τ, a ℓ^(1/(p−1)))`, log a by bisection so that the norm is met; τ on each if the losses are too few."""
    radius, tau = constraints(len(costs), ratio, p)

    def weights(log_a):
        return np.minimum(tau, np.exp(log_a) * costs ** (1 / (p - 1)))

    if np.count_nonzero(costs) <= ratio * len(costs):
        return np.where(costs > 0, tau, 0.0)
    reached = np.log(tau) - np.log(costs[costs > 0]) / (p - 1)
    low, high = reached.min() - 10, reached.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.sum(weights(middle) ** p) < radius**p else (low, middle)
    return weights(low)


COSTS = {
    "random": random_costs(4),
    "heavy tail": random_costs(5) ** 3,
    "some zero": random_costs(6) * (np.arange(40) % 3 > 0),
    "most zero": random_costs(7) * (np.arange(40) % 4 == 0),
    "one positive": np.eye(40)[3] * 5,
    "all equal": np.full(40, 0.3),
    "two values": np.where(np.arange(40) < 12, 2.0, 1.0),
    "few": random_costs(8, 4),
    "alone": np.asarray([2.5]),
}
every_cost = pytest.mark.parametrize("costs", COSTS.values(), ids=COSTS)
every_setting = pytest.mark.parametrize(("ratio", "p"), [(0.3, 1.7), (0.05, 1.2), (0.5, 3.0), (1.0, 1.7)])


@every_cost
@every_setting
def test_max_pooling_is_the_optimum(costs, ratio, p):
    value, slope = pool(core.MaxPooling(ratio=ratio, p=p), costs)
    assert value == pytest.approx(dual_bound(costs, ratio, p), rel=1e-12)
    radius, tau = constraints(len(costs), ratio, p)
    assert slope.min() >= 0
    assert slope.max() <= tau * (1 + 1e-12)
    assert np.sum(slope**p) ** (1 / p) <= radius * (1 + 1e-12)
    assert np.sum(slope * costs) == pytest.approx(value, rel=1e-12)


@every_cost
@every_setting
def test_max_pooling_has_the_published_weights(costs, ratio, p):
    expected = published_weights(costs, ratio, p)
    slope = pool(core.MaxPooling(ratio=ratio, p=p), costs)[1]
    np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-12 * expected.max())


def test_max_pooling_by_hand():
    """n = 4, p = 2, m = 2: radius ½, τ = ½ / √2. Losses 0, 0, 3, 4: two of them, as many as m, so v = τ on each."""
    value, slope = pool(core.MaxPooling(ratio=0.5, p=2), [0, 0, 3, 4])
    assert value == pytest.approx(7 / sqrt(8), rel=1e-14)
    np.testing.assert_allclose(slope, [0, 0, 1 / sqrt(8), 1 / sqrt(8)], rtol=1e-14)


def test_max_pooling_without_a_cap_is_the_norm():
    """m = 1 of n = 4, p = 2: τ = radius = ½, and no entry of v reaches it: ½ · ‖(2, 4, 5, 6)‖ = ½ · 9."""
    value, slope = pool(core.MaxPooling(ratio=0.25, p=2), [2, 4, 5, 6])
    assert value == pytest.approx(4.5, rel=1e-14)
    np.testing.assert_allclose(slope, np.asarray([2, 4, 5, 6]) / 18, rtol=1e-13)


def test_max_pooling_tends_to_the_mean():
    """For p → ∞ the bound of a single weight tends to 1/n."""
    costs = random_costs(9)
    assert pool(core.MaxPooling(p=1e6), costs)[0] == pytest.approx(costs.mean(), rel=1e-4)


def test_max_pooling_weights_multiply_the_costs():
    """Weights 1, 2, 0, 3 have mean 2 over the entries that exist: the costs become ½ · 6, 1 · 4, 3/2 · 2."""
    weighted = pool(core.MaxPooling(), [6, 4, 100, 2], [1, 2, 0, 3])
    plain = pool(core.MaxPooling(), [3, 4, 3])
    assert weighted[0] == pytest.approx(plain[0], rel=1e-14)
    np.testing.assert_allclose(weighted[1][[0, 1, 3]], plain[1] * [0.5, 1, 1.5], rtol=1e-13)
    assert weighted[1][2] == 0


def test_max_pooling_of_costs_within_rounding_of_each_other():
    costs = 1 + np.arange(10) * np.finfo(np.float64).eps
    value, slope = pool(core.MaxPooling(), costs)
    assert value == pytest.approx(dual_bound(costs, 0.3, 1.7), rel=1e-13)
    assert np.all(np.isfinite(slope))


# -- all of them ------------------------------------------------------------------------------------------------------

POOLINGS = [core.Minkowski(), core.TopK(), core.MaxPooling(), core.HardExampleMining()]
every_pooling = pytest.mark.parametrize("pooling", POOLINGS, ids=lambda pooling: type(pooling).__name__)


@every_pooling
def test_costs_of_zero_pool_to_zero(pooling):
    value, slope = pool(pooling, np.zeros(5))
    assert value == 0
    np.testing.assert_array_equal(slope, np.zeros(5))


@every_pooling
def test_nothing_to_pool_is_zero(pooling):
    value, slope = pool(pooling, [1.0, 2.0], [0, 0])
    assert value == 0
    np.testing.assert_array_equal(slope, np.zeros(2))


@every_pooling
def test_one_cost_alone(pooling):
    value, slope = pool(pooling, [3.0])
    assert value == pytest.approx(3, rel=1e-14)
    assert slope[0] == pytest.approx(1, rel=1e-14)


@every_pooling
def test_an_infinite_cost_pools_to_infinity(pooling):
    probabilities = np.asarray([[0.5], [0.0]])
    loss = core.CrossEntropyLoss(activation="identity", reduction=pooling)
    assert loss(probabilities, np.asarray([1, 1])) == inf


@every_pooling
def test_scaling_all_weights_changes_nothing(pooling):
    costs, weights = random_costs(10), np.random.default_rng(11).uniform(0.1, 2, 40)
    value, slope = pool(pooling, costs, weights)
    scaled, scaled_slope = pool(pooling, costs, 5 * weights)
    assert scaled == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(scaled_slope, slope, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: core.Minkowski(k=0.5), "k"),
        (lambda: core.TopK(fraction=0), "fraction"),
        (lambda: core.TopK(fraction=1.5), "fraction"),
        (lambda: core.MaxPooling(ratio=0.0), "ratio"),
        (lambda: core.MaxPooling(ratio=2), "ratio"),
        (lambda: core.MaxPooling(p=1), "p"),
        (lambda: core.MaxPooling(p=inf), "p"),
        (lambda: core.HardExampleMining(min_kept=0), "min_kept"),
        (lambda: core.HardExampleMining(threshold=1), "threshold"),
        (lambda: core.HardExampleMining(threshold=None, cost_threshold=-1), "cost_threshold"),
        (lambda: core.HardExampleMining(cost_threshold=1), "threshold"),
        (lambda: core.HardExampleMining(per_image=1), "per_image"),
    ],
)
def test_options_outside_their_range(make, name):
    with pytest.raises((TypeError, ValueError), match=rf"^{name} must be .*, got "):
        make()


# -- of images and classes --------------------------------------------------------------------------------------------

# One pixel, two images of two classes: 1 − 2p/(p + 1) is 1/2, 1/4 in the first, 3/4, 1 in the second; it falls by
# 2/(p + 1)².
P = np.asarray([[[1 / 3], [3 / 5]], [[1 / 7], [0]]])
FALL = np.asarray([[[9 / 8], [25 / 32]], [[49 / 32], [2]]])


def pooled_dice(reduction, **weights):
    """The value, and the derivative by the four costs."""
    per_class = weights.pop("class_weights", None)
    loss = core.DiceLoss(activation="identity", smooth=0.0, reduction=reduction, class_weights=per_class)
    value, gradient = loss.value_and_grad(P, np.ones_like(P), **weights)
    return float(value), (-gradient / FALL).ravel()


def test_minkowski_of_dice_by_hand():
    value, slope = pooled_dice(core.Minkowski(k=2))
    assert value == pytest.approx(sqrt(30) / 8, rel=1e-14)  # √((1/4 + 1/16 + 9/16 + 1) / 4)
    np.testing.assert_allclose(slope, np.asarray([1 / 2, 1 / 4, 3 / 4, 1]) / 4 / value, rtol=1e-13)


def test_minkowski_of_weighted_dice_by_hand():
    """Weights 2, 1, 6 and 3: (2/4 + 1/16 + 6 · 9/16 + 3) / 12 = 37/64."""
    weights = {"class_weights": (2, 1), "sample_weight": np.asarray([1.0, 3.0])}
    value, slope = pooled_dice(core.Minkowski(k=2), **weights)
    assert value == pytest.approx(sqrt(37) / 8, rel=1e-14)
    np.testing.assert_allclose(slope, np.asarray([2 / 2, 1 / 4, 6 * 3 / 4, 3]) / 12 / value, rtol=1e-13)


def test_top_k_of_dice_by_hand():
    value, slope = pooled_dice(core.TopK(fraction=0.5))
    assert value == pytest.approx(7 / 8, rel=1e-15)
    np.testing.assert_allclose(slope, [0, 0, 1 / 2, 1 / 2], rtol=1e-14)


def test_max_pooling_of_dice_by_hand():
    """With p = 2 and ratio 1/4 no weight is capped: the norm of the costs over √4, weights in their proportion."""
    value, slope = pooled_dice(core.MaxPooling(ratio=0.25, p=2.0))
    norm = sqrt(30) / 4
    assert value == pytest.approx(norm / 2, rel=1e-14)
    np.testing.assert_allclose(slope, np.asarray([1 / 2, 1 / 4, 3 / 4, 1]) / norm / 2, rtol=1e-13)


def test_max_pooling_of_dice_with_a_cap_by_hand():
    """With ratio 1 the largest weight is 1/4, which all four have: the mean."""
    value, slope = pooled_dice(core.MaxPooling(ratio=1.0, p=2.0))
    assert value == pytest.approx(5 / 8, rel=1e-14)
    np.testing.assert_allclose(slope, [1 / 4] * 4, rtol=1e-13)


REGION = [kind for kind in core.LOSSES if issubclass(kind, RegionLoss)]
POOLED = [kind for kind in REGION if ENTRIES[kind.__name__].bounds[0] >= 0]


@pytest.mark.parametrize("aggregate", ["image", "batch"])
@pytest.mark.parametrize(
    "pooling", [core.Minkowski(k=2.5), core.MaxPooling(), core.TopK(fraction=0.4)], ids=str
)
@pytest.mark.parametrize("kind", POOLED, ids=lambda kind: kind.__name__)
def test_a_region_loss_pools_its_scores(kind, pooling, aggregate):
    """Those that reduction="none" gives; with the slope along one direction."""
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(3, 4, 5)), random.integers(0, 4, (3, 5))
    common = {"aggregate": aggregate, "absent": "count"}
    given = ENTRIES[kind.__name__].inputs(logits)
    each = kind(**common, reduction="none")(logits, labels, **given)
    loss = kind(**common, reduction=pooling)
    value, gradient = loss.value_and_grad(logits, labels, **given)
    assert value == pytest.approx(pool(pooling, each.ravel())[0], rel=1e-12)
    step = 1e-6 * random.normal(size=logits.shape)
    change = loss(logits + step, labels, **given) - loss(logits - step, labels, **given)
    assert np.sum(gradient * step) == pytest.approx(change / 2, rel=1e-6)


@pytest.mark.parametrize(
    "kind", sorted(set(core.LOSSES) - {core.EnsembleLoss}, key=lambda kind: kind.__name__)
)
def test_a_loss_that_may_be_below_0_takes_no_pooling(kind):
    if ENTRIES[kind.__name__].bounds[0] >= 0:
        needed = {**ENTRIES[kind.__name__].samples[0].hyperparameters, "reduction": core.TopK()}
        assert kind(**needed).reduction == core.TopK()
        return
    with pytest.raises(
        ValueError, match=rf"^reduction must be .* for {kind.__name__}, whose costs may be below 0"
    ):
        kind(reduction=core.TopK())
