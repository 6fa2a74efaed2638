"""Which library an array is of, and what it offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import array_api_compat

if TYPE_CHECKING:
    from seglosses_core.ops import Ops

Array = Any
"""An array of any library that follows the Array API standard, 2024.12."""

_registered: dict[str, Callable[[int, int], Ops]] = {}


def register_library(library: str, make_ops: Callable[[int, int], Ops]) -> None:
    """Use `make_ops(class_axis, rank)` for arrays whose type is defined in the package `library`, in place of their
    namespace alone."""
    _registered[library] = make_ops


def registered(array: Array) -> Callable[[int, int], Ops] | None:
    """What was registered for the library of an array."""
    return _registered.get(library_of(array))


_KNOWN = ("numpy", "torch", "jax", "tensorflow", "cupy", "array_api_strict")
"""The libraries that the losses have been tried with."""

STANDARD = (
    "__array_namespace_info__", "abs", "all", "any", "arange", "argmax", "argsort", "asarray", "astype", "bool",
    "broadcast_to", "clip", "concat", "cumulative_sum", "exp", "expand_dims", "expm1", "finfo", "flip", "float32",
    "float64", "floor", "full_like", "iinfo", "int32", "int64", "isfinite", "isnan", "log", "log1p", "matmul",
    "matrix_transpose", "max", "maximum", "mean", "min", "minimum", "moveaxis", "ones_like", "permute_dims",
    "reshape", "searchsorted", "sort", "sqrt", "squeeze", "stack", "sum", "take", "take_along_axis", "tanh",
    "where", "zeros", "zeros_like",
)  # fmt: skip
"""What is used of the standard."""


def library_of(array: Array) -> str:
    """The top-level package of the arrays that `array` is one of: "numpy", "torch", "jax", … A subclass, wherever it is
    defined, belongs to the library of its base."""
    first = "builtins"
    for kind in type(array).__mro__:
        library = kind.__module__.partition(".")[0]
        library = "jax" if library == "jaxlib" else library
        if library in _KNOWN:
            return library
        if first == "builtins":
            first = library
    return first


def dtype_name(array: Array) -> str:
    """The name of the dtype, "float32", whatever the library and the order of the bytes."""
    return getattr(array.dtype, "name", None) or str(array.dtype).rpartition(".")[2]


def namespace_of(array: Array) -> Any:
    """The Array API namespace of one array; NumPy's for Python numbers.

    Raises
    ------
    TypeError
        If the library of the array is unknown here and is none that array-api-compat knows, or lacks a part of the
        standard.
    """
    if isinstance(array, (bool, int, float)):
        import numpy

        return array_api_compat.array_namespace(numpy.asarray(array))
    make_ops = registered(array)
    if make_ops is not None:
        return make_ops(1, 2).xp
    library = library_of(array)
    if library == "torch":
        # What array_namespace would find, but without the caches on its way, of which torch.compile warns.
        import array_api_compat.torch as torch_namespace

        return torch_namespace
    try:
        xp = array_api_compat.array_namespace(array)
    except TypeError:
        raise TypeError(
            f"arrays must have an Array API namespace, got one of {library}. (TensorFlow's is registered by import"
            " seglosses_keras, on Keras' TensorFlow backend.)"
        ) from None
    missing = [] if library in _KNOWN else [name for name in STANDARD if not hasattr(xp, name)]
    if missing:
        raise TypeError(
            f"arrays must be of a library with all of the Array API standard 2024.12, got one of {library}, which lacks"
            f" {', '.join(missing)}."
        )
    return xp


def device_of(array: Array) -> Any:
    """The device, as the functions of the namespace take it."""
    return array.device if library_of(array) == "torch" else array_api_compat.device(array)


def shape_of(array: Array) -> tuple[int | None, ...]:
    """The static shape as a tuple, `None` where a length is unknown (TensorFlow graphs)."""
    return tuple(array.shape)
