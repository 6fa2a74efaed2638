"""The losses that are compared, by experiment.

Most digits are absent from most scenes. So the sums of region losses run over the batch, in which nearly every digit is
present: per image, a class that is absent asks for nothing but probabilities of exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import seglosses_torch as sl
from examples.scenes import CLASSES

Losses = dict[str, Callable[[], sl.TorchLoss]]

LOSSES: Losses = {
    "cross-entropy": sl.CrossEntropyLoss,
    "Jaccard": lambda: sl.JaccardLoss(aggregate="batch"),
    "power Jaccard, p = 2": lambda: sl.PowerJaccardLoss(p=2.0, aggregate="batch"),
    "power Jaccard, p = 1.5": lambda: sl.PowerJaccardLoss(p=1.5, aggregate="batch"),
    "power Jaccard, p learned": lambda: sl.PowerJaccardLoss(p=sl.LearnablePower(1.5), aggregate="batch"),
    "Dice": lambda: sl.DiceLoss(aggregate="batch"),
    "power Dice, p = 2": lambda: sl.PowerDiceLoss(p=2.0, aggregate="batch"),
    "focal": lambda: sl.FocalLoss(gamma=2.0, alpha=None),
    "locally adaptive": lambda: sl.LocallyAdaptiveLoss(kernel_size=3),
    "pointwise exponential": lambda: sl.PointwiseExponentialLoss(aggregate="batch"),
    "cross-entropy, continued": sl.CrossEntropyLoss,
}
SOURCE = ("cross-entropy", "Jaccard", "power Jaccard, p = 2")
FURTHER = tuple(loss for loss in LOSSES if loss not in SOURCE)
"""Of Duque-Arias et al. on power losses, and beyond them."""


def adaptive(classes: int, ignore_index: int | None = None) -> Losses:
    """Those that Guo et al. compare. The members of the ensemble and their weights are ours."""
    given: dict[str, Any] = {"ignore_index": ignore_index}

    def local(side: int) -> sl.TorchLoss:
        return sl.LocallyAdaptiveLoss(kernel_size=side, **given)

    return {
        "cross-entropy": lambda: sl.CrossEntropyLoss(**given),
        "center": lambda: sl.CenterLoss(num_classes=classes, **given),
        "focal, α = 0.25": lambda: sl.FocalLoss(gamma=2.0, alpha=0.25, **given),
        "loss max-pooling": lambda: sl.CrossEntropyLoss(reduction=sl.MaxPooling(), **given),
        "locally adaptive, 3 × 3": lambda: local(3),
        "locally adaptive, 5 × 5": lambda: local(5),
        "locally adaptive, 7 × 7": lambda: local(7),
        "ensemble": lambda: 0.5 * sl.CrossEntropyLoss(**given) + 0.5 * local(5),
    }


ADAPTIVE = adaptive(CLASSES)


def exponential(alpha: float, exponent: float) -> sl.TorchLoss:
    return sl.PointwiseExponentialLoss(alpha=alpha, exponent=exponent, aggregate="batch")


CONTINUED = "cross-entropy, continued"
EXPONENTIAL: Losses = {
    "cross-entropy": sl.CrossEntropyLoss,
    CONTINUED: sl.CrossEntropyLoss,
    "α = 20, n = 3": lambda: exponential(20.0, 3.0),
    "α = 20, n = 2": lambda: exponential(20.0, 2.0),
    "α = 20, n = 1": lambda: exponential(20.0, 1.0),
    "α = 2, n = 3": lambda: exponential(2.0, 3.0),
    "α = 20, n = 3, beside cross-entropy": lambda: exponential(20.0, 3.0) + sl.CrossEntropyLoss(),
    "α = 2, n = 3, beside cross-entropy": lambda: exponential(2.0, 3.0) + sl.CrossEntropyLoss(),
}
"""Of Deora on the pointwise exponential loss: what is trained first, then what it is fine-tuned with."""

FINE_TUNING = dict.fromkeys(
    ["pointwise exponential", *(loss for loss in EXPONENTIAL if loss != "cross-entropy")], "cross-entropy"
)
"""Losses that start from what another has trained, with the same seed. That of cross-entropy tells what training longer
gives."""

ALL: Losses = LOSSES | ADAPTIVE | EXPONENTIAL
