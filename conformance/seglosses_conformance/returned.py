"""What somebody's own implementation returns: whether it can be compared, and if not, a sentence that says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from seglosses_conformance.frameworks import Function

RIGHT = {
    "numpy": "the pair (value, gradient), a number and an array of the logits' shape, or the value alone",
    "torch": "a tensor of floating point that torch.autograd can differentiate with respect to the logits",
    "jax": "an array of floating point that JAX has computed from the logits",
    "tensorflow": "a tensor of floating point that TensorFlow has computed from the logits",
}


class Misused(Exception):
    """Somebody's own implementation cannot be compared; the message is a sentence."""


def checked(path: str, library: str, function: Function) -> Function:
    """`function`, or Misused where it returns what the library, or the suite, can make nothing of."""
    fault_of = FAULTS[library]

    def call(logits: Any, target: Any, **keywords: Any) -> Any:
        returned = function(logits, target, **keywords)
        fault = fault_of(returned, logits)
        if fault is not None:
            raise Misused(f"{path} returned {fault}; right is {RIGHT[library]}")
        return returned

    def call_numpy(logits: Any, target: Any, **keywords: Any) -> Any:
        returned = call(logits, target, **keywords)
        return returned if isinstance(returned, tuple) else np.asarray(returned)

    return call_numpy if library == "numpy" else call


def _fault_of_numpy(returned: Any, logits: Any) -> str | None:
    if not isinstance(returned, tuple):
        return None if _is_number(returned) or _is_array(returned) else _described(returned)
    if len(returned) != 2:
        return _described(returned)
    value, gradient = returned
    if not (_is_number(value) or _is_array(value)):
        return f"a pair whose value is {_described(value)}"
    return None if _is_array(gradient) else f"a pair whose gradient is {_described(gradient)}"


def _is_number(value: Any) -> bool:
    if isinstance(value, np.generic):
        return _is_real(value.dtype)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_array(value: Any) -> bool:
    # A subclass may mean something else, as a masked array does.
    return type(value) is np.ndarray and _is_real(value.dtype)


def _is_real(dtype: np.dtype) -> bool:
    return dtype.kind in "fiu" or dtype.name == "bfloat16"


def _fault_of_torch(returned: Any, logits: Any) -> str | None:
    import torch

    # This may be compiled along with the function: it asks nothing that a compiler does not know.
    if not isinstance(returned, torch.Tensor) or not returned.is_floating_point():
        return _described(returned)
    if returned.device != logits.device:
        return f"a tensor on {returned.device}, where the logits are on {logits.device}"
    if logits.requires_grad and torch.is_grad_enabled() and not returned.requires_grad:
        return "a tensor without a graph (detached, made from numbers or computed without gradients)"
    return None


def _fault_of_jax(returned: Any, logits: Any) -> str | None:
    import jax

    fine = isinstance(returned, jax.Array) and jax.numpy.issubdtype(returned.dtype, jax.numpy.floating)
    return None if fine else _described(returned)


def _fault_of_tensorflow(returned: Any, logits: Any) -> str | None:
    import tensorflow as tf

    return None if isinstance(returned, tf.Tensor) and returned.dtype.is_floating else _described(returned)


FAULTS = {
    "numpy": _fault_of_numpy,
    "torch": _fault_of_torch,
    "jax": _fault_of_jax,
    "tensorflow": _fault_of_tensorflow,
}
"""What is wrong with what a callable returned, given the logits; None if nothing is."""


def _described(value: Any) -> str:
    if value is None:
        return "None"
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    name = ("an " if name[0] in "aeiou" else "a ") + name
    if isinstance(value, (tuple, list)):
        return f"{name} of length {len(value)}"
    dtype = getattr(value, "dtype", None)
    return name if dtype is None else f"{name} of {getattr(dtype, 'name', dtype)}"
