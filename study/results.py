"""Tables of results: one row for each run, appended when the run ends.

A row is a dataclass whose `run` distinguishes it from the others and whose `protocol` they share.
"""

from __future__ import annotations

import csv
import dataclasses
import fcntl
import io
import os
import platform
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar

from study.protocol import Common, Run

IOU = ("iou_background", *(f"iou_{digit}" for digit in range(10)))
PACKAGES = ("seglosses", "torch", "numpy", "scipy", "scikit-learn")


class AnyRow(Protocol):
    @property
    def run(self) -> Any: ...

    @property
    def protocol(self) -> str: ...


R = TypeVar("R", bound=AnyRow)
"""A dataclass of rows."""
P = TypeVar("P", bound=Common)
"""A dataclass of protocols."""


@dataclass(frozen=True)
class Row:
    loss: str
    filters: int
    kernel: int
    seed: int
    iou_background: float
    """On all pixels of the test scenes, as for the digits; NaN for a class that is neither there nor predicted."""
    iou_0: float
    iou_1: float
    iou_2: float
    iou_3: float
    iou_4: float
    iou_5: float
    iou_6: float
    iou_7: float
    iou_8: float
    iou_9: float
    iou_by_scene: float
    """The mean over scenes and classes, a class that is neither there nor predicted counting 1."""
    epochs: int
    best_epoch: int
    """The one whose weights are tested; 0, the initial ones, if no validation loss was finite."""
    validation_loss: float
    pretraining_epochs: int | None
    """With another loss, where this one fine-tunes."""
    p: float | None
    """The power of a power loss; where it is learnt, that of the best epoch."""
    weights: int
    """How many the network has."""
    seconds: float
    """Of processor time, which runs side by side do not lengthen; on a GPU the work of the process that feeds it."""
    device: str
    versions: str
    date: str
    protocol: str

    @property
    def run(self) -> Run:
        return Run(self.loss, self.filters, self.kernel, self.seed)

    @property
    def iou(self) -> list[float]:
        """Of the background and the ten digits."""
        return [getattr(self, name) for name in IOU]


def protocol_of(rows: Sequence[AnyRow], planned: P) -> P:
    """That of the runs, which all have the same; the planned one if there are none."""
    if not rows:
        return planned
    given = dict(setting.split("=", 1) for setting in rows[0].protocol.split("; "))
    return type(planned)(**{name: type(getattr(planned, name))(text) for name, text in given.items()})


def _fields(kind: Any) -> dict[str, str]:
    """The columns and their types."""
    return {field.name: str(field.type) for field in dataclasses.fields(kind)}


def versions() -> str:
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{package} {version(package)}" for package in PACKAGES)]
    )


def read(path: Path, kind: type[R]) -> list[R]:
    """The rows of a file, none if there is no file. Half a row at its end is dropped with a warning."""
    return _parse(path, path.read_text(encoding="utf-8"), kind) if path.exists() else []


@contextmanager
def appending(path: Path, protocol: object, kind: type[R]) -> Iterator[tuple[list[R], Callable[[R], None]]]:
    """The rows that are there, and what appends another one, on disk when it returns.

    Nobody else can append meanwhile. Raises ValueError if the rows that are there have other columns or are of another
    protocol, BlockingIOError if somebody else is appending.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", newline="", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"{path} is being written by another process; wait for it or stop it"
            ) from error
        file.seek(0)
        content = file.read()
        rows = _parse(path, content, kind)
        for row in rows:
            if row.protocol != str(protocol):
                raise ValueError(
                    f"{path} has runs of another protocol; continue with the same, or name another file.\n"
                    f"there: {row.protocol}\nnow:   {protocol}"
                )
        file.truncate(len(_whole_lines(content).encode()))
        writer = csv.writer(file, lineterminator="\n")
        if not _whole_lines(content):
            writer.writerow(_fields(kind))

        def append(row: R) -> None:
            writer.writerow(_text(getattr(row, name)) for name in _fields(kind))
            file.flush()
            os.fsync(file.fileno())

        yield rows, append


def _whole_lines(content: str) -> str:
    """A row that was written to its end has a newline there, and none within."""
    return content[: content.rfind("\n") + 1]


def _parse(path: Path, content: str, kind: type[R]) -> list[R]:
    whole, fields = _whole_lines(content), _fields(kind)
    if whole != content:
        warnings.warn(f"{path} ends in half a row, which is dropped: {content[len(whole) :]!r}", stacklevel=3)
    reader = csv.DictReader(io.StringIO(whole))
    if whole and list(reader.fieldnames or ()) != list(fields):
        raise ValueError(
            f"{path} has other columns than this version writes; move it away.\n"
            f"there: {', '.join(reader.fieldnames or ())}\nnow:   {', '.join(fields)}"
        )
    return [kind(**{name: _value(fields[name], text) for name, text in line.items()}) for line in reader]


def _value(kind: str, text: str) -> Any:
    if kind == "str":
        return text
    if text == "" and "None" in kind:
        return None
    return int(text) if "int" in kind else float(text)


def _text(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else value
