"""The case files: their format, what they cover, and that the oracle still gives them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from seglosses_conformance import definitions
from seglosses_conformance.cases import FOLDER, Case, decode, encode, load_cases, map_upstream
from seglosses_conformance.generate import PRECISION, answer, main, round_to
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.oracle.evaluation import upstream

FILES = sorted(FOLDER.glob("*Loss.json"))
CASES = load_cases()
SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
EVERYWHERE = {
    "worked",
    "absent-class",
    "all-ignored",
    "one-pixel",
    "extreme",
    "volume",
    "class-weights",
    "perfect",
    "wrong",
    "mask",
    "sample-weight",
    "ignore-index",
    "many-classes",
    "many-pixels",
    "two-classes",
    "no-space",
    "nan",
}
DTYPES_OF_LABELS = {"int64", "int32", "int16", "int8", "uint8"}


def test_a_file_for_every_loss() -> None:
    files = {file.stem for file in FILES}
    assert ENTRIES.keys() - files == set(), "run python -m seglosses_conformance.generate with their names"
    assert files - ENTRIES.keys() == set(), "of losses that have no entry"


@pytest.mark.sampled(1)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_schema(file: Path) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert document["loss"] == file.stem


def test_ids_are_words_with_hyphens() -> None:
    word = "[a-z0-9]+(-[a-z0-9]+)*"
    assert [case.id for case in CASES if not re.fullmatch(f"{word}/{word}", case.id)] == []


def test_ids_are_unique() -> None:
    assert [name for name, number in Counter(case.id for case in CASES).items() if number > 1] == []


@pytest.mark.parametrize("loss", ENTRIES)
def test_coverage(loss: str) -> None:
    cases = load_cases([loss])
    assert len(cases) >= 15
    takes_soft = any("soft" in sample.targets for sample in ENTRIES[loss].samples)
    wanted = EVERYWHERE | ({"soft"} if takes_soft else set())
    assert wanted - set().union(*(case.flags for case in cases)) == set()
    labels = {case.target.dtype.name for case in cases if case.target.ndim < case.logits.ndim}
    assert labels == DTYPES_OF_LABELS
    sizes = {np.nanmax(np.abs(case.logits)) for case in cases}
    assert {40.0, 1e4} <= sizes


@pytest.mark.parametrize("loss", ENTRIES)
def test_shapes(loss: str) -> None:
    for case in load_cases([loss]):
        check_shapes(case)


def check_shapes(case: Case) -> None:
    images, classes, *space = case.logits.shape
    assert case.target.shape in [(images, *space), (images, classes, *space)]
    assert case.mask is None or case.mask.shape in [(images, *space), case.logits.shape]
    assert case.sample_weight is None or case.sample_weight.shape == (images,)
    assert case.features is None or case.features.shape[:1] + case.features.shape[2:] == (images, *space)
    expectations = [case.expected, *case.expected_by_dtype.values()]
    for expected in expectations:
        assert expected.scale.shape == expected.value.shape
        if case.hyperparameters.get("reduction") == "none":
            assert expected.value.ndim > 0
            assert expected.gradient is not None
            assert expected.gradient.shape == case.logits.shape
        elif "nan" in case.flags:
            assert np.isnan(expected.value)
            assert expected.gradient is None
        else:
            assert expected.value.shape == ()
            assert expected.gradient is not None
            assert expected.gradient.shape == case.logits.shape
            assert not np.any(np.isnan(expected.gradient))
            assert "infinite" in case.flags or np.all(np.isfinite(expected.gradient))
            assert abs(expected.value) <= expected.scale * (1 + 1e-15)


@pytest.mark.parametrize("loss", ENTRIES)
def test_inputs_survive_rounding(loss: str) -> None:
    """One expectation serves a dtype whose rounding leaves the inputs alone; data that is not rounded is float32's."""
    for case in load_cases([loss]):
        check_rounding(case)


def check_rounding(case: Case) -> None:
    for dtype, bits in PRECISION.items():
        arrays = [array for array in (case.logits, case.centers, case.features) if array is not None]
        changed = any(not np.array_equal(round_to(bits, a), a, equal_nan=True) for a in arrays)
        assert changed == (dtype in case.expected_by_dtype)
    for array in (case.target, case.mask, case.sample_weight):
        if array is not None and array.dtype.kind == "f":
            np.testing.assert_array_equal(array, array.astype(np.float32))


def test_rounding() -> None:
    assert round_to(8, [1e4, 1.00390625, 1.01171875, -0.3, np.inf]).tolist() == [
        9984.0,
        1.0,  # halfway, to even
        1.015625,  # halfway, to even
        -0.30078125,
        np.inf,
    ]
    sample = np.random.default_rng(0).normal(size=1000)
    np.testing.assert_array_equal(round_to(11, sample), sample.astype(np.float16))
    np.testing.assert_array_equal(round_to(24, sample), sample.astype(np.float32))


def test_arrays_round_trip() -> None:
    narrow = [np.array([[1, 0], [7, 3]], dtype) for dtype in ("uint8", "int8", "int16", "int32", "float16")]
    for array in (
        np.array([[0.1, np.nan], [-np.inf, 1e-300]]),
        np.array([True, False]),
        np.array([[3, -1]]),
        np.array([0.1, np.inf], "float32"),
        *narrow,
    ):
        text = json.dumps(encode(array), allow_nan=False)
        again = decode(json.loads(text))
        assert again.dtype == array.dtype
        np.testing.assert_array_equal(again, array)


def test_one_loss_only() -> None:
    assert {case.loss for case in load_cases(["DiceLoss", "CenterLoss"])} == {"DiceLoss", "CenterLoss"}
    assert load_cases([]) == []


def test_the_upstream_gradient_of_maps_is_the_oracle_s() -> None:
    shape = (2, 3, 2)
    assert map_upstream(shape).ravel().tolist() == [float(upstream(k)) for k in range(12)]
    assert map_upstream(shape).shape == shape
    assert map_upstream(()) == 1


@pytest.mark.parametrize("loss", ENTRIES)
def test_the_oracle_gives_the_first_cases(loss: str) -> None:
    """A quick sample of the next test: the worked examples, and whatever else comes first."""
    stored = json.loads((FOLDER / f"{loss}.json").read_text(encoding="utf-8"))["cases"]
    for definition, case in list(zip(ENTRIES[loss].cases, stored, strict=True))[:5]:
        assert json.loads(json.dumps(answer(loss, definition))) == case


def test_a_case_that_has_no_answer_is_named() -> None:
    with pytest.raises(TypeError, match="smoth") as raised:
        answer("DiceLoss", definitions.case("typo", "A hyper-parameter that there is not.", smoth=1.0))
    assert raised.value.__notes__ == ["In the case 'typo' of DiceLoss."]


@pytest.mark.slow
def test_generating_again_changes_nothing(tmp_path: Path) -> None:
    main(["--folder", str(tmp_path)])
    for file in FILES:
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), (
            f"{file.name} is not what the oracle says: run python -m seglosses_conformance.generate {file.stem}"
        )
