"""Carry out the experiments on the other sources' claims, and write the page of what came out.

python -m study.papers                  # all runs that are not in their tables yet, then the page
python -m study.papers --only adaptive  # those of one experiment
python -m study.papers --report         # the page only, docs/papers.md
python -m study.papers --maps           # where losses look, into study/exponential-maps.csv, then the page
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, NamedTuple

from study import exponential, papers_page, points
from study.exponential import write_maps
from study.losses import ADAPTIVE, EXPONENTIAL
from study.protocol import SEEDS, SMALL, Run
from study.results import Row, read
from study.run import Work, study
from study.training import carry_out

FOLDER = Path(__file__).parent
DOCS = FOLDER.parent / "docs"
MAPS = FOLDER / "exponential-maps.csv"
SHOWN_SCENES = 4


class Experiment(NamedTuple):
    protocol: Any
    runs: list[Run]
    row: type
    work: Work[Any]


def seed_by_seed(losses: Any) -> list[Run]:
    """Of one network, that with 8 filters and kernels of 3 × 3."""
    return [Run(loss, 8, 3, seed) for seed in SEEDS for loss in losses]


EXPERIMENTS = {
    "adaptive": Experiment(dataclasses.replace(SMALL, epochs=30), seed_by_seed(ADAPTIVE), Row, carry_out),
    "adaptive-long": Experiment(SMALL, seed_by_seed(ADAPTIVE), Row, carry_out),
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
    parser.add_argument("--maps", action="store_true", help="draw where losses look, train nothing else")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side, of one thread each")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    status = 0
    if options.maps:
        of = EXPERIMENTS["exponential"]
        write_maps(MAPS, exponential.maps(of.runs[0], of.protocol, SHOWN_SCENES))
    elif not options.report:
        try:
            for name in options.only:
                of = EXPERIMENTS[name]
                path = FOLDER / f"{name}.csv"
                study(of.runs, of.protocol, path, of.row, of.work, jobs=options.jobs, device=options.device)
        except KeyboardInterrupt:
            print("Stopped. The same command goes on from here.", file=sys.stderr)
            status = 130
    write(FOLDER, DOCS)
    return status


def rows_of(folder: Path) -> dict[str, list[Any]]:
    """By experiment."""
    return {name: read(folder / f"{name}.csv", of.row) for name, of in EXPERIMENTS.items()}


def write(folder: Path, docs: Path) -> None:
    """The page, from the tables of a folder."""
    papers_page.write(read(folder / "results.csv", Row), rows_of(folder), folder / MAPS.name, docs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
