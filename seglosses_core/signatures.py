"""What constructors say of themselves, to editors, documentation and configuration tools: types, not names of types."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from typing import Any

Parameters = list[inspect.Parameter]


def types_of(kind: Any, **stand_ins: Any) -> dict[str, Any]:
    """The types of the fields of a dataclass, each read where it was written; `stand_ins` are what a package has for
    some of the names in them, such as `Array=torch.Tensor`."""
    types: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        module = vars(sys.modules[base.__module__])
        for name, written in inspect.get_annotations(base).items():
            if name in kind.__dataclass_fields__:
                types[name] = eval(written, module, stand_ins) if isinstance(written, str) else written
    return types


def resolve(kind: Any, **stand_ins: Any) -> None:
    """Let the constructor that a dataclass has got know these types."""
    kind.__init__.__annotations__ = {**types_of(kind, **stand_ins), "return": None}


def parameters_of(kind: Any, **stand_ins: Any) -> Parameters:
    """The fields of a loss of the core as parameters. None stands for a loss in it that is made where none is given."""
    types, losses, found = types_of(kind, **stand_ins), kind.default_losses(), []
    for field in fields(kind):
        name, default = field.name, field.default
        if name in losses:
            types[name], default = types[name] | None, None
        elif field.default_factory is not MISSING:
            default = field.default_factory()
        found.append(keyword(name, types[name], *([] if default is MISSING else [default])))
    return found


def keyword(name: str, kind: Any, *default: Any) -> inspect.Parameter:
    """A parameter that is given by name, with or without a default."""
    given = default[0] if default else inspect.Parameter.empty
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=given)


def constructor(base: Any, parameters: Iterable[inspect.Parameter]) -> Callable[..., None]:
    """An `__init__` that is that of `base`, and is known to take these parameters."""

    def __init__(self: Any, *positional: Any, **named: Any) -> None:
        base.__init__(self, *positional, **named)

    return known_to_take(parameters)(__init__)


def known_to_take(parameters: Iterable[inspect.Parameter]) -> Callable[[Any], Any]:
    """A decorator of an `__init__`."""
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([itself, *parameters], return_annotation=None)
    types = {p.name: p.annotation for p in signature.parameters.values() if p is not itself}

    def decorate(method: Any) -> Any:
        method.__signature__ = signature
        method.__annotations__ = {**types, "return": None}
        return method

    return decorate
