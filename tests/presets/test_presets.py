"""The losses of other libraries by their own names, against what those libraries gave (`record.py`)."""

from __future__ import annotations

import importlib
import inspect
import json
import math
import runpy
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from preset_inputs import INPUTS

import seglosses_core
from seglosses_core.presets import loss as preset_loss
from seglosses_core.presets.recipe import PRESETS, Recipe, Sizes

DOCUMENTS = [
    json.loads(file.read_text()) for file in sorted((Path(__file__).parent / "vectors").glob("*.json"))
]
VECTORS = [(document["peer"], vector) for document in DOCUMENTS for vector in document["vectors"]]


def _id(case: Any) -> str:
    peer, vector = case
    arguments = "-".join(f"{name}={value}" for name, value in vector["arguments"].items())
    return f"{peer}-{vector['name']}-{vector['inputs']}-{arguments}".replace(" ", "")


def _arrays(vector: dict[str, Any]) -> tuple[np.ndarray, ...]:
    logits, target, *further = INPUTS[vector["inputs"]]
    return logits.astype(vector["logits"]), target[:, None] if vector["target_axis"] else target, *further


def _of(package: str, peer: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{package}.presets.{peer}"), name)


def _loss(package: str, peer: str, vector: dict[str, Any], **options: Any) -> Any:
    """A function of arrays."""
    make = _of(package, peer, vector["name"])
    if make.preset.arrays:
        return lambda *arrays: make(*arrays, **vector["arguments"], **options)
    return make(**vector["arguments"], **options)


def _weights(value: Any, xp: Any) -> Any:
    return xp.reshape(xp.arange(1, value.size + 1, dtype=value.dtype), value.shape)


def _in_numpy(peer: str, vector: dict[str, Any]) -> tuple[Any, Any]:
    arrays = _arrays(vector)
    loss = _loss("seglosses_core", peer, vector)
    if not hasattr(loss, "value_and_grad") or loss.reduction == "none" or len(arrays) > 2:
        return loss(*arrays), None
    return loss.value_and_grad(*arrays)


def _in_torch(peer: str, vector: dict[str, Any]) -> tuple[Any, Any]:
    logits, *others = map(torch.tensor, _arrays(vector))
    logits.requires_grad_()
    value = _loss("seglosses_torch", peer, vector)(logits, *others)
    value.backward(torch.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape))
    return value.detach().numpy(), logits.grad.numpy()


def _in_jax(peer: str, vector: dict[str, Any]) -> tuple[Any, Any]:
    with jax.enable_x64(True):
        logits, *others = map(jax.numpy.asarray, _arrays(vector))
        loss = _loss("seglosses_jax", peer, vector, class_axis=1)
        value, back = jax.vjp(lambda logits: loss(logits, *others), logits)
        (gradient,) = back(_weights(value, jax.numpy))
        return np.asarray(value), np.asarray(gradient)


FIRST = {(peer, vector["name"]): k for k, (peer, vector) in reversed(list(enumerate(VECTORS)))}
"""One of each loss, for JAX, which compiles for each: all of them are slow."""
CASES = [
    pytest.param(
        case,
        run,
        id=f"{_id(case)}-{run.__name__}",
        marks=[pytest.mark.slow] if run is _in_jax and k not in FIRST.values() else [],
    )
    for k, case in enumerate(VECTORS)
    for run in (_in_numpy, _in_torch, _in_jax)
]


@pytest.mark.parametrize(("case", "run"), CASES)
def test_value_and_gradient_are_theirs(case, run):
    peer, vector = case
    value, gradient = run(peer, vector)
    exact = vector["dtype"] == "float64"
    theirs, slopes = np.array(vector["value"]), np.array(vector["gradient"])
    assert np.shape(value) == theirs.shape
    close = np.allclose(value, theirs, rtol=1e-9 if exact else 1e-6, atol=1e-9 if exact else 1e-6)
    assert close is not vector["gradient_alone"]
    if gradient is not None:
        limit = (1e-9 if exact else 1e-5) * np.abs(slopes).max()
        assert np.allclose(np.ravel(gradient), slopes, rtol=0, atol=limit)


@pytest.mark.parametrize("package", ["seglosses_core", "seglosses_torch", "seglosses_jax"])
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["peer"])
def test_signatures_are_theirs(document, package):
    for name, theirs in document["signatures"].items():
        ours = []
        for parameter in inspect.signature(_of(package, document["peer"], name)).parameters.values():
            assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
            default = parameter.default
            ours.append([parameter.name] if default is inspect.Parameter.empty else [parameter.name, default])
        assert ours == theirs, name


def _name(x: Any) -> str:
    return "-".join(x) if isinstance(x, tuple) else ""


def _options() -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """Of each option of ours that the recipes of a library set, the vectors that have it."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for peer, vector in VECTORS:
        for _, kind, options in _terms(peer, vector):
            for name, value in options.items():
                default = _default(kind, name)
                if value not in (default, (default, default)):
                    found.setdefault((peer, kind.removeprefix("Power"), name), []).append(vector)
    return found


def _terms(peer: str, vector: dict[str, Any]) -> list[tuple[float, str, dict[str, Any]]]:
    logits, target, *_ = INPUTS[vector["inputs"]]
    recipe = PRESETS[peer, vector["name"]].recipe(**vector["arguments"])
    labelled = recipe.target != "classes" and len(target.shape) < len(logits.shape)
    return recipe.equivalent(Sizes(logits.shape[1], math.prod(logits.shape[2:]), labelled))


def _default(kind: str, option: str) -> Any:
    return inspect.signature(getattr(seglosses_core, kind)).parameters[option].default


@pytest.mark.parametrize(("option", "vectors"), _options().items(), ids=_name)
def test_every_option_of_a_recipe_makes_a_difference(option, vectors, monkeypatch):
    """For at least one vector value or gradient are others without it."""
    peer, kind, name = option
    own = Recipe.equivalent

    def without(self, sizes):
        return [
            (weight, term, {**options, name: _default(term, name)} if term.endswith(kind) else options)
            for weight, term, options in own(self, sizes)
        ]

    def differs(found, expected):
        return np.shape(found) != expected.shape or not np.allclose(found, expected, rtol=1e-7, atol=1e-8)

    monkeypatch.setattr(Recipe, "equivalent", without)
    monkeypatch.setattr(preset_loss, "_recipes", {})
    monkeypatch.setattr(preset_loss, "_losses", {})
    for vector in vectors:
        try:
            value, gradient = _in_torch(peer, vector)
        except (TypeError, ValueError):
            return
        if differs(value, np.array(vector["value"])) and not vector["gradient_alone"]:
            return
        if gradient is not None and differs(gradient.ravel(), np.array(vector["gradient"])):
            return
    pytest.fail("no vector tells")


def test_the_page_is_current():
    docs = Path(__file__).parents[2] / "docs"
    made = runpy.run_path(str(docs / "make_presets.py"))["page"]()
    assert made == (docs / "presets.md").read_text(), (
        "the page is out of date: run python docs/make_presets.py"
    )
