"""Metamorphic checks: what has to hold between results, whatever the right numbers are.

A check derives cases from one case of the suite and says how their results make up the result of that case.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import seglosses_core
from seglosses_conformance.cases import Case
from seglosses_conformance.losses import ENTRIES

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
    "tiny",
}

PER_IMAGE = ("logits", "target", "mask", "sample_weight", "features", "instances")


@dataclass(frozen=True)
class Check:
    """The results of `parts`, combined, have to be the result of `whole`."""

    name: str
    whole: Case
    parts: list[Case]
    combine: Callable[[Parts], tuple[np.ndarray, np.ndarray]]
    class_axis: int | None = None
    """Where the parts have their class axis; None where the whole has it."""
    way: str = "plain"
    """How the parts are called; see `ways.py`."""


def checks_of(cases: list[Case]) -> Iterator[Check]:
    """Each check on the first case of a loss that it applies to and that is no corner case, but for the exceptions that
    the loss's entry makes."""
    for name, derive in CHECKS.items():
        asked = (case for case in smooth_cases(cases) if name not in exceptions(case.loss))
        applying = (check for check in map(derive, asked) if check is not None)
        yield from itertools.islice(applying, 1)


def exceptions(loss: str) -> Mapping[str, str]:
    """By their names, the checks that do not hold for a loss. One that is not ours makes no exceptions."""
    return ENTRIES[loss].exceptions if loss in ENTRIES else {}


def smooth_cases(cases: list[Case]) -> list[Case]:
    """The cases that are one number and no corner case, those with the most axes first."""
    fine = [
        case
        for case in cases
        if _CORNERS.isdisjoint(case.flags)
        and case.expected.gradient is not None
        and not case.expected.value.ndim
    ]
    return sorted(fine, key=lambda case: -case.logits.ndim)


def permuted_pixels(case: Case) -> Check | None:
    """The order of the pixels does not matter."""
    return _reordered_pixels(case, "permuted pixels", np.random.default_rng(0).permutation)


def mirrored_pixels(case: Case) -> Check | None:
    """Mirroring does not matter where another order would: to a loss that looks at neighbours."""
    if "permuted pixels" not in exceptions(case.loss):
        return None
    return _reordered_pixels(case, "mirrored pixels", lambda pixels: np.arange(pixels)[::-1])


def _reordered_pixels(case: Case, name: str, order_of: Callable[[int], np.ndarray]) -> Check | None:
    shape = case.logits.shape
    pixels = int(np.prod(shape[2:]))
    if pixels < 2 or case.hyperparameters.get("stride", 1) != 1:
        return None
    order = order_of(pixels)

    def permute(array: np.ndarray, order: np.ndarray) -> np.ndarray:
        flat = array.reshape(*array.shape[: array.ndim - len(shape) + 2], pixels)
        return flat[..., order].reshape(array.shape)

    part = _with_arrays(
        case,
        name,
        {
            array: lambda a: permute(a, order)
            for array in ("logits", "target", "mask", "features", "instances")
        },
    )
    return Check(
        name,
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
            "mask": lambda a: a[:, order] if a.ndim == case.logits.ndim else a,
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
    if images < 2 or _hyperparameter(case.loss, hyperparameters, "aggregate") == "batch":
        return None
    whole = replace(case, id=f"{case.id}#sum", hyperparameters={**hyperparameters, "reduction": "sum"})

    def image(n: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda array: array[n : n + 1]

    parts = [_with_arrays(whole, f"image {n}", dict.fromkeys(PER_IMAGE, image(n))) for n in range(images)]
    return Check(
        "split batch",
        whole,
        parts,
        lambda results: (sum((v for v, _ in results), np.zeros(())), np.concatenate([g for _, g in results])),
    )


def expanded_batch(case: Case) -> Check:
    """One image as a batch of three may lie in memory once."""
    whole = _with_arrays(
        case, "one image thrice", dict.fromkeys(PER_IMAGE, lambda array: np.repeat(array[:1], 3, axis=0))
    )
    return Check("expanded batch", whole, [whole], lambda results: results[0], way="expanded batch")


def shifted_logits(case: Case) -> Check | None:
    """A softmax does not change when a number is added to all logits of a pixel."""
    are_features = case.centers is not None and case.features is None  # as such a shift moves them
    if are_features or _activation(case.loss, case.hyperparameters) != "softmax":
        return None

    def shift(logits: np.ndarray) -> np.ndarray:
        numbers = np.random.default_rng(0).integers(-4, 5, size=logits.shape)
        return logits + numbers[:, :1]

    return Check(
        "shifted logits", case, [_with_arrays(case, "shifted logits", {"logits": shift})], lambda r: r[0]
    )


def moved_class_axis(place: int, case: Case) -> Check | None:
    """The classes may be on any axis, between the spatial axes too."""
    if case.logits.ndim < 4:
        return None
    return Check(
        f"class axis {place}", case, [case], lambda results: results[0], class_axis=place, way="class axis"
    )


CHECKS: dict[str, Callable[[Case], Check | None]] = {
    "permuted pixels": permuted_pixels,
    "mirrored pixels": mirrored_pixels,
    "permuted classes": permuted_classes,
    "split batch": split_batch,
    "expanded batch": expanded_batch,
    "shifted logits": shifted_logits,
    **{f"class axis {place}": functools.partial(moved_class_axis, place) for place in (1, 2, -1)},
}
"""Every check, by its name."""


def _activation(loss: str, hyperparameters: dict[str, Any]) -> str:
    if "losses" in hyperparameters:
        first = hyperparameters["losses"][0]
        return _activation(first["loss"], first.get("hyperparameters", {}))
    return _hyperparameter(loss, hyperparameters, "activation", "softmax")


def _hyperparameter(loss: str, hyperparameters: dict[str, Any], name: str, otherwise: Any = None) -> Any:
    """What is given, or the default of a loss that is ours."""
    return hyperparameters.get(name, getattr(getattr(seglosses_core, loss, None), name, otherwise))


def _with_arrays(case: Case, what: str, changes: dict[str, Callable[[np.ndarray], np.ndarray]]) -> Case:
    present = {name: change for name, change in changes.items() if getattr(case, name) is not None}
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(change(getattr(case, name))) for name, change in present.items()
    }
    return replace(case, id=f"{case.id}#{what}", **arrays)
