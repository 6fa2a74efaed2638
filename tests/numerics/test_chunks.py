"""Large arrays are worked on in parts: with parts of a few entries, value and gradient are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from everywhere import LOSSES, Problem, evaluate, takes

from seglosses_core.ops import Ops, ops_for
from seglosses_torch.eager import EagerOps, EagerSoftmax


@pytest.mark.parametrize("framework", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("name", "target"),
    [
        (name, target)
        for name in LOSSES
        for target in ("labels", "one-hot", "soft", "ignored")
        if target == "ignored" or takes(name, target)
    ],
)
def test_chunks_are_the_whole(name, target, framework, monkeypatch):
    random = np.random.default_rng(1)
    logits = random.normal(size=(2, 3, 6, 5)).astype(np.float32) * 3
    labels = random.integers(0, 3, (2, 6, 5))
    hot = np.moveaxis(np.eye(3, dtype=np.float32)[labels], -1, 1)
    soft = random.dirichlet(np.ones(3), (2, 6, 5)).astype(np.float32)
    targets = {"labels": labels, "one-hot": hot, "soft": np.moveaxis(soft, -1, 1), "ignored": labels}
    mask = random.uniform(size=labels.shape).astype(np.float32).round(1) if target == "ignored" else None
    problem = Problem(logits, np.ascontiguousarray(targets[target]), mask)
    expected = evaluate(framework, LOSSES[name], problem)
    for kind in (Ops, EagerOps):
        monkeypatch.setattr(kind, "chunk_size", 24)
    monkeypatch.setattr(Ops, "row_chunk_size", 24)
    monkeypatch.setattr(EagerSoftmax, "large_chunk", 24)
    for found, whole in zip(evaluate(framework, LOSSES[name], problem), expected, strict=True):
        np.testing.assert_allclose(found, whole, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("size", [1, 40, 70, 130, 200])
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_rows_in_parts_are_the_whole(framework, batch, size, monkeypatch):
    random = np.random.default_rng(3)
    x, weights = random.normal(size=(5, 3, 4, 5)), random.uniform(size=(5, 1, 4, 5))
    like = x if framework == "numpy" else torch.from_numpy(x)
    arrays = [like, None, weights if framework == "numpy" else torch.from_numpy(weights)]
    ops = Ops(np, 1, 4) if framework == "numpy" else EagerOps(1, 4)

    def function(x, nothing, weights):
        sizes.append(tuple(x.shape[:2]))
        return (x * weights).sum(-1), x + weights

    sizes = []
    table, rows = ops.over_rows(function, arrays, batch=batch)
    assert sizes == [(1 if batch else 5, 3)]
    np.testing.assert_allclose(rows, x + weights)
    monkeypatch.setattr(Ops, "row_chunk_size", size)
    sizes = []
    found, others = ops.over_rows(function, arrays, batch=batch)
    np.testing.assert_allclose(found, table)
    np.testing.assert_array_equal(others, rows)
    assert sum(images * classes for images, classes in sizes) == (3 if batch else 15)
    pixels = 100 if batch else 20
    assert max(images * classes for images, classes in sizes) <= max(1, size // pixels)


@pytest.mark.parametrize("shape", [(1, 1, 40_000), (2, 3, 500)])
def test_falling_order_of_floats_as_integers(shape):
    keys = np.random.default_rng(4).normal(size=shape).astype(np.float32).round(2)
    keys[..., :6] = -0.0, 0.0, np.inf, -np.inf, 1e-45, -1e-45
    numbers, order = EagerOps(1, 3).falling(torch.from_numpy(keys))
    falling = np.take_along_axis(keys, order.numpy(), axis=-1)
    np.testing.assert_array_equal(falling, -np.sort(-keys, axis=-1))
    np.testing.assert_array_equal(
        numbers[..., 1:] == numbers[..., :-1], falling[..., 1:] == falling[..., :-1]
    )


@pytest.mark.parametrize("shape", [(1, 1, 90), (2, 3, 90)])
@pytest.mark.parametrize("tied", [0, 2, 5, 90])
@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_what_there_is_before_and_after_equal_keys(framework, tied, shape):
    keys = np.random.default_rng(5).permuted(np.broadcast_to(np.arange(90.0), shape), axis=-1)
    keys[keys > 85 - tied] = 85 - tied // 2
    keys[keys < tied // 3] = 0
    like = keys if framework == "numpy" else torch.from_numpy(keys)
    ops = ops_for(keys, 1, 3) if framework == "numpy" else EagerOps(1, 3)
    order, at_ends = ops.ranked(like)
    before, through = (np.asarray(x) for x in at_ends(ops.running_sums(ops.xp.ones_like(order))))
    falling = np.take_along_axis(keys, np.asarray(order), axis=-1)
    np.testing.assert_array_equal(falling, -np.sort(-keys, axis=-1))
    np.testing.assert_array_equal(before, (keys[..., None, :] > falling[..., None]).sum(-1))
    np.testing.assert_array_equal(through, (keys[..., None, :] >= falling[..., None]).sum(-1))


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_an_ensemble_of_sigmoids_is_computed_one_by_one(framework, monkeypatch):
    random = np.random.default_rng(2)
    logits = random.normal(size=(2, 3, 6, 5)).astype(np.float32)
    problem = Problem(logits, random.integers(0, 3, (2, 6, 5)))

    def make(package, **common):
        dice, entropy = (
            kind(activation="sigmoid", **common) for kind in (package.DiceLoss, package.CrossEntropyLoss)
        )
        return 0.5 * dice + 2 * entropy

    expected = evaluate(framework, make, problem)
    for kind in (Ops, EagerOps):
        monkeypatch.setattr(kind, "chunk_size", 24)
    for found, whole in zip(evaluate(framework, make, problem), expected, strict=True):
        np.testing.assert_allclose(found, whole, rtol=2e-5, atol=1e-7)
