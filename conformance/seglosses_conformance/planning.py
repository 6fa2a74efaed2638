"""Which comparisons are made: cases on targets, dtypes, class axes and devices, as the cost of a target allows."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from seglosses_conformance.cases import Case
from seglosses_conformance.checks import Check, checks_of, smooth_cases
from seglosses_conformance.grades import STRICTEST, conventions_of
from seglosses_conformance.judging import Judge, against_combined, against_differences, against_expected
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.records import Job, Record
from seglosses_conformance.targets import Target
from seglosses_conformance.ways import DERIVATIVES, LAYOUTS, WAYS, Way

AUTODIFF_DIFFERS = {
    entry.id_of(case): reason for entry in ENTRIES.values() for case, reason in entry.autodiff_differs.items()
}
"""The cases in which autodiff of the formula has another gradient, and why."""


@dataclass
class Comparison:
    """A record to be filled in, and what it takes."""

    record: Record
    jobs: list[Job]
    judge: Judge


@dataclass
class Plan:
    """What is compared: the cases on each target, the checks, other ways of calling, and what cannot run."""

    targets: dict[str, Target]
    cases: dict[str, Case]
    comparisons: list[Comparison] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    """Those that need no result: absent and unsupported."""
    grade: str = STRICTEST
    """What is asked of somebody's own."""

    def asked_of(self, target: str) -> str | None:
        """The grade that is asked of a target, None of ours."""
        return self.grade if self.targets[target].own else None

    @property
    def jobs(self) -> list[Job]:
        """The results needed, each once."""
        return list(dict.fromkeys(job for comparison in self.comparisons for job in comparison.jobs))


def plan(
    cases: list[Case],
    targets: list[Target],
    dtypes: Iterable[str],
    devices: Iterable[str] = ("cpu",),
    class_axes: Iterable[int] | None = None,
    quick: bool = False,
    whole: bool = True,
    grade: str = STRICTEST,
) -> Plan:
    """Every comparison of the cases on the targets.

    `class_axes` None means each target's own only; `quick` takes one case of each loss where a case costs much, and
    leaves out, but for somebody's own, the cases that another loss of the family is asked too; if not `whole` there are
    the cases alone, without the checks and the other ways. `grade` is what is asked of somebody's own.
    """
    made = Plan({target.name: target for target in targets}, {case.id: case for case in cases}, grade=grade)
    by_loss: dict[str, list[Case]] = {}
    for case in cases:
        by_loss.setdefault(case.loss, []).append(case)
    for target in targets:
        absence = target.absence
        for device in devices:
            for loss, of_loss in by_loss.items():
                if absence is not None or device not in target.devices:
                    reason = absence or f"{target.name} does not run on {device}"
                    outcome = "absent" if absence else "unsupported"
                    made.records.append(
                        Record(loss, None, None, target.name, None, None, device, outcome, reason)
                    )
                    continue
                if quick and not target.own:
                    of_loss = [case for case in of_loss if "shared" not in case.flags] or of_loss
                _plan_loss(
                    made,
                    target,
                    of_loss,
                    device,
                    tuple(dtypes),
                    tuple(class_axes or (target.native_axis,)),
                    quick,
                    whole,
                )
    return made


def has_axis(rank: int, axis: int) -> bool:
    """Whether logits of so many axes can have their classes there: anywhere but on the batch axis."""
    return 1 <= (axis + rank if axis < 0 else axis) < rank


def _plan_loss(
    made: Plan,
    target: Target,
    cases: list[Case],
    device: str,
    dtypes: tuple[str, ...],
    axes: tuple[int, ...],
    quick: bool,
    whole: bool,
) -> None:
    dtypes = tuple(dtype for dtype in dtypes if dtype in target.dtypes)
    for case, dtype, axis in _combinations(target, cases, dtypes, axes, quick):
        record = _record(target, case, None, dtype, axis, device)
        rank = case.logits.ndim
        reason = target.unsupported.get(dtype)
        if reason is None and not has_axis(rank, axis):
            reason = f"logits with {rank} axes have no classes on axis {axis}"
        if reason is not None:
            record.outcome, record.reason, record.conventions = "unsupported", reason, []
            made.records.append(record)
        else:
            gradient = _has_gradient(target, case, dtype)
            job = Job(target.name, case.id, dtype, axis, device, gradient)
            judge = against_expected(case, asked=made.asked_of(target.name), gradient=gradient)
            made.comparisons.append(Comparison(record, [job], judge))
    if not whole or (quick and target.cost != "low"):
        return
    dtypes = tuple(dtype for dtype in dtypes if dtype not in target.unsupported)
    axis = target.native_axis if target.native_axis in axes else axes[0]
    if target.checks:
        for check in checks_of(cases):
            if check.class_axis not in axes and (check.way not in LAYOUTS or check.way in target.ways):
                _plan_check(made, target, check, dtypes, device, axis)
    for way in WAYS:
        if way.name in target.ways:
            _plan_way(made, target, way, cases, dtypes, device, axis)


def _combinations(
    target: Target, cases: list[Case], dtypes: tuple[str, ...], axes: tuple[int, ...], quick: bool
) -> Iterator[tuple[Case, str, int]]:
    """What a target is run on, as its cost allows."""
    one = (smooth_cases(cases) or cases)[:1]
    main_dtype = ("float32",) if "float32" in dtypes else dtypes[:1]
    main_axis = target.native_axis if target.native_axis in axes else axes[0]
    for dtype, axis in itertools.product(dtypes, axes):
        everywhere = target.cost == "low"
        in_main = dtype in main_dtype and axis == main_axis
        if everywhere or (in_main and target.cost == "high" and not quick):
            chosen = cases
        elif target.cost == "high" or (in_main and not quick):
            chosen = one
        else:
            chosen = []
        yield from ((case, dtype, axis) for case in chosen)


def _plan_check(
    made: Plan, target: Target, check: Check, dtypes: tuple[str, ...], device: str, axis: int
) -> None:
    dtype = next((d for d in ("float64", "float32") if d in dtypes), None)
    if dtype is None:
        return
    if not has_axis(check.whole.logits.ndim, axis):
        return
    for case in (check.whole, *check.parts):
        made.cases[case.id] = case
    jobs = [Job(target.name, check.whole.id, dtype, axis, device)]
    jobs += [
        Job(target.name, c.id, dtype, check.class_axis or axis, device, way=check.way) for c in check.parts
    ]
    base = made.cases[check.whole.id.partition("#")[0]]
    record = _record(target, base, check.name, dtype, axis, device)
    made.comparisons.append(
        Comparison(record, jobs, against_combined(check, base, asked=made.asked_of(target.name)))
    )


def _plan_way(
    made: Plan,
    target: Target,
    way: Way,
    cases: list[Case],
    dtypes: tuple[str, ...],
    device: str,
    axis: int,
) -> None:
    dtype = next((d for d in way.dtypes if d in dtypes), None)
    if dtype is None:
        return
    for case in way.cases(cases)[: None if target.cost == "low" else 1]:
        record = _record(target, case, way.name, dtype, axis, device)
        gradient = way.gradient and _has_gradient(target, case, dtype)
        job = Job(target.name, case.id, dtype, axis, device, gradient, way.name, way.upstream)
        asked = made.asked_of(target.name)
        judge = (
            against_differences(asked)
            if way.name in DERIVATIVES
            else against_expected(case, asked=asked, gradient=gradient, upstream=way.upstream)
        )
        made.comparisons.append(Comparison(record, [job], judge))


def _has_gradient(target: Target, case: Case, dtype: str) -> bool:
    """Whether the gradient of a case is asked for: without autodiff there is none of a map."""
    if target.by_autodiff and case.id in AUTODIFF_DIFFERS:
        return False
    expected = case.expected_for(dtype)
    return expected.gradient is not None and (target.differentiates or expected.value.ndim == 0)


def _record(target: Target, case: Case, check: str | None, dtype: str, axis: int, device: str) -> Record:
    words = ["python", "-m", "seglosses_conformance"]
    if target.own:
        words += [*target.own.words, "--loss", case.loss]
    else:
        words += ["--targets", target.name]
    words += ["--case", case.id, "--dtypes", dtype, f"--class-axis={axis}"]
    if device != "cpu":
        words += ["--device", device]
    importable = target.own is None or target.own.function is None
    return Record(
        case.loss,
        case.id,
        check,
        target.name,
        dtype,
        axis,
        device,
        "fail",
        conventions=conventions_of(case) if target.own else [],
        command=shlex.join(words) if importable else "",
    )
