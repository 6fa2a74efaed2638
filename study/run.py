"""Carries out the runs that are not in the table yet, some side by side."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from study.protocol import Run
from study.results import R, appending

Work = Callable[[Run, Any, str, Path | None], R]
"""What makes a row of a run, its protocol, a device and the folder of MNIST: a function of a module."""


def study(
    runs: Iterable[Run],
    protocol: object,
    path: Path,
    kind: type[R],
    work: Work[R],
    *,
    jobs: int,
    device: str = "cpu",
    mnist: Path | None = None,
    console: Console | None = None,
) -> None:
    """Append a row of this kind to `path` for each of `runs` that has none there, in their order.

    Whatever stops it, the rows that are there stay, and it goes on from them.
    """
    with appending(path, protocol, kind) as (rows, append):
        there = {row.run for row in rows}
        missing = [run for run in runs if run not in there]
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        # A run takes minutes, and the time left is estimated from those of the last day.
        with Progress(*columns, console=console, speed_estimate_period=24 * 60 * 60) as progress:
            task = progress.add_task(f"0 of {len(missing)} runs", total=sum(run.cost for run in missing))
            for count, row in enumerate(_side_by_side(missing, protocol, work, jobs, device, mnist), 1):
                append(row)
                progress.update(
                    task, advance=row.run.cost, description=f"{count} of {len(missing)} runs, last {row.run}"
                )


def _side_by_side(
    runs: list[Run], protocol: object, work: Work[R], jobs: int, device: str, mnist: Path | None
) -> Iterator[R]:
    """Rows as they come. If this process is stopped, by an error, by Ctrl-C or killed, the others end too."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_start_process) as pool:
        try:
            for done in as_completed([pool.submit(work, run, protocol, device, mnist) for run in runs]):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _start_process() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
