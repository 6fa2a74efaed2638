"""An implementation that is right but for one corner has to be found, for every loss that has the corner.

A fault says on which cases the implementation is wrong, and how; on all others it is right. Only the former run.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import replace as with_fields
from typing import Any

import numpy as np
import pytest

import seglosses_core
from seglosses_conformance.cases import Case, load_cases
from seglosses_conformance.definitions.probabilities import edges
from seglosses_conformance.entries import Sample
from seglosses_conformance.faults import ValueFault
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.oracle.evaluation import Expected, evaluate
from seglosses_conformance.targets import TARGETS, build
from seglosses_core import Minkowski
from seglosses_core.hyperparameters import replace
from tests.conformance.test_seeded_faults import LOSSES, records, with_value_fault
from tests.problems import with_options as with_some

# --- Which losses have a corner ----------------------------------------------------------------------------


def parts(loss: str) -> list[Any]:
    """A loss, or the members of an ensemble."""
    made = build(seglosses_core, loss, ENTRIES[loss].samples[0].hyperparameters, class_axis=1)
    return list(getattr(made, "losses", [made]))


def takes(loss: str, **hyperparameters: Any) -> bool:
    try:
        for part in parts(loss):
            with_fields(part, **hyperparameters)
    except (TypeError, ValueError):
        return False
    return True


def takes_target(loss: str, kind: str) -> bool:
    return any(kind in sample.targets for sample in ENTRIES[loss].samples)


def smooths_labels(part: Any) -> bool:
    return any(hasattr(loss, "label_smoothing") for loss in (part, getattr(part, "cost", None)))


def by_formula(loss: str, sample: Sample, options: dict[str, Any], logits: Any, target: Any) -> Expected:
    """What the oracle says, for what a loss is by its definition and not by its implementation."""
    hyperparameters = with_some(loss, sample.hyperparameters, options)
    return evaluate(loss, hyperparameters, logits, target, **ENTRIES[loss].inputs(logits))


def is_endless(loss: str) -> bool:
    """Whether it is ∞ where the label's probability is 0; a cost may be bounded."""
    (certain,) = (one for one in edges(exclusive=True) if one.name == "certain-and-wrong-classes")
    options = {"activation": "identity"}
    return math.isinf(
        by_formula(loss, ENTRIES[loss].samples[0], options, certain.logits, certain.target).value
    )


def is_none_beyond_one(loss: str) -> bool:
    """Whether a heat map above 1 makes it NaN."""
    beyond = np.array([[[1.5, 0.5]]])
    return math.isnan(by_formula(loss, ENTRIES[loss].samples[0], {}, np.zeros((1, 1, 2)), beyond).value)


def is_flat_without_space(loss: str) -> bool:
    """Whether it is of what lies around a pixel alone: 0 where nothing does, whatever the target."""
    logits = np.array([[9, 2, 5], [4, 11, 1], [3, 3, 10], [6, 5, 5]]) / 16  # probabilities too
    soft = np.array([[8, 0, 0], [1, 6, 1], [0, 5, 3], [2, 2, 4]]) / 8
    results = (
        by_formula(loss, sample, {}, logits, target)
        for sample in ENTRIES[loss].samples
        for kind, target in (("labels", np.array([0, 2, 1, 1])), ("soft", soft))
        if kind in sample.targets
    )
    return not any(np.any(result.value) or np.any(result.gradient) for result in results)


DENSE = {loss for loss in LOSSES if takes_target(loss, "soft")}
IMPOSSIBLE = {loss for loss in DENSE if not any(part.needs.finite_logits for part in parts(loss))}
SOFTMAX = {loss for loss in LOSSES if takes(loss, activation="softmax")}
SIGMOID = {loss for loss in LOSSES if takes(loss, activation="sigmoid")}
LOG = {loss for loss in LOSSES if takes(loss, activation="identity", clip=0.125)}
ENDLESS = {loss for loss in LOG if is_endless(loss)}
# Beyond 1 is NaN, whole number or not.
HEAT_MAP = {loss for loss in LOG if takes_target(loss, "heat map") and is_none_beyond_one(loss)}
REGION = {loss for loss in LOSSES if takes(loss, aggregate="batch")}
WITH_REGIONS = {loss for loss in LOSSES if any(hasattr(part, "aggregate") for part in parts(loss))}
FLAT = {loss for loss in LOSSES if is_flat_without_space(loss)}
POOLED = {loss for loss in LOSSES if takes(loss, reduction=Minkowski(k=3))} - WITH_REGIONS  # over pixels
SMOOTHED = {loss for loss in LOSSES if any(map(smooths_labels, parts(loss)))}

NUMPY = with_fields(TARGETS["numpy"], checks=False)


@dataclass(frozen=True)
class Seeded:
    """A fault: where an implementation is wrong, what makes it wrong from a right class, and whose corner it is."""

    where: Callable[[Case], bool]
    seed: Callable[[Any], Any]
    losses: Iterable[str] = tuple(LOSSES)


# --- What a case is about ----------------------------------------------------------------------------------


def given(case: Case, name: str, otherwise: Any = None) -> Any:
    """A hyper-parameter, of an ensemble that of the first member that has it."""
    places = [member["hyperparameters"] for member in case.hyperparameters.get("losses", [])]
    return next((p[name] for p in (places or [case.hyperparameters]) if name in p), otherwise)


def activation(case: Case) -> str:
    first = next((member["loss"] for member in case.hyperparameters.get("losses", [])), case.loss)
    return str(given(case, "activation", getattr(seglosses_core, first).activation))


def ignores(case: Case) -> bool:
    return given(case, "ignore_index") is not None


def is_volume(case: Case) -> bool:
    return case.logits.ndim == 5


def is_dense(case: Case, kinds: str = "fiub") -> bool:
    return case.target.ndim == case.logits.ndim and case.target.dtype.kind in kinds


def is_soft_of_other_sum(case: Case) -> bool:
    return (
        is_dense(case, "f")
        and case.logits.shape[1] > 1
        and not np.allclose(np.nansum(case.target, axis=1), 1)
    )


def is_nan(case: Case) -> bool:
    return bool(np.isnan(case.expected.value).any())


def has_ignored_image(case: Case) -> bool:
    if not ignores(case) or is_dense(case):
        return False
    ignored = (case.target == given(case, "ignore_index")).reshape(len(case.target), -1).all(axis=1)
    return bool(ignored.any() and not ignored.all())


# --- What is wrong there -----------------------------------------------------------------------------------

Outcome = Callable[[Any, Any, dict[str, Any]], tuple[Any, Any]]
"""From a value, a gradient and the arguments to a wrong value and gradient."""


def outcome(fault: Outcome) -> Callable[[Any], Any]:
    def seed(kind: Any) -> Any:
        class Faulty(kind):
            def __call__(self, **arguments: Any) -> Any:
                return fault(kind.__call__(self, **arguments), np.zeros(1), arguments)[0]

            def value_and_grad(self, **arguments: Any) -> Any:
                value, gradient = kind.value_and_grad(self, **arguments)
                if isinstance(gradient, tuple):
                    return value, tuple(fault(value, part, arguments)[1] for part in gradient)
                return fault(value, gradient, arguments)

        return Faulty

    return seed


def gradient(fault: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], Any]:
    return outcome(lambda value, g, _: (value, fault(g)))


def arguments(**changes: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], Any]:
    """Other arguments, where they are given."""

    def fault(loss: Any, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        changed = {name: change(given[name]) for name, change in changes.items() if name in given}
        return loss, given | changed

    return seeded(fault)


def options(**changes: Any) -> Callable[[Any], Any]:
    """Other hyper-parameters, of an ensemble those of its members."""
    return seeded(lambda loss, arguments: (with_options(loss, **changes), arguments))


def seeded(fault: ValueFault) -> Callable[[Any], Any]:
    return lambda kind: with_value_fault(kind, fault)


def with_options(loss: Any, **changes: Any) -> Any:
    if hasattr(loss, "losses"):
        return replace(loss, losses=tuple(with_options(member, **changes) for member in loss.losses))
    return replace(
        loss,
        **{
            name: change(getattr(loss, name)) if callable(change) else change
            for name, change in changes.items()
            if hasattr(loss, name)
        },
    )


def count_ignored(loss: Any, arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Ignored pixels count as background."""
    ignored = loss.losses[0].ignore_index if hasattr(loss, "losses") else loss.ignore_index
    target = np.where(arguments["target"] == ignored, 0, arguments["target"])
    logits = np.nan_to_num(arguments["logits"])
    return with_options(loss, ignore_index=None), {**arguments, "logits": logits, "target": target}


def without_smoothing(loss: Any, arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    if hasattr(loss, "cost"):
        return replace(loss, cost=replace(loss.cost, label_smoothing=0.0)), arguments
    return with_options(loss, label_smoothing=0.0), arguments


def doubled_from(axis: int, first: int) -> Callable[[np.ndarray], np.ndarray]:
    def fault(g: np.ndarray) -> np.ndarray:
        index = np.arange(g.shape[axis]).reshape([-1 if n == axis else 1 for n in range(g.ndim)])
        return np.where(index >= first, 2 * g, g)

    return fault


def normalized(target: np.ndarray) -> np.ndarray:
    total = target.sum(axis=1, keepdims=True)
    return target / np.where(total == 0, 1, total)


def per_pixel(value: Any, g: Any, arguments: dict[str, Any]) -> tuple[Any, Any]:
    """The mean of soft targets divided by the number of pixels instead of their sums."""
    factor = arguments["logits"].dtype.type(arguments["target"].sum(axis=1, dtype=float).mean())
    return value * factor, g * factor


wrong_value = outcome(lambda value, g, _: (value * type(value)(1.5), g))
wrong_gradient = gradient(lambda g: g * g.dtype.type(1.5))
# Of what is 0 a factor is no fault.
value_for_0 = outcome(lambda value, g, _: (value + type(value)(0.5), g))
gradient_for_0 = gradient(lambda g: g + g.dtype.type(0.5))
no_number = outcome(lambda value, g, _: (value * np.float32(np.nan), g))
counting_ignored = seeded(count_ignored)


def positive(weights: np.ndarray) -> np.ndarray:
    return (weights > 0).astype(weights.dtype)


# --- The corners -------------------------------------------------------------------------------------------

SIZES: dict[str, Callable[[Case], bool]] = {
    "four and more classes": lambda c: c.logits.shape[1] >= 4,
    "two classes of a softmax": lambda c: c.logits.shape[1] == 2 and activation(c) == "softmax",
    "three images with space": lambda c: len(c.logits) >= 3 and c.logits.ndim > 2,
    "a batch of volumes": lambda c: is_volume(c) and len(c.logits) > 1,
    "volumes with a mask": lambda c: is_volume(c) and c.mask is not None,
    "volumes with sample weights": lambda c: is_volume(c) and c.sample_weight is not None,
    "volumes with ignored pixels": lambda c: is_volume(c) and ignores(c),
    "a batch of lines": lambda c: c.logits.ndim == 3 and len(c.logits) > 1,
    "32 and more pixels": lambda c: np.prod(c.logits.shape[2:]) >= 32,
    "larger square images": lambda c: c.logits.ndim == 4 and 2 < c.logits.shape[2] == c.logits.shape[3],
    "larger oblong images": lambda c: c.logits.ndim == 4 and 3 < c.logits.shape[2] != c.logits.shape[3] > 3,
    "no spatial axis": lambda c: c.logits.ndim == 2,
    "a mask of the logits' shape": lambda c: c.mask is not None and c.mask.ndim == c.logits.ndim,
    **{
        f"labels of {dtype}": lambda c, dtype=dtype: not is_dense(c) and c.target.dtype == dtype
        for dtype in ("uint8", "int8", "int16", "int32", "int64")
    },
    "an image ignored altogether": has_ignored_image,
}

TARGETS_OF_CLASSES: dict[str, Callable[[Case], bool]] = {
    "a one-hot target of floats": lambda c: is_dense(c, "f") and "one-hot" in c.flags,
    "a one-hot target of integers": lambda c: is_dense(c, "u") and "one-hot" in c.flags,
    "a one-hot target of bools": lambda c: is_dense(c, "b") and "one-hot" in c.flags,
    "soft targets in half precision": lambda c: is_dense(c) and c.target.dtype == np.float16,
    "logits of −∞": lambda c: bool(np.isneginf(c.logits).any()),
}

OF_LOSSES = {
    "two classes of a softmax": SOFTMAX,
    "no spatial axis": set(LOSSES) - FLAT,
    "a mask of the logits' shape": {"CrossEntropyLoss", "FocalLoss", "DiceLoss", "TverskyLoss"},
    "logits of −∞": IMPOSSIBLE,
}
"""The losses that have one of these corners, if not all do, or all with soft targets."""

FAULTS: dict[str, Seeded] = {
    **{
        f"{name}: {part}": Seeded(where, fault, OF_LOSSES.get(name, LOSSES))
        for part, fault in (("value", wrong_value), ("gradient", wrong_gradient))
        for name, where in SIZES.items()
    },
    "0 for no spatial axis: value": Seeded(SIZES["no spatial axis"], value_for_0, FLAT),
    "0 for no spatial axis: gradient": Seeded(SIZES["no spatial axis"], gradient_for_0, FLAT),
    **{
        f"{name}: {part}": Seeded(where, fault, OF_LOSSES.get(name, DENSE))
        for part, fault in (("value", wrong_value), ("gradient", wrong_gradient))
        for name, where in TARGETS_OF_CLASSES.items()
    },
    "gradient of classes from index 3 on": Seeded(lambda c: True, gradient(doubled_from(1, 3))),
    "gradient of images from index 2 on": Seeded(lambda c: c.logits.ndim > 2, gradient(doubled_from(0, 2))),
    # Soft targets
    "soft targets normalised": Seeded(is_soft_of_other_sum, arguments(target=normalized), DENSE),
    "soft targets divided by the pixels": Seeded(
        lambda c: is_soft_of_other_sum(c) and given(c, "class_weights") is None and c.mask is None,
        outcome(per_pixel),
        (LOG & DENSE) - HEAT_MAP,
    ),
    "NaN in a soft target is 0": Seeded(
        lambda c: is_dense(c, "f") and is_nan(c), arguments(target=np.nan_to_num), DENSE
    ),
    "beyond 1 in a heat map": Seeded(
        lambda c: is_dense(c, "f") and is_nan(c),
        arguments(target=lambda t: np.minimum(t, 1)),
        HEAT_MAP,
    ),
    "whole numbers are soft": Seeded(
        lambda c: is_dense(c, "iu") and is_nan(c) and c.logits.shape[1] > 1,
        arguments(target=lambda t: t.astype(np.float32)),
        DENSE - HEAT_MAP,
    ),
    "whole numbers of one class are soft": Seeded(
        lambda c: is_dense(c, "iu") and is_nan(c) and c.logits.shape[1] == 1,
        arguments(target=lambda t: t.astype(np.float32)),
        (SIGMOID & DENSE) - HEAT_MAP,  # of hard targets alone a soft one is NaN too
    ),
    # What is ignored
    "ignore_index of −100": Seeded(lambda c: given(c, "ignore_index") == -100, counting_ignored),
    "ignore_index of −1": Seeded(lambda c: given(c, "ignore_index") == -1, counting_ignored),
    "ignore_index among the classes": Seeded(
        lambda c: given(c, "ignore_index") == 0, options(ignore_index=None)
    ),
    "ignore_index under sigmoid": Seeded(
        lambda c: ignores(c) and activation(c) == "sigmoid", counting_ignored, SIGMOID
    ),
    "ignore_index over the batch": Seeded(
        lambda c: ignores(c) and given(c, "aggregate") == "batch", counting_ignored, REGION
    ),
    "ignore_index of labels with a class axis": Seeded(
        lambda c: ignores(c) and is_dense(c), counting_ignored, SIGMOID
    ),
    "NaN of an image of weight 0": Seeded(
        lambda c: c.sample_weight is not None and bool((c.sample_weight == 0).any()),
        arguments(sample_weight=lambda w: np.maximum(w, w.dtype.type(1e-6))),
    ),
    "label smoothing of ignored pixels": Seeded(
        lambda c: "smoothing" in c.id and ignores(c), seeded(without_smoothing), SMOOTHED
    ),
    "label smoothing under a mask": Seeded(
        lambda c: "smoothing" in c.id and c.mask is not None, seeded(without_smoothing), SMOOTHED
    ),
    # Weights
    "a mask of integers": Seeded(
        lambda c: c.mask is not None and c.mask.dtype.kind == "i", arguments(mask=positive)
    ),
    "a mask of bools": Seeded(
        lambda c: c.mask is not None and c.mask.dtype == bool,
        arguments(mask=np.logical_not, logits=np.nan_to_num),
    ),
    "a class weight of 0": Seeded(
        lambda c: 0 in (given(c, "class_weights") or ()),
        options(class_weights=lambda w: tuple(x or 1.0 for x in w)),
    ),
    "class weights in a sum": Seeded(lambda c: given(c, "reduction") == "sum", options(class_weights=None)),
    "a mask in a sum": Seeded(
        lambda c: given(c, "reduction") == "sum" and c.mask is not None, arguments(mask=positive)
    ),
    "sample weights in a sum": Seeded(
        lambda c: given(c, "reduction") == "sum" and c.sample_weight is not None,
        arguments(sample_weight=positive),
    ),
    "a mask of one class under sigmoid": Seeded(
        lambda c: c.mask is not None and c.logits.shape[1] == 1 and activation(c) == "sigmoid",
        arguments(mask=positive),
        SIGMOID,
    ),
    "weights near the largest number": Seeded(
        lambda c: c.mask is not None and np.nanmax(c.mask) > 1e30 and not is_nan(c), no_number
    ),
    "weights near the smallest number": Seeded(
        lambda c: c.mask is not None and 0 < np.nanmax(c.mask) < 1e-20,
        arguments(mask=lambda w: np.zeros_like(w), logits=np.nan_to_num),
    ),
    **{
        f"a {name} that is {what}": Seeded(
            lambda c, name=name, bad=bad: getattr(c, name) is not None and bool(bad(getattr(c, name)).any()),
            arguments(**{name: lambda w, bad=bad: np.where(bad(w), w.dtype.type(1), w)}),
        )
        for name in ("mask", "sample_weight")
        for what, bad in (("negative", lambda w: w < 0), ("infinite", np.isposinf), ("NaN", np.isnan))
    },
    # Logits
    "impossible classes are likely": Seeded(
        lambda c: bool(np.isneginf(c.logits).any()), arguments(logits=lambda z: np.maximum(z, -1)), IMPOSSIBLE
    ),
    "NaN logits are 0": Seeded(
        lambda c: bool(np.isnan(c.logits).any()) and is_nan(c), arguments(logits=np.nan_to_num)
    ),
    # Options
    "one of the tied pixels": Seeded(
        lambda c: "tie" in c.flags, gradient(lambda g: g * np.array([1, 3, 0, 0], g.dtype)), POOLED
    ),
    "class weights without background": Seeded(
        lambda c: given(c, "include_background") is False, options(class_weights=None), REGION
    ),
    "absent classes of soft targets": Seeded(
        lambda c: given(c, "absent") == "skip" and is_dense(c, "f"), options(absent="count"), REGION & DENSE
    ),
    "absent classes under a mask": Seeded(
        lambda c: given(c, "absent") == "skip" and c.mask is not None, options(absent="count"), REGION
    ),
    # Probabilities
    "clip": Seeded(lambda c: "clip" in c.flags, options(clip=0.0), LOG),
    "a slope beyond clip": Seeded(
        lambda c: "clip" in c.flags,
        outcome(lambda v, g, a: (v, np.where(g == 0, g.max() or g.min(), g))),
        LOG,
    ),
    "no slope at the ends of clip": Seeded(
        lambda c: "clip" in c.flags,
        outcome(lambda v, g, a: (v, np.where(np.isin(a["logits"], (0.125, 0.875)), 0 * g, g))),
        LOG,
    ),
    "a finite value of certain and wrong": Seeded(
        lambda c: bool(np.isinf(c.expected.value).any()),
        outcome(lambda v, g, a: (np.nan_to_num(v), g)),
        ENDLESS,
    ),
    "a gradient of NaN at certain and wrong": Seeded(
        lambda c: bool(np.isinf(c.expected.value).any()), outcome(lambda v, g, a: (v, g - g)), ENDLESS
    ),
}


def failing(cases: list[Case]) -> set[str]:
    """Those that fail themselves: a corner is guarded by its cases, not by what else is made of them."""
    return {str(record.case) for record in records(cases, NUMPY, whole=False) if record.outcome == "fail"}


@functools.cache
def right(loss: str) -> list[Case]:
    """The cases that pass as long as there is no fault."""
    cases = load_cases([loss])
    wrong = failing(cases)
    return [case for case in cases if case.id not in wrong]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_fault_in_a_corner_is_found(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, kind = right(loss), getattr(seglosses_core, loss)
    missed = []
    for name, fault in FAULTS.items():
        if loss in fault.losses:
            monkeypatch.setattr(seglosses_core, loss, fault.seed(kind))
            if not any(failing([case]) for case in cases if fault.where(case)):
                missed.append(name)
            monkeypatch.undo()
    assert not missed, f"of {loss}: {'; '.join(missed)}"
