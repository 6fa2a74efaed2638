"""The command line from outside: exit statuses, files, somebody's own losses. Only NumPy is started."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import seglosses_conformance
from seglosses_conformance import report, targets
from seglosses_conformance.agreement import Agreement
from seglosses_conformance.cli import exit_status, main
from seglosses_conformance.records import Record

SCHEMA = json.loads((Path(seglosses_conformance.__file__).parent / "report.schema.json").read_text())
NUMPY = ["--targets", "numpy", "--dtypes", "float64"]
ONE = ["--case", "dice/labels"]

OWN = """
import os
import numpy as np
import seglosses_core

def dice(logits, target, smooth=1e-5):
    return seglosses_core.DiceLoss(smooth=smooth).value_and_grad(logits, target)

def parting(logits, target, smooth=1e-5):
    value, gradient = dice(logits, target, smooth)
    gradient = gradient.copy()
    gradient[1, 2, 0, 1] += 0.5
    return value, gradient

def ending(logits, target):
    os._exit(7)

class Dice:
    def __init__(self, reduction="mean"):
        self.loss = seglosses_core.DiceLoss(reduction=reduction)

    def __call__(self, logits, target, mask=None):
        return self.loss.value_and_grad(logits, target, mask=mask)

number = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "own_losses.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return ["--framework", "numpy", "--losses", "DiceLoss", "--dtypes", "float64"]


def a_record(**changes: Any) -> Record:
    record = Record("DiceLoss", "dice/labels", None, "numpy", "float32", 1, "cpu", "pass")
    return dataclasses.replace(record, **changes)


def a_report(*records: Record, agreements: tuple[Agreement, ...] = ()) -> report.Report:
    return report.Report(report.describe_run([], {}, 0.0, 1.0), list(records), list(agreements))


def test_conforming_is_status_0_and_the_json_is_as_its_schema_says(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert main([*NUMPY, *ONE, "--json", str(path)]) == 0
    content = json.loads(path.read_text())
    jsonschema.validate(content, SCHEMA)
    expected = {
        "loss": "DiceLoss",
        "case": "dice/labels",
        "target": "numpy",
        "dtype": "float64",
        "outcome": "pass",
    }
    assert {record["class_axis"] for record in content["records"] if record["check"] is None} == {1, -1}
    for record in content["records"]:
        assert expected.items() <= record.items()
        assert record["value_error"] <= record["value_tolerance"]
        assert record["gradient_error"] <= record["gradient_tolerance"]
    assert content["run"]["versions"]["numpy"]


def test_the_command_of_a_record_reproduces_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    main([*NUMPY, *ONE, "--class-axis=-1", "--json", str(first)])
    record = json.loads(first.read_text())["records"][0]
    words = record["command"].split()
    assert words[:3] == ["python", "-m", "seglosses_conformance"]
    main([*words[3:], "--json", str(second)])
    assert record in json.loads(second.read_text())["records"]


@pytest.mark.parametrize(
    ("record", "asked_for", "status"),
    [
        (a_record(), True, 0),
        (a_record(outcome="fail"), False, 1),
        (a_record(outcome="unsupported"), False, 1),
        (a_record(outcome="absent"), False, 1),
    ],
)
def test_exit_status(record: Record, asked_for: bool, status: int) -> None:
    assert exit_status(a_report(record), asked_for=asked_for) == status


@pytest.mark.parametrize(("asked_for", "status"), [(False, 0), (True, 1)])
def test_an_absent_target_matters_if_it_was_asked_for(asked_for: bool, status: int) -> None:
    assert exit_status(a_report(a_record(), a_record(outcome="absent")), asked_for=asked_for) == status


def test_an_absent_target_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = dataclasses.replace(targets.TARGETS["torch"], needs=("no_such_module",))
    monkeypatch.setitem(targets.TARGETS, "torch", absent)
    assert main(["--targets", "numpy,torch", "--dtypes", "float64", *ONE]) == 1
    assert "absent: torch: no module named no_such_module" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--targets", "nampy"], "nampy"),
        (["--losses", "DieceLoss"], "DieceLoss"),
        (["--dtypes", "float8"], "float8"),
        (["--case", "dice/none-such"], "dice/none-such"),
        (["--device", "tpu"], "tpu"),
        (["--target", "own:dice"], "--loss NAME"),
        (["--target", "own", "--loss", "DiceLoss"], "package.module:callable"),
        (["--target", "own:dice", "--loss", "DiceLoss", "--framework", "mxnet"], "mxnet"),
        (["--target", "own:dice", "--loss", "DiceLoss", "--targets", "numpy"], "exclude one another"),
        (["--compare", "own:dice", "own:dice"], "needs two functions"),
        (["--cases", "/no/such/folder"], "no case files"),
        (["--json", "/no/such/folder/report.json"], "report.json cannot be written"),
        (["--html", "/"], "/ cannot be written"),
    ],
)
def test_a_wrong_command_is_status_2(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_list_shows_targets_and_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--losses", "DiceLoss"]) == 0
    shown = capsys.readouterr().out
    assert "keras-jax" in shown
    assert "dice/labels" in shown


# -- somebody's own ---------------------------------------------------------------------------------------------------


def test_own_function_that_conforms(own: list[str]) -> None:
    assert main(["--target", "own_losses:dice", "--case", "dice/labels,dice/smooth-1,dice/mask", *own]) == 0


def test_own_class_takes_the_hyper_parameters_first(own: list[str]) -> None:
    assert main(["--target", "own_losses:Dice", "--case", "dice/sum,dice/mask", *own]) == 0


def test_own_function_that_fails_is_status_1(own: list[str], tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert main(["--target", "own_losses:parting", *ONE, *own, "--json", str(path)]) == 1
    record, *_ = json.loads(path.read_text())["records"]
    assert record["reason"].startswith("gradient at [1, 2, 0, 1]")
    assert "--target own_losses:parting --framework numpy --loss DiceLoss" in record["command"]


def test_where_nothing_can_be_compared_is_status_1(
    own: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--target", "own_losses:dice", "--case", "dice/mask", *own]) == 1
    assert "unsupported" in capsys.readouterr().out


def test_a_process_that_ends_is_a_failure(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--target", "own_losses:ending", *ONE, *own]) == 1
    assert "exit status 7" in capsys.readouterr().out


@pytest.mark.parametrize("path", ["own_losses:none", "no_such_module_anywhere:dice", "own_losses:number"])
def test_own_function_that_is_not_there_is_status_2(
    path: str, own: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--target", path, *ONE, *own])
    assert ended.value.code == 2
    assert path in capsys.readouterr().err


def test_compare_names_the_first_index(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--compare", "own_losses:dice", "own_losses:parting", *ONE, *own]) == 1
    assert "gradient at [1, 2, 0, 1]" in capsys.readouterr().out


def test_compare_of_functions_that_agree_is_status_0(own: list[str]) -> None:
    assert main(["--compare", "own_losses:dice", "own_losses:Dice", *ONE, *own]) == 0


# -- the files --------------------------------------------------------------------------------------------------------


def test_what_is_not_finite_is_named_in_the_json(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    report.write_json(a_report(a_record(value_error=float("inf"), value_tolerance=float("nan"))), path)
    content = json.loads(path.read_text(), parse_constant=pytest.fail)
    jsonschema.validate(content, SCHEMA)
    assert content["records"][0]["value_error"] == "inf"
    assert content["records"][0]["value_tolerance"] == "nan"


class Page(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")


def test_the_page_escapes_names_and_fetches_nothing(tmp_path: Path) -> None:
    nasty = '<script>alert("x")</script><img src=x>'
    failed = a_record(
        outcome="fail",
        target=nasty,
        case=nasty,
        reason=nasty,
        command=nasty,
        value_error=2.0,
        value_tolerance=1.0,
    )
    other = a_record(target="torch", value_error=0.0, value_tolerance=1.0)
    agreement = Agreement("DiceLoss", "float32", nasty, "torch", 2.0, nasty)
    path = tmp_path / "out.html"
    report.write_html(
        a_report(failed, other, a_record(outcome="absent", reason=nasty), agreements=(agreement,)), path
    )
    page = Page(path.read_text(encoding="utf-8"))
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not {"src", "href"} & page.attributes.keys()
    assert "url(" not in path.read_text(encoding="utf-8")


def test_the_page_has_a_column_for_each_device(tmp_path: Path) -> None:
    agreement = Agreement("DiceLoss", "float32", "torch", "torch (cuda)", 0.25, "dice/labels")
    records = [a_record(target="torch"), a_record(target="torch", device="cuda")]
    path = tmp_path / "out.html"
    report.write_html(a_report(*records, agreements=(agreement,)), path)
    text = path.read_text(encoding="utf-8")
    assert "CPU against GPU" in text
    assert "torch (cuda)" in text


def test_the_page_of_a_run_that_compared_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    report.write_html(a_report(), path)
    assert "nothing was compared" in path.read_text(encoding="utf-8")
