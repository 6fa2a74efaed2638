"""Somebody's own implementations as targets: `package.module:callable`. Using one runs its code."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import seglosses_core
from seglosses_conformance import frameworks
from seglosses_conformance.cases import ARRAYS, Case
from seglosses_conformance.frameworks import Framework, Function, Unsupported
from seglosses_conformance.returned import Misused, checked
from seglosses_conformance.targets import Hyperparameters, Target, parse

FRAMEWORKS: dict[str, type[Framework]] = {
    kind.library: kind for kind in (frameworks.NumPy, frameworks.Torch, frameworks.Jax, frameworks.TensorFlow)
}
"""What somebody's own implementation can be written in."""

LABELS = ("one-hot", "channel")
"""What `--set target=` takes: labels as a target of the logits' shape, or with a class axis of one."""


class Rename(NamedTuple):
    """`OURS=THEIRS` or `OURS:VALUE=THEIRS:VALUE`: by what keyword they take a hyper-parameter or an array of a case."""

    ours: str
    value: str | None
    """The one value of the hyper-parameter that this is about; None for all."""
    theirs: str
    """Empty where that value needs no keyword."""
    given: str | None
    """What is given for it; None for the value itself."""


def parse_rename(text: str) -> Rename:
    """Raises a ValueError if the text has another form."""
    left, separator, right = text.partition("=")
    (ours, colon, value), (theirs, other_colon, given) = left.partition(":"), right.partition(":")
    needs_nothing = bool(colon) and not right
    if not (separator and ours and (theirs or needs_nothing)) or (other_colon and not colon):
        raise ValueError(f"expected OURS=THEIRS or OURS:VALUE=THEIRS:VALUE, got {text!r}")
    return Rename(ours, value if colon else None, theirs, given if other_colon else None)


def read_value(text: str) -> Any:
    """What an option of the command line gives a keyword: a number, true, null, a list or a word."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Own:
    """An implementation, and how it is called.

    It is called as `callable(logits, target, **keywords)` with arrays of the library, logits with the class axis where
    the library has it, and returns a scalar of the library (in NumPy, which has no autodiff, the pair of the value and
    the gradient, or the value alone). The keywords are the hyper-parameters of the case and, where the case has them,
    `mask`, `sample_weight`, `centers`, `features` and `instances`; a hyper-parameter that the signature lacks is left
    out if it has our default, else the case is unsupported. If it is a class, it is constructed with the
    hyper-parameters and then called with the arrays.
    """

    path: str
    """`package.module:callable`, or another name if the function is given."""
    library: str
    fixed: dict[str, Any] = field(default_factory=dict)
    """Keywords of every call, and `target`, one of `LABELS`, if labels are to be given in another form."""
    renames: tuple[str, ...] = ()
    """As `parse_rename` takes them."""
    function: Any = None
    """The callable, where it is not to be imported."""

    def as_json(self) -> dict[str, Any]:
        """What a worker makes it of again."""
        return {"path": self.path, "library": self.library, "fixed": self.fixed, "renames": self.renames}

    @property
    def words(self) -> list[str]:
        """Of the command line."""
        words = ["--target", self.path, "--framework", self.library]
        for name, value in self.fixed.items():
            text = value if read_value(str(value)) == value else json.dumps(value, default=repr)
            words += ["--set", f"{name}={text}"]
        for rename in self.renames:
            words += ["--rename", rename]
        return words

    @property
    def parsed(self) -> list[Rename]:
        return [parse_rename(text) for text in self.renames]

    @property
    def keywords(self) -> dict[str, Any]:
        """What is given in every call."""
        return {name: value for name, value in self.fixed.items() if name != "target"}

    @functools.cached_property
    def callable(self) -> Any:
        """The object that the path names; imports the module, which runs its code.

        Raises
        ------
        ValueError
            If the path has another form, or names nothing that can be called, or that lacks a keyword that it is to be
            given.
        """
        found = _imported(self.path) if self.function is None else self.function
        if not callable(found):
            raise ValueError(f"{self.path!r} is no callable but {type(found).__name__}")
        described = _described(found)
        names = [(f"--set {name}", name) for name in self.keywords]
        names += [
            (f"--rename {text}", rename.theirs)
            for text, rename in zip(self.renames, self.parsed, strict=True)
            if rename.theirs and not (inspect.isclass(found) and rename.ours in ARRAYS)
        ]
        for option, name in names:
            if not takes(described, name):
                there = ", ".join(parameter.name for parameter in _parameters(described))
                raise ValueError(f"{option}: {self.path} has no parameter {name!r}; it has {there or 'none'}")
        return found

    def with_labels(self, target: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Labels in the form that is wanted, class axis 1."""
        form = self.fixed.get("target")
        if form is None or target.ndim == logits.ndim:
            return target
        if form == "channel":
            return target[:, None]
        classes = logits.shape[1]
        if np.any((target < 0) | (target >= max(classes, 2))):
            raise Unsupported(f"target={form}: a label that is no class, ignored or not, has no such form")
        numbers = np.array([1]) if classes == 1 else np.arange(classes)
        return (target[:, None] == numbers.reshape(-1, *[1] * (logits.ndim - 2))).astype(np.float64)

    def hint(self, target: np.ndarray, logits: np.ndarray) -> str:
        """What may help where the shape of labels is refused."""
        if "target" in self.fixed or target.ndim == logits.ndim:
            return ""
        forms = " or ".join(f"--set target={form}" for form in LABELS)
        return f"; labels are given as {target.shape}, in another form by {forms}"

    def require_class_axis(self) -> None:
        """Raise `Unsupported` if it cannot be told where the classes are."""
        names = [rename.theirs for rename in self.parsed if rename.ours == "class_axis"] or ["class_axis"]
        if not takes(_described(self.callable), names[0]):
            raise Unsupported(f"{self.path} has no parameter 'class_axis'")


def own_target(own: Own) -> Target:
    """The target of somebody's own implementation."""
    kind = FRAMEWORKS[own.library]
    return Target(
        name=own.path,
        title=f"{own.path} with {own.library} arrays",
        framework=kind,
        needs=(own.library,),
        process=own.path,
        native_axis=kind.native_axis,
        make=functools.partial(_function, own),
        own=own,
        checks=True,
        ways=kind.ways if kind is frameworks.NumPy else (*kind.ways, "compiled"),
        environment={"TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def check_names(own: Own, cases: list[Case]) -> None:
    """Raise a ValueError if something is renamed that a loss does not have, or labels are to have a form that there is
    not; the cases are of one loss."""
    known = {
        *ARRAYS,
        "class_axis",
        *_defaults(cases[0].loss),
        *(n for case in cases for n in case.hyperparameters),
    }
    for text, rename in zip(own.renames, own.parsed, strict=True):
        if rename.ours not in known:
            there = ", ".join(sorted(known - {"validate"}))
            raise ValueError(f"--rename {text}: {cases[0].loss} has no {rename.ours!r}; there are {there}")
    form = own.fixed.get("target")
    if form is not None and form not in LABELS:
        raise ValueError(f"--set target= says how labels are given, {' or '.join(LABELS)}, not {form!r}")


def _imported(path: str) -> Any:
    module_name, separator, name = path.partition(":")
    if not (module_name and separator and name):
        raise ValueError(f"expected package.module:callable, got {path!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # a module that is run may raise anything
        known = isinstance(error, (ImportError, AttributeError))
        what = str(error) if known else f"{type(error).__name__}: {error}"
        raise ValueError(f"{path!r} cannot be imported: {what}") from error
    return found


def _function(
    own: Own, loss: str, hyperparameters: Hyperparameters, class_axis: int, arrays: dict[str, Any]
) -> Function:
    given = {**parse(seglosses_core, hyperparameters, class_axis), "class_axis": class_axis}
    keywords = _keywords(own, loss, given)
    function = own.callable
    if inspect.isclass(function):
        function = function(**keywords)
        if not callable(function):
            raise Misused(
                f"{own.path} is a class whose objects cannot be called; right is a __call__ or forward"
            )
        called = _described(function)
    else:
        called, function = _described(function), functools.partial(function, **keywords)
    names = {rename.ours: rename.theirs for rename in own.parsed if rename.ours in ARRAYS}
    for name in sorted(arrays.keys() - {"logits", "target"}):
        if not takes(called, names.get(name, name)):
            raise Unsupported(f"{own.path} has no parameter {names.get(name, name)!r}, which this case gives")
    return checked(own.path, own.library, _by_their_names(function, names) if names else function)


def _by_their_names(function: Callable[..., Any], names: dict[str, str]) -> Callable[..., Any]:
    """Logits and target are given by position, unless one of them has another name: then both are given by name."""
    positional = not {"logits", "target"} & names.keys()

    def call(logits: Any, target: Any, **arrays: Any) -> Any:
        keywords = {names.get(name, name): array for name, array in arrays.items()}
        if positional:
            return function(logits, target, **keywords)
        both = {names.get("logits", "logits"): logits, names.get("target", "target"): target}
        return function(**both, **keywords)

    return call


def _keywords(own: Own, loss: str, given: dict[str, Any]) -> dict[str, Any]:
    """What an implementation is given for the hyper-parameters of a case."""
    defaults, keywords = _defaults(loss), dict(own.keywords)
    known = {**defaults, **given}
    for name in sorted(keywords.keys() & known.keys()):
        if not _same(keywords[name], known[name]):
            raise Unsupported(f"{name!r} is set to {keywords[name]!r}, and is {known[name]!r} in this case")
    renamed, answered = set(), set()
    for ours, value, theirs, instead in own.parsed:
        renamed.add(ours)
        if ours in known and (value is None or _same(read_value(value), known[ours])):
            answered.add(ours)
            if theirs:
                keywords[theirs] = known[ours] if instead is None else read_value(instead)
    for name in given:
        if name in answered:
            continue
        if name not in renamed and takes(_described(own.callable), name):
            keywords[name] = given[name]
        elif name != "class_axis" and not (name in defaults and _same(given[name], defaults[name])):
            of_one = (
                f", which is {given[name]!r}"
                if isinstance(given[name], (str, int, float))
                else ", which is given"
            )
            raise Unsupported(f"{own.path} has no parameter {name!r}{of_one} in this case")
    return keywords


def _same(a: Any, b: Any) -> bool:
    sequences = isinstance(a, (list, tuple)) and isinstance(b, (list, tuple))
    return list(a) == list(b) if sequences else bool(a == b)


def _defaults(loss: str) -> dict[str, Any]:
    """Of a loss that is ours; of another none are known."""
    found = getattr(seglosses_core, loss, None)
    parameters = {} if found is None else inspect.signature(found).parameters
    return {
        name: p.default for name, p in parameters.items() if p.default is not p.empty and name != "class_axis"
    }


def _described(function: Any) -> Any:
    """What says which arguments there are: of a torch module not its call."""
    return function if inspect.isclass(function) else getattr(function, "forward", function)


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # written in C, without a signature
        return []


def takes(function: Any, name: str) -> bool:
    """Whether a function has a parameter, of its name or for any name."""
    return any(
        p.kind is p.VAR_KEYWORD or (p.name == name and p.kind is not p.POSITIONAL_ONLY)
        for p in _parameters(function)
    )
