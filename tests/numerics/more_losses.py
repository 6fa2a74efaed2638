"""The losses that `everywhere.LOSSES` leaves out: one takes more than logits and a target, the others have options."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from everywhere import LOSSES, Make, named

import seglosses_core
import seglosses_keras
import seglosses_torch
from seglosses_core import Minkowski

C = 3
CENTERS = np.random.default_rng(8).normal(size=(C, C))


def center(package: Any, **common: Any) -> Any:
    """The center loss with given centres, called as every other loss. Keras' is a layer, which takes no weights: there
    the core is called with TensorFlow's arrays."""
    if package is seglosses_torch:
        module = package.CenterLoss(num_classes=C, weight=0.7, **common).double().eval()
        module.centers.copy_(torch.from_numpy(CENTERS))
        return module
    if package is seglosses_keras:
        loss = seglosses_core.CenterLoss(weight=0.7, **common)
        return lambda target, logits, **given: loss(logits, target, centers=CENTERS, **given)
    loss = package.CenterLoss(weight=0.7, **common)
    call = functools.partial(loss, centers=CENTERS)
    if package is seglosses_core:
        return SimpleNamespace(value_and_grad=functools.partial(loss.value_and_grad, centers=CENTERS))
    return call


MORE: dict[str, Make] = {
    "center": center,
    "locally adaptive, standardised": named("LocallyAdaptiveLoss", kernel_size=3),
    "locally adaptive, mean": named("LocallyAdaptiveLoss", kernel_size=3, stride=2, reduction="mean"),
    "weighted cross-entropy": named("CrossEntropyLoss", class_weights=(0.5, 2.0, 1.0)),
    "skipping Dice": named(
        "DiceLoss", absent="skip", include_background=False, class_weights=(1.0, 2.0, 0.5)
    ),
    "distance-aware Minkowski": named("DistanceAwareCrossEntropyLoss", reduction=Minkowski(k=2)),
    "ensemble of three": lambda package, **common: (
        0.3 * package.PowerJaccardLoss(p=1.3, **common)
        + package.FocalLoss(**common)
        + 2 * package.LocallyAdaptiveLoss(kernel_size=3, **common)
    ),
}
ALL = {**LOSSES, **MORE}
LABELS_ONLY = ("center", "locally adaptive", "ensemble of three")
HEAT_MAPS = [name for name in ALL if name.startswith(("distance-aware", "squared error"))]


def takes_dense(name: str) -> bool:
    return not name.startswith(LABELS_ONLY)
