"""Worker processes: requests in, lines out, several at once, none of which outlives its use or its time."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

Request = dict[str, Any]
Line = dict[str, Any]

START_UP = 120.0
"""Seconds that a process may take at least, where there is a time limit, to import what it needs."""
ENDINGS = 3
"""So many processes may crash, or be ended for their time, before what is left of a request is given up."""
LAST_WORDS = 4000
"""So many bytes of what a process wrote last are kept."""


class Workers:
    """Runs requests, `processes` at a time, in `with`: what still runs at the end of the block is killed.

    `time_limit` is in seconds for each result; None waits for ever. What JAX compiles for one of them is there for the
    others: calls that are not traced compile every operation anew for each shape.
    """

    def __init__(self, processes: int, time_limit: float | None = None) -> None:
        self.processes = processes
        self.time_limit = time_limit
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def __enter__(self) -> Workers:
        self._compiled = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for worker in running:
            _kill(worker)
        for worker in running:
            worker.wait()
        self._compiled.cleanup()

    def __call__(self, requests: list[Request]) -> Iterator[tuple[Request, Line]]:
        """The lines of each request as they come, each with its request.

        A job at which a process ends, or is ended since it took too long, has an error; the jobs after it go to another
        process.
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
        # A process answers target by target.
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
            if not ended.began:  # no job is to blame, and another process would do the same
                yield from ({"job": number, "error": ended.reason} for number in left)
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
        try:
            with self._deadline(worker, ended), contextlib.suppress(BrokenPipeError), worker.stdin:
                json.dump(request, worker.stdin)  # if nobody reads it any more, the exit status says why
            while True:
                with self._deadline(worker, ended):
                    text = worker.stdout.readline()
                try:
                    line = json.loads(text)
                except (
                    ValueError
                ):  # nothing, half a line of a process that was killed, or what it cannot have meant
                    break
                ended.began = True
                yield line
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
    def _deadline(self, worker: subprocess.Popen[str], ended: _Ended) -> Iterator[None]:
        if self.time_limit is None:
            yield
            return
        limit = self.time_limit if ended.began else max(START_UP, self.time_limit)

        def end() -> None:
            ended.after = limit
            _kill(worker)

        timer = threading.Timer(min(limit, threading.TIMEOUT_MAX), end)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _start(self, request: Request, threads: int) -> subprocess.Popen[str] | None:
        counts = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        environment = {
            "JAX_COMPILATION_CACHE_DIR": self._compiled.name,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
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
        self.began = False
        """Whether it has answered anything, which it does once it has imported what it needs."""
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
            what = "it took longer than {} s" if self.began else "the process took longer than {} s to start"
            return f"{what.format(f'{self.after:g}')} and was ended (--time-limit)"
        words = self.written.decode(errors="replace").split()
        last_words = " ".join([word for word in words if set(word) - set("^~")][-60:])
        if self.status is not None and self.status < 0:
            how = f"was killed by signal {-self.status} ({signal.strsignal(-self.status)})"
        else:
            how = f"ended with exit status {self.status}"
        when = "in this comparison" if self.began else "before any comparison"
        return f"the process {how} {when}: {last_words or 'it wrote nothing'}"


def _kill(worker: subprocess.Popen[str]) -> None:
    """End a worker and what it has started; what has ended already is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(worker.pid, signal.SIGKILL)
        else:
            worker.kill()
