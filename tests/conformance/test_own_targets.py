"""Somebody's own losses from outside: `--target`, `--compare`. Only NumPy is started."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seglosses_conformance import processes
from seglosses_conformance.cli import main
from seglosses_conformance.returned import Misused, checked

ONE = ["--case", "dice/labels"]


def test_own_function_that_conforms(own: list[str]) -> None:
    assert main(["--target", "own_losses:dice", "--case", "dice/labels,dice/smooth-1,dice/mask", *own]) == 0


def test_own_class_takes_the_hyper_parameters_first(own: list[str]) -> None:
    assert main(["--target", "own_losses:Dice", "--case", "dice/sum,dice/mask", *own]) == 0


FOREIGN = [
    *("--target", "own_losses:foreign", "--set", "target=channel", "--rename", "logits=y_pred"),
    *("--rename", "target=y_true", "--rename", "smooth=eps", "--rename", "aggregate:batch=batch:true"),
]


def test_own_function_with_names_of_its_own(own: list[str], tmp_path: Path) -> None:
    path, again = tmp_path / "out.json", tmp_path / "again.json"
    cases = ["--case", "dice/smooth-?,dice/batch,dice/labels"]
    assert main([*FOREIGN, *cases, *own, "--json", str(path)]) == 0
    records = [r for r in json.loads(path.read_text())["records"] if r["check"] is None]
    assert {r["case"]: r["outcome"] for r in records} == dict.fromkeys(
        ["dice/labels", "dice/batch", "dice/smooth-0", "dice/smooth-1"], "pass"
    )
    assert main([*shlex.split(records[1]["command"])[3:], "--json", str(again)]) == 0
    assert records[1] in json.loads(again.read_text())["records"]


def test_what_is_set_is_given(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FOREIGN, "--set", "doubled=true", *ONE, *own]) == 1
    assert "✗ another gradient · " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("grade", "status", "sentence"),
    [
        ("accurate", 0, "≠ bad labels: raises ValueError · 1 comparison (float64): dice/label-outside"),
        ("convention", 1, "✗ bad labels: raises ValueError · 1 comparison (float64): dice/label-outside"),
        (None, 1, "✗ bad labels: raises ValueError · 1 comparison (float64): dice/label-outside"),
    ],
)
def test_the_exit_status_rests_on_the_grade(
    grade: str | None, status: int, sentence: str, own: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [] if grade is None else ["--grade", grade]
    cases = ["--case", "dice/label-outside,dice/labels"]
    assert main(["--target", "own_losses:strict", *cases, *own, *asked]) == status
    shown = capsys.readouterr().out
    assert sentence in shown
    assert "  here: a label that is no class, and is not ignored, makes the value NaN" in shown
    rows = re.findall(r"^  (accurate|convention|exact) +(passes|\d fail it) ", shown, re.MULTILINE)
    assert rows == [("accurate", "passes"), ("convention", "1 fail it"), ("exact", "1 fail it")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--set", "doubld=true"],
            "--set doubld: own_losses:foreign has no parameter 'doubld'; it has y_pred,",
        ),
        (
            ["--rename", "absent=missing"],
            "--rename absent=missing: own_losses:foreign has no parameter 'missing'",
        ),
        (["--rename", "smoth=eps"], "--rename smoth=eps: DiceLoss has no 'smoth'; there are "),
        (["--set", "target=soft"], "--set target is given twice"),
    ],
)
def test_names_that_there_are_not_are_status_2(
    arguments: list[str], sentence: str, own: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*FOREIGN, *arguments, *ONE, *own])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


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


def test_compare_says_which_class_axis(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The results of one function on two axes are not compared with each other."""
    functions = ["own_losses:dice", "own_losses:value_alone"]
    main(["--compare", *functions, "--class-axis=1,2", "--case", "dice/one-pixel", *own])
    shown = capsys.readouterr().out
    assert "class axis 1" in shown
    assert shown.count("value_alone gives none") == 1


# -- gradients that are missing ---------------------------------------------------------------------------------------


def test_a_value_alone_conforms_and_the_missing_gradient_is_told(
    own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.json"
    assert main(["--target", "own_losses:value_alone", *ONE, *own, "--json", str(path)]) == 0
    assert "no gradient from own_losses:value_alone" in capsys.readouterr().out
    record, *_ = json.loads(path.read_text())["records"]
    assert record["missing"] == ["logits"]


def test_a_gradient_that_one_of_two_lacks_is_no_agreement(
    own: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--compare", "own_losses:value_alone", "own_losses:doubled", *ONE, *own]) == 1
    shown = capsys.readouterr().out
    assert "gradient: own_losses:value_alone gives none, the values agree" in shown
    assert "0 inputs agree, 0 in value and gradient; 1 do not agree" in shown


def test_a_gradient_that_both_lack_is_told(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    functions = ["own_losses:value_alone", "own_losses:other_value"]
    assert main(["--compare", *functions, *ONE, *own]) == 0
    shown = capsys.readouterr().out
    assert "nowhere, but neither gives a gradient" in shown
    assert (
        "1 inputs agree, 0 in value and gradient, 1 in the value alone, since neither gives a gradient"
        in shown
    )


# -- what hangs -------------------------------------------------------------------------------------------------------


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc what runs")


def ends(process: int) -> bool:
    """Whether a process that has been killed is gone, or soon is; one that nobody has waited for is gone too."""
    for _ in range(100):
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


@needs_proc
def test_what_hangs_is_ended_with_its_children_and_the_rest_runs(
    own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = ["--case", "dice/labels,dice/smooth-1,dice/volume"]
    arguments = ["--target", "own_losses:hanging", *cases, *own, "--time-limit", "1"]
    assert main([*arguments, "--json", str(tmp_path / "out.json")]) == 1
    assert ends(int((tmp_path / "child").read_text()))
    records = json.loads((tmp_path / "out.json").read_text())["records"]
    assert {record["case"]: record["outcome"] for record in records} == {
        "dice/labels": "pass",
        "dice/smooth-1": "fail",
        "dice/volume": "pass",
    }
    assert "it took longer than 1 s and was ended (--time-limit)" in capsys.readouterr().out
    assert next(r for r in records if r["outcome"] == "fail")["command"].endswith("--time-limit 1")


@needs_proc
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_running(
    asked: signal.Signals, own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def end() -> None:
        while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
            time.sleep(0.05)
        os.kill(os.getpid(), asked)

    threading.Thread(target=end, daemon=True).start()
    assert main(["--target", "own_losses:hanging", "--case", "dice/smooth-1", *own]) == 130
    assert "stopped" in capsys.readouterr().err
    assert ends(int((tmp_path / "child").read_text()))


def test_a_process_that_cannot_start_is_not_started_again(
    own: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_hanging.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr(processes, "START_UP", 1.0)
    assert main(["--target", "own_hanging:dice", *ONE, *own, "--time-limit", "0.5"]) == 1
    assert "the process took longer than 1 s to start and was ended" in capsys.readouterr().out


# -- what is no loss --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raise RuntimeError('not today')", "cannot be imported: RuntimeError: not today"),
        ("import sys; sys.exit(5)", "cannot be imported: SystemExit: 5"),
        ("def dice(:", "cannot be imported: SyntaxError: invalid syntax"),
    ],
)
def test_a_module_that_cannot_be_run_is_status_2(
    text: str, sentence: str, own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_broken.py").write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["--target", "own_broken:dice", *ONE, *own])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_what_returns_nothing_gets_a_sentence(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--target", "own_losses:nothing", *ONE, *own]) == 1
    assert "own_losses:nothing returned None; right is the pair (value, gradient)" in capsys.readouterr().out


ARRAY = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("returned", "fault"),
    [
        (None, "None"),
        ("0.5", "a str"),
        (True, "a bool"),
        (Fraction(1, 2), "a fractions.Fraction"),
        ([0.5, ARRAY], "a list of length 2"),
        ((0.5, ARRAY, ARRAY), "a tuple of length 3"),
        ((0.5, None), "a pair whose gradient is None"),
        ((0.5, [0.0]), "a pair whose gradient is a list of length 1"),
        ((None, ARRAY), "a pair whose value is None"),
        ((0.5, ARRAY.astype(object)), "a pair whose gradient is a numpy.ndarray of object"),
        (np.array(0.5 + 0j), "a numpy.ndarray of complex128"),
        (np.ma.masked_array([0.5], mask=[True]), "a numpy.ma.MaskedArray of float64"),
    ],
)
def test_what_numpy_cannot_compare_is_named(returned: Any, fault: str) -> None:
    with pytest.raises(Misused, match=f"^own:dice returned {re.escape(fault)}; right is the pair"):
        checked("own:dice", "numpy", lambda logits, target: returned)(ARRAY, ARRAY)


@pytest.mark.parametrize("returned", [0.5, 1, np.float32(0.5), np.array(0.5), ARRAY])
def test_a_number_is_a_value_in_numpy(returned: Any) -> None:
    value = checked("own:dice", "numpy", lambda logits, target: returned)(ARRAY, ARRAY)
    assert isinstance(value, np.ndarray)
    np.testing.assert_array_equal(value, returned)
    pair = (returned, ARRAY)
    assert checked("own:dice", "numpy", lambda logits, target: pair)(ARRAY, ARRAY) is pair


def test_what_torch_cannot_differentiate_is_named() -> None:
    torch = pytest.importorskip("torch")
    logits = torch.ones(2, 3, requires_grad=True)

    def call(function: Any) -> Any:
        return checked("own:dice", "torch", lambda logits, target: function(logits))(logits, None)

    for function, fault in (
        (lambda x: 0.5, "a float"),
        (lambda x: x.detach().numpy(), "a numpy.ndarray of float32"),
        (lambda x: torch.tensor(1), "a torch.Tensor of torch.int64"),
        (lambda x: x.sum().detach(), "a tensor without a graph"),
        (lambda x: torch.zeros((), device="meta"), "a tensor on meta, where the logits are on cpu"),
    ):
        with pytest.raises(Misused, match=f"^own:dice returned {fault}.*; right is a tensor"):
            call(function)
    assert call(torch.sum) == 6
    with torch.no_grad():
        assert call(torch.sum) == 6
