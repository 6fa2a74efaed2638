"""Compiles what is to be measured, on many cores at once: the measuring process then finds it in a cache. Nothing is
timed meanwhile."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Iterable

from benchmarks.competitors import OURS
from benchmarks.gpu.plan import MODES, Job
from benchmarks.gpu.worker import Failed, Worker

SHARE = 0.3
"""Of the time limit, at most."""


def is_compiled(job: Job) -> bool:
    """Whether there is anything to compile: a program, or kernels, which exacta has too."""
    return job.mode != "eager" or job.library in (OURS, "exacta")


def compile_ahead(jobs: Iterable[Job], device: str, limit: float) -> int:
    """The number of jobs that were compiled, the first first. What fails will fail again, and then be a row."""
    end = time.monotonic() + limit
    waiting: dict[str, queue.SimpleQueue[Job]] = {framework: queue.SimpleQueue() for framework in MODES}
    for job in filter(is_compiled, jobs):
        waiting[job.framework].put(job)
    done: list[Job] = []

    def work(framework: str) -> None:
        worker = Worker(framework, device)
        try:
            while (left := end - time.monotonic()) > 0:
                job = waiting[framework].get_nowait()
                with contextlib.suppress(Failed):
                    worker.ask("compile", job, timeout=left)
                    done.append(job)
        except queue.Empty:
            return
        finally:
            worker.end()

    processes = max(1, (os.cpu_count() or 1) - 2)
    total = sum(of_framework.qsize() for of_framework in waiting.values())
    threads = [
        threading.Thread(target=work, args=(framework,))
        for framework, of_framework in waiting.items()
        for _ in range(-(-processes * of_framework.qsize() // max(total, 1)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)
