"""The suite tests itself: a fault seeded into each loss, in the value or in the gradient only, has to be found.

The faults stand in the losses' entries. Faults in one corner only are in `test_faults_in_corners.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seglosses_core
from seglosses_conformance import planning, runner
from seglosses_conformance.cases import Case, load_cases
from seglosses_conformance.faults import GradientFault, ValueFault
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.records import Record
from seglosses_conformance.targets import TARGETS, Target

LOSSES = [loss.__name__ for loss in seglosses_core.LOSSES]


def with_value_fault(kind: Any, fault: ValueFault) -> Any:
    class Faulty(kind):
        def __call__(self, **arguments: Any) -> Any:
            loss, arguments = fault(self, arguments)
            return kind.__call__(loss, **arguments)

        def value_and_grad(self, **arguments: Any) -> Any:
            loss, arguments = fault(self, arguments)
            return kind.value_and_grad(loss, **arguments)

    return Faulty


def with_gradient_fault(kind: Any, fault: GradientFault) -> Any:
    class Faulty(kind):
        def value_and_grad(self, **arguments: Any) -> Any:
            value, gradient = kind.value_and_grad(self, **arguments)
            if isinstance(gradient, tuple):
                return value, tuple(map(fault, gradient))
            return value, fault(gradient)

    return Faulty


def records_of(loss: str, dtype: str = "float32") -> list[Record]:
    return records(load_cases([loss]), TARGETS["numpy"], dtype)


def records(cases: list[Case], target: Target, dtype: str = "float32", *, whole: bool = True) -> list[Record]:
    """If not `whole`, of the cases alone: without checks and other ways of calling."""
    made = planning.plan(cases, [target], [dtype], whole=whole)
    with np.errstate(invalid="ignore"):  # NumPy warns of weights that are infinite
        return runner.run(made, runner.in_this_process).records


@pytest.mark.parametrize("loss", LOSSES)
def test_without_a_fault_nothing_fails(loss: str) -> None:
    assert [record.reason for record in records_of(loss) if record.outcome != "pass"] == []


@pytest.mark.parametrize("loss", LOSSES)
def test_a_fault_in_the_value_is_found(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = with_value_fault(getattr(seglosses_core, loss), ENTRIES[loss].value_fault)
    monkeypatch.setattr(seglosses_core, loss, faulty)
    failed = [
        record for record in records_of(loss) if record.outcome == "fail" and record.value_error is not None
    ]
    assert any(record.value_error > record.value_tolerance for record in failed)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_fault_in_the_gradient_only_is_found(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = with_gradient_fault(getattr(seglosses_core, loss), ENTRIES[loss].gradient_fault)
    monkeypatch.setattr(seglosses_core, loss, faulty)
    failed = [record for record in records_of(loss) if record.outcome == "fail"]
    assert failed
    for record in failed:
        assert record.value_error <= record.value_tolerance
        assert record.gradient_error > record.gradient_tolerance


def test_a_gradient_off_by_a_percent_is_found_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = with_gradient_fault(seglosses_core.DiceLoss, lambda g: g * g.dtype.type(1.01))
    monkeypatch.setattr(seglosses_core, "DiceLoss", faulty)
    assert any(record.outcome == "fail" for record in records_of("DiceLoss", "float16"))


def test_a_result_of_another_dtype_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = with_gradient_fault(seglosses_core.DiceLoss, lambda g: g.astype(np.float64))
    monkeypatch.setattr(seglosses_core, "DiceLoss", faulty)
    assert "the gradient of the logits is float64, expected float32" in records_of("DiceLoss")[0].reason


def test_a_result_of_another_shape_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = with_gradient_fault(seglosses_core.DiceLoss, lambda g: g[:1])
    monkeypatch.setattr(seglosses_core, "DiceLoss", faulty)
    assert any("has shape" in record.reason for record in records_of("DiceLoss"))


def test_a_missing_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class ValueOnly:
        def __init__(self, **hyperparameters: Any) -> None:
            self.loss = seglosses_core.losses.dice.DiceLoss(**hyperparameters)

        def __call__(self, **arguments: Any) -> Any:
            return self.loss(**arguments)

    monkeypatch.setattr(seglosses_core, "DiceLoss", ValueOnly)
    assert "there is no gradient of the logits" in records_of("DiceLoss")[0].reason


def test_an_exception_is_a_failure_with_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(gradient: np.ndarray) -> np.ndarray:
        raise OverflowError("seeded")

    monkeypatch.setattr(seglosses_core, "DiceLoss", with_gradient_fault(seglosses_core.DiceLoss, raising))
    failed = [record for record in records_of("DiceLoss") if record.outcome == "fail"]
    assert failed
    assert all("OverflowError: seeded" in record.reason for record in failed)


@pytest.mark.parametrize(
    "check", ["permuted pixels", "permuted classes", "split batch", "shifted logits", "class axis 2"]
)
def test_every_metamorphic_check_runs(check: str) -> None:
    names = {record.check for record in records_of("CrossEntropyLoss")}
    assert check in names


def test_a_metamorphic_check_finds_a_loss_that_knows_the_order_of_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = seglosses_core.MeanSquaredErrorLoss

    class Ordered(kind):
        def value_and_grad(self, **arguments: Any) -> Any:
            value, gradient = kind.value_and_grad(self, **arguments)
            return value * (1 + arguments["logits"].ravel()[0] ** 2), gradient

    monkeypatch.setattr(seglosses_core, "MeanSquaredErrorLoss", Ordered)
    failed = {r.check for r in records_of("MeanSquaredErrorLoss") if r.outcome == "fail"}
    assert "permuted pixels" in failed
