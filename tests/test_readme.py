"""The README's Python examples run as they stand, each in a process of its own, and what it links to is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_a_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).is_file()
