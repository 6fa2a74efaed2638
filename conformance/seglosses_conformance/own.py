"""Somebody's own implementations as targets: `package.module:callable`. Using one runs its code."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
from typing import Any

import seglosses_core
from seglosses_conformance import frameworks
from seglosses_conformance.frameworks import Framework, Function, Unsupported
from seglosses_conformance.returned import Misused, checked
from seglosses_conformance.targets import Hyperparameters, Target, parse

FRAMEWORKS: dict[str, type[Framework]] = {
    kind.library: kind for kind in (frameworks.NumPy, frameworks.Torch, frameworks.Jax, frameworks.TensorFlow)
}
"""What somebody's own implementation can be written in."""


def own_target(path: str, library: str) -> Target:
    """The target of somebody's own implementation, `package.module:callable`.

    The callable is called as `callable(logits, target, **keywords)` with arrays of the library, logits with the class
    axis where the library has it, and returns a scalar of the library (in NumPy, which has no autodiff, the pair of the
    value and the gradient, or the value alone). The keywords are the hyper-parameters of the case and, where the case
    has them, `mask`, `sample_weight`, `centers`, `features` and `instances`; a hyper-parameter that the signature lacks
    is left out if it has our default, else the case is unsupported. If it is a class, it is constructed with the
    hyper-parameters and then called with the arrays.
    """
    kind = FRAMEWORKS[library]
    return Target(
        name=path,
        title=f"{path} with {library} arrays",
        framework=kind,
        needs=(library,),
        process=path,
        native_axis=kind.native_axis,
        make=functools.partial(_own_function, path, library),
        own=True,
        checks=True,
        ways=kind.ways if kind is frameworks.NumPy else (*kind.ways, "compiled"),
        environment={"TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def resolve(path: str) -> Any:
    """The object that `package.module:name` names; imports the module, which runs its code.

    Raises
    ------
    ValueError
        If the path has another form, or names nothing that can be called.
    """
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
    if not callable(found):
        raise ValueError(f"{path!r} is no callable but {type(found).__name__}")
    return found


def _own_function(
    path: str,
    library: str,
    loss: str,
    hyperparameters: Hyperparameters,
    class_axis: int,
    arrays: dict[str, Any],
) -> Function:
    function = resolve(path)
    given = {**parse(seglosses_core, hyperparameters, class_axis), "class_axis": class_axis}
    ours = getattr(seglosses_core, loss, None)  # a loss that is not ours has no defaults that are known
    defaults = {} if ours is None else inspect.signature(ours).parameters
    accepted = {name: value for name, value in given.items() if _takes(function, name)}
    for name in given.keys() - accepted.keys() - {"class_axis"}:
        if name not in defaults or given[name] != defaults[name].default:
            raise Unsupported(f"{path} has no parameter {name!r}, which is {given[name]!r} in this case")
    if inspect.isclass(function):
        function = function(**accepted)
        if not callable(function):
            raise Misused(f"{path} is a class whose objects cannot be called; right is a __call__ or forward")
        called = getattr(function, "forward", function)  # what a torch module says of its arguments
    else:
        called = function
        function = functools.partial(function, **accepted)
    for name in arrays.keys() - {"logits", "target"}:
        if not _takes(called, name):
            raise Unsupported(f"{path} has no parameter {name!r}, which this case gives")

    return checked(path, library, function)


def require_class_axis(path: str) -> None:
    """Raise `Unsupported` for an implementation that cannot be told where the classes are."""
    if not _takes(resolve(path), "class_axis"):
        raise Unsupported(f"{path} has no parameter 'class_axis'")


def _takes(function: Any, name: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, without a signature
        return False
    return any(
        p.kind is p.VAR_KEYWORD or (p.name == name and p.kind is not p.POSITIONAL_ONLY) for p in parameters
    )
