"""Programs in processes of their own, for Keras has one backend per process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_in_keras(program: str, backend: str) -> None:
    """Run it to its end; what lies beside this file can be imported there."""
    folder = str(Path(__file__).parent)
    program = f"import sys; sys.path.insert(0, {folder!r})\n{program}"
    environment = {**os.environ, "KERAS_BACKEND": backend}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
