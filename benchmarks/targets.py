"""What is to be reached, as data, and whether it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.competitors import DICE_ALONE, LIMIT, PLAIN
from benchmarks.results import Quartiles, Row, ours_in

CT_LOSSES = ("cross_entropy", "focal", "dice", "jaccard", "power_jaccard", "dice_cross_entropy")


@dataclass(frozen=True)
class Target:
    """A bound on one statistic of ours.

    `library` names what our time is compared with: `at_least` bounds its time over ours, `at_most` ours over its.
    Without a library `at_most` bounds our memory beyond logits and gradient, in tensors of the logits' size; with
    `like`, our memory over that for the loss of this name. No cases, or no losses, are all of them.
    """

    about: str
    framework: str
    mode: str
    cases: tuple[str, ...]
    losses: tuple[str, ...]
    library: str = ""
    at_least: float = 0.0
    at_most: float = 0.0
    like: str = ""
    surroundings: str = "default"

    @property
    def bound(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least else f"≤ {self.at_most:g}"


@dataclass(frozen=True)
class Verdict:
    """A target in one case, with the quartiles of what was measured; None if it was not."""

    target: Target
    case: str
    loss: str
    found: Quartiles | None

    @property
    def reached(self) -> bool | None:
        if self.found is None:
            return None
        if self.target.at_least:
            return self.found.median >= self.target.at_least
        return self.found.median <= self.target.at_most


_MULTICLASS = ("voc", "ct", "ade")

TARGETS = (
    Target("faster than MONAI", "torch", "eager", _MULTICLASS, ("dice", "jaccard"), "monai", at_least=2.5),
    Target(
        "faster than smp", "torch", "eager", _MULTICLASS, ("batch_dice", "batch_jaccard"),
        "segmentation_models_pytorch", at_least=5,
    ),
    Target("not slower than F.cross_entropy", "torch", "eager", _MULTICLASS, ("cross_entropy",), "torch", at_least=1),
    Target("faster than kornia", "torch", "eager", ("binary", "voc", "ct"), ("focal",), "kornia", at_least=2),
    Target(
        "time over that of Dice alone", "torch", "eager", _MULTICLASS, ("dice_cross_entropy",), DICE_ALONE, at_most=1.3
    ),
    Target("time over the limit", "torch", "eager", ("ct",), CT_LOSSES, LIMIT, at_most=2),
    Target("memory", "torch", "eager", ("binary", "voc", "ct", "ade"), (), at_most=1.5),
    Target("memory over that of window 3", "torch", "eager", ("local",), ("local_7",), like="local_3", at_most=1.1),
    Target("faster than unfold", "torch", "eager", ("local",), ("local_7",), PLAIN, at_least=5),
    Target("not slower than the plain formula", "torch", "compile", (), (), PLAIN, at_least=1),
    Target("not slower than the plain formula", "jax", "jit", (), (), PLAIN, at_least=1),
    Target("scratch memory", "jax", "jit", _MULTICLASS, (), at_most=2),
    Target("not slower than Keras", "keras", "graph", ("voc",), ("dice",), "keras", at_least=1),
    Target("faster than Keras", "keras", "xla", ("voc",), ("dice",), "keras", at_least=1.2),
    Target("time over the plain formula", "torch", "eager", ("small",), ("dice",), PLAIN, at_most=1.5),
    Target("time over F.cross_entropy", "torch", "eager", ("small",), ("cross_entropy",), "torch", at_most=2),
    Target(
        "faster than MONAI", "torch", "eager", ("voc", "ct"), ("dice", "jaccard"), "monai", at_least=1.4,
        surroundings="huge pages",
    ),
)  # fmt: skip


def judge(rows: Sequence[Row], targets: Iterable[Target] = TARGETS) -> list[Verdict]:
    """Each target in each case that was measured; in none, if it was not measured at all."""
    verdicts = []
    for target in targets:
        found = [
            Verdict(target, row.case, row.loss, _statistic(target, row, rows)) for row in _meant(target, rows)
        ]
        found = [verdict for verdict in found if verdict.found is not None]
        verdicts += found or [Verdict(target, ", ".join(target.cases), ", ".join(target.losses), None)]
    return verdicts


def _meant(target: Target, rows: Sequence[Row]) -> list[Row]:
    """Our rows that a target is about."""
    return [
        row
        for row in ours_in(rows)
        if (row.framework, row.mode, row.surroundings) == (target.framework, target.mode, target.surroundings)
        and (row.case in target.cases or not target.cases)
        and (row.loss in target.losses or not target.losses)
    ]


def _statistic(target: Target, ours: Row, rows: Sequence[Row]) -> Quartiles | None:
    if target.like:
        other = next((row for row in ours_in(rows) if row.key == ours.of_loss(target.like).key), None)
        if other is None or ours.memory is None or not other.memory:
            return None
        return Quartiles(*[ours.memory / other.memory] * 3)
    if not target.library:
        return ours.memories
    theirs = next((row for row in rows if row.key == ours.of_library(target.library).key), None)
    if theirs is None or theirs.ratios is None:
        return None
    if target.at_least:
        return theirs.ratios
    return Quartiles(*(1 / ratio for ratio in reversed(theirs.ratios)))
