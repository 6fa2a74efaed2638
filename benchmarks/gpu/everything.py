"""All that a GPU is needed for, in one command: conformance, tensors beyond 2^31 entries, and the benchmark."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.gpu.page import ROOT

STEPS = {
    "conformance": ("-m", "seglosses_conformance", "--quick", "--device", "cuda"),
    "large tensors": ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/gpu"),
}
"""Before the benchmark, which takes what is left of the time."""
SHARES = {"conformance": 0.3, "large tensors": 0.15}
"""Of the time limit, at most."""
PATHS = (ROOT, ROOT / "adapters", ROOT / "conformance")


def run(limit: float, options: Sequence[str]) -> int:
    """The exit status: 0 if every step ended well. `options` are for the benchmark."""
    start = time.monotonic()
    outcomes = {}
    for name, arguments in STEPS.items():
        outcomes[name] = step(name, arguments, limit * SHARES[name])
    left = limit - (time.monotonic() - start)
    benchmark = ("-m", "benchmarks.gpu", *options, "--time-limit", f"{left:.0f}")
    outcomes["benchmark"] = step("benchmark", benchmark, left + 15)
    for name, outcome in outcomes.items():
        print(f"{name}: {outcome or 'passed'}")
    return 1 if any(outcomes.values()) else 0


def step(name: str, arguments: tuple[str, ...], limit: float) -> str:
    """Runs it with our packages on the path, installed or not; what went wrong, or nothing."""
    print(f"--- {name}, at most {limit:.0f} s", flush=True)
    path = [*map(str, PATHS), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
        start_new_session=True,
    )  # fmt: skip
    try:
        status = process.wait(limit)
    except subprocess.TimeoutExpired:
        _end(process)
        return f"not ended after {limit:.0f} s"
    except BaseException:
        _end(process)
        raise
    return f"exit status {status}" if status else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started; first in the way that lets it do so itself."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGINT)
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
