"""What a loss of another library is in terms of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Sizes(NamedTuple):
    """What is only known of a call."""

    classes: int
    pixels: int | None
    """Of an image; None if the recipe does not count them."""
    labelled: bool = True
    """Whether the target is labels."""
    axes: int = 4
    """How many the logits have."""


class Term(NamedTuple):
    """A loss of ours and its factor."""

    weight: float
    loss: str
    options: Mapping[str, Any]


ARRAYS = ("logits", "target", "mask", "sample_weight", "factor")
"""What a call may bring; anything else that it takes there is a parameter of a recipe."""

Terms = Callable[[Sizes], Sequence[Term]]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A loss of another library as a sum of ours."""

    terms: Terms
    activation: str
    target: str = "labels"
    """"labels", which may have an axis for the classes, of length 1, and may be floats; "classes", of the logits'
    shape; "either", which their shape decides."""
    other_labels: bool = False
    """Whether a label outside the classes is a pixel of no class, where both "labels" and "classes" are taken."""
    ignored_last: bool = False
    """Whether a target of "classes" has a channel more, the last, with 1 for pixels that are ignored."""
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
    averages_classes: bool = False
    """Whether reduction="none" is the mean over the classes."""
    takes_sample_weight: bool = False
    """Whether it counts weights of images and pixels as Keras' losses do."""
    buffers: Mapping[str, Any] = field(default_factory=dict)
    """What PyTorch writes of it into a checkpoint, by its name there; None for what is not written."""
    without_first: bool = False
    """Whether the softmax is that of all classes but the first."""
    ignores_entries: bool = False
    """Whether single entries of a target of overlapping classes can be ignored: as if p and y were 0 there."""
    masks_entries: bool = False
    """Whether they are left out by a mask instead, for there it would not be 0 what that costs."""
    ignores_classes: bool = False
    """Whether of a target of several classes ignore_index leaves out the pixels of that class, or if there is none of
    that number those of no class."""
    clip: float = 0.0
    """What probabilities are cut off at, and 1 less it: with a slope of 0 beyond."""
    zero_one_mask: bool = False
    """Whether a mask may hold 0 and 1 alone."""

    def equivalent(self, sizes: Sizes) -> list[tuple[float, str, dict[str, Any]]]:
        """The terms with all of their options."""
        ignore_index = self.ignore_index if sizes.labelled else None
        common = {"activation": self.activation, "ignore_index": ignore_index, "reduction": self.reduction}
        return [(weight, loss, {**common, **options}) for weight, loss, options in self.terms(sizes)]


@dataclass(frozen=True)
class Preset:
    """A loss of another library: its recipe by its own arguments.

    Keyword-only parameters of the recipe that `call` names are what the loss takes there not when it is made but when
    it is called.
    """

    peer: str
    name: str
    recipe: Callable[..., Recipe]
    call: Mapping[str, str]
    """What a call takes there, in its order, and what that is here: an array, or a parameter of the recipe; "" for what
    is not looked at there either."""
    arrays: tuple[str, ...] = ()
    """The first parameters of what is a function there: its arrays."""
    divisor: str = ""
    """A parameter of a function that its value is divided by, where it is given; it may be an array."""
    mask: str | None = None
    """The parameter of such a function that is `mask` here."""
    weight: str = ""
    """One that is `mask` here where it has the logits' shape, and a parameter of the recipe otherwise."""

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Of the recipe."""
        return inspect.signature(self.recipe).parameters

    def options(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call that are parameters of the recipe."""
        named = {self.call[name]: value for name, value in call.items()}
        return {here: value for here, value in named.items() if here and here not in ARRAYS}

    @property
    def signature(self) -> inspect.Signature:
        """That of the other library."""
        at_the_call = self.call.values()
        own = [
            p for p in self.parameters.values() if p.name not in at_the_call or p.kind is not p.KEYWORD_ONLY
        ]
        first = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in self.arrays]
        return inspect.Signature([*first, *(p.replace(annotation=inspect.Parameter.empty) for p in own)])


PRESETS: dict[tuple[str, str], Preset] = {}
"""By library and name."""


LIBRARIES: dict[str, Library] = {}
"""By name."""


class Library:
    """Collects the presets of a library: a decorator for their recipes."""

    def __init__(
        self,
        peer: str,
        title: str,
        version: str,
        call: tuple[str, str],
        *differs: str,
        named: Sequence[str] = (),
        none: Mapping[str, str] | None = None,
        target_first: bool = False,
    ) -> None:
        """`title`: how it is called; `call`: the names of logits and target where a loss is called; `differs`: what is
        another number here, or none there; `named`: the arguments that are functions or classes there, and known here
        by their names; `none`: those that are no numbers and have to be None here, and what to do instead;
        `target_first`: whether its functions begin with the target."""
        self.peer, self.title, self.version, self.call, self.differs = peer, title, version, call, differs
        self.named, self.none, self.target_first = named, none or {}, target_first
        LIBRARIES[peer] = self

    def __call__(self, recipe: Callable[..., Recipe]) -> Callable[..., Recipe]:
        """A class of the library, with the recipe's name."""
        return self._keep(recipe.__name__, recipe)

    def called(self, **call: str) -> Callable[[Callable[..., Recipe]], Callable[..., Recipe]]:
        """A class whose calls are its own: see `Preset.call`."""
        return lambda recipe: self._keep(recipe.__name__, recipe, call=call)

    def function(
        self, name: str, *arrays: str, **options: Any
    ) -> Callable[[Callable[..., Recipe]], Callable[..., Recipe]]:
        """A function of the library, whose arguments begin with these arrays; `options`: see `Preset`."""
        return lambda recipe: self._keep(name, recipe, arrays=arrays, **options)

    def _keep(self, name: str, recipe: Callable[..., Recipe], **options: Any) -> Callable[..., Recipe]:
        call = dict(zip(self.call, ("logits", "target"), strict=True))
        if options.get("weight"):
            call[options["weight"]] = "mask"
        PRESETS[self.peer, name] = Preset(self.peer, name, recipe, **{"call": call, **options})
        return recipe


def refuse(refused: bool, argument: str, value: Any, way_out: str) -> None:
    """An argument that no loss of ours stands for, and what to do."""
    if refused:
        raise ValueError(f"{argument}={value!r} is not supported by this preset: {way_out}.")
