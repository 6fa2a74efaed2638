"""A loss over the parts of a batch is the loss of the batch: value, and gradient of each part."""

from __future__ import annotations

import numpy as np
import pytest
from parts import Ranks, cut
from problems import PROBLEMS, Problem, first_of_each, with_options

import seglosses_core
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build
from seglosses_core import (
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    HardExampleMining,
    LocallyAdaptiveLoss,
    LovaszSoftmaxLoss,
    MaxPooling,
    Minkowski,
    TopK,
)
from seglosses_core.across import BLOCK, PartsDisagree
from seglosses_core.presets import monai

N, C, H, W = 5, 3, 4, 6
IMAGES, ROWS = [2, 0, 3], [1, 0, 3]
"""How many images, or rows, each part has."""
BATCH = {"aggregate": "batch", "absent": "skip", "class_weights": [1.0, 0.5, 2.0], "divisor": "valid"}
POOLINGS = (
    Minkowski(k=2.5),
    TopK(fraction=0.2),
    MaxPooling(ratio=0.4, p=1.7),
    HardExampleMining(min_kept=9, threshold=0.6),
    HardExampleMining(min_kept=3, threshold=0.9, per_image=True),
)


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


ENTROPY = next(problem for problem in PROBLEMS if problem.loss == "CrossEntropyLoss" and problem.weighted)


def made(problem, **options):
    return build(
        seglosses_core, problem.loss, with_options(problem.loss, problem.sample.hyperparameters, options), 1
    )


def allows(loss, *, images, pixels, summed=False):
    try:
        loss.check_parts(images=images, pixels=pixels, summed=summed)
    except (TypeError, ValueError):
        return False
    return True


def cases(*, images, summed=False):
    """Each loss as its record samples it, and once over the batch, where its parts may be these."""
    found = [(str(problem), problem, {}) for problem in PROBLEMS]
    for problem in first_of_each(PROBLEMS):
        given = problem.sample.hyperparameters
        if with_options(problem.loss, given, {"aggregate": "batch"}) != given:
            own = {
                name: x
                for name, x in BATCH.items()
                if name != "class_weights" or "class_weights" not in given
            }
            found.append((f"{problem}-batch", problem, own))
    return [
        pytest.param(problem, options, id=name)
        for name, problem, options in found
        if allows(made(problem, **options), images=images, pixels=not images, summed=summed)
    ]


def parts_of(arrays, sizes, axis):
    """Each part of the arrays along the images, axis 0, or the rows, axis −2, where they have these."""
    found = []
    for name, x in arrays.items():
        whole = name == "centers" or (axis and name == "sample_weight")
        found.append([x] * len(sizes) if whole else cut(x, sizes, axis))
    return [dict(zip(arrays, one, strict=True)) for one in zip(*found, strict=True)]


def value_and_gradient(loss, logits, target, **given):
    value, gradient = loss.value_and_grad(logits, target, **given)
    return value, gradient[0] if isinstance(gradient, tuple) else gradient


def of_ranks(ranks, compute):
    """What each rank gives; the first error of one if there is any."""
    found = ranks.run(compute)
    errors = [one for one in found if isinstance(one, Exception)]
    for error in sorted(errors, key=lambda error: isinstance(error, PartsDisagree)):
        raise error
    return found


def compare(loss, logits, given, sizes, kind):
    """The calls of each part."""
    value, gradient = value_and_gradient(loss, logits, **given)
    axis = 0 if kind == "images" else -2
    ranks, parts = Ranks(len(sizes)), parts_of({"logits": logits, **given}, sizes, axis)
    found = of_ranks(
        ranks, lambda rank, member: value_and_gradient(loss.across(**{kind: member}), **parts[rank])
    )
    assert len({float(value) for value, _ in found}) == 1
    np.testing.assert_allclose(found[0][0], value, rtol=1e-12, atol=1e-14)
    assert [gradient.shape[axis] for _, gradient in found] == sizes
    joined = np.concatenate([gradient for _, gradient in found], axis=axis) / len(sizes)
    np.testing.assert_allclose(joined, gradient, rtol=1e-9, atol=1e-12)
    return ranks.calls


@pytest.mark.parametrize(("problem", "options"), cases(images=True))
def test_parts_with_different_images_give_the_loss_of_the_batch(problem, options):
    compare(made(problem, **options), *batch_for(problem), IMAGES, "images")


@pytest.mark.parametrize(("problem", "options"), cases(images=False))
def test_parts_of_the_same_images_give_the_loss_of_the_batch(problem, options):
    compare(made(problem, **options), *batch_for(problem), ROWS, "pixels")


@pytest.mark.parametrize("images", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS, ids=str)
def test_poolings_over_parts(pooling, images):
    loss = FocalLoss(reduction=pooling, class_weights=[1.0, 0.5, 2.0])
    if allows(loss, images=images, pixels=not images):
        logits, given = batch_for(ENTROPY)
        logits[:2, :, :2] = logits[0, :, :1, :1]  # entries that tie, on several parts
        given["target"][:2, :2] = 0
        compare(loss, logits, given, *((IMAGES, "images") if images else (ROWS, "pixels")))


@pytest.mark.parametrize(
    ("loss", "rounds", "numbers"),
    [
        # Three moments of three classes, sizes, valid pixels and the flag for what is NaN, in one message.
        (DiceLoss(aggregate="batch", absent="skip"), [("sum", BLOCK)], 14),
        (DiceLoss(), [("sum", BLOCK)], 3),
        (CrossEntropyLoss(), [("sum", BLOCK)], 3),
        (CrossEntropyLoss(reduction=Minkowski()), [("max", BLOCK), ("sum", BLOCK)], 4),
        (0.5 * DiceLoss(aggregate="batch") + CrossEntropyLoss(), [("sum", BLOCK)], 13),
    ],
    ids=["batch", "image", "entropy", "powers", "ensemble"],
)
def test_a_call_is_one_message(loss, rounds, numbers):
    logits, given = batch_for(ENTROPY)
    ranks = Ranks(2)
    parts = parts_of({"logits": logits, **given}, [2, 3], 0)
    of_ranks(ranks, lambda rank, member: loss.across(images=member)(**parts[rank]))
    assert ranks.calls == rounds
    assert sum(x.size for x in loss.statistics(logits, **given).arrays()) == numbers


@pytest.mark.parametrize(
    "problem",
    [problem for problem in first_of_each(PROBLEMS) if allows(made(problem), images=True, pixels=True)],
    ids=str,
)
def test_images_and_pixels_on_a_mesh(problem):
    loss, (logits, given) = made(problem), batch_for(problem)
    value, gradient = value_and_gradient(loss, logits, **given)
    groups = {"images": [Ranks(2), Ranks(2)], "pixels": [Ranks(2), Ranks(2)]}
    parts = [
        part
        for images in parts_of({"logits": logits, **given}, [2, 3], 0)
        for part in parts_of(images, [1, 3], -2)
    ]

    def one(rank, _):
        row, column = divmod(rank, 2)
        own = loss.across(
            images=groups["images"][column].member(row), pixels=groups["pixels"][row].member(column)
        )
        return value_and_gradient(own, **parts[rank])

    found = of_ranks(Ranks(4), one)
    assert len({float(value) for value, _ in found}) == 1
    np.testing.assert_allclose(found[0][0], value, rtol=1e-12, atol=1e-14)
    slopes = [gradient / 4 for _, gradient in found]
    joined = np.concatenate([np.concatenate(slopes[i : i + 2], axis=-2) for i in (0, 2)])
    np.testing.assert_allclose(joined, gradient, rtol=1e-9, atol=1e-12)


def test_gradients_that_are_added_up():
    logits, given = batch_for(ENTROPY)
    parts = parts_of({"logits": logits, **given}, [2, 3], 0)
    _, gradient = value_and_gradient(DiceLoss(), logits, **given)
    found = of_ranks(
        Ranks(2),
        lambda rank, member: value_and_gradient(
            DiceLoss().across(images=member, gradients="sum"), **parts[rank]
        ),
    )
    np.testing.assert_allclose(np.concatenate([g for _, g in found]), gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", [DiceLoss(), CrossEntropyLoss(), LocallyAdaptiveLoss()], ids=str)
def test_a_part_that_is_ignored_and_a_bad_label(loss):
    logits, given = batch_for(ENTROPY)
    labels = given["target"]
    mask = np.ones(labels.shape, dtype=bool)
    mask[:2] = False
    value = loss(logits[2:], labels[2:])
    parts = parts_of({"logits": logits, "target": labels, "mask": mask}, [2, 3], 0)
    found = of_ranks(Ranks(2), lambda rank, member: loss.across(images=member)(**parts[rank]))
    np.testing.assert_allclose(found, [value, value], rtol=1e-12)
    parts[1]["target"] = parts[1]["target"] + 7
    assert np.isnan(of_ranks(Ranks(2), lambda rank, member: loss.across(images=member)(**parts[rank]))).all()


def test_parts_that_do_not_go_together():
    logits, given = batch_for(ENTROPY)
    labels = given["target"]
    losses = [DiceLoss(), CrossEntropyLoss()]

    def another(rank, member):
        return losses[rank].across(images=member)(logits, labels)

    def wrong(rank, member):
        return DiceLoss().across(images=member)(logits, labels[:, :2] if rank else labels)

    def more_classes(rank, member):
        more = np.concatenate([logits] * 200, axis=1) if rank else logits
        return DiceLoss(aggregate="batch").across(images=member)(more, labels)

    for compute in (another, wrong, more_classes):
        errors = Ranks(2).run(compute)
        assert {type(error) for error in errors} <= {PartsDisagree, ValueError}, errors
        assert any(isinstance(error, PartsDisagree) for error in errors)


def test_what_has_no_parts_is_refused():
    logits, given = batch_for(ENTROPY)
    member = Ranks(1).member(0)
    with pytest.raises(ValueError, match="looks at whole images"):
        LocallyAdaptiveLoss().across(pixels=member)
    with pytest.raises(ValueError, match="aggregate='image'"):
        LovaszSoftmaxLoss().across(images=member)
    with pytest.raises(TypeError, match="all_reduce"):
        DiceLoss().across(images="world")
    with pytest.raises(ValueError, match="needs images= or pixels="):
        DiceLoss().across()
    with pytest.raises(ValueError, match="across no parts"):
        DiceLoss().across(images=member) + DiceLoss()
    with pytest.raises(TypeError, match="threshold"):
        CrossEntropyLoss(reduction=TopK()).statistics(logits, **given)
    with pytest.raises(ValueError, match="parts_of must be"):
        DiceLoss().statistics(logits, **given, parts_of="pixels")
    with pytest.raises(ValueError, match="of one loss"):
        DiceLoss().statistics(logits, **given) + CrossEntropyLoss().statistics(logits, **given)
    with pytest.raises(ValueError, match="of one loss"):
        DiceLoss()(logits, **given, totals=CrossEntropyLoss().statistics(logits, **given))
    slabs = [DiceLoss().statistics(logits[:n], given["target"][:n], parts_of="images") for n in (2, 3)]
    with pytest.raises(ValueError, match="parts of the same images"):
        sum(slabs)


@pytest.mark.parametrize("parts_of_what", ["batch", "images"])
@pytest.mark.parametrize(("problem", "options"), cases(images=True, summed=True))
def test_statistics_of_parts_add_up_to_those_of_the_batch(problem, options, parts_of_what):
    loss, (logits, given) = made(problem, **options), batch_for(problem)
    images = parts_of_what == "batch"
    if not allows(loss, images=images, pixels=not images, summed=True):
        return
    sizes, axis = ([2, 1, 2], 0) if images else ([1, 2, 1], -2)
    parts = parts_of({"logits": logits, **given}, sizes, axis)
    if problem.loss == "RecallCrossEntropyLoss" or "average=class" in str(problem):
        if images:
            with pytest.raises(TypeError, match="depend on other sums"):
                loss.statistics(**parts[0])
        return
    value, gradient = value_and_gradient(loss, logits, **given)
    total = sum(loss.statistics(**part, parts_of=parts_of_what) for part in parts)
    np.testing.assert_allclose(loss.from_statistics(total), value, rtol=1e-12, atol=1e-14)
    found = [value_and_gradient(loss, **part, totals=total) for part in parts]
    assert {float(value) for value, _ in found} == {float(loss.from_statistics(total))}
    joined = np.concatenate([gradient for _, gradient in found], axis=axis)
    np.testing.assert_allclose(joined, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", [DiceLoss(aggregate="batch"), CrossEntropyLoss()], ids=str)
def test_statistics_of_an_empty_part_are_nothing(loss):
    logits, given = batch_for(ENTROPY)
    across, target = loss.across(images=Ranks(1).member(0)), given["target"]
    parts = parts_of({"logits": logits, "target": target}, [N, 0], 0)
    total = sum(across.statistics(**part) for part in parts)
    np.testing.assert_allclose(loss.from_statistics(total), loss(logits, target), rtol=1e-12)


def test_presets_across_parts():
    logits = np.random.default_rng(0).normal(size=(N, C, H, W))
    labels = np.arange(N * H * W).reshape(N, 1, H, W) % C
    loss = monai.DiceCELoss(batch=True, softmax=True, to_onehot_y=True)
    compare(loss, logits, {"target": labels}, IMAGES, "images")
    with pytest.raises(TypeError, match="totals are taken by the loss that `equivalent"):
        loss(logits, labels, totals=DiceLoss().statistics(logits, labels[:, 0]))
    with pytest.raises(TypeError, match="statistics are taken by the loss that `equivalent"):
        loss.statistics(logits, labels)
