"""Runs the libraries of one loss side by side, each in a process of its own, and asks them in turn, in an order that
changes, so that all of them see the same machine."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case
from benchmarks.competitors import OURS
from benchmarks.neighbour import bursts
from benchmarks.results import Row, quartiles, ratios

ROOT = Path(__file__).parent.parent
NEIGHBOUR = "bursty neighbour"
SURROUNDINGS: dict[str, dict[str, str]] = {
    "default": {},
    "huge pages": {"THP_MEM_ALLOC_ENABLE": "1"},  # PyTorch then asks Linux for huge pages, nobody else does
    NEIGHBOUR: {},  # other processes at work now and then on every core: see `benchmarks.neighbour`
}
"""The environment variables of each."""
TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 2e-2}
"""By how much a value may differ from ours, relatively, and a gradient, relatively to its largest entry."""
ROUNDED = {"lovasz_softmax": 5e-3}
"""By loss, where others round more: their slopes of Lovász are differences of ratios near 1. On 1×4×512×512 in float32
kornia's gradient is 1e-2 off its own in float64, ours 1e-5."""
MEMORY_REPEATS = 3
SETTLE = 0.01
"""Seconds before each question, for the threads of the last library to fall asleep."""


@dataclass(frozen=True)
class Setting:
    """How a framework runs, and beside what."""

    framework: str
    mode: str
    surroundings: str = "default"
    device: str = "cpu"

    def __str__(self) -> str:
        return f"{self.framework} {self.mode}" + (
            f", {self.surroundings}" if self.surroundings != "default" else ""
        )


@dataclass(frozen=True)
class Effort:
    """When to stop: `rounds` rounds, or as many as fit into `seconds`, though never fewer than `least`."""

    rounds: int = 21
    least: int = 5
    seconds: float = 4.0


class Worker:
    """A process that evaluates one library; see `benchmarks.worker`. `folder` has our packages as they are there."""

    def __init__(
        self, setting: Setting, case: Case, loss: str, library: str, folder: Path = ROOT, name: str = ""
    ) -> None:
        self.library = name or library
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed with the worker
        arguments = (setting.framework, setting.mode, setting.device, library, case.name, loss)
        path = [str(folder / "adapters"), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", *arguments],
            cwd=folder, text=True,
            env=os.environ | SURROUNDINGS[setting.surroundings] | {"PYTHONPATH": os.pathsep.join(path)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self.about = self._answer()

    def ask(self, question: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "failed" in answer:
            raise RuntimeError(f"{self.library}: {answer['failed']}")
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._errors.seek(0)
        *_, last = ["no answer", *self._errors.read().split("\n")[:-1]]
        return {"failed": f"exit status {self._process.wait()}: {last}"}

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()


def difference(theirs: dict[str, Any], ours: dict[str, Any]) -> float:
    """The largest relative difference of value and gradient."""
    gradient, reference = np.asarray(theirs["gradient"]), np.asarray(ours["gradient"])
    of_gradient = np.max(np.abs(gradient - reference)) / np.max(np.abs(reference))
    return float(np.maximum(of_gradient, abs(theirs["value"] - ours["value"]) / abs(ours["value"])))


@contextlib.contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A folder with our packages as they were at a commit, and the benchmarks of today."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = subprocess.run(
            ["git", "archive", commit, "seglosses_core", "adapters"],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        )
        subprocess.run(["tar", "--extract"], cwd=folder, check=True, input=archive.stdout)
        (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
        yield folder


def measure(
    setting: Setting,
    case: Case,
    loss: str,
    libraries: Iterable[str],
    effort: Effort,
    earlier: Mapping[str, Path] | None = None,
) -> list[Row]:
    """A row for each library that has the loss, ours first, and for each `earlier` state of ours by its name.
    RuntimeError if ours fails, or any that had begun well."""
    starts = [(library, ROOT, library) for library in dict.fromkeys((OURS, *libraries))]
    starts += [(OURS, folder, name) for name, folder in (earlier or {}).items()]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as starters:
        workers = list(starters.map(lambda start: Worker(setting, case, loss, *start), starts))
    try:
        with bursts() if setting.surroundings == NEIGHBOUR else contextlib.nullcontext():
            return _measure(setting, case, loss, workers, effort)
    finally:
        for worker in workers:
            worker.close()


def _measure(setting: Setting, case: Case, loss: str, workers: Sequence[Worker], effort: Effort) -> list[Row]:
    rows, taking_part = [], []
    ours = workers[0].about
    if "value" not in ours:
        raise RuntimeError(f"{OURS}: {ours}")
    for worker in workers:
        about = worker.about
        if about.get("absent") == "":
            continue
        row = Row(
            setting.framework, setting.mode, setting.surroundings, case.name,
            "×".join(map(str, case.shape)), case.dtype, loss, worker.library,
            target=about.get("target", ""), threads=about.get("threads"), machine=about.get("device", ""),
        )  # fmt: skip
        rows.append(row)
        row.note = about.get("absent", "") or about.get("failed", "")
        if "value" in about:
            row.difference = difference(about, ours)
            if not row.difference <= ROUNDED.get(loss, TOLERANCE[case.dtype]):
                row.note = f"refused: another number, {about['value']:.6g} instead of {ours['value']:.6g}"
        if not row.note:
            taking_part.append((worker, row))

    for worker, row in taking_part:
        answers = [worker.ask("memory") for _ in range(MEMORY_REPEATS)]
        row.memory_low, row.memory, row.memory_high = quartiles(
            [a["bytes"] / case.logits_bytes for a in answers]
        )
        row.memory_measure = answers[0]["how"]
        row.repeats = worker.ask("pace")["repeats"]

    samples: list[list[float]] = [[] for _ in taking_part]
    order = list(range(len(taking_part)))
    shuffle = random.Random(0).shuffle
    start = time.monotonic()
    for done in range(effort.rounds):
        if done >= effort.least and time.monotonic() - start > effort.seconds:
            break
        shuffle(order)
        for i in order:
            time.sleep(SETTLE)
            worker, row = taking_part[i]
            samples[i].append(worker.ask(f"time {row.repeats}")["seconds"])
    for (_, row), times in zip(taking_part, samples, strict=True):
        row.rounds = len(times)
        row.seconds_low, row.seconds, row.seconds_high = quartiles(times)
        row.ratio_low, row.ratio, row.ratio_high = quartiles(ratios(times, samples[0]))
    return rows
