"""Carry out the experiments on the other sources' claims, and write the page of what came out.

python -m study.papers                  # all runs that are not in their tables yet, then the page
python -m study.papers --only adaptive  # those of one experiment
python -m study.papers --report         # the page only, docs/papers.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

from study import exponential, points
from study.losses import ADAPTIVE, EXPONENTIAL
from study.protocol import SEEDS, SMALL, Run
from study.results import Row
from study.run import Work, study
from study.training import carry_out

FOLDER = Path(__file__).parent


class Experiment(NamedTuple):
    protocol: Any
    runs: list[Run]
    row: type
    work: Work[Any]


def seed_by_seed(losses: Any) -> list[Run]:
    """Of one network, that with 8 filters and kernels of 3 × 3."""
    return [Run(loss, 8, 3, seed) for seed in SEEDS for loss in losses]


EXPERIMENTS = {
    "adaptive": Experiment(SMALL, seed_by_seed(ADAPTIVE), Row, carry_out),
    "points": Experiment(points.Protocol(), seed_by_seed(points.LOSSES), points.Row, points.carry_out),
    "exponential": Experiment(SMALL, seed_by_seed(EXPONENTIAL), exponential.Row, exponential.carry_out),
}


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m study.papers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--report", action="store_true", help="write the page from what is there")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side, of one thread each")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    for name in [] if options.report else options.only:
        of = EXPERIMENTS[name]
        study(
            of.runs, of.protocol, FOLDER / f"{name}.csv", of.row, of.work,
            jobs=options.jobs, device=options.device,
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
