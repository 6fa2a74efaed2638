"""Records what the losses of other libraries give, where they are installed:

    python tests/presets/record.py monai smp kornia pytorch keras optax qubvel keras_cv

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
from seglosses_conformance.presets import FOLDER, documents
from seglosses_conformance.presets.inputs import INPUTS

ARRAYS = ("weight", "pos_weight")
"""The arguments that PyTorch, kornia and smp want as tensors."""


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
    root, *modules = asked(peer).MODULES
    if peer in ("keras", "keras_cv"):
        keras_in_float64()
    if peer == "keras_cv" and root not in sys.modules:
        keras_cv_losses()
    if peer in ("smp", "qubvel") and root not in sys.modules:
        # Their own __init__ asks for what has nothing to do with losses.
        spec = PathFinder.find_spec(root)
        assert spec is not None
        bare = ModuleType(root)
        bare.__path__ = list(spec.submodule_search_locations or ())
        sys.modules[root] = bare
        if peer == "qubvel":
            base = importlib.import_module(f"{root}.base")
            base.Loss.set_submodules(importlib.import_module("keras2_backend"), *3 * [ModuleType("unused")])
    return importlib.import_module(modules[-1] if name[0].islower() else modules[0])


def argument(peer: str, name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if name in ARRAYS or (name == "class_weights" and peer in ("optax", "qubvel")):
        array = np.array(value)
        return array if getattr(asked(peer), "IN_JAX", False) else torch.tensor(array)
    return tuple(value) if name == "axis" else value


def loss_of(peer: str, call: Call, move_axis: Callable[..., Any]) -> Callable[..., Any]:
    """A function of logits and target, class axis 1."""
    classes_last = getattr(asked(peer), "CLASSES_LAST", False)
    arguments = {name: argument(peer, name, value) for name, value in call.arguments.items()}
    kind = getattr(module_of(peer, call.name), call.name)
    loss = partial(kind, **arguments) if call.name[0].islower() else kind(**arguments)
    given = (lambda x, y: loss(y, x)) if getattr(asked(peer), "TARGET_FIRST", False) else loss
    if not classes_last:
        return given

    def with_classes_last(logits: Any, target: Any) -> Any:
        rank = logits.ndim
        if target.ndim == rank:
            target = move_axis(target, 1, -1)
        value = given(move_axis(logits, 1, -1), target)
        return move_axis(value, -1, 1) if value.ndim == rank else value

    return with_classes_last


def in_torch(peer: str, call: Call, logits: np.ndarray, target: np.ndarray) -> tuple[Any, Any]:
    """Value and gradient; of several values that of their weighted sum"""
    given = torch.tensor(logits, requires_grad=True)
    loss = loss_of(peer, call, torch.movedim)
    value = loss(given.softmax(1) if call.softmax else given, torch.tensor(target))
    upstream = torch.tensor(map_upstream(tuple(value.shape)), dtype=value.dtype)
    (value * upstream).sum().backward()
    assert given.grad is not None
    return value.detach().numpy(), given.grad.numpy()


def in_jax(peer: str, call: Call, logits: np.ndarray, target: np.ndarray) -> tuple[Any, Any]:
    """The same of a library of JAX."""
    import jax

    with jax.enable_x64(True):
        loss = loss_of(peer, call, jax.numpy.moveaxis)
        given, labels = map(jax.numpy.asarray, (logits, target))
        value, back = jax.vjp(lambda x: loss(jax.nn.softmax(x, axis=1) if call.softmax else x, labels), given)
        (gradient,) = back(jax.numpy.asarray(map_upstream(value.shape), dtype=value.dtype))
        return np.asarray(value), np.asarray(gradient)


def record(peer: str, call: Call) -> dict[str, Any]:
    logits, target = INPUTS[call.inputs]
    run = in_jax if getattr(asked(peer), "IN_JAX", False) else in_torch
    value, gradient = run(
        peer, call, logits.astype(call.dtype), target[:, None] if call.target_axis else target
    )
    return {
        "name": call.name,
        "arguments": call.arguments,
        "inputs": call.inputs,
        "target_axis": call.target_axis,
        "logits": call.dtype,
        "gradient_alone": call.gradient_alone,
        "softmax": call.softmax,
        "dtype": str(value.dtype),
        "value": value.astype(float).tolist(),
        "gradient": [float(f"{slope:.12g}") for slope in gradient.ravel().tolist()],
    }


def signature(peer: str, name: str) -> list[list[Any]]:
    """Names and defaults; ["*"] comes before what is given by name alone."""
    found = []
    kind = getattr(module_of(peer, name), name)
    parameters = list(inspect.signature(kind).parameters.values())
    if (
        parameters and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
    ):  # for the class that it is made of
        own = inspect.signature(kind.__base__).parameters.values()
        parameters[-1:] = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and ["*"] not in found:
            found.append(["*"])
        default = getattr(parameter.default, "value", parameter.default)
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
