"""A loss of the core as a pytree, its derivative as a `jax.custom_jvp`."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from seglosses_core.checks import describe, is_array, library_of
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops
from seglosses_jax.operations import JaxOps


class JaxLoss(Loss):
    """What all losses of this package share.

    A loss is a pytree: arrays among its hyper-parameters are leaves, to be traced and learnt; all else is static.
    """

    def check(self, logits: Any, target: Any, mask: Any = None, sample_weight: Any = None) -> int:
        if is_array(logits) and library_of(logits) not in ("jax", "numpy"):
            raise TypeError(
                f"logits must be a jax array, got one of {library_of(logits)}: {describe(logits)}."
            )
        return super().check(logits, target, mask, sample_weight)

    def _run(self, logits: Any, target: Any, *args: Any, **options: Any) -> Any:
        logits = jnp.asarray(logits) if isinstance(logits, np.ndarray) else logits
        return super()._run(logits, _within_range(target), *args, **options)

    def _ops(self, logits: Array, axis: int) -> Ops:
        return JaxOps(axis, logits.ndim)

    def _value(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        **inputs: Any,
    ) -> Array:
        if self.reduction == "none":
            return self.formula(logits, target, mask, sample_weight, ops, **inputs)
        return _hand_written(self, logits, target, mask, sample_weight, inputs)

    def tree_flatten_with_keys(self) -> tuple[list[tuple[Any, Any]], Any]:
        names = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
        # What was a leaf stays one where JAX, or a mask of an optimiser, has put something else in its place.
        leaves = self.__dict__.get("_leaves", ())
        dynamic = tuple(name for name in names if name in leaves or _holds_arrays(getattr(self, name)))
        static = tuple((name, getattr(self, name)) for name in names if name not in dynamic)
        children = [(jax.tree_util.GetAttrKey(name), getattr(self, name)) for name in dynamic]
        return children, (dynamic, static)

    def tree_flatten(self) -> tuple[list[Any], Any]:
        children, structure = self.tree_flatten_with_keys()
        return [child for _, child in children], structure

    @classmethod
    def tree_unflatten(cls, structure: Any, children: Any) -> JaxLoss:
        # Not through __init__, whose checks would meet tracers and placeholders.
        loss = object.__new__(cls)
        dynamic, static = structure
        object.__setattr__(loss, "_leaves", dynamic)
        for name, value in (*zip(dynamic, children, strict=True), *static):
            object.__setattr__(loss, name, value)
        return loss


JaxLoss.family = JaxLoss


def _within_range(target: Any) -> Any:
    """Labels of NumPy where JAX has no 64 bits: it would cut off the upper ones, and a label of 2³² become class 0."""
    if not isinstance(target, np.ndarray) or target.dtype.kind not in "iu":
        return target
    limits = np.iinfo(jax.dtypes.canonicalize_dtype(np.int64))
    if np.can_cast(target.dtype, limits.dtype):
        return target
    target = np.minimum(target, limits.max)
    return target if target.dtype.kind == "u" else np.maximum(target, limits.min)


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_holds_arrays, value))
    return is_array(value) or isinstance(value, JaxLoss)


def _formula(
    loss: JaxLoss, logits: Array, target: Array, mask: Array | None, sample_weight: Array | None, inputs: Any
) -> Array:
    ops = JaxOps(loss.class_axis % logits.ndim, logits.ndim)
    return loss.formula(logits, target, mask, sample_weight, ops, **inputs)


_hand_written = jax.custom_jvp(_formula)


def _derivative(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
    """The tangent by the hand-written gradient of the logits; with respect to anything else, that of the formula."""
    loss, logits, target, mask, sample_weight, inputs = primals
    ops = JaxOps(loss.class_axis % logits.ndim, logits.ndim)
    value, gradient = loss.formula_and_gradient(logits, target, mask, sample_weight, ops, **inputs)
    gradient = gradient[0] if isinstance(gradient, tuple) else gradient
    direction = tangents[1]
    tangent = jnp.zeros_like(value) if _is_zero(direction) else jnp.sum(gradient * direction)
    others, directions = (loss, target, mask, sample_weight, inputs), (tangents[0], *tangents[2:])
    if not all(map(_is_zero, jax.tree.leaves(directions, is_leaf=_is_zero))):
        directions = jax.tree.map(_instantiate, directions, is_leaf=_is_zero)
        tangent = tangent + jax.jvp(lambda loss, *rest: _formula(loss, logits, *rest), others, directions)[1]
    return value, tangent


_hand_written.defjvp(_derivative, symbolic_zeros=True)


def _is_zero(tangent: Any) -> bool:
    return isinstance(tangent, SymbolicZero)


def _instantiate(tangent: Any) -> Any:
    if not _is_zero(tangent):
        return tangent
    dtype = tangent.dtype
    make = np.zeros if dtype == jax.dtypes.float0 else jnp.zeros
    return make(tangent.shape, dtype)


def jax_class(core_class: type[Loss]) -> type[JaxLoss]:
    """The pytree of a loss of the core, with its name and documentation, the class axis last, and where a
    hyper-parameter is a loss one of this package."""
    own: list[tuple[str, Any, Any]] = []
    if any(f.name == "class_axis" for f in dataclasses.fields(core_class)):  # type: ignore[arg-type]
        own.append(("class_axis", int, dataclasses.field(default=-1)))
    for name, kind in core_class.default_losses().items():
        own.append((name, kind, dataclasses.field(default_factory=_made[kind])))
    made = dataclasses.make_dataclass(
        core_class.__name__,
        own,
        bases=(JaxLoss, core_class),
        namespace={"__doc__": core_class.__doc__, "__module__": "seglosses_jax"},
        frozen=True,
        kw_only=True,
        eq=False,
        repr=False,
    )
    made.__module__ = "seglosses_jax"
    _made[core_class] = made
    return jax.tree_util.register_pytree_with_keys_class(made)


_made: dict[type[Loss], type[JaxLoss]] = {}
