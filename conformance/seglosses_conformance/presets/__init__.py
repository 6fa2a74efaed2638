"""What other libraries gave, as cases of our presets for them: `--presets monai`.

`vectors/` has a file for each library and release: the arguments of a loss, the name of its inputs, which are in
`inputs.py`, value and gradient.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seglosses_conformance.cases import Case, Expected
from seglosses_conformance.entries import Override
from seglosses_conformance.presets.inputs import FURTHER, INPUTS
from seglosses_core.presets.recipe import PRESETS

FOLDER = Path(__file__).parent / "vectors"
DTYPES = ("float64", "float32")
"""In which the inputs are exact."""
OVERRIDES = (
    Override(
        "keras/*-binary-empty",
        gradient_scale=1e7,
        reason="Of an image with neither target nor prediction autodiff subtracts 1/ε from 1/ε, with Keras' ε of 1e-7.",
        target="formula",
    ),
)
"""See `overrides`."""


def documents() -> Iterator[dict[str, Any]]:
    """What the files hold."""
    for file in sorted(FOLDER.glob("*.json")):
        yield json.loads(file.read_text(encoding="utf-8"))


def peers() -> list[str]:
    """The libraries that there are vectors of."""
    return sorted(document["peer"] for document in documents())


def preset_cases(chosen: list[str]) -> list[Case]:
    """The vectors of some libraries, but for those whose value is another here, that were given a softmax, or whose
    call has a factor of each pixel."""
    return [
        _case(document, number, vector)
        for document in documents()
        if document["peer"] in chosen
        for number, vector in enumerate(document["vectors"])
        if not (
            vector["gradient_alone"] or vector.get("softmax") or "pixels" in vector.get("call", {}).values()
        )
    ]


def arrays(vector: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The logits and the target that a vector was recorded with, class axis 1."""
    logits, target = INPUTS[vector["inputs"]]
    return logits, target[:, None] if vector["target_axis"] else target


def _case(document: dict[str, Any], number: int, vector: dict[str, Any]) -> Case:
    peer, name = document["peer"], vector["name"]
    logits, target = arrays(vector)
    value = np.array(vector["value"])
    expected = Expected(
        value=value,
        gradient=np.array(vector["gradient"]).reshape(logits.shape),
        scale=1 + np.abs(value),
        precision=1e-9 if vector["dtype"] == "float64" else 1e-5,
    )
    call = vector.get("call", {})
    preset = PRESETS[peer, name]
    arrays_of_call = {preset.call[key]: FURTHER[value] for key, value in call.items() if value in FURTHER}
    mask = arrays_of_call.get("mask")
    given = ", ".join(f"{name}={value!r}" for name, value in {**vector["arguments"], **call}.items())
    return Case(
        id=f"{peer}/{number}-{name}-{vector['inputs']}",
        loss=f"presets.{peer}.{name}",
        comment=f"{name}({given}) of {vector['inputs']}.",
        source=f"{peer} {document['version']}",
        flags=frozenset(),
        hyperparameters={**vector["arguments"], **preset.options(call)},
        logits=logits,
        target=target,
        mask=mask if mask is None or mask.shape == logits.shape else mask[:, 0],
        sample_weight=arrays_of_call.get("sample_weight"),
        expected=expected,
    )
