"""Records what the losses of other libraries give, where they are installed:

    python tests/presets/record.py monai smp kornia pytorch

writes value, gradient and signature of each to `vectors/`. A library that needs others only for what is no loss may be
installed without them (`pip install --no-deps`).
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from importlib.machinery import PathFinder
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from preset_calls import Call, asked
from preset_inputs import INPUTS

ARRAYS = ("weight", "pos_weight", "dist_matrix")
"""The arguments that have to be tensors there."""


def module_of(peer: str, name: str) -> Any:
    root, *modules = asked(peer).MODULES
    if peer == "smp" and root not in sys.modules:
        # Its own __init__ asks for what has nothing to do with losses.
        spec = PathFinder.find_spec(root)
        assert spec is not None
        bare = ModuleType(root)
        bare.__path__ = list(spec.submodule_search_locations or ())
        sys.modules[root] = bare
    return importlib.import_module(modules[-1] if name[0].islower() else modules[0])


def record(peer: str, call: Call) -> dict[str, Any]:
    logits, target, *further = INPUTS[call.inputs]
    given = torch.tensor(logits, dtype=getattr(torch, call.dtype), requires_grad=True)
    labels = torch.tensor(target)
    if call.target_axis:
        labels = labels[:, None]
    arguments = {
        name: torch.tensor(value, dtype=given.dtype) if name in ARRAYS and isinstance(value, list) else value
        for name, value in call.arguments.items()
    }
    kind = getattr(module_of(peer, call.name), call.name)
    if call.name[0].islower():
        value = kind(given, labels, **arguments)
    else:
        loss = kind(**arguments)
        value = loss(given, labels, *map(torch.tensor, further))
    upstream = torch.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape)
    (value * upstream).sum().backward()
    assert given.grad is not None
    return {
        "name": call.name,
        "arguments": call.arguments,
        "inputs": call.inputs,
        "target_axis": call.target_axis,
        "logits": call.dtype,
        "gradient_alone": call.gradient_alone,
        # A target in float64 makes no number of float32 more exact.
        "dtype": str(torch.float32 if call.dtype == "float32" else value.dtype).removeprefix("torch."),
        "value": value.detach().double().tolist(),
        "gradient": [float(f"{slope:.12g}") for slope in given.grad.flatten().tolist()],
    }


def signature(peer: str, name: str) -> list[list[Any]]:
    """Names and defaults."""
    found = []
    for parameter in inspect.signature(getattr(module_of(peer, name), name)).parameters.values():
        default = getattr(parameter.default, "value", parameter.default)
        found.append([parameter.name] if default is inspect.Parameter.empty else [parameter.name, default])
    return found


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
        file = Path(__file__).parent / "vectors" / f"{peer}-{release}.json"
        file.parent.mkdir(exist_ok=True)
        lines = ",\n".join(json.dumps(vector) for vector in document.pop("vectors"))
        head = json.dumps(document)
        file.write_text(f'{head[:-1]},\n"vectors": [\n{lines}\n]}}\n')
        print(f"{file.name}: {len(calls)} vectors")


if __name__ == "__main__":
    main(sys.argv[1:])
