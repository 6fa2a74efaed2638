"""Faults that the plain call does not show: each has to be found by the way of calling that is there for it.

Most are seeded into the torch losses, around the right implementation; NumPy, JAX and TensorFlow have a few.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import seglosses_core
import seglosses_torch
from seglosses_conformance import planning, runner
from seglosses_conformance.cases import Case, load_cases
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.own import Own, own_target
from seglosses_conformance.processes import Workers
from seglosses_conformance.records import Record
from seglosses_conformance.targets import TARGETS, Target
from seglosses_conformance.ways import LAYOUTS, WAYS

LOSSES = [loss.__name__ for loss in seglosses_core.LOSSES]
CASES = {loss: load_cases([loss]) for loss in LOSSES}
DTYPES = ("float64", "float32", "float16")

Implementation = Callable[..., torch.Tensor]
Fault = Callable[..., torch.Tensor]
"""`fault(right, **arrays)`: what a wrong implementation returns, `right` being the right one."""


# -- the faults ---------------------------------------------------------------------------------------------------


class Upstream(torch.autograd.Function):
    """The value as it is; on the way back something is done to what comes from upstream."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, change: Callable[[Any, torch.Tensor], torch.Tensor]) -> Any:
        ctx.change = change
        return value.clone()

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> Any:
        return ctx.change(ctx, upstream), None


def on_the_way_back(change: Callable[[Any, torch.Tensor], torch.Tensor]) -> Fault:
    return lambda right, **arrays: Upstream.apply(right(**arrays), change)


def once_only(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
    first, ctx.walked = not hasattr(ctx, "walked"), True
    return upstream * first


def linear(
    right: Implementation, *, logits: torch.Tensor, rounded: bool = False, **arrays: Any
) -> torch.Tensor:
    """The right value and gradient, but a gradient that is a constant."""
    leaf = logits.detach().requires_grad_()
    with torch.enable_grad():
        value = right(logits=leaf, **arrays)
    if value.ndim or not logits.requires_grad:
        return right(logits=logits, **arrays)
    (gradient,) = torch.autograd.grad(value, leaf)
    moved = torch.where(logits.isnan(), 0, logits - logits.detach()).to(value.dtype)
    return value.detach() + (moved * gradient.to(value.dtype)).sum()


def without_gradient_of(name: str) -> Fault:
    """The value is connected with the array, but its derivative is 0."""

    def fault(right: Implementation, **arrays: Any) -> torch.Tensor:
        array = arrays.get(name)
        if array is None or not array.requires_grad:
            return right(**arrays)
        return right(**{**arrays, name: array.detach()}) + 0 * array.nan_to_num().sum()

    return fault


def map_without_gradient(right: Implementation, **arrays: Any) -> torch.Tensor:
    value = right(**arrays)
    return value.detach() + 0 * arrays["logits"].nan_to_num().sum() if value.ndim else value


def as_if_contiguous(right: Implementation, *, logits: torch.Tensor, **arrays: Any) -> torch.Tensor:
    """The logits by their place in memory."""
    strides = torch.empty(logits.shape).stride()
    return right(
        logits=logits if logits.is_contiguous() else logits.as_strided(logits.shape, strides), **arrays
    )


def target_as_if_contiguous(right: Implementation, *, target: torch.Tensor, **arrays: Any) -> torch.Tensor:
    strides = torch.empty(target.shape).stride()
    return right(
        target=target if target.is_contiguous() else target.as_strided(target.shape, strides), **arrays
    )


def overwriting(name: str) -> Fault:
    def fault(right: Implementation, **arrays: Any) -> torch.Tensor:
        value = right(**arrays).clone()
        if name in arrays:
            arrays[name].data.zero_()  # what autograd does not hear of
        return value

    return fault


def first_target(right: Implementation, *, target: torch.Tensor, **arrays: Any) -> torch.Tensor:
    """Keeps the target of the first call for all later ones."""
    right.kept = getattr(right, "kept", target)  # type: ignore[attr-defined]
    return right(target=right.kept, **arrays)  # type: ignore[attr-defined]


def average_of_calls(right: Implementation, **arrays: Any) -> torch.Tensor:
    """A running mean of the values, which are all the same while the input is."""
    value = right(**arrays)
    kept = getattr(right, "kept", value.detach())
    right.kept = value.detach()  # type: ignore[attr-defined]
    return value + (kept - value.detach()) / 2 if kept.shape == value.shape else value


def half_under_autocast(right: Implementation, *, logits: torch.Tensor, **arrays: Any) -> torch.Tensor:
    halved = torch.is_autocast_enabled("cpu")
    return right(logits=logits.bfloat16().to(logits.dtype) if halved else logits, **arrays)


def in_float32(right: Implementation, *, logits: torch.Tensor, **arrays: Any) -> torch.Tensor:
    return right(logits=logits.float(), **arrays).to(torch.promote_types(logits.dtype, torch.float32))


def other_in_inference_mode(right: Implementation, **arrays: Any) -> torch.Tensor:
    return right(**arrays) + torch.is_inference_mode_enabled()


def classes_on_axis_1(right: Implementation, *, logits: torch.Tensor, **arrays: Any) -> torch.Tensor:
    """What a class axis other than the first and the last is taken for."""
    axis = right.class_axis % logits.ndim  # type: ignore[attr-defined]
    if axis in (1, logits.ndim - 1):
        return right(logits=logits, **arrays)
    return right(logits=logits.flip(axis), **arrays)


FAULTS: dict[str, tuple[Fault, str | None]] = {
    "upstream left out": (on_the_way_back(lambda _, upstream: torch.ones_like(upstream)), "upstream"),
    "sign of upstream": (on_the_way_back(lambda _, upstream: upstream.sign()), "upstream"),
    "size of upstream": (on_the_way_back(lambda _, upstream: upstream.abs()), "upstream"),
    "rounded before upstream": (linear, "loss scale"),
    "nothing in a second backward": (on_the_way_back(once_only), "backward twice"),
    "no second derivative": (linear, "second derivative"),
    "no gradient of a map": (map_without_gradient, None),
    "a detached map": (lambda right, **arrays: detached_map(right(**arrays)), None),
    "no gradient of the target": (without_gradient_of("target"), "gradient of the target"),
    "no gradient of the mask": (without_gradient_of("mask"), "gradient of the mask"),
    "no gradient of weights": (without_gradient_of("sample_weight"), "gradient of the sample weights"),
    "logits by memory, sliced": (as_if_contiguous, "sliced"),
    "logits by memory, channels last": (as_if_contiguous, "channels last"),
    "logits by memory, transposed": (as_if_contiguous, "transposed"),
    "logits by memory, expanded": (as_if_contiguous, "expanded batch"),
    "target by memory": (target_as_if_contiguous, "transposed"),
    "another class axis": (classes_on_axis_1, "class axis 2"),
    "overwritten logits": (overwriting("logits"), None),
    "overwritten target": (overwriting("target"), None),
    "overwritten mask": (overwriting("mask"), None),
    "the first target is kept": (first_target, "after another"),
    "state kept": (average_of_calls, "after another"),
    "half precision under autocast": (half_under_autocast, "autocast"),
    "float64 as float32": (in_float32, None),
    "inference mode": (other_in_inference_mode, "inference mode"),
}
"""With the check that finds it; None for the cases themselves."""


def detached_map(value: torch.Tensor) -> torch.Tensor:
    return value.detach() if value.ndim else value


# -- running them -------------------------------------------------------------------------------------------------


def with_fault(fault: Fault) -> Target:
    """The torch target, each of its functions with a fault in it."""
    torch_target = TARGETS["torch"]

    def make(loss: str, hyperparameters: Any, class_axis: int, arrays: dict[str, Any]) -> Any:
        right = torch_target.make(loss, hyperparameters, class_axis, arrays)

        class Right:
            """An object, so that a fault can keep something."""

            def __call__(self, **arrays: Any) -> Any:
                return right(**arrays)

        kept = Right()
        kept.class_axis = class_axis  # type: ignore[attr-defined]
        return lambda **arrays: fault(kept, **arrays)

    return dataclasses.replace(torch_target, make=make)


def some(cases: list[Case]) -> list[Case]:
    """The cases that ways are tried on, and a map."""
    maps = [case for case in cases if case.expected.value.ndim][:1]
    chosen = [case for way in WAYS for case in way.cases(cases)]
    return list({case.id: case for case in (*chosen, *maps)}.values())


def records_of(
    target: Target,
    cases: list[Case],
    dtypes: tuple[str, ...] = DTYPES,
    wanted: Callable[[Record], bool] = lambda record: True,
) -> list[Record]:
    made = planning.plan(cases, [target], dtypes)
    made.comparisons = [comparison for comparison in made.comparisons if wanted(comparison.record)]
    return runner.run(made, runner.in_this_process).records


def failures(records: list[Record]) -> list[str]:
    return [f"{r.case}, {r.check}, {r.dtype}: {r.reason}" for r in records if r.outcome != "pass"]


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_right_passes(loss: str) -> None:
    records = records_of(TARGETS["torch"], some(CASES[loss]))
    assert failures(records) == []
    expected = {check for _, check in FAULTS.values()}
    if not has_a_slope_of_the_target(loss):
        expected -= {"gradient of the target"}
    if not ENTRIES[loss].curved:
        expected -= {"second derivative"}
    assert expected <= {record.check for record in records}


def has_a_slope_of_the_target(loss: str) -> bool:
    """Whether there are soft targets for it, and it has a derivative with respect to them."""
    return ENTRIES[loss].soft_slope and any("soft" in sample.targets for sample in ENTRIES[loss].samples)


def has_what_is_at_fault(loss: str, name: str) -> bool:
    """Labels have no gradient, what is linear no second derivative, and an ensemble is no map."""
    if FAULTS[name][1] == "gradient of the target":
        return has_a_slope_of_the_target(loss)
    if FAULTS[name][1] == "second derivative":
        return ENTRIES[loss].curved
    return not ("map" in name and loss == "EnsembleLoss")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("loss", "name"), [(loss, name) for loss in LOSSES for name in FAULTS if has_what_is_at_fault(loss, name)]
)
def test_a_fault_is_found_in_every_loss(loss: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault, check = FAULTS[name]
    monkeypatch.setitem(TARGETS, "torch", with_fault(fault))
    dtypes = DTYPES if check else ("float64",)
    records = records_of(TARGETS["torch"], some(CASES[loss]), dtypes, lambda r: r.check == check)
    assert failures(records)


@pytest.mark.parametrize("name", [name for name, (_, check) in FAULTS.items() if check is not None])
def test_a_fault_is_found_by_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the check that is named would not be needed: a plain float32 case with labels passes."""
    fault, _ = FAULTS[name]
    monkeypatch.setitem(TARGETS, "torch", with_fault(fault))
    cases = [case for case in CASES["DiceLoss"] if case.id == "dice/labels"]
    assert failures(records_of(TARGETS["torch"], cases, ("float32",), lambda r: r.check is None)) == []


@pytest.mark.parametrize("loss", ["DiceLoss", "FocalLoss"])
def test_inputs_that_are_overwritten_are_named(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "torch", with_fault(overwriting("logits")))
    (first, *_) = failures(records_of(TARGETS["torch"], CASES[loss][:1], ("float32",)))
    assert "the logits are overwritten by the call" in first


# -- NumPy --------------------------------------------------------------------------------------------------------


def by_memory(arguments: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    logits = arguments["logits"]
    strides = np.empty(logits.shape, logits.dtype).strides
    start = logits if all(stride >= 0 for stride in logits.strides) else logits.base
    return {**arguments, "logits": np.lib.stride_tricks.as_strided(start, logits.shape, strides)}


def kept(arguments: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "target": state.setdefault("target", arguments["target"])}


def overwritten(arguments: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    given = {name: array.copy() for name, array in arguments.items()}
    if arguments["logits"].flags.writeable:
        arguments["logits"][...] = 0
    return given


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("change", "checks"),
    [
        (by_memory, {*LAYOUTS} - {"expanded batch"}),  # which would read what is not there
        (kept, {"after another"}),
        (overwritten, {None}),
    ],
)
def test_a_fault_in_numpy_is_found(
    loss: str, change: Any, checks: set[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: Any = getattr(seglosses_core, loss)
    state: dict[int, dict[str, Any]] = {}

    class Faulty(kind):
        def __call__(self, **arguments: Any) -> Any:
            return kind.__call__(self, **change(arguments, state.setdefault(id(self), {})))

        def value_and_grad(self, **arguments: Any) -> Any:
            return kind.value_and_grad(self, **change(arguments, state.setdefault(id(self), {})))

    monkeypatch.setattr(seglosses_core, loss, Faulty)
    state.clear()
    records = records_of(TARGETS["numpy"], some(CASES[loss]), ("float32",), lambda r: r.check in checks)
    assert {record.check for record in records if record.outcome == "fail"} == checks


# -- somebody's own -------------------------------------------------------------------------------------------------


def own_records(
    monkeypatch: pytest.MonkeyPatch, implementation: Any, checks: set[str | None], loss: str = "DiceLoss"
) -> list[Record]:
    module = types.ModuleType("somebodys_losses")
    module.loss = implementation  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    target = own_target(Own("somebodys_losses:loss", "torch"))
    return records_of(target, some(CASES[loss]), wanted=lambda record: record.check in checks)


def dice(logits: Any, target: Any) -> Any:
    return seglosses_torch.DiceLoss()(logits, target)


def test_own_losses_get_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    records = own_records(monkeypatch, seglosses_torch.DiceLoss, {check for _, check in FAULTS.values()})
    assert failures(records) == []
    assert {check for _, check in FAULTS.values()} == {record.check for record in records}


def test_without_a_class_axis_it_is_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    def fixed(
        logits: Any,
        target: Any,
        *,
        ignore_index: Any = None,
        class_weights: Any = None,
        mask: Any = None,
        sample_weight: Any = None,
    ) -> Any:
        return dice(logits, target)

    records = own_records(monkeypatch, fixed, {"class axis -1", "class axis 2"})
    assert {record.outcome for record in records} == {"unsupported"}
    assert all("has no parameter 'class_axis'" in record.reason for record in records)


def test_a_derivative_that_own_losses_do_not_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def detached(logits: Any, target: Any) -> Any:
        return dice(logits, target.detach())

    (record,) = own_records(monkeypatch, detached, {"gradient of the target"})
    assert record.outcome == "unsupported"
    assert record.reason.startswith("no gradient of the target: ")


# Torch's own, where it compiles in parts.
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore:The .grad attribute of a Tensor:UserWarning"
)
def test_own_losses_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(logits: Any, target: Any) -> Any:
        return dice(logits, target) * (1 + torch.compiler.is_compiling())

    def in_parts(logits: Any, target: Any) -> Any:
        torch._dynamo.graph_break()
        return dice(logits, target)

    outcomes = {}
    for implementation in (wrong, in_parts):
        (record,) = own_records(monkeypatch, implementation, {"compiled"})
        outcomes[implementation.__name__] = record.outcome
        if implementation is in_parts:
            assert record.reason.startswith("torch.compile takes it in parts only: ")
    assert outcomes == {"wrong": "fail", "in_parts": "unsupported"}


OTHERS = {
    "jax": """
import jax

def dice(logits, target):
    p, y = jax.nn.softmax(logits), jax.nn.one_hot(target, 3)
    overlap, total = (p * y).sum((1, 2)), (p + y).sum((1, 2))
    return (1 - (2 * overlap + 1e-5) / (total + 1e-5)).mean()

upstream_left_out = jax.custom_vjp(dice)
upstream_left_out.defvjp(lambda *arrays: (dice(*arrays), arrays), lambda kept, _: (jax.grad(dice)(*kept), None))

def not_compiled(logits, target):
    return dice(logits, target) if float(target.sum()) < 1e9 else 0.0
""",
    "tensorflow": """
import tensorflow as tf

def dice(logits, target):
    p, y = tf.nn.softmax(logits), tf.one_hot(target, 3)
    overlap, total = tf.reduce_sum(p * y, (1, 2)), tf.reduce_sum(p + y, (1, 2))
    return tf.reduce_mean(1 - (2 * overlap + 1e-5) / (total + 1e-5))

@tf.custom_gradient
def upstream_left_out(logits, target):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = dice(logits, target)
    gradient = tape.gradient(value, logits)
    return value, lambda upstream: (gradient, None)

def not_compiled(logits, target):
    return dice(logits, target) + 0 * float(tf.reduce_sum(logits).numpy())
""",
}


@pytest.mark.parametrize("library", OTHERS)
def test_faults_in_other_libraries(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"own_{library}.py").write_text(OTHERS[library])
    monkeypatch.chdir(tmp_path)
    cases = [case for case in CASES["DiceLoss"] if case.id == "dice/labels"]
    names = ("dice", "upstream_left_out", "not_compiled")
    one_process = {"process": library}
    own = [dataclasses.replace(own_target(Own(f"own_{library}:{n}", library)), **one_process) for n in names]
    made = planning.plan(cases, own, ["float32"])
    checks = {"upstream", "compiled"}
    made.comparisons = [c for c in made.comparisons if c.record.check in checks]
    with Workers(1) as workers:
        records = runner.run(made, workers).records
    assert len(records) == len(names) * len(checks)
    failed = {(r.target.partition(":")[2], r.check) for r in records if r.outcome == "fail"}
    assert failed == {("upstream_left_out", "upstream"), ("not_compiled", "compiled")}
