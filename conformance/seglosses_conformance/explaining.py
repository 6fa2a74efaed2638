"""What an implementation seems to compute in place of a case: ours with another hyper-parameter, or a multiple of it.

This is a word for its author and judges nothing: what is expected comes from the oracle, what is tried here from the
core.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np

import seglosses_core
from seglosses_conformance.cases import ARRAYS, Case
from seglosses_conformance.records import Result
from seglosses_conformance.targets import build
from seglosses_conformance.tolerance import ratio_of, rounding_tolerance

Found = tuple[np.ndarray, np.ndarray | None]
"""A value and a gradient."""


def explanation(case: Case, result: Result, dtype: str) -> str:
    """A few words, or none."""
    expected = case.expected_for(dtype)
    found = result.values[-1], result.gradients.get("logits")
    if not _is_finite(found) or expected.gradient is None:
        return ""
    names = [
        f"{name}={value!r}"
        for name, value, other in _others(case)
        if _same(found, other, case, dtype)
        and not _same((expected.value, expected.gradient), other, case, dtype)
    ]
    return f"as with {' or '.join(names)}" if names else _multiple(found, case, dtype)


def _multiple(found: Found, case: Case, dtype: str) -> str:
    """Whether the gradient, or it and the value, are a multiple of what is expected."""
    expected = case.expected_for(dtype)
    gradient = found[1]
    assert expected.gradient is not None
    if gradient is None or gradient.shape != expected.gradient.shape or not np.any(expected.gradient):
        return ""
    factor = float(np.sum(gradient * expected.gradient) / np.sum(expected.gradient**2))
    multiple = factor * expected.gradient
    values = (expected.value, factor * expected.value)
    known = any(_same(found, (value, multiple), case, dtype) for value in values)
    return f"{factor:.4g} times what is expected" if known else ""


def _others(case: Case) -> Iterator[tuple[str, Any, Found]]:
    """Each other value of each hyper-parameter, and what it gives."""
    kind = getattr(seglosses_core, case.loss, None)
    if kind is None:
        return
    arrays = {name: getattr(case, name) for name in ARRAYS if getattr(case, name) is not None}
    for name, parameter in inspect.signature(kind, eval_str=True).parameters.items():
        for value in _values(parameter.annotation) if name not in ("class_axis", "validate") else ():
            changed = {**case.hyperparameters, name: value}
            try:
                loss = build(seglosses_core, case.loss, changed, class_axis=1)
                with np.errstate(all="ignore"):
                    number, gradient = loss.value_and_grad(**arrays)
            except (TypeError, ValueError):  # what goes with nothing else in the case
                continue
            other = np.asarray(number), gradient[0] if isinstance(gradient, tuple) else gradient
            if _is_finite(other):
                yield name, value, other


def _values(annotation: Any) -> list[Any]:
    """What a hyper-parameter may be, as far as its type tells."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType):
        return [value for one in get_args(annotation) for value in _values(one)]
    known: dict[Any, list[Any]] = {bool: [False, True], float: [0.0, 1.0], type(None): [None]}
    return known.get(annotation, [])


def _same(found: Found, other: Found, case: Case, dtype: str) -> bool:
    """Whether two results differ by rounding, of the size of the value's terms and of the largest slope."""
    terms = np.max(case.expected_for(dtype).scale)
    for a, b, scale in zip(found, other, (terms, 0.0), strict=True):
        if a is None or b is None:
            continue
        tolerance = rounding_tolerance(np.max(np.abs(b), initial=scale), case.logits.size, dtype)
        if a.shape != b.shape or np.any(ratio_of(a, b, tolerance) > 1):
            return False
    return True


def _is_finite(found: Found) -> bool:
    return all(part is None or bool(np.isfinite(part).all()) for part in found)
