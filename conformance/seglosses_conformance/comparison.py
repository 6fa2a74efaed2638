"""Two functions against each other, on the inputs of the cases: where do they part?"""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seglosses_conformance.planning import Plan
from seglosses_conformance.records import Result
from seglosses_conformance.runner import Outcome
from seglosses_conformance.tolerance import first_beyond, gradient_tolerance, value_tolerance


def print_comparison(made: Plan, outcome: Outcome, console: Console) -> int:
    """One line for each input that both functions take; the exit status is 0 if they agree on all, at least one."""
    first, second = made.targets
    table = Table(title=f"{first} against {second}", title_justify="left")
    for name in ("case", "dtype", first, second, "where they part"):
        table.add_column(name, overflow="fold")
    agreed = parted = 0
    reasons: dict[str, int] = {}
    by_input: dict[tuple[str, str], list[Result]] = {}
    for job in made.jobs:
        by_input.setdefault((job.case, job.dtype), []).append(outcome.results[job])
    for (case, dtype), results in by_input.items():
        problem = next((result for result in results if result.outcome is not None), None)
        if problem is not None:
            reasons[problem.reason] = reasons.get(problem.reason, 0) + 1
            parted += problem.outcome == "fail"
            continue
        where = parting(results[0], results[1], dtype)
        agreed, parted = agreed + (where is None), parted + (where is not None)
        values = [_short(result.values[-1]) for result in results]
        table.add_row(
            case, dtype, *values, Text("nowhere", "green") if where is None else Text(where, "bold red")
        )
    console.print(table)
    for reason, count in reasons.items():
        console.print(Text(f"not compared on {count} inputs: {reason}", style="yellow"))
    console.print(f"{agreed} inputs agree, {parted} do not")
    return int(parted > 0 or agreed == 0)


def parting(first: Result, second: Result, dtype: str) -> str | None:
    """Where two results part: in the value, or at which index of the gradient first, the class axis being 1."""
    parts = [("value", first.values[-1], second.values[-1])]
    for name in first.gradients.keys() & second.gradients.keys():
        title = "gradient" if name == "logits" else f"gradient of the {name}"
        parts.append((title, first.gradients[name], second.gradients[name]))
    for title, a, b in parts:
        if a.shape != b.shape:
            return f"{title}: shapes {a.shape} and {b.shape}"
        larger = np.maximum(np.abs(a), np.abs(b))
        tolerance = value_tolerance(larger, dtype) if title == "value" else gradient_tolerance(larger, dtype)
        index = first_beyond(a, b, tolerance)
        if index is not None:
            place = f" at {list(index)}" if index else ""
            return f"{title}{place}: {float(a[index])!r} and {float(b[index])!r}"
    return None


def _short(value: np.ndarray) -> str:
    return f"{value[()]:.9g}" if value.ndim == 0 else f"array {value.shape}"
