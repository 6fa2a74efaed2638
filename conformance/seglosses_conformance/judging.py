"""Results against what they have to be: the expectation of a case, another result, or a combination of others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seglosses_conformance.cases import Case
from seglosses_conformance.checks import Check
from seglosses_conformance.overrides import override_for
from seglosses_conformance.records import Record, Result
from seglosses_conformance.tolerance import (
    Difference,
    as_rounded,
    computed_dtype,
    difference,
    difference_tolerance,
    gradient_tolerance,
    value_tolerance,
)

Judge = Callable[[Record, list[Result]], None]
"""Fills in what the results of a comparison's jobs say."""


def against_expected(case: Case, *, ours: bool, gradient: bool = True, upstream: float = 1.0) -> Judge:
    """The expectation of a case, its gradient times what comes from upstream if `gradient` says that it is asked for.
    Of our own losses the dtypes have to be right too, and no gradient may be missing."""

    def judge_expected(record: Record, results: list[Result]) -> None:
        (result,) = results
        dtype = str(record.dtype)
        expected = case.expected_for(dtype)
        gradients = {"logits": expected.gradient, "features": expected.feature_gradient}
        wanted = {name: g * upstream for name, g in gradients.items() if gradient and g is not None}
        judgement = _Judgement(record, expected.precision)
        for value in result.values:
            judgement.value(value, expected.value, expected.scale)
        for name, slope in wanted.items():
            if name in result.gradients:
                judgement.gradient(name, result.gradients[name], slope, abs(upstream))
                continue
            record.missing.append(name)
            if ours:
                judgement.faults.append(f"there is no gradient of the {name}")
        if ours:
            for name, found in result.dtypes.items():
                judgement.dtype(name, found, computed_dtype(dtype) if name == "value" else dtype)
        judgement.conclude()
        if record.outcome == "pass" and result.remark:
            record.outcome, record.reason = "unsupported", result.remark

    return judge_expected


def against_combined(check: Check, base: Case, *, ours: bool) -> Judge:
    """The result of the whole against those of its parts; `base` is the case that the check is derived from."""

    def judge_combined(record: Record, results: list[Result]) -> None:
        missing = any("logits" not in result.gradients for result in results)
        if missing and ours:
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
        larger = max(1.0, abs(float(value)) / own) if own > 0 else 1.0
        judgement = _Judgement(record)
        judgement.value(combined_value, value, expected.scale * larger)
        if not missing:
            judgement.gradient("logits", combined_gradient, gradient)
        judgement.conclude()

    return judge_combined


def against_differences(record: Record, results: list[Result]) -> None:
    """A derivative that the case does not state against differences of what it is the derivative of."""
    (result,) = results
    assert result.derivative is not None
    assert result.differences is not None
    judgement = _Judgement(record)
    tolerance = difference_tolerance(result.differences)
    judgement.compare("gradient", str(record.check), result.derivative, result.differences, tolerance)
    judgement.conclude()


class _Judgement:
    """The worst value and the worst gradient of one comparison, and what is wrong with them."""

    def __init__(self, record: Record, precision: float = 0.0) -> None:
        self.record = record
        self.precision = precision
        self.dtype_name = str(record.dtype)
        self.override = override_for(record.target, str(record.case), self.dtype_name)
        self.faults: list[str] = []
        self.worst: dict[str, Difference] = {}

    def value(self, actual: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> None:
        tolerance = value_tolerance(scale, self.dtype_name)
        if self.precision:  # or 0 · ∞
            tolerance = tolerance + self.precision * np.abs(scale)
        self.compare("value", "value", actual, expected, tolerance)

    def gradient(self, name: str, actual: np.ndarray, expected: np.ndarray, upstream: float = 1.0) -> None:
        rounded = as_rounded(expected, self.dtype_name)
        title = "gradient" if name == "logits" else f"gradient of the {name}"
        scale = 0.0 if self.override is None else self.override.gradient_scale * upstream
        tolerance = gradient_tolerance(expected, self.dtype_name, scale)
        tolerance += self.precision * np.abs(expected).max(initial=0.0, where=np.isfinite(expected))
        self.compare("gradient", title, actual, rounded, tolerance)

    def dtype(self, name: str, found: list[str], expected: str) -> None:
        wrong = [dtype for dtype in found if dtype != expected]
        if wrong:
            title = "value" if name == "value" else f"gradient of the {name}"
            self.faults.append(f"the {title} is {wrong[0]}, expected {expected}")

    def compare(
        self, part: str, title: str, actual: np.ndarray, expected: np.ndarray, tolerance: np.ndarray
    ) -> None:
        if actual.shape != expected.shape:
            self.faults.append(f"the {title} has shape {actual.shape}, expected {expected.shape}")
            return
        found = difference(actual, expected, tolerance)
        if not found.within:
            place = f" at {list(found.index)}" if found.index else ""
            fault = f"{title}{place}: {found.actual!r}, expected {found.expected!r} ± {found.tolerance:.2g}"
            if fault not in self.faults:
                self.faults.append(fault)
        if part not in self.worst or found.ratio > self.worst[part].ratio:
            self.worst[part] = found

    def conclude(self) -> None:
        record = self.record
        if "value" in self.worst:
            found = self.worst["value"]
            record.value_error, record.value_tolerance = found.error, found.tolerance
        if "gradient" in self.worst:
            found = self.worst["gradient"]
            record.gradient_error, record.gradient_tolerance = found.error, found.tolerance
        record.outcome = "fail" if self.faults else "pass"
        record.reason = "; ".join(self.faults) or ("" if self.override is None else self.override.reason)
