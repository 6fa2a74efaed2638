"""The benchmark on a GPU, without one: its plan, its table, its page."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from benchmarks import cases, machine
from benchmarks.cases import Case
from benchmarks.competitors import OURS, PLAIN
from benchmarks.gpu import ahead, everything, inputs, page, plan, rows, run
from benchmarks.gpu.__main__ import chosen, parse
from benchmarks.gpu.plan import CASES, DTYPES, Job
from benchmarks.gpu.rows import Row, row_of
from benchmarks.gpu.targets import TARGETS, judge
from benchmarks.gpu.worker import Desk, Failed, Worker

TINY = Case("tiny", (2, 3, 8, 8), ("dice", "cross_entropy"), "")
JOBS = [job for job in plan.jobs([TINY]) if job.mode == "eager" and job.library in (OURS, PLAIN)]
ABOUT = {"device": "A device", "copy_gb_per_s": 4000.0, "versions": "some", "date": "2026-11-01"}


def test_the_plan_is_complete() -> None:
    jobs = plan.jobs()
    assert len(set(jobs)) == len(jobs)
    eager = {(job.case.name, job.case.dtype, job.loss, job.library) for job in jobs if job.mode == "eager"}
    for case in CASES.values():
        for dtype in DTYPES:
            for loss in case.losses:
                assert (case.name, dtype, loss, OURS) in eager
    assert [job.rank for job in jobs] == sorted(job.rank for job in jobs)


def test_every_target_is_in_the_plan() -> None:
    measured = [row_of(job, ms=1.0, cpu_ms=1.0, memory=0.0, over_limit=1.0) for job in plan.jobs()]
    for target, verdicts in judge(measured):
        assert verdicts, target
        assert all(verdict.row.is_ours for verdict in verdicts)


@pytest.mark.parametrize(
    "target", TARGETS, ids=lambda target: f"{target.mode}, {target.about}, {target.bound}"
)
def test_targets_are_judged_both_ways(target: Any) -> None:
    """A little better and a little worse than the bound."""

    def verdicts(factor: float) -> set[bool]:
        bound = target.at_least or target.at_most
        of_ours = {"ms": 10.0, "cpu_ms": 10.0, "memory": 5.0, "over_limit": 10.0}
        of_others = dict(of_ours)
        if target.at_least is not None:
            of_others["ms"] = 10.0 * bound * factor
        elif target.beside is not None:
            of_others["memory"] = 5.0 - bound - (1 - factor)
        else:
            of_ours = dict.fromkeys(of_ours, bound / factor)
        measured = [row_of(job, **(of_ours if job.library == OURS else of_others)) for job in plan.jobs()]
        ((_, found),) = judge(measured, [target])
        return {verdict.reached for verdict in found}

    assert verdicts(1.01) == {True}
    assert verdicts(0.99) == {False}


def test_what_is_not_measured_is_no_success() -> None:
    for _, verdicts in judge([row_of(job, note="failed") for job in plan.jobs()]):
        assert not verdicts


def test_choices() -> None:
    options = parse(
        ["--case", "ct", "--dtype", "bfloat16", "--framework", "torch", "--loss", "dice", "--mode", "eager"]
    )
    found = chosen(options)
    assert {job.library for job in found} == set(plan.PEERS["torch"])
    assert {(job.case.name, job.case.dtype, job.loss) for job in found} == {("ct", "bfloat16", "dice")}
    assert len(chosen(parse([]))) == len(plan.jobs())


class Here:
    """In place of a worker: the same answers from this process."""

    interrupted_at: Job | None = None
    broken: Job | None = None

    def __init__(self, framework: str, device: str, *, kernels: bool = True) -> None:
        self.desk = Desk("torch", device)

    def start(self) -> None:
        pass

    end = start

    def ask(self, question: str, *given: Any, timeout: float) -> Any:
        assert timeout > 0
        if question == "measure" and given[0] == self.interrupted_at:
            raise KeyboardInterrupt
        if question == "measure" and given[0] == self.broken:
            raise Failed("OutOfMemoryError: no memory")
        return getattr(self.desk, question)(*given)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(run, "Worker", Here)
    monkeypatch.setattr(machine, "describe", lambda device: ABOUT)
    return tmp_path / "gpu.csv"


def test_a_row_for_each_job(table: Path, tmp_path: Path) -> None:
    run.run(JOBS, "cpu", table, seconds=0.0, limit=60.0)
    found = rows.read(table)
    assert [row.key for row in found] == [row_of(job).key for job in JOBS]
    for row in found:
        assert not row.note
        assert row.ms is not None
        assert row.ms > 0
        entry = 4 if row.dtype == "float32" else 2
        moved = 3 * (2 * 3 * 8 * 8) * entry + 2 * (2 * 8 * 8) * 8
        assert row.over_limit == pytest.approx(row.ms / (moved / 4e12 * 1e3), rel=1e-2)


def test_rows_are_written_as_they_end(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Here, "interrupted_at", JOBS[2])
    with pytest.raises(KeyboardInterrupt):
        run.run(JOBS, "cpu", table, seconds=0.0, limit=60.0)
    assert [row.key for row in rows.read(table)] == [row_of(job).key for job in JOBS[:2]]


def test_a_row_that_fails_is_a_row(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Here, "broken", JOBS[1])
    run.run(JOBS[:3], "cpu", table, seconds=0.0, limit=60.0)
    assert [row.note for row in rows.read(table)] == ["", "OutOfMemoryError: no memory", ""]


def test_what_is_left_when_the_time_is_over(table: Path) -> None:
    run.run(JOBS, "cpu", table, seconds=0.0, limit=0.0)
    assert {row.note for row in rows.read(table)} == {run.LEFT_OUT}
    assert len(rows.read(table)) == len(JOBS)


def test_compiled_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job with something to compile once, whatever becomes of the others, and none when the time is over."""
    asked = []

    class Recorder(Here):
        def ask(self, question: str, *given: Any, timeout: float) -> None:
            asked.append((question, *given))
            if given == (wanted[1],):
                raise Failed("the compiler refuses")

    monkeypatch.setattr(ahead, "Worker", Recorder)
    wanted = [job for job in plan.jobs([TINY]) if ahead.is_compiled(job)]
    assert {job.mode for job in wanted} == {"eager", "compile"}
    assert ahead.compile_ahead(plan.jobs([TINY]), "cpu", limit=60.0) == len(wanted) - 1
    assert sorted(map(str, asked)) == sorted(str(("compile", job)) for job in wanted)
    assert ahead.compile_ahead(plan.jobs([TINY]), "cpu", limit=0.0) == 0


def test_inputs_are_made_once() -> None:
    """What a process finds is what it would make."""
    own = cases.make_inputs(TINY)
    with inputs.prepared([TINY]):
        for _ in range(200):
            if len(list(Path(os.environ[inputs._FOLDER]).glob("*.npy"))) == 2:
                break
            time.sleep(0.05)
        inputs.make_inputs.cache_clear()
        with mock.patch.object(cases, "make_inputs", side_effect=AssertionError("made anew")):
            found = inputs.make_inputs(TINY)
    inputs.make_inputs.cache_clear()
    for array, right in zip(found, own, strict=True):
        np.testing.assert_array_equal(array, right)


def test_another_number_is_refused() -> None:
    desk = Desk("torch", "cpu")
    reference = desk.reference(TINY, "dice")
    with pytest.raises(Failed, match="another number"):
        desk.measure(JOBS[0], reference | {"value": 1.01 * reference["value"]}, 0.0)


def test_a_process_answers_fails_and_is_lost() -> None:
    worker = Worker("torch", "cpu")
    try:
        answer = worker.ask("reference", TINY, "dice", timeout=300.0)
        assert answer["value"] == pytest.approx(Desk("torch", "cpu").reference(TINY, "dice")["value"])
        with pytest.raises(Failed, match="ValueError: No loss is named 'mice'"):
            worker.ask("reference", TINY, "mice", timeout=300.0)
        worker.process.kill()
        with pytest.raises(Failed, match="ended with status -9"):
            worker.ask("reference", TINY, "dice", timeout=300.0)
        assert worker.process is None
    finally:
        worker.end()


def test_steps_of_make_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert everything.step("ours", ("-c", "import seglosses_core, seglosses_conformance"), limit=60.0) == ""
    assert everything.step("fails", ("-c", "raise SystemExit(3)"), limit=60.0) == "exit status 3"
    assert everything.step("hangs", ("-c", "import time; time.sleep(60)"), limit=1.0) == "not ended after 1 s"


def measured(library: str, ms: float) -> Row:
    job = Job(CASES["large"], "dice", "torch", "eager", library)
    return row_of(
        job, ms_low=0.9 * ms, ms=ms, ms_high=1.1 * ms, cpu_ms=0.3, memory=0.0, over_limit=ms, **ABOUT
    )


def test_a_page_from_rows(tmp_path: Path) -> None:
    table, made = tmp_path / "gpu.csv", tmp_path / "gpu.md"
    rows.start(table)
    failed = row_of(Job(CASES["large"], "dice", "torch", "eager", "kornia"), note="no memory")
    rows.append(table, [measured(OURS, 1.25), measured("monai", 7.0), failed])
    page.write(table, made)
    text = made.read_text(encoding="utf-8")
    assert "| device | A device |" in text
    assert (
        "| torch eager | time over the limit | large | dice | float32 | ≤ 1.3 | 1.25 | 1 of 1 | reached |"
        in text
    )
    assert (
        "| torch eager | times faster than MONAI | large | dice, dice cross entropy | float32 | ≥ 6 | 5.6 | 0 of 1 "
        "| **not reached** |" in text
    )
    assert "| torch eager | times faster than MONAI | large, dice, float32 | ≥ 6 | 5.6 |" in text
    assert "| dice | seglosses | torch eager | 1.25 (1.12–1.38) | 1 | 1.25 | 0.3 | 0 |" in text
    assert "|  | monai | torch eager | 7 (6.3–7.7) | 5.6 | 7 | 0.3 | 0 |" in text
    assert "| torch eager | kornia | dice | no memory | 1 |" in text


def test_the_page_is_made_from_the_table(tmp_path: Path) -> None:
    page.write(page=tmp_path / "gpu.md")
    assert page.PAGE.read_text(encoding="utf-8") == (tmp_path / "gpu.md").read_text(encoding="utf-8")
