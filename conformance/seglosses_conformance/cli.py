"""The command line: `python -m seglosses_conformance`, also installed as `seglosses-conformance`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from seglosses_conformance import comparison, planning, report, runner
from seglosses_conformance.agreement import agreements
from seglosses_conformance.cases import FOLDER, Case, load_cases
from seglosses_conformance.own import FRAMEWORKS, own_target
from seglosses_conformance.processes import run_all
from seglosses_conformance.records import Job
from seglosses_conformance.targets import TARGETS, Target
from seglosses_conformance.tolerance import DTYPES, check_overrides

DESCRIPTION = """\
Run every case of the suite on every framework installed, value and gradient, and compare with the expected results.

The exit status is 0 if everything that was compared conforms; 1 if something does not, if nothing was compared, or if a
target or device that was asked for is absent; 2 if the command is wrong."""

OWN = """\
somebody's own losses:
  --target and --compare import the modules that they name and run their code.

  A callable is called as callable(logits, target, **keywords) with arrays of the --framework, logits with the class
  axis last for jax and tensorflow, else 1, and returns a scalar whose gradient that framework's autodiff takes. In
  NumPy it returns the pair (value, gradient), or the value alone. The keywords are the case's hyper-parameters and,
  where the case has them, mask, sample_weight, centers and features. A hyper-parameter that the signature lacks is left
  out where it has our default; where it has not, or where an array would be left out, the case is unsupported. A class
  is constructed with the hyper-parameters first and then called with the arrays.

examples:
  python -m seglosses_conformance --quick --html report.html
  python -m seglosses_conformance --targets torch,jax --losses DiceLoss --dtypes float16
  python -m seglosses_conformance --target mine.losses:dice --loss DiceLoss --framework torch
  python -m seglosses_conformance --compare mine:dice theirs:dice --losses DiceLoss"""


def make_parser() -> argparse.ArgumentParser:
    """Every option, with its help."""
    parser = argparse.ArgumentParser(
        prog="seglosses-conformance",
        description=DESCRIPTION,
        epilog=OWN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--quick",
        action="store_true",
        help="float32 on each target's own class axis; one case of each loss where cases are compiled or traced, none "
        "under inductor and XLA",
    )
    what.add_argument("--targets", type=_names, metavar="A,B", help="only these targets; --list shows all")
    what.add_argument("--losses", "--loss", type=_names, metavar="A,B", help="only the cases of these losses")
    what.add_argument("--case", type=_names, metavar="ID,ID", dest="case_ids", help="only these cases")
    what.add_argument("--dtypes", type=_names, metavar="A,B", help=f"of {', '.join(DTYPES)} (all)")
    what.add_argument("--class-axis", type=_integers, metavar="I,J", help="where the class axis is (1,-1)")
    what.add_argument(
        "--device", type=_names, default=["cpu"], metavar="D", help="cpu, cuda or cpu,cuda (cpu)"
    )
    what.add_argument(
        "--cases", type=Path, default=FOLDER, metavar="FOLDER", help="case files other than the suite's"
    )
    own = parser.add_argument_group("somebody's own losses")
    own.add_argument(
        "--target", metavar="MODULE:CALLABLE", help="run the cases of --loss on this implementation of it"
    )
    own.add_argument(
        "--compare", nargs=2, metavar=("A:f", "B:g"), help="compare two functions on the inputs of the cases"
    )
    own.add_argument(
        "--framework",
        type=_names,
        default=["torch"],
        metavar="F",
        help=f"{', '.join(FRAMEWORKS)}; two for --compare, A,B",
    )
    out = parser.add_argument_group("output")
    out.add_argument(
        "--json", type=Path, metavar="FILE", help="one record for each comparison; see report.schema.json"
    )
    out.add_argument(
        "--html", type=Path, metavar="FILE", help="a page with heat maps, failures and the environment"
    )
    out.add_argument("--list", action="store_true", help="show targets and cases, and run nothing")
    out.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="at the same time (as many as cores)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = make_parser()
    options = parser.parse_args(given)
    for path in (options.json, options.html):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            parser.error(f"{path} cannot be written: it is a folder, or lies in none that there is.")
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    cases = _chosen_cases(parser, options)
    targets = _chosen_targets(parser, options)
    if options.list:
        _print_list(console, cases)
        return 0
    dtypes = _subset(parser, "--dtypes", options.dtypes, DTYPES) or (
        ["float32"] if options.quick else list(DTYPES)
    )
    devices = _subset(parser, "--device", options.device, ("cpu", "cuda"))
    class_axes = options.class_axis or (
        None if options.quick or options.target or options.compare else (1, -1)
    )
    if options.cases == FOLDER and not options.case_ids and not options.losses:
        check_overrides(TARGETS, (case.id for case in cases))
    if options.compare and targets[0].name == targets[1].name:
        parser.error(f"--compare needs two functions, got {targets[0].name!r} twice")

    plan = planning.plan(
        cases, targets, dtypes, devices, class_axes, quick=options.quick, whole=not options.compare
    )
    started = time.time()
    try:
        outcome = _run(plan, max(1, options.processes), console)
    except ValueError as error:
        parser.error(str(error))
    if options.compare:
        return comparison.print_comparison(plan, outcome, console)
    made = report.Report(
        report.describe_run(given, outcome.environment, started, time.time()),
        outcome.records,
        agreements(plan, outcome.results),
    )
    report.print_report(made, console)
    if options.json is not None:
        report.write_json(made, options.json)
    if options.html is not None:
        report.write_html(made, options.html)
    asked_for = options.targets is not None or options.device != ["cpu"] or options.target is not None
    return exit_status(made, asked_for=asked_for)


def _run(plan: planning.Plan, processes: int, console: Console) -> runner.Outcome:
    bar = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", style="dim"),
    )
    with Progress(*bar, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(plan.jobs))

        def done(job: Job) -> None:
            progress.update(task, advance=1, description=f"{job.target} · {job.case}")

        return runner.run(plan, lambda requests: run_all(requests, processes), done)


def exit_status(made: report.Report, *, asked_for: bool) -> int:
    """0 only if something was compared and everything conforms; `asked_for` says that nothing may be absent."""
    counts = made.counts
    return int(counts["fail"] > 0 or counts["pass"] == 0 or (asked_for and counts["absent"] > 0))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _integers(text: str) -> list[int]:
    return [int(name) for name in _names(text)]


def _subset(
    parser: argparse.ArgumentParser, option: str, given: list[str] | None, known: Sequence[str]
) -> list[str]:
    unknown = [name for name in given or () if name not in known]
    if unknown:
        parser.error(f"{option} knows {', '.join(known)}, not {', '.join(unknown)}")
    return given or []


def _chosen_cases(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[Case]:
    cases = load_cases(folder=options.cases)
    if not cases:
        parser.error(f"--cases: there are no case files in {options.cases}")
    losses = _subset(parser, "--losses", options.losses, sorted({case.loss for case in cases}))
    if options.target and len(losses) != 1:
        parser.error("--target needs the one loss that it implements: --loss NAME")
    ids = _subset(parser, "--case", options.case_ids, [case.id for case in cases])
    return [case for case in cases if (not losses or case.loss in losses) and (not ids or case.id in ids)]


def _chosen_targets(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[Target]:
    own = [options.target] if options.target else list(options.compare or ())
    if not own:
        names = _subset(parser, "--targets", options.targets, tuple(TARGETS))
        usable = [t for t in TARGETS.values() if not set(t.devices).isdisjoint(options.device)]
        return [TARGETS[name] for name in names] or usable
    if options.targets or (options.target and options.compare):
        parser.error("--targets, --target and --compare exclude one another")
    frameworks = _subset(parser, "--framework", options.framework, tuple(FRAMEWORKS))
    if len(frameworks) not in (1, len(own)):
        parser.error(f"--framework takes one name or one for each function, got {', '.join(frameworks)}")
    frameworks = frameworks * len(own) if len(frameworks) == 1 else frameworks
    for path in own:
        if not all(path.partition(":")):
            parser.error(f"expected package.module:callable, got {path!r}")
    return [own_target(path, framework) for path, framework in zip(own, frameworks, strict=True)]


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
        table.add_row(case.id, case.loss, case.comment, case.source)
    console.print(table)
