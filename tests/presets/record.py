"""Records what the losses of other libraries give, where they are installed:

    python tests/presets/record.py monai smp kornia pytorch nnunet mmseg

writes value, gradient and signature of each to the vectors of the conformance suite. A library that needs others only
for what is no loss may be installed without them (`pip install --no-deps`).

    python tests/presets/record.py --compare

writes nothing, and says where the releases that are installed give something else than what was recorded.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from importlib.machinery import PathFinder
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
import torch
from preset_calls import Call, asked

from seglosses_conformance.cases import map_upstream
from seglosses_conformance.presets import FOLDER, documents
from seglosses_conformance.presets.inputs import FURTHER, INPUTS

ARRAYS = ("weight", "pos_weight")
"""The arguments that most libraries want as tensors."""


def module_of(peer: str, name: str) -> Any:
    """The first of the library's modules that has it."""
    calls = asked(peer)
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
    found = map(importlib.import_module, calls.MODULES[1:])
    return next(module for module in found if hasattr(module, name))


class Absent:
    """What stands for the names of packages that are not installed: what registers losses, and a check of a list."""

    def __init__(self, *arguments: Any) -> None: ...

    @staticmethod
    def register_module() -> Any:
        return lambda loss: loss


def real(peer: str, name: str, value: Any, dtype: torch.dtype) -> Any:
    """An argument as the library wants it, beside logits of this dtype."""
    if name in getattr(asked(peer), "ARRAYS", ARRAYS) and isinstance(value, list):
        return torch.tensor(value, dtype=dtype)
    if isinstance(value, dict):
        return {key: real(peer, key, item, dtype) for key, item in value.items()}
    functions = getattr(asked(peer), "FUNCTIONS", {})
    if isinstance(value, str) and value in functions:
        return getattr(importlib.import_module(functions[value]), value)
    return value


def brought(value: Any, dtype: torch.dtype) -> Any:
    """What a call has beside logits of this dtype and target."""
    if value not in FURTHER:
        return value
    array = torch.tensor(FURTHER[value])
    return array.to(dtype) if array.dtype.is_floating_point else array


def record(peer: str, call: Call) -> dict[str, Any]:
    logits, target = INPUTS[call.inputs]
    given = torch.tensor(logits, dtype=getattr(torch, call.dtype), requires_grad=True)
    labels = torch.tensor(target)
    if call.target_axis:
        labels = labels[:, None]
    kind = getattr(module_of(peer, call.name), call.name)
    arguments = {name: real(peer, name, value, given.dtype) for name, value in call.arguments.items()}
    further = {name: brought(value, given.dtype) for name, value in call.call.items()}
    buffers = {}
    if inspect.isclass(kind):
        loss = kind(**arguments)
        buffers = {name: buffer.tolist() for name, buffer in loss.state_dict().items()}
        value = loss(given, labels, **further)
    else:
        value = kind(given, labels, **arguments)
    upstream = torch.tensor(map_upstream(tuple(value.shape)), dtype=value.dtype)
    (value * upstream).sum().backward()
    assert given.grad is not None
    return {
        "name": call.name,
        "arguments": call.arguments,
        **({"call": call.call} if call.call else {}),
        "inputs": call.inputs,
        "target_axis": call.target_axis,
        "logits": call.dtype,
        "gradient_alone": call.gradient_alone,
        "dtype": str(value.dtype).removeprefix("torch."),
        "value": value.detach().double().tolist(),
        **({"buffers": buffers} if buffers else {}),
        "gradient": [float(f"{slope:.12g}") for slope in given.grad.flatten().tolist()],
    }


def signature(peer: str, name: str) -> list[list[Any]]:
    """Names and defaults; not `**kwargs`, which are ignored there."""
    found = []
    for parameter in inspect.signature(getattr(module_of(peer, name), name)).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
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
