"""A frozen set of hyper-parameters: how it is made, compared and copied, and which arrays are in it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Self

from seglosses_core.across import Across
from seglosses_core.checks import identity, is_array, same
from seglosses_core.libraries import Array


class Hyperparameters:
    """What a loss is as long as nobody calls it. Its kinds are frozen dataclasses, whose fields are taken by name."""

    _across: Across | None = None
    """Where the other parts of a batch are: no hyper-parameter, and yet it makes two losses differ."""
    _looked_at: Any = (True,)
    """Whether `_look_once` has been there. Losses that JAX puts together again are not looked at."""
    kept: list[Array] | None = None
    """Where an ensemble that is `keeping` leaves what its members give."""

    def __new__(cls, *positional: Any, **named: Any) -> Self:
        takes: Any = cls.__dataclass_fields__  # type: ignore[attr-defined]
        unknown = {name: value for name, value in named.items() if name not in takes}
        if positional or unknown:
            from seglosses_core.presets import suggest  # which is made of losses

            hint = suggest(cls.__name__, positional, unknown)
            given = ["a positional argument"] if positional else []
            given += [f"an unexpected keyword argument {name!r}" for name in unknown]
            raise TypeError(f"{cls.__name__} got {given[0]}; it takes by name {', '.join(takes)}{hint}.")
        loss = super().__new__(cls)
        object.__setattr__(loss, "_looked_at", [])  # one list for a loss and its copies
        return loss

    def hyperparameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]

    def arrays(self) -> list[tuple[str, Array]]:
        """The arrays among the hyper-parameters, here and in the losses in it, with their names."""
        found: list[tuple[str, Array]] = []
        for name in self.__dataclass_fields__:  # type: ignore[attr-defined]
            value = getattr(self, name)
            if value is None or isinstance(value, (str, int, float)):
                continue
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Hyperparameters):
                    found += item.arrays()
                elif is_array(item):
                    found.append((name, item))
        return found

    @classmethod
    def default_losses(cls) -> dict[str, Any]:
        """The hyper-parameters that are losses unless they are given; an adapter puts its own there."""
        made: dict[str, Any] = {field.name: field.default_factory for field in fields(cls)}  # type: ignore[arg-type]
        return {
            name: kind
            for name, kind in made.items()
            if isinstance(kind, type) and issubclass(kind, Hyperparameters)
        }

    def __init_subclass__(cls, **options: Any) -> None:
        # In the class itself, or `dataclass` puts its own there, which fail for arrays.
        super().__init_subclass__(**options)
        cls.__eq__ = Hyperparameters.__eq__  # type: ignore[method-assign]
        cls.__hash__ = Hyperparameters.__hash__  # type: ignore[method-assign]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine = self.hyperparameters().items()
        return self._across == other._across and all(
            same(value, getattr(other, name)) for name, value in mine
        )

    def __hash__(self) -> int:
        # A loss that is half made, too, which the compilers of torch 2.7 and before look at.
        held = (getattr(self, name, None) for name in self.__dataclass_fields__)  # type: ignore[attr-defined]
        return hash((type(self), self._across, *map(identity, held)))


def replace(loss: Any, /, **changes: Any) -> Any:
    """A copy of a loss with other hyper-parameters that are known to be right: without the checks of a new one, which
    cannot look at arrays that are being traced."""
    kept = loss.hyperparameters()
    for name in changes:
        if name not in kept:
            raise TypeError(f"{type(loss).__name__} has no hyper-parameter {name!r}.")
    new = object.__new__(type(loss))  # copy.copy and vars are followed by no torch.compile before torch 2.9
    for name, value in {**kept, **changes}.items():
        object.__setattr__(new, name, value)
    for name in ("_across", "_looked_at", "kept"):
        if getattr(loss, name) is not getattr(Hyperparameters, name):
            object.__setattr__(new, name, getattr(loss, name))
    return new
