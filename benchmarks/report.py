"""The page and the pictures, from the table of results alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, window
from benchmarks.competitors import DICE_ALONE, DICE_AND_CROSS_ENTROPY, LIMIT, OURS, OURS_ONE_HOT, PLAIN
from benchmarks.results import Quartiles, Row, read
from benchmarks.targets import judge

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results.csv"
DOCS = ROOT / "docs"
NOTES = Path(__file__).with_name("notes.md")

INTRODUCTION = """# Benchmarks

Time and memory of the value of a loss and its gradient with respect to the logits, beside what a user would pick
instead. `make bench` measures, and writes this page from `benchmarks/results.csv` alone. Pictures come first, then how
it was measured and all numbers, and what was aimed at last.
"""

METHOD = f"""## How it is measured

**What runs.** Each library has a process of its own for each loss of each case. The processes live side by side and are
asked in turn, in an order that changes, for some evaluations in a row. Times are medians with quartiles. *× ours* is
the library's time over ours, above 1 where ours is faster: ratios are taken between the times of one round, and the
median and the quartiles are those of the rounds.

**What is equal.** Every library has the same logits and labels, and is set up to compute the same number: value and
gradient are compared with ours before anything is timed, and what has another number is refused. Labels lie in square
blocks, and every class is in every image. A library that takes no labels gets a one-hot target, with one class a mask,
ready made.

- *{PLAIN}*: what a user would write, from one-hot, softmax and sums, with the framework's own derivative.
- *{LIMIT}*: what memory alone would take: the logits read twice, for pixel losses once, and a tensor of their size
  written.
- *{DICE_ALONE}*: what of Dice + cross-entropy would be paid anyway, and a measure of losses with the same sums.
- *{DICE_AND_CROSS_ENTROPY}*: the same for the unified focal loss.
- *{OURS_ONE_HOT}*: ours with the target that Keras' own losses take.

**Memory** is the peak beyond the logits and one gradient, in tensors of the logits' size, the median of three
evaluations. For PyTorch and NumPy on a CPU it is the growth of the high-water mark of resident memory (VmHWM), which is
set back before each evaluation after free memory has been given back; for PyTorch on a GPU, and for TensorFlow, which
keeps what it has had, the peak of the framework's own allocator; for JAX the temporaries that XLA plans.

**Allocator.** On a CPU fresh memory is dear, since every page of it is a page fault. *huge pages* is PyTorch with
`THP_MEM_ALLOC_ENABLE=1`. NumPy asks for huge pages, and TensorFlow does not give memory back, by themselves.

**Neighbour.** *bursty neighbour* has a process on every core that works half of the time, in bursts of up to 20 ms, as
data loaders do.
"""

COLOURS = {
    OURS: "black", OURS_ONE_HOT: "0.5", DICE_ALONE: "0.75", DICE_AND_CROSS_ENTROPY: "0.6",
    PLAIN: "tab:orange", LIMIT: "tab:green", "torch": "tab:red", "monai": "tab:blue", "kornia": "tab:purple",
    "exacta": "tab:olive", "segmentation_models_pytorch": "tab:brown", "optax": "tab:cyan", "keras": "tab:red",
    "scipy": "tab:gray",
}  # fmt: skip


def write(results: Path = RESULTS, docs: Path = DOCS) -> None:
    """`benchmarks.md`, with the notes at its end, and beside it the pictures of each machine."""
    machines = _groups(read(results), lambda row: row.machine)
    parts = [INTRODUCTION]
    for machine, rows in machines:
        name = "benchmarks-" + re.sub("[^a-z0-9]+", "-", machine.lower()).strip("-")
        draw_overview(rows, docs / f"{name}.svg")
        parts += [
            f"## Overview: {machine}",
            "On the left time over ours, slower than ours beyond 1; on the right memory.",
            f"![Time and memory of each library]({name}.svg)",
        ]
        if draw_growth(rows, docs / f"{name}-growth.svg"):
            parts.append("With the size of the input; solid: ours.")
            parts.append(f"![Time and memory by size]({name}-growth.svg)")
    parts.append(METHOD)
    for machine, rows in machines:
        parts += [f"## {machine}", environment(rows)]
        for setting, some in _groups(rows, _setting):
            parts += [f"### {setting}", measurements(some)]
        parts += ["### Not compared", left_out(rows)]
    for machine, rows in machines:
        parts += [f"## Targets: {machine}", targets(rows)]
    parts.append(NOTES.read_text(encoding="utf-8"))
    (docs / "benchmarks.md").write_text(
        "\n\n".join(part.strip("\n") for part in parts) + "\n", encoding="utf-8"
    )


def _groups(rows: Iterable[Row], key: Callable[[Row], str]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return list(found.items())


def _setting(row: Row) -> str:
    return f"{row.framework} {row.mode}" + (f", {row.surroundings}" if row.surroundings != "default" else "")


# -- tables -----------------------------------------------------------------------------------------------------------


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _text(found: Quartiles | None, factor: float = 1) -> str:
    if found is None:
        return ""
    low, median, high = (number(factor * x) for x in found)
    return f"{median} ({low}–{high})"


def words(name: str) -> str:
    return name.replace("_", " ")


def environment(rows: Sequence[Row]) -> str:
    """What is the same in all rows; where runs differ, each value that there is."""
    about = {
        "cores": lambda row: str(row.cores),
        "threads": lambda row: str(row.threads),
        "memory": lambda row: f"{row.memory_gib:.0f} GiB",
        "copy bandwidth": lambda row: f"{row.copy_gb_per_s:.3g} GB/s, reading and writing",
        "allocator": lambda row: row.malloc,
        "versions": lambda row: row.versions,
        "measured": lambda row: row.date,
    }
    return table(
        ("", ""), [(name, "; ".join(dict.fromkeys(map(value, rows)))) for name, value in about.items()]
    )


def targets(rows: Sequence[Row]) -> str:
    answers = {True: "reached", False: "**not reached**", None: "not measured"}
    return table(
        ("setting", "target", "beside", "case", "loss", "bound", "median (quartiles)", ""),
        [
            (
                f"{v.target.framework} {v.target.mode}"
                + (f", {v.target.surroundings}" if v.target.surroundings != "default" else ""),
                v.target.about, words(v.target.library or v.target.like), v.case, words(v.loss), v.target.bound,
                _text(v.found), answers[v.reached],
            )
            for v in judge(rows)
        ],
    )  # fmt: skip


def measurements(rows: Sequence[Row]) -> str:
    lines = []
    for (case, loss), some in groupby(
        (row for row in rows if not row.note), lambda row: (row.case, row.loss)
    ):
        for i, row in enumerate(some):
            about = (f"{case}, {row.shape}", words(loss)) if i == 0 else ("", "")
            memory = number(row.memory) if row.memory is not None else ""
            lines.append((*about, row.library, _text(row.times, 1e3), _text(row.ratios), memory))
    return table(("case", "loss", "library", "ms", "× ours", "memory"), lines)


def left_out(rows: Sequence[Row]) -> str:
    lines = {(row.framework, row.library, words(row.loss), row.note) for row in rows if row.note}
    return table(("framework", "library", "loss", "why"), sorted(lines)) if lines else "Nothing."


# -- pictures ---------------------------------------------------------------------------------------------------------


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "seglosses"
    matplotlib.rcParams["font.size"] = 8
    import matplotlib.pyplot

    return matplotlib.pyplot


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    _pyplot().close(figure)


def draw_overview(rows: Sequence[Row], path: Path) -> None:
    """Each setting: on the left the times over ours, on the right memory."""
    settings = [
        (setting, _groups(some, lambda row: f"{row.case}, {words(row.loss)}"))
        for setting, some in _groups((r for r in rows if not r.note and not CASES[r.case].grows), _setting)
    ]
    if not settings:
        return
    heights = [len(groups) + 1.5 for _, groups in settings]
    plt = _pyplot()
    figure, axes = plt.subplots(
        len(settings), 2, squeeze=False, sharey="row", figsize=(9, 0.19 * sum(heights) + 1),
        gridspec_kw={"height_ratios": heights, "hspace": 0.25, "wspace": 0.05},
    )  # fmt: skip
    shown: dict[str, Any] = {}
    for (setting, groups), (times, memory) in zip(settings, axes, strict=True):
        for y, (_, some) in enumerate(groups):
            for row in some:
                for panel, found in ((times, row.ratios), (memory, row.memories)):
                    if found is None:
                        continue
                    shown[row.library] = panel.errorbar(
                        found.median, y, xerr=[[found.median - found.low], [found.high - found.median]], fmt="o",
                        markersize=4, color=COLOURS.get(row.library, "tab:pink"), label=row.library,
                    )  # fmt: skip
        times.set(xscale="log", title=setting)
        times.axvline(1, color="black", linewidth=0.5)
        times.set_yticks(range(len(groups)), [name for name, _ in groups])
        times.set_ylim(len(groups) - 0.4, -0.6)
        memory.set_xscale("symlog", linthresh=1)
        memory.set_xlim(left=-0.2)
        for panel in (times, memory):
            panel.xaxis.set_minor_formatter("")
            panel.grid(alpha=0.3)
    axes[-1][0].set_xlabel("time over ours")
    axes[-1][1].set_xlabel("memory, tensors of the logits' size")
    top = axes[0][0].get_position().y1 + 0.4 / figure.get_figheight()
    figure.legend(shown.values(), shown, loc="lower center", bbox_to_anchor=(0.5, top), ncols=4)
    _save(figure, path)


def draw_growth(rows: Sequence[Row], path: Path) -> bool:
    """Time and memory with pixels, with classes, with the window, in PyTorch's eager mode."""
    sizes: dict[str, Callable[[Row], int]] = {
        "pixels": lambda row: CASES[row.case].pixels,
        "classes": lambda row: CASES[row.case].classes,
        "window": lambda row: window(row.loss),
    }
    eager = [
        r
        for r in rows
        if (r.framework, r.mode, r.surroundings) == ("torch", "eager", "default") and not r.note
    ]
    series = {
        name: [
            row for row in eager if (CASES[row.case].grows == name or (name == "window" and window(row.loss)))
        ]
        for name in sizes
    }
    series = {name: some for name, some in series.items() if some}
    if not series:
        return False
    figure, axes = _pyplot().subplots(
        2, len(series), squeeze=False, figsize=(3.4 * len(series), 5), sharex="col"
    )
    for (name, some), (times, memory) in zip(series.items(), axes.T, strict=True):
        for loss, of_loss in _groups(some, lambda row: "" if window(row.loss) else words(row.loss)):
            for library, line in _groups(of_loss, lambda row: row.library):
                line.sort(key=sizes[name])
                style = {
                    "color": COLOURS.get(library, "tab:pink"),
                    "marker": "o" if loss == "dice" else "s",
                    "markersize": 3,
                    "linestyle": "-" if library == OURS else ":",
                    "label": f"{library}, {loss}" if loss else library,
                }
                at = [sizes[name](row) for row in line]
                times.plot(at, [1e3 * row.seconds for row in line if row.seconds is not None], **style)
                memory.plot(at, [row.memory for row in line], **style)
        scale = "linear" if name == "window" else "log"
        times.set(xscale=scale, yscale="log", title=f"by {name}")
        memory.set(xlabel=name, yscale="symlog")
        memory.set_ylim(bottom=-0.2)
        memory.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), fontsize=7)
        for panel in (times, memory):
            panel.grid(alpha=0.3)
    axes[0][0].set_ylabel("ms")
    axes[1][0].set_ylabel("memory, tensors of the logits' size")
    _save(figure, path)
    return True
