"""What an entry is: everything that the suite knows of one loss. The entries themselves are the files of `losses/`."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seglosses_conformance.definitions import Definition
from seglosses_conformance.faults import GradientFault, ValueFault
from seglosses_conformance.oracle.family import Oracle

LABELS_ONLY = ("labels",)
HARD = ("labels", "one-hot")
DENSE = ("labels", "one-hot", "soft")
HEAT_MAPS = (*DENSE, "heat map")
"""Kinds of targets that a loss may take. A heat map is soft, with numbers that are exactly 1, and sums to anything."""
LOGITS_ONLY = ("softmax", "sigmoid")
EXCLUSIVE = ("softmax", "identity")
ACTIVATIONS = ("softmax", "sigmoid", "identity")


POLE = "at p = 0 the slope of log p is infinite; autodiff of the formula, which says what 0 log 0 is, has another"
TIE = "entries of a window that are equal share its slope; autodiff gives it to some of them in other parts"
FLAT = "logits that are equal have no slope when they are standardised; autodiff of the formula has one"
LOST_DIGITS = "autodiff adds up slopes that cancel"
"""Why autodiff of a formula has another gradient."""


@dataclass(frozen=True)
class Sample:
    """One choice of hyper-parameters that every general test is to run a loss with.

    The hyper-parameters are those of a case file, as `targets.build` takes them. What is one number for each class is
    for three classes.
    """

    hyperparameters: dict[str, Any] = field(default_factory=dict)
    targets: tuple[str, ...] = DENSE
    """The kinds of targets that the loss takes with these hyper-parameters."""
    activations: tuple[str, ...] = ACTIVATIONS
    """Those that mean something with these hyper-parameters; a test may put one in the place of the loss's own."""
    bounds: tuple[float, float] | None = None
    """Those of the loss, if not the entry's."""

    def __str__(self) -> str:
        return (
            ",".join(f"{name}={_text(value)}" for name, value in self.hyperparameters.items()) or "defaults"
        )


def _text(value: Any) -> str:
    """A hyper-parameter in few words, for the name of a test."""
    if isinstance(value, list):
        return "(" + " ".join(map(_text, value)) + ")"
    if isinstance(value, dict):
        name, *options = value.values()
        return " ".join([str(name), *(_text(option) for option in options if option != {})])
    return str(value)


@dataclass(frozen=True)
class Override:
    """Where a gradient is a small difference of large terms, and with it rounding is measured by the terms.

    `target`, `case` and `dtype` are patterns with `*` and `?`, as for file names. The cases of an entry are its own,
    by their names.
    """

    case: str
    gradient_scale: float
    """The magnitude of the terms, in place of that of the gradient."""
    reason: str
    target: str = "*"
    dtype: str = "*"

    def matches(self, target: str, case: str, dtype: str) -> bool:
        given = ((target, self.target), (case, self.case), (dtype, self.dtype))
        return all(fnmatch.fnmatchcase(name, pattern) for name, pattern in given)


@dataclass(frozen=True)
class Known:
    """What a paper, another library or a calculation by hand has of a loss on one of `definitions.region.EXAMPLES`,
    whose logits are probabilities, without `smooth`; to nine digits."""

    example: str
    hyperparameters: dict[str, Any]
    values: tuple[float, ...] = ()
    """Of its classes, or of its image."""
    slopes: Mapping[int, float] = field(default_factory=dict)
    """By pixels, the derivatives of the last class by its probability there."""


def known(example: str, found: tuple[float, ...] | Mapping[int, float], **hyperparameters: Any) -> Known:
    """Values, or slopes by pixels."""
    if isinstance(found, tuple):
        return Known(example, hyperparameters, values=found)
    return Known(example, hyperparameters, slopes=found)


@dataclass(frozen=True)
class Refusal:
    """Hyper-parameters that a loss does not take, when it is made or when it is called with three classes."""

    error: type[Exception]
    argument: str
    """What the error names …"""
    given: str
    """… what it says of what came …"""
    wanted: str
    """… and of what would be right."""
    hyperparameters: dict[str, Any]


def refusal(
    error: type[Exception], argument: str, given: str, wanted: str, **hyperparameters: Any
) -> Refusal:
    return Refusal(error, argument, given, wanted, hyperparameters)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Everything that the suite knows of one loss. What its class in the core says of itself is not said again."""

    loss: str
    """The name of its class."""
    source: str
    """The paper and the equation, or where else it is defined."""
    oracle: Oracle
    """The formula, in scalar arithmetic, from the source."""
    cases: Sequence[Definition]
    """What it is asked, in the order of its case file. The results are written by `generate`."""
    prefix: str = ""
    """What the ids of its cases begin with, if not with the words of its name."""
    samples: tuple[Sample, ...] = (Sample(),)
    """What every general test runs it with. The first is the one where one is enough."""
    known: tuple[Known, ...] = ()
    """What others say that it gives, where that is no case."""
    refuses: tuple[Refusal, ...] = ()
    """Its own hyper-parameters as they must not be."""
    value_fault: ValueFault
    """A fault in the value, which the cases have to find."""
    gradient_fault: GradientFault
    """A fault in the gradient alone, which the cases have to find."""
    overrides: tuple[Override, ...] = ()
    """Of the tolerances of its cases."""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """By the name of a check between results that does not hold for it: the reason."""
    autodiff_differs: Mapping[str, str] = field(default_factory=dict)
    """By the name of a case in which autodiff of the formula has another gradient: the reason."""
    inputs: Callable[[np.ndarray], dict[str, np.ndarray]] = lambda logits: {}
    """What a call takes beside logits, target and weights: some arrays that go with logits of class axis 1."""
    bounds: tuple[float, float] = (0, math.inf)
    """Between which it lies as a mean, whatever the logits are. One that may be below 0 takes no pooling."""
    curved: bool = True
    """Whether it has second derivatives that differences find: a function that is linear in the logits, piece by piece,
    has none, and one of extremes, or with a bend so narrow that a step leaves it, none that a step can tell."""
    soft_slope: bool = True
    """Whether it has a derivative with respect to a soft target that differences find: of the regions above 1/2, and of
    what bends there, there is none."""
    alone: bool = True
    """Whether it is what a network is trained with by itself; if not, its class says what it wants beside it."""
    stretch: float = 1
    """By how much it draws logits apart before their exponentials are taken: the oracle needs as many more digits."""

    def id_of(self, case: str) -> str:
        """What a case, or a pattern of cases, is called among those of all losses."""
        return f"{self.prefix or '-'.join(words(self.loss))}/{case}"


def words(loss: str) -> list[str]:
    """FocalTverskyLoss → focal, tversky"""
    return [word.lower() for word in re.findall("[A-Z][a-z]*", loss.removesuffix("Loss"))]
