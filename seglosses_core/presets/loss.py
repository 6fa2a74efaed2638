"""One class for the losses of all libraries."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import seglosses_core
from seglosses_core.call import Back, Call, Gradients, Shared
from seglosses_core.checks import (
    check_array,
    check_choice,
    check_logits,
    describe,
    dtype_is,
    is_array,
    python_number,
    same_shape,
    shape_text,
)
from seglosses_core.inputs import Input
from seglosses_core.libraries import Array, library_of, shape_of
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops
from seglosses_core.parts import Parts
from seglosses_core.pixel import PixelLoss
from seglosses_core.presets.recipe import ARRAYS, LIBRARIES, PRESETS, Recipe, Sizes
from seglosses_core.statistics import Statistics

_recipes: dict[str, Recipe] = {}
"""Of a library, a loss and its arguments, as JSON."""
_losses: dict[str, dict[Any, tuple[float, Loss]]] = {}
"""What these come to for so many classes: a loss of the core, and a factor, which only maps of costs have."""
_variants: dict[str, dict[Any, PresetLoss]] = {}
"""What they come to with the options of a call."""


def find_loss(key: str, class_axis: int, *sizes: Any) -> None:
    """Put a loss where the presets of this key look. What compilers trace calls this with constants, and then looks at
    what has been put there."""
    known = (class_axis, *sizes)
    if known in _losses[key]:
        return
    recipe = _recipes[key]
    terms = recipe.equivalent(Sizes(*sizes))
    losses = [getattr(seglosses_core, name)(class_axis=class_axis, **options) for _, name, options in terms]
    weights = [weight for weight, _, _ in terms]
    if len(losses) == 1 and (weights[0] == 1 or recipe.reduction == "none"):
        _losses[key][known] = weights[0], losses[0]
    else:
        _losses[key][known] = 1.0, seglosses_core.EnsembleLoss(losses=losses, weights=weights)


def find_variant(
    key: str, kind: type[PresetLoss], class_axis: int, options: tuple[tuple[str, Any], ...]
) -> None:
    """Put the loss that these options of a call make of one where that one looks, as `find_loss` does."""
    known = (kind, class_axis, options)
    if known not in _variants[key]:
        peer, preset, arguments = json.loads(key)
        arguments = {**dict(arguments), **dict(options)}
        _variants[key][known] = kind(peer=peer, preset=preset, arguments=arguments, class_axis=class_axis)


@dataclass(frozen=True, kw_only=True, repr=False)
class PresetLoss(Loss):
    """A loss of another library by its own arguments, computed by ours: `equivalent` says by which.

    Not made by its constructor but by the names in `presets`, such as `presets.monai.DiceCELoss`.

    Parameters
    ----------
    peer : str
        The library.
    preset : str
        The name of the loss there.
    arguments : sequence of pairs of name and value
        What the loss is made with there; arrays are numbers here, and are not learnt.
    class_axis : int
        Where the logits, and a target of their shape, have their classes.
    """

    peer: str
    preset: str
    arguments: Any
    class_axis: int = 1

    validate = False
    has_a_target_of_its_own = True

    def __post_init__(self) -> None:
        check_choice("peer", self.peer, tuple({peer for peer, _ in PRESETS}))
        check_choice("preset", self.preset, tuple(name for peer, name in PRESETS if peer == self.peer))
        given = self.arguments.items() if isinstance(self.arguments, Mapping) else self.arguments
        library = LIBRARIES[self.peer]
        arguments = tuple((name, _plain(name, value, library.named, library.none)) for name, value in given)
        object.__setattr__(self, "arguments", arguments)
        check_choice("reduction", self.reduction, ("mean", "sum", "none"))

    @property
    def recipe(self) -> Recipe:
        return self._shared[1]

    @property
    def _shared(self) -> tuple[str, Recipe, dict[Any, tuple[float, Loss]]]:
        """What all presets of these arguments have in common: their key, the recipe, and what it comes to."""
        if "_common" not in self.__dict__:
            key = json.dumps([self.peer, self.preset, self.arguments])
            if key not in _recipes:
                recipe = PRESETS[self.peer, self.preset].recipe(**dict(self.arguments))
                _recipes[key], _losses[key], _variants[key] = recipe, {}, {}
            object.__setattr__(self, "_common", (key, _recipes[key], _losses[key]))
        return self.__dict__["_common"]

    def __getstate__(self) -> dict[str, Any]:
        return self.hyperparameters()

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self._shared  # noqa: B018

    def __getattr__(self, name: str) -> Any:
        """What the loss was made with, by its name there."""
        arguments = dict(self.__dict__.get("arguments", ()))
        if name not in arguments:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        return arguments[name]

    def __repr__(self) -> str:
        defaults = PRESETS[self.peer, self.preset].parameters
        given = [f"{name}={value!r}" for name, value in self.arguments if value != defaults[name].default]
        return f"presets.{self.peer}.{self.preset}({', '.join(given)})"

    @property
    def activation(self) -> str:  # type: ignore[override]
        return self.recipe.activation

    @property
    def ignore_index(self) -> int | None:  # type: ignore[override]
        return self.recipe.ignore_index

    @property
    def reduction(self) -> str:  # type: ignore[override]
        return self.recipe.reduction

    def equivalent(
        self,
        num_classes: int,
        *,
        pixels: int | None = None,
        labelled: bool | None = None,
        axes: int = 4,
        package: str | None = None,
        **further: Any,
    ) -> Loss:
        """The same in our own words, for so many classes, and pixels of an image where they count; of labels or of a
        target of the logits' shape, where both can be given; for logits of so many axes; with further arguments. A
        power of the value, what is added to it, or its mean over the classes is left to the caller."""
        labelled = self.recipe.target != "classes" if labelled is None else labelled
        terms = self.recipe.equivalent(Sizes(num_classes, pixels, labelled, axes))
        module = importlib.import_module(package or self.package())
        losses = [
            (weight, getattr(module, name)(class_axis=self.class_axis, **options, **further))
            for weight, name, options in terms
        ]
        found = [loss if weight == 1 else weight * loss for weight, loss in losses if weight]
        return sum(found[1:], found[0])

    def inner(self, logits: Array, target: Array, axis: int) -> tuple[float, Loss]:
        """What `find_loss` finds for these arrays."""
        key, recipe, found = self._shared
        shape: Any = shape_of(logits)
        pixels = None
        if recipe.counts_pixels:
            if None in shape[1:]:
                raise ValueError(
                    f"{self.peer}'s {self.preset} divides by the number of pixels with these arguments: logits must"
                    f" have known lengths, got shape {shape_text(logits)}."
                )
            pixels = math.prod([_number(n) for i, n in enumerate(shape) if i not in (0, axis)])
        rank = len(shape)
        known = (self.class_axis, _number(shape[axis]), pixels, len(target.shape) < rank, rank)
        find_loss(key, *known)
        return found[known]

    @property
    def inputs(self) -> dict[str, Input]:  # type: ignore[override]
        taken = PRESETS[self.peer, self.preset].call.values()
        return {name: one for name, one in PixelLoss.inputs.items() if name in taken}

    def called(
        self, arrays: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[PresetLoss, list[Any], dict[str, Any]]:
        """The loss of a call, which may have options of its own, logits and target, and the other arrays by our names.
        All may have the names that they have there."""
        call = PRESETS[self.peer, self.preset].call
        given: dict[str, Any] = {}
        options: dict[str, Any] = {}
        fits = len(arrays) <= len(call)
        for name, value in (*zip(call, arrays, strict=False), *named.items()):
            here = call.get(name, name)
            fits = fits and here not in given and here not in options
            if not here and is_array(value):
                raise ValueError(
                    f"{name} must be left out for {self.peer}'s {self.preset}, which does not look at it, got"
                    f" {describe(value)}."
                )
            if value is None or not here:
                continue
            if name in call and here not in ARRAYS:
                options[here] = _plain(name, value)
            else:
                given[here] = value
        if not (fits and "logits" in given and "target" in given):
            raise TypeError(
                f"{self!r} is called with logits and target, got {len(arrays)} arrays for them and {sorted(named)}."
            )
        return self._with(tuple(options.items())), [given.pop("logits"), given.pop("target")], given

    def _with(self, options: tuple[tuple[str, Any], ...]) -> PresetLoss:
        if not options:
            return self
        key, kind = self._shared[0], type(self)
        find_variant(key, kind, self.class_axis, options)
        found = _variants[key][kind, self.class_axis, options]
        return found if self._across is None else found._with_across(self._across)

    def __call__(self, *arrays: Any, **named: Any) -> Array:
        loss, order, others = self.called(arrays, named)
        return Loss.__call__(loss, *order, **others)

    def value_and_grad(self, *arrays: Any, **named: Any) -> tuple[Array, Any]:
        loss, order, others = self.called(arrays, named)
        value, gradient = Loss.value_and_grad(loss, *order, **others)
        logits, target = order
        arranged, axis = loss.with_class_axis(logits, target)
        if arranged is not logits:
            gradient = gradient[(*(slice(None),) * axis, 0, ...)]
        clip = self.recipe.clip
        if clip:
            inside = (logits >= clip) & (logits <= 1 - clip)
            gradient = self.make_ops(arranged, axis).xp.where(inside, gradient, 0 * gradient)
        return value, gradient

    # -- a call ---------------------------------------------------------------------------------------------------

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        across = self._across
        axis = check_logits(logits, self.class_axis, self.activation, may_be_empty=across is not None)
        loss = self.inner(logits, target, axis)[1]._with_across(across)
        if across is not None:
            loss.check_parts(images=across.images is not None, pixels=across.pixels is not None)
        return loss.check(logits, target, mask, sample_weight)

    def check_parts(self, *, images: bool, pixels: bool, summed: bool = False) -> None:
        # What it comes to is known and asked in a call.
        if summed:
            raise TypeError(f"statistics are taken by the loss that `equivalent(…)` makes, not by {self!r}.")
        if pixels and self.recipe.counts_pixels:
            raise ValueError(
                f"{self!r} depends on the number of pixels of an image: parts of a batch may have different images of"
                " it (images=), not pieces of them."
            )

    def parts_in(self, ops: Ops, totals: Statistics | None) -> Parts:
        if totals is not None:
            raise TypeError(f"totals are taken by the loss that `equivalent(…)` makes, not by {self!r}.")
        return super().parts_in(ops, totals)

    def translate(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        make_ops: Callable[[Array, int], Ops] | None = None,
    ) -> tuple[Array, Array, Array | None]:
        check_array("logits", logits)
        check_array("target", target)
        logits, axis = self.with_class_axis(logits, target)
        ops = (make_ops or self.make_ops)(logits, axis)
        target, valid, hidden = self.our_target(target, logits, axis, ops)
        if mask is not None:
            check_array("mask", mask)
            if len(mask.shape) == ops.rank and shape_of(mask)[axis] == 1:
                mask = mask[(*(slice(None),) * axis, 0, ...)]
            if self.recipe.zero_one_mask:
                mask = _zeros_and_ones(mask, logits, ops)
        if valid is not None:
            mask = valid if mask is None else _both(valid, mask, ops)
        if self.recipe.without_first:
            classes = range(shape_of(logits)[axis])  # type: ignore[arg-type]
            hidden = ops.over_pixels(ops.constant([float(c == 0) for c in classes], logits)) > 0
        if hidden is not None:
            # The probability is 0 there, and so is the slope.
            logits = ops.xp.where(hidden, -math.inf * ops.xp.ones_like(logits), logits)
        if self.recipe.clip:
            logits = ops.clip(logits, self.recipe.clip, 1 - self.recipe.clip)
        return logits, target, mask

    def with_class_axis(self, logits: Array, target: Array) -> tuple[Array, int]:
        """The logits, with the axis that those of one class may lack, and where they have their classes."""
        may_be_empty = self._across is not None
        axis = check_logits(logits, self.class_axis, self.activation, may_be_empty=may_be_empty)
        has_it = shape_of(logits)[axis] == 1 and len(target.shape) <= len(logits.shape)
        if has_it or not self.recipe.one_class:
            return logits, axis
        axis = axis + 1 if self.class_axis < 0 else axis
        return logits[(*(slice(None),) * axis, None, ...)], axis

    def our_target(
        self, target: Array, logits: Array, axis: int, ops: Ops
    ) -> tuple[Array, Array | None, Array | None]:
        """The target as our losses take it; where pixels are not ignored, None where the losses look for that
        themselves; and where logits are ignored one by one."""
        recipe, shape, rank = self.recipe, shape_of(target), len(logits.shape)
        if library_of(target) != library_of(logits):
            target = ops.xp.asarray(target)
        if recipe.ignored_last:
            return *self._without_last(target, logits, axis, ops), None
        if recipe.target == "either" and same_shape(shape, shape_of(logits)) and self.activation == "softmax":
            return target, None, None
        wanted = recipe.target
        if wanted == "either":
            of_all = same_shape(shape, shape_of(logits)) and (
                shape[axis] != 1 or dtype_is(target, "floating")
            )
            wanted = "classes" if of_all else "labels"
        if wanted == "classes":
            if len(shape) == rank - 1 and shape_of(logits)[axis] == 1:
                target = ops.xp.expand_dims(target, axis=axis)
            elif len(shape) == rank and not same_shape(shape, shape_of(logits)):
                raise ValueError(
                    f"target must have the logits' shape {shape_text(logits)} for {self.peer}'s {self.preset} with"
                    f" these arguments, got {describe(target)}; labels have to be said to be labels."
                )
            return self._kept(target, logits, axis, ops)
        if len(shape) == rank:
            if shape[axis] not in (1, None):
                raise ValueError(
                    f"target must be labels for {self.peer}'s {self.preset} with these arguments, of the logits' shape"
                    f" {shape_text(logits)} without the classes, or with 1 in their place, got {describe(target)}."
                )
            target = target[(*(slice(None),) * axis, 0, ...)]
        if dtype_is(target, "floating"):
            target = ops.cast(target, ops.index_dtype)
        if recipe.other_labels:
            classes = ops.constant(tuple(range(_number(shape_of(logits)[axis]))), target, target.dtype)
            target = ops.over_classes(target) == ops.over_pixels(classes)
        return target, None, None

    def _without_last(self, target: Array, logits: Array, axis: int, ops: Ops) -> tuple[Array, Array]:
        """A target without its last channel, and where that is not 1."""
        channels = tuple(n + (i == axis) if n is not None else n for i, n in enumerate(shape_of(logits)))
        if not same_shape(shape_of(target), channels):
            raise ValueError(
                f"target must have the logits' shape {shape_text(logits)} and one channel more, for what is ignored,"
                f" for {self.peer}'s {self.preset} with these arguments, got {describe(target)}."
            )
        before = (slice(None),) * axis
        last = ops.cast(target[(*before, -1, ...)], ops.index_dtype)
        return target[(*before, slice(None, -1), ...)], last != 1

    def _kept(
        self, target: Array, logits: Array, axis: int, ops: Ops
    ) -> tuple[Array, Array | None, Array | None]:
        """A target of the logits' shape, and what `our_target` says beside it."""
        ignored, xp = self.recipe.ignore_index, ops.xp
        classes = _number(shape_of(logits)[axis])
        if ignored is not None and self.recipe.ignores_classes and classes > 1:
            if 0 <= ignored < classes:
                return target, target[(*(slice(None),) * axis, ignored, ...)] != 1, None
            return target, xp.any(target != 0, axis=axis), None
        if ignored is None or target.dtype == xp.bool or len(target.shape) < len(logits.shape):
            return target, None, None
        kept = target != ignored
        if shape_of(logits)[axis] == 1:
            return xp.where(kept, target, xp.zeros_like(target)), kept[(*(slice(None),) * axis, 0, ...)], None
        if self.recipe.masks_entries:
            return xp.where(kept, target, xp.zeros_like(target)), kept, None
        if self.recipe.ignores_entries:
            return xp.where(kept, target, xp.zeros_like(target)), None, ~kept
        # Else none can be ignored by itself: whoever has such entries is told by a value that is NaN.
        target = ops.cast(target, ops.compute_dtype(logits))
        return xp.where(kept, target, math.nan * xp.ones_like(target)), None, None

    def value(self, call: Call) -> Array:
        factor, loss = self.inner(call.logits, call.target, call.ops.class_axis)
        value = self._finished(loss.value(call))
        value = value if factor == 1 else factor * value
        if self.reduction != "none":
            return value
        if self.recipe.averages_classes:
            of_pixels = len(value.shape) == call.ops.rank
            value = call.ops.xp.mean(value, axis=call.ops.class_axis if of_pixels else -1)
        if self.recipe.trailing:
            pixels = (None,) * (call.ops.rank - 2)
            last = call.ops.class_axis > 1 and len(value.shape) == 2
            value = value[(slice(None), *pixels, ...) if last else (..., *pixels)]
        return value

    def value_and_gradients(self, call: Call) -> tuple[Array, Gradients | None]:
        _, loss = self.inner(call.logits, call.target, call.ops.class_axis)
        value, gradients = loss.value_and_gradients(call)
        if gradients is None or self.recipe.power == 1:
            return self._finished(value), gradients
        return self._finished(value), Gradients(gradients.times(self._steepness(value), call.ops))

    def value_and_cotangents(self, call: Call) -> tuple[Array, Shared, Back | None]:
        _, loss = self.inner(call.logits, call.target, call.ops.class_axis)
        value, shared, to_loss = loss.value_and_cotangents(call)
        if to_loss is None or self.recipe.power == 1:
            return self._finished(value), shared, to_loss
        back, steepness = to_loss, self._steepness(value)
        return self._finished(value), shared, lambda upstream: back(upstream * steepness)

    def _finished(self, value: Array) -> Array:
        """The power and the offset of the recipe."""
        value = value if self.recipe.power == 1 else value**self.recipe.power
        return value + self.recipe.offset if self.recipe.offset else value

    def _steepness(self, value: Array) -> Array:
        return self.recipe.power * value ** (self.recipe.power - 1)


def _both(valid: Array, mask: Array, ops: Ops) -> Array:
    """A mask where something is valid; each of pixels, or of their classes."""
    if library_of(mask) != library_of(valid):
        mask = ops.xp.asarray(mask)
    if ops.rank in (len(valid.shape), len(mask.shape)):
        valid, mask = ops.over_classes(valid), ops.over_classes(mask)
    return ops.xp.where(valid, mask, ops.xp.zeros_like(mask))


def _zeros_and_ones(mask: Array, logits: Array, ops: Ops) -> Array:
    """A mask that is NaN, by which the value becomes NaN too, where it is neither 0 nor 1."""
    if library_of(mask) != library_of(logits):
        mask = ops.xp.asarray(mask)
    if mask.dtype == ops.xp.bool:
        return mask
    mask = ops.cast(mask, ops.compute_dtype(logits))
    return ops.xp.where((mask == 0) | (mask == 1), mask, math.nan * ops.xp.ones_like(mask))


def _number(length: Any) -> int:
    """A length that compilers may have a symbol for, of which this asks the number."""
    return len(range(length))


def _plain(name: str, value: Any, named: Sequence[str] = (), none: Mapping[str, str] | None = None) -> Any:
    """An argument as numbers; `named`, `none`: see `Library`."""
    if isinstance(value, Mapping):
        return tuple((key, _plain(key, item)) for key, item in value.items())
    if name in named and callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if none and name in none and value is not None:
        raise ValueError(f"{name} must be None here, got {describe(value)}: {none[name]}.")
    if is_array(value):
        if len(value.shape) > 2 or (len(value.shape) == 2 and library_of(value) not in ("numpy", "torch")):
            raise ValueError(f"{name} must be a number or one for each class, got {describe(value)}.")
        try:
            value = value.tolist()
        except TypeError as error:
            raise TypeError(
                f"{name} must be known where the loss is made, got one that is traced, {describe(value)}: make it of"
                " numbers, or with NumPy."
            ) from error
    return python_number(getattr(value, "value", value))
