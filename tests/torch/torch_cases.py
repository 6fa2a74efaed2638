"""One small problem for every loss, and for every path that a loss can take through the core."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

import seglosses_torch as sl
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build

N, C, H, W = 2, 4, 3, 5


@dataclass(frozen=True)
class Case:
    """How to make a loss, and the arguments of one call; `target` is drawn anew from the seed at each use."""

    name: str
    make: Callable[[], sl.TorchLoss]
    target: str = "labels"
    weighted: bool = False

    def logits(self, dtype: torch.dtype = torch.float64) -> Tensor:
        drawn = _draw(1, torch.randn, N, C, H, W)
        return (drawn.softmax(1) if self.make().activation == "identity" else 2 * drawn).to(dtype)

    def arguments(self) -> dict[str, Tensor]:
        """Everything else that the call takes."""
        given: dict[str, Tensor] = {"target": TARGETS[self.target]()}
        if self.weighted:
            given["mask"] = _draw(2, torch.rand, N, H, W).where(_draw(3, torch.rand, N, H, W) > 0.2, 0.0)
            given["sample_weight"] = torch.tensor([0.7, 1.6], dtype=torch.float64)
        return given

    def __str__(self) -> str:
        return self.name


def _draw(seed: int, kind: Callable[..., Tensor], *shape: int) -> Tensor:
    return kind(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels() -> Tensor:
    return (_draw(4, torch.rand, N, H, W) * C).long()


def soft() -> Tensor:
    return _draw(5, torch.randn, N, C, H, W).softmax(1)


def heat_map() -> Tensor:
    peaks = torch.nn.functional.one_hot(labels(), C).movedim(-1, 1).double()
    return peaks.where(peaks == 1, _draw(6, torch.rand, N, C, H, W))


TARGETS = {"labels": labels, "soft": soft, "heat map": heat_map}

# The first case of a loss is the one where one is enough.
PATHS = [
    Case("CrossEntropyLoss", lambda: sl.CrossEntropyLoss(class_weights=(1.0, 0.5, 2.0, 0.0)), weighted=True),
    Case("FocalLoss", lambda: sl.FocalLoss(gamma=1.5, alpha=(0.1, 0.2, 0.3, 0.4))),
    Case("DiceLoss", sl.DiceLoss),
    Case("JaccardLoss", lambda: sl.JaccardLoss(aggregate="batch", absent="skip"), weighted=True),
    Case("TverskyLoss", lambda: sl.TverskyLoss(alpha=0.3, beta=0.7, include_background=False), "soft"),
    Case("PowerDiceLoss", lambda: sl.PowerDiceLoss(p=1.5)),
    Case("PowerJaccardLoss", lambda: sl.PowerJaccardLoss(p=1.7), "soft", weighted=True),
    Case("PointwiseExponentialLoss", lambda: sl.PointwiseExponentialLoss(denominator="union")),
    Case("LocallyAdaptiveLoss", lambda: sl.LocallyAdaptiveLoss(kernel_size=3, cost=sl.FocalLoss()), weighted=True),
    Case("CenterLoss", lambda: sl.CenterLoss(num_classes=C, weight=0.3).eval()),
    Case("DistanceAwareCrossEntropyLoss", sl.DistanceAwareCrossEntropyLoss, "heat map"),
    Case("MeanSquaredErrorLoss", sl.MeanSquaredErrorLoss, "heat map", weighted=True),
    Case("EnsembleLoss", lambda: 0.3 * sl.DiceLoss() + 0.7 * sl.CrossEntropyLoss()),
    Case("CrossEntropyLoss, soft", lambda: sl.CrossEntropyLoss(label_smoothing=0.1), "soft"),
    Case("CrossEntropyLoss, sigmoid", lambda: sl.CrossEntropyLoss(activation="sigmoid", label_smoothing=0.1), "soft"),
    Case("CrossEntropyLoss, identity", lambda: sl.CrossEntropyLoss(activation="identity")),
    Case("FocalLoss, sigmoid", lambda: sl.FocalLoss(activation="sigmoid", reduction="sum"), weighted=True),
    Case("DiceLoss, sigmoid", lambda: sl.DiceLoss(activation="sigmoid"), "soft"),
    Case("PowerDiceLoss, identity", lambda: sl.PowerDiceLoss(p=1.3, activation="identity")),
    Case("LocallyAdaptiveLoss, plain", lambda: sl.LocallyAdaptiveLoss(kernel_size=3, stride=2, standardize=False)),
    Case("Minkowski", lambda: sl.CrossEntropyLoss(reduction=sl.Minkowski(k=2.5)), weighted=True),
    Case("MaxPooling", lambda: sl.CrossEntropyLoss(reduction=sl.MaxPooling())),
    Case("TopK", lambda: sl.FocalLoss(reduction=sl.TopK(fraction=0.3))),
]  # fmt: skip

CASES = PATHS + [
    Case(
        name,
        functools.partial(build, sl, name, entry.samples[0].hyperparameters, 1),
        entry.samples[0].targets[-1],
    )
    for name, entry in ENTRIES.items()
    if name not in {case.name for case in PATHS}
]
"""Paths through the core, and of every loss that has none here the first sample of its record."""

ONE_PER_LOSS = [next(case for case in CASES if case.name.partition(",")[0] == name) for name in ENTRIES]


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


each_case = pytest.mark.parametrize("case", CASES, ids=str)


def gradient(value: Tensor, *inputs: Tensor, **options: Any) -> Tensor:
    return torch.autograd.grad(value, inputs, **options)[0]


def close(found: Tensor, expected: Tensor, *, relative: float = 1e-11) -> None:
    """Same dtype, shape and device, and equal beside the largest entry; an all-zero expectation would prove nothing."""
    scale = expected.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(found, expected, rtol=0, atol=relative * scale)
