"""The table of results: one row for each library, loss and case, and the machine that it was measured on."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.competitors import OURS


class Quartiles(NamedTuple):
    low: float
    median: float
    high: float


def quartiles(samples: Sequence[float]) -> Quartiles:
    return Quartiles(*map(float, np.quantile(samples, (0.25, 0.5, 0.75))))


def ratios(theirs: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Time by time, round by round: what slows a round slows both."""
    return [a / b for a, b in zip(theirs, ours, strict=True)]


@dataclass
class Row:
    """Times are seconds of one evaluation of value and gradient; a ratio is the library's time over ours in the same
    round, above 1 where ours is faster; memory is the peak beyond logits and gradient, in tensors of the logits' size.
    """

    framework: str
    mode: str
    surroundings: str
    case: str
    shape: str
    dtype: str
    loss: str
    library: str
    note: str = ""
    """Why there are no numbers."""
    target: str = ""
    rounds: int | None = None
    repeats: int | None = None
    seconds_low: float | None = None
    seconds: float | None = None
    seconds_high: float | None = None
    ratio_low: float | None = None
    ratio: float | None = None
    ratio_high: float | None = None
    memory_low: float | None = None
    memory: float | None = None
    memory_high: float | None = None
    memory_measure: str = ""
    difference: float | None = None
    """The largest relative difference to our value or gradient."""
    device: str = ""
    machine: str = ""
    cores: int | None = None
    threads: int | None = None
    memory_gib: float | None = None
    copy_gb_per_s: float | None = None
    """Bytes read and written by a copy of a large array, over its time."""
    malloc: str = ""
    versions: str = ""
    date: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Two rows of the same key are the same measurement."""
        return self.machine, self.framework, self.mode, self.surroundings, self.case, self.loss, self.library

    def of_loss(self, loss: str) -> Row:
        return dataclasses.replace(self, loss=loss)

    def of_library(self, library: str) -> Row:
        return dataclasses.replace(self, library=library)

    @property
    def times(self) -> Quartiles | None:
        return _together(self.seconds_low, self.seconds, self.seconds_high)

    @property
    def ratios(self) -> Quartiles | None:
        return _together(self.ratio_low, self.ratio, self.ratio_high)

    @property
    def memories(self) -> Quartiles | None:
        return _together(self.memory_low, self.memory, self.memory_high)

    def complete(self, around: Mapping[str, Any]) -> None:
        """Fills in what is the same in a whole run, where the row does not know better."""
        for name, value in around.items():
            if not getattr(self, name):
                setattr(self, name, value)


def _together(low: float | None, median: float | None, high: float | None) -> Quartiles | None:
    return None if low is None or median is None or high is None else Quartiles(low, median, high)


def ours_in(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.library == OURS]


_FIELDS = {field.name: str(field.type) for field in dataclasses.fields(Row)}


def _parse(name: str, text: str) -> Any:
    if _FIELDS[name] == "str":
        return text
    return None if text == "" else (int(text) if "int" in _FIELDS[name] else float(text))


def read(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(**{name: _parse(name, text) for name, text in row.items()}) for row in csv.DictReader(file)
        ]


def write(path: Path, rows: Iterable[Row]) -> None:
    """Rows that are there already give way to new ones of the same key, the others stay."""
    found = {row.key: row for row in read(path)} | {row.key: row for row in rows}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_FIELDS)
        for row in found.values():
            writer.writerow(_text(getattr(row, name)) for name in _FIELDS)


def _text(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else value
