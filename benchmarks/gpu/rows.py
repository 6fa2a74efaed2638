"""The table of one run: a row for each job, written as soon as it is there."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.competitors import OURS
from benchmarks.gpu.plan import Job


@dataclass
class Row:
    """Times are milliseconds of one evaluation of value and gradient; memory is the peak beyond logits and gradient, in
    tensors of the logits' size."""

    framework: str
    mode: str
    case: str
    shape: str
    dtype: str
    loss: str
    library: str
    note: str = ""
    """Why there are no numbers."""
    repeats: int | None = None
    ms_low: float | None = None
    """The lower quartile; `ms` is the median."""
    ms: float | None = None
    ms_high: float | None = None
    over_limit: float | None = None
    """The median over the time that reading logits and target twice and writing a gradient takes."""
    cpu_ms: float | None = None
    """Until a call returns, with nothing before it to wait for."""
    memory: float | None = None
    difference: float | None = None
    """The largest relative difference of value and gradient to ours, computed in float64."""
    device: str = ""
    copy_gb_per_s: float | None = None
    versions: str = ""
    date: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.framework, self.mode, self.case, self.dtype, self.loss, self.library

    @property
    def is_ours(self) -> bool:
        return self.library == OURS


def row_of(job: Job, **measured: Any) -> Row:
    shape = "×".join(map(str, job.case.shape))
    return Row(
        job.framework, job.mode, job.case.name, shape, job.case.dtype, job.loss, job.library, **measured
    )


_FIELDS = {field.name: str(field.type) for field in dataclasses.fields(Row)}


def start(path: Path) -> None:
    """An empty table, in place of the one that is there: a table is of one run."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerow(_FIELDS)


def append(path: Path, rows: Iterable[Row]) -> None:
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in rows:
            writer.writerow(_text(getattr(row, name)) for name in _FIELDS)


def read(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(**{name: _value(name, text) for name, text in row.items()}) for row in csv.DictReader(file)
        ]


def _text(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else value


def _value(name: str, text: str) -> Any:
    if _FIELDS[name] == "str":
        return text
    return None if text == "" else (int(text) if "int" in _FIELDS[name] else float(text))
