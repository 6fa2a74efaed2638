"""Every loss with every kind of target, activation, weighting and reduction: the problems that several files solve."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from problems import with_options

import seglosses_core as core
from seglosses_conformance.entries import Sample
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build
from seglosses_core.region import RegionLoss

IMAGES, CLASSES, SHAPE = 2, 3, (2, 3)
TARGETS = ("labels", "one-hot", "soft", "foreground")
"""The last are labels of one class."""
POOLINGS = {"minkowski": core.Minkowski(k=2.5), "max": core.MaxPooling(), "top-k": core.TopK(fraction=0.4)}
PIXEL = [{"reduction": reduction} for reduction in ("mean", "sum", "none", *POOLINGS.values())]
REGION = [
    {"reduction": "mean"},
    {"reduction": "sum", "absent": "skip"},
    {"reduction": "none", "include_background": False},
    {"reduction": "mean", "aggregate": "batch", "absent": "skip", "include_background": False},
    {"reduction": "sum", "aggregate": "batch"},
    {"reduction": "none", "aggregate": "batch", "smooth": 0.1},
]
COMMON = {"activation", "class_weights", *(name for common in (*PIXEL, *REGION) for name in common)} - {
    "smooth"
}
"""What is combined here with what is a loss's own."""
PER_CLASS = ("class_weights", "alpha", "gamma", "pos_weight")
"""What may be one number for each class."""
IGNORED = 7


@dataclass
class Problem:
    """One loss with NumPy arrays for a call, class axis 1; float64."""

    name: str
    loss: core.Loss
    arrays: dict[str, np.ndarray]

    def call(
        self, convert: Callable[[np.ndarray], Any] = np.asarray, *, gradient: bool = False, **replaced: Any
    ) -> Any:
        """The value, or the value and the gradient, with arrays of another library or others in place of some."""
        given = {**{name: convert(x) for name, x in self.arrays.items()}, **replaced}
        function = self.loss.value_and_grad if gradient else self.loss
        return function(given.pop("logits"), given.pop("target"), **given)

    @property
    def is_scalar(self) -> bool:
        return self.loss.reduction != "none"

    def with_class_axis(self, class_axis: int) -> Problem:
        """The same with the class axis elsewhere."""
        arrays = {
            name: np.moveaxis(x, 1, class_axis) if x.ndim == 2 + len(SHAPE) else x
            for name, x in self.arrays.items()
        }
        return Problem(self.name, moved(self.loss, class_axis), arrays)


def moved(loss: core.Loss, class_axis: int) -> core.Loss:
    if isinstance(loss, core.EnsembleLoss):
        return dataclasses.replace(loss, losses=[moved(one, class_axis) for one in loss.losses])
    return dataclasses.replace(loss, class_axis=class_axis)


def make_arrays(activation: str, kind: str, *, weighted: bool) -> dict[str, np.ndarray]:
    """Arrays of one problem. Class 2 is absent from image 1; the soft target has entries that are exactly 0 and 1."""
    random = np.random.default_rng(0)
    classes = 1 if kind == "foreground" else CLASSES
    logits = random.normal(size=(IMAGES, classes, *SHAPE))
    if activation == "identity":
        logits = 0.1 + 0.3 / (1 + np.exp(-logits))
    labels = np.asarray([[[0, 2, 1], [2, 2, 0]], [[1, 1, 0], [1, 0, 0]]])
    one_hot = labels[:, None] == np.arange(CLASSES)[:, None, None]
    soft = np.clip(one_hot * 0.7 + random.uniform(0, 0.5, one_hot.shape), 0, 1) * (
        random.uniform(size=one_hot.shape) < 0.9
    )
    target = {"labels": labels, "one-hot": one_hot, "soft": soft, "foreground": np.minimum(labels, 1)}[kind]
    arrays = {"logits": logits, "target": target}
    if weighted:
        arrays["mask"] = random.uniform(0.5, 2, labels.shape)
        arrays["mask"][0, 0, 1] = 0
        arrays["sample_weight"] = np.asarray([1.0, 3.0])
        if kind in ("labels", "foreground"):
            arrays["target"] = target.copy()
            arrays["target"][1, 0, 2] = IGNORED
    return arrays


def combinations(loss: str) -> Iterator[tuple[Sample, dict[str, Any]]]:
    """What its record samples of a loss, and a reduction with what belongs to it: each of both at least once."""
    own: list[Sample] = []
    for sample in ENTRIES[loss].samples:
        alone = {name: value for name, value in sample.hyperparameters.items() if name not in COMMON}
        if alone not in [one.hyperparameters for one in own]:
            own.append(dataclasses.replace(sample, hyperparameters=alone))
    if loss == "EnsembleLoss":  # its members have theirs
        return zip(own, itertools.repeat({}), strict=False)
    common = REGION if issubclass(getattr(core, loss), RegionLoss) else PIXEL
    longest = max(len(own), len(common))
    return itertools.islice(zip(itertools.cycle(own), itertools.cycle(common), strict=False), longest)


def make_problem(
    loss: str, own: Sample, common: dict[str, Any], activation: str, target: str, *, weighted: bool
) -> Problem | None:
    """None if the loss refuses the combination, as several do a single class."""
    options = {"activation": activation, **common}
    if weighted:
        options["class_weights"] = [0.5, 2.0, 1.0]
        if target in ("labels", "foreground"):
            options["ignore_index"] = IGNORED
    if target == "foreground":
        options |= {name: own.hyperparameters[name] for name in PER_CLASS if name in own.hyperparameters}
        options = of_one_class({**options, "include_background": True})
    hyperparameters = with_options(loss, own.hyperparameters, options)
    arrays = make_arrays(activation, target, weighted=weighted)
    inputs = ENTRIES[loss].inputs(arrays["logits"])
    try:
        made = build(core, loss, hyperparameters, 1)
        made.prepare(arrays["logits"], arrays["target"], None, None, inputs)
    except ValueError:
        return None
    words = [loss, str(own), *(f"{k}={v}" for k, v in common.items()), activation, target]
    return Problem("-".join(words + ["weighted"] * weighted), made, {**arrays, **inputs})


def of_one_class(options: dict[str, Any]) -> dict[str, Any]:
    """With one number where there is one for each class."""
    return {
        name: value[:1] if name in PER_CLASS and isinstance(value, list) else value
        for name, value in options.items()
    }


def all_problems() -> Iterator[Problem]:
    for loss in ENTRIES:
        for own, common in combinations(loss):
            targets = [target for target in TARGETS if target in (*own.targets, "foreground")]
            for activation, target, weighted in itertools.product(own.activations, targets, (False, True)):
                if (activation, target) == ("softmax", "foreground"):
                    continue
                problem = make_problem(loss, own, common, activation, target, weighted=weighted)
                if problem is not None:
                    yield problem
                    yield from with_optional_inputs(problem)


def with_optional_inputs(problem: Problem) -> Iterator[Problem]:
    """The problem with what stands in for the logits, if the loss takes that."""
    drawn = np.random.default_rng(1).normal(size=problem.arrays["logits"].shape)
    more = {name: drawn for name, one in problem.loss.inputs.items() if one.otherwise == "logits"}
    if more:
        yield Problem("-".join([problem.name, *more]), problem.loss, {**problem.arrays, **more})


PROBLEMS = {problem.name: problem for problem in all_problems()}


@pytest.fixture(params=PROBLEMS, ids=str)
def problem(request: pytest.FixtureRequest) -> Problem:
    return PROBLEMS[request.param]


@pytest.fixture(params=[name for name, problem in PROBLEMS.items() if problem.is_scalar], ids=str)
def scalar_problem(request: pytest.FixtureRequest) -> Problem:
    return PROBLEMS[request.param]
