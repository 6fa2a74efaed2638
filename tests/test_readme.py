"""The README's Python examples run as they stand, each in a process of its own, and its table is that of the losses."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from seglosses_conformance.losses import ENTRIES
from seglosses_core import LOSSES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
# A block is named by the first of our packages that it imports.
NAMES = [re.search(r"seglosses_\w+", block)[0] for block in BLOCKS]


def test_one_example_per_framework() -> None:
    assert {"seglosses_core", "seglosses_torch", "seglosses_jax", "seglosses_keras"} <= set(NAMES)


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_block_runs(block: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_table_of_losses_is_current() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_losses.py"))["readme"]()
    assert made == README, "the README is out of date: run python docs/make_losses.py"


def test_every_loss_has_a_row_with_its_source_and_its_file() -> None:
    rows = {
        line.split("`")[1].partition("(")[0]: line for line in README.splitlines() if line.startswith("| `")
    }
    assert list(rows) == [kind.__name__ for kind in LOSSES]
    for name, line in rows.items():
        assert ENTRIES[name].source in line
        assert (ROOT / "seglosses_core" / line.split("`")[-2]).is_file()
