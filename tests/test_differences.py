"""The page beside other libraries, as far as it can be checked without them: its text, and every call of ours."""

import runpy
import sys
from pathlib import Path

import pytest

import seglosses_torch

DOCS = Path(__file__).parents[1] / "docs"
sys.path.append(str(DOCS))
from differences import LIBRARIES  # noqa: E402
from differences.row import Row, differs  # noqa: E402

MADE = runpy.run_path(str(DOCS / "make_differences.py"))
OURS = vars(seglosses_torch)
ROWS = [row for _, rows in LIBRARIES.values() for row in rows]
PAGE = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in (DOCS / "differences.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
VALUES = {here: value for _, here, _, value, _, _ in PAGE}


def test_the_page_has_the_rows_of_the_script() -> None:
    made = [[f"`{row.theirs}`", f"`{row.ours}`", row.note] for row in ROWS]
    assert [[there, here, note] for there, here, _, _, _, note in PAGE] == made, (
        "the page is out of date: CONTRIBUTING.md says how it is made"
    )


@pytest.mark.parametrize("call", sorted({row.ours for row in ROWS}))
def test_every_call_of_ours_has_the_value_of_the_page_and_a_gradient(call: str) -> None:
    value, gradient = MADE["run"](call, OURS)
    assert float(value) == pytest.approx(float(VALUES[f"`{call}`"]), rel=1e-5)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    ("theirs", "agrees"), [("DiceLoss()(logits, labels)", False), ("JaccardLoss()(logits, labels)", True)]
)
def test_a_row_that_the_numbers_contradict_is_an_error(theirs: str, agrees: bool) -> None:
    row = Row(theirs, "DiceLoss()(logits, labels)", agrees=agrees)
    with pytest.raises(SystemExit, match="are said to"):
        MADE["measured"](row, OURS)


def test_an_error_is_an_answer_only_where_the_row_says_so() -> None:
    call = "DiceLoss(smoothing=1.0)(logits, labels)"
    with pytest.raises(TypeError, match="smoothing"):
        MADE["measured"](differs(call, "DiceLoss()(logits, labels)", ""), OURS)
    assert "`TypeError`" in MADE["measured"](differs(call, "DiceLoss()(logits, labels)", "", TypeError), OURS)
