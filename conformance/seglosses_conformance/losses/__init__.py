"""What the suite knows of each loss: one file for a loss, or for a few of one source. A new file is found by itself.

A file holds an `ENTRY`, or several in a list `ENTRIES`. See `entries.py` for what an entry is.
"""

import importlib
import pkgutil
from collections.abc import Iterator

from ..entries import Entry


def _entries() -> Iterator[Entry]:
    for file in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{file.name}")
        yield from module.ENTRIES if hasattr(module, "ENTRIES") else [module.ENTRY]


ENTRIES: dict[str, Entry] = {entry.loss: entry for entry in _entries()}
"""Every entry, by the name of its loss."""
