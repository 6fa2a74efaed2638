"""Large arrays are worked on in parts: with parts of a few entries, value and gradient are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from everywhere import LOSSES, Problem, evaluate, takes

from seglosses_core.ops import Ops
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
    monkeypatch.setattr(EagerSoftmax, "large_chunk", 24)
    for found, whole in zip(evaluate(framework, LOSSES[name], problem), expected, strict=True):
        np.testing.assert_allclose(found, whole, rtol=2e-5, atol=1e-7)


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
