"""Which of the source's claims the runs bear out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from study.protocol import SEEDS
from study.results import Row
from study.source import TABLE, Cell, Claim
from study.statistics import Comparison, compare

METRICS: dict[str, Callable[[Row], float]] = {
    "11 classes": lambda row: float(np.nanmean(row.iou)),
    "10 digits": lambda row: float(np.nanmean(row.iou[1:])),
}
MAIN, DIGITS = METRICS
"""The source does not say whether its mean counts the background; claims are judged by the first."""

HOLDS, CONTRADICTED, NOT_SHOWN, NOT_MEASURED = VERDICTS = (
    "holds",
    "contradicted",
    "not shown",
    "not measured",
)


def by_seed(rows: Iterable[Row], cell: Cell, metric: str = MAIN) -> dict[int, float]:
    """The mean IoU of each run of a loss and a network."""
    return {row.seed: METRICS[metric](row) for row in rows if (row.loss, row.filters, row.kernel) == cell}


def mean_by_seed(rows: Sequence[Row], loss: str, claim: Claim, metric: str = MAIN) -> dict[int, float]:
    """The mean over a claim's networks, for the seeds that have all of them."""
    networks = [by_seed(rows, Cell(loss, *network), metric) for network in claim.networks]
    return {
        seed: float(np.mean([values[seed] for values in networks]))
        for seed in SEEDS
        if all(seed in values for values in networks)
    }


def judge(rows: Sequence[Row], claim: Claim, metric: str = MAIN) -> Comparison | None:
    """The loss that should be ahead minus the other one."""
    ahead, behind = (mean_by_seed(rows, loss, claim, metric) for loss in (claim.ahead, claim.behind))
    return compare(ahead, behind)


def verdict(found: Comparison | None) -> str:
    """Only of all seeds: a test that is read again and again as seeds come in finds more than there is."""
    if found is None or found.seeds < len(SEEDS):
        return NOT_MEASURED
    if not found.significant:
        return NOT_SHOWN
    return HOLDS if found.difference > 0 else CONTRADICTED


def in_source(claim: Claim) -> float:
    """The difference of means by the source's table."""
    return float(
        np.mean(
            [
                TABLE[Cell(claim.ahead, *network)].mean - TABLE[Cell(claim.behind, *network)].mean
                for network in claim.networks
            ]
        )
    )


def order(means: Mapping[str, float]) -> list[str]:
    """The losses from the best to the worst."""
    return sorted(means, key=lambda loss: -means[loss])
