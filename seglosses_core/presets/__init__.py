"""The losses of other libraries, by their names and arguments.

from seglosses_core.presets.monai import DiceCELoss
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from types import ModuleType
from typing import Any

from seglosses_core.checks import is_array
from seglosses_core.libraries import shape_of
from seglosses_core.presets import recipes
from seglosses_core.presets.loss import PresetLoss
from seglosses_core.presets.recipe import LIBRARIES, PRESETS, Preset

PEERS = tuple(module.name for module in pkgutil.iter_modules(recipes.__path__))

__all__ = ["PEERS", "PresetLoss"]


def suggest(name: str, positional: Sequence[Any], named: Mapping[str, Any]) -> str:
    """For the error of a loss that is not made with these arguments: the presets of its name that are."""

    def fits(preset: Preset) -> bool:
        try:
            given = preset.signature.bind_partial(*positional, **named).arguments
        except TypeError:
            return False
        return all(_may_be(preset.parameters[parameter], value) for parameter, value in given.items())

    return _taken_by(name, fits, "takes what was given")


def suggest_call(name: str, positional: int, named: Collection[str], say: str) -> str:
    """For the error of a loss that is not called with so many arrays and these names: the presets of its name that
    are, and what to say of them."""

    def fits(preset: Preset) -> bool:
        taken = list(preset.call)
        enough = positional + len(named) >= 2 and positional <= len(taken)
        return enough and {*named} <= {*taken[positional:], "logits", "target"}

    return _taken_by(name, fits, say)


def _taken_by(name: str, fits: Callable[[Preset], bool], say: str) -> str:
    found = [f"presets.{one.peer}.{name}" for one in PRESETS.values() if one.name == name and fits(one)]
    return f"; {' or '.join(found)} {say}" if found else ""


_TYPES: dict[str, type | tuple[type, ...]] = {"bool": bool, "str": str, "int": int, "float": (int, float)}


def _may_be(parameter: inspect.Parameter, value: Any) -> bool:
    """Whether the parameter of a recipe is annotated as what this is. A flag is no number."""
    kinds = str(parameter.annotation).split(" | ")
    if "Any" in kinds or value is None:
        return True
    return any(isinstance(value, _TYPES[kind]) for kind in kinds if kind in _TYPES) and (
        "bool" in kinds or not isinstance(value, bool)
    )


def offer(
    package: str,
    kind: Callable[..., Any],
    class_axis: int,
    *,
    target_first: bool = False,
    further: Sequence[str] = (),
) -> None:
    """Put the presets of every library into modules of this package, made of losses of this kind, which takes `further`
    arguments."""
    for peer in PEERS:
        importlib.import_module(f"seglosses_core.presets.recipes.{peer}")
        module = ModuleType(f"{package}.{peer}", f"The losses of {peer}, by their names and arguments.")
        names = {
            name: _offered(preset, kind, class_axis, target_first, further)
            for (of, name), preset in PRESETS.items()
            if of == peer
        }
        vars(module).update(names, __all__=list(names))
        sys.modules[module.__name__] = vars(sys.modules[package])[peer] = module


def _offered(
    preset: Preset, kind: Callable[..., Any], class_axis: int, target_first: bool, further: Sequence[str]
) -> Callable[..., Any]:
    """A class, or what is called as one; of a function, `loss` is that without its arrays."""
    options = inspect.signature(preset.recipe)

    def taken_out(arguments: dict[str, Any]) -> dict[str, Any]:
        return {name: arguments.pop(name) for name in further if name in arguments}

    def loss(*args: Any, class_axis: int = class_axis, **arguments: Any) -> Any:
        own = taken_out(arguments)
        bound = options.bind(*args, **arguments)
        bound.apply_defaults()
        given = tuple(bound.arguments.items())
        return kind(peer=preset.peer, preset=preset.name, arguments=given, class_axis=class_axis, **own)

    def call(*args: Any, class_axis: int = class_axis, **arguments: Any) -> Any:
        own = taken_out(arguments)
        bound = preset.signature.bind(*args, **arguments)
        bound.apply_defaults()
        arrays = [bound.arguments.pop(name) for name in preset.arrays]
        mask = {} if preset.mask is None else {"mask": bound.arguments.pop(preset.mask)}
        weight = bound.arguments.get(preset.weight)
        if is_array(weight) and shape_of(weight) == shape_of(arrays[0]):
            mask, bound.arguments[preset.weight] = {"mask": weight}, None
        divisor = bound.arguments.get(preset.divisor)
        if divisor is not None:
            bound.arguments[preset.divisor] = 1  # another in each call, which no loss is made for
        made = loss(class_axis=class_axis, **bound.arguments, **own)
        other_order = target_first != LIBRARIES[preset.peer].target_first
        value = made(*(reversed(arrays) if other_order else arrays), **mask)
        return value if divisor is None else value / divisor

    offered = functools.wraps(preset.recipe)(call if preset.arrays else loss)
    offered.__name__ = offered.__qualname__ = preset.name
    vars(offered).update(__signature__=preset.signature, preset=preset, loss=loss)
    return offered


offer(__name__, PresetLoss, class_axis=1)
