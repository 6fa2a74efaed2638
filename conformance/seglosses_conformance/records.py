"""What is asked for, what comes back and what is said of it: jobs, results, records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seglosses_conformance.cases import decode


@dataclass(frozen=True)
class Job:
    """One result to be computed."""

    target: str
    case: str
    dtype: str
    class_axis: int
    device: str
    gradient: bool = True
    way: str = "plain"
    """Of those in `ways.py`."""
    upstream: float = 1.0
    """What the value is multiplied by before it is differentiated."""


@dataclass
class Result:
    """What a job gave, with the class axis at 1, or why it gave nothing."""

    values: list[np.ndarray] = field(default_factory=list)
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    dtypes: dict[str, list[str]] = field(default_factory=dict)
    derivative: np.ndarray | None = None
    """Of what `ways.DERIVATIVES` names, by autodiff …"""
    differences: np.ndarray | None = None
    """… and what it has to be."""
    remark: str = ""
    """Why a result that is right is not passed."""
    outcome: str | None = None
    reason: str = ""
    raised: str = ""
    """The name of the exception that is the reason."""


@dataclass
class Record:
    """One comparison, as in the JSON file."""

    loss: str
    case: str | None
    check: str | None
    target: str
    dtype: str | None
    class_axis: int | None
    device: str
    outcome: str
    reason: str = ""
    value_error: float | None = None
    value_tolerance: float | None = None
    gradient_error: float | None = None
    gradient_tolerance: float | None = None
    missing: list[str] = field(default_factory=list)
    """Of which inputs the case expects a gradient that the target does not give."""
    grade: str | None = None
    """The highest of `grades.GRADES` that somebody's own passes here; None if none, or if it is ours."""
    conventions: list[str] = field(default_factory=list)
    """Of somebody's own, before it is judged: what the case is about that libraries decide differently. Then the names
    of those that it differs by."""
    cause: str = ""
    """What is wrong, in the few words that failures are grouped by."""
    command: str = ""

    @property
    def ratio(self) -> float | None:
        """The larger error in proportion to its tolerance."""
        ratios = [
            error / tolerance if tolerance else (float("inf") if error else 0.0)
            for error, tolerance in (
                (self.value_error, self.value_tolerance),
                (self.gradient_error, self.gradient_tolerance),
            )
            if error is not None and tolerance is not None
        ]
        return max(ratios, default=None)


def read_result(line: dict[str, Any]) -> Result:
    """A line of a worker as arrays."""
    for key, outcome in (("error", "fail"), ("unsupported", "unsupported"), ("absent", "absent")):
        if key in line:
            return Result(outcome=outcome, reason=line[key], raised=line.get("raised", ""))
    if "derivative" in line:
        return Result(derivative=decode(line["derivative"]), differences=decode(line["differences"]))
    return Result(
        values=[decode(value) for value in line["values"]],
        gradients={name: decode(gradient) for name, gradient in line["gradients"].items()},
        dtypes=line["dtypes"],
        remark=line["remark"],
    )
