"""Has the results of a plan computed, and judges them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seglosses_conformance.judging import failed
from seglosses_conformance.planning import Plan
from seglosses_conformance.records import Job, Record, Result, read_result
from seglosses_conformance.targets import TARGETS, Target
from seglosses_conformance.worker import answer, case_to_json

COSTS = {"low": 1, "high": 15, "extreme": 150}
COST_OF_A_REQUEST = 3000
"""How long a job takes, and how much one process is asked for, in about hundredths of a second."""


def requests_of(made: Plan) -> list[dict[str, Any]]:
    """What each worker process is asked for, that which takes long first.

    Targets of one process and device share a request, unless it would take too long: then it is split, so that the
    cores are evenly used and no process keeps the compiled code of a thousand cases.
    """
    grouped: dict[tuple[str, str], list[Job]] = {}
    for job in made.jobs:
        grouped.setdefault((made.targets[job.target].process, job.device), []).append(job)
    parts = []
    for jobs in grouped.values():
        costs = [COSTS[made.targets[job.target].cost] for job in jobs]
        shares = [int(before / COST_OF_A_REQUEST) for before in itertools.accumulate(costs, initial=0)]
        by_share = itertools.groupby(zip(shares, jobs, costs, strict=False), key=lambda item: item[0])
        parts += [list(items) for _, items in by_share]
    parts.sort(key=lambda items: -sum(cost for _, _, cost in items))
    return [_request(made, [job for _, job, _ in items]) for items in parts]


def _request(made: Plan, jobs: list[Job]) -> dict[str, Any]:
    targets = {job.target: made.targets[job.target] for job in jobs}
    return {
        "device": jobs[0].device,
        "environment": {name: value for t in targets.values() for name, value in t.environment.items()},
        "targets": {name: t.own.as_json() if t.own else {} for name, t in targets.items()},
        "cases": {job.case: case_to_json(made.cases[job.case]) for job in jobs},
        "jobs": [asdict(job) for job in jobs],
    }


Work = Callable[[list[dict[str, Any]]], Iterable[tuple[dict[str, Any], dict[str, Any]]]]
"""Takes requests, gives pairs of a request and a line of its answer."""


def in_this_process(
    requests: list[dict[str, Any]], targets: Mapping[str, Target] = TARGETS
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Compute without worker processes: for functions that no process can import, and for tests, which change what is
    computed. Of `targets` those are taken that a request names."""
    for request in requests:
        for line in answer(request, targets):
            yield request, line


@dataclass
class Outcome:
    """What a run gave."""

    records: list[Record]
    results: dict[Job, Result]
    environment: dict[str, Any]
    """The settings of the frameworks, by name."""


def run(made: Plan, work: Work, progress: Callable[[Job], None] = lambda job: None) -> Outcome:
    """Have the results of a plan computed and judge them; `progress` hears of each job that is done.

    Raises
    ------
    ValueError
        If somebody's own implementation cannot be imported or called.
    """
    results: dict[Job, Result] = {}
    environment: dict[str, Any] = {}
    for request, line in work(requests_of(made)):
        if "environment" in line:
            environment.update(line["environment"])
            continue
        if "usage" in line:
            raise ValueError(line["usage"])
        job = Job(**request["jobs"][line["job"]])
        results[job] = read_result(line)
        progress(job)
    return Outcome(judge(made, results), results, environment)


def judge(made: Plan, results: dict[Job, Result]) -> list[Record]:
    """Fill in the record of each comparison; those that needed no result come last."""
    for comparison in made.comparisons:
        given = [results[job] for job in comparison.jobs]
        fault = next((result for result in given if result.outcome is not None), None)
        if fault is not None:
            failed(comparison.record, made.asked_of(comparison.record.target), fault)
        else:
            comparison.judge(comparison.record, given)
    return [comparison.record for comparison in made.comparisons] + made.records
