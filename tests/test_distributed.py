"""The table of what each loss can do in parts is what they do."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_the_table_is_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_distributed.py"))["table"]()
    assert made in (DOCS / "distributed.md").read_text(encoding="utf-8"), "run docs/make_distributed.py"
