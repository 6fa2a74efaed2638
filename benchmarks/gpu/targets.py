"""What is to be reached on an H100 or H200, as data, and whether it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.competitors import PLAIN
from benchmarks.gpu.plan import LOCAL, LOSSES
from benchmarks.gpu.rows import Row

Statistic = Callable[[Row, Row], float | None]
"""Of our row and of the one beside it; None where there is no such number."""


def _speed(ours: Row, theirs: Row) -> float | None:
    return None if ours.ms is None or theirs.ms is None else theirs.ms / ours.ms


def _memory_more(ours: Row, theirs: Row) -> float | None:
    return None if ours.memory is None or theirs.memory is None else ours.memory - theirs.memory


@dataclass(frozen=True)
class Target:
    """A bound on a statistic of ours, in a mode of a framework. Without `beside`, a library and its mode, the
    statistic is of our row alone. No cases, losses or dtypes are all of them."""

    about: str
    framework: str
    mode: str
    statistic: Statistic
    beside: tuple[str, str] | None = None
    cases: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bound(self) -> str:
        return f"≥ {self.at_least:.3g}" if self.at_least is not None else f"≤ {self.at_most:.3g}"

    def is_met_by(self, value: float) -> bool:
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)

    def is_about(self, row: Row) -> bool:
        return (
            row.is_ours
            and (row.framework, row.mode) == (self.framework, self.mode)
            and (not self.cases or row.case in self.cases)
            and (not self.losses or row.loss in self.losses)
            and (not self.dtypes or row.dtype in self.dtypes)
        )


@dataclass(frozen=True)
class Verdict:
    """A target in one row of ours."""

    target: Target
    row: Row
    value: float

    @property
    def reached(self) -> bool:
        return self.target.is_met_by(self.value)


_EAGER = ("torch", "eager")
_JIT = ("jax", "jit")
_FLOAT32 = ("float32",)
_FROM_CT_UP = ("ct", "large", "voc", "ade", "lesion", "total")

TARGETS = (
    *(
        Target("time over the limit", *_EAGER, lambda ours, _: ours.over_limit, cases=("large",), losses=(loss,),
               dtypes=(dtype,), at_most=bound)
        for dtype, loss, bound in (
            ("float32", "dice", 1.3), ("float32", "cross_entropy", 1.3), ("float32", "dice_cross_entropy", 1.5),
            ("bfloat16", "dice", 2.0), ("bfloat16", "cross_entropy", 2.0), ("bfloat16", "dice_cross_entropy", 2.0),
        )
    ),
    *(
        Target("times faster than MONAI", *_EAGER, _speed, ("monai", "eager"), (case,), ("dice", "dice_cross_entropy"),
               _FLOAT32, at_least=bound)
        for case, bound in (("large", 6.0), ("ct", 3.0))
    ),
    Target("times faster than exacta", *_EAGER, _speed, ("exacta", "eager"), at_least=1.0),
    Target("memory more than exacta's", *_EAGER, _memory_more, ("exacta", "eager"), at_most=0.0),
    Target("times faster than F.cross_entropy", *_EAGER, _speed, ("torch", "eager"), ("large",), dtypes=_FLOAT32,
           at_least=2.5),
    Target("times faster than F.cross_entropy", *_EAGER, _speed, ("torch", "eager"), _FROM_CT_UP, at_least=1.0),
    *(
        Target("times faster than the plain formula compiled", "torch", mode, _speed, (PLAIN, "compile"), at_least=1.0)
        for mode in ("eager", "compile")
    ),
    Target("memory beside logits and gradient", *_EAGER, lambda ours, _: ours.memory, losses=LOSSES, at_most=0.1),
    *(
        Target("ms of CPU", *_EAGER, lambda ours, _: ours.cpu_ms, cases=("small",), losses=(loss,), dtypes=_FLOAT32,
               at_most=bound)
        for loss, bound in (("dice", 0.4), ("cross_entropy", 0.35), ("dice_cross_entropy", 0.6))
    ),
    *(
        target
        for library in (PLAIN, "optax")
        for target in (
            Target(f"times faster than {library}", *_JIT, _speed, (library, "jit"), at_least=1 / 1.05),
            Target(f"scratch more than that of {library}", *_JIT, _memory_more, (library, "jit"), at_most=0.2),
        )
    ),
    *(
        Target("ms", *setting, lambda ours, _: ours.ms, cases=("ct",), losses=(LOCAL,), dtypes=_FLOAT32, at_most=6.0)
        for setting in (_EAGER, _JIT)
    ),
)  # fmt: skip


def judge(rows: Sequence[Row], targets: Iterable[Target] = TARGETS) -> list[tuple[Target, list[Verdict]]]:
    """Each target with a verdict for every row of ours that it is about and that was measured."""
    found = {row.key: row for row in rows}
    return [(target, list(_verdicts(target, rows, found))) for target in targets]


def _verdicts(target: Target, rows: Sequence[Row], found: dict[tuple[str, ...], Row]) -> Iterable[Verdict]:
    for row in filter(target.is_about, rows):
        beside = row
        if target.beside is not None:
            library, mode = target.beside
            other = found.get((row.framework, mode, row.case, row.dtype, row.loss, library))
            if other is None:
                continue
            beside = other
        value = target.statistic(row, beside)
        if value is not None:
            yield Verdict(target, row, value)
