"""Compiles for PyTorch what is to be measured, on many cores at once: the measuring process then finds it in Inductor's
cache. Nothing is timed meanwhile."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Iterable

from benchmarks.gpu.plan import Job
from benchmarks.gpu.worker import Failed, Worker

SHARE = 0.25
"""Of the time limit, at most."""


def compile_ahead(jobs: Iterable[Job], device: str, limit: float) -> int:
    """The number of jobs that were compiled, the first first. What fails will fail again, and then be a row."""
    end = time.monotonic() + limit
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        if job.mode == "compile":
            waiting.put(job)
    processes = min(waiting.qsize(), max(1, (os.cpu_count() or 1) // 2))
    done: list[Job] = []

    def work() -> None:
        worker = Worker("torch", device)
        try:
            while (left := end - time.monotonic()) > 0:
                job = waiting.get_nowait()
                with contextlib.suppress(Failed):
                    worker.ask("compile", job, timeout=left)
                    done.append(job)
        except queue.Empty:
            return
        finally:
            worker.end()

    threads = [threading.Thread(target=work) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)
