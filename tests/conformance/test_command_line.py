"""The command line from outside: exit statuses, wrong commands, what is listed. Only NumPy is started."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest

import seglosses_conformance
from seglosses_conformance import targets
from seglosses_conformance.cli import main

SCHEMA = json.loads((Path(seglosses_conformance.__file__).parent / "report.schema.json").read_text())
NUMPY = ["--targets", "numpy", "--dtypes", "float64"]
ONE = ["--case", "dice/labels"]


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


def test_what_other_libraries_gave_is_compared_with_their_presets(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    given = ["--presets", "smp", "--losses", "presets.smp.SoftCrossEntropyLoss", "--targets", "numpy"]
    assert main([*given, "--json", str(first)]) == 0
    records = json.loads(first.read_text())["records"]
    assert {record["dtype"] for record in records} == {"float64", "float32"}
    assert {record["case"].partition("/")[0] for record in records} == {"smp"}
    assert main([*records[0]["command"].split()[3:], "--json", str(second)]) == 0
    assert records[0] in json.loads(second.read_text())["records"]


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
        (["--case", "dice/lables"], "--case: there is no case 'dice/lables'; did you mean dice/labels"),
        (["--case", "nothing/*"], "--case: there is no case 'nothing/*'; --list shows all that there are"),
        (["--set", "softmax=true"], "--target: there is none"),
        (["--compare", "own:a", "own:b", "--rename", "smooth=eps"], "--target: there is none"),
        (["--target", "own:a", "--set", "softmax"], "expected NAME=VALUE, got 'softmax'"),
        (["--target", "own:a", "--rename", "smooth"], "expected OURS=THEIRS or OURS:VALUE=THEIRS:VALUE"),
        (["--target", "own:a", "--loss", "DiceLoss", "--set", "target=x"], "one-hot or channel, not 'x'"),
        (["--target", "own:a", "--grade", "good"], "invalid choice: 'good'"),
        (["--device", "tpu"], "tpu"),
        (["--target", "own:dice"], "--loss NAME"),
        (["--target", "own", "--loss", "DiceLoss"], "package.module:callable"),
        (["--target", "own:dice", "--loss", "DiceLoss", "--framework", "mxnet"], "mxnet"),
        (["--target", "own:dice", "--loss", "DiceLoss", "--targets", "numpy"], "exclude one another"),
        (["--compare", "own:dice", "own:dice"], "needs two functions"),
        (["--cases", "/no/such/folder"], "there is no folder /no/such/folder"),
        (["--class-axis", "5"], "have 2 or 3 or 4 or 5 axes"),
        ([*ONE, "--class-axis=0"], "none of them has classes on axis 0"),
        ([*ONE, "--class-axis=-4"], "none of them has classes on axis -4"),
        (["--class-axis", "last"], "expected an integer, got 'last'"),
        (["--dtypes", "float32,float32"], "'float32' is named twice"),
        (["--targets", ","], "expected names with commas between them"),
        (["--losses", ""], "expected names with commas between them"),
        (["--losses", "FocalLoss", *ONE], "none of dice/labels is a case of FocalLoss"),
        (["--processes", "0"], "expected at least 1, got 0"),
        (["--time-limit", "0"], "expected a positive number, got '0'"),
        (["--framework", "numpy"], "there is none"),
        (["--compare", "own:a", "own:b", "--json", "out.json"], "print to the terminal only"),
        (["--list", "--html", "out.html"], "print to the terminal only"),
        (["--json", "out", "--html", "./out"], "need two files"),
        (["--presets", "nobody"], "--presets knows "),
        (["--presets", "smp", "--dtypes", "float16"], "--dtypes knows float64, float32"),
        (["--presets", "smp", "--cases", "here"], "without --cases"),
        (["--targets", "[/foo]\x1b[31m"], "[/foo]\\x1b[31m"),
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_file_that_cannot_be_written_in_the_end_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*NUMPY, *ONE, "--class-axis=1", "--html", "/dev/full"])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert "/dev/full cannot be written" in printed.err
    assert "pass" in printed.out  # what was found is on the terminal all the same


def test_a_terminal_that_knows_ascii_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding="ascii") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert main(["--list", "--losses", "DiceLoss"]) == 0
        terminal.flush()
        assert b"\\u0177" in written.getvalue()  # ŷ


def test_an_axis_that_some_cases_lack_is_unsupported_there(capsys: pytest.CaptureFixture[str]) -> None:
    cases = ["--case", "dice/labels,dice/worked-example"]
    assert main([*NUMPY, *cases, "--class-axis=3", "--quick"]) == 0
    assert "unsupported, 1 on numpy: logits with 3 axes have no classes on axis 3" in capsys.readouterr().out


def test_list_shows_targets_and_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--losses", "DiceLoss"]) == 0
    shown = capsys.readouterr().out
    assert "keras-jax" in shown
    assert "dice/labels" in shown


def test_patterns_choose_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--case", "dice/smooth-?,dice/labels"]) == 0
    listed = re.findall(r"^│ ([\w-]+/[\w-]+) ", capsys.readouterr().out, re.MULTILINE)
    assert listed == ["dice/labels", "dice/smooth-1", "dice/smooth-0"]


def test_without_a_terminal_each_target_is_told_of_as_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of everything takes long; here one target ends when the other has not begun."""
    chosen = ["--targets", "numpy,strict", "--dtypes", "float64", "--class-axis=1", "--processes", "1"]
    assert main([*chosen, *ONE]) == 0
    printed = capsys.readouterr()
    told = re.findall(r"^(\S+): (\d+) results; (\d+) of (\d+) after \d+ s$", printed.err, re.MULTILINE)
    (first, counts, ended, total), (second, others, all_ended, _) = told
    assert {first, second} == {"numpy", "strict"}
    assert ended == counts
    assert all_ended == total == str(int(counts) + int(others))
    assert "results;" not in printed.out


def test_a_terminal_has_a_bar_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # by which rich takes any file for a terminal
    assert main([*NUMPY, *ONE]) == 0
    assert "results;" not in capsys.readouterr().err
