"""The options of the command line: what each may be, and what they may be together."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from seglosses_conformance.grades import GRADES, STRICTEST
from seglosses_conformance.own import FRAMEWORKS, LABELS, parse_rename, read_value
from seglosses_conformance.printable import printable
from seglosses_conformance.processes import START_UP
from seglosses_conformance.tolerance import DTYPES

DESCRIPTION = """\
Run every case of the suite on every framework installed, value and gradient, and compare with the expected results.

The exit status is 0 if everything that was compared conforms; 1 if something does not, if nothing was compared, or if a
target or device that was asked for is absent; 2 if the command or a case file is wrong, or a file cannot be written."""

TIME_LIMIT = 120.0
"""Seconds for each result of somebody's own implementation, which may hang."""

OWN = """\
somebody's own losses:
  --target and --compare import the modules that they name and run their code.

  A callable is called as callable(logits, target, **keywords) with arrays of the --framework, logits with the class
  axis last for jax and tensorflow, else 1, and returns a scalar whose gradient that framework's autodiff takes. In
  NumPy it returns the pair (value, gradient), or the value alone: then no gradient is compared, and the report says
  so. The keywords are the case's hyper-parameters and, where the case has them, mask, sample_weight, centers,
  features and instances. A hyper-parameter that the signature lacks is left out where it has our default; where it
  has not, or where an array would be left out, the case is unsupported. A class is constructed with the
  hyper-parameters first and then called with the arrays.

  --set NAME=VALUE gives a keyword in every call: a number, true, false, null, a list as [1,2], or a word. Where it is
  a hyper-parameter of ours, cases of another value are unsupported. --set target=one-hot gives labels as a target of
  the logits' shape, --set target=channel gives them a class axis of one. --rename OURS=THEIRS gives a hyper-parameter,
  or an array, by the name that the callable has for it, and our default where the case says nothing.
  --rename OURS:VALUE=THEIRS:VALUE is about one value, and needs no THEIRS where that value needs no keyword. Each may
  be given more than once.

  --grade says what a failure is, and with it what the exit status rests on:
{grades}
  What differs by a convention alone, where the grade does not ask for it, is told and is no failure.

  --compare prints a table of its own, and its exit status is 0 if the two agree on every input that both take. A
  gradient that one of them gives and the other does not is no agreement; where neither gives one, the values agree, and
  the closing line says on how many inputs that was all.

examples:
  python -m seglosses_conformance --quick --html report.html
  python -m seglosses_conformance --targets torch,jax --losses DiceLoss --dtypes float16
  python -m seglosses_conformance --presets monai --targets torch
  python -m seglosses_conformance --target mine.losses:dice --loss DiceLoss --framework torch
  python -m seglosses_conformance --target mine.losses:dice --loss DiceLoss --grade accurate --rename smooth=eps
  python -m seglosses_conformance --compare mine:dice theirs:dice --losses DiceLoss""".format(
    grades="\n".join(f"    {name:<11} {what}" for name, what in GRADES.items())
)


class Parser(argparse.ArgumentParser):
    """An error may quote a file of somebody else."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def make_parser() -> Parser:
    """Every option, with its help."""
    parser = Parser(
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
    what.add_argument(
        "--targets", type=_different, metavar="A,B", help="only these targets; --list shows all"
    )
    what.add_argument(
        "--losses", "--loss", type=_different, metavar="A,B", help="only the cases of these losses"
    )
    what.add_argument(
        "--case",
        type=_different,
        metavar="ID,ID",
        dest="case_ids",
        help="only these cases; * and ? stand for any letters",
    )
    what.add_argument("--dtypes", type=_different, metavar="A,B", help=f"of {', '.join(DTYPES)} (all)")
    what.add_argument("--class-axis", type=_integers, metavar="I,J", help="where the class axis is (1,-1)")
    what.add_argument(
        "--device", type=_different, default=["cpu"], metavar="D", help="cpu, cuda or cpu,cuda (cpu)"
    )
    what.add_argument(
        "--cases",
        type=Path,
        metavar="FOLDER",
        help="case files (*.json) in place of the suite's; see cases/schema.json",
    )
    what.add_argument(
        "--presets",
        type=_different,
        metavar="A,B",
        help="in place of the suite's cases, what these libraries gave, on our presets of them: in float64 and float32",
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
        metavar="F",
        help=f"{', '.join(FRAMEWORKS)} (torch); two for --compare, A,B",
    )
    own.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"a keyword of every call of --target; target={' or target='.join(LABELS)} is the form of labels",
    )
    own.add_argument(
        "--rename",
        type=_rename,
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="what --target calls a hyper-parameter or an array",
    )
    own.add_argument("--grade", choices=tuple(GRADES), help=f"what is asked of --target ({STRICTEST})")
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
        type=_positive_integer,
        default=os.cpu_count() or 1,
        metavar="N",
        help="at the same time (as many as cores)",
    )
    out.add_argument(
        "--time-limit",
        type=_positive_number,
        metavar="SECONDS",
        help=f"what each result may take (the start of a process {START_UP:g} at least); what takes longer is ended, "
        f"which is a failure ({TIME_LIMIT:g} for --target and --compare, else none)",
    )
    return parser


# -- what an option may be ----------------------------------------------------------------------------------------


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"expected names with commas between them, got {text!r}")
    return names


def _different(text: str) -> list[str]:
    names = _names(text)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise argparse.ArgumentTypeError(f"{twice[0]!r} is named twice")
    return names


def _integers(text: str) -> list[int]:
    return [_integer(name) for name in _different(text)]


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an integer, got {text!r}") from None


def _positive_integer(text: str) -> int:
    number = _integer(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {number}")
    return number


def _positive_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text!r}")
    return number


def _setting(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, read_value(value)


def _rename(text: str) -> str:
    try:
        parse_rename(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def subset(parser: Parser, option: str, given: list[str] | None, known: Sequence[str]) -> list[str]:
    unknown = [name for name in given or () if name not in known]
    if unknown:
        there = ", ".join(known) if len(known) <= 20 else "what --list shows"
        parser.error(f"{option} knows {there}, not {', '.join(unknown)}")
    return given or []


# -- what options may be together -----------------------------------------------------------------------------------


def check_together(parser: Parser, options: argparse.Namespace) -> None:
    if sum(value is not None for value in (options.targets, options.target, options.compare)) > 1:
        parser.error("--targets, --target and --compare exclude one another")
    if options.presets is not None and (options.cases or options.target or options.compare):
        parser.error("--presets has cases of its own, of our losses: without --cases, --target and --compare")
    if options.framework is not None and not (options.target or options.compare):
        parser.error(
            "--framework says what the functions of --target or --compare are written in: there is none"
        )
    if (options.set or options.rename or options.grade) and not options.target:
        parser.error("--set, --rename and --grade are about the function of --target: there is none")
    names = [name for name, _ in options.set]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        parser.error(f"--set {twice[0]} is given twice")
    written = [path for path in (options.json, options.html) if path is not None]
    if written and (options.compare or options.list):
        parser.error("--compare and --list print to the terminal only: --json and --html need another run")
    if len({path.resolve() for path in written}) < len(written):
        parser.error(f"--json and --html need two files, got {written[0]} for both")
    for path in written:
        if path.is_dir() or not path.parent.is_dir():
            parser.error(f"{path} cannot be written: it is a folder, or lies in none that there is")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            parser.error(f"{path} cannot be written: permission denied")
