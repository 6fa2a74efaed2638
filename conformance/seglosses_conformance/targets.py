"""What the cases are run on: one entry for each way of computing the losses."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from seglosses_conformance import frameworks
from seglosses_conformance.frameworks import Framework, Function, Unsupported
from seglosses_conformance.tolerance import DTYPES
from seglosses_conformance.ways import DERIVATIVES

if TYPE_CHECKING:
    from seglosses_conformance.own import Own

Hyperparameters = dict[str, Any]
Make = Callable[[str, Hyperparameters, int, dict[str, Any]], Function]


@dataclass(frozen=True)
class Target:
    """One way of computing the losses.

    A target is a framework, which makes arrays and differentiates, and a function made for each case.
    """

    name: str
    title: str
    framework: Callable[[str], Framework]
    """Makes the framework for a device: "cpu" or "cuda"."""
    needs: tuple[str, ...]
    """The modules that must be importable for the target to be there."""
    process: str
    """Targets with the same word here share a process."""
    native_axis: int
    make: Make
    """From the name of a loss, its hyper-parameters, the class axis and the arrays of a case to a function of those
    arrays. It may take arrays out of the dict and keep them: centres, where a framework keeps them in a buffer."""
    dtypes: tuple[str, ...] = DTYPES
    """The dtypes that the target is for."""
    environment: dict[str, str] = field(default_factory=dict)
    """Environment variables that must be set before the framework is imported."""
    cost: Literal["low", "high", "extreme"] = "low"
    """How long a case takes. At high cost all cases run in one dtype and on the native class axis, and one of each loss
    in the others; at extreme cost one of each loss runs at all."""
    checks: bool = False
    """Whether the metamorphic checks run on it too."""
    ways: tuple[str, ...] = ()
    """The ways of calling, beside the plain one, that are tried on it; see `ways.py`."""
    by_autodiff: bool = False
    """Whether its gradients are autodiff's of the formula, which is right but where an entry says otherwise."""
    own: Own | None = None
    """Somebody's own, and how it is called: the dtypes of its results are its own affair."""
    devices: tuple[str, ...] = ("cpu", "cuda")
    unsupported: dict[str, str] = field(default_factory=dict)
    """Why a dtype, by its name, cannot be run."""

    @property
    def differentiates(self) -> bool:
        """Whether it has an autodiff, so that a map has a gradient too."""
        kind: Any = getattr(self.framework, "func", self.framework)
        return kind.autodiff

    @property
    def absence(self) -> str | None:
        """Why the target cannot run here, or None if it can. Nothing is imported to find out."""
        for module in self.needs:
            if importlib.util.find_spec(module) is None:
                return f"no module named {module}"
        return None


def from_module(module: str) -> Make:
    """The function of a case is the loss of that name in `module`."""

    def make(
        loss: str, hyperparameters: Hyperparameters, class_axis: int, arrays: dict[str, Any]
    ) -> Function:
        return build(importlib.import_module(module), loss, hyperparameters, class_axis)

    return make


def build(module: Any, name: str, hyperparameters: Hyperparameters, class_axis: int) -> Any:
    """The loss `name` of a module, with the hyper-parameters of a case file; one of another library with its arguments
    there."""
    given = parse(module, hyperparameters, class_axis)
    if name.startswith("presets."):
        _, peer, preset = name.split(".")
        presets = importlib.import_module(f"{module.__name__}.presets")
        return getattr(getattr(presets, peer), preset).loss(class_axis=class_axis, **given)
    if "losses" not in given:  # an ensemble has the class axis of its members
        given["class_axis"] = class_axis
    return getattr(module, name)(**given)


def parse(module: Any, value: Any, class_axis: int) -> Any:
    """Hyper-parameters of a case file as Python objects: tagged objects become poolings and losses of `module`."""
    if isinstance(value, list):
        return tuple(parse(module, item, class_axis) for item in value)
    if not isinstance(value, dict):
        return value
    if "pooling" in value:
        options = {name: option for name, option in value.items() if name != "pooling"}
        return getattr(module, value["pooling"])(**options)
    if isinstance(value.get("loss"), str):
        return build(module, value["loss"], value.get("hyperparameters", {}), class_axis)
    return {name: parse(module, item, class_axis) for name, item in value.items()}


def keras_function(
    name: str, hyperparameters: Hyperparameters, class_axis: int, arrays: dict[str, Any]
) -> Function:
    """A loss of seglosses_keras, called as `(y_true, y_pred, sample_weight)`; the center loss, which is a layer."""
    module = importlib.import_module("seglosses_keras")
    if "centers" in arrays:
        return _keras_layer(module, name, hyperparameters, class_axis, arrays)
    if name.startswith("presets.") and "sample_weight" in arrays:
        raise Unsupported("a sample_weight is Keras' own, not that of the other library's call")
    loss = build(module, name, hyperparameters, class_axis)
    _divide_by_weights(loss)

    def function(logits: Any, target: Any, sample_weight: Any = None, **keywords: Any) -> Any:
        return loss(target, logits, sample_weight=sample_weight, **keywords)

    return function


def _divide_by_weights(loss: Any) -> None:
    """What reduction="mean_with_sample_weight" does, for poolings and the losses of an ensemble too: Keras divides by
    the count, the cases by the weights."""
    loss.kept["reduction"] = "mean_with_sample_weight"
    for member in getattr(loss, "losses", ()):
        _divide_by_weights(member)


def _keras_layer(
    module: Any, name: str, hyperparameters: Hyperparameters, class_axis: int, arrays: dict[str, Any]
) -> Function:
    for argument in ("mask", "sample_weight"):
        if argument in arrays:
            raise Unsupported(f"the layer takes no {argument}")
    if hyperparameters.get("reduction") == "none":
        raise Unsupported("a layer adds one number to the model, not a map")
    if "float64" in str(arrays["logits"].dtype):
        # Else Keras casts what comes into a layer to the layer's dtype.
        hyperparameters = {**hyperparameters, "dtype": "float64"}
    layer = build_with_centers(module, name, hyperparameters, class_axis, arrays)

    def function(logits: Any, target: Any, features: Any = None) -> Any:
        layer([target, logits] if features is None else [target, logits, features])
        (value,) = layer.losses
        return value

    return function


def build_with_centers(
    module: Any, name: str, hyperparameters: Hyperparameters, class_axis: int, arrays: dict[str, Any]
) -> Any:
    """A center loss that keeps the centres of the case, taken out of `arrays`."""
    centers = arrays.pop("centers")
    sizes = dict(zip(("num_classes", "num_features"), map(int, centers.shape), strict=True))
    loss = build(module, name, {**hyperparameters, **sizes}, class_axis)
    if hasattr(loss, "centers") and hasattr(loss.centers, "assign"):
        loss.centers.assign(centers)
    else:
        loss.centers = centers
    return loss


def torch_function(
    name: str, hyperparameters: Hyperparameters, class_axis: int, arrays: dict[str, Any]
) -> Function:
    """A module of seglosses_torch; the center loss keeps its centres in a buffer."""
    module = importlib.import_module("seglosses_torch")
    if "centers" in arrays:
        return build_with_centers(module, name, hyperparameters, class_axis, arrays).eval()
    return build(module, name, hyperparameters, class_axis)


def _target(name: str, title: str, framework: Callable[[str], Framework], module: str, **more: Any) -> Target:
    kind: Any = framework.func if isinstance(framework, functools.partial) else framework
    more = {"process": name, "make": from_module(module), "needs": (kind.library, module), **more}
    return Target(name=name, title=title, framework=framework, native_axis=kind.native_axis, **more)


def _keras(backend: str, framework: type[Framework]) -> Target:
    return Target(
        name=f"keras-{backend}",
        title=f"Keras on {backend}",
        framework=framework,
        needs=("keras", framework.library, "seglosses_keras"),
        process=f"keras-{backend}",
        native_axis=-1,
        make=keras_function,
        environment={"KERAS_BACKEND": backend, **_QUIET},
        cost="high" if backend == "jax" else "low",
        ways=("upstream",) if backend == "jax" else framework.ways,
    )


_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}  # TensorFlow tells its CPU's instruction sets at each start
_TENSORFLOW: dict[str, Any] = {
    "process": "tensorflow",
    "environment": {"KERAS_BACKEND": "tensorflow", **_QUIET},
    "needs": ("keras", "tensorflow", "seglosses_keras"),
    "make": keras_function,
}

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        _target(
            "numpy",
            "the core on NumPy",
            frameworks.NumPy,
            "seglosses_core",
            checks=True,
            ways=(*frameworks.NumPy.ways, "shards"),
            devices=("cpu",),
        ),
        _target(
            "strict",
            "the core on array-api-strict, made as strict as a tracer",
            frameworks.Strict,
            "seglosses_core",
            process="numpy",
            devices=("cpu",),
            unsupported=dict.fromkeys(
                ("float16", "bfloat16"), "array-api-strict has no dtype narrower than float32"
            ),
        ),
        _target(
            "cupy",
            "the core on CuPy",
            frameworks.CuPy,
            "seglosses_core",
            devices=("cuda",),
            unsupported={"bfloat16": "CuPy has no bfloat16"},
        ),
        _target(
            "torch",
            "PyTorch",
            frameworks.Torch,
            "seglosses_torch",
            make=torch_function,
            checks=True,
            ways=(*frameworks.Torch.ways, "shards"),
        ),
        _target(
            "formula",
            "the core's formula differentiated by torch: a witness for the hand-written derivative",
            frameworks.Torch,
            "seglosses_core",
            process="torch",
            by_autodiff=True,
            ways=("second derivative",),
            dtypes=("float64",),
        ),
        _target(
            "torch-fused",
            "PyTorch with the kernels for GPUs, in Triton's interpreter",
            frameworks.Torch,
            "seglosses_torch",
            make=torch_function,
            needs=("torch", "triton", "seglosses_torch"),
            environment={"TRITON_INTERPRET": "1"},
            cost="high",
            ways=frameworks.Torch.ways,
            devices=("cpu",),
        ),
        _target(
            "torch-compile",
            "PyTorch under torch.compile, aot_eager",
            functools.partial(frameworks.Torch, compiler="aot_eager"),
            "seglosses_torch",
            make=torch_function,
            cost="high",
            ways=("upstream",),
        ),
        _target(
            "torch-inductor",
            "PyTorch under torch.compile, inductor",
            functools.partial(frameworks.Torch, compiler="inductor"),
            "seglosses_torch",
            make=torch_function,
            cost="extreme",
        ),
        _target(
            "jax",
            "JAX",
            frameworks.Jax,
            "seglosses_jax",
            cost="high",
            checks=True,
            ways=("upstream", "backward twice", *DERIVATIVES),
        ),
        _target(
            "jax-jit",
            "JAX under jit",
            functools.partial(frameworks.Jax, jit=True),
            "seglosses_jax",
            cost="high",
            ways=("upstream",),
        ),
        _keras("tensorflow", frameworks.TensorFlow),
        _target(
            "tf-function",
            "Keras on tensorflow, in a tf.function of unknown lengths",
            functools.partial(frameworks.TensorFlow, graph=True),
            "seglosses_keras",
            cost="high",
            ways=("upstream",),
            **_TENSORFLOW,
        ),
        _target(
            "tf-xla",
            "Keras on tensorflow, in a tf.function under XLA",
            functools.partial(frameworks.TensorFlow, graph=True, xla=True),
            "seglosses_keras",
            cost="extreme",
            **_TENSORFLOW,
        ),
        _keras("jax", frameworks.Jax),
        _keras("torch", frameworks.Torch),
    )
}
"""Every target, by name, in the order of reports."""
