"""How far a result may be off."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from seglosses_conformance import overrides
from seglosses_conformance.cases import Case, Expected
from seglosses_conformance.entries import Override
from seglosses_conformance.judging import against_expected
from seglosses_conformance.records import Record, Result
from seglosses_conformance.tolerance import (
    FLOATS,
    as_rounded,
    difference,
    first_beyond,
    gradient_tolerance,
)

NUMPY = {"float64": np.float64, "float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@pytest.mark.parametrize("dtype", FLOATS)
def test_formats_are_those_of_the_dtypes(dtype: str) -> None:
    info = ml_dtypes.finfo(NUMPY[dtype])
    form = FLOATS[dtype]
    assert form.eps == float(info.eps)
    assert form.largest == float(info.max)
    assert form.smallest_normal == float(info.smallest_normal)
    assert form.smallest_subnormal == float(info.smallest_subnormal)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("x", [1.0, 1.5, 2.0, 3e-3, 65000.0, 6e-8])
def test_ulp_is_the_spacing(dtype: str, x: float) -> None:
    rounded = NUMPY[dtype](x)
    assert FLOATS[dtype].ulp(np.asarray(float(rounded))) == float(np.spacing(rounded))


@pytest.mark.parametrize("dtype", FLOATS)
def test_rounding_a_gradient_is_within_tolerance_and_a_percent_is_not(dtype: str) -> None:
    exact = np.random.default_rng(0).normal(size=100) * np.logspace(-3, 0, 100)
    rounded = exact.astype(NUMPY[dtype]).astype(np.float64)
    allowed = gradient_tolerance(exact, dtype)
    assert difference(rounded, exact, allowed).within
    # bfloat16 has two digits and a bit: there a percent is within two units in the last place.
    off = 1.01 if dtype != "bfloat16" else 1.04
    assert not difference(off * exact, exact, allowed).within


def test_where_the_dtype_underflows_half_its_smallest_number_is_allowed() -> None:
    tiny = FLOATS["float16"].smallest_subnormal
    allowed = gradient_tolerance(np.asarray([tiny / 3]), "float16")
    assert difference(np.asarray([0.0]), np.asarray([tiny / 3]), allowed).within
    assert not difference(np.asarray([tiny]), np.asarray([tiny / 3]), allowed).within


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_matches_itself_alone(x: float) -> None:
    assert difference(np.asarray(x), np.asarray(x), 0.0).error == 0
    for other in {0.0, 1.0, np.inf, -np.inf} - {x}:
        assert difference(np.asarray(x), np.asarray(other), 1e9).error == np.inf


def test_too_large_for_the_dtype_is_expected_to_be_infinite() -> None:
    assert as_rounded(np.asarray([7e4, -7e4, 6e4]), "float16").tolist() == [np.inf, -np.inf, 6e4]


@pytest.mark.parametrize("part", ["value", "gradient"])
def test_what_was_recorded_is_no_more_exact_than_it_says(part: str) -> None:
    shape = (1, 2, 3)
    recorded = Expected(np.array(2.0), np.ones(shape), np.array(2.0), precision=1e-6)
    case = Case("one", "DiceLoss", "", "", frozenset(), {}, np.zeros(shape), np.zeros((1, 3)), recorded)
    for error, outcome in ((9e-7, "pass"), (2e-6, "fail")):
        factor = {part: 1 + error}
        value, gradient = 2 * np.array(factor.get("value", 1.0)), factor.get("gradient", 1.0) * np.ones(shape)
        result = Result([value], {"logits": gradient}, {"value": ["float64"], "logits": ["float64"]})
        record = Record("DiceLoss", "one", None, "numpy", "float64", 1, "cpu", "")
        against_expected(case, asked=None)(record, [result])
        assert record.outcome == outcome


def test_the_first_index_beyond_the_tolerance() -> None:
    expected = np.zeros((2, 3))
    actual = expected.copy()
    actual[0, 2], actual[1, 0] = 2.0, 9.0
    assert first_beyond(actual, expected, 1.0) == (0, 2)
    assert first_beyond(actual, expected, 10.0) is None


def test_an_override_that_matches_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides, "OVERRIDES", (Override("dice/gone", 1.0, "why"),))
    with pytest.raises(ValueError, match="dice/gone"):
        overrides.check_overrides(["numpy"], ["dice/labels"])


def test_an_override_without_a_reason_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides, "OVERRIDES", (Override("dice/*", 1.0, ""),))
    with pytest.raises(ValueError, match="reason"):
        overrides.check_overrides(["numpy"], ["dice/labels"])
