"""The skeletons of a new loss."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import seglosses_core
from seglosses_conformance.definitions.arrays import LABELS, LOGITS
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.new import CORE, SUITE, main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "conformance").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def imported(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_two_files_that_can_be_imported(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["CautiousTverskyLoss", "--like", "TverskyLoss", "--folder", str(checkout)])
    printed = capsys.readouterr().out
    files = [checkout / CORE / "cautious_tversky.py", checkout / SUITE / "cautious_tversky.py"]
    assert printed.splitlines()[:2] == list(map(str, files))
    core = imported("seglosses_core.losses.cautious_tversky", files[0], monkeypatch)
    loss, like = core.CautiousTverskyLoss(alpha=0.3), seglosses_core.TverskyLoss(alpha=0.3)
    assert loss(LOGITS, LABELS) == like(LOGITS, LABELS)
    assert core.CautiousTverskyLoss.__mro__[1:] == seglosses_core.TverskyLoss.__mro__[1:]
    assert "moments" in vars(core.CautiousTverskyLoss)  # the formula, which the pattern shares with others
    entry = imported("seglosses_conformance.losses.cautious_tversky", files[1], monkeypatch).ENTRY
    assert entry.loss == "CautiousTverskyLoss"
    assert [entry.id_of(case.name) for case in entry.cases][:2] == [
        "cautious-tversky/worked-example",
        "cautious-tversky/labels",
    ]
    assert entry.cases[1].hyperparameters == {"alpha": 0.25, "beta": 0.75}
    assert entry.samples == ENTRIES["TverskyLoss"].samples
    assert (entry.known, entry.refuses) == ((), ())  # what is true of the other alone
    with pytest.raises(NotImplementedError, match="from the paper"):
        entry.oracle.score([], 0.0)


def test_a_class_that_is_there_gets_an_entry_alone(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seglosses_core, "SketchedLoss", seglosses_core.DiceLoss, raising=False)
    main(["SketchedLoss", "--like", "DiceLoss", "--folder", str(checkout)])
    assert (checkout / SUITE / "sketched.py").exists()
    assert not (checkout / CORE).exists()


@pytest.mark.parametrize("like", ENTRIES)
def test_every_loss_may_be_the_pattern(like: str, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["SketchedLoss", "--like", like, "--folder", str(checkout)])
    imported("seglosses_core.losses.sketched", checkout / CORE / "sketched.py", monkeypatch)
    entry = imported(
        "seglosses_conformance.losses.sketched", checkout / SUITE / "sketched.py", monkeypatch
    ).ENTRY
    assert type(entry.oracle) is type(ENTRIES[like].oracle)
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "."], ["format", "--check", "."]):
        run = subprocess.run([*ruff, *command], cwd=checkout, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("name", "like", "sentence"),
    [
        ("DiceLoss", "TverskyLoss", "there is a DiceLoss already"),
        ("Focal", "TverskyLoss", "a name is words with capitals and ends in Loss"),
        ("focalLoss", "TverskyLoss", "a name is words with capitals and ends in Loss"),
        ("NewLoss", "OldLoss", "invalid choice: 'OldLoss'"),
        ("NewLoss", "DiceLoss", "new.py already"),
    ],
)
def test_what_is_refused(
    name: str, like: str, sentence: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / SUITE).mkdir(parents=True)
    (checkout / SUITE / "new.py").touch()
    with pytest.raises(SystemExit) as ended:
        main([name, "--like", like, "--folder", str(checkout)])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (checkout / CORE).exists()


def test_a_folder_that_is_no_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["NewLoss", "--like", "DiceLoss", "--folder", str(tmp_path)])
    assert "is no checkout" in capsys.readouterr().err
