"""Time and memory on a GPU, ours beside others', the most important rows first, within a time limit.

python -m benchmarks.gpu                       # the plan, in four minutes, then the page
python -m benchmarks.gpu --time-limit 120 --case large ct --dtype float32 --mode eager
python -m benchmarks.gpu --report              # the page again, from the table that is there
python -m benchmarks.gpu --all                 # conformance and large tensors on the GPU first: six minutes
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

from benchmarks.gpu import everything, page
from benchmarks.gpu.plan import CASES, DTYPES, LOCAL, LOSSES, MODES, PEERS, Job, jobs
from benchmarks.gpu.run import run

CHOICES = {
    "case": tuple(CASES),
    "loss": (*LOSSES, LOCAL),
    "dtype": DTYPES,
    "framework": tuple(MODES),
    "mode": tuple(itertools.chain(*MODES.values())),
    "library": tuple(dict.fromkeys(itertools.chain(*PEERS.values()))),
}
"""What can be asked for of each; all by default."""


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, choices in CHOICES.items():
        parser.add_argument(f"--{name}", nargs="+", choices=choices, default=choices)
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--seconds", type=float, default=0.1, help="for the repeats of one row (0.1)")
    parser.add_argument("--time-limit", type=float, help="seconds for everything (240, with --all 345)")
    parser.add_argument("--csv", type=Path, default=page.RESULTS, help="the table, which is written anew")
    parser.add_argument("--page", type=Path, default=page.PAGE)
    parser.add_argument("--report", action="store_true", help="write the page from the table that is there")
    parser.add_argument("--all", action="store_true", help="conformance and large tensors first")
    return parser.parse_args(arguments)


def chosen(options: argparse.Namespace) -> list[Job]:
    def wanted(job: Job) -> bool:
        given = {
            "case": job.case.name, "loss": job.loss, "dtype": job.case.dtype, "framework": job.framework,
            "mode": job.mode, "library": job.library,
        }  # fmt: skip
        return all(value in getattr(options, name) for name, value in given.items())

    return [job for job in jobs() if wanted(job)]


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.all:
        others = [argument for argument in arguments if argument != "--all"]
        return everything.run(options.time_limit or 345.0, others)
    if not options.report:
        run(
            chosen(options),
            options.device,
            options.csv,
            seconds=options.seconds,
            limit=options.time_limit or 240.0,
        )
    page.write(options.csv, options.page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
