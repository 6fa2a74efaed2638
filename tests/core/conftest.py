"""Every loss with every kind of target, activation, weighting and reduction: the problems that several files solve."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import array_api_strict
import numpy as np
import pytest

import seglosses_core as core
from seglosses_conformance.losses import ENTRIES

IMAGES, CLASSES, SHAPE = 2, 3, (2, 3)
ACTIVATIONS = ("softmax", "sigmoid", "identity")
TARGETS = ("labels", "one-hot", "soft", "foreground")
"""The last are labels of one class."""
POOLINGS = {"minkowski": core.Minkowski(k=2.5), "max": core.MaxPooling(), "top-k": core.TopK(fraction=0.4)}
PIXEL = [{"reduction": reduction} for reduction in ("mean", "sum", "none", *POOLINGS)]
REGION = [
    {"reduction": "mean"},
    {"reduction": "sum", "absent": "skip"},
    {"reduction": "none", "include_background": False},
    {"reduction": "mean", "aggregate": "batch", "absent": "skip", "include_background": False},
    {"reduction": "sum", "aggregate": "batch"},
    {"reduction": "none", "aggregate": "batch", "smooth": 0.1},
]
SOME_PIXEL, SOME_REGION = PIXEL[::2], REGION[::3]
ALPHAS = (0.2, 0.7, 0.4)
LOSSES: list[tuple[type[core.Loss], dict[str, Any], list[dict[str, Any]]]] = [
    (core.CrossEntropyLoss, {}, PIXEL),
    (core.CrossEntropyLoss, {"label_smoothing": 0.2}, SOME_PIXEL),
    (core.FocalLoss, {}, SOME_PIXEL),
    (core.FocalLoss, {"gamma": 0.5, "alpha": ALPHAS}, PIXEL),
    (core.DistanceAwareCrossEntropyLoss, {}, PIXEL),
    (core.MeanSquaredErrorLoss, {}, SOME_PIXEL),
    (core.CenterLoss, {"weight": 0.3}, PIXEL),
    (core.LocallyAdaptiveLoss, {"kernel_size": 3}, SOME_PIXEL),
    (
        core.LocallyAdaptiveLoss,
        {"standardize": False, "stride": 2, "cost": core.MeanSquaredErrorLoss()},
        PIXEL,
    ),
    (core.DiceLoss, {}, REGION),
    (core.JaccardLoss, {}, SOME_REGION),
    (core.TverskyLoss, {"alpha": 0.3, "beta": 0.6}, SOME_REGION),
    (core.PowerDiceLoss, {"p": 1.4}, REGION),
    (core.PowerJaccardLoss, {}, SOME_REGION),
    (core.PointwiseExponentialLoss, {"exponent": 2.5}, SOME_REGION),
    (core.PointwiseExponentialLoss, {"denominator": "union"}, REGION),
]
LOSSES += [
    (
        getattr(core, name),
        sample.hyperparameters,
        SOME_REGION if hasattr(getattr(core, name), "aggregate") else SOME_PIXEL,
    )
    for name, entry in ENTRIES.items()
    if name not in {kind.__name__ for kind, _, _ in LOSSES} | {"EnsembleLoss"}
    for sample in entry.samples
]
"""And what the records say of those that have no combinations here."""
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


def allowed(kind: type[core.Loss], activation: str, target: str) -> bool:
    one = target == "foreground"
    if one and activation == "softmax":
        return False
    if kind is core.CenterLoss:
        return target == "labels" and activation != "sigmoid"
    return kind is not core.LocallyAdaptiveLoss or target in ("labels", "foreground")


def make_loss(
    kind: type[core.Loss], options: dict[str, Any], activation: str, target: str, *, weighted: bool
) -> core.Loss:
    options = {"activation": activation, **options}
    if target == "foreground":
        options.pop("include_background", None)
        options.pop("class_weights", None)
        options["standardize"] = False
    if activation == "identity":
        options["standardize"] = False
    if weighted:
        options["class_weights"] = (0.5,) if target == "foreground" else (0.5, 2.0, 1.0)
        if target in ("labels", "foreground"):
            options["ignore_index"] = IGNORED
    if target == "foreground" and options.get("alpha") is ALPHAS:
        options["alpha"] = (0.3,)
    options["reduction"] = POOLINGS.get(options["reduction"], options["reduction"])
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: value for name, value in options.items() if name in known})


def all_problems() -> Iterator[Problem]:
    for kind, own, reductions in LOSSES:
        combinations = itertools.product(reductions, ACTIVATIONS, TARGETS, (False, True))
        for common, activation, target, weighted in combinations:
            if not allowed(kind, activation, target):
                continue
            options = {**own, **common}
            loss = make_loss(kind, options, activation, target, weighted=weighted)
            arrays = make_arrays(activation, target, weighted=weighted)
            words = [
                kind.__name__,
                *(f"{k}={v}" for k, v in options.items() if k != "cost"),
                activation,
                target,
            ]
            name = "-".join(words + ["weighted"] * weighted)
            if kind is core.CenterLoss:
                random = np.random.default_rng(1)
                arrays["centers"] = random.normal(size=(CLASSES, CLASSES))
                yield Problem(name, loss, arrays)
                more = {
                    "centers": random.normal(size=(CLASSES, 4)),
                    "features": random.normal(size=(IMAGES, 4, *SHAPE)),
                }
                yield Problem(f"{name}-features", loss, {**arrays, **more})
            else:
                yield Problem(name, loss, arrays)
    for activation, target, weighted in itertools.product(ACTIVATIONS, TARGETS, (False, True)):
        if activation == "softmax" and target == "foreground":
            continue
        members = [
            make_loss(kind, {"reduction": reduction}, activation, target, weighted=weighted)
            for kind, reduction in (
                (core.PowerJaccardLoss, "mean"),
                (core.FocalLoss, "minkowski"),
                (core.MeanSquaredErrorLoss, "top-k"),
            )
        ]
        yield Problem(
            "-".join(["EnsembleLoss", activation, target] + ["weighted"] * weighted),
            core.EnsembleLoss(losses=members, weights=(0.3, 2.0, 0.5)),
            make_arrays(activation, target, weighted=weighted),
        )


PROBLEMS = {problem.name: problem for problem in all_problems()}


@pytest.fixture(params=PROBLEMS)
def problem(request: pytest.FixtureRequest) -> Problem:
    return PROBLEMS[request.param]


@pytest.fixture(params=[name for name, problem in PROBLEMS.items() if problem.is_scalar])
def scalar_problem(request: pytest.FixtureRequest) -> Problem:
    return PROBLEMS[request.param]


@contextlib.contextmanager
def traceable() -> Iterator[None]:
    """array-api-strict with everything refused that a tracer could not do."""

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("A value was looked at or an entry was set: this does not trace.")

    names = ("bool", "float", "int", "complex", "index", "setitem", "array", "iter")
    array_class = type(array_api_strict.asarray(0.0))
    flags = array_api_strict.get_array_api_strict_flags()
    array_api_strict.set_array_api_strict_flags(
        api_version="2024.12", boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
    )
    try:
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(mock.patch.object(array_class, f"__{name}__", refuse, create=True))
            yield
    finally:
        array_api_strict.set_array_api_strict_flags(**flags)


@pytest.fixture
def strict() -> Callable[[], contextlib.AbstractContextManager[None]]:
    return traceable
