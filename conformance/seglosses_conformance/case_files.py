"""Case files of others: what is wrong with one is an error that names the file, the case and the fault.

The suite's own files are held to the same by its tests, which takes longer than a run should take to start.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

import seglosses_core
from seglosses_conformance.cases import FOLDER, Case, case_of
from seglosses_conformance.targets import build

SCHEMA = "schema.json"
LOSSES = {loss.__name__ for loss in seglosses_core.LOSSES}


def read_cases(folder: Path) -> list[Case]:
    """The cases of every JSON file in `folder`, in the order of the files; a schema beside them is no case file.

    Raises
    ------
    ValueError
        If there are none, or if one of them is not what `cases/schema.json` and the shapes demand.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    cases: list[Case] = []
    files: dict[str, Path] = {}
    for file in sorted(folder.glob("*.json")):
        document = _read(file)
        if file.name == SCHEMA and isinstance(document, dict) and "cases" not in document:
            continue
        _check_schema(file, document)
        for case in document["cases"]:
            name = case["id"]
            if name in files:
                where = "twice in it" if files[name] == file else f"in {files[name]} too"
                raise ValueError(f"{file}, case {name!r}: an id must be unique, this one is {where}")
            files[name] = file
            try:
                _check_lengths(case)
                _check_hyperparameters(document["loss"], case["hyperparameters"])
                cases.append(case_of(document["loss"], case))
                _check_shapes(cases[-1])
            except OverflowError:
                raise ValueError(f"{file}, case {name!r}: a number is too large for its dtype") from None
            except ValueError as error:
                raise ValueError(f"{file}, case {name!r}: {error}") from error
    if not cases:
        raise ValueError(f"there are no case files (*.json) in {folder}")
    return cases


def _read(file: Path) -> Any:
    if not file.is_file():
        raise ValueError(f"{file} cannot be read: it is no file")
    try:
        text = file.read_text(encoding="utf-8")
        return json.loads(text, object_pairs_hook=_fields, parse_constant=_no_constant)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error
    except RecursionError:
        raise ValueError(f"{file} cannot be read: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{file} is no JSON in UTF-8: {error}") from error


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has {next(n for n in names if names.count(n) > 1)!r} twice")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f'{name} is no number there; write "nan", "inf" or "-inf"')


# -- the schema ---------------------------------------------------------------------------------------------------


def _check_schema(file: Path, document: Any) -> None:
    schema = json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8"))
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(document))
    if error is None:
        return
    path = list(error.absolute_path)
    case = ""
    if path[:1] == ["cases"] and len(path) > 1:
        found = document["cases"][path[1]]
        name = found.get("id") if isinstance(found, dict) else None
        case = f", case {name!r}" if isinstance(name, str) else f", case number {int(path[1]) + 1}"
        path = path[2:]
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    raise ValueError(f"{file}{case}: {place and f'{place}: '}{_sentence(error)}")


def _sentence(error: jsonschema.ValidationError) -> str:
    """What jsonschema says of an error, without a whole case or array in it."""
    given = json.dumps(error.instance, ensure_ascii=False, default=str)
    given = given if len(given) <= 60 else given[:60] + " …"
    wanted = error.validator_value
    if error.validator == "const":
        return f"expected {wanted!r}, got {given}"
    if error.validator == "enum":
        return f"expected one of {', '.join(map(repr, wanted))}, got {given}"
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        return f"expected {' or '.join(kinds)}, got {given}"
    if error.validator in ("anyOf", "oneOf", "not", "pattern", "minLength"):
        return f"expected {error.schema.get('description', json.dumps(error.schema))}, got {given}"
    message = error.message
    return message if len(message) <= 300 else message[:300] + " …"


# -- what a schema cannot say -------------------------------------------------------------------------------------


def _check_lengths(value: Any, name: str = "") -> None:
    if not isinstance(value, dict):
        return
    if "data" in value:
        given, wanted = len(value["data"]), math.prod(value["shape"])
        if given != wanted:
            raise ValueError(
                f"{name} of shape {value['shape']} has {wanted} elements, but its data has {given}"
            )
    for key, item in value.items():
        _check_lengths(item, f"{name}.{key}".lstrip("."))


def _check_hyperparameters(loss: str, hyperparameters: dict[str, Any]) -> None:
    """Of a loss that is ours; those of another loss are between its cases and its implementation."""
    unknown = [name for name in _within(hyperparameters, "loss") if name not in LOSSES]
    if unknown:
        raise ValueError(f"there is no loss {unknown[0]!r}; there are {', '.join(sorted(LOSSES))}")
    if loss in LOSSES:
        try:
            build(seglosses_core, loss, hyperparameters, class_axis=1)
        except (TypeError, ValueError) as error:
            raise ValueError(f"hyper-parameters that {loss} does not take: {error}") from error


def _within(value: Any, name: str) -> Iterator[Any]:
    """What stands under a name in hyper-parameters, and in those of the losses in them."""
    if isinstance(value, dict):
        if name in value and not isinstance(value[name], dict):
            yield value[name]
        for item in value.values():
            yield from _within(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _within(item, name)


def _check_shapes(case: Case) -> None:
    logits = case.logits
    if logits.ndim < 2 or logits.size == 0:
        raise ValueError(f"logits must be (N, C, *S) and not empty, got shape {logits.shape}")
    images, classes, *space = logits.shape
    for name in ("class_weights", "alpha"):
        for numbers in _within(case.hyperparameters, name):
            if isinstance(numbers, list) and len(numbers) != classes:
                raise ValueError(
                    f"{name} must have one number for each of {classes} classes, got {len(numbers)}"
                )
    _check("target", case.target, (images, *space), logits.shape)
    _check("mask", case.mask, (images, *space), logits.shape)
    _check("sample_weight", case.sample_weight, (images,))
    _check("instances", case.instances, (images, *space))
    if case.features is not None:
        _check("features", case.features, (images, *case.features.shape[1:2], *space))
    if case.centers is not None:
        dimensions = classes if case.features is None else case.features.shape[1]
        _check("centers", case.centers, (classes, dimensions))
    for dtype, expected in {"": case.expected, **case.expected_by_dtype}.items():
        name = f"expected_by_dtype.{dtype}" if dtype else "expected"
        _check(f"{name}.scale", expected.scale, expected.value.shape)
        _check(f"{name}.gradient", expected.gradient, logits.shape)
        if expected.feature_gradient is not None and case.features is None:
            raise ValueError(f"{name}.feature_gradient is given, but features are not")
        if case.features is not None:
            _check(f"{name}.feature_gradient", expected.feature_gradient, case.features.shape)


def _check(name: str, array: np.ndarray | None, *shapes: tuple[int, ...]) -> None:
    if array is not None and array.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
