"""Records what the losses of other libraries give, where they are installed:

    python tests/presets/record.py monai smp

writes value, gradient and signature of each to the vectors of the conformance suite. A library that needs others only
for what is no loss may be installed without them (`pip install --no-deps`).

    python tests/presets/record.py --compare

writes nothing, and says where the releases that are installed give something else than what was recorded.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.machinery import PathFinder
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
import torch
from preset_calls import Call, asked

from seglosses_conformance.cases import map_upstream
from seglosses_conformance.frameworks.with_jax import enable_x64
from seglosses_conformance.presets import FOLDER, documents
from seglosses_conformance.presets.inputs import FURTHER, INPUTS

ARRAYS = ("weight", "pos_weight", "dist_matrix")
"""The arguments that most libraries want as tensors."""


def keras_in_float64() -> None:
    os.environ["KERAS_BACKEND"] = "torch"
    importlib.import_module("keras").config.set_floatx("float64")
    # What it divides is rounded to float32, unless TensorFlow is its backend.
    importlib.import_module("keras.src.backend.common.dtypes").BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def keras_cv_losses() -> None:
    """Put KerasCV's losses of pixels where its package would, without the package, which asks for TensorFlow."""
    keras = importlib.import_module("keras")
    spec = PathFinder.find_spec("keras_cv")
    assert spec is not None
    folder = f"{(spec.submodule_search_locations or [''])[0]}/src"
    for name, path in (
        ("", None),
        (".src", folder),
        (".src.losses", f"{folder}/losses"),
        (".src.backend", None),
    ):
        bare = sys.modules[f"keras_cv{name}"] = ModuleType(f"keras_cv{name}")
        bare.__path__ = [path] if path else []
    vars(sys.modules["keras_cv.src.backend"]).update(keras=keras, ops=keras.ops)
    losses = sys.modules["keras_cv.losses"] = ModuleType("keras_cv.losses")
    for file in ("focal", "penalty_reduced_focal_loss"):
        vars(losses).update(vars(importlib.import_module(f"keras_cv.src.losses.{file}")))


def module_of(peer: str, name: str) -> Any:
    """The first of the library's modules that has it."""
    calls = asked(peer)
    if peer in ("keras", "keras_cv"):
        keras_in_float64()
    if peer == "keras_cv" and peer not in sys.modules:
        keras_cv_losses()
    for package in getattr(calls, "BARE", ()):
        if package not in sys.modules:
            parent = package.rpartition(".")[0]
            spec = PathFinder.find_spec(package, sys.modules[parent].__path__ if parent else None)
            assert spec is not None
            bare = sys.modules[package] = ModuleType(package)
            bare.__path__ = list(spec.submodule_search_locations or ())
    for missing, names in getattr(calls, "MISSING", {}).items():
        if missing not in sys.modules:
            vars(sys.modules.setdefault(missing, ModuleType(missing))).update(dict.fromkeys(names, Absent))
    if peer == "qubvel":
        base = importlib.import_module("segmentation_models.base")
        base.Loss.set_submodules(importlib.import_module("keras2_backend"), *3 * [ModuleType("unused")])
    found = map(importlib.import_module, calls.MODULES[1:])
    return next(module for module in found if hasattr(module, name))


class Absent:
    """What stands for the names of packages that are not installed: what registers losses, and a check of a list."""

    def __init__(self, *arguments: Any) -> None: ...

    @staticmethod
    def register_module() -> Any:
        return lambda loss: loss


def in_jax_of(peer: str) -> bool:
    return getattr(asked(peer), "IN_JAX", False)


def array_of(peer: str, value: Any, dtype: str) -> Any:
    """An array as the library wants it beside logits of this dtype."""
    array = np.array(value)
    array = array.astype(dtype) if array.dtype.kind == "f" else array
    return array if in_jax_of(peer) else torch.tensor(array)


def real(peer: str, name: str, value: Any, dtype: str) -> Any:
    """An argument as the library wants it."""
    if name in getattr(asked(peer), "ARRAYS", ARRAYS) and isinstance(value, list):
        return array_of(peer, value, dtype)
    if isinstance(value, dict):
        return {key: real(peer, key, item, dtype) for key, item in value.items()}
    functions = getattr(asked(peer), "FUNCTIONS", {})
    if isinstance(value, str) and value in functions:
        return getattr(importlib.import_module(functions[value]), value)
    return tuple(value) if name == "axis" and isinstance(value, list) else value


def loss_of(peer: str, call: Call) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A function of logits and target, class axis 1, and what it writes into checkpoints."""
    kind = getattr(module_of(peer, call.name), call.name)
    arguments = {name: real(peer, name, value, call.dtype) for name, value in call.arguments.items()}
    loss = kind(**arguments) if inspect.isclass(kind) else partial(kind, **arguments)
    buffers = {}
    if isinstance(loss, torch.nn.Module):
        buffers = {name: buffer.tolist() for name, buffer in loss.state_dict().items()}
    further = {
        name: array_of(peer, FURTHER[value], call.dtype) if value in FURTHER else value
        for name, value in call.call.items()
    }
    target_first, last = (getattr(asked(peer), name, False) for name in ("TARGET_FIRST", "CLASSES_LAST"))

    def function(logits: Any, target: Any) -> Any:
        rank = logits.ndim
        if last:
            target = _moved(target, 1, -1) if target.ndim == rank else target
            logits = _moved(logits, 1, -1)
        value = loss(*((target, logits) if target_first else (logits, target)), **further)
        return _moved(value, -1, 1) if last and value.ndim == rank else value

    return function, buffers


def _moved(array: Any, source: int, place: int) -> Any:
    if isinstance(array, torch.Tensor):
        return array.movedim(source, place)
    axes = list(range(array.ndim))
    axes.insert(place % array.ndim, axes.pop(source))
    return array.transpose(axes)


def in_torch(loss: Callable[..., Any], call: Call, logits: np.ndarray, target: np.ndarray) -> tuple[Any, Any]:
    """Value and gradient; of several values that of their weighted sum"""
    given = torch.tensor(logits, requires_grad=True)
    value = loss(given.softmax(1) if call.softmax else given, torch.tensor(target))
    upstream = torch.tensor(map_upstream(tuple(value.shape)), dtype=value.dtype)
    (value * upstream).sum().backward()
    assert given.grad is not None
    return value.detach().numpy(), given.grad.numpy()


def in_jax(loss: Callable[..., Any], call: Call, logits: np.ndarray, target: np.ndarray) -> tuple[Any, Any]:
    """The same of a library of JAX."""
    import jax

    with enable_x64(True):
        given, labels = map(jax.numpy.asarray, (logits, target))
        value, back = jax.vjp(lambda x: loss(jax.nn.softmax(x, axis=1) if call.softmax else x, labels), given)
        (gradient,) = back(jax.numpy.asarray(map_upstream(value.shape), dtype=value.dtype))
        return np.asarray(value), np.asarray(gradient)


def record(peer: str, call: Call) -> dict[str, Any]:
    logits, target = INPUTS[call.inputs]
    run = in_jax if in_jax_of(peer) else in_torch
    loss, buffers = loss_of(peer, call)
    value, gradient = run(
        loss, call, logits.astype(call.dtype), target[:, None] if call.target_axis else target
    )
    return {
        "name": call.name,
        "arguments": call.arguments,
        **({"call": call.call} if call.call else {}),
        "inputs": call.inputs,
        "target_axis": call.target_axis,
        "logits": call.dtype,
        "gradient_alone": call.gradient_alone,
        "softmax": call.softmax,
        # A target in float64 makes no number of float32 more exact.
        "dtype": "float32" if call.dtype == "float32" else str(value.dtype),
        "value": value.astype(float).tolist(),
        **({"buffers": buffers} if buffers else {}),
        "gradient": [float(f"{slope:.12g}") for slope in gradient.ravel().tolist()],
    }


def signature(peer: str, name: str) -> list[list[Any]]:
    """Names and defaults; ["*"] comes before what is given by name alone. Not the `**kwargs` of a function."""
    found: list[list[Any]] = []
    kind = getattr(module_of(peer, name), name)
    parameters = list(inspect.signature(kind).parameters.values())
    if parameters and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD:
        # Those of a class are for the class that it is made of.
        own = inspect.signature(kind.__base__).parameters.values() if inspect.isclass(kind) else ()
        parameters[-1:] = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and ["*"] not in found:
            found.append(["*"])
        default = getattr(parameter.default, "value", parameter.default)
        if isinstance(default, type) and default is not inspect.Parameter.empty:
            default = default.__name__
        found.append([parameter.name] if default is inspect.Parameter.empty else [parameter.name, default])
    return found


def compare() -> int:
    """The exit status: 1 if a library has another number, signature or error by now, or none is installed."""
    compared, others = 0, []
    for document in documents():
        peer = document["peer"]
        root = asked(peer).MODULES[0]
        if PathFinder.find_spec(root) is None:
            continue
        release = version(root).partition("+")[0]
        print(f"{peer} {release} against {document['version']}: {len(document['vectors'])} vectors")
        compared += 1
        for name, recorded in document["signatures"].items():
            if json.loads(json.dumps(signature(peer, name))) != recorded:
                others.append(f"{peer} {release}, {name}: another signature, {signature(peer, name)}")
        for call, vector in zip(asked(peer).calls(), document["vectors"], strict=True):
            where = f"{peer} {release}, {call.name} {call.arguments} of {call.inputs}"
            try:
                found = record(peer, call)
            except Exception as error:
                others.append(f"{where}: {type(error).__name__}: {error}")
                continue
            limit = 1e-9 if vector["dtype"] == "float64" else 1e-5
            for part in ("value", "gradient"):
                now, then = np.array(found[part]), np.array(vector[part])
                if now.shape != then.shape or not np.allclose(
                    now, then, rtol=0, atol=limit * (1 + abs(then).max())
                ):
                    others.append(f"{where}: another {part}")
    print("\n".join(others) or f"{compared} libraries give what was recorded")
    return int(bool(others) or not compared)


def main(peers: list[str]) -> None:
    for peer in peers:
        release = version(asked(peer).MODULES[0]).partition("+")[0]
        calls = list(asked(peer).calls())
        document = {
            "peer": peer,
            "version": release,
            "torch": torch.__version__.partition("+")[0],
            "signatures": {
                name: signature(peer, name) for name in dict.fromkeys(call.name for call in calls)
            },
            "vectors": [record(peer, call) for call in calls],
        }
        file = FOLDER / f"{peer}-{release}.json"
        lines = ",\n".join(json.dumps(vector) for vector in document.pop("vectors"))
        head = json.dumps(document)
        file.write_text(f'{head[:-1]},\n"vectors": [\n{lines}\n]}}\n')
        print(f"{file.name}: {len(calls)} vectors")


if __name__ == "__main__":
    if sys.argv[1:] == ["--compare"]:
        raise SystemExit(compare())
    main(sys.argv[1:])
