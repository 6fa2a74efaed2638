"""What has a page on the site, by family. A new loss needs no line here, unless it belongs with shapes or compounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seglosses_core import FUNCTIONS, LOSSES, POOLINGS, DeepSupervisionLoss, Pooling
from seglosses_core.loss import Loss
from seglosses_core.losses.overlap import LogarithmicLoss, OverlapLoss
from seglosses_core.pixel import PixelLoss
from seglosses_core.region import JointRatioLoss, RatioLoss, RegionLoss
from seglosses_core.single import SingleLoss

Documented = type | Callable[..., Any]

OFFERED: tuple[Documented, ...] = (*LOSSES, DeepSupervisionLoss, *POOLINGS, *FUNCTIONS)
SHARED = (Loss, SingleLoss, PixelLoss, RegionLoss, RatioLoss, JointRatioLoss, OverlapLoss, LogarithmicLoss)
"""The classes that losses are made from, of which users read: all on one page."""

SHAPES = {"blob", "boundary", "boundary_dou", "mutual_information", "skeleton", "surroundings"}
COMPOUNDS = {"compounds", "deep_supervision", "ensemble", "structure"}
"""Modules that hold neither a loss of pixels nor one of sums."""


@dataclass(frozen=True)
class Family:
    title: str
    about: str


FAMILIES = {
    "region": Family(
        "Region losses",
        "A number for each class of each image, from sums over its pixels, whatever the size of the region.",
    ),
    "pixel": Family("Pixel losses", "A cost for each pixel, and their mean. Large regions count for more."),
    "shape": Family(
        "Distance and shape losses",
        "What is near a boundary, along a centreline, in a window or in an instance counts for itself.",
    ),
    "compound": Family("Compound losses", "Sums of losses, and one loss at several resolutions."),
    "pooling": Family(
        "Poolings", 'In place of `reduction="mean"`: what counts are the costly pixels, images or classes.'
    ),
    "target": Family(
        "Functions of the target", "Weights, maps and soft labels, made once from labels, in the data loader."
    ),
}


def family_of(one: Documented) -> str:
    module = one.__module__.rpartition(".")[2]
    if module in COMPOUNDS:
        return "compound"
    if not isinstance(one, type):
        return "target"
    if issubclass(one, Pooling):
        return "pooling"
    if module in SHAPES:
        return "shape"
    return "region" if issubclass(one, RegionLoss) else "pixel"


def by_family() -> dict[str, list[Documented]]:
    """In the order of the public lists."""
    return {name: [one for one in OFFERED if family_of(one) == name] for name in FAMILIES}
