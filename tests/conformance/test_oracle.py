"""The oracle against calculations by hand, published identities and finite differences."""

from __future__ import annotations

import subprocess
import sys
import types
from math import e, exp, inf, isnan, log, log1p, nan, sqrt
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from seglosses_conformance.cases import load_cases
from seglosses_conformance.generate import inputs_for
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.losses.center import updated_centers
from seglosses_conformance.losses.dice import dice
from seglosses_conformance.oracle import Expected, evaluate
from seglosses_conformance.oracle.evaluation import upstream
from seglosses_conformance.oracle.family import RatioOfSums, RatioPerImage, total
from seglosses_conformance.oracle.problem import Problem
from seglosses_conformance.oracle.tape import Scalar, plain
from seglosses_conformance.oracle.tape import gradient as slopes_of

CASES = {case.id: case for case in load_cases()}
DEFINITIONS = {entry.id_of(case.name): case for entry in ENTRIES.values() for case in entry.cases}


@pytest.mark.parametrize(
    "name", [name for name, definition in DEFINITIONS.items() if definition.value_by_hand is not None]
)
def test_value_by_hand(name: str) -> None:
    by_hand = DEFINITIONS[name].value_by_hand
    assert float(CASES[name].expected.value) == pytest.approx(by_hand, rel=4e-16, abs=0)


@pytest.mark.parametrize(
    "name", [name for name, definition in DEFINITIONS.items() if definition.gradient_by_hand is not None]
)
def test_gradient_by_hand(name: str) -> None:
    gradient = CASES[name].expected.gradient
    assert gradient is not None
    np.testing.assert_allclose(gradient.ravel(), DEFINITIONS[name].gradient_by_hand, rtol=1e-15, atol=1e-17)


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


@pytest.mark.parametrize(
    "loss", [name for name, entry in ENTRIES.items() if "split batch" not in entry.exceptions]
)
def test_none_sums_to_sum(loss: str) -> None:
    weighted = {"mask": [[1, 0.5, 2, 0]], "sample_weight": [3.0], **ENTRIES[loss].inputs(np.array(LOGITS))}
    options = {**ENTRIES[loss].samples[0].hyperparameters, "class_weights": [0.5, 2.0, 1.0]}
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
        pytest.param(loss, definition, id=entry.id_of(definition.name))
        for loss, entry in ENTRIES.items()
        for definition in entry.cases
        if definition.name in DIFFERENTIATED
    ],
)
def test_gradient_is_the_difference_quotient(loss: str, definition: object) -> None:
    """Every seventh element, by central differences of values that are rounded to double precision."""
    inputs = inputs_for(definition, "float64")  # type: ignore[arg-type]
    hyperparameters = definition.hyperparameters  # type: ignore[attr-defined]
    expected = evaluate(loss, hyperparameters, **inputs)
    step = 2.0**-18
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


# --- What families share, tried on formulas of no loss -----------------------------------------------------


def test_a_function_after_a_ratio() -> None:
    """√L of Dice, its gradient by the chain rule, and its scale: errors of L arrive times the slope 1/(2√L)."""
    problem = Problem([[[0.5, 1.0, 0.25, 0.5]]], [[1, 1, 0, 0]])
    options = {"activation": "identity", "smooth": 0.0}
    loss, _, scale = RatioOfSums(dice)(problem, **options)
    root, _, scale_of_root = RatioOfSums(dice, then=lambda loss, power: loss**power)(
        problem, power=0.5, **options
    )
    assert float(plain(root)) == sqrt(plain(loss))
    assert float(scale_of_root) == pytest.approx(
        float(scale) / (2 * sqrt(plain(loss))) + sqrt(plain(loss)), rel=1e-15
    )
    slopes = zip(slopes_of(root, problem.logits), slopes_of(loss, problem.logits), strict=True)
    assert all(a == pytest.approx(b / (2 * root.value)) for a, b in slopes)


def test_one_ratio_for_each_image() -> None:
    """Two pixels of two classes, all p = 1/2: of each class 2 Σ py = 1 and Σ (p + y) = 2, with weights 1 and 3 the same
    ratio. An image without a pixel leaves the mean, and so does one without a class that counts."""

    def score(classes: Any, smooth: Any) -> tuple[Any, Any]:
        cells = [(w, cell) for w, cells in classes for cell in cells]
        overlap = total(w * cell.w * cell.p * cell.y for w, cell in cells)
        return 2 * overlap + smooth, total(w * cell.w * (cell.p + cell.y) for w, cell in cells) + smooth

    loss = RatioPerImage(score)
    problem = Problem([[[0.5, 0.5], [0.5, 0.5]]] * 2, [[0, 1], [0, 1]], mask=[[1, 1], [0, 0]])
    options = {"activation": "identity", "smooth": 0.0, "class_weights": [1, 3]}
    value, shape, scale = loss(problem, **options)
    assert (float(plain(value)), shape, float(scale)) == (0.5, (), 1.5)
    terms, shape, _ = loss(problem, reduction="none", **options)
    assert ([float(plain(term)) for term in terms], shape) == ([0.5, 0.0], (2,))
    (term,), shape, _ = loss(problem, reduction="none", aggregate="batch", **options)
    assert (float(plain(term)), shape) == (0.5, (1,))
    one_class = Problem([[[0.5, 0.5], [0.5, 0.5]]] * 2, [[0, 1], [0, 0]])
    value, _, _ = loss(one_class, absent="skip", include_background=False, **options)
    assert float(plain(value)) == pytest.approx(0.5)


# --- What an oracle may know -------------------------------------------------------------------------------

JUDGED = {"seglosses_core", "torch", "jax", "keras", "tensorflow", "array_api_compat"}


@pytest.mark.parametrize(
    ("package", "foreign"),
    [("seglosses_conformance.oracle", JUDGED | {"numpy"}), ("seglosses_conformance.losses", JUDGED)],
)
def test_it_knows_nothing_of_what_it_judges(package: str, foreign: set[str]) -> None:
    """What an import brings along, in a process of its own. The cases in the entries are NumPy's arrays."""
    program = (
        f"import sys, {package}; print(sorted({{n.partition('.')[0] for n in sys.modules}} & {foreign}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def referred(thing: Any) -> list[Any]:
    """What a function, an object or a class refers to by a name of its module."""
    if isinstance(thing, types.FunctionType):
        codes = [thing.__code__]
        for code in codes:
            codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        names = {name for code in codes for name in code.co_names}
        return [thing.__globals__[name] for name in names if name in thing.__globals__]
    if isinstance(thing, type):
        return list(vars(thing).values())
    return [type(thing), *vars(thing).values()] if hasattr(thing, "__dict__") else []


@pytest.mark.parametrize("loss", ENTRIES)
def test_an_oracle_uses_scalars_alone(loss: str) -> None:
    """Nothing that it refers to, near or far, is from another library than mpmath."""
    known, waiting, modules = set(), [ENTRIES[loss].oracle], set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in known:
            continue
        known.add(id(thing))
        is_module = isinstance(thing, types.ModuleType)
        module = thing.__name__ if is_module else getattr(thing, "__module__", None) or ""
        modules.add(module)
        if module.startswith("seglosses_conformance.") and not is_module:
            waiting += referred(thing)
    formulas = ("seglosses_conformance.oracle", "seglosses_conformance.losses")
    libraries = {module.partition(".")[0] for module in modules if not module.startswith(formulas)}
    assert libraries - sys.stdlib_module_names - {"", "mpmath"} == set()


def test_the_terms_of_a_gradient_cancel_in_it_alone() -> None:
    """x y − 2 x + x² has the slopes y − 2 + x + x and x."""
    x, y = Scalar(3.0), Scalar(2.0)
    result = x * y - x * 2 + x * x
    assert [float(g) for g in slopes_of(result, [x, y])] == [6, 3]
    assert [float(g) for g in slopes_of(result, [x, y], absolute=True)] == [2 + 2 + 6, 3]


@pytest.mark.parametrize("name", ["dice/perfect", "dice/labels"])
def test_the_terms_of_a_softmax(name: str) -> None:
    """The slope of a score n/d by p has the terms 2y/d and n/d², s together, and that of a logit p s and p Σ p s."""
    case = CASES[name]
    terms = evaluate("DiceLoss", case.hyperparameters, **inputs_for(case), absolute=True).gradient
    p = np.exp(case.logits) / np.exp(case.logits).sum(axis=1, keepdims=True)
    y = np.arange(3).reshape(3, 1, 1) == case.target[:, None]
    d = (p + y).sum(axis=(2, 3), keepdims=True) + 1e-5
    n = 2 * (p * y).sum(axis=(2, 3), keepdims=True) + 1e-5
    s = (2 * y / d + n / d**2) / 6
    np.testing.assert_allclose(terms, p * (s + (p * s).sum(axis=1, keepdims=True)), rtol=1e-9)
