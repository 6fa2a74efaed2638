"""NumPy, and the libraries that the core is run on as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from seglosses_conformance.frameworks.base import Array, Call, Evaluation, Framework, Function, Unavailable
from seglosses_conformance.ways import LAYOUTS


class NumPy(Framework):
    """NumPy has no autodiff: the gradient is the one that the function gives, by `value_and_grad` or as a pair."""

    library = "numpy"
    autodiff = False
    ways: ClassVar[tuple[str, ...]] = ("after another", *LAYOUTS)

    def array(self, values: np.ndarray, dtype: str) -> np.ndarray:
        if dtype == "bfloat16":
            import ml_dtypes

            return values.astype(ml_dtypes.bfloat16)
        return values.astype(dtype)

    def numpy(self, array: Array) -> np.ndarray:
        return np.asarray(array).astype(np.float64)

    def evaluate(self, call: Call) -> Evaluation:
        result = call()
        if isinstance(result, tuple):
            value, gradient = result
            return Evaluation([value], {"logits": gradient})
        if not call.wrt or len(result.shape) or not hasattr(call.function, "value_and_grad"):
            return Evaluation([result], {})
        value, gradients = call.function.value_and_grad(**call.arrays)
        # With features the core gives the pair of both gradients.
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return Evaluation([result, value], dict(zip(call.wrt, gradients, strict=True)))

    def joined(self, arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays)

    def laid_out(self, array: np.ndarray, layout: str) -> np.ndarray:
        if layout == "sliced":
            for axis in range(array.ndim):
                array = np.repeat(array, 2, axis)
            return array[(slice(None, None, 2),) * array.ndim]
        if layout == "channels last":
            last = array.ndim - 1
            return np.moveaxis(np.moveaxis(array, 1, last).copy(), last, 1) if last > 1 else array
        if layout == "transposed":
            return np.asfortranarray(array)
        if layout == "backwards":
            return np.flip(np.flip(array).copy())
        return np.broadcast_to(array[:1], array.shape)


class CuPy(NumPy):
    """The core on CuPy arrays."""

    library = "cupy"
    ways = ()

    def __init__(self, device: str = "cuda") -> None:
        if device != "cuda":
            raise Unavailable("cupy runs on CUDA devices only")

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import cupy

        return cupy.asarray(values.astype(dtype))

    def numpy(self, array: Array) -> np.ndarray:
        import cupy

        return cupy.asnumpy(array).astype(np.float64)


class Strict(NumPy):
    """array-api-strict without what cannot be traced: no data-dependent shapes, no Python number out of an array."""

    library = "array_api_strict"
    ways = ()

    def __init__(self, device: str = "cpu") -> None:
        super().__init__(device)
        import array_api_strict

        array_api_strict.set_array_api_strict_flags(
            api_version="2024.12", boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
        )

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import array_api_strict

        return array_api_strict.asarray(values.astype(dtype))

    def evaluate(self, call: Call) -> Evaluation:
        with nothing_leaves_the_array():
            return super().evaluate(call)


@contextlib.contextmanager
def nothing_leaves_the_array() -> Iterator[None]:
    """Make array-api-strict arrays refuse what a tracer refuses: becoming a Python value, and item assignment."""
    import array_api_strict

    kind = type(array_api_strict.asarray(0.0))
    names = ("bool", "float", "int", "complex", "index", "setitem", "array", "iter")
    kept = {name: getattr(kind, name, None) for name in (f"__{name}__" for name in names)}

    def refusing(name: str) -> Function:
        def refuse(self: Array, *args: Any, **keywords: Any) -> Any:
            raise TypeError(f"{name} was called: code that needs it cannot be traced")

        return refuse

    for name in kept:
        setattr(kind, name, refusing(name))
    try:
        yield
    finally:
        for name, method in kept.items():
            if method is None:
                delattr(kind, name)
            else:
                setattr(kind, name, method)
