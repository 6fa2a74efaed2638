r"""Time and memory of value and gradient, ours beside others', each in a process of its own.

python -m benchmarks --save                                        # all of it, then the page and its pictures
python -m benchmarks --quick                                       # a few minutes
python -m benchmarks --framework torch --mode eager --case ct --loss dice focal
python -m benchmarks --loss lovasz_softmax cl_dice hausdorff_dt distance_map generalized_dice focal_tversky mcc \
    unified_focal                                                  # the further losses of the plan
python -m benchmarks --beside HEAD~1 --case small voc              # what a change has made faster or slower
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import time

from benchmarks import machine, plan, report, results
from benchmarks.cases import CASES
from benchmarks.competitors import FRAMEWORKS, LIBRARIES, OURS
from benchmarks.run import SURROUNDINGS, Effort, Setting, checkout, measure

LOSSES = sorted({loss for case in CASES.values() for loss in case.losses})
MODES = sorted(set(itertools.chain(*FRAMEWORKS.values())))


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few cases and few rounds")
    parser.add_argument("--framework", nargs="+", choices=FRAMEWORKS)
    parser.add_argument("--mode", nargs="+", choices=MODES)
    parser.add_argument("--surroundings", nargs="+", choices=SURROUNDINGS)
    parser.add_argument("--case", nargs="+", choices=CASES)
    parser.add_argument("--loss", nargs="+", choices=LOSSES)
    parser.add_argument("--library", nargs="+", help="beside ours; all by default")
    parser.add_argument(
        "--beside", metavar="COMMIT", help="beside ours as it was at a commit, in place of other libraries"
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--seconds", type=float, help="for the rounds of one loss, at least five rounds")
    parser.add_argument("--save", action="store_true", help="keep the results, then write the page")
    parser.add_argument(
        "--report", action="store_true", help="write the page from the results that are there"
    )
    options = parser.parse_args(arguments)
    if options.beside and options.save:
        parser.error("--save keeps what is compared with other libraries, got --beside too")
    return options


def chosen(options: argparse.Namespace) -> list[plan.Job]:
    """The plan, or every setting of the cases that are asked for, as far as the other options agree."""
    if options.case:
        settings = [
            Setting(framework, mode, surroundings, options.device)
            for framework in options.framework or FRAMEWORKS
            for mode in FRAMEWORKS[framework]
            for surroundings in options.surroundings or ("default",)
            if framework == "torch" or surroundings == "default"
        ]
        found = list(plan.jobs(settings, options.case))
    else:
        found = (plan.quick if options.quick else plan.full)(options.device)
    wanted = {name: getattr(options, name) for name in ("framework", "mode", "surroundings")}
    return [
        job
        for job in found
        if all(not values or getattr(job.setting, name) in values for name, values in wanted.items())
        and (not options.loss or job.loss in options.loss)
    ]


def show(row: results.Row) -> str:
    if row.times is None or row.ratios is None or row.memory is None:
        return f"  {row.library:28} {row.note}"
    low, median, high = (1e3 * seconds for seconds in row.times)
    times = f"{median:9.2f} ms [{low:.2f}, {high:.2f}]"
    ratio = f"{row.ratios.median:6.2f} × ours [{row.ratios.low:.2f}, {row.ratios.high:.2f}]"
    return f"  {row.library:28} {times:32} {ratio:30} {row.memory:6.2f} tensors   {row.rounds} rounds of {row.repeats}"


def compare(options: argparse.Namespace) -> int:
    """Measure what was chosen, and give the number of comparisons that failed."""
    failures = 0
    found = chosen(options)
    effort = Effort(seconds=options.seconds or (2.0 if options.quick else Effort.seconds))
    around = machine.describe(options.device)
    start = time.monotonic()
    with contextlib.ExitStack() as kept:
        earlier = {}
        if options.beside:
            earlier[f"{OURS} at {options.beside}"] = kept.enter_context(checkout(options.beside))
        for i, job in enumerate(found, 1):
            libraries = [
                x
                for x in LIBRARIES[job.setting.framework]
                if not earlier and (not options.library or x in options.library)
            ]
            minutes = (time.monotonic() - start) / 60
            print(
                f"[{i}/{len(found)}, {minutes:.1f} min] {job.setting}: {job.case.name}, {job.loss}",
                flush=True,
            )
            try:
                rows = measure(*job, libraries, effort, earlier)
            except RuntimeError as error:
                print(f"  failed: {error}")
                failures += 1
                continue
            for row in rows:
                row.complete(around)
                print(show(row), flush=True)
            if options.save:
                results.write(report.RESULTS, rows)
    return failures


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    failures = 0 if options.report else compare(options)
    if options.save or options.report:
        report.write()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
