"""What a loss of another library is in terms of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Sizes(NamedTuple):
    """What is only known of a call."""

    classes: int
    pixels: int | None
    """Of an image; None if the recipe does not count them."""
    labelled: bool = True
    """Whether the target is labels."""


class Term(NamedTuple):
    """A loss of ours and its factor."""

    weight: float
    loss: str
    options: Mapping[str, Any]


Terms = Callable[[Sizes], Sequence[Term]]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A loss of another library as a sum of ours."""

    terms: Terms
    activation: str
    target: str = "labels"
    """"labels", which may have an axis for the classes, of length 1, and may be floats; "classes", of the logits'
    shape; "either", which their shape decides."""
    ignore_index: int | None = None
    reduction: str = "mean"
    power: float = 1.0
    """The exponent of what the terms add up to."""
    offset: float = 0.0
    """What is added to that."""
    counts_pixels: bool = False
    """Whether the terms depend on how many pixels an image has."""
    trailing: bool = False
    """Whether reduction="none" has axes of length 1 for the pixels."""
    one_class: bool = False
    """Whether the logits are those of one class, and may lack its axis."""
    without_first: bool = False
    """Whether the softmax is that of all classes but the first."""
    ignores_entries: bool = False
    """Whether single entries of a target of overlapping classes can be ignored: as if p and y were 0 there."""
    clip: float = 0.0
    """What probabilities are cut off at, and 1 less it: with a slope of 0 beyond."""
    takes_mask: bool = False
    """Whether a call has a mask of 0 and 1 behind the target, which may have an axis of length 1 for the classes."""

    def equivalent(self, sizes: Sizes) -> list[tuple[float, str, dict[str, Any]]]:
        """The terms with all of their options."""
        ignore_index = self.ignore_index if sizes.labelled else None
        common = {"activation": self.activation, "ignore_index": ignore_index, "reduction": self.reduction}
        return [(weight, loss, {**common, **options}) for weight, loss, options in self.terms(sizes)]


@dataclass(frozen=True)
class Preset:
    """A loss of another library: its recipe by its own arguments."""

    peer: str
    name: str
    recipe: Callable[..., Recipe]
    arrays: tuple[str, ...] = ()
    """The first parameters of what is a function there: its arrays."""

    @property
    def signature(self) -> inspect.Signature:
        """That of the other library."""
        own = inspect.signature(self.recipe, eval_str=False).parameters.values()
        first = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in self.arrays]
        return inspect.Signature([*first, *(p.replace(annotation=inspect.Parameter.empty) for p in own)])


PRESETS: dict[tuple[str, str], Preset] = {}
"""By library and name."""


LIBRARIES: dict[str, Library] = {}
"""By name."""


class Library:
    """Collects the presets of a library: a decorator for their recipes."""

    def __init__(self, peer: str, title: str, version: str, call: tuple[str, str], *differs: str) -> None:
        """`title`: how it is called; `call`: the names of logits and target where a loss is called; `differs`: what is
        another number here, or none there."""
        self.peer, self.title, self.version, self.call, self.differs = peer, title, version, call, differs
        LIBRARIES[peer] = self

    def __call__(self, recipe: Callable[..., Recipe]) -> Callable[..., Recipe]:
        """A class of the library, with the recipe's name."""
        return self._keep(recipe.__name__, recipe, ())

    def function(self, name: str, *arrays: str) -> Callable[[Callable[..., Recipe]], Callable[..., Recipe]]:
        """A function of the library, whose arguments begin with these arrays."""
        return lambda recipe: self._keep(name, recipe, arrays)

    def _keep(
        self, name: str, recipe: Callable[..., Recipe], arrays: tuple[str, ...]
    ) -> Callable[..., Recipe]:
        PRESETS[self.peer, name] = Preset(self.peer, name, recipe, arrays)
        return recipe


def refuse(refused: bool, argument: str, value: Any, way_out: str) -> None:
    """An argument that no loss of ours stands for, and what to do."""
    if refused:
        raise ValueError(f"{argument}={value!r} is not supported by this preset: {way_out}.")
