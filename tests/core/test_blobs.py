"""The blob loss against the loss of each instance by itself, and what it refuses."""

from __future__ import annotations

import contextlib
import dataclasses
import tracemalloc

import numpy as np
import pytest
from problems import PROBLEMS

import seglosses_core as core

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(2, 1, 6, 7))
INSTANCES = RANDOM.integers(0, 4, (2, 6, 7)) * (RANDOM.uniform(size=(2, 6, 7)) < 0.5)
INSTANCES[1][INSTANCES[1] == 2] = 0  # of image 1 there is no instance 2
BLOB = core.BlobLoss(activation="sigmoid", num_instances=3)


def costs():
    """Of all that the records sample, what a loss of instances can be made of."""
    for problem in PROBLEMS:
        with contextlib.suppress(TypeError, ValueError):
            yield pytest.param(core.BlobLoss(loss=problem.core).loss, id=f"{problem.loss}-{problem.sample}")


def test_most_ratios_are_costs():
    made = {type(cost.values[0]) for cost in costs()}
    assert {core.DiceLoss, core.TverskyLoss, core.FocalTverskyLoss, core.PowerJaccardLoss} <= made


@pytest.mark.parametrize("cost", list(costs()))
@pytest.mark.parametrize("region", ["shared", "own"])
def test_it_is_the_mean_of_the_losses_of_each_instance(cost, region):
    """Each computed by itself, the pixels of the others masked."""
    given, images = INSTANCES, []
    if region == "own":
        given = core.nearest_instance(INSTANCES, num_instances=3)
    alone = dataclasses.replace(cost, activation="sigmoid")
    for n in range(2):
        found = []
        for k in set(INSTANCES[n].flat) - {0}:
            mask = (given[n] == k) | ((given[n] == 0) & (region == "shared"))
            found.append(
                alone.value_and_grad(LOGITS[n : n + 1], 1 * (INSTANCES[n : n + 1] == k), mask=mask[None])
            )
        values, gradients = zip(*found, strict=True)
        images.append((np.mean(values), np.mean(gradients, axis=0)))
    loss = core.BlobLoss(activation="sigmoid", loss=cost, num_instances=5, region=region)
    value, gradient = loss.value_and_grad(LOGITS, 1 * (INSTANCES > 0), instances=given)
    assert value == pytest.approx(np.mean([v for v, _ in images]), rel=1e-12)
    np.testing.assert_allclose(gradient, np.concatenate([g for _, g in images]) / 2, rtol=1e-10, atol=1e-15)


def test_the_numbers_do_not_matter():
    loss = core.BlobLoss(activation="sigmoid", num_instances=9)
    labels = 1 * (INSTANCES > 0)
    expected = loss(LOGITS, labels, instances=INSTANCES)
    renamed = np.asarray([0, 9, 4, 1])[INSTANCES]
    for dtype in ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        assert loss(LOGITS, labels, instances=renamed.astype(dtype)) == pytest.approx(expected, rel=1e-14)


def test_points_of_a_batch_need_no_table_each():
    """Of (P, C), where each point is an image: time and memory are those of (1, C, P)."""
    points, instances = 3000, 1000
    logits = np.random.default_rng(0).normal(size=(points, 2))
    numbers = np.random.default_rng(1).integers(instances, size=points)
    labels = (numbers > 0).astype(int)
    loss = core.BlobLoss(aggregate="batch", num_instances=instances)
    tracemalloc.start()
    found = loss.value_and_grad(logits, labels, instances=numbers)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < points * instances  # bytes; a table would have eight for each point and instance
    value, slope = loss.value_and_grad(logits.T[None], labels[None], instances=numbers[None])
    assert found[0] == pytest.approx(value, rel=1e-12)
    assert found[1] == pytest.approx(slope[0].T, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: BLOB(LOGITS, INSTANCES),
            TypeError,
            "BlobLoss needs instances=, the number of each pixel's instance, 0 for the background, of shape (N, *S)",
        ),
        (
            lambda: BLOB(LOGITS, INSTANCES, instances=1.0 * INSTANCES),
            TypeError,
            "instances must be integers, got float64 of shape (2, 6, 7)",
        ),
        (
            lambda: BLOB(LOGITS, INSTANCES, instances=INSTANCES[:, None]),
            ValueError,
            "instances must have the shape (2, 6, 7)",
        ),
        (
            lambda: dataclasses.replace(BLOB, validate=True)(
                LOGITS, 1 * (INSTANCES > 0), instances=INSTANCES + 1
            ),
            ValueError,
            "instances must lie between 0 and num_instances, 3, got others.",
        ),
        (lambda: core.BlobLoss(num_instances=0), ValueError, "num_instances must be at least 1, got 0"),
        (
            lambda: core.BlobLoss(region="other"),
            ValueError,
            "region must be one of 'shared', 'own', got 'other'",
        ),
        (
            lambda: core.BlobLoss(loss=core.DiceLoss(class_weights=(1.0, 2.0))),
            ValueError,
            "class_weights must be given to BlobLoss, not to its loss",
        ),
        *(
            (
                lambda cost=cost: core.BlobLoss(loss=cost),
                TypeError,
                "loss must be a ratio of sums of products for each class, such as DiceLoss(), got ",
            )
            for cost in (
                core.CrossEntropyLoss(),
                core.GeneralizedDiceLoss(),
                core.BoundaryDoULoss(),
                core.TanimotoLoss(),
                core.KappaLoss(),
                core.DiceLoss(overlap="minimum"),
                core.DiceLoss(per_class=False),
            )
        ),
    ],
)
def test_what_it_refuses(call, kind, message):
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value).startswith(message)
