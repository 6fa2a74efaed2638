"""How much a run asks of somebody's own implementation, and what the cases are about that libraries decide differently.

A right formula in float32, differentiated by a framework, gives other last digits than a derivative that is written for
them, and a library may have reasons to raise where ours gives NaN. A grade says which of that is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from seglosses_conformance.cases import Case

GRADES = {
    "accurate": "the formula is right, to the digits that autodiff can give in the dtype of the logits",
    "convention": "and it is as here where libraries decide differently",
    "exact": "and every number is within the tolerance of our own",
}
"""From the least that is asked to the most. Each asks for all that the ones before it ask for."""

STRICTEST = "exact"


def reaches(grade: str | None, asked: str) -> bool:
    """Whether what is of one grade, or of none, passes where another is asked for."""
    order = list(GRADES)
    return grade is not None and order.index(grade) >= order.index(asked)


@dataclass(frozen=True)
class Convention:
    """What libraries decide differently, and which cases are about it."""

    name: str
    here: str
    applies: Callable[[Case], bool]
    refused: bool = False
    """Whether all that may differ is that others refuse such a case: a number that they give has to be ours."""


def _flag(name: str) -> Callable[[Case], bool]:
    return lambda case: name in case.flags


CONVENTIONS = {
    convention.name: convention
    for convention in (
        Convention(
            "bad labels",
            "a label that is no class, and is not ignored, makes the value NaN",
            _flag("invalid-label"),
        ),
        Convention(
            "bad numbers",
            "NaN where it counts, and a weight that is negative, infinite or NaN, make the value NaN",
            lambda case: "nan" in case.flags and "invalid-label" not in case.flags,
        ),
        Convention(
            "absent classes",
            "a class that the target lacks counts like any other, by its ε, unless `absent` says otherwise",
            _flag("absent-class"),
        ),
        Convention(
            "ε",
            "`smooth` is added to numerator and denominator, unless the source says otherwise",
            lambda case: bool(case.hyperparameters.get("smooth")),
        ),
        Convention(
            "nothing valid", "where no pixel counts the value and the gradient are 0", _flag("all-ignored")
        ),
        Convention(
            "what is left out",
            "the logits of pixels that are ignored, or weigh nothing, are not read, NaN or not",
            lambda case: bool(np.isnan(case.logits).any()) and "nan" not in case.flags,
        ),
        Convention("class weights", "the mean divides by the weights", _flag("class-weights")),
        Convention(
            "weights of pixels and images",
            "they multiply, and the mean divides by them",
            lambda case: case.mask is not None or case.sample_weight is not None,
        ),
        Convention("divisor", "it says what the mean divides by", _flag("divisor")),
        Convention("no reduction", "the costs of pixels, or the scores (N, C)", _flag("none")),
        Convention("equal costs", "they share a place among the largest", _flag("tie")),
        Convention("infinite logits", "a logit of −∞ makes a class impossible", _flag("infinite")),
        Convention(
            "targets of any sum",
            "a pixel weighs the sum of its target",
            lambda case: _is_exclusive(case) and not np.allclose(case.target.sum(axis=1), 1),
        ),
        Convention("soft targets", "a target has a number for each class", _flag("soft"), refused=True),
        Convention(
            "one-hot targets",
            "a target of the logits' shape is one-hot if it has booleans or whole numbers",
            lambda case: "one-hot" in case.flags or (_has_classes(case) and case.target.dtype.kind != "f"),
            refused=True,
        ),
        Convention(
            "labels of other dtypes",
            "any integers are labels",
            lambda case: not _has_classes(case) and case.target.dtype not in (np.int64, np.float64),
            refused=True,
        ),
        Convention(
            "one class",
            "label 1 is the foreground, and the labels may have the axis of the class",
            _flag("one-class"),
            refused=True,
        ),
        Convention("no spatial axis", "an image of logits (N, C) is one pixel", _flag("no-space")),
        Convention(
            "one spatial axis or three",
            "there may be any number of them",
            lambda case: case.logits.ndim in (3, 5),
            refused=True,
        ),
    )
}
"""By their names, in the order in which a case that is about several names them."""


def _has_classes(case: Case) -> bool:
    """Whether its target has an element for each of several classes."""
    return case.logits.shape[1] > 1 and case.target.ndim == case.logits.ndim


def _is_exclusive(case: Case) -> bool:
    """Whether its target has numbers for classes of which a pixel has one."""
    exclusive = case.hyperparameters.get("activation") != "sigmoid"
    return exclusive and _has_classes(case) and case.target.dtype.kind == "f"


def conventions_of(case: Case) -> list[str]:
    """The names of what a case is about that libraries decide differently."""
    return [convention.name for convention in CONVENTIONS.values() if convention.applies(case)]


def excuses(conventions: Iterable[str], *, raised: bool) -> list[str]:
    """Those of some conventions that are reason enough for an exception, or for another number."""
    return [name for name in conventions if raised or not CONVENTIONS[name].refused]
