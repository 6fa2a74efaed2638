"""Worker processes: requests in, lines out, several at once."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Request = dict[str, Any]
Line = dict[str, Any]


def run_all(requests: list[Request], processes: int) -> Iterator[tuple[Request, Line]]:
    """Run each request in a worker process, `processes` at a time, and yield the lines as they come.

    A worker that ends early yields an error for each job that it has not answered.
    """
    lines: queue.Queue[tuple[Request, Line] | None] = queue.Queue()
    threads = max(1, (os.cpu_count() or 1) // max(1, min(processes, len(requests))))

    def run(request: Request) -> None:
        try:
            for line in _run(request, threads):
                lines.put((request, line))
        finally:
            lines.put(None)

    with ThreadPoolExecutor(max_workers=processes) as pool:
        futures = [pool.submit(run, request) for request in requests]
        for _ in requests:
            while (item := lines.get()) is not None:
                yield item
        for future in futures:
            future.result()


def _run(request: Request, threads: int) -> Iterator[Line]:
    environment = {
        **os.environ,
        **dict.fromkeys(
            ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(threads)
        ),
        **request["environment"],
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
    }
    unanswered = set(range(len(request["jobs"])))
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        worker = subprocess.Popen(
            [sys.executable, "-m", "seglosses_conformance.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment,
            text=True,
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        with worker:
            try:
                with worker.stdin as stdin:
                    json.dump(request, stdin)
            except BrokenPipeError:
                pass  # it ended already, and its exit status says more
            for text in worker.stdout:
                line = json.loads(text)
                unanswered.discard(line.get("job"))
                yield line
        complaints.seek(0)
        last_words = " ".join(complaints.read().split()[-60:])
    reason = f"the process ended with exit status {worker.returncode} before this comparison: {last_words}"
    yield from ({"job": number, "error": reason} for number in sorted(unanswered))
