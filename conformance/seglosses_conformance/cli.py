"""The command line: `python -m seglosses_conformance`, also installed as `seglosses-conformance`."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import seglosses_core
from seglosses_conformance import comparison, planning, presets, report, runner
from seglosses_conformance.agreement import agreements
from seglosses_conformance.cases import Case, cases_named, load_cases
from seglosses_conformance.grades import STRICTEST
from seglosses_conformance.options import TIME_LIMIT, Parser, check_together, make_parser, subset
from seglosses_conformance.overrides import check_overrides
from seglosses_conformance.own import FRAMEWORKS, Own, check_names, own_target
from seglosses_conformance.printable import printable, shown
from seglosses_conformance.processes import Workers
from seglosses_conformance.records import Job
from seglosses_conformance.targets import TARGETS, Target
from seglosses_conformance.tolerance import DTYPES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = make_parser()
    options = parser.parse_args(given)
    check_together(parser, options)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows ASCII alone has no ✗
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    cases = _chosen_cases(parser, options)
    targets = _chosen_targets(parser, options, cases)
    if options.list:
        _print_list(console, cases)
        return 0
    known = presets.DTYPES if options.presets else DTYPES
    dtypes = subset(parser, "--dtypes", options.dtypes, known) or (
        ["float32"] if options.quick else list(known)
    )
    devices = subset(parser, "--device", options.device, ("cpu", "cuda"))
    class_axes = options.class_axis or (
        None if options.quick or options.target or options.compare else (1, -1)
    )
    if not (options.cases or options.presets or options.case_ids or options.losses):
        of_presets = presets.preset_cases(presets.peers())
        check_overrides(TARGETS, (case.id for case in (*cases, *of_presets)))

    whole = not (options.compare or options.presets)
    grade = options.grade or STRICTEST
    plan = planning.plan(
        cases, targets, dtypes, devices, class_axes, quick=options.quick, whole=whole, grade=grade
    )
    _complete_commands(plan, options)
    own = options.target or options.compare
    limit = options.time_limit or (TIME_LIMIT if own else None)
    started = time.time()
    try:
        with _ended_like_by_ctrl_c(), Workers(options.processes, limit) as workers:
            outcome = _run(plan, workers, console)
    except ValueError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("stopped, and nothing is left running", file=sys.stderr)
        return 128 + signal.SIGINT
    if options.compare:
        return comparison.print_comparison(plan, outcome, console)
    made = report.Report(
        report.describe_run(given, outcome.environment, started, time.time(), grade),
        outcome.records,
        agreements(plan, outcome.results),
    )
    report.print_report(made, console)
    unwritten = []
    for path, write in ((options.json, report.write_json), (options.html, report.write_html)):
        try:
            if path is not None:
                write(made, path)
        except OSError as error:
            unwritten.append(f"{path} cannot be written: {error.strerror}")
    if unwritten:
        parser.error("; ".join(unwritten))
    asked_for = options.targets is not None or options.device != ["cpu"] or options.target is not None
    return exit_status(made, asked_for=asked_for)


@contextlib.contextmanager
def _ended_like_by_ctrl_c() -> Iterator[None]:
    """Let what else asks a process to end do so as Ctrl-C does: workers have to be ended first."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    signals = [getattr(signal, name) for name in names]
    try:
        before = [signal.signal(number, signal.default_int_handler) for number in signals]
    except ValueError:  # not in the main thread, which has its own ways
        yield
        return
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _run(plan: planning.Plan, workers: Workers, console: Console) -> runner.Outcome:
    if not console.is_terminal:
        return runner.run(plan, workers, _tell_of_targets(plan))
    bar = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", style="dim", markup=False),
    )
    with Progress(*bar, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(plan.jobs))

        def done(job: Job) -> None:
            progress.update(task, advance=1, description=printable(f"{job.target} · {job.case}"))

        return runner.run(plan, workers, done)


def _tell_of_targets(plan: planning.Plan) -> Callable[[Job], None]:
    """Prints a line for each target that has its last result, where there is no terminal for a bar; not among the
    report, but where errors go."""
    started = time.monotonic()
    counts = Counter(job.target for job in plan.jobs)
    left = counts.copy()

    def done(job: Job) -> None:
        left[job.target] -= 1
        if not left[job.target]:
            ended = counts.total() - left.total()
            print(
                f"{printable(job.target)}: {counts[job.target]:,} results;"
                f" {ended:,} of {counts.total():,} after {time.monotonic() - started:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    return done


def _complete_commands(plan: planning.Plan, options: argparse.Namespace) -> None:
    """What a comparison depends on besides itself belongs to the command that repeats it."""
    words = [] if options.cases is None else ["--cases", str(options.cases)]
    words += [] if options.presets is None else ["--presets", ",".join(options.presets)]
    words += [] if options.grade is None else ["--grade", options.grade]
    words += [] if options.time_limit is None else ["--time-limit", f"{options.time_limit:g}"]
    for record in [*plan.records, *(made.record for made in plan.comparisons)]:
        if record.command and words:
            record.command += " " + shlex.join(words)


def exit_status(made: report.Report, *, asked_for: bool) -> int:
    """0 only if something was compared and everything conforms; `asked_for` says that nothing may be absent."""
    return int(not made.conforms or (asked_for and made.counts["absent"] > 0))


def _chosen_cases(parser: Parser, options: argparse.Namespace) -> list[Case]:
    if options.presets:
        cases = presets.preset_cases(subset(parser, "--presets", options.presets, presets.peers()))
    else:
        cases = load_cases() if options.cases is None else _cases_of_others(parser, options)
    losses = subset(parser, "--losses", options.losses, sorted({case.loss for case in cases}))
    if options.target and len(losses) != 1:
        parser.error("--target needs the one loss that it implements: --loss NAME")
    try:
        named = cases if options.case_ids is None else cases_named(cases, options.case_ids)
    except ValueError as error:
        parser.error(f"--case: {error}")
    chosen = [case for case in named if not losses or case.loss in losses]
    if not chosen:
        parser.error(f"--case: none of {', '.join(options.case_ids)} is a case of {', '.join(losses)}")
    ranks = {case.logits.ndim for case in chosen}
    for axis in options.class_axis or ():
        if not any(planning.has_axis(rank, axis) for rank in ranks):
            parser.error(
                f"--class-axis: the logits of these cases have {_listed(ranks)} axes, of which the first is the batch:"
                f" none of them has classes on axis {axis}"
            )
    return chosen


def _cases_of_others(parser: Parser, options: argparse.Namespace) -> list[Case]:
    from seglosses_conformance.case_files import read_cases  # with a library that other runs do not need

    try:
        cases = read_cases(options.cases)
    except ValueError as error:
        parser.error(f"--cases: {error}")
    ours = {loss.__name__ for loss in seglosses_core.LOSSES}
    unknown = sorted({case.loss for case in cases} - ours)
    if unknown and not (options.target or options.compare):
        parser.error(
            f"--cases: {unknown[0]} is none of our losses; --target or --compare runs its cases on others"
        )
    return cases


def _listed(numbers: set[int]) -> str:
    return " or ".join(map(str, sorted(numbers)))


def _chosen_targets(parser: Parser, options: argparse.Namespace, cases: list[Case]) -> list[Target]:
    own = [options.target] if options.target else list(options.compare or ())
    if not own:
        names = subset(parser, "--targets", options.targets, tuple(TARGETS))
        usable = [t for t in TARGETS.values() if not set(t.devices).isdisjoint(options.device)]
        return [TARGETS[name] for name in names] or usable
    frameworks = subset(parser, "--framework", options.framework, tuple(FRAMEWORKS)) or ["torch"]
    if len(frameworks) not in (1, len(own)):
        parser.error(f"--framework takes one name or one for each function, got {', '.join(frameworks)}")
    frameworks = frameworks * len(own) if len(frameworks) == 1 else frameworks
    for path in own:
        if not all(path.partition(":")):
            parser.error(f"expected package.module:callable, got {path!r}")
    if len(set(own)) < len(own):
        parser.error(f"--compare needs two functions, got {own[0]!r} twice")
    chosen = [
        Own(path, framework, dict(options.set), tuple(options.rename))
        for path, framework in zip(own, frameworks, strict=True)
    ]
    if options.target:
        try:
            check_names(chosen[0], cases)
        except ValueError as error:
            parser.error(str(error))
    return [own_target(one) for one in chosen]


def _print_list(console: Console, cases: list[Case]) -> None:
    table = Table(title="targets", title_justify="left")
    for name in ("name", "what it is", "here"):
        table.add_column(name)
    for target in TARGETS.values():
        table.add_row(target.name, target.title, target.absence or "yes")
    console.print(table)
    table = Table(title="cases", title_justify="left")
    for name in ("id", "loss", "what it asks", "source"):
        table.add_column(name)
    for case in cases:
        table.add_row(*map(shown, (case.id, case.loss, case.comment, case.source)))
    console.print(table)
