"""The losses are listed in one place, `seglosses_core.LOSSES`: whatever is about all of them asks there, or the records
of the conformance suite, so that a new loss is nowhere forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import seglosses_core

ROOT = Path(__file__).parents[1]
NAMES = {kind.__name__ for kind in seglosses_core.LOSSES}
FOLDERS = (
    "adapters",
    "benchmarks",
    "conformance",
    "docs",
    "examples",
    "scripts",
    "seglosses_core",
    "study",
    "tests",
)
MANY = 6


def name_of(node: ast.expr | None) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name
    return None


def lists_of_losses(source: str) -> Iterator[int]:
    """The lines of lists, tuples, sets and dicts that name many losses, and nothing about each, such as its options."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items) | ast.Dict(keys=items):
                if len(NAMES & set(map(name_of, items))) >= MANY:
                    yield node.lineno


def test_the_losses_are_listed_once() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if any(lists_of_losses(path.read_text()))
    }
    assert found == {"seglosses_core/__init__.py"}


def test_a_second_list_is_found() -> None:
    first = sorted(NAMES)[:MANY]
    assert any(lists_of_losses(f"several = {first}"))
    assert any(lists_of_losses(f"several = ({', '.join('core.' + name for name in first)})"))
    assert not any(lists_of_losses(f"several = {[(name, {'smooth': 1.0}) for name in first]}"))
