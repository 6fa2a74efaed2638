"""The case files as typed objects: `load_cases()` for a runner, in class-axis-1 layout.

The format is `cases/schema.json`; it needs nothing of Python, so that an implementation in any language can be checked.
`case_files` reads the files of others.
"""

from __future__ import annotations

import difflib
import fnmatch
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "cases"
ARRAYS = ("logits", "target", "mask", "sample_weight", "centers", "features", "instances")


@dataclass(frozen=True)
class Expected:
    """float64 arrays. `gradient` is that of the value, or of the sum of a map times its `map_upstream`; None where the
    value is NaN.

    `scale` has the value's shape: the sum of the absolute terms of the value, by which rounding errors are measured.
    `precision`, a fraction of them, is how exact what is expected is itself: more than rounding where it was recorded.
    """

    value: np.ndarray
    gradient: np.ndarray | None
    scale: np.ndarray
    feature_gradient: np.ndarray | None = None
    precision: float = 0.0


@dataclass(frozen=True)
class Case:
    """One call of one loss and what it must give.

    Shapes: logits (N, C, *S), target (N, *S) or (N, C, *S), mask (N, *S) or (N, C, *S), sample_weight (N,),
    centers (C, D), features (N, D, *S), instances (N, *S). `hyperparameters` as in the file, `class_axis` left out.
    """

    id: str
    loss: str
    comment: str
    source: str
    flags: frozenset[str]
    hyperparameters: dict[str, Any]
    logits: np.ndarray
    target: np.ndarray
    expected: Expected
    mask: np.ndarray | None = None
    sample_weight: np.ndarray | None = None
    centers: np.ndarray | None = None
    features: np.ndarray | None = None
    instances: np.ndarray | None = None
    expected_by_dtype: dict[str, Expected] = field(default_factory=dict)

    def expected_for(self, dtype: str) -> Expected:
        """What is expected once logits, features and centers have been rounded to `dtype`."""
        return self.expected_by_dtype.get(dtype, self.expected)


def load_cases(losses: Iterable[str] | None = None) -> list[Case]:
    """The suite's cases of the given losses (all by default), in the order of the files and in each file's order."""
    wanted = None if losses is None else set(losses)
    return [
        case_of(document["loss"], case)
        for file in sorted(FOLDER.glob("*Loss.json"))
        if wanted is None or file.stem in wanted
        for document in [json.loads(file.read_text(encoding="utf-8"))]
        for case in document["cases"]
    ]


def cases_named(cases: Sequence[Case], patterns: Iterable[str]) -> list[Case]:
    """Those of some cases whose id is one of the patterns or fits it, `*` and `?` being any letters.

    Raises
    ------
    ValueError
        If a pattern fits none.
    """
    ids = [case.id for case in cases]
    found: set[str] = set()
    for pattern in patterns:
        fitting = [pattern] if pattern in ids else fnmatch.filter(ids, pattern)
        if not fitting:
            near = difflib.get_close_matches(pattern, ids, n=3)
            raise ValueError(
                f"there is no case {pattern!r}; "
                + (f"did you mean {' or '.join(near)}?" if near else "--list shows all that there are")
            )
        found.update(fitting)
    return [case for case in cases if case.id in found]


def case_of(loss: str, case: dict[str, Any]) -> Case:
    """A case as it stands in a file."""
    return Case(
        loss=loss,
        **{name: case[name] for name in ("id", "comment", "source", "hyperparameters")},
        flags=frozenset(case["flags"]),
        **{name: _optional(case.get(name)) for name in ARRAYS},
        expected=_expected(case["expected"]),
        expected_by_dtype={
            dtype: _expected(expected) for dtype, expected in case.get("expected_by_dtype", {}).items()
        },
    )


def _expected(expected: dict[str, Any]) -> Expected:
    precision = float(expected.get("precision", 0.0))
    arrays = {name: _optional(value) for name, value in expected.items() if name != "precision"}
    return Expected(**arrays, precision=precision)


def _optional(value: Any) -> Any:
    return None if value is None else decode(value)


def decode(value: Any) -> np.ndarray:
    """{"shape", "dtype", "data"}, or one number → array. "nan", "inf" and "-inf" stand for what JSON lacks."""
    if not isinstance(value, dict):
        return np.asarray(float(value))
    data = [float(x) if isinstance(x, str) else x for x in value["data"]]
    return np.asarray(data, dtype=value["dtype"]).reshape(value["shape"])


def map_upstream(shape: tuple[int, ...]) -> np.ndarray:
    """What a map is multiplied by, element by element, before its sum is differentiated: −¾, −¼, ¼, ¾, 1¼, −¾, …

    Both signs, no 0, exact in every dtype: what ignores the upstream gradient is not right with it.
    """
    return (np.arange(np.prod(shape, dtype=int)) % 5 / 2 - 0.75).reshape(shape) if shape else np.ones(())


def encode(array: np.ndarray) -> dict[str, Any]:
    """array → {"shape", "dtype", "data"}"""
    data = [encode_number(x) for x in array.ravel().tolist()]
    return {"shape": list(array.shape), "dtype": array.dtype.name, "data": data}


def encode_number(x: Any) -> Any:
    return str(x) if isinstance(x, float) and not isfinite(x) else x
