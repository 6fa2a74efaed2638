"""Errors to a power, relative to size."""

from __future__ import annotations

from typing import Any

from mpmath import mpf

from ..definitions import case
from ..definitions.arrays import SOFT
from ..definitions.region import EPSILON, examples, family, worked
from ..entries import LOST_DIGITS, Entry, Override, Sample, known, refusal
from ..faults import other
from ..oracle.family import Cell, RatioOfSums, total
from ..oracle.tape import Scalar

SOURCE = (
    "Wang et al., A noise-robust framework for automatic segmentation of COVID-19 pneumonia lesions from CT images,"
    " IEEE TMI 2020; the linear form as their library PyMIC has it"
)


def power_of_error(cell: Cell, gamma: Any) -> Any:
    """|ŷ − y|^γ; where ŷ = y its slope is 0, but for γ = 1 at y = 0 and y = 1, where it is that of the side there is"""
    difference = cell.p - cell.y
    if difference.value > 0 or (difference.value == 0 and cell.y == 0):
        return difference**gamma
    if difference.value < 0 or cell.y == 1:
        return (-difference) ** gamma
    return Scalar(0)


def score(cells: list[Cell], smooth: Any, gamma: float = 1.5, denominator: str = "linear") -> tuple[Any, Any]:
    """1 less Σ |ŷ − y|^γ/(Σ ŷ + Σ y + ε), or over Σ ŷ² + Σ y² + ε"""
    power = {"linear": 1, "squared": 2}[denominator]
    size = total(cell.w * (cell.p**power + cell.y**power) for cell in cells) + smooth
    return size - total(cell.w * power_of_error(cell, mpf(gamma)) for cell in cells), size


ENTRY = Entry(
    loss="NoiseRobustDiceLoss",
    source=SOURCE,
    oracle=RatioOfSums(score),
    cases=[
        worked(
            "γ = 3/2, errors 1/2, 0, 1/4, 1/2: (1/8 + 2/√8)/(17/4 + ε).",
            float((1 / 8 + 2 / 8**0.5) / float(17 / 4 + EPSILON)),
        ),
        *family(),
        *examples(),
        case("gamma-1", "γ = 1, which is the Dice semimetric loss.", gamma=1.0, target=SOFT),
        case(
            "gamma-2", "γ = 2 over squares, which is V-Net's.", gamma=2.0, denominator="squared", target=SOFT
        ),
        case("squared", "Over squares.", denominator="squared", target=SOFT),
        case("squared-labels", "Over squares, labels.", denominator="squared"),
    ],
    overrides=(
        Override("perfect-probabilities", 1e-30, "It is 0; the oracle's is what 50 digits leave of that."),
    ),
    samples=(
        Sample(),
        Sample({"denominator": "squared", "gamma": 2.0, "aggregate": "batch", "absent": "skip"}),
    ),
    bounds=(0, 1),
    autodiff_differs={"perfect-probabilities": LOST_DIGITS},
    known=(
        known("two", (0.153818422, 0.173665960), denominator="squared"),
        known("two", {0: -0.213814541, 2: 0.178923414}),
    ),
    refuses=(
        refusal(ValueError, "gamma", "got 2.5", "at least 1 and at most 2", gamma=2.5),
        refusal(ValueError, "denominator", "got 'union'", "one of 'linear', 'squared'", denominator="union"),
    ),
    value_fault=other(gamma=1.51),
    gradient_fault=lambda g: 1.01 * g,
    soft_slope=False,
)
