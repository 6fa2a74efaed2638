"""Means and paired tests against numbers that are known otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from study.statistics import LEVEL, Summary, compare, detectable, least_rank_p, power, summarize


def test_summaries() -> None:
    assert summarize([0.5, 0.7]) == pytest.approx(Summary(0.6, math.sqrt(0.02), 2))
    assert summarize([]) is None
    alone = summarize([0.5])
    assert alone is not None
    assert (alone.mean, alone.number) == (0.5, 1)
    assert math.isnan(alone.deviation)


def test_the_paired_test_by_hand() -> None:
    """Differences 1 to 5: t = 3/√(2.5/5) = √18, and for four degrees of freedom the distribution has a closed form."""
    ours = {seed: 10.0 * seed**2 + seed + 1 for seed in range(5)}
    theirs = {seed: 10.0 * seed**2 for seed in reversed(range(5))}
    found = compare(ours, theirs)
    assert found is not None
    ratio = 18 / (1 + 18 / 4)
    below = 1 / 2 + 3 / 8 * math.sqrt(ratio) * (1 - ratio / 12)
    assert found.p == pytest.approx(2 * (1 - below))
    assert found.p == pytest.approx(0.0132, abs=1e-4)
    assert (found.difference, found.seeds) == (pytest.approx(3.0), 5)
    assert found.half_width == pytest.approx(2.7764 * math.sqrt(2.5 / 5), rel=1e-4)
    assert found.significant
    opposite = compare(theirs, ours)
    assert opposite is not None
    assert (opposite.difference, opposite.p) == (-found.difference, pytest.approx(found.p))


def test_only_seeds_of_both_are_paired() -> None:
    found = compare({0: 1.0, 1: 2.0, 3: 9.0}, {1: 1.0, 0: 0.5, 4: 7.0})
    assert found is not None
    assert (found.seeds, found.difference) == (2, 0.75)
    assert compare({0: 1.0, 1: 1.0}, {1: 2.0, 2: 2.0}) is None


def test_differences_without_spread_are_no_evidence() -> None:
    found = compare({0: 1.0, 1: 2.0}, {0: 0.5, 1: 1.5})
    assert found is not None
    assert math.isnan(found.p)
    assert not found.significant


@pytest.mark.parametrize(("effect", "pairs"), [(1.0, 5), (2.0, 5), (1.0, 10), (0.01, 5)])
def test_power_by_drawing(effect: float, pairs: int) -> None:
    draws = np.random.default_rng(0).normal(effect, 1, (100_000, pairs))
    t = draws.mean(1) / (draws.std(1, ddof=1) / math.sqrt(pairs))
    critical = {5: 2.7764, 10: 2.2622}[pairs]
    assert power(effect, pairs) == pytest.approx((abs(t) > critical).mean(), abs=0.006)
    assert power(1e-6, pairs) == pytest.approx(LEVEL)


@pytest.mark.parametrize("pairs", [2, 3, 5, 10])
def test_what_can_be_found(pairs: int) -> None:
    assert power(detectable(pairs), pairs) == pytest.approx(0.8)


def test_ranks_of_five_pairs() -> None:
    assert least_rank_p(5) == 0.0625
