"""docs/conformance.md: what it says of implementations of one's own runs as it stands."""

from __future__ import annotations

import doctest
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seglosses_conformance import calling, cli, runner
from seglosses_conformance.grades import CONVENTIONS, GRADES
from seglosses_conformance.options import make_parser

pytest.importorskip("torch")

pytest_plugins = ["pytester"]
PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Your own implementation")[2].partition("### Two implementations")[0]
MINE, CALL, TEST = re.findall(r"^```python\n(.*?)^```", SECTION, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(command)[3:]
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    for command in block.replace("\\\n", "").splitlines()
]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_is_one(command: list[str]) -> None:
    make_parser().parse_args(command)


class InThisProcess:
    """In place of worker processes, which take their time to start."""

    def __init__(self, *options: Any) -> None:
        pass

    def __enter__(self) -> runner.Work:
        return runner.in_this_process

    def __exit__(self, *error: Any) -> None:
        pass


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("command", [c for c in COMMANDS if "mine:dice" in c], ids=" ".join)
def test_a_command_does_what_the_page_says(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "Workers", InThisProcess)
    assert cli.main(command) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^  accurate +passes ", shown, re.MULTILINE)


@pytest.mark.usefixtures("mine")
def test_the_call_from_python() -> None:
    exec(CALL, {})


def test_the_example_of_the_call() -> None:
    failed, tried = doctest.testmod(calling)
    assert (failed, tried) == (0, 3)


@pytest.mark.usefixtures("mine")
def test_the_test(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["seglosses_conformance.pytest"]')
    pytester.makepyfile(mine=MINE, test_mine=TEST)
    found = pytester.runpytest("-q", "-rs", "-k", "labels or outside or sigmoid-extreme or smooth")
    found.assert_outcomes(passed=3, skipped=4)
    found.stdout.fnmatch_lines(
        ["*bad labels: RuntimeError: *", "*has no parameter 'activation', which is 'sigmoid'*"]
    )


def test_the_grades_are_those_that_there_are() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?)(?:; .*)? \|$", SECTION, flags=re.MULTILINE))
    assert rows == GRADES


def test_every_convention_has_a_sentence() -> None:
    assert all(convention.here and convention.name for convention in CONVENTIONS.values())
