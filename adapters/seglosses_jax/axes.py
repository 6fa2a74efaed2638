"""Parts of a batch along named axes, and the sums that stand for parts as pytrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
from jax import Array

from seglosses_core.across import Across
from seglosses_core.parts import Entry
from seglosses_core.statistics import Statistics


@dataclass(frozen=True)
class Axes:
    """All members along named axes."""

    names: tuple[str, ...]

    may_disagree = False
    """One program runs on all of them."""

    def all_reduce(self, vector: Array, op: str) -> Array:
        if op == "max":
            return jax.lax.pmax(jax.lax.stop_gradient(vector), self.names)
        return jax.lax.psum(vector, self.names)

    def __repr__(self) -> str:
        return repr(self.names if len(self.names) > 1 else self.names[0])


def across_axes(images: Any, pixels: Any) -> Across:
    """What `JaxLoss.across` is given, with groups along the axes."""
    across = Across(_axes("images", images), _axes("pixels", pixels))
    names = [name for axes in across.groups() for name in axes.names]
    if len(set(names)) < len(names):
        raise ValueError(f"images and pixels must be different axes, got {images!r} and {pixels!r}.")
    return across


def _axes(name: str, given: Any) -> Axes | None:
    if given is None:
        return None
    names = given if isinstance(given, tuple) else (given,)
    if not names or not all(isinstance(one, str) for one in names):
        raise TypeError(
            f"{name} must be the name of an axis of shard_map or pmap, or a tuple of names, got {given!r}."
        )
    return Axes(names)


def add_up(x: Array, across: Across) -> Array:
    """The sum over all parts."""
    for axes in across.groups():
        x = axes.all_reduce(x, "sum")
    return x


def check_placed(logits: Array, across: Across) -> None:
    """Require that logits are cut along all axes, where JAX says along which they are."""
    for axes in across.groups():
        for name in axes.names:
            # Without check_vma nothing varies, for all that is known.
            if name in _varying(jax.lax.axis_index(name)) and name not in _varying(logits):
                raise ValueError(
                    f"logits must be cut along {name!r}, along which the loss has parts, got the same on all of its"
                    f" members: give shard_map an in_specs with {name!r}, or across without it."
                )


def _varying(x: Array) -> frozenset[Any]:
    """The axes along which an array differs, as far as that is known: not before JAX 0.7."""
    kind = jax.typeof(x) if hasattr(jax, "typeof") else None
    return getattr(getattr(kind, "mat", None), "varying", frozenset())


# -- statistics -------------------------------------------------------------------------------------------------------


def _flatten(statistics: Statistics) -> tuple[Any, Any]:
    entries = statistics.entries.items()
    layout = tuple((key, entry.over, entry.merge) for key, entry in entries)
    sums = [list(entry.sums) for _, entry in entries]
    of = statistics.of, statistics.parts_of, statistics.num_classes, statistics.dtype
    return (sums, statistics.factor), (layout, of)


def _unflatten(structure: Any, children: Any) -> Statistics:
    (layout, (of, parts_of, num_classes, dtype)), (sums, factor) = structure, children
    entries = {key: Entry(over, x, merge) for (key, over, merge), x in zip(layout, sums, strict=True)}
    return Statistics(entries, of, parts_of, num_classes, dtype, factor)


def register() -> None:
    """Make `Statistics` a pytree: the sums are leaves."""
    jax.tree_util.register_pytree_node(Statistics, _flatten, _unflatten)
