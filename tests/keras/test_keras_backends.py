"""Keras has one backend per process: the tests in `suite` run once on each, every time in a process of its own.

To work on one of them: `python -m pytest tests/keras/suite/every_backend --backend jax`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parent / "suite"


@pytest.mark.parametrize(
    ("backend", "tests"),
    [
        ("tensorflow", "every_backend"),
        ("jax", "every_backend"),
        ("torch", "every_backend"),
        ("tensorflow", "tensorflow"),
        ("jax", "jax"),
    ],
)
@pytest.mark.parametrize("cases", ["a sample", pytest.param("all", marks=pytest.mark.slow)])
def test_backend(backend, tests, cases, tmp_path):
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}  # TensorFlow tells its CPU's instruction sets at each start
    command = [sys.executable, "-m", "pytest", str(SUITE / tests), "--backend", backend]
    command += ["--quiet", "--tb=short", "--color=no", "-p", "no:cacheprovider", f"--basetemp={tmp_path}"]
    command += ["-m", ""] if cases == "all" else []
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment | quiet, check=False)
    summary = run.stdout.rstrip().rpartition("\n")[2]
    if run.returncode or not re.fullmatch(r"\d+ passed(, \d+ (skipped|deselected))* in .*", summary):
        pytest.fail(f"{tests} on {backend}:\n{run.stdout}\n{run.stderr[-5000:]}", pytrace=False)
