"""The same step in PyTorch, JAX and Keras: the loss of each of the first steps is the same number."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from study import curves
from study.curves import DTYPES, FRAMEWORKS, STEPS, TOLERANCE, Point, apart, curve, measure, train
from study.losses import SOURCE
from study.protocol import FULL
from study.report import CURVES
from study.source import POWER

SMALL = dataclasses.replace(FULL, size=16, instances=1, batch_size=4, validation=1, test=1)


@pytest.fixture(scope="module")
def measured() -> list[Point]:
    return measure([POWER], SMALL, filters=2)


@pytest.mark.parametrize("source", [pytest.param("measured", marks=pytest.mark.slow), "in the table"])
def test_the_frameworks_agree(source: str, request: pytest.FixtureRequest) -> None:
    points = request.getfixturevalue("measured") if source == "measured" else curves.read(CURVES)
    assert {point.framework for point in points} == set(FRAMEWORKS)
    for loss in [POWER] if source == "measured" else SOURCE:
        for dtype in DTYPES:
            values = curve(points, "torch", dtype, loss)
            assert len(values) == STEPS
            assert np.isfinite(values).all()
            assert np.ptp(values) > 1e-3
            for framework in FRAMEWORKS[1:]:
                assert apart(points, framework, dtype, loss).max() < TOLERANCE[dtype], (loss, framework)


def test_adam_is_that_of_torch() -> None:
    start = np.array([1.0, -2.0, 1e-7])
    factors = np.random.default_rng(0).normal(size=(30, 1, 3))

    def differentiate(weights: curves.Weights, images: np.ndarray, labels: np.ndarray):
        (weight,) = weights
        return float((images[0] * weight**2).sum()), [2 * images[0] * weight]

    ours = train(differentiate, [start], factors, factors, 0.1)
    weight = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = torch.optim.Adam([weight], lr=0.1)
    theirs = []
    for factor in torch.from_numpy(factors):
        optimizer.zero_grad()
        value = (factor[0] * weight**2).sum()
        value.backward()
        optimizer.step()
        theirs.append(value.item())
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_the_table_keeps_every_digit(tmp_path: Path) -> None:
    points = [Point("torch", "2.13.0", "float64", "Jaccard", step, 1 / (step + 2)) for step in range(1, 4)]
    curves.write(tmp_path / "curves.csv", points)
    assert curves.read(tmp_path / "curves.csv") == points
    assert curves.read(tmp_path / "other.csv") == []


def test_differences_by_hand() -> None:
    points = [Point("torch", "", "float32", "Jaccard", step, value) for step, value in ((2, 0.25), (1, 0.5))]
    points += [Point("jax", "", "float32", "Jaccard", step, value) for step, value in ((1, 0.5), (2, 0.2))]
    points += [Point("jax", "", "float64", "Jaccard", 1, 0.3)]
    assert curve(points, "torch", "float32", "Jaccard").tolist() == [0.5, 0.25]
    assert apart(points, "jax", "float32", "Jaccard") == pytest.approx([0.0, 0.2])


def test_a_failure_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"the training in no framework failed:(.|\n)*no_inputs"):
        curves._in_process("no framework", "no_inputs", "[]", "1")
