"""Other ways of calling a loss, which have to give what the plain way gives, and the cases that they are tried on.

How a way is gone is the affair of a framework: see `frameworks/`. A derivative that the cases do not state is
compared with differences of what it is the derivative of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seglosses_conformance.cases import ARRAYS, Case
from seglosses_conformance.checks import exceptions, smooth_cases
from seglosses_conformance.losses import ENTRIES

LAYOUTS = ("sliced", "channels last", "transposed", "backwards", "expanded batch")
"""The same numbers with other strides: every second element of a larger array; axis 1 innermost in memory; axes the
other way round, as in Fortran; backwards through memory; stride 0 over the batch."""

DERIVATIVES = {
    "second derivative": "logits",
    "gradient of the target": "target",
    "gradient of the mask": "mask",
    "gradient of the sample weights": "sample_weight",
}
"""By the name of a way: what is varied for the differences."""


@dataclass(frozen=True)
class Way:
    """One way, by the name that targets list it with."""

    name: str
    cases: Callable[[list[Case]], list[Case]]
    """Which of the cases of a loss; a target at high cost takes the first of them."""
    upstream: float = 1.0
    """What the value is multiplied by before it is differentiated: the gradient has to be that multiple of itself."""
    gradient: bool = True
    dtypes: tuple[str, ...] = ("float32", "float64", "float16", "bfloat16")
    """The first of these that is asked for is the one."""


def plainest(cases: list[Case]) -> list[Case]:
    """One smooth case: with two spatial axes, few arrays and few hyper-parameters, as far as there is such a one."""

    def key(case: Case) -> tuple[bool, int, int]:
        return case.logits.ndim != 4, len(_given(case)), len(case.hyperparameters)

    return sorted(smooth_cases(cases), key=key)[:1]


def plainest_and_fullest(cases: list[Case]) -> list[Case]:
    """That case, and the one with the most arrays, a soft target before labels."""
    fullest = max(smooth_cases(cases), key=lambda c: (len(_given(c)), c.target.ndim), default=None)
    both = [*plainest(cases), *([] if fullest is None else [fullest])]
    return list({case.id: case for case in both}.values())


def batches(cases: list[Case]) -> list[Case]:
    """Those cases, of more than one image, of a loss that sums of parts stand for."""
    several = [case for case in cases if case.logits.shape[0] > 1]
    return plainest_and_fullest([case for case in several if "shards" not in exceptions(case.loss)])


def tiny(cases: list[Case]) -> list[Case]:
    """One case whose gradient is so small that float16 hardly has it."""
    return [case for case in cases if "tiny" in case.flags][:1]


def curved(cases: list[Case]) -> list[Case]:
    """Those cases, of a loss that has second derivatives."""
    return plainest_and_fullest([case for case in cases if _entry(case) is None or _entry(case).curved])


def moving(name: str) -> Callable[[list[Case]], list[Case]]:
    """One smooth case with a soft target, or with weights, that may be moved."""

    def moves(case: Case) -> bool:
        array, entry = getattr(case, name), _entry(case)
        if array is None or (name == "target" and entry is not None and not entry.soft_slope):
            return False
        return bool(np.any(direction(name, array)))

    return lambda cases: plainest([case for case in cases if moves(case)])


def direction(name: str, array: np.ndarray) -> np.ndarray:
    """Along which a derivative is taken: all signs and sizes, and 0 where a number is at the end of its range, as the
    labels of a one-hot target and a weight of 0 are."""
    wave = np.cos(np.arange(1, 1 + array.size)).reshape(array.shape)
    if name == "logits":
        return wave
    inside = (array > 0) & ((array < 1) | (name != "target"))
    return wave * (inside & (array.dtype.kind == "f"))


def _entry(case: Case) -> Any:
    """What is known of the loss; None of one that is not ours."""
    return ENTRIES.get(case.loss)


def _given(case: Case) -> list[str]:
    return [name for name in ARRAYS if getattr(case, name) is not None]


WAYS = (
    Way("upstream", plainest, upstream=-3.0),
    Way("loss scale", tiny, upstream=2.0**14, dtypes=("float16",)),
    Way("backward twice", plainest),
    Way("after another", plainest_and_fullest),
    *(Way(layout, plainest_and_fullest) for layout in LAYOUTS if layout != "expanded batch"),
    Way("autocast", plainest_and_fullest, dtypes=("float32",)),
    Way("inference mode", plainest, gradient=False),
    Way("compiled", plainest),
    Way("shards", batches),
    Way("second derivative", curved, dtypes=("float64",)),
    *(
        Way(name, moving(array), dtypes=("float64",))
        for name, array in DERIVATIVES.items()
        if array != "logits"
    ),
)
"""All that there are. "expanded batch" belongs to a check, since it needs a batch of equal images."""
