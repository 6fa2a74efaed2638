"""Writes the table of losses in the README, from their classes and records.

    python docs/make_losses.py

A new loss needs no line here.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from itertools import takewhile
from pathlib import Path

from seglosses_conformance.losses import ENTRIES
from seglosses_core import LOSSES, Loss
from seglosses_core.region import RatioLoss

README = Path(__file__).parents[1] / "README.md"
HEAD = "| class | in short | from | file in `seglosses_core/` |\n|---|---|---|---|\n"
SHARED = {field.name for field in fields(RatioLoss)}


def summary(kind: type[Loss]) -> str:
    """The first paragraph of the docstring, and the formulas that are set apart behind it."""
    first, *others = inspect.cleandoc(kind.__doc__ or "").split("\n\n")
    apart = takewhile(lambda paragraph: paragraph.startswith("    "), others)
    lines = [line.strip() for paragraph in apart for line in paragraph.splitlines()]
    formulas = [re.sub("^(.*?)( {2,}|$)", r"`\1` ", line).strip() for line in lines]
    return " ".join([*first.split(), *([", ".join(formulas)] if formulas else [])])


def row(kind: type[Loss]) -> str:
    own = [field.name for field in fields(kind) if field.name not in SHARED]  # type: ignore[arg-type]
    file = kind.__module__.partition(".")[2].replace(".", "/")
    cells = (
        f"`{kind.__name__}({', '.join(own)})`",
        summary(kind),
        ENTRIES[kind.__name__].source,
        f"`{file}.py`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def readme() -> str:
    """The text of the README with the table as it has to be."""
    table = HEAD + "".join(map(row, LOSSES))
    before, head, after = README.read_text(encoding="utf-8").partition(HEAD)
    assert head, f"{README.name} has no table of losses with the head {HEAD}"
    return before + table + re.sub(r"\A(\|.*\n)*", "", after)


if __name__ == "__main__":
    README.write_text(readme(), encoding="utf-8")
