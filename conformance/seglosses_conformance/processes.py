"""Worker processes: requests in, lines out, several at once, none of which outlives its use or its time."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

Request = dict[str, Any]
Line = dict[str, Any]

START_UP = 120.0
"""Seconds that a process may take to import a framework, on top of the time limit of its first result."""
ENDINGS = 3
"""So many processes may crash, or be ended for their time, before what is left of a request is given up."""
LAST_WORDS = 4000
"""So many bytes of what a process wrote last are kept."""


class Workers:
    """Runs requests, `processes` at a time, in `with`: what still runs at the end of the block is killed.

    `time_limit` is in seconds for each result; None waits for ever.
    """

    def __init__(self, processes: int, time_limit: float | None = None) -> None:
        self.processes = processes
        self.time_limit = time_limit
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._stopped = True
            for worker in self._running:
                _kill(worker)

    def __call__(self, requests: list[Request]) -> Iterator[tuple[Request, Line]]:
        """The lines of each request as they come, each with its request.

        A job at which a worker ends, or is ended since it took too long, has an error; the jobs after it go to another
        worker.
        """
        lines: queue.Queue[tuple[Request, Line] | None] = queue.Queue()
        threads = max(1, (os.cpu_count() or 1) // max(1, min(self.processes, len(requests))))

        def run(request: Request) -> None:
            try:
                for line in self._run(request, threads):
                    lines.put((request, line))
            finally:
                lines.put(None)

        pool = ThreadPoolExecutor(max_workers=self.processes)
        try:
            futures = [pool.submit(run, request) for request in requests]
            for _ in requests:
                while (item := lines.get()) is not None:
                    yield item
            for future in futures:
                future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, request: Request, threads: int) -> Iterator[Line]:
        jobs = request["jobs"]
        # A worker answers target by target.
        left = [n for name in request["targets"] for n, job in enumerate(jobs) if job["target"] == name]
        for _ in range(ENDINGS):
            asked = list(left)
            ended = _Ended()
            for line in self._lines({**request, "jobs": [jobs[n] for n in asked]}, threads, ended):
                if "job" in line:
                    line["job"] = asked[line["job"]]
                    left.remove(line["job"])
                yield line
                if "usage" in line:
                    return
            if self._stopped or not left:
                return
            yield {"job": left.pop(0), "error": ended.reason}
        reason = f"not run after {ENDINGS} comparisons that ended their process: {ended.reason}"
        yield from ({"job": number, "error": reason} for number in left)

    def _lines(self, request: Request, threads: int, ended: _Ended) -> Iterator[Line]:
        """What one process answers; how it ended is written to `ended`."""
        worker = self._start(request, threads)
        if worker is None:
            return
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        listener = threading.Thread(target=ended.listen, args=(worker.stderr,), daemon=True)
        listener.start()
        extra = START_UP
        try:
            with self._deadline(worker, extra, ended), contextlib.suppress(BrokenPipeError), worker.stdin:
                json.dump(request, worker.stdin)  # if nobody reads it any more, the exit status says why
            while True:
                with self._deadline(worker, extra, ended):
                    text = worker.stdout.readline()
                if not text.endswith("\n"):  # nothing, or half a line of a process that was killed
                    break
                yield json.loads(text)
                extra = 0.0
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(timeout=5)  # it has nothing left to say, but may have files to close
            _kill(worker)
            ended.status = worker.wait()
            with self._lock:
                self._running.discard(worker)
            listener.join(timeout=5)
            worker.stdout.close()

    @contextlib.contextmanager
    def _deadline(self, worker: subprocess.Popen[str], extra: float, ended: _Ended) -> Iterator[None]:
        if self.time_limit is None:
            yield
            return

        def end() -> None:
            ended.after = limit
            _kill(worker)

        limit = min(self.time_limit + extra, threading.TIMEOUT_MAX)
        timer = threading.Timer(limit, end)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _start(self, request: Request, threads: int) -> subprocess.Popen[str] | None:
        counts = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        environment = {
            **os.environ,
            **dict.fromkeys(counts, str(threads)),
            **request["environment"],
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        }
        with self._lock:
            if self._stopped:
                return None
            worker = subprocess.Popen(
                [sys.executable, "-m", "seglosses_conformance.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # a group of its own: what it starts is killed with it
            )
            self._running.add(worker)
            return worker


class _Ended:
    """How a process ended, and what it wrote to its standard error last."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.after: float | None = None
        """The seconds after which it was ended, if it was."""
        self.written = b""

    def listen(self, stream: IO[str]) -> None:
        with stream:
            while some := os.read(stream.fileno(), 65536):
                self.written = (self.written + some)[-LAST_WORDS:]

    @property
    def reason(self) -> str:
        if self.after is not None:
            return f"it took longer than {self.after:g} s and was ended (--time-limit)"
        last_words = " ".join(self.written.decode(errors="replace").split()[-60:])
        if self.status is not None and self.status < 0:
            how = f"was killed by signal {-self.status} ({signal.strsignal(-self.status)})"
        else:
            how = f"ended with exit status {self.status}"
        return f"the process {how} in this comparison: {last_words or 'it wrote nothing'}"


def _kill(worker: subprocess.Popen[str]) -> None:
    """End a worker and what it has started; what has ended already is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(worker.pid, signal.SIGKILL)
        else:
            worker.kill()
