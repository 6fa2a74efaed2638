"""Case files of others: what is wrong with one is a wrong command and a sentence, and what is right is run."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seglosses_conformance.case_files import read_cases
from seglosses_conformance.cases import FOLDER, load_cases
from seglosses_conformance.cli import main

NUMPY = ["--targets", "numpy", "--dtypes", "float64", "--class-axis=1"]
SUITE = json.loads((FOLDER / "DiceLoss.json").read_text(encoding="utf-8"))
TWO = {**SUITE, "cases": [case for case in SUITE["cases"] if case["id"] in ("dice/labels", "dice/sum")]}
Change = Callable[[dict[str, Any]], object]


def write(folder: Path, change: Change = lambda document: None, name: str = "mine.json") -> Path:
    """A file of two cases, changed."""
    document = copy.deepcopy(TWO)
    change(document)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return folder


def second(**fields: Any) -> Change:
    return lambda document: document["cases"][1].update(fields)


def of_second(name: str, **fields: Any) -> Change:
    return lambda document: document["cases"][1][name].update(fields)


def test_the_suite_s_own_cases_are_read_as_they_are_loaded(tmp_path: Path) -> None:
    for name in ("DiceLoss.json", "schema.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    read, loaded = read_cases(tmp_path), load_cases(["DiceLoss"])
    assert [repr(case) for case in read] == [repr(case) for case in loaded]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{nope", "is no JSON in UTF-8: Expecting property name"),
        ('{"format": NaN}', "is no JSON in UTF-8: NaN is no number"),
        ('{"format": 1, "format": 1}', "is no JSON in UTF-8: an object has 'format' twice"),
        ("[" * 100_000, "cannot be read: it is nested too deeply"),
        ("[]", "expected object, got []"),
    ],
)
def test_a_file_that_holds_no_cases(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(ValueError, match=r"mine\.json") as raised:
        read_cases(tmp_path)
    assert sentence in str(raised.value)


MASK = {"shape": [2, 2, 3], "dtype": "bool", "data": [True] * 12}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d.update(format=2), "mine.json: format: expected 1, got 2"),
        (lambda d: d.pop("loss"), "mine.json: 'loss' is a required property"),
        (lambda d: d.update(loss="dice"), "loss: expected the name of a loss"),
        (lambda d: d.update(cases=[]), "cases: [] should be non-empty"),
        (lambda d: d.update(more=1), "'more' was unexpected"),
        (lambda d: d["cases"][1].pop("target"), "case 'dice/sum': 'target' is a required property"),
        (lambda d: d["cases"][1].pop("id"), "case number 2: 'id' is a required property"),
        (second(id="dice/labels"), "case 'dice/labels': an id must be unique, this one is twice in it"),
        (second(id="a,b"), "id: expected an id without spaces, commas and #"),
        (second(more=1), "case 'dice/sum': Additional properties are not allowed ('more' was unexpected)"),
        (second(target=None), "case 'dice/sum': target: expected object, got null"),
        (of_second("logits", dtype="float8"), "logits.dtype: expected one of 'float64', 'float32', "),
        (of_second("logits", dtype="int64"), "logits.dtype: expected 'float64', got \"int64\""),
        (of_second("logits", data=[1.0]), "logits of shape [2, 3, 2, 3] has 36 elements, but its data has 1"),
        (of_second("logits", data=[True] * 36), "logits.data[35]: expected number or string, got true"),
        (of_second("target", data=[0.5] * 12), "target.data[11]: expected integer, got 0.5"),
        (of_second("target", data=[10**30] * 12), "case 'dice/sum': a number is too large for its dtype"),
        (
            of_second("target", shape=[2, 3, 2]),
            "target must have shape (2, 2, 3) or (2, 3, 2, 3), got (2, 3, 2)",
        ),
        (second(mask={**MASK, "shape": [12]}), "mask must have shape (2, 2, 3) or (2, 3, 2, 3), got (12,)"),
        (second(mask={**MASK, "data": [1] * 12}), "mask.data[11]: expected boolean, got 1"),
        (of_second("expected", value="big"), 'expected.value: expected a number, "nan", "inf" or "-inf"'),
        (
            of_second("expected", gradient=None, scale=SUITE["cases"][1]["logits"]),
            "expected.scale must have shape ()",
        ),
        (second(expected_by_dtype={"float8": SUITE["cases"][1]["expected"]}), "'float8' does not match"),
        (second(hyperparameters={"foo": 1}), "unexpected keyword argument 'foo'"),
        (second(hyperparameters={"foo": [[1]]}), "hyperparameters.foo[0]: expected number, got [1]"),
        (second(hyperparameters={"distances": [1]}), "hyperparameters.distances[0]: expected array, got 1"),
        (second(hyperparameters={"distances": [[0]]}), "unexpected keyword argument 'distances'"),
        (second(hyperparameters={"class_axis": 1}), 'that is not class_axis or validate, got "class_axis"'),
        (second(hyperparameters={"gamma": 1}), "hyper-parameters that DiceLoss does not take"),
        (
            second(hyperparameters={"class_weights": [1, 2]}),
            "class_weights must have one number for each of 3",
        ),
        (second(hyperparameters={"smooth": -1}), "smooth must be at least 0, got -1"),
        (
            second(hyperparameters={"reduction": "median"}),
            "hyperparameters.reduction: expected mean, sum, none",
        ),
        (
            second(hyperparameters={"cost": {"loss": "LOSSES", "hyperparameters": {}}}),
            "case 'dice/sum': there is no loss 'LOSSES'",
        ),
    ],
)
def test_a_case_that_is_none(change: Change, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"mine\.json") as raised:
        read_cases(write(tmp_path, change))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_same_id_in_two_files(tmp_path: Path) -> None:
    write(tmp_path, name="a.json")
    with pytest.raises(ValueError, match=r"b\.json, case 'dice/labels': .* this one is in .*a\.json too"):
        read_cases(write(tmp_path, name="b.json"))


def test_every_file_counts_whatever_its_name(tmp_path: Path) -> None:
    assert len(read_cases(write(tmp_path, lambda d: d["cases"].pop(), name="one of mine.json"))) == 1


@pytest.mark.parametrize("name", ["mine.json", "nothing.txt"])
def test_a_folder_without_case_files_is_status_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(SystemExit) as ended:
        main([*NUMPY, "--cases", str(tmp_path)])
    assert ended.value.code == 2
    wanted = "mine.json cannot be read: it is no file" if name == "mine.json" else "there are no case files"
    assert wanted in capsys.readouterr().err


def test_a_wrong_file_is_status_2_and_its_text_is_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, lambda d: d["cases"][1].update(id="[/foo]\x1b]0;x\x07", more=1))
    with pytest.raises(SystemExit) as ended:
        main([*NUMPY, "--cases", str(tmp_path)])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "[/foo]\\" in error
    assert "\x1b" not in error


def test_a_loss_that_is_not_ours_needs_an_implementation(
    own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, lambda d: d.update(loss="MyLoss"))
    with pytest.raises(SystemExit) as ended:
        main([*NUMPY, "--cases", str(tmp_path)])
    assert ended.value.code == 2
    assert "MyLoss is none of our losses" in capsys.readouterr().err
    arguments = ["--loss", "MyLoss", "--framework", "numpy", "--dtypes", "float64"]
    assert main(["--target", "own_losses:Dice", *arguments, "--cases", str(tmp_path)]) == 0


def test_ids_and_comments_are_listed_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, second(id="[/foo]bar", comment="[red]comment", source="\x1b]0;title\x07"))
    assert main(["--list", "--cases", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "[/foo]bar" in shown
    assert "[red]comment" in shown
    assert "\\x1b]0;title\\x07" in shown
    assert "\x1b" not in shown


def test_the_command_of_a_failure_reproduces_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "cases of mine"
    folder.mkdir()
    write(folder, of_second("expected", value=3.0))
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    assert main([*NUMPY, "--quick", "--cases", str(folder), "--json", str(first)]) == 1
    failed = [r for r in json.loads(first.read_text())["records"] if r["outcome"] == "fail"]
    assert failed[0]["case"] == "dice/sum"
    words = shlex.split(failed[0]["command"])
    assert words[:3] == ["python", "-m", "seglosses_conformance"]
    assert main([*words[3:], "--json", str(again)]) == 1
    assert failed[0] in json.loads(again.read_text())["records"]
