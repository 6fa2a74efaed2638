"""What a loss takes beside logits, target and weights: declared by the loss, checked here for all of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from seglosses_core.checks import check_library, describe, dtype_is, same_shape, tuple_text
from seglosses_core.libraries import Array, shape_of


@dataclass(frozen=True)
class Input:
    """One argument: floating-point numbers, or integers, of a shape that is spelled with letters.

    N, C and *S are the logits' images, classes and pixels; any other letter is a length that all inputs that name it
    have in common. Where a letter stands between N and *S its axis is the logits' class axis: "N D *S".
    """

    shape: str
    text: str
    """What it is, for documentation and errors."""
    otherwise: str | None = None
    """What takes its place where it is not given, such as "logits". None: it must be given."""
    integers: bool = False


Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Convention:
    """How the losses of a package are called, for the errors of calls that are another library's."""

    first: str
    second: str
    others: str
    """What all of them take by its name."""
    positional: int = 2
    theirs: str = "takes what was given"
    """What to say of the preset of the library whose call it is."""

    def method(self, method: Method) -> Method:
        """A method that is called like that, and says so where it is not."""
        first, second, most = self.first, self.second, self.positional

        @functools.wraps(method)
        def checked(loss: Any, *arrays: Any, **named: Any) -> Any:
            if min(len(arrays), 2) + (first in named) + (second in named) != 2 or len(arrays) > most:
                name = type(loss).__name__
                given = ", ".join([*["an array"] * len(arrays), *(f"{name}=" for name in named)]) or "nothing"
                raise TypeError(
                    f"{name} is called with {first} and {second}, and all else by its name, got {given}"
                    f"{self._preset(name, len(arrays), named)}."
                )
            return method(loss, *arrays, **named)

        return checked  # type: ignore[return-value]

    def check_names(self, declared: Mapping[str, Input], given: Iterable[str], loss: str) -> None:
        """Require that a loss takes what is given beside what all of them take."""
        unknown = [name for name in given if name not in declared]
        if unknown:
            takes = f"; it takes {', '.join(declared)}" if declared else ""
            raise TypeError(
                f"{loss} takes no {unknown[0]!r} beside {self.first}, {self.second}, {self.others}{takes}"
                f"{self._preset(loss, 2, unknown)}."
            )

    def _preset(self, loss: str, positional: int, named: Collection[str]) -> str:
        from seglosses_core.presets import suggest_call  # which is made of losses

        if named and {*named} <= {
            self.first,
            self.second,
            "logits",
            "target",
        }:  # which is half a call of ours
            return ""
        return suggest_call(loss, positional, named, self.theirs)


CALL = Convention("logits", "target", "mask and sample_weight")


def check_inputs(
    declared: Mapping[str, Input], given: Mapping[str, Any], logits: Array, axis: int, loss: str
) -> dict[str, Array]:
    """Check what a call has beside logits, target and weights, and give it without what is None."""
    present = {name: value for name, value in given.items() if value is not None}
    CALL.check_names(declared, given, loss)
    full = shape_of(logits)
    lengths: dict[str, int | None] = {"N": full[0], "C": full[axis]}
    for name, one in declared.items():
        letters = one.shape.split()
        if name not in present:
            if one.otherwise is None:
                raise TypeError(
                    f"{loss} needs {name}=, {one.text}, of shape ({', '.join(letters)}), got none."
                )
            lengths |= dict(zip(letters[:2], (full[0], full[axis]), strict=True))
            continue
        value = present[name]
        check_library(name, value, logits)
        if not dtype_is(value, "integer" if one.integers else "floating"):
            kind = "integers" if one.integers else "real floating point"
            raise TypeError(f"{name} must be {kind}, got {describe(value)}.")
        shape = shape_of(value)
        pixels = [n for i, n in enumerate(full) if i not in (0, axis)]
        names = _axes(letters, pixels, axis)
        if len(shape) == len(names):
            for letter, length in zip(names, shape, strict=True):
                if isinstance(letter, str):
                    lengths.setdefault(letter, length)
        expected = tuple(lengths.get(n, n) if isinstance(n, str) else n for n in names)
        if not same_shape(shape, tuple(None if isinstance(n, str) else n for n in expected)):
            raise ValueError(
                f"{name} must have the shape {tuple_text(expected)}, {one.text}, got {describe(value)} for logits of"
                f" shape {tuple_text(full)}."
            )
    return present


def _axes(letters: Sequence[str], pixels: Sequence[int | None], axis: int) -> list[str | int | None]:
    """What each axis is: a letter, or a length of the logits."""
    names: list[str | int | None] = [letter for letter in letters if letter != "*S"]
    if "*S" in letters:
        names, channel = [*names[:1], *pixels], names[1:]
        names[axis:axis] = channel
    return names
