"""Means over seeds, and differences between losses by the paired t-test.

Runs of one seed share initial weights, batches and shifts, so losses are compared seed by seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import brentq

LEVEL = 0.05
WANTED_POWER = 0.8


class Summary(NamedTuple):
    mean: float
    deviation: float
    """The sample's standard deviation; NaN for a single value."""
    number: int


def summarize(values: Sequence[float]) -> Summary | None:
    """None if there are no values."""
    if not values:
        return None
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return Summary(float(np.mean(values)), deviation, len(values))


class Comparison(NamedTuple):
    """Of one loss with another, by seeds that both have."""

    difference: float
    half_width: float
    """Of the interval of confidence 1 − LEVEL around the difference."""
    p: float
    """Two-sided; NaN where all differences are equal, which leaves nothing to test by."""
    detectable: float
    """The true difference that this test finds with probability WANTED_POWER, at the spread that was seen."""
    seeds: int

    @property
    def significant(self) -> bool:
        return self.p < LEVEL


def compare(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Comparison | None:
    """The values of one loss minus those of another, both by seed; None for fewer than two seeds in common."""
    seeds = sorted(ours.keys() & theirs.keys())
    count = len(seeds)
    if count < 2:
        return None
    differences = np.array([ours[seed] - theirs[seed] for seed in seeds])
    deviation = float(differences.std(ddof=1))
    half_width = float(stats.t.isf(LEVEL / 2, count - 1)) * deviation / math.sqrt(count)
    p = float(stats.ttest_1samp(differences, 0.0).pvalue) if np.ptp(differences) > 0 else math.nan
    return Comparison(float(differences.mean()), half_width, p, detectable(count) * deviation, count)


def power(effect: float, pairs: int) -> float:
    """The probability that the test finds a true difference of `effect` > 0 standard deviations of the differences."""
    critical = float(stats.t.isf(LEVEL / 2, pairs - 1))
    # t² has a noncentral F distribution, whose tail stays accurate where that of the noncentral t does not.
    return float(stats.ncf.sf(critical**2, 1, pairs - 1, pairs * effect**2))


def detectable(pairs: int) -> float:
    """The effect that the test finds with probability WANTED_POWER."""
    enough = 1.0
    while power(enough, pairs) < WANTED_POWER:
        enough *= 2
    return float(brentq(lambda effect: power(effect, pairs) - WANTED_POWER, 0.01, enough))


def least_rank_p(pairs: int) -> float:
    """The smallest two-sided p that a test of signs or ranks can give: all differences on one side."""
    return 2.0 ** (1 - pairs)
