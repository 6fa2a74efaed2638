"""Results against what they have to be: the expectation of a case, another result, or a combination of others."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from seglosses_conformance import oracle
from seglosses_conformance.cases import Case
from seglosses_conformance.checks import Check
from seglosses_conformance.explaining import explanation
from seglosses_conformance.generate import inputs_for
from seglosses_conformance.grades import STRICTEST, excuses, reaches
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.overrides import override_for
from seglosses_conformance.records import Record, Result
from seglosses_conformance.tolerance import (
    Difference,
    as_rounded,
    computed_dtype,
    difference,
    difference_tolerance,
    gradient_tolerance,
    rounding_tolerance,
    value_tolerance,
)

Judge = Callable[[Record, list[Result]], None]
"""Fills in what the results of a comparison's jobs say."""


def against_expected(case: Case, *, asked: str | None, gradient: bool = True, upstream: float = 1.0) -> Judge:
    """The expectation of a case, its gradient times what comes from upstream if `gradient` says that it is asked for.

    `asked` is the grade that is asked of somebody's own, None of our losses: of these the dtypes have to be right too,
    and no gradient may be missing.
    """

    def judge_expected(record: Record, results: list[Result]) -> None:
        (result,) = results
        dtype = str(record.dtype)
        expected = case.expected_for(dtype)
        gradients = {"logits": expected.gradient, "features": expected.feature_gradient}
        wanted = {name: g * upstream for name, g in gradients.items() if gradient and g is not None}
        judgement = _Judgement(record, asked, case, expected.precision)
        for value in result.values:
            judgement.value(value, expected.value, expected.scale)
        if "shape" in judgement.faults.values():
            wanted = {}  # that of its sum is another
        for name, slope in wanted.items():
            if name in result.gradients:
                judgement.gradient(name, result.gradients[name], slope, abs(upstream))
                continue
            record.missing.append(name)
            if asked is None:
                judgement.fault("gradient", f"there is no gradient of the {name}")
        if asked is None:
            for name, found in result.dtypes.items():
                judgement.dtype(name, found, computed_dtype(dtype) if name == "value" else dtype)
        judgement.conclude()
        if asked is not None and judgement.faults and record.check is None:
            record.cause = ", ".join(filter(None, [record.cause, explanation(case, result, dtype)]))
        if record.outcome == "pass" and result.remark:
            record.outcome, record.reason = "unsupported", result.remark

    return judge_expected


def against_combined(check: Check, base: Case, *, asked: str | None) -> Judge:
    """The result of the whole against those of its parts; `base` is the case that the check is derived from."""

    def judge_combined(record: Record, results: list[Result]) -> None:
        missing = any("logits" not in result.gradients for result in results)
        if missing and asked is None:
            record.reason = "there is no gradient of the logits"
            return
        nothing = np.zeros(check.whole.logits.shape)
        (value, gradient), *parts = [
            (result.values[-1], nothing if missing else result.gradients["logits"]) for result in results
        ]
        combined_value, combined_gradient = check.combine(parts)
        expected = base.expected_for(str(record.dtype))
        # The whole may be the sum where the case has a mean: its terms are larger by as much as its value.
        own = abs(float(expected.value))
        larger = max(1.0, float(np.abs(value).max()) / own) if own > 0 else 1.0
        judgement = _Judgement(record, asked, check.whole, sides=2)
        judgement.value(combined_value, value, expected.scale * larger)
        if not missing:
            judgement.gradient("logits", combined_gradient, gradient)
        judgement.conclude()

    return judge_combined


def against_differences(asked: str | None) -> Judge:
    """A derivative that the case does not state against differences of what it is the derivative of."""

    def judge_differences(record: Record, results: list[Result]) -> None:
        (result,) = results
        assert result.derivative is not None
        assert result.differences is not None
        judgement = _Judgement(record, asked)
        tolerance = difference_tolerance(result.differences)
        judgement.compare("gradient", str(record.check), result.derivative, result.differences, tolerance)
        judgement.conclude()

    return judge_differences


def failed(record: Record, asked: str | None, result: Result) -> None:
    """A comparison of which a result is missing: an exception of the target's, or what else ended it."""
    record.outcome, record.reason = result.outcome or "fail", result.reason
    if record.outcome == "fail":
        record.cause = f"raises {result.raised}" if result.raised else "gives no result"
        _grade(record, asked, None, excuses(record.conventions, raised=True) if result.raised else [])
    else:
        record.conventions = []


def _grade(record: Record, asked: str | None, grade: str | None, conventions: list[str]) -> None:
    """Write the grade and the outcome that it means where `asked` is asked for; what passes none may differ by
    `conventions`."""
    if grade is None and conventions:
        grade, record.conventions = "accurate", conventions
    else:
        record.conventions = []
    if asked is None:
        record.outcome = "pass" if grade == STRICTEST else "fail"
        return
    record.grade = grade
    if not reaches(grade, asked):
        record.outcome = "fail"
    else:
        record.outcome = "differs" if record.conventions else "pass"


class _Judgement:
    """The worst value and the worst gradient of one comparison, and what is wrong with them.

    Of somebody's own it is known too whether what is wrong is no more than the rounding of a right formula: `case` is
    what was computed, on so many `sides` of the comparison.
    """

    def __init__(
        self,
        record: Record,
        asked: str | None,
        case: Case | None = None,
        precision: float = 0.0,
        sides: int = 1,
    ) -> None:
        self.record = record
        self.asked = asked
        self.case = case
        self.precision = precision
        self.sides = sides
        self.dtype_name = str(record.dtype)
        self.override = override_for(record.target, str(record.case), self.dtype_name)
        self.faults: dict[str, str] = {}
        """By what they say: the part that is wrong."""
        self.roundings: list[str] = []
        """What is off by no more than the rounding of a right formula."""
        self.worst: dict[str, Difference] = {}

    @functools.cached_property
    def terms(self) -> oracle.Expected | None:
        """The magnitudes of the terms that the gradients are the sums of, where the oracle knows the loss."""
        if self.case is None or self.case.loss not in ENTRIES:
            return None
        arrays = inputs_for(self.case, self.dtype_name)
        return oracle.evaluate(self.case.loss, self.case.hyperparameters, **arrays, absolute=True)

    def value(self, actual: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> None:
        tolerance = value_tolerance(scale, self.dtype_name)
        if self.precision:  # or 0 · ∞
            tolerance = tolerance + self.precision * np.abs(scale)
        self.compare("value", "value", actual, expected, tolerance, lambda: scale)

    def gradient(self, name: str, actual: np.ndarray, expected: np.ndarray, upstream: float = 1.0) -> None:
        rounded = as_rounded(expected, self.dtype_name)
        title = "gradient" if name == "logits" else f"gradient of the {name}"
        scale = 0.0 if self.override is None else self.override.gradient_scale * upstream
        tolerance = gradient_tolerance(expected, self.dtype_name, scale)
        tolerance += self.precision * np.abs(expected).max(initial=0.0, where=np.isfinite(expected))

        def terms() -> np.ndarray | None:
            known = self.terms
            found = None if known is None else known.gradient if name == "logits" else known.feature_gradient
            return None if found is None else upstream * np.asarray(found)

        self.compare("gradient", title, actual, rounded, tolerance, terms)

    def dtype(self, name: str, found: list[str], expected: str) -> None:
        wrong = [dtype for dtype in found if dtype != expected]
        if wrong:
            title = "value" if name == "value" else f"gradient of the {name}"
            self.fault("dtype", f"the {title} is {wrong[0]}, expected {expected}")

    def fault(self, part: str, text: str) -> None:
        self.faults[text] = part

    def compare(
        self,
        part: str,
        title: str,
        actual: np.ndarray,
        expected: np.ndarray,
        tolerance: np.ndarray,
        terms: Callable[[], np.ndarray | None] = lambda: None,
    ) -> None:
        if actual.shape != expected.shape:
            self.fault("shape", f"the {title} has shape {actual.shape}, expected {expected.shape}")
            return
        found = difference(actual, expected, tolerance)
        if not found.within:
            wider = self._by_terms(actual, expected, tolerance, terms)
            by_rounding = wider is not None and wider.within
            if wider is not None and self.asked != STRICTEST:
                found = wider
            place = f" at {list(found.index)}" if found.index else ""
            within = f" ± {found.tolerance:.2g}" if np.isfinite(found.expected) else ""
            text = f"{title}{place}: {found.actual!r}, expected {found.expected!r}{within}"
            if by_rounding:
                self.roundings.append(text)
            else:
                self.fault(part, text)
        if part not in self.worst or found.ratio > self.worst[part].ratio:
            self.worst[part] = found

    def _by_terms(
        self,
        actual: np.ndarray,
        expected: np.ndarray,
        tolerance: np.ndarray,
        terms: Callable[[], np.ndarray | None],
    ) -> Difference | None:
        """The difference by the measure of the terms, where they matter and are known."""
        magnitudes = terms() if self.asked is not None else None
        if magnitudes is None or self.case is None:
            return None
        more = self.sides * rounding_tolerance(magnitudes, self.case.logits.size, self.dtype_name)
        return difference(actual, expected, tolerance + more)

    def conclude(self) -> None:
        record = self.record
        if "value" in self.worst:
            found = self.worst["value"]
            record.value_error, record.value_tolerance = found.error, found.tolerance
        if "gradient" in self.worst:
            found = self.worst["gradient"]
            record.gradient_error, record.gradient_tolerance = found.error, found.tolerance
        grade = None if self.faults else "convention" if self.roundings else STRICTEST
        _grade(record, self.asked, grade, excuses(record.conventions, raised=False))
        record.reason = "; ".join(dict.fromkeys([*self.faults, *self.roundings]))
        if self.faults:
            record.cause = f"another {' and '.join(sorted(set(self.faults.values()), reverse=True))}"
        elif self.roundings:
            record.cause = "rounding, as of autodiff"
        if record.outcome == "pass":
            record.reason = "" if self.override is None else self.override.reason
            record.reason = "the rounding of autodiff" if self.roundings else record.reason
