"""What a row of `differences.md` says by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Two calls, as the page shows them; `agrees` and `note` are by hand and hold or fail with what is measured.

    `raises`: the errors that are an answer of theirs.
    """

    theirs: str
    ours: str
    note: str = ""
    agrees: bool = True
    raises: tuple[type[Exception], ...] = ()


def differs(theirs: str, ours: str, note: str, *raises: type[Exception]) -> Row:
    return Row(theirs, ours, note, agrees=False, raises=raises)
