"""What the suite knows of each loss: one file for a loss, or for a few of one source. A new file is found by itself.

A file holds an `ENTRY`, or several in a list `ENTRIES`. See `entries.py` for what an entry is.
"""

import importlib
import pkgutil
from types import ModuleType

from ..entries import Entry


def entries_of(file: ModuleType) -> list[Entry]:
    """The entries of one file."""
    return file.ENTRIES if hasattr(file, "ENTRIES") else [file.ENTRY]


ENTRIES: dict[str, Entry] = {
    entry.loss: entry
    for file in pkgutil.iter_modules(__path__)
    for entry in entries_of(importlib.import_module(f"{__name__}.{file.name}"))
}
"""Every entry, by the name of its loss."""
