"""The table of results survives whatever stops the study, and the study goes on from it."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from study.protocol import FILTERS, FULL, KERNELS, SEEDS, Run, further_runs, source_runs
from study.results import Row, appending, read
from study.run import study
from study.training import carry_out

TINY = dataclasses.replace(FULL, size=16, instances=1, train=8, validation=8, test=8, epochs=1)
RUNS = [Run("cross-entropy", 2, 3, seed) for seed in range(3)]


def row(run: Run = RUNS[0], **given: object) -> Row:
    about = {"validation_loss": 0.5, "pretraining_epochs": None, "p": None, "weights": 1967, "seconds": 1.5}
    words = {"device": "cpu", "versions": "Python 3, torch 2", "date": "2026-01-01", "protocol": str(TINY)}
    iou = [0.125 * i for i in range(8)] + [float("nan"), 0.0, 1.0, 0.75]
    return Row(*run, *iou, epochs=9, best_epoch=7, **about | words | given)  # type: ignore[arg-type]


def append(path: Path, *rows: Row) -> None:
    with appending(path, TINY, Row) as (_, write):
        for one in rows:
            write(one)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "results.csv"
    rows = [row(RUNS[0]), row(RUNS[1], p=1.75, pretraining_epochs=30)]
    assert read(path, Row) == []
    append(path, rows[0])
    append(path, rows[1])
    assert list(map(str, read(path, Row))) == list(
        map(str, rows)
    )  # as text, since NaN is not equal to itself
    assert read(path, Row)[0].run == RUNS[0]


def test_a_row_is_on_disk_when_it_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    with appending(path, TINY, Row) as (_, write):
        write(row())
        assert len(read(path, Row)) == 1


@pytest.mark.parametrize("left", [1, 40, 150])
def test_half_a_row_is_dropped_and_said(tmp_path: Path, left: int) -> None:
    path = tmp_path / "results.csv"
    append(path, row(RUNS[0]), row(RUNS[1]))
    whole = path.read_bytes()
    last = whole[: whole.rfind(b"\n", 0, -1) + 1]
    path.write_bytes(whole[: len(last) + left])
    with pytest.warns(UserWarning, match="ends in half a row, which is dropped: 'c"):
        assert [r.run for r in read(path, Row)] == RUNS[:1]
    with pytest.warns(UserWarning, match="half a row"):
        append(path, row(RUNS[1]))
    assert path.read_bytes() == whole


def test_half_a_header_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("loss,filt")
    with pytest.warns(UserWarning, match="half a row"):
        append(path, row())
    assert len(read(path, Row)) == 1


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("loss,filters\ncross-entropy,2\n")
    with pytest.raises(
        ValueError, match=r"other columns than this version writes(.|\n)*there: loss, filters\n"
    ):
        append(path, row())
    assert path.read_text() == "loss,filters\ncross-entropy,2\n"


def test_another_protocol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    append(path, row(protocol=str(dataclasses.replace(TINY, noise=0.9))))
    with pytest.raises(ValueError, match=r"another protocol(.|\n)*noise=0\.9(.|\n)*noise=0\.1"):
        append(path, row())


def test_two_studies_do_not_write_one_table(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    with appending(path, TINY, Row), pytest.raises(BlockingIOError, match="being written by another process"):
        append(path, row())


def test_the_study_does_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    append(path, row(RUNS[1]))
    with (tmp_path / "terminal").open("w+") as terminal:
        study(RUNS, TINY, path, Row, carry_out, jobs=2, console=Console(file=terminal, width=200))
        terminal.seek(0)
        assert re.search(r"2 of 2 runs, last cross-entropy, 2 filters, kernel 3, seed [02] ━+ 0:00:\d\d 0:00:00",
                         terminal.read())  # fmt: skip
    rows = read(path, Row)
    assert rows[0].run == RUNS[1]
    assert sorted(r.run for r in rows) == RUNS
    before = path.read_bytes()
    study(RUNS, TINY, path, Row, carry_out, jobs=2, console=Console(quiet=True))
    assert path.read_bytes() == before


def test_an_error_in_a_run_is_not_swallowed(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no loss"):
        study(
            [Run("no loss", 2, 3, 0)],
            TINY,
            tmp_path / "results.csv",
            Row,
            carry_out,
            jobs=1,
            console=Console(quiet=True),
        )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whatever_stops_it_the_rows_stay_and_no_process_is_left(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "results.csv"
    program = tmp_path / "program.py"
    program.write_text(ENDLESS)
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, program, path], cwd=root, env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    workers = [int(pid) for pid in process.stdout.readline().split()]
    assert len(workers) == 2
    process.send_signal(how)
    process.communicate(timeout=30)
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, workers))
    assert [r.run for r in read(path, Row)] == RUNS[:1]


ENDLESS = '''
"""A study of one row and then of runs that never end; prints the processes that carry them out."""
import dataclasses, multiprocessing, sys, threading, time
from pathlib import Path
from rich.console import Console
from study import results
from study.run import study
from study.training import carry_out
from tests.study.test_results import RUNS, TINY, append, row

def tell():
    while len(multiprocessing.active_children()) < 2:
        time.sleep(0.1)
    time.sleep(5)  # until they are at work
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    path = Path(sys.argv[1])
    endless = dataclasses.replace(TINY, epochs=10**9, patience=10**9)
    with results.appending(path, endless, results.Row) as (_, write):
        write(row(RUNS[0], protocol=str(endless)))
    threading.Thread(target=tell, daemon=True).start()
    study(RUNS, endless, path, results.Row, carry_out, jobs=2, console=Console(quiet=True))
'''


def alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_the_plan() -> None:
    source, further = source_runs(), further_runs()
    assert len(set(source)) == len(source) == 120
    assert len(set(further)) == len(further) == 320
    assert not set(source) & set(further)
    assert {run.seed for run in source[:24]} == {0}
    assert {(run.filters, run.kernel) for run in source[:24]} == {(f, k) for f in FILTERS for k in KERNELS}
    assert {run.seed for run in source} == set(SEEDS)
