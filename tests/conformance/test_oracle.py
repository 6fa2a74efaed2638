"""The oracle against calculations by hand, published identities and finite differences."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from math import e, exp, inf, isnan, log, log1p, nan, sqrt

import numpy as np
import pytest
from mpmath import mp

from seglosses_conformance.cases import load_cases
from seglosses_conformance.definitions import DEFINITIONS
from seglosses_conformance.generate import inputs_for
from seglosses_conformance.oracle import LOSSES, Expected, evaluate, updated_centers
from seglosses_conformance.oracle.losses import upstream

CASES = {case.id: case for case in load_cases()}
EPSILON = Fraction(1e-5)  # the float, exactly


def ratio(numerator: Fraction | float, denominator: Fraction | float) -> float:
    """1 − (numerator + ε)/(denominator + ε)"""
    return float(1 - (Fraction(numerator) + EPSILON) / (Fraction(denominator) + EPSILON))


# What the comments of the worked cases come to.
WORKED = {
    "cross-entropy/worked-example": 1.5 * log(2),
    "cross-entropy/worked-softmax": log(3),
    "focal/worked-example": (1 / 16 * log(2) + 9 / 64 * log(4)) / 2,
    "focal/worked-sigmoid": log(2) / 8,
    "distance-aware/worked-example": (1 / 4 + 1 / 64 + 1 / 4) * log(2),
    "mean-squared-error/worked-example": 21 / 64,
    "mean-squared-error/max-pooling-worked": 16 / sqrt(8) + 2,
    "mean-squared-error/top-k-tie": 5 / 2,
    "dice/worked-example": ratio(3, 17 / 4),
    "jaccard/worked-example": ratio(3 / 2, 11 / 4),
    "tversky/worked-example": ratio(3 / 2, 3 / 2 + 3 / 16 + 3 / 8),
    "power-dice/worked-example": ratio(3, 57 / 16),
    "power-jaccard/worked-example": ratio(3 / 2, 33 / 16),
    "pointwise/worked-example": float(1 - 20 * Fraction(9, 8) / (Fraction(17, 4) + EPSILON)),
    "pointwise/worked-union": float(1 - 20 * Fraction(9, 8) / (Fraction(11, 4) + EPSILON)),
    "locally-adaptive/worked-example": (2 * log1p(exp(-2)) + log1p(exp(-2.5))) / 3,
    "locally-adaptive/worked-standardized": log1p(exp(-sqrt(6)) + exp(-2 * sqrt(6))),
    "center/worked-example": log(2) + 3 / 4,
    "ensemble/worked-example": 3 / 4 * log(2) + 1 / 8,
}


@pytest.mark.parametrize("name", WORKED)
def test_worked_value(name: str) -> None:
    assert float(CASES[name].expected.value) == pytest.approx(WORKED[name], rel=4e-16, abs=0)


def test_every_loss_has_a_worked_value() -> None:
    assert {CASES[name].loss for name in WORKED} == set(LOSSES)


WORKED_GRADIENTS = {
    "cross-entropy/worked-example": [-1, 0, 0, -2, 0, 0],
    "cross-entropy/worked-softmax": [-1 / 3, 1 / 6, 1 / 6, -1 / 3, 1 / 6, 1 / 6],
    # d/dz of −α(1 − p)² log p at z = 0 is −α(1/8 + log(2)/4), and its mirror image has 1 − α; halved by the mean.
    "focal/worked-sigmoid": [3 / 8 * (1 / 8 + log(2) / 4), -1 / 8 * (1 / 8 + log(2) / 4)],
    "mean-squared-error/worked-example": [1 / 4, 1 / 8, -1 / 2, 0],
    "mean-squared-error/top-k-tie": [2, 1 / 3, -1 / 3, 1 / 3],
    "mean-squared-error/max-pooling-worked": [8 / sqrt(8), 1, -1, 0],
    # (num − 2y · den)/den², num = 3 + ε, den = 17/4 + ε
    "dice/worked-example": [
        float((3 + EPSILON - 2 * y * (Fraction(17, 4) + EPSILON)) / (Fraction(17, 4) + EPSILON) ** 2)
        for y in (1, 1, 0, 0)
    ],
    # −60 ŷ²y/den + 20 · 9/8 / den²
    "pointwise/worked-example": [
        float(
            -60 * p**2 * y / (Fraction(17, 4) + EPSILON) + Fraction(45, 2) / (Fraction(17, 4) + EPSILON) ** 2
        )
        for p, y in ((Fraction(1, 2), 1), (Fraction(1), 1), (Fraction(1, 4), 0), (Fraction(1, 2), 0))
    ],
    # Cross-entropy (p − y)/2 and distance λ(x − c)/2.
    "center/worked-example": [-1 / 4 + 1 / 4, 1 / 4, 1 / 4 + 1 / 4, -1 / 4 - 1 / 2],
    # Cross-entropy 3/4 · (p − y)/2; Dice, 1 − 2p₁/(p₁ + p₂ + 1), has −3/4 and 1/4 by p, times dp/dz = 1/4, times 1/4.
    "ensemble/worked-example": [-3 / 16 - 3 / 64, 3 / 16 + 1 / 64],
}


@pytest.mark.parametrize("name", WORKED_GRADIENTS)
def test_worked_gradient(name: str) -> None:
    gradient = CASES[name].expected.gradient
    assert gradient is not None
    np.testing.assert_allclose(gradient.ravel(), WORKED_GRADIENTS[name], rtol=1e-15, atol=1e-17)


@pytest.mark.parametrize("name", [name for name in CASES if "printed-derivative" in name])
def test_power_jaccard_derivative_as_printed(name: str) -> None:
    case = CASES[name]
    y, y_hat = float(case.target.item()), case.logits.item()
    p, smooth = case.hyperparameters["p"], case.hyperparameters["smooth"]
    d = y + y_hat**p - y * y_hat + smooth
    printed = (smooth + y * y_hat) * (p * y_hat ** (p - 1) - y) / d**2 - y / d
    assert case.expected.gradient is not None
    assert case.expected.gradient.item() == pytest.approx(printed, rel=1e-15)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("cross-entropy/labels", "cross-entropy/one-hot"),
        ("dice/labels", "dice/one-hot"),
        ("center/weight-0", "cross-entropy/labels"),
        ("power-jaccard/p-1", "tversky/jaccard"),
        ("ensemble/zero-weight", "cross-entropy/labels"),
    ],
)
def test_cases_that_say_the_same(first: str, second: str) -> None:
    a, b = CASES[first].expected, CASES[second].expected
    assert a.gradient is not None
    assert b.gradient is not None
    np.testing.assert_allclose(a.value, b.value, rtol=1e-15)
    np.testing.assert_allclose(a.gradient, b.gradient, rtol=1e-14, atol=1e-17)


LOGITS = [[[1.0, -0.5, 2.0, 0.25], [0.0, 1.5, -1.0, 0.5], [-2.0, 0.75, 0.125, 1.0]]]
LABELS = [[0, 1, 2, 1]]


def value(loss: str, **hyperparameters: object) -> float:
    return evaluate(loss, hyperparameters, LOGITS, LABELS, with_gradient=False).value


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("PointwiseExponentialLoss", {"alpha": 2, "exponent": 1}), ("DiceLoss", {})),
        (
            ("PointwiseExponentialLoss", {"alpha": 1, "exponent": 1, "denominator": "union"}),
            ("JaccardLoss", {}),
        ),
        (("TverskyLoss", {"alpha": 0.5, "beta": 0.5}), ("DiceLoss", {})),
        (("TverskyLoss", {"alpha": 1, "beta": 1}), ("JaccardLoss", {})),
        (("PowerDiceLoss", {"p": 1}), ("DiceLoss", {})),
        (("PowerJaccardLoss", {"p": 1}), ("JaccardLoss", {})),
    ],
)
def test_published_identities(
    first: tuple[str, dict[str, object]], second: tuple[str, dict[str, object]]
) -> None:
    """Without ε: D says α = 2, n = 1 is Dice and α = 1, n = 1 Jaccard; A that p = 1 is the classical loss."""
    one, other = (value(loss, smooth=0.0, **options) for loss, options in (first, second))
    assert one == pytest.approx(other, rel=1e-15)


def test_focal_without_focusing_is_cross_entropy() -> None:
    assert value("FocalLoss", gamma=0.0, alpha=None) == value("CrossEntropyLoss")
    assert value("FocalLoss", gamma=0.0, alpha=0.5, activation="sigmoid") == pytest.approx(
        value("CrossEntropyLoss", activation="sigmoid") / 2, rel=1e-15
    )


def test_distance_aware_without_distance_is_focal() -> None:
    """y ∈ {0, 1} and α = γ: the focal loss without α_t, divided by the number of points."""
    assert value("DistanceAwareCrossEntropyLoss", alpha=2.0) == pytest.approx(
        value("FocalLoss", gamma=2.0, alpha=None, activation="sigmoid", reduction="sum") / 4, rel=1e-15
    )


def test_dice_is_a_function_of_jaccard() -> None:
    """Without ε, D = J/(2 − J) for the losses of one class."""
    logits, labels = [[[0.5, 1.0, 0.25, 0.5]]], [[1, 1, 0, 0]]
    options = {"activation": "identity", "smooth": 0.0}
    j = evaluate("JaccardLoss", options, logits, labels).value
    d = evaluate("DiceLoss", options, logits, labels).value
    assert d == pytest.approx(j / (2 - j), rel=1e-15)


def test_power_jaccard_minimum() -> None:
    """For y = 1, J_p is flat at ŷ = (1/(p − 1))^(1/p), which is 1 for p = 2 (ε = 0)."""
    options = {"activation": "identity", "p": 2.0, "smooth": 0.0}
    assert evaluate("PowerJaccardLoss", options, [[[1.0]]], [[1]]).gradient == [[[0.0]]]


def test_minkowski_of_one_is_the_mean_and_of_much_the_maximum() -> None:
    costs = evaluate("CrossEntropyLoss", {"reduction": "none"}, LOGITS, LABELS).value[0]

    def minkowski(k: float) -> float:
        return value("CrossEntropyLoss", reduction={"pooling": "Minkowski", "k": k})

    assert minkowski(1.0) == pytest.approx(sum(costs) / 4, rel=1e-15)
    assert minkowski(1000.0) == pytest.approx(max(costs), rel=2e-3)


def test_bounds_of_max_pooling() -> None:
    """m = n leaves nothing but the mean, m = 1 nothing but the norm: Hölder's (mean ℓ^q)^(1/q)."""
    costs = evaluate("CrossEntropyLoss", {"reduction": "none"}, LOGITS, LABELS).value[0]
    q = 1.7 / 0.7

    def max_pooling(ratio: float) -> float:
        return value("CrossEntropyLoss", reduction={"pooling": "MaxPooling", "ratio": ratio, "p": 1.7})

    assert max_pooling(1.0) == pytest.approx(sum(costs) / 4, rel=1e-14)
    assert max_pooling(0.25) == pytest.approx((sum(cost**q for cost in costs) / 4) ** (1 / q), rel=1e-14)


def test_top_k_of_all_is_the_mean() -> None:
    whole = value("FocalLoss", reduction={"pooling": "TopK", "fraction": 1.0})
    assert whole == pytest.approx(value("FocalLoss"), rel=1e-15)


@pytest.mark.parametrize("loss", sorted(LOSSES.keys() - {"EnsembleLoss", "CenterLoss"}))
def test_none_sums_to_sum(loss: str) -> None:
    weighted = {"mask": [[1, 0.5, 2, 0]], "sample_weight": [3.0]}
    options = {"class_weights": [0.5, 2.0, 1.0]}
    parts = evaluate(loss, {**options, "reduction": "none"}, LOGITS, LABELS, **weighted).value
    whole = evaluate(loss, {**options, "reduction": "sum"}, LOGITS, LABELS, **weighted).value
    assert np.sum(parts) == pytest.approx(whole, rel=1e-14)


def test_locally_adaptive_window_of_one_pixel() -> None:
    """A window that is the pixel itself doubles the logits (ω = 2, ξ = 1)."""
    doubled = [[[2 * z for z in row] for row in LOGITS[0]]]
    local = value("LocallyAdaptiveLoss", kernel_size=1, standardize=False, reduction="mean")
    assert local == evaluate("CrossEntropyLoss", {}, doubled, LABELS).value


def test_locally_adaptive_floor() -> None:
    """Standardised, C = 3 and a perfect pixel (2, −1, −1)/√2: the cost keeps a floor above 0."""
    floor = evaluate("LocallyAdaptiveLoss", {}, [[[1e4], [0.0], [0.0]]], [[0]])
    assert floor.value == pytest.approx(log1p(2 * exp(-3 * sqrt(2))), rel=1e-15)


def test_ignored_pixels_do_not_matter() -> None:
    with_nan = [[[1.0, nan, 2.0, inf], [0.0, nan, -1.0, nan], [-2.0, nan, 0.125, nan]]]
    without = [[[1.0, 2.0], [0.0, -1.0], [-2.0, 0.125]]]
    for loss in ("CrossEntropyLoss", "DiceLoss", "MeanSquaredErrorLoss", "DistanceAwareCrossEntropyLoss"):
        some = evaluate(loss, {"ignore_index": 9}, with_nan, [[0, 9, 2, 44]], [[1, 1, 1, 0]])
        few = evaluate(loss, {}, without, [[0, 2]])
        assert some.value == few.value
        np.testing.assert_array_equal(np.array(some.gradient)[..., [0, 2]], few.gradient)
        np.testing.assert_array_equal(np.array(some.gradient)[..., [1, 3]], 0.0)


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "DiceLoss", "MeanSquaredErrorLoss"])
def test_label_outside_the_classes(loss: str) -> None:
    expected = evaluate(loss, {}, LOGITS, [[0, 1, 3, 1]])
    assert isnan(expected.value)
    assert expected.gradient is None


def test_weights_of_1_change_nothing() -> None:
    """Soft targets of any sum: a pixel of sum 2 counts twice, one of sum 0 not at all."""
    target = [[[1.0, 2.0, 0.0, 0.25], [0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0]]]
    plain = evaluate("CrossEntropyLoss", {}, LOGITS, target)
    assert plain == evaluate("CrossEntropyLoss", {"class_weights": [1, 1, 1]}, LOGITS, target)
    log_p = -np.array(
        [evaluate("CrossEntropyLoss", {"reduction": "none"}, LOGITS, [[c] * 4]).value[0] for c in (0, 1)]
    )
    wanted = -(log_p[0, 0] + 2 * log_p[0, 1] + 0.25 * log_p[0, 3] + 0.5 * log_p[1, 3]) / 3.75
    assert plain.value == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize("weight", [-1.0, inf, nan])
@pytest.mark.parametrize("name", ["mask", "sample_weight"])
def test_weights_that_are_none(name: str, weight: float) -> None:
    """NaN, be the weight of a pixel that is ignored."""
    given = {"mask": [[1, 1, weight, 1]]} if name == "mask" else {"sample_weight": [weight]}
    assert isnan(evaluate("DiceLoss", {"ignore_index": 2}, LOGITS, LABELS, **given).value)


def test_numbers_that_are_none() -> None:
    """NaN matters where it counts, and only there."""
    logits = [[[nan, *LOGITS[0][0][1:]], *LOGITS[0][1:]]]
    target = [[[nan, 0.5, 0.5, 0.5]] * 3]
    assert isnan(evaluate("JaccardLoss", {}, logits, LABELS).value)
    assert isnan(evaluate("JaccardLoss", {}, LOGITS, target).value)
    assert not isnan(evaluate("JaccardLoss", {}, logits, target, [[0, 1, 1, 1]]).value)
    assert isnan(
        evaluate("DistanceAwareCrossEntropyLoss", {}, LOGITS, [[[0.5, 1.0, 1.0 + 2**-23, 0.0]] * 3]).value
    )


def test_integers_are_never_soft() -> None:
    """Of one class they are labels, of several 0 and 1."""
    sigmoid, one = {"activation": "sigmoid"}, [[[0.5, -1.0, 2.0]]]
    labels = evaluate("FocalLoss", sigmoid, one, [[1, 0, 1]])
    assert evaluate("FocalLoss", sigmoid, one, [[[1, 0, 1]]]) == labels
    assert evaluate("FocalLoss", sigmoid, one, [[[1.0, 0.0, 1.0]]]) == labels
    assert isnan(evaluate("FocalLoss", sigmoid, one, [[[255, 0, 255]]]).value)
    ignored = evaluate("FocalLoss", {**sigmoid, "ignore_index": 255}, one, [[[1, 0, 255]]])
    assert ignored.value == evaluate("FocalLoss", sigmoid, [[[0.5, -1.0]]], [[1, 0]]).value
    hot = [[[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0]]]
    assert evaluate("FocalLoss", {}, LOGITS, hot) == evaluate("FocalLoss", {}, LOGITS, LABELS)
    assert isnan(evaluate("FocalLoss", {}, LOGITS, [[[2 * y for y in row] for row in hot[0]]]).value)
    assert not isnan(evaluate("FocalLoss", {}, LOGITS, [[[2.0 * y for y in row] for row in hot[0]]]).value)


def test_clip_by_hand() -> None:
    """p = 1/16, 1/8, 1/2, 7/8, 1 with label 1 and clip 1/8: log 8, log 8, log 2, log 8/7 and log 8/7."""
    options = {"activation": "identity", "reduction": "sum", "clip": 0.125}
    found = evaluate("CrossEntropyLoss", options, [[[0.0625, 0.125, 0.5, 0.875, 1.0]]], [[1, 1, 1, 1, 1]])
    assert found.value == pytest.approx(2 * log(8) + log(2) + 2 * log(8 / 7), rel=1e-15)
    np.testing.assert_allclose(found.gradient, [[[0, -8, -2, -8 / 7, 0]]], rtol=1e-15)


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "FocalLoss", "DistanceAwareCrossEntropyLoss"])
def test_certain_and_wrong(loss: str) -> None:
    found = evaluate(loss, {"activation": "identity"}, [[[0.0, 1.0, 0.5]]], [[1, 0, 1]])
    assert found.value == inf
    assert found.gradient[0][0][:2] == [-inf, inf]
    assert -inf < found.gradient[0][0][2] < 0


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_an_impossible_class(activation: str) -> None:
    """A logit of −∞ is what a very small one tends to, with a gradient of 0."""

    def found(z: float) -> Expected:
        options = {"activation": activation}
        return evaluate("DiceLoss", options, [[[1.0, -0.5], [0.0, 1.5], [z, 0.75]]], [[0, 1]])

    assert found(-inf).value == pytest.approx(found(-60.0).value, rel=1e-15)
    np.testing.assert_allclose(found(-inf).gradient, found(-60.0).gradient, atol=1e-25)
    assert found(-inf).gradient[0][2][0] == 0


def test_centres_move_as_in_wen_et_al() -> None:
    """Class 0 has pixels (1, 2) and (3, 2): c = (0, 0) moves by α · (4, 4)/3; class 1, with none, stays."""
    new = updated_centers({"rate": 0.75}, [[[1.0, 3.0], [2.0, 2.0]]], [[0, 0]], centers=[[0, 0], [5, 6]])
    assert new == [[1.0, 1.0], [5.0, 6.0]]


def test_centres_weigh_pixels() -> None:
    """Weights 2 and 0, features (1,) and NaN: c = 0 moves by 1/2 · 2/(1 + 2)."""
    new = updated_centers(
        {}, [[[0.0, 0.0], [0.0, 0.0]]], [[1, 1]], [[2, 0]], centers=[[0], [0]], features=[[[1.0, nan]]]
    )
    assert new[0] == [0.0]
    assert new[1] == [pytest.approx(1 / 3, rel=1e-15)]


DIFFERENTIATED = [
    "labels",
    "soft-sums",
    "soft-weights",
    "all-weights",
    "label-smoothing-ignored",
    "smoothing-ignored",
    "absent-skipped-weights",
    "minkowski-weights",
    "max-pooling-weights",
    "top-k-weights",
    "sigmoid-classes",
    "features-weights",
    "features-minkowski",
    "alpha-vector-sigmoid",
    "heat-map-weights",
    "union",
    "p-1-5",
    "stride-2-volume",
    "regions",
]


def shifted(array: np.ndarray | None, index: int, step: object) -> object:
    """The array with `step` added to one element."""
    assert array is not None
    exact = array.astype(object)
    exact.flat[index] = mp.mpf(exact.flat[index]) + step
    return exact


@pytest.mark.parametrize(
    ("loss", "definition"),
    [
        pytest.param(loss, definition, id=definition.id)
        for loss, definitions in DEFINITIONS.items()
        for definition in definitions
        if definition.id.split("/")[1] in DIFFERENTIATED
    ],
)
def test_gradient_is_the_difference_quotient(loss: str, definition: object) -> None:
    """Every seventh element, by central differences of values that are rounded to double precision."""
    inputs = inputs_for(definition, "float64")  # type: ignore[arg-type]
    hyperparameters = definition.hyperparameters  # type: ignore[attr-defined]
    expected = evaluate(loss, hyperparameters, **inputs)
    step = 2.0**-13
    for name, gradient in (("logits", expected.gradient), ("features", expected.feature_gradient)):
        if gradient is None:
            continue
        size = inputs[name].size
        for index in range(0, size, 7):
            ahead, behind = (
                evaluate(
                    loss,
                    hyperparameters,
                    **{**inputs, name: shifted(inputs[name], index, sign * step)},
                    with_gradient=False,
                ).value
                for sign in (1, -1)
            )
            slope = (ahead - behind) / (2 * step)
            assert np.ravel(gradient)[index] == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "DiceLoss"])
def test_gradient_of_a_map_is_that_of_its_weighted_sum(loss: str) -> None:
    options = {"reduction": "none", "activation": "sigmoid"}
    gradient = np.array(evaluate(loss, options, LOGITS, LABELS).gradient)
    step = 2.0**-13

    def total(index: int, step: float) -> float:
        moved = np.array(LOGITS, dtype=float)
        moved.flat[index] += step
        value = np.ravel(evaluate(loss, options, moved, LABELS).value)
        return float(value @ [float(upstream(k)) for k in range(value.size)])

    for index, slope in enumerate(gradient.ravel()):
        quotient = (total(index, step) - total(index, -step)) / (2 * step)
        assert slope == pytest.approx(quotient, rel=1e-6, abs=1e-7)


def test_saturation_is_exact() -> None:
    """At logit differences of 40 and 2e4, 1 − p keeps all its digits."""
    assert evaluate("CrossEntropyLoss", {}, [[40.0, 0.0]], [0]).value == log1p(exp(-40))
    sure = evaluate("FocalLoss", {"gamma": 0.5, "alpha": None}, [[40.0, 0.0]], [0])
    assert sure.value == pytest.approx(e**-60, rel=1e-14)
    assert sure.gradient[0][0] == pytest.approx(-1.5 * e**-60, rel=1e-14)
    wrong = evaluate("CrossEntropyLoss", {}, [[1e4, -1e4]], [1])
    assert wrong.value == 2e4
    assert wrong.gradient == [[1.0, -1.0]]


def test_almost_ties_are_refused() -> None:
    options = {"reduction": {"pooling": "TopK", "fraction": 0.5}}
    with pytest.raises(ValueError, match="almost tie"):
        evaluate("MeanSquaredErrorLoss", options, [[[1.0, 1.0 + 1e-9]]], [[0, 0]])


def test_it_knows_nothing_of_what_it_judges() -> None:
    """The oracle imports mpmath and the standard library, in a process of its own."""
    program = (
        "import sys, seglosses_conformance.oracle; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'seglosses_core', 'numpy', 'torch', 'jax', 'keras', 'tensorflow', 'array_api_compat'}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
