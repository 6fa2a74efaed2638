"""Asks for one row after the other until the time is over, and writes each as it ends."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.competitors import Differs, module_of
from benchmarks.gpu import rows
from benchmarks.gpu.ahead import SHARE, compile_ahead
from benchmarks.gpu.inputs import prepared
from benchmarks.gpu.plan import MODES, Job
from benchmarks.gpu.rows import Row, row_of
from benchmarks.gpu.worker import Failed, Worker

LEFT_OUT = "left out: the time was over"
LONGEST = 60.0
"""Seconds for one row: a compiler may take longer."""


def possible(jobs: Iterable[Job]) -> tuple[list[Job], list[Row]]:
    """The jobs whose library has the loss, and rows for those that it has with another number. What is not installed is
    said once."""
    found, differing, absent = [], [], set()
    for job in jobs:
        try:
            if module_of(job.framework).LIBRARIES[job.library](job.case, job.loss) is not None:
                found.append(job)
        except Differs as difference:
            differing.append(row_of(job, note=f"another number: {difference}"))
        except ImportError as error:
            absent.add(f"{job.library}, {job.framework}: left out, not installed: {error}")
    for line in sorted(absent):
        print(line, flush=True)
    return found, differing


def run(jobs: Sequence[Job], device: str, path: Path, *, seconds: float, limit: float) -> None:
    """Writes the table of a run. `seconds` are for the repeats of one row, `limit` for everything."""
    end = time.monotonic() + limit
    rows.start(path)
    workers = {framework: Worker(framework, device) for framework in MODES}
    workers["reference"] = Worker("torch", device, kernels=False)
    references: dict[tuple[Any, str], dict[str, Any] | Failed] = {}

    def ask(framework: str, question: str, *given: Any) -> dict[str, Any]:
        return workers[framework].ask(
            question, *given, timeout=min(LONGEST, max(1.0, end - time.monotonic()))
        )

    def measure(job: Job) -> dict[str, Any]:
        key = job.case, job.loss
        if key not in references:
            try:
                references[key] = ask("reference", "reference", *key)
            except Failed as failure:
                references[key] = Failed(f"no reference: {failure}")
        reference = references[key]
        if isinstance(reference, Failed):
            raise reference
        return ask(job.framework, "measure", job, reference, seconds)

    jobs, differing = possible(jobs)
    try:
        with prepared(job.case for job in jobs):
            for framework in {job.framework for job in jobs} | {"torch", "reference"}:
                workers[framework].start()
            compiled = compile_ahead(jobs, device, SHARE * limit)
            print(f"[{limit - end + time.monotonic():.0f} s] {compiled} rows are compiled.", flush=True)
            about = ask("torch", "about")
            rows.append(path, differing)
            for i, job in enumerate(jobs):
                if time.monotonic() >= end:
                    rows.append(path, [row_of(job, note=LEFT_OUT, **about) for job in jobs[i:]])
                    print(f"The time is over: {len(jobs) - i} of {len(jobs)} rows are left out.")
                    return
                try:
                    row = _row(job, measure(job), about)
                except Failed as failure:
                    row = row_of(job, note=str(failure), **about)
                rows.append(path, [row])
                spent = limit - end + time.monotonic()
                print(f"[{i + 1}/{len(jobs)}, {spent:.0f} s] {_line(job, row)}", flush=True)
    finally:
        for worker in workers.values():
            worker.end()


def _row(job: Job, measured: dict[str, Any], about: dict[str, Any]) -> Row:
    limit_ms = measured.pop("bytes_moved") / about["copy_gb_per_s"] / 1e6
    return row_of(job, over_limit=measured["ms"] / limit_ms, **measured, **about)


def _line(job: Job, row: Row) -> str:
    if row.note:
        return f"{job}: {row.note}"
    return f"{job}: {row.ms:.3f} ms, {row.over_limit:.2f} × limit, CPU {row.cpu_ms:.3f} ms, memory {row.memory:.2f}"
