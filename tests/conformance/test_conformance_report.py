"""What is said of a run: exit status, the terminal, the JSON file, the page."""

from __future__ import annotations

import dataclasses
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

import seglosses_conformance
from seglosses_conformance import report
from seglosses_conformance.agreement import Agreement
from seglosses_conformance.cli import exit_status
from seglosses_conformance.records import Record

SCHEMA = json.loads((Path(seglosses_conformance.__file__).parent / "report.schema.json").read_text())


def a_record(**changes: Any) -> Record:
    record = Record("DiceLoss", "dice/labels", None, "numpy", "float32", 1, "cpu", "pass")
    return dataclasses.replace(record, **changes)


def a_report(*records: Record, agreements: tuple[Agreement, ...] = ()) -> report.Report:
    return report.Report(report.describe_run([], {}, 0.0, 1.0), list(records), list(agreements))


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


def printed(made: report.Report) -> str:
    text = io.StringIO()
    report.print_report(made, Console(file=text, width=200))
    return text.getvalue()


COMPARED: dict[str, Any] = {"value_error": 0.0, "value_tolerance": 1.0}


def test_a_gradient_that_was_not_compared_is_told_everywhere(tmp_path: Path) -> None:
    made = a_report(
        a_record(**COMPARED, gradient_error=0.0, gradient_tolerance=1.0),
        a_record(**COMPARED),  # a map, of which no gradient is expected
        a_record(**COMPARED, target="own:dice", missing=["logits"]),
    )
    sentence = "no gradient from own:dice in 1 comparisons that expect one: it was not compared there"
    assert sentence in printed(made)
    assert "compared with the gradient: 1, the value alone: 2" in printed(made)
    report.write_html(made, tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert sentence in page
    assert "3 comparisons, 1 with the gradient and 2 of the value alone" in page
    report.write_json(made, tmp_path / "out.json")
    content = json.loads((tmp_path / "out.json").read_text())
    jsonschema.validate(content, SCHEMA)
    counts = {"pass": 3, "fail": 0, "differs": 0, "unsupported": 0, "absent": 0}
    assert content["counts"] == {**counts, "with_gradient": 1, "value_alone": 2, "gradient_missing": 1}


def test_the_reasons_of_unsupported_are_told_with_their_number(tmp_path: Path) -> None:
    records = [a_record(outcome="unsupported", reason=reason) for reason in ("rare", "often", "often")]
    shown = printed(a_report(*records))
    assert shown.index("unsupported, 2 on numpy: often") < shown.index("unsupported, 1 on numpy: rare")
    report.write_html(a_report(*records), tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "unsupported, 2" in page
    assert "often" in page


def test_failures_are_told_by_their_cause(tmp_path: Path) -> None:
    own: dict[str, Any] = {"target": "own:dice", "outcome": "differs", "grade": "accurate"}
    soft = {**own, "conventions": ["soft targets"], "cause": "raises ValueError", "reason": "ValueError: no"}
    both = {**soft, "conventions": ["targets of any sum", "soft targets"]}
    value: dict[str, Any] = {"outcome": "fail", "cause": "another value", "target": "own:dice"}
    made = a_report(
        a_record(case="dice/a", **both),
        a_record(case="dice/b", **soft),
        a_record(case="dice/c", reason="0.5, expected 0.25", command="again c", **value),
        a_record(case="dice/d", **value, dtype="float64"),
        a_record(case="dice/e", **{**soft, "cause": "another value"}),
    )
    assert not made.conforms
    assert [(g.cause, [r.case for r in g.records]) for g in report.groups(made.records, "differs")] == [
        ("soft targets: raises ValueError", ["dice/a", "dice/b"]),
        ("soft targets: another value", ["dice/e"]),
    ]
    shown = printed(made)
    assert str(made) != ""
    assert "✗ another value · 2 comparisons (float32, float64): dice/c; dice/d" in shown
    assert "  dice/c: 0.5, expected 0.25\n  again c\n" in shown
    assert "≠ soft targets: raises ValueError · 2 comparisons (float32): dice/a; dice/b" in shown
    assert "2 fail, 3 differ by convention" in shown
    report.write_html(made, tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    for text in (
        "Failures, by their cause",
        "dice/c; dice/d",
        "Another convention, and no failure",
        "2 of 5 fail",
    ):
        assert text in page
    report.write_json(made, tmp_path / "out.json")
    jsonschema.validate(json.loads((tmp_path / "out.json").read_text()), SCHEMA)


def test_what_fails_everywhere_is_no_convention() -> None:
    failing = {"target": "own:dice", "outcome": "fail"}
    for cause, grouped in (
        ("raises ValueError", ["raises ValueError"]),
        ("another value, as with smooth=1.0", ["another value, as with smooth=1.0"]),
        ("another value", ["another value", "soft targets: another value"]),
    ):
        records = [
            a_record(**failing, cause=cause),
            a_record(**failing, cause=cause, grade="accurate", conventions=["soft targets"]),
        ]
        assert [group.cause for group in report.groups(records, "fail")] == grouped


def test_the_grades_of_ours_are_not_told() -> None:
    records = [a_record(target="own:dice", grade="exact"), a_record(target="torch")]
    assert list(report.by_grade(records)) == ["own:dice, by grade"]


def test_text_of_others_is_shown_as_text(tmp_path: Path) -> None:
    nasty = "[/foo]bar \x1b]0;title\x07 \u202e \ud800"
    plain = "[/foo]bar \\x1b]0;title\\x07 \\u202e \\ud800"
    failed = a_record(outcome="fail", loss=nasty, case=nasty, target=nasty, reason=nasty, command=nasty)
    other = a_record(outcome="unsupported", target=nasty, reason=nasty)
    made = a_report(failed, other, a_record(outcome="absent", reason=nasty))
    assert printed(made).count(plain) >= 5
    report.write_html(made, tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count(plain) >= 5
    for text in (printed(made), page):
        assert not {"\x1b", "\x07", "\u202e", "\ud800"} & set(text)


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
