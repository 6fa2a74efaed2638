"""The page, from the table of one run alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.competitors import LIMIT, PLAIN
from benchmarks.gpu.plan import CASES, DTYPES
from benchmarks.gpu.rows import Row, read
from benchmarks.gpu.targets import Target, Verdict, judge
from benchmarks.report import number, table, words

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "gpu.csv"
PAGE = ROOT / "docs" / "gpu.md"

INTRODUCTION = f"""# On a GPU

Time and memory of the value of a loss and its gradient with respect to the logits on a GPU. `make gpu` checks the
losses there, measures for four minutes, and writes this page from `benchmarks/gpu.csv` alone.

**What is equal.** Every library has the same logits and labels and computes the same number: value and gradient are
compared with ours in float64 before anything is timed, and what has another number is refused. Logits are normal,
labels lie in square blocks, every class is in every image. With one class the target is a mask of the logits' dtype.
PyTorch has the class axis at 1, JAX last.

- *ms*: the median, with quartiles, of calls that follow each other without waiting, as in training: between CUDA events
  in PyTorch, by the clock over some calls in JAX. The first calls, and with them all compilation, are not counted.
- *× ours*: above 1 where our call in the same mode is faster.
- *× {LIMIT}*: over the time of reading the logits twice, writing a gradient and reading the target twice, at the
  bandwidth of a copy.
- *CPU*: milliseconds until a call returns to Python, with nothing before it on the device. Below that no call can be
  faster, whatever its size.
- *memory*: the peak beyond logits and gradient, in tensors of the logits' size; in JAX the temporaries that XLA plans.
- *{PLAIN}*: what a user would write, from one-hot, softmax and sums, with the framework's own derivative.
- *torch*: `F.cross_entropy`, with one class `F.binary_cross_entropy_with_logits`. *exacta* has kernels of its own.
"""
UNMEASURED = "Nothing was measured yet."


def write(results: Path = RESULTS, page: Path = PAGE) -> None:
    rows = read(results)
    parts = [INTRODUCTION]
    if any(row.ms is not None for row in rows):
        parts += ["## Where", environment(rows)]
        for dtype in DTYPES:
            for case in CASES.values():
                some = [row for row in rows if (row.case, row.dtype) == (case.name, dtype)]
                if any(row.ms is not None for row in some):
                    parts += [
                        f"## {some[0].shape}, {dtype}",
                        f"*{case.name}*: {case.about}.",
                        measurements(some),
                    ]
        parts += ["## No numbers", without_numbers(rows), "## Targets", *targets(rows)]
    else:
        parts.append(UNMEASURED)
    page.write_text("\n\n".join(part.strip("\n") for part in parts) + "\n", encoding="utf-8")


def environment(rows: Sequence[Row]) -> str:
    row = next(row for row in rows if row.ms is not None)
    return table(
        ("", ""),
        [
            ("device", row.device),
            ("copy bandwidth", f"{row.copy_gb_per_s:.0f} GB/s, reading and writing"),
            ("versions", row.versions),
            ("measured", row.date),
        ],
    )


def targets(rows: Sequence[Row]) -> list[str]:
    """All targets, each with the row that is farthest from it, and below all rows that miss one."""
    judged = judge(rows)
    missed = [verdict for _, verdicts in judged for verdict in verdicts if not verdict.reached]
    parts = [
        table(
            ("setting", "target", "case", "loss", "dtype", "bound", "worst", "rows", ""),
            [_summary(target, verdicts) for target, verdicts in judged],
        )
    ]
    if missed:
        parts += [
            "### Rows that miss a target",
            table(("setting", "target", "row", "bound", "found"), map(_miss, missed)),
        ]
    return parts


def _summary(target: Target, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    about = (
        f"{target.framework} {target.mode}", target.about, _all_or(target.cases), _all_or(map(words, target.losses)),
        _all_or(target.dtypes), target.bound,
    )  # fmt: skip
    if not verdicts:
        return (*about, "", "0", "not measured")
    worst = (min if target.at_least is not None else max)(verdicts, key=lambda verdict: verdict.value)
    reached = sum(verdict.reached for verdict in verdicts)
    where = f" ({_place(worst.row)})" if len(verdicts) > 1 else ""
    return (
        *about, number(worst.value) + where, f"{reached} of {len(verdicts)}",
        "reached" if reached == len(verdicts) else "**not reached**",
    )  # fmt: skip


def _all_or(names: Iterable[str]) -> str:
    return ", ".join(names) or "all"


def _place(row: Row) -> str:
    return f"{row.case}, {words(row.loss)}, {row.dtype}"


def _miss(verdict: Verdict) -> tuple[str, ...]:
    target = verdict.target
    return (
        f"{target.framework} {target.mode}",
        target.about,
        _place(verdict.row),
        target.bound,
        number(verdict.value),
    )


def measurements(rows: Sequence[Row]) -> str:
    """The rows of one case, loss by loss."""
    lines = []
    ours = {(row.framework, row.mode, row.loss): row.ms for row in rows if row.is_ours}
    for loss in dict.fromkeys(row.loss for row in rows):
        about = words(loss)
        for row in rows:
            if row.loss != loss or row.ms is None or row.ms_low is None or row.ms_high is None:
                continue
            ms = ours.get((row.framework, row.mode, loss))
            lines.append((
                about, row.library, f"{row.framework} {row.mode}",
                f"{number(row.ms)} ({number(row.ms_low)}–{number(row.ms_high)})",
                number(row.ms / ms) if ms else "", *(number(x) if x is not None else "" for x in
                (row.over_limit, row.cpu_ms, row.memory)),
            ))  # fmt: skip
            about = ""
    return table(("loss", "library", "setting", "ms", "× ours", f"× {LIMIT}", "CPU", "memory"), lines)


def without_numbers(rows: Sequence[Row]) -> str:
    """What was refused, failed or was left out, and in how many rows."""
    counts = Counter(
        (f"{row.framework} {row.mode}", row.library, words(row.loss), row.note) for row in rows if row.note
    )
    if not counts:
        return "Nothing."
    return table(("setting", "library", "loss", "why", "rows"), [(*key, str(n)) for key, n in counts.items()])
