"""A loss over the parts of a batch is the loss of the batch: value, and gradient of each part."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from parts import Ranks, cut
from problems import PROBLEMS, Problem, with_options

import seglosses_core
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build
from seglosses_core.across import PartsDisagree
from seglosses_core.presets import monai

N, C, H, W = 5, 3, 4, 6
IMAGES, ROWS = [2, 0, 3], [1, 0, 3]
"""How many images, or rows, each part has."""
OPTIONS = {
    "as it is": {},
    "batch": {"aggregate": "batch", "absent": "skip", "class_weights": [1.0, 0.5, 2.0]},
    "valid": {"divisor": "valid", "class_weights": [1.0, 0.5, 2.0], "average": "class"},
}


def batch_for(problem: Problem) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Images that are not alike: the first are mostly background, of the last much is ignored."""
    random = np.random.default_rng(8)
    logits = 2 * random.normal(size=(N, C, H, W))
    labels = random.choice(C, size=(N, H, W), p=[0.2, 0.5, 0.3])
    labels[:2] = np.where(random.uniform(size=(2, H, W)) < 0.8, 0, labels[:2])
    one_hot = labels[:, None] == np.arange(C)[:, None, None]
    soft = np.moveaxis(random.dirichlet(np.ones(C), (N, H, W)), -1, 1)
    heat = np.where(one_hot, 1, random.uniform(size=one_hot.shape))
    target = {"labels": labels, "one-hot": one_hot, "soft": soft, "heat map": heat}[problem.target]
    if problem.core.activation == "identity":
        logits = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = {"target": target, **ENTRIES[problem.loss].inputs(logits)}
    if problem.weighted:
        mask = random.uniform(size=(N, H, W))
        mask[3:] *= random.uniform(size=(2, H, W)) < 0.3
        given |= {"mask": mask, "sample_weight": random.uniform(0.5, 2, size=N)}
    return logits, given


@functools.cache
def cases() -> list[tuple[Problem, str]]:
    found = []
    for problem in PROBLEMS:
        for name, options in OPTIONS.items():
            if options and with_options(problem.loss, problem.sample.hyperparameters, options) == (
                problem.sample.hyperparameters
            ):
                continue
            found.append((problem, name))
    return found


def loss_of(problem: Problem, options: str):
    given = with_options(problem.loss, problem.sample.hyperparameters, OPTIONS[options])
    try:
        return build(seglosses_core, problem.loss, given, 1)
    except ValueError:
        return None


def parts_of_arrays(
    arrays: dict[str, np.ndarray], sizes: list[int], axis: int
) -> list[dict[str, np.ndarray]]:
    """Each part of the arrays along the images, axis 0, or the rows, axis −2, where they have these."""
    found = []
    for name, x in arrays.items():
        whole = name == "centers" or (axis and name in ("sample_weight",))
        found.append([x] * len(sizes) if whole else cut(x, sizes, axis))
    return [dict(zip(arrays, one, strict=True)) for one in zip(*found, strict=True)]


def compare(loss, logits, given, sizes, axis, **across) -> None:
    value, gradient = loss.value_and_grad(logits, given["target"], **rest(given))
    gradient = gradient[0] if isinstance(gradient, tuple) else gradient
    ranks, parts = Ranks(len(sizes)), parts_of_arrays({"logits": logits, **given}, sizes, axis)

    def one(rank, member):
        own = parts[rank]
        kind = dict.fromkeys(across, member)
        return loss.across(**kind).value_and_grad(own["logits"], own["target"], **rest(own))

    found = ranks.run(one)
    errors = [answer for answer in found if isinstance(answer, Exception)]
    for error in sorted(errors, key=lambda error: isinstance(error, PartsDisagree)):
        raise error
    assert len({float(v) for v, _ in found}) == 1
    np.testing.assert_allclose(found[0][0], value, rtol=1e-12, atol=1e-14)
    slopes = [g[0] if isinstance(g, tuple) else g for _, g in found]
    assert [g.shape[axis] for g in slopes] == sizes
    joined = np.concatenate(slopes, axis=axis) / len(sizes)
    np.testing.assert_allclose(joined, gradient, rtol=1e-9, atol=1e-12)


def rest(given):
    return {name: x for name, x in given.items() if name not in ("logits", "target")}


@pytest.mark.parametrize(("problem", "options"), cases(), ids=str)
def test_parts_with_different_images_give_the_loss_of_the_batch(problem, options):
    loss = loss_of(problem, options)
    if loss is None or loss.reduction == "none":
        return
    logits, given = batch_for(problem)
    try:
        loss.check_parts(images=True, pixels=False)
    except ValueError:
        return
    compare(loss, logits, given, IMAGES, 0, images=True)


@pytest.mark.parametrize(("problem", "options"), cases(), ids=str)
def test_parts_of_the_same_images_give_the_loss_of_the_batch(problem, options):
    loss = loss_of(problem, options)
    if loss is None or loss.reduction == "none":
        return
    logits, given = batch_for(problem)
    try:
        loss.check_parts(images=False, pixels=True)
    except ValueError:
        return
    compare(loss, logits, given, ROWS, -2, pixels=True)


@pytest.mark.parametrize(("problem", "options"), cases(), ids=str)
@pytest.mark.parametrize("parts_of", ["batch", "images"])
def test_statistics_of_parts_add_up_to_those_of_the_batch(problem, options, parts_of):
    loss = loss_of(problem, options)
    if loss is None or loss.reduction == "none":
        return
    logits, given = batch_for(problem)
    images = parts_of == "batch"
    try:
        loss.check_parts(images=images, pixels=not images, summed=True)
    except (TypeError, ValueError):
        return
    sizes, axis = ([2, 1, 2], 0) if images else ([1, 2, 1], -2)
    parts = parts_of_arrays({"logits": logits, **given}, sizes, axis)
    value, gradient = loss.value_and_grad(logits, given["target"], **rest(given))
    try:
        taken = [loss.statistics(p["logits"], p["target"], parts_of=parts_of, **rest(p)) for p in parts]
    except TypeError as error:
        assert "depend on other sums" in str(error)
        return
    total = sum(taken)
    np.testing.assert_allclose(loss.from_statistics(total), value, rtol=1e-12, atol=1e-14)
    shares = []
    for p in parts:
        again, share = loss.value_and_grad(p["logits"], p["target"], totals=total, **rest(p))
        assert float(again) == float(loss.from_statistics(total))
        shares.append(share[0] if isinstance(share, tuple) else share)
    gradient = gradient[0] if isinstance(gradient, tuple) else gradient
    np.testing.assert_allclose(np.concatenate(shares, axis=axis), gradient, rtol=1e-9, atol=1e-12)


def test_presets_across_parts():
    logits, labels = (
        np.random.default_rng(0).normal(size=(N, C, H, W)),
        np.arange(N * H * W).reshape(N, 1, H, W) % C,
    )
    loss = monai.DiceCELoss(batch=True, softmax=True, to_onehot_y=True)
    compare(loss, logits, {"target": labels}, IMAGES, 0, images=True)
    with pytest.raises(TypeError, match="totals are taken by the loss that `equivalent"):
        loss(logits, labels, totals=seglosses_core.DiceLoss().statistics(logits, labels[:, 0]))
    with pytest.raises(TypeError, match="statistics are taken by the loss that `equivalent"):
        loss.statistics(logits, labels)
