"""What the suite knows of each loss: that nothing is missing, and that what an entry says of its loss is so."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np
import pytest
import torch

import seglosses_core
from seglosses_conformance import presets
from seglosses_conformance.cases import FOLDER, load_cases
from seglosses_conformance.checks import CHECKS, checks_of
from seglosses_conformance.definitions.arrays import LABELS, LOGITS, PROBABILITIES, SOFT, one_hot
from seglosses_conformance.entries import DENSE, HEAT_MAPS, Entry, Sample
from seglosses_conformance.generate import question
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.overrides import check_overrides
from seglosses_conformance.targets import TARGETS, build
from seglosses_conformance.ways import WAYS

CASES = {case.id: case for case in load_cases()}
LOSSES = [loss.__name__ for loss in seglosses_core.LOSSES]
ONE_HOT = one_hot(LABELS)
ARRAYS = {"labels": LABELS, "one-hot": ONE_HOT, "soft": SOFT, "heat map": np.where(ONE_HOT, 1, SOFT / 2)}


# --- What is missing ---------------------------------------------------------------------------------------


def missing(loss: str, entry: Entry | None) -> Iterator[str]:
    """In words, what a loss of the core still needs."""
    if entry is None:
        yield (
            "an entry, in a file of conformance/seglosses_conformance/losses/;"
            f" `python -m seglosses_conformance.new {loss} --like ANOTHER_LOSS` writes its skeleton"
        )
        return
    cases = list(entry.cases)
    if len(cases) < 15:
        yield f"cases: there are {len(cases)}, and 15 is the least"
    if not any(case.value_by_hand is not None and isfinite(case.value_by_hand) for case in cases):
        yield "a case with the flag `worked`, and with its `value_by_hand`, worked from the paper"
    if not entry.samples:
        yield "`samples`, the hyper-parameters with which every general test runs it"
    if [question(loss, case) for case in cases] != asked(loss):
        yield f"the results of its cases: `python -m seglosses_conformance.generate {loss}` writes them"


def asked(loss: str) -> list[dict[str, Any]]:
    """What the case file of a loss says of its cases before they are answered."""
    file = FOLDER / f"{loss}.json"
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"] if file.exists() else []
    return [{name: case[name] for name in case if not name.startswith("expected")} for case in cases]


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_is_missing(loss: str) -> None:
    needs = list(missing(loss, ENTRIES.get(loss)))
    if needs:
        pytest.fail(f"{loss} needs " + ", and ".join(needs), pytrace=False)


def test_what_is_missing_is_said() -> None:
    entry = ENTRIES["DiceLoss"]
    (sentence,) = missing("NewLoss", None)
    assert sentence.startswith("an entry, in a file of conformance/seglosses_conformance/losses/")
    bare = dataclasses.replace(entry, cases=[], samples=())
    assert [sentence.split()[0] for sentence in missing("DiceLoss", bare)] == [
        "cases:",
        "a",
        "`samples`,",
        "the",
    ]
    changed = dataclasses.replace(entry.cases[0], target=entry.cases[0].target + 1)
    for cases in (entry.cases[:-1], [changed, *entry.cases[1:]]):
        (sentence,) = missing("DiceLoss", dataclasses.replace(entry, cases=cases))
        assert "seglosses_conformance.generate DiceLoss" in sentence


def test_every_entry_is_of_a_loss_of_the_core() -> None:
    assert set(ENTRIES) <= set(LOSSES)


# --- What an entry says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "sample"),
    [
        pytest.param(loss, sample, id=f"{loss}-{sample}")
        for loss in ENTRIES
        for sample in ENTRIES[loss].samples
    ],
)
def test_a_sample_takes_the_targets_that_it_says(loss: str, sample: Sample) -> None:
    made = build(seglosses_core, loss, sample.hyperparameters, class_axis=1)
    logits = PROBABILITIES if made.activation == "identity" else LOGITS
    inputs = ENTRIES[loss].inputs(logits)
    assert set(sample.targets) <= set(HEAT_MAPS)
    for kind in sample.targets:
        value, gradient = made.value_and_grad(logits, ARRAYS[kind], **inputs)
        assert np.isfinite(value)
        assert np.abs(gradient).max() > 0
    if loss != "EnsembleLoss":
        made = dataclasses.replace(made, validate=True)
    for kind in set(DENSE) - set(sample.targets):
        with pytest.raises(ValueError, match=r"target must be (integer labels|0 or 1)"):
            made(logits, ARRAYS[kind], **inputs)


def test_samples_have_names_of_their_own() -> None:
    names = [f"{loss}-{sample}" for loss, entry in ENTRIES.items() for sample in entry.samples]
    assert len(set(names)) == len(names)
    assert str(Sample()) == "defaults"
    pooling: dict[str, Any] = {"pooling": "TopK", "fraction": 0.3}
    cost = {"loss": "FocalLoss", "hyperparameters": {}}
    shown = Sample({"gamma": 0.5, "alpha": [0.2, 0.7], "reduction": pooling, "cost": cost})
    assert str(shown) == "gamma=0.5,alpha=(0.2 0.7),reduction=TopK 0.3,cost=FocalLoss"


@pytest.mark.parametrize("loss", [loss for loss in ENTRIES if not ENTRIES[loss].alone])
def test_a_loss_says_what_it_wants_beside_it(loss: str) -> None:
    assert "beside" in (getattr(seglosses_core, loss).__doc__ or "").lower()


@pytest.mark.parametrize("loss", ENTRIES)
def test_exceptions_name_checks_that_are_not_made(loss: str) -> None:
    exceptions = ENTRIES[loss].exceptions
    made = {check.name for check in checks_of(load_cases([loss]))}
    assert set(exceptions) <= {*CHECKS, *(way.name for way in WAYS)} - made
    assert all(exceptions.values()), "an exception needs a reason"
    assert ("mirrored pixels" in made) == (
        "permuted pixels" in exceptions and "mirrored pixels" not in exceptions
    )


@pytest.mark.parametrize("loss", ENTRIES)
def test_autodiff_differs_in_cases_that_are_there(loss: str) -> None:
    entry = ENTRIES[loss]
    assert entry.autodiff_differs.keys() <= {case.name for case in entry.cases}
    for name in entry.autodiff_differs:
        case = CASES[entry.id_of(name)]
        arrays = {
            "logits": torch.tensor(case.logits, requires_grad=True),
            "target": torch.tensor(case.target),
        }
        arrays |= {
            name: torch.tensor(array)
            for name, array in (("mask", case.mask), ("sample_weight", case.sample_weight))
            if array is not None
        }
        build(seglosses_core, loss, case.hyperparameters, 1)(**arrays).backward()
        assert not np.allclose(
            arrays["logits"].grad, case.expected.gradient, rtol=1e-14, atol=0, equal_nan=True
        )


def test_overrides_match_cases_and_have_reasons() -> None:
    cases = [entry.id_of(case.name) for entry in ENTRIES.values() for case in entry.cases]
    check_overrides(TARGETS, [*cases, *(case.id for case in presets.preset_cases(presets.peers()))])
