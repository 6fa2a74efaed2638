"""One class per array library: how it makes arrays, and how its own autodiff gives a value and a gradient.

Libraries are imported when a class is used, never before: each process of the suite imports only what it runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

Array = Any
Function = Callable[..., Any]
"""`function(logits, target, **arrays) -> value`."""


class Unavailable(Exception):
    """The device that was asked for is not there."""


@dataclass
class Call:
    """One function and the arrays that it is called with."""

    function: Function
    arrays: dict[str, Array]
    """By the name of the argument."""
    wrt: list[str]
    """The arguments to differentiate with respect to; none where only the value is wanted."""
    class_axis: int

    def __call__(self, **replaced: Array) -> Array:
        return self.function(**{**self.arrays, **replaced})


@dataclass
class Evaluation:
    """What came out of one function at one input, still in the library's arrays."""

    values: list[Array]
    """The value, once for each way of calling that must give the same one."""
    gradients: dict[str, Array]
    """By the name of the input."""
    curvature: Array | None = None
    """The second derivative with respect to the logits, times a direction."""


class Framework:
    """What the suite needs of an array library; a subclass says how."""

    library: ClassVar[str]
    native_axis: ClassVar[int] = 1

    def __init__(self, device: str = "cpu") -> None:
        if device != "cpu":
            raise Unavailable(f"{self.library} runs on the CPU only")

    def session(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        """The settings that computing in `dtype` needs."""
        return contextlib.nullcontext()

    def array(self, values: np.ndarray, dtype: str) -> Array:
        raise NotImplementedError

    def numpy(self, array: Array) -> np.ndarray:
        """As float64 NumPy array, whatever the dtype was."""
        raise NotImplementedError

    def evaluate(self, call: Call) -> Evaluation:
        """The value, and the gradient of its sum."""
        raise NotImplementedError

    def curvature(self, call: Call, direction: Array) -> Array:
        """The derivative of the gradient with respect to the logits, along `direction`."""
        raise NotImplementedError

    def environment(self) -> dict[str, Any]:
        """Settings that may change a result, for the report."""
        return {}


class NumPy(Framework):
    """NumPy has no autodiff: the gradient is the one that the function gives, by `value_and_grad` or as a pair."""

    library = "numpy"

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


class CuPy(NumPy):
    """The core on CuPy arrays."""

    library = "cupy"

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


class Torch(Framework):
    """`torch.autograd.grad`; with `compiler` the function is compiled whole by that backend of `torch.compile`."""

    library = "torch"

    def __init__(self, device: str = "cpu", compiler: str | None = None) -> None:
        import torch

        if device != "cpu" and not torch.cuda.is_available():
            raise Unavailable("torch finds no CUDA device")
        self.device = device
        self.compiler = compiler

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import torch

        return torch.as_tensor(values).to(device=self.device, dtype=getattr(torch, dtype))

    def numpy(self, array: Array) -> np.ndarray:
        import torch

        return array.detach().to(device="cpu", dtype=torch.float64).numpy()

    def evaluate(self, call: Call) -> Evaluation:
        import torch

        values, function = [], call.function
        if self.compiler is not None:
            torch._dynamo.reset()  # each loss is compiled anew; what earlier ones left would count against a limit
            function = torch.compile(function, fullgraph=True, dynamic=False, backend=self.compiler)
        elif call.wrt:
            with torch.no_grad():
                values.append(call())
        varied = {name: call.arrays[name].detach().requires_grad_() for name in call.wrt}
        value = function(**{**call.arrays, **varied})
        values.append(value)
        gradients = torch.autograd.grad(value.sum(), list(varied.values())) if varied else ()
        return Evaluation(values, dict(zip(varied, gradients, strict=True)))

    def curvature(self, call: Call, direction: Array) -> Array:
        import torch

        logits = call.arrays["logits"].detach().requires_grad_()
        value = call(logits=logits)
        (gradient,) = torch.autograd.grad(value, logits, create_graph=True)
        # Where the gradient is constant torch has no graph to differentiate.
        along = (gradient * direction).sum()
        if not along.requires_grad:
            return torch.zeros_like(logits)
        (curvature,) = torch.autograd.grad(along, logits, materialize_grads=True)
        return curvature

    def environment(self) -> dict[str, Any]:
        import torch

        settings = {
            "torch threads": torch.get_num_threads(),
            "torch TF32 in matmul": torch.backends.cuda.matmul.allow_tf32,
            "torch TF32 in cuDNN": torch.backends.cudnn.allow_tf32,
        }
        if self.device != "cpu":
            settings["torch device"] = torch.cuda.get_device_name()
        return settings


class Jax(Framework):
    """`jax.value_and_grad`, jitted or not; float64 in a session with x64."""

    library = "jax"
    native_axis = -1

    def __init__(self, device: str = "cpu", jit: bool = False) -> None:
        import jax

        try:
            self.device = jax.devices("gpu" if device == "cuda" else device)[0]
        except RuntimeError as error:
            raise Unavailable(f"jax finds no {device} device: {error}") from None
        self.jit = jit

    @contextlib.contextmanager
    def session(self, dtype: str) -> Iterator[None]:
        import jax

        with jax.enable_x64(dtype == "float64"), jax.default_device(self.device):
            yield

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import jax.numpy as jnp

        # Without x64 JAX has 32-bit integers only, and says so each time it is asked for others.
        return jnp.asarray(values, dtype=None if values.dtype == np.int64 else jnp.dtype(dtype))

    def numpy(self, array: Array) -> np.ndarray:
        return np.asarray(array).astype(np.float64)

    def evaluate(self, call: Call) -> Evaluation:
        import jax

        compiled = jax.jit if self.jit else lambda f: f
        fixed = {name: array for name, array in call.arrays.items() if name not in call.wrt}
        varied = {name: call.arrays[name] for name in call.wrt}

        def value_of(varied: dict[str, Array], fixed: dict[str, Array]) -> Array:
            return call.function(**varied, **fixed)

        def total_of(varied: dict[str, Array], fixed: dict[str, Array]) -> tuple[Array, Array]:
            value = value_of(varied, fixed)
            return value.sum(), value

        if not varied:
            return Evaluation([compiled(value_of)(varied, fixed)], {})
        (_, value), gradients = compiled(jax.value_and_grad(total_of, has_aux=True))(varied, fixed)
        values = [value] if self.jit else [value_of(varied, fixed), value]
        return Evaluation(values, gradients)

    def curvature(self, call: Call, direction: Array) -> Array:
        import jax

        def gradient(logits: Array) -> Array:
            return jax.grad(lambda logits: call(logits=logits))(logits)

        return jax.jvp(gradient, (call.arrays["logits"],), (direction,))[1]

    def environment(self) -> dict[str, Any]:
        import jax

        return {
            "jax device": str(self.device.device_kind),
            "jax x64": "in float64 comparisons only",
            "jax matmul precision": str(jax.config.values["jax_default_matmul_precision"]),
        }


class TensorFlow(Framework):
    """`tf.GradientTape`; in a `tf.function` only the length of the class axis is known, under XLA all are."""

    library = "tensorflow"
    native_axis = -1

    def __init__(self, device: str = "cpu", graph: bool = False, xla: bool = False) -> None:
        import tensorflow as tf

        if device != "cpu" and not tf.config.list_physical_devices("GPU"):
            raise Unavailable("tensorflow finds no GPU")
        self.device = "/GPU:0" if device == "cuda" else "/CPU:0"
        self.graph = graph
        self.xla = xla

    def session(self, dtype: str) -> contextlib.AbstractContextManager[Any]:
        import tensorflow as tf

        return tf.device(self.device)

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import tensorflow as tf

        return tf.cast(tf.constant(values), dtype)

    def numpy(self, array: Array) -> np.ndarray:
        if array is None:  # what a tape gives for a value that it has not seen come from an input
            raise ValueError(
                "TensorFlow finds no gradient: the value is not computed from the input by its functions"
            )
        return np.asarray(array).astype(np.float64)

    def evaluate(self, call: Call) -> Evaluation:
        import tensorflow as tf

        def value_and_gradients(arrays: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                varied = {name: arrays[name] for name in call.wrt}
                tape.watch(varied)
                value = call.function(**arrays)
            return value, tape.gradient(value, varied) if varied else {}

        if not self.graph:
            value, gradients = value_and_gradients(call.arrays)
            return Evaluation([call(), value] if call.wrt else [value], gradients)
        if self.xla:
            compiled = tf.function(value_and_gradients, jit_compile=True, autograph=False)
        else:
            signature = {name: self._with_unknown_lengths(name, call) for name in call.arrays}
            compiled = tf.function(value_and_gradients, input_signature=[signature], autograph=False)
        value, gradients = compiled(call.arrays)
        return Evaluation([value], gradients)

    def _with_unknown_lengths(self, name: str, call: Call) -> Any:
        import tensorflow as tf

        array = call.arrays[name]
        # Only logits-shaped arrays have a class axis, and a table of centres is as fixed as a variable.
        if name == "centers":
            return tf.TensorSpec.from_tensor(array)
        shape: list[int | None] = [None] * array.shape.rank
        if array.shape.rank == call.arrays["logits"].shape.rank:
            shape[call.class_axis] = array.shape[call.class_axis]
        return tf.TensorSpec(shape, array.dtype)

    def curvature(self, call: Call, direction: Array) -> Array:
        import tensorflow as tf

        logits = call.arrays["logits"]
        with tf.GradientTape() as outer:
            outer.watch(logits)
            with tf.GradientTape() as inner:
                inner.watch(logits)
                value = call(logits=logits)
            along = tf.reduce_sum(inner.gradient(value, logits) * direction)
        return outer.gradient(along, logits, unconnected_gradients="zero")

    def environment(self) -> dict[str, Any]:
        import tensorflow as tf

        return {
            "tensorflow threads": tf.config.threading.get_intra_op_parallelism_threads() or "all cores",
            "tensorflow TF32": tf.config.experimental.tensor_float_32_execution_enabled(),
        }
