"""What is measured on a GPU, the most important first: a run ends when its time is over, wherever it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.cases import LOCAL_LOSSES, Case
from benchmarks.competitors import LIBRARIES, OURS, PLAIN

LOSSES = ("dice", "cross_entropy", "dice_cross_entropy", "focal", "jaccard", "power_jaccard")
LOCAL = "local_7"
"""Of three classes at least, whose logits it standardises."""

CASES = {
    case.name: case
    for case in (
        Case("large", (8, 14, 128, 128, 128), (*LOSSES, LOCAL), "organs of the abdomen, a large batch"),
        Case("ct", (2, 14, 96, 96, 96), (*LOSSES, LOCAL), "organs of the abdomen in CT volumes"),
        Case("small", (8, 4, 64, 64), (*LOSSES, LOCAL), "overhead"),
        Case("voc", (16, 21, 512, 512), (*LOSSES, LOCAL), "the classes of Pascal VOC"),
        Case("ade", (4, 150, 512, 512), (*LOSSES, LOCAL), "the classes of ADE20K"),
        Case("binary", (16, 1, 512, 512), LOSSES, "binary images, by sigmoid"),
        Case("lesion", (8, 2, 128, 128, 128), LOSSES, "two classes"),
        Case("total", (2, 105, 128, 128, 128), (*LOSSES, LOCAL), "the classes of TotalSegmentator"),
    )
}
DTYPES = ("float32", "bfloat16")
MODES = {"torch": ("eager", "compile"), "jax": ("jit",)}
PEERS = {
    framework: tuple(name for name in LIBRARIES[framework] if name in (OURS, PLAIN, *peers))
    for framework, peers in {"torch": ("torch", "monai", "kornia", "exacta"), "jax": ("optax",)}.items()
}
"""Ours first: what the others are compared with."""

_JAX_CASES = ("large", "ct", "small", "voc")
_CASE_RANKS = {"large": 0, "ct": 0, "small": 0, "voc": 1, "ade": 2, "lesion": 2, "binary": 2, "total": 2}
_LOSS_RANKS = {"dice": 0, "cross_entropy": 0, "dice_cross_entropy": 0, "focal": 1}
_FIRST_OF_LOCAL = ("ct", "voc")
_MODE_RANKS = {"eager": 0, "jit": 2, "compile": 2}
"""Compilers take seconds for each row."""


@dataclass(frozen=True)
class Job:
    """One row: a loss of a case, in the case's dtype, by one library."""

    case: Case
    loss: str
    framework: str
    mode: str
    library: str

    @property
    def rank(self) -> int:
        """0 is most important."""
        first = self.loss == LOCAL and self.case.name in _FIRST_OF_LOCAL
        return (
            _CASE_RANKS.get(self.case.name, 0)
            + (0 if first else _LOSS_RANKS.get(self.loss, 2))
            + 2 * DTYPES.index(self.case.dtype)
            + _MODE_RANKS[self.mode]
        )

    def __str__(self) -> str:
        return (
            f"{self.case.name}, {self.loss}, {self.case.dtype}: {self.library}, {self.framework} {self.mode}"
        )


def _all(cases: Iterable[Case]) -> Iterator[Job]:
    for case in cases:
        for dtype in DTYPES:
            for loss in case.losses:
                for framework, modes in MODES.items():
                    for mode in modes:
                        for library in PEERS[framework]:
                            yield Job(dataclasses.replace(case, dtype=dtype), loss, framework, mode, library)


def _is_wanted(job: Job) -> bool:
    if job.mode == "compile" and job.library not in (OURS, PLAIN):
        return False
    if job.framework == "jax" and job.case.name not in _JAX_CASES:
        return False
    if job.loss in LOCAL_LOSSES and len(job.case.shape) > 4:
        # The plain formula is for images, and a compiler would unroll the window's 343 places.
        return job.library == OURS and job.mode != "compile"
    if job.loss in LOCAL_LOSSES and job.case.classes > 21:
        # The plain formula has every logit 49 times, several times over.
        return job.library == OURS
    return True


def jobs(cases: Iterable[Case] = tuple(CASES.values())) -> list[Job]:
    """All of the plan. What is equally important stays together, case by case and loss by loss."""
    return sorted(filter(_is_wanted, _all(cases)), key=lambda job: job.rank)
