"""Two functions against each other, on the inputs of the cases: where do they part?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seglosses_conformance.planning import Plan
from seglosses_conformance.printable import shown
from seglosses_conformance.records import Job, Result
from seglosses_conformance.runner import Outcome
from seglosses_conformance.tolerance import first_beyond, gradient_tolerance, value_tolerance


def print_comparison(made: Plan, outcome: Outcome, console: Console) -> int:
    """One line for each input that both functions take.

    The exit status is 0 if they agree on all of them and there is one. To give a gradient that the other lacks is not
    to agree. Where both lack it they agree in the value alone, which is said.
    """
    names = list(made.targets)[:2]
    table = Table(title=shown(" against ".join(names)), title_justify="left")
    for name in ("case", "dtype", *names, "where they part"):
        table.add_column(shown(name), overflow="fold")
    counts = Counter[str]()
    reasons = Counter(record.reason for record in made.records)
    for pair in _pairs(made, names):
        first, second = (outcome.results[job] for job in pair)
        problem = next((result for result in (first, second) if result.outcome is not None), None)
        if problem is not None:
            reasons[problem.reason] += 1
            counts["part"] += problem.outcome == "fail"
            continue
        job = pair[0]
        wanted = _wanted(job, made)
        neither = [name for name in wanted if name not in first.gradients.keys() | second.gradients.keys()]
        where = parting(first, second, job.dtype) or _one_sided(first, second, wanted, names)
        kind = "part" if where else "without" if neither else "both" if wanted else "value"
        counts[kind] += 1
        verdict = where or ("nowhere, but neither gives a gradient" if neither else "nowhere")
        style = "bold red" if where else "yellow" if neither else "green"
        values = (shown(_short(result.values[-1])) for result in (first, second))
        table.add_row(shown(_input(job, made)), job.dtype, *values, shown(verdict, style))
    console.print(table)
    for reason, count in reasons.most_common():
        console.print(shown(f"not compared, {count:,}: {reason}", "yellow"))
    agreed = counts["both"] + counts["value"] + counts["without"]
    closing = f"{agreed:,} inputs agree, {counts['both']:,} in value and gradient"
    closing += f", {counts['value']:,} in the value where no gradient is expected" if counts["value"] else ""
    closing += (
        f", {counts['without']:,} in the value alone, since neither gives a gradient"
        if counts["without"]
        else ""
    )
    console.print(Text(f"{closing}; {counts['part']:,} do not agree"))
    return int(counts["part"] > 0 or agreed == 0)


def _pairs(made: Plan, names: list[str]) -> list[tuple[Job, Job]]:
    """The jobs of one function with those of the other on the same input; each may have a class axis of its own."""
    by_input: dict[Job, tuple[list[Job], list[Job]]] = {}
    for job in made.jobs:
        if job.target in names:
            of_both = by_input.setdefault(replace(job, target="", class_axis=0), ([], []))
            of_both[names.index(job.target)].append(job)
    return [pair for jobs in by_input.values() for pair in zip(*jobs, strict=False)]


def _input(job: Job, made: Plan) -> str:
    several = len({other.class_axis for other in made.jobs if other.target == job.target}) > 1
    text = f"{job.case}, class axis {job.class_axis}" if several else job.case
    return text if job.device == "cpu" else f"{text}, {job.device}"


def _wanted(job: Job, made: Plan) -> list[str]:
    """The inputs of which a gradient is expected."""
    names = ["logits"] if made.cases[job.case].features is None else ["logits", "features"]
    return names if job.gradient else []


def _one_sided(first: Result, second: Result, wanted: list[str], names: list[str]) -> str | None:
    """The gradient that one of two functions gives and the other lacks."""
    for name in wanted:
        given = [name in result.gradients for result in (first, second)]
        if given[0] != given[1]:
            return f"{_title(name)}: {names[given.index(False)]} gives none, the values agree"
    return None


def parting(first: Result, second: Result, dtype: str) -> str | None:
    """Where two results part: in the value, or at which index of the gradient first, the class axis being 1."""
    others = _parts(second)
    for title, a in _parts(first).items():
        if title not in others:
            continue
        b = others[title]
        if a.shape != b.shape:
            return f"{title}: shapes {a.shape} and {b.shape}"
        larger = np.maximum(np.abs(a), np.abs(b))
        tolerance = value_tolerance(larger, dtype) if title == "value" else gradient_tolerance(larger, dtype)
        index = first_beyond(a, b, tolerance)
        if index is not None:
            place = f" at {list(index)}" if index else ""
            return f"{title}{place}: {float(a[index])!r} and {float(b[index])!r}"
    return None


def _parts(result: Result) -> dict[str, np.ndarray]:
    gradients = {_title(name): gradient for name, gradient in result.gradients.items()}
    return {"value": result.values[-1], **gradients}


def _title(name: str) -> str:
    return "gradient" if name == "logits" else f"gradient of the {name}"


def _short(value: np.ndarray) -> str:
    return f"{value[()]:.9g}" if value.ndim == 0 else f"array {value.shape}"
