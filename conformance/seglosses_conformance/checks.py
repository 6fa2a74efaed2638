"""Metamorphic checks: what has to hold between results, whatever the right numbers are.

A check derives cases from one case of the suite and says how their results make up the result of that case.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seglosses_conformance.cases import Case

Parts = list[tuple[np.ndarray, np.ndarray]]
"""A value and a gradient for each part."""

_CORNERS = {
    "absent-class",
    "all-ignored",
    "one-pixel",
    "extreme",
    "infinite",
    "perfect",
    "wrong",
    "label-outside",
    "none",
}


@dataclass(frozen=True)
class Check:
    """The results of `parts`, combined, have to be the result of `whole`."""

    name: str
    whole: Case
    parts: list[Case]
    combine: Callable[[Parts], tuple[np.ndarray, np.ndarray]]
    class_axis: int | None = None
    """Where the parts have their class axis; None where the whole has it."""


def checks_of(cases: list[Case]) -> Iterator[Check]:
    """Each check on the first case of a loss that it applies to and that is no corner case."""
    for derive in (permuted_pixels, permuted_classes, split_batch, shifted_logits, moved_class_axis):
        applying = (check for check in map(derive, smooth_cases(cases)) if check is not None)
        yield from itertools.islice(applying, 1)


def smooth_cases(cases: list[Case]) -> list[Case]:
    """The cases that are one number and no corner case, those with the most axes first."""
    fine = [c for c in cases if _CORNERS.isdisjoint(c.flags) and c.expected.gradient is not None]
    return sorted(fine, key=lambda case: -case.logits.ndim)


def permuted_pixels(case: Case) -> Check | None:
    """The order of the pixels does not matter; for a loss that looks at neighbours, mirroring does not."""
    shape = case.logits.shape
    pixels = int(np.prod(shape[2:]))
    if pixels < 2 or case.hyperparameters.get("stride", 1) != 1:
        return None
    if case.loss == "LocallyAdaptiveLoss":
        order = np.arange(pixels)[::-1]
    else:
        order = np.random.default_rng(0).permutation(pixels)

    def permute(array: np.ndarray, order: np.ndarray) -> np.ndarray:
        flat = array.reshape(*array.shape[: array.ndim - len(shape) + 2], pixels)
        return flat[..., order].reshape(array.shape)

    part = _with_arrays(
        case,
        "permuted pixels",
        {name: lambda a: permute(a, order) for name in ("logits", "target", "mask", "features")},
    )
    return Check(
        "permuted pixels",
        case,
        [part],
        lambda results: (results[0][0], permute(results[0][1], np.argsort(order))),
    )


def permuted_classes(case: Case) -> Check | None:
    """The order of the classes does not matter, if everything that is per class is permuted with them."""
    classes = case.logits.shape[1]
    if classes < 2 or not case.hyperparameters.get("include_background", True):
        return None
    order = np.roll(np.arange(classes), 1)
    place = np.argsort(order)

    def relabel(target: np.ndarray) -> np.ndarray:
        if target.ndim == case.logits.ndim:
            return target[:, order]
        inside = (target >= 0) & (target < classes)
        return np.where(inside, place[np.where(inside, target, 0)], target)

    def renamed(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: renamed(item, key) for key, item in value.items()}
        if isinstance(value, list) and name == "losses":
            return [renamed(item) for item in value]
        if name in ("class_weights", "alpha") and isinstance(value, list):
            return [value[c] for c in order]
        if name == "ignore_index" and value is not None:
            return int(relabel(np.asarray([value]))[0])
        return value

    own_features = case.features is not None
    part = _with_arrays(
        case,
        "permuted classes",
        {
            "logits": lambda a: a[:, order],
            "target": relabel,
            # Without features of their own the pixels' features are the logits.
            "centers": lambda a: a[order] if own_features else a[order][:, order],
        },
    )
    part = replace(part, hyperparameters=renamed(case.hyperparameters))
    return Check("permuted classes", case, [part], lambda results: (results[0][0], results[0][1][:, place]))


def split_batch(case: Case) -> Check | None:
    """With reduction="sum" the images of a batch add up."""
    images = case.logits.shape[0]
    hyperparameters = case.hyperparameters
    if images < 2 or hyperparameters.get("aggregate") == "batch" or case.loss == "EnsembleLoss":
        return None
    whole = replace(case, id=f"{case.id}#sum", hyperparameters={**hyperparameters, "reduction": "sum"})

    def image(n: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda array: array[n : n + 1]

    per_image = ("logits", "target", "mask", "sample_weight", "features")
    parts = [_with_arrays(whole, f"image {n}", dict.fromkeys(per_image, image(n))) for n in range(images)]
    return Check(
        "split batch",
        whole,
        parts,
        lambda results: (sum((v for v, _ in results), np.zeros(())), np.concatenate([g for _, g in results])),
    )


def shifted_logits(case: Case) -> Check | None:
    """A softmax does not change when a number is added to all logits of a pixel."""
    if _activation(case.loss, case.hyperparameters) != "softmax" or (
        case.loss == "CenterLoss" and case.features is None
    ):
        return None

    def shift(logits: np.ndarray) -> np.ndarray:
        numbers = np.random.default_rng(0).integers(-4, 5, size=logits.shape)
        return logits + numbers[:, :1]

    return Check(
        "shifted logits", case, [_with_arrays(case, "shifted logits", {"logits": shift})], lambda r: r[0]
    )


def moved_class_axis(case: Case) -> Check | None:
    """The classes may lie between the spatial axes too."""
    if case.logits.ndim < 4:
        return None
    return Check("class axis 2", case, [case], lambda results: results[0], class_axis=2)


def _activation(loss: str, hyperparameters: dict[str, Any]) -> str:
    if "losses" in hyperparameters:
        first = hyperparameters["losses"][0]
        return _activation(first["loss"], first.get("hyperparameters", {}))
    default = {"DistanceAwareCrossEntropyLoss": "sigmoid", "MeanSquaredErrorLoss": "identity"}.get(
        loss, "softmax"
    )
    return hyperparameters.get("activation", default)


def _with_arrays(case: Case, what: str, changes: dict[str, Callable[[np.ndarray], np.ndarray]]) -> Case:
    present = {name: change for name, change in changes.items() if getattr(case, name) is not None}
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(change(getattr(case, name))) for name, change in present.items()
    }
    return replace(case, id=f"{case.id}#{what}", **arrays)
