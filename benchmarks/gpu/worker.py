"""A process for each framework, which measures one row after the other, and can be ended when one of them hangs."""

from __future__ import annotations

import importlib
import math
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.cases import Case
from benchmarks.gpu.plan import Job
from benchmarks.results import quartiles
from benchmarks.run import TOLERANCE, difference

PLACES = 1000
"""Where gradients are compared."""
REPEATS = 5, 200
"""At least, at most."""


class Failed(Exception):
    """Why a question has no answer."""


def places(case: Case) -> np.ndarray:
    return np.random.default_rng(1).integers(math.prod(case.shape), size=PLACES)


class Desk:
    """What a process can be asked."""

    def __init__(self, framework: str, device: str) -> None:
        self.device = device
        self.module: Any = importlib.import_module(f"benchmarks.gpu.on_{framework}")

    def about(self) -> dict[str, Any]:
        found = machine.describe(self.device)
        named = {name: found[name] for name in ("copy_gb_per_s", "versions", "date")}
        return {"device": self.module.device_name(self.device), **named}

    def reference(self, case: Case, loss: str) -> dict[str, Any]:
        value, gradient = self.module.reference(case, loss, self.device, places(case))
        return {"value": value, "gradient": gradient}

    def compile(self, job: Job) -> None:
        self.module.compile_only(job, self.device)

    def measure(self, job: Job, reference: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The numbers of a row. Failed if the value or the gradient is not ours."""
        call = self.module.Call(job, self.device)
        value, gradient = call.sample(places(job.case))
        found = difference({"value": value, "gradient": gradient}, reference)
        if not found <= TOLERANCE[job.case.dtype]:
            raise Failed(
                f"another number: {value:.6g}, ours is {reference['value']:.6g}; they differ by {found:.2g}"
            )
        # The first calls of a form take longer.
        pace = min(call.seconds_until_done() for _ in range(20))
        least, most = REPEATS
        repeats = max(least, min(most, math.ceil(seconds / pace)))
        low, median, high = (1e3 * x for x in quartiles(call.times(repeats)))
        return {
            "difference": found, "repeats": repeats, "ms_low": low, "ms": median, "ms_high": high,
            "cpu_ms": 1e3 * _until_it_returns(call, max(least, repeats // 4)),
            "memory": call.peak() / job.case.logits_bytes, "bytes_moved": call.bytes_moved,
        }  # fmt: skip


def _until_it_returns(call: Any, repeats: int) -> float:
    """The median of the seconds that Python is held up for, with no other work on the device."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call.evaluate()
        times.append(time.perf_counter() - start)
        call.wait(result)
    return quartiles(times).median


def serve(connection: Connection, framework: str, device: str) -> None:
    desk = Desk(framework, device)
    while True:
        try:
            question, *given = connection.recv()
        except EOFError:
            return
        answer: Any
        try:
            answer = getattr(desk, question)(*given)
        except Exception as error:  # whatever a library or a compiler raises is a row
            kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
            answer = Failed(kind + " ".join(str(error).split())[:200])
        try:
            desk.module.release()
        except Exception:  # the device is lost to this process
            connection.send((answer, False))
            raise
        connection.send((answer, True))


class Worker:
    """The other end of such a process, which is started when it is first asked, and again when it has ended."""

    def __init__(self, framework: str, device: str, *, kernels: bool = True) -> None:
        self.arguments = framework, device
        self.kernels = kernels
        self.process: Any = None

    def start(self) -> None:
        os.environ |= {
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # JAX would take three quarters of the device for itself
            "JAX_COMPILATION_CACHE_DIR": str(Path(tempfile.gettempdir()) / "seglosses-jax-cache"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "SEGLOSSES_KERNELS": "on" if self.kernels else "off",
        }
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, *self.arguments))
        self.process.start()
        theirs.close()

    def ask(self, question: str, *given: Any, timeout: float) -> Any:
        if self.process is None:
            self.start()
        try:
            self.connection.send((question, *given))
            if not self.connection.poll(timeout):
                raise Failed(f"no answer in {timeout:.0f} s")
            answer, goes_on = self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join()
            code = self.process.exitcode
            self.end()
            raise Failed(f"the process ended with status {code}") from error
        except Failed:
            self.end()
            raise
        if not goes_on:
            self.end()
        if isinstance(answer, Failed):
            raise answer
        return answer

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None
