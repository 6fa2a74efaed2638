"""One class per array library: how it makes arrays, and how its own autodiff gives a value and a gradient, plainly and
in the other ways that `ways.py` lists.

Libraries are imported when a class is used, never before: each process of the suite imports only what it runs.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from seglosses_conformance.ways import DERIVATIVES, LAYOUTS

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
    upstream: Array = 1.0
    """What the value is multiplied by before its sum is differentiated."""

    def __call__(self, **replaced: Array) -> Array:
        return self.function(**{**self.arrays, **replaced})


@dataclass
class Evaluation:
    """What came out of one function at one input, still in the library's arrays."""

    values: list[Array]
    """The value, once for each way of calling that must give the same one."""
    gradients: dict[str, Array]
    """By the name of the input."""
    remark: str = ""
    """What there is to say of results that are right: that they came with help."""


class Framework:
    """What the suite needs of an array library; a subclass says how."""

    library: ClassVar[str]
    native_axis: ClassVar[int] = 1
    ways: ClassVar[tuple[str, ...]] = ()
    """The ways of calling, beside the plain one, that make sense in this library."""
    autodiff: ClassVar[bool] = True
    overwritable: ClassVar[bool] = True
    """Whether a function could change the arrays that it is given."""

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
        """The value, and the gradient of the sum of the value times what comes from upstream."""
        raise NotImplementedError

    def laid_out(self, array: Array, layout: str) -> Array:
        """An array of the same numbers in another of `ways.LAYOUTS`."""
        raise NotImplementedError

    def backward_twice(self, call: Call) -> Evaluation:
        """The mean of the gradients of two walks back over one graph."""
        raise NotImplementedError

    def compiled(self, call: Call) -> Evaluation:
        """The same under the library's compiler."""
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


class Torch(Framework):
    """`torch.autograd.grad`; with `compiler` the function is compiled by that backend of `torch.compile`, whole unless
    `in_parts`."""

    library = "torch"
    ways = (
        "upstream", "loss scale", "backward twice", "after another", "autocast", "inference mode", *DERIVATIVES,
        *(layout for layout in LAYOUTS if layout != "backwards"),
    )  # fmt: skip

    def __init__(self, device: str = "cpu", compiler: str | None = None) -> None:
        import torch

        if device != "cpu" and not torch.cuda.is_available():
            raise Unavailable("torch finds no CUDA device")
        self.device = device
        self.compiler = compiler
        self.in_parts = False

    def array(self, values: np.ndarray, dtype: str) -> Array:
        import torch

        return torch.tensor(values, device=self.device, dtype=getattr(torch, dtype))

    def numpy(self, array: Array) -> np.ndarray:
        import torch

        return array.detach().to(device="cpu", dtype=torch.float64).numpy()

    def evaluate(self, call: Call) -> Evaluation:
        import torch

        values, function = [], call.function
        if self.compiler is not None:
            torch._dynamo.reset()  # each loss is compiled anew; what earlier ones left would count against a limit
            function = torch.compile(
                function, fullgraph=not self.in_parts, dynamic=False, backend=self.compiler
            )
        elif call.wrt:
            with torch.no_grad():
                values.append(call())
        varied = _leaves(call)
        value = function(**{**call.arrays, **varied})
        values.append(value)
        total = (value * call.upstream).sum()
        gradients = torch.autograd.grad(total, list(varied.values())) if varied else ()
        return Evaluation(values, dict(zip(varied, gradients, strict=True)))

    def laid_out(self, array: Array, layout: str) -> Array:
        if layout == "sliced":
            for axis in range(array.ndim):
                array = array.repeat_interleave(2, axis)
            return array[(slice(None, None, 2),) * array.ndim]
        if layout == "channels last":
            return array.movedim(1, -1).contiguous().movedim(-1, 1) if array.ndim > 2 else array
        if layout == "transposed":
            backwards = tuple(range(array.ndim))[::-1]
            return array.permute(backwards).contiguous().permute(backwards)
        return array[:1].expand(array.shape)

    def backward_twice(self, call: Call) -> Evaluation:
        varied = _leaves(call)
        value = call(**varied)
        total = (value * call.upstream).sum()
        total.backward(retain_graph=True)
        total.backward()
        return Evaluation([value], {name: leaf.grad / 2 for name, leaf in varied.items()})

    def autocast(self, call: Call) -> Evaluation:
        import torch

        with torch.autocast(self.device, torch.bfloat16):
            return self.evaluate(call)

    def inference_mode(self, call: Call) -> Evaluation:
        import torch

        with torch.inference_mode():
            return self.evaluate(call)

    def compiled(self, call: Call) -> Evaluation:
        import torch

        compiling = copy.copy(self)
        compiling.compiler = "aot_eager"
        try:
            return compiling.evaluate(call)
        except torch._dynamo.exc.TorchDynamoException as error:
            compiling.in_parts = True
            evaluation = compiling.evaluate(call)
            evaluation.remark = f"torch.compile takes it in parts only: {error}"
            return evaluation

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


def _leaves(call: Call) -> dict[str, Array]:
    return {name: call.arrays[name].detach().requires_grad_() for name in call.wrt}


class Jax(Framework):
    """`jax.value_and_grad`, jitted or not; float64 in a session with x64."""

    library = "jax"
    native_axis = -1
    ways = ("upstream", "loss scale", "backward twice", "after another", *DERIVATIVES)
    overwritable = False

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

        made = jax.jit if self.jit else lambda f: f
        varied, value_of, total_of = self._functions(call)
        if not varied:
            return Evaluation([made(value_of)(varied, call.arrays)], {})
        (_, value), gradients = made(jax.value_and_grad(total_of, has_aux=True))(varied, call.arrays)
        values = [value] if self.jit else [value_of(varied, call.arrays), value]
        return Evaluation(values, gradients)

    def _functions(self, call: Call) -> tuple[dict[str, Array], Function, Function]:
        def value_of(varied: dict[str, Array], arrays: dict[str, Array]) -> Array:
            return call.function(**{**arrays, **varied})

        def total_of(varied: dict[str, Array], arrays: dict[str, Array]) -> tuple[Array, Array]:
            value = value_of(varied, arrays)
            return (value * call.upstream).sum(), value

        return {name: call.arrays[name] for name in call.wrt}, value_of, total_of

    def backward_twice(self, call: Call) -> Evaluation:
        import jax

        varied, _, total_of = self._functions(call)
        total, pullback, value = jax.vjp(lambda varied: total_of(varied, call.arrays), varied, has_aux=True)
        (once,), (again,) = (pullback(jax.numpy.ones_like(total)) for _ in range(2))
        return Evaluation([value], {name: (once[name] + again[name]) / 2 for name in varied})

    def compiled(self, call: Call) -> Evaluation:
        compiling = copy.copy(self)
        compiling.jit = True
        return compiling.evaluate(call)

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
    ways = ("upstream", "loss scale", "backward twice", "after another", *DERIVATIVES)
    overwritable = False

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
        return np.asarray(array).astype(np.float64)

    def evaluate(self, call: Call) -> Evaluation:
        import tensorflow as tf

        if not self.graph:
            value, gradients = self._walk(call, call.arrays)
            return Evaluation([call(), value] if call.wrt else [value], gradients)
        if self.xla:
            options: dict[str, Any] = {"jit_compile": True}
        else:
            options = {
                "input_signature": [{name: self._with_unknown_lengths(name, call) for name in call.arrays}]
            }
        value, gradients = tf.function(lambda arrays: self._walk(call, arrays), autograph=False, **options)(
            call.arrays
        )
        return Evaluation([value], gradients)

    def _walk(self, call: Call, arrays: dict[str, Array], times: int = 1) -> tuple[Array, dict[str, Array]]:
        """There and, as often as is asked for, back: the value and the mean of the gradients."""
        import tensorflow as tf

        varied = {name: arrays[name] for name in call.wrt}
        with tf.GradientTape(watch_accessed_variables=False, persistent=times > 1) as tape:
            tape.watch(varied)
            value = call.function(**arrays)
            total = tf.reduce_sum(value * tf.cast(call.upstream, value.dtype))
        if not varied:
            return value, {}
        gradients = tape.gradient(total, varied)
        for _ in range(times - 1):
            again = tape.gradient(total, varied)
            gradients = {name: (gradients[name] + again[name]) / 2 for name in varied}
        return value, gradients

    def backward_twice(self, call: Call) -> Evaluation:
        value, gradients = self._walk(call, call.arrays, times=2)
        return Evaluation([value], gradients)

    def compiled(self, call: Call) -> Evaluation:
        import tensorflow as tf

        compiled = tf.function(lambda arrays: self._walk(call, arrays), autograph=False)
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
