"""What a run found: a table on the terminal, a JSON file, a self-contained HTML page."""

from __future__ import annotations

import datetime
import importlib.metadata
import io
import json
import math
import os
import platform
import shlex
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seglosses_conformance.agreement import Agreement, column
from seglosses_conformance.grades import CONVENTIONS, GRADES, STRICTEST, reaches
from seglosses_conformance.printable import printable, shown
from seglosses_conformance.records import Record
from seglosses_conformance.targets import TARGETS
from seglosses_conformance.tolerance import DTYPES, EPS_FACTOR

PACKAGES = (
    "seglosses", "array-api-compat", "array-api-strict", "numpy", "ml_dtypes", "torch", "jax", "jaxlib", "tensorflow",
    "keras", "cupy",
)  # fmt: skip
"""Whose versions a report has, where they are installed."""

OUTCOMES = ("pass", "fail", "differs", "unsupported", "absent")

LEVELS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""The steps of the heat map's scale: the error as a share of its tolerance."""


@dataclass(frozen=True)
class Report:
    """A whole run, ready to be written."""

    run: dict[str, Any]
    records: list[Record]
    agreements: list[Agreement]

    @property
    def counts(self) -> Counter[str]:
        return Counter(record.outcome for record in self.records)

    @property
    def compared(self) -> dict[str, int]:
        """How many comparisons had a gradient, how many the value alone, and where it was the target that gave none."""
        with_gradient = sum(record.gradient_error is not None for record in self.records)
        values = sum(record.value_error is not None for record in self.records)
        both = sum(
            record.value_error is not None and record.gradient_error is not None for record in self.records
        )
        missing = sum(bool(record.missing) for record in self.records)
        return {"with_gradient": with_gradient, "value_alone": values - both, "gradient_missing": missing}

    @property
    def conforms(self) -> bool:
        """Whether something was compared and nothing fails."""
        return self.counts["pass"] > 0 and not self.counts["fail"]

    def __str__(self) -> str:
        """What `print_report` prints."""
        text = io.StringIO()
        print_report(self, Console(file=text, width=120))
        return text.getvalue()


def describe_run(
    arguments: list[str], settings: dict[str, Any], started: float, ended: float, grade: str = STRICTEST
) -> dict[str, Any]:
    """Where and on what a run was made, and what was asked; the times are seconds since 1970."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.datetime.fromtimestamp(started, datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(ended - started, 1),
        "command": shlex.join(["python", "-m", "seglosses_conformance", *arguments]),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "versions": versions,
        "settings": settings,
        "grade": grade,
    }


def write_json(report: Report, path: Path) -> None:
    """The file that `report.schema.json` describes."""
    content = {
        "format": 1,
        "run": report.run,
        "counts": {**{name: report.counts[name] for name in OUTCOMES}, **report.compared},
        "records": [asdict(record) for record in report.records],
        "agreements": [asdict(agreement) for agreement in report.agreements],
    }
    path.write_text(json.dumps(named(content), allow_nan=False, indent=1) + "\n", encoding="utf-8")


def named(value: Any) -> Any:
    """`value` with the floats that JSON lacks as the strings "nan", "inf" and "-inf"."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: named(item) for key, item in value.items()}
    if isinstance(value, list):
        return [named(item) for item in value]
    return value


# -- the terminal -------------------------------------------------------------------------------------------------


def print_report(report: Report, console: Console, limit: int = 20) -> None:
    """A table of losses by targets, the first failures, and what was left out; of each list `limit` entries."""
    columns = _columns(report.records)
    table = Table(title="comparisons that conform, or ✗ that do not", title_justify="left", padding=(0, 0))
    table.add_column("loss", no_wrap=True)
    for name in columns:
        table.add_column(Text("-\n").join(map(shown, name.split("-", 1))), justify="right", overflow="fold")
    losses = _by_loss(report.records)
    for loss, by_column in losses.items():
        counts_of = (_count(by_column.get(name, [])) for name in columns)
        table.add_row(shown(loss.removesuffix("Loss")), *counts_of)
    console.print(table)
    for name, rows in by_grade(report.records).items():
        console.print(shown(name))
        for grade, failing, what in rows:
            console.print(shown(f"  {grade:<11} {failing:<12} {what}", "green" if failing == PASSES else ""))
    for outcome, sign, style in (("fail", "✗", "bold red"), ("differs", "≠", "bold yellow")):
        found = groups(report.records, outcome)
        for group in found[:limit]:
            where = f" · {group.first.loss} on {group.column}" if len(columns) > 1 or len(losses) > 1 else ""
            title = shown(f"{group.cause}{where} · {group.number}: {group.places}")
            console.print(Text.assemble((f"{sign} ", style), title))
            for sentence in group.here:
                console.print(shown(f"  here: {sentence}"))
            console.print(shown(f"  {_place(group.first)}: {group.first.reason}"))
            if outcome == "fail" and group.first.command:
                console.print(shown(f"  {group.first.command}", "dim"), soft_wrap=True)
        _print_more(console, len(found) - limit, "causes")
    for reason, targets, _ in _reasons(report.records, "absent"):
        console.print(shown(f"absent: {', '.join(targets)}: {reason}", "yellow"))
    unsupported = _reasons(report.records, "unsupported")
    for reason, targets, count in unsupported[:limit]:
        console.print(shown(f"unsupported, {count:,} on {', '.join(targets)}: {reason}", "yellow"))
    _print_more(console, len(unsupported) - limit, "reasons")
    for sentence in without_gradient(report.records):
        console.print(shown(sentence, "bold yellow"))
    counts, compared = report.counts, report.compared
    words = {"pass": "pass", "fail": "fail", "differs": "differ by convention", "unsupported": "unsupported"}
    parts = [f"{counts[name]:,} {word}" for name, word in words.items() if counts[name]]
    console.print(
        Text(", ".join(parts) or "nothing was compared", style="bold"),
        f"in {report.run['seconds']} s; compared with the gradient: {compared['with_gradient']:,},"
        f" the value alone: {compared['value_alone']:,}",
    )


def _print_more(console: Console, more: int, what: str) -> None:
    if more > 0:
        console.print(f"… and {more} more {what}: --json or --html lists them all.")


def without_gradient(records: list[Record]) -> list[str]:
    """A sentence for each target that gives no gradient where one is expected."""
    counts = Counter(column(record.target, record.device) for record in records if record.missing)
    return [
        f"no gradient from {target} in {count:,} comparisons that expect one: it was not compared there"
        for target, count in counts.items()
    ]


PASSES = "passes"


def by_grade(records: list[Record]) -> dict[str, list[tuple[str, str, str]]]:
    """For each of somebody's own, each grade: how many comparisons fail it, and what it asks for."""
    compared: dict[str, list[Record]] = {}
    for record in records:
        if record.outcome in ("pass", "fail", "differs") and record.target not in TARGETS:
            compared.setdefault(f"{column(record.target, record.device)}, by grade", []).append(record)
    return {
        title: [
            (grade, f"{failing:,} fail it" if failing else PASSES, what)
            for grade, what in GRADES.items()
            for failing in [sum(not reaches(record.grade, grade) for record in of_one)]
        ]
        for title, of_one in compared.items()
    }


@dataclass(frozen=True)
class Group:
    """What fails for one cause, of one loss on one target."""

    cause: str
    here: list[str]
    """What the conventions are that are another there."""
    records: list[Record]

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def column(self) -> str:
        return column(self.first.target, self.first.device)

    @property
    def number(self) -> str:
        """How many comparisons, and in which dtypes."""
        dtypes = ", ".join(dict.fromkeys(str(record.dtype) for record in self.records))
        plural = "s" if self.records[1:] else ""
        return f"{len(self.records):,} comparison{plural} ({dtypes})"

    @property
    def places(self) -> str:
        """The cases, the first of them by name."""
        names = list(dict.fromkeys(map(_place, self.records)))
        more = f" and {len(names) - 8} more" if names[8:] else ""
        return "; ".join(names[:8]) + more


def groups(records: list[Record], outcome: str) -> list[Group]:
    """The records of one outcome by their cause, in the order in which causes come up."""
    alone = {_effect(record, *record.conventions) for record in records}
    grouped: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        if record.outcome == outcome:
            conventions = _conventions(record, alone)
            grouped.setdefault((record.device, conventions, *_effect(record)), []).append(record)
    return [
        Group(
            f"{' and '.join(conventions)}: {of_one[0].cause}" if conventions else of_one[0].cause or "fails",
            [CONVENTIONS[name].here for name in conventions],
            of_one,
        )
        for (_, conventions, *_), of_one in grouped.items()
    ]


def _effect(record: Record, *conventions: str) -> tuple[str, ...]:
    return (record.target, record.loss, record.cause, *conventions)


def _conventions(record: Record, alone: set[tuple[str, ...]]) -> tuple[str, ...]:
    """Which conventions a difference is put down to: of several the one that `alone` has this effect elsewhere. What
    also comes up where none is in question, as an exception or as a guess at what is computed, is put down to none."""
    is_particular = record.cause.startswith("raises") or "," in record.cause
    if is_particular and _effect(record) in alone:
        return ()
    one = [name for name in record.conventions if _effect(record, name) in alone][:1]
    return tuple(one or record.conventions)


def _place(record: Record) -> str:
    return f"{record.case}, {record.check}" if record.check else str(record.case)


def _count(records: list[Record]) -> Text:
    counts = Counter(record.outcome for record in records)
    if counts["fail"]:
        return Text(f"{counts['fail']}✗", style="bold red")
    if counts["differs"] and not counts["pass"]:
        return Text(f"{counts['differs']}≠", style="yellow")
    if counts["pass"]:
        return Text(str(counts["pass"]), style="green")
    return Text("absent" if counts["absent"] else "–", style="dim")


def _columns(records: list[Record]) -> list[str]:
    return list(dict.fromkeys(column(record.target, record.device) for record in records))


def _by_loss(records: list[Record]) -> dict[str, dict[str, list[Record]]]:
    grouped: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        grouped.setdefault(record.loss, {}).setdefault(column(record.target, record.device), []).append(
            record
        )
    return dict(sorted(grouped.items()))


def _reasons(records: list[Record], outcome: str) -> list[tuple[str, list[str], int]]:
    """Each reason of an outcome with its targets and the number of records, the most frequent first."""
    grouped: dict[str, Counter[str]] = {}
    for record in records:
        if record.outcome == outcome:
            grouped.setdefault(record.reason, Counter())[column(record.target, record.device)] += 1
    found = [(reason, list(targets), targets.total()) for reason, targets in grouped.items()]
    return sorted(found, key=lambda group: -group[2])


# -- the page -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One field of a heat map: what it shows, its step on the scale, and the details on hovering."""

    text: str
    level: str
    title: str


def write_html(report: Report, path: Path) -> None:
    """One page without scripts and without anything from elsewhere."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("seglosses_conformance", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_as_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(**page_content(report))
    path.write_text(page, encoding="utf-8")


def _as_text(value: Any) -> Any:
    """What goes into the page: text as it can be seen, line by line; what the page itself has made is left alone."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(map(printable, value.split("\n")))


def page_content(report: Report) -> dict[str, Any]:
    """The tables of the page, one of each kind for all dtypes together and one for each dtype."""
    columns = _columns(report.records)
    causes = {outcome: groups(report.records, outcome) for outcome in ("fail", "differs")}
    present = [dtype for dtype in DTYPES if any(record.dtype == dtype for record in report.records)]
    views: list[dict[str, Any]] = [{"name": dtype, "id": dtype, "dtypes": [dtype]} for dtype in present]
    if len(present) != 1:
        views.insert(0, {"name": "all dtypes", "id": "all", "dtypes": present})
    for view in views:
        chosen = [r for r in report.records if r.dtype is None or r.dtype in view["dtypes"]]
        by_loss = _by_loss(chosen)
        view["heat"] = [
            (loss, [_heat_cell(by_column.get(name, [])) for name in columns])
            for loss, by_column in by_loss.items()
        ]
        agreements = [agreement for agreement in report.agreements if agreement.dtype in view["dtypes"]]
        view["pairs"] = _pairs(agreements, columns)
        view["devices"] = _devices(agreements, columns)
    return {
        "run": report.run,
        "counts": report.counts,
        "total": report.counts["pass"] + report.counts["fail"] + report.counts["differs"],
        "grades": by_grade(report.records),
        "compared": report.compared,
        "without_gradient": without_gradient(report.records),
        "columns": columns,
        "views": views,
        "levels": _scale(),
        "eps_factor": EPS_FACTOR,
        "causes": {outcome: found[:500] for outcome, found in causes.items()},
        "more_causes": {outcome: max(0, len(found) - 500) for outcome, found in causes.items()},
        "unsupported": _reasons(report.records, "unsupported"),
        "absent": _reasons(report.records, "absent"),
        "widened": _reasons([r for r in report.records if r.outcome == "pass" and r.reason], "pass"),
    }


def _heat_cell(records: list[Record]) -> Cell:
    counts = Counter(record.outcome for record in records)
    compared = [record for record in records if record.ratio is not None and record.outcome != "differs"]
    if not counts["pass"] + counts["fail"] + counts["differs"]:
        reason = next((record.reason for record in records), "not compared")
        return Cell("absent" if counts["absent"] else "–", "none", reason)
    title = f"{counts['pass']} pass, {counts['fail']} fail"
    if counts["differs"]:
        title += f", {counts['differs']} differ by a convention"
    if counts["unsupported"]:
        title += f", {counts['unsupported']} unsupported"
    missing = sum(bool(record.missing) for record in records)
    if missing:
        title += f"\nno gradient in {missing} that expect one"
    worst = max(compared, key=lambda record: record.ratio or 0.0, default=None)
    if worst is not None and worst.ratio is not None:
        check = f", {worst.check}" if worst.check else ""
        title += f"\nlargest error {share(worst.ratio)} of its tolerance:\n{worst.case}{check}, {worst.dtype}"
    if counts["fail"]:
        return Cell(f"{counts['fail']} ✗", "fail", title)
    ratio = 0.0 if worst is None or worst.ratio is None else worst.ratio
    return Cell(share(ratio), level(ratio), title)


def _pairs(agreements: list[Agreement], columns: list[str]) -> list[tuple[str, list[Cell | None]]]:
    """A triangle: each column against those before it."""
    worst: dict[frozenset[str], Agreement] = {}
    for agreement in agreements:
        pair = frozenset((agreement.first, agreement.second))
        if pair not in worst or agreement.ratio > worst[pair].ratio:
            worst[pair] = agreement
    there = [name for name in columns if any(name in pair for pair in worst)]
    rows: list[tuple[str, list[Cell | None]]] = []
    for i, name in enumerate(there):
        found = [worst.get(frozenset((name, other))) for other in there[:i]]
        rows.append((name, [None if a is None else _agreement_cell(a) for a in found]))
    return rows


def _devices(agreements: list[Agreement], columns: list[str]) -> dict[str, Any] | None:
    """Each target on the CPU against itself on another device, by loss; None if there is but one device."""
    others = [name for name in columns if name.endswith(")") and name.rpartition(" (")[0] in columns]
    if not others:
        return None
    found = {(a.loss, frozenset((a.first, a.second))): a for a in agreements}
    rows = []
    for loss in sorted({agreement.loss for agreement in agreements}):
        pairs = [found.get((loss, frozenset((name, name.rpartition(" (")[0])))) for name in others]
        rows.append((loss, [None if pair is None else _agreement_cell(pair) for pair in pairs]))
    return {"columns": others, "rows": rows}


def _agreement_cell(agreement: Agreement) -> Cell:
    pair = f"{agreement.first} against {agreement.second}"
    title = f"{pair}: {share(agreement.ratio)} of twice the tolerance\n{agreement.case}, {agreement.dtype}"
    return Cell(share(agreement.ratio), level(agreement.ratio), title)


def share(ratio: float) -> str:
    """An error as a share of its tolerance, short enough for a cell."""
    if ratio == 0:
        return "0"
    if ratio < LEVELS[0]:
        return f"<{LEVELS[0]:g}".replace("0.", ".")
    if not math.isfinite(ratio):
        return "∞"
    if ratio >= 1000:
        return f"{ratio:.0e}".replace("e+0", "e")
    return f"{ratio:.2g}".replace("0.", ".", 1) if ratio < 1 else f"{ratio:.3g}"


def level(ratio: float) -> str:
    """The step of the scale that a share is on."""
    return next((str(step) for step, limit in enumerate(LEVELS) if ratio <= limit), "fail")


def _scale() -> list[tuple[str, str]]:
    return [(str(step), f"≤ {limit:g}") for step, limit in enumerate(LEVELS)] + [("fail", "fails")]
