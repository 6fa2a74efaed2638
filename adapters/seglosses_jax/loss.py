"""A loss of the core as a pytree, its derivative as a `jax.custom_jvp`."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

from seglosses_core.call import Call
from seglosses_core.checks import describe, is_array, library_of
from seglosses_core.ensemble import EnsembleLoss
from seglosses_core.inputs import CALL
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops
from seglosses_core.signatures import resolve
from seglosses_core.statistics import Statistics
from seglosses_jax.axes import across_axes, add_up, check_placed
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
        if self._across is not None:
            # All parts have one shape, so that none is empty unless all are.
            return self.alone().check(logits, target, mask, sample_weight)
        return super().check(logits, target, mask, sample_weight)

    def prepare(self, logits: Any, target: Any, *given: Any, **named: Any) -> Call:
        logits = jnp.asarray(logits) if isinstance(logits, np.ndarray) else logits
        call = super().prepare(logits, _within_range(target), *given, **named)
        if self._across is not None:
            check_placed(call.logits, self._across)
        return call

    def make_ops(self, logits: Array, axis: int) -> Ops:
        return JaxOps(axis, logits.ndim)

    @CALL.method
    def __call__(
        self,
        logits: Any,
        target: Any,
        *,
        mask: Any = None,
        sample_weight: Any = None,
        totals: Statistics | None = None,
        **inputs: Any,
    ) -> Array:
        call = self.prepare(logits, target, mask, sample_weight, inputs, totals=totals)
        return self.value(call) if self.reduction == "none" else _hand_written(self, call.arrays(), totals)

    def across(self, *, images: Any = None, pixels: Any = None, gradients: Any = None) -> Self:
        """The same loss of a batch that is cut into parts along named axes, of `jax.shard_map` or `jax.pmap`: a copy
        whose value is that of the whole batch, on every part.

        Under `jax.jit` with sharded arrays the compiler sees the whole batch, and nothing is needed. A label outside
        the classes anywhere makes the value NaN everywhere. Weights must lie between 2^−54 and 2^54 where they are not
        0.

        Gradients with respect to what all parts have alike are those of the whole, by `jax.shard_map` itself; inside
        one with check_vma=False, and of `jax.pmap`, their `pmean` is. `value_and_grad` gives the share of a part.

        Parameters
        ----------
        images : str or tuple of str, optional
            Axes along which the parts have different images.
        pixels : str or tuple of str, optional
            Axes along which they have different pixels of the same images; `sample_weight` is the same along these.

        Raises
        ------
        ValueError
            Where a cost depends on more of the batch than a part has: on neighbours, on an order.

        Notes
        -----
        Without 64 bits `TopK` and `MaxPooling` count in float32, exactly up to 2^24 pixels, as they do on one device.

        Examples
        --------
        >>> import jax
        >>> import jax.numpy as jnp
        >>> from seglosses_jax import DiceLoss
        >>> auto, cut = jax.sharding.AxisType.Auto, jax.P("data")
        >>> mesh = jax.make_mesh((1,), ("data",), axis_types=(auto,))
        >>> loss = DiceLoss(aggregate="batch").across(images="data")
        >>> step = jax.shard_map(loss, mesh=mesh, in_specs=(cut, cut), out_specs=jax.P())
        >>> logits, labels = jnp.asarray([[[2.0, -1.0], [0.0, 1.0]]]), jnp.asarray([[0, 1]])
        >>> round(float(step(logits, labels)), 4)
        0.1601
        """
        if gradients is not None:
            raise TypeError(
                f"across takes no gradients= in JAX, got {gradients!r}: no factor is needed, for JAX knows the"
                " derivative of a sum over an axis."
            )
        self.check_parts(images=images is not None, pixels=pixels is not None)
        return self._with_across(across_axes(images, pixels))

    def value_and_members(self, call: Call) -> tuple[Array, tuple[Array, ...]]:
        """Of an ensemble."""
        return _with_members(self, call.arrays())

    def tree_flatten_with_keys(self) -> tuple[list[tuple[Any, Any]], Any]:
        names = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
        # What was a leaf stays one where JAX, or a mask of an optimiser, has put something else in its place.
        leaves = self.__dict__.get("_leaves", ())
        dynamic = tuple(name for name in names if name in leaves or _holds_arrays(getattr(self, name)))
        static = tuple((name, getattr(self, name)) for name in (*names, "_across") if name not in dynamic)
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


def _call(loss: JaxLoss, arrays: dict[str, Array], totals: Statistics | None) -> Call:
    rank = arrays["logits"].ndim
    ops = JaxOps(loss.class_axis % rank, rank)
    ops.parts = loss.parts_in(ops, totals)
    return Call.of(arrays, ops)


def _formula(loss: JaxLoss, arrays: dict[str, Array], totals: Statistics | None) -> Array:
    return loss.value(_call(loss, arrays, totals))


_hand_written = jax.custom_jvp(_formula)


def _derivative(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
    """The tangent by the hand-written gradient of the logits; with respect to anything else, and where the loss has
    none, that of the formula. With respect to totals it is 0."""
    loss, arrays, totals = primals
    value, gradients = loss.value_and_gradients(_call(loss, arrays, totals))
    tangent = jnp.zeros_like(value)
    fixed, others, directions = {}, arrays, tangents[:2]
    if gradients is not None:
        direction = tangents[1]["logits"]
        if not _is_zero(direction):
            tangent = jnp.sum(gradients.arrays["logits"] * direction)
            if totals is None and loss._across is not None:
                tangent = add_up(tangent, loss._across)
        fixed, others, directions = (
            {"logits": arrays["logits"]}, _without_logits(arrays), (tangents[0], _without_logits(tangents[1]))
        )  # fmt: skip
    if not all(map(_is_zero, jax.tree.leaves(directions, is_leaf=_is_zero))):
        directions = jax.tree.map(_instantiate, directions, is_leaf=_is_zero)
        of_others = jax.jvp(
            lambda loss, given: _formula(loss, {**fixed, **given}, totals), (loss, others), directions
        )
        tangent = tangent + of_others[1]
    return value, tangent


def _without_logits(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: x for name, x in arrays.items() if name != "logits"}


_hand_written.defjvp(_derivative, symbolic_zeros=True)


@jax.custom_jvp
def _with_members(loss: Any, arrays: dict[str, Array]) -> tuple[Array, tuple[Array, ...]]:
    return EnsembleLoss.value_and_members(loss, _call(loss, arrays, None))


def _derivative_with_members(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    """That of the value; the members are constants."""
    loss, members = primals[0].keeping()
    value, tangent = _derivative((loss, primals[1], None), tangents)
    return (value, tuple(members)), (tangent, tuple(map(jnp.zeros_like, members)))


_with_members.defjvp(_derivative_with_members, symbolic_zeros=True)


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
        own.append((name, JaxLoss, dataclasses.field(default_factory=_made[kind])))
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
    losses = dict.fromkeys(("Loss", "PixelLoss", "RatioLoss"), JaxLoss)
    resolve(made, Array=Array | np.ndarray, **losses)
    _made[core_class] = made
    return jax.tree_util.register_pytree_with_keys_class(made)


_made: dict[type[Loss], type[JaxLoss]] = {}
