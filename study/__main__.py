"""Train the source's networks and those beyond it, and write the page about them.

python -m study                  # all runs that are not in study/results.csv yet, then the page
python -m study --report         # the page only, docs/study.md
python -m study --curves         # the first steps in three frameworks, into study/curves.csv, then the page
python -m study --quick          # a few minutes, results and page into build/study-quick/
python -m study --mnist DIR      # on MNIST's digits, into build/study-mnist/
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path

from study import curves, report
from study.losses import LOSSES, SOURCE
from study.protocol import FILTERS, FULL, KERNELS, QUICK, SEEDS, further_runs, source_runs
from study.results import Row
from study.run import study
from study.training import carry_out

ROOT = Path(__file__).parent.parent


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--report", action="store_true", help="write the page from what is there")
    parser.add_argument(
        "--curves", action="store_true", help="compare PyTorch, JAX and Keras, train nothing else"
    )
    parser.add_argument("--quick", action="store_true", help="few scenes, three epochs and one seed")
    parser.add_argument("--source", action="store_true", help="the source's 120 runs only")
    parser.add_argument("--loss", nargs="+", choices=LOSSES, metavar="LOSS", help="; ".join(LOSSES))
    parser.add_argument("--filters", nargs="+", type=int, choices=FILTERS)
    parser.add_argument("--kernel", nargs="+", type=int, choices=KERNELS)
    parser.add_argument("--seed", nargs="+", type=int, choices=SEEDS)
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="runs side by side, of one thread each"
    )
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--mnist", type=Path, metavar="DIR", help="the folder of MNIST's four IDX files")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    protocol = QUICK if options.quick else FULL
    if options.mnist:
        protocol = dataclasses.replace(protocol, digits="MNIST")
    variant = "-".join(["quick"] * options.quick + ["mnist"] * bool(options.mnist))
    folder = ROOT / "build" / f"study-{variant}" if variant else ROOT / "study"
    seeds = options.seed or (SEEDS[:1] if options.quick else SEEDS)
    runs = [
        run
        for run in source_runs() + ([] if options.source else further_runs())
        if run.loss in (options.loss or LOSSES)
        and run.filters in (options.filters or FILTERS)
        and run.kernel in (options.kernel or KERNELS)
        and run.seed in seeds
    ]
    status = 0
    if options.curves:
        curves.write(report.CURVES, curves.measure(SOURCE))
    elif not options.report:
        try:
            study(
                runs,
                protocol,
                folder / "results.csv",
                Row,
                carry_out,
                jobs=options.jobs,
                device=options.device,
                mnist=options.mnist,
            )
        except KeyboardInterrupt:
            print("Stopped. The same command goes on from here.", file=sys.stderr)
            status = 130
    docs = folder if variant else report.DOCS
    docs.mkdir(parents=True, exist_ok=True)
    report.write(folder / "results.csv", docs=docs, mnist=options.mnist)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
