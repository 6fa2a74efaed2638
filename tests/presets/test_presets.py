"""The losses of other libraries by their own names, against what those libraries gave (`record.py`)."""

from __future__ import annotations

import importlib
import inspect
import math
import runpy
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from scipy.special import softmax
from survey import configurations

import seglosses_core
from seglosses_conformance.cases import map_upstream
from seglosses_conformance.frameworks.with_jax import enable_x64
from seglosses_conformance.presets import arrays, documents
from seglosses_conformance.presets.inputs import FURTHER, INPUTS
from seglosses_core.presets import loss as preset_loss
from seglosses_core.presets.recipe import LIBRARIES, PRESETS, Recipe, Sizes

DOCUMENTS = list(documents())
VECTORS = [(document["peer"], vector) for document in DOCUMENTS for vector in document["vectors"]]


def _id(case: Any) -> str:
    peer, vector = case
    given = {**vector["arguments"], **vector.get("call", {})}
    arguments = "-".join(f"{name}={value}" for name, value in given.items())
    return f"{peer}-{vector['name']}-{vector['inputs']}-{arguments}".replace(" ", "")


def _arrays(vector: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    logits, target = arrays(vector)
    return logits.astype(vector["logits"]), target


def _further(vector: dict[str, Any], asarray: Any = np.asarray) -> dict[str, Any]:
    """What a call has beside logits and target."""
    given = vector.get("call", {})
    return {name: asarray(FURTHER[value]) if value in FURTHER else value for name, value in given.items()}


def _of(package: str, peer: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{package}.presets.{peer}"), name)


def _loss(package: str, peer: str, vector: dict[str, Any], **options: Any) -> Any:
    """A function of arrays."""
    make = _of(package, peer, vector["name"])
    if make.preset.arrays:
        back = LIBRARIES[peer].target_first
        return lambda *arrays, **further: make(
            *(arrays[::-1] if back else arrays), **vector["arguments"], **options, **further
        )
    return make(**vector["arguments"], **options)


def _in_numpy(peer: str, vector: dict[str, Any]) -> tuple[Any, Any]:
    logits, target = _arrays(vector)
    loss = _loss("seglosses_core", peer, vector)
    given = softmax(logits, axis=1) if vector.get("softmax") else logits
    if not hasattr(loss, "value_and_grad") or np.ndim(vector["value"]):
        return loss(given, target, **_further(vector)), None
    value, gradient = loss.value_and_grad(given, target, **_further(vector))
    if vector.get("softmax"):
        gradient = given * (gradient - (given * gradient).sum(axis=1, keepdims=True))
    return value, gradient


def _in_torch(peer: str, vector: dict[str, Any]) -> tuple[Any, Any]:
    logits, target = map(torch.tensor, _arrays(vector))
    logits.requires_grad_()
    given = logits.softmax(1) if vector.get("softmax") else logits
    value = _loss("seglosses_torch", peer, vector)(given, target, **_further(vector, torch.tensor))
    value.backward(torch.tensor(map_upstream(tuple(value.shape)), dtype=value.dtype))
    return value.detach().numpy(), logits.grad.numpy()


def _in_jax(peer: str, vector: dict[str, Any]) -> tuple[Any, Any]:
    with enable_x64(True):
        logits, target = map(jax.numpy.asarray, _arrays(vector))
        loss = _loss("seglosses_jax", peer, vector, class_axis=1)
        further = _further(vector, jax.numpy.asarray)
        activation = partial(jax.nn.softmax, axis=1) if vector.get("softmax") else lambda logits: logits
        value, back = jax.vjp(lambda logits: loss(activation(logits), target, **further), logits)
        (gradient,) = back(jax.numpy.asarray(map_upstream(value.shape), dtype=value.dtype))
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


# The Lovász loss of smp applies a softmax to probabilities, too.
@pytest.mark.filterwarnings("ignore:logits look like probabilities")
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
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and ["*"] not in ours:
                ours.append(["*"])
            default = parameter.default
            ours.append([parameter.name] if default is inspect.Parameter.empty else [parameter.name, default])
        assert ours == theirs, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["peer"])
def test_checkpoints_are_theirs(document):
    """A strict load takes those of the other library, which takes ours."""
    for vector in document["vectors"]:
        make = _of("seglosses_torch", document["peer"], vector["name"])
        if make.preset.arrays:
            continue
        loss, theirs = make(**vector["arguments"]), vector.get("buffers", {})
        assert {name: buffer.tolist() for name, buffer in loss.state_dict().items()} == theirs
        loss.load_state_dict({name: torch.tensor(numbers) for name, numbers in theirs.items()})


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
    logits, target = INPUTS[vector["inputs"]]
    preset = PRESETS[peer, vector["name"]]
    recipe = preset.recipe(**{**vector["arguments"], **preset.options(vector.get("call", {}))})
    labelled = recipe.target != "classes" and len(target.shape) < len(logits.shape)
    return recipe.equivalent(Sizes(logits.shape[1], math.prod(logits.shape[2:]), labelled, logits.ndim))


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
    monkeypatch.setattr(preset_loss, "_variants", {})
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


def test_what_was_measured_before_agrees_or_says_why_not():
    found = list(configurations())
    unclear = [one for one in found if one.agrees == bool(one.reason)]
    assert not unclear
    assert sum(one.agrees for one in found) >= 265


def test_the_pages_are_current():
    docs = Path(__file__).parents[2] / "docs"
    made = runpy.run_path(str(docs / "make_presets.py"))["pages"]()
    there = {file.name: file.read_text() for file in (docs / "presets").glob("*.md")}
    assert made == there, "a page is out of date: run python docs/make_presets.py"
