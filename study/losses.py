"""The losses that are compared.

Most digits are absent from most scenes. So the sums of region losses run over the batch, in which nearly every digit is
present: per image, a class that is absent asks for nothing but probabilities of exactly 0.
"""

from __future__ import annotations

from collections.abc import Callable

import seglosses_torch as sl

LOSSES: dict[str, Callable[[], sl.TorchLoss]] = {
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
FINE_TUNING = {"pointwise exponential": "cross-entropy", "cross-entropy, continued": "cross-entropy"}
"""Losses that start from what another has trained, with the same seed. The second tells what training longer gives."""
