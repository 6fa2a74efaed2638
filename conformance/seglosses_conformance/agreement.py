"""How far targets are from each other on the same input.

Two results that are within the tolerance may differ by twice the tolerance: that is the measure here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seglosses_conformance.overrides import override_for
from seglosses_conformance.planning import Plan
from seglosses_conformance.records import Job, Result
from seglosses_conformance.tolerance import gradient_tolerance, ratio_of, value_tolerance


@dataclass(frozen=True)
class Agreement:
    """The case of one loss and dtype on which two columns of the report differ most."""

    loss: str
    dtype: str
    first: str
    second: str
    ratio: float
    case: str


def column(target: str, device: str) -> str:
    """The name of a column of the report: the target, and the device where it is not the CPU."""
    return target if device == "cpu" else f"{target} ({device})"


def agreements(made: Plan, results: dict[Job, Result]) -> list[Agreement]:
    """The worst difference of every pair of columns, for each loss and dtype."""
    grouped: dict[tuple[str, str], dict[str, Result]] = {}
    for comparison in made.comparisons:
        (job, *others), record = comparison.jobs, comparison.record
        if others or record.check or results[job].outcome is not None:
            continue
        # The results have their class axis at 1, whichever it was; one of each target is enough.
        grouped.setdefault((job.case, job.dtype), {}).setdefault(column(job.target, job.device), results[job])
    worst: dict[tuple[str, str, str, str], Agreement] = {}
    for (name, dtype), by_column in grouped.items():
        case = made.cases[name]
        expected = case.expected_for(dtype)
        ratios = _ratios(by_column, lambda r: r.values[-1], value_tolerance(expected.scale, dtype))
        if expected.gradient is not None:
            overrides = [override_for(target, name, dtype) for target in made.targets]
            scale = max((override.gradient_scale for override in overrides if override), default=0.0)
            tolerance = gradient_tolerance(expected.gradient, dtype, scale)
            for pair, ratio in _ratios(by_column, lambda r: r.gradients.get("logits"), tolerance).items():
                ratios[pair] = max(ratio, ratios.get(pair, 0.0))
        for (first, second), ratio in ratios.items():
            key = (case.loss, dtype, first, second)
            if key not in worst or ratio > worst[key].ratio:
                worst[key] = Agreement(*key, ratio, name)
    return list(worst.values())


def _ratios(
    by_column: dict[str, Result], part: Callable[[Result], np.ndarray | None], tolerance: np.ndarray
) -> dict[tuple[str, str], float]:
    arrays = {name: part(result) for name, result in by_column.items()}
    fitting = {
        name: array for name, array in arrays.items() if array is not None and array.shape == tolerance.shape
    }
    if len(fitting) < 2:
        return {}
    stacked = np.stack(list(fitting.values()))
    ratio = ratio_of(stacked[:, None], stacked[None, :], 2 * tolerance)
    worst = ratio.reshape(len(fitting), len(fitting), -1).max(axis=2)
    names = list(fitting)
    return {
        (names[i], names[j]): float(worst[i, j]) for i in range(len(names)) for j in range(i + 1, len(names))
    }
