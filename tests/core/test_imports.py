"""What importing the core brings in, and what it offers."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import subprocess
import sys

import pytest

import seglosses_core as core
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build

LOSSES = {loss.__name__ for loss in core.LOSSES}
COMMON = {"class_axis": 1, "ignore_index": None, "class_weights": None, "validate": False}
ARRAY_LIBRARIES = {"torch", "jax", "jaxlib", "tensorflow", "keras", "numpy", "cupy", "scipy"}


def modules_after(statement: str) -> set[str]:
    """The top-level modules of a fresh interpreter after `statement`."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(run.stdout)}


@pytest.mark.parametrize("statement", ["import seglosses_core", "from seglosses_core import *"])
def test_importing_the_core_imports_no_framework(statement):
    loaded = modules_after(statement)
    assert "seglosses_core" in loaded
    assert not loaded & ARRAY_LIBRARIES


def test_importing_the_torch_adapter_imports_no_compiler():
    """Triton aborts the process where TensorFlow was imported before."""
    script = "import seglosses_torch.presets, sys; assert not {'triton', 'torch._dynamo'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_using_the_core_imports_no_framework():
    use = """
import numpy
import seglosses_core as core
loss = core.DiceLoss() + core.LocallyAdaptiveLoss(reduction=core.MaxPooling())
loss.value_and_grad(numpy.zeros((1, 3, 4)), numpy.zeros((1, 4), dtype=int))
"""
    assert modules_after(use) & ARRAY_LIBRARIES == {"numpy"}


def test_public_names():
    assert len(core.__all__) == len(set(core.__all__))
    assert all(hasattr(core, name) for name in core.__all__)
    assert {"FUNCTIONS", "LOSSES", "POOLINGS", "Loss", "Pooling"} < set(core.__all__)


def test_what_adapters_offer_is_what_is_public():
    public = {name: one for name, one in vars(core).items() if not name.startswith("_")}
    classes = {name for name, one in public.items() if inspect.isclass(one) and one.__module__ != "typing"}
    offered = (*core.LOSSES, *core.POOLINGS)
    assert classes - {"Callable", "DeepSupervisionLoss", "Loss", "Pooling"} == {
        one.__name__ for one in offered
    }
    assert {one for one in public.values() if inspect.isfunction(one)} == set(core.FUNCTIONS)
    assert len(core.__all__) == len(offered) + len(core.FUNCTIONS) + 6


every_loss = pytest.mark.parametrize("loss", core.LOSSES, ids=lambda loss: loss.__name__)
every_frozen_class = pytest.mark.parametrize(
    "kind",
    [*core.LOSSES, *core.POOLINGS],
    ids=lambda kind: kind.__name__,
)


@every_frozen_class
def test_signature_is_keyword_only(kind):
    kinds = {parameter.kind for parameter in inspect.signature(kind).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}


def made_of(kind):
    """A loss with the hyper-parameters that its record samples first."""
    sample, *_ = ENTRIES[kind.__name__].samples
    return build(core, kind.__name__, sample.hyperparameters, 1)


@every_frozen_class
def test_is_a_frozen_dataclass(kind):
    made = kind() if kind in core.POOLINGS else made_of(kind)
    field = dataclasses.fields(made)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, field, getattr(made, field))


@pytest.mark.parametrize("loss", [loss for loss in core.LOSSES if loss is not core.EnsembleLoss])
def test_defaults_of_what_all_losses_share(loss):
    """Those of the rest are in the stubs."""
    parameters = inspect.signature(loss).parameters
    assert {name: parameters[name].default for name in COMMON} == COMMON


@every_loss
def test_calls_take_the_weights_by_keyword(loss):
    for function in (loss.__call__, loss.value_and_grad):
        parameters = list(inspect.signature(function).parameters.values())
        assert [p.name for p in parameters[:3]] == ["self", "logits", "target"]
        assert {"mask", "sample_weight"} <= {p.name for p in parameters[3:]}
        *named, inputs = parameters[3:]
        assert {p.kind for p in named} == {inspect.Parameter.KEYWORD_ONLY}
        assert inputs.kind is inspect.Parameter.VAR_KEYWORD


@every_frozen_class
def test_docstring_has_formula_and_parameters(kind):
    """A formula, and every hyper-parameter of its own."""
    text = inspect.getdoc(kind)
    assert "dataclass" not in text
    assert not text.startswith(f"{kind.__name__}("), (
        "the signature that dataclasses put where a text is missing"
    )
    assert re.search(r"`[^`]*[=Σ][^`]*`", text) or re.search(r"^ {4}.* = ", text, re.MULTILINE)
    fields = {field.name for field in dataclasses.fields(kind)} - {"activation", "reduction"}
    own = [name for name in inspect.get_annotations(kind) if name in fields]
    for name in own:
        assert f"{name} : " in text
