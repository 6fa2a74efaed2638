"""Relations between values that hold for every loss, as its record samples it: what is ignored, weighted, repeated."""

from __future__ import annotations

import dataclasses
from math import isnan
from typing import Any

import numpy as np
import pytest
from images import BATCH, CLASSES, WEIGHTS, every_number, hot, make
from problems import PROBLEMS, first_of_each, with_options

import seglosses_core as core
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import build
from seglosses_core.pixel import PixelLoss
from seglosses_core.region import RegionLoss

CENTERS = np.random.default_rng(7).normal(size=(CLASSES, CLASSES))

pytestmark = pytest.mark.sampled(1)


def losses() -> dict[str, Any]:
    """Of logits and labels, and centres."""
    found = {}
    for problem in first_of_each(PROBLEMS):
        sample = problem.sample
        if "labels" not in sample.targets or {*ENTRIES[problem.loss].inputs(make()[0])} - {"centers"}:
            continue
        for activation in sample.activations:
            if activation != "identity":
                given = with_options(problem.loss, sample.hyperparameters, {"activation": activation})
                found[f"{problem.loss}-{activation}"] = build(core, problem.loss, given, 1)
    return found


LOSSES = losses()


def over(which=lambda loss: True):
    chosen = {name: loss for name, loss in LOSSES.items() if which(loss)}
    return pytest.mark.parametrize("loss", chosen.values(), ids=chosen)


def single(loss):
    return not isinstance(loss, core.EnsembleLoss)


def dense(loss):
    return single(loss) and not loss.needs.labels_only


def region(loss):
    return isinstance(loss, RegionLoss)


def of_pixels_alone(loss):
    """Whether no cost depends on what is around a pixel."""
    return all(one.sees == "pixel" for one in getattr(loss, "losses", (loss,)))


def change(loss, **options):
    """With other common options, in an ensemble for each member."""
    if isinstance(loss, core.EnsembleLoss):
        options = {"losses": [change(member, **options) for member in loss.losses]}
    return dataclasses.replace(loss, **options)


def run(loss, logits, target, **arrays):
    """Value and gradient; the center loss with its centres."""
    more = {"centers": CENTERS} if isinstance(loss, core.CenterLoss) else {}
    return loss.value_and_grad(logits, target, **more, **arrays)


def value_of(loss, logits, target, **arrays):
    more = {"centers": CENTERS} if isinstance(loss, core.CenterLoss) else {}
    return loss(logits, target, **more, **arrays)


@over(dense)
@every_number
@pytest.mark.parametrize("dtype", [bool, np.int64, np.float64])
def test_one_hot_equals_labels(loss, reduction, dtype):
    logits, labels = make()
    loss = change(loss, reduction=reduction, class_weights=WEIGHTS)
    weights = {
        "mask": np.random.default_rng(8).uniform(0, 2, labels.shape),
        "sample_weight": np.asarray([1.0, 2.5]),
    }
    value, gradient = run(loss, logits, labels, **weights)
    dense, dense_gradient = run(loss, logits, hot(labels).astype(dtype), **weights)
    assert dense == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(dense_gradient, gradient, rtol=1e-11, atol=1e-15)


@over(lambda loss: dense(loss) and isinstance(loss, PixelLoss))
@pytest.mark.parametrize("pooling", [core.Minkowski(), core.TopK(fraction=0.5), core.MaxPooling()])
def test_one_hot_equals_labels_for_every_pooling(loss, pooling):
    logits, labels = make()
    loss = change(loss, reduction=pooling, class_weights=WEIGHTS)
    value, gradient = run(loss, logits, labels)
    dense, dense_gradient = run(loss, logits, hot(labels))
    assert dense == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(dense_gradient, gradient, rtol=1e-10, atol=1e-15)


@over(single)
def test_none_adds_up_to_sum(loss):
    logits, labels = make()
    labels[0, 0, 0] = 9
    options = {"class_weights": WEIGHTS, "ignore_index": 9}
    weights = {
        "mask": np.random.default_rng(9).uniform(0, 2, labels.shape),
        "sample_weight": np.asarray([1.0, 2.5]),
    }
    none = value_of(change(loss, reduction="none", **options), logits, labels, **weights)
    total = value_of(change(loss, reduction="sum", **options), logits, labels, **weights)
    assert np.sum(none) == pytest.approx(total, rel=1e-13)


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (core.CrossEntropyLoss(), (2, 3, 4)),
        (core.CrossEntropyLoss(activation="sigmoid"), (2, 3, 3, 4)),
        (core.MeanSquaredErrorLoss(), (2, 3, 3, 4)),
        (core.DiceLoss(), (2, 3)),
        (core.DiceLoss(aggregate="batch"), (3,)),
        (core.LocallyAdaptiveLoss(stride=2), (2, 3, 4)),
        (core.CenterLoss(), (2, 3, 4)),
    ],
)
def test_shape_of_none(loss, shape):
    logits, labels = make()
    assert value_of(change(loss, reduction="none"), logits, labels).shape == shape


@over()
@pytest.mark.parametrize("reduction", ["mean", "sum", core.Minkowski()], ids=["mean", "sum", "minkowski"])
def test_sample_weight_repeats_images(loss, reduction):
    if isinstance(reduction, core.Pooling) and not isinstance(loss, PixelLoss):
        reduction = "mean"
    logits, labels = make(batch=3)
    labels[labels == 2] = 0
    labels[1, 0, 0] = 2
    loss = change(loss, reduction=reduction, class_weights=WEIGHTS)
    times = np.asarray([1, 3, 2])
    value, gradient = run(loss, logits, labels, sample_weight=times)
    repeated, parts = run(loss, np.repeat(logits, times, 0), np.repeat(labels, times, 0))
    assert value == pytest.approx(repeated, rel=1e-13)
    np.testing.assert_allclose(
        np.repeat(gradient / times[:, None, None, None], times, 0), parts, rtol=1e-10, atol=1e-15
    )


@over()
def test_sample_weight_of_zero_leaves_an_image_out(loss):
    logits, labels = make(batch=3)
    value, gradient = run(loss, logits, labels, sample_weight=np.asarray([1, 0, 1]))
    expected, parts = run(loss, logits[[0, 2]], labels[[0, 2]])
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient[[0, 2]], parts, rtol=1e-11, atol=1e-15)
    np.testing.assert_array_equal(gradient[1], np.zeros_like(gradient[1]))


@over(of_pixels_alone)
@pytest.mark.parametrize("reduction", ["mean", "sum", core.Minkowski()], ids=["mean", "sum", "minkowski"])
def test_weight_of_two_counts_a_pixel_twice(loss, reduction):
    if isinstance(reduction, core.Pooling) and not isinstance(loss, PixelLoss):
        reduction = "mean"
    logits, labels = make((6,))
    loss = change(loss, reduction=reduction)
    times = np.asarray([1, 2, 1, 0, 3, 1])
    value, gradient = run(loss, logits, labels, mask=np.tile(times, (BATCH, 1)))
    repeated, parts = run(loss, np.repeat(logits, times, 2), np.repeat(labels, times, 1))
    assert value == pytest.approx(repeated, rel=1e-13)
    some = times > 0
    expected = np.repeat(gradient[..., some] / times[some], times[some], 2)
    np.testing.assert_allclose(expected, parts, rtol=1e-10, atol=1e-15)


@over()
@pytest.mark.parametrize("dtype", [bool, np.int32, np.float32])
def test_mask_of_ones_is_no_mask(loss, dtype):
    logits, labels = make()
    value, gradient = run(loss, logits, labels)
    masked, masked_gradient = run(loss, logits, labels, mask=np.ones(labels.shape, dtype))
    assert masked == pytest.approx(value, rel=1e-15)
    np.testing.assert_allclose(masked_gradient, gradient, rtol=1e-14, atol=1e-17)


@over()
def test_ignore_index_that_no_pixel_bears_changes_no_bit(loss):
    logits, labels = make()
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(change(loss, ignore_index=255), logits, labels)
    np.testing.assert_array_equal(same, value)
    np.testing.assert_array_equal(same_gradient, gradient)


@over()
@pytest.mark.parametrize("junk", [np.nan, np.inf, -np.inf, 1e30, -1e30])
@pytest.mark.parametrize("way", ["ignore_index", "mask", "sample_weight"])
def test_ignored_pixels_change_no_bit(loss, junk, way):
    logits, labels = make()
    ignored = np.zeros(labels.shape, bool)
    ignored[0] = True
    ignored[1, 1] = way != "sample_weight"
    weights = {}
    if way == "ignore_index":
        loss, labels = change(loss, ignore_index=255), np.where(ignored, 255, labels)
    elif way == "mask":
        weights = {"mask": np.where(ignored, 0.0, 0.7)}
    else:
        weights = {"sample_weight": np.asarray([0.0, 1.3])}
    value, gradient = run(loss, logits, labels, **weights)
    everywhere = np.broadcast_to(ignored[:, None], logits.shape)
    dirty, dirty_gradient = run(loss, np.where(everywhere, junk, logits), labels, **weights)
    np.testing.assert_array_equal(dirty, value)
    np.testing.assert_array_equal(dirty_gradient, gradient)
    assert not dirty_gradient[everywhere].any()
    assert dirty_gradient[~everywhere].any()


@over(dense)
def test_masked_soft_targets_change_no_bit(loss):
    logits, labels = make()
    target, mask = hot(labels) * 0.9, np.ones(labels.shape, bool)
    mask[1, 0] = False
    dirty = np.where(mask[:, None], target, np.nan)
    value, gradient = run(loss, logits, target, mask=mask)
    same, same_gradient = run(loss, logits, dirty, mask=mask)
    np.testing.assert_array_equal(same, value)
    np.testing.assert_array_equal(same_gradient, gradient)


def test_ignored_features_change_no_bit():
    logits, labels = make()
    features, mask = np.random.default_rng(10).normal(size=logits.shape), np.ones(labels.shape)
    mask[0, 0] = 0
    dirty = np.where(mask[:, None] > 0, features, np.nan)
    for function in (core.CenterLoss().value_and_grad, core.CenterLoss().updated_centers):
        clean = function(logits, labels, centers=CENTERS, mask=mask, features=features)
        result = function(logits, labels, centers=CENTERS, mask=mask, features=dirty)
        np.testing.assert_equal(result, clean)


@over()
@pytest.mark.parametrize("reduction", ["mean", "sum", core.Minkowski(), core.TopK(), core.MaxPooling()])
@pytest.mark.parametrize("way", ["ignore_index", "mask", "sample_weight"])
def test_nothing_valid_is_zero(loss, reduction, way):
    if isinstance(reduction, core.Pooling) and not isinstance(loss, PixelLoss):
        reduction = "mean"
    logits, labels = make()
    loss, weights = change(loss, reduction=reduction), {}
    if way == "ignore_index":
        loss, labels = change(loss, ignore_index=255), np.full_like(labels, 255)
    elif way == "mask":
        weights = {"mask": np.zeros(labels.shape, bool)}
    else:
        weights = {"sample_weight": np.zeros(BATCH)}
    value, gradient = run(loss, np.full_like(logits, np.nan), labels, **weights)
    assert value == 0
    np.testing.assert_array_equal(gradient, np.zeros_like(logits))


@over(region)
def test_an_image_without_a_valid_pixel_leaves_the_mean(loss):
    logits, labels = make()
    loss = change(loss, ignore_index=255)
    expected = run(loss, logits[:1], labels[:1])[0]
    labels[1] = 255
    assert run(loss, logits, labels)[0] == pytest.approx(expected, rel=1e-14)


@over()
@pytest.mark.parametrize("label", [-1, CLASSES, 255])
def test_label_outside_the_classes_is_nan(loss, label):
    logits, labels = make()
    labels[0, 1, 2] = label
    value, gradient = run(loss, logits, labels)
    assert isnan(value)
    assert np.isnan(gradient).any()
    mask = np.ones(labels.shape, bool)
    mask[0, 1, 2] = False
    value, gradient = run(loss, logits, labels, mask=mask)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("kind", [core.CrossEntropyLoss, core.DiceLoss, core.FocalLoss])
@pytest.mark.parametrize(("label", "fine"), [(0, True), (1, True), (2, False), (-1, False)])
def test_labels_of_one_class(kind, label, fine):
    value = kind(activation="sigmoid")(np.zeros((1, 1, 2)), np.asarray([[1, label]]))
    assert isnan(value) != fine


@over(of_pixels_alone)
@pytest.mark.parametrize("shape", [(24,), (2, 3, 4), (2, 2, 3, 2)], ids=str)
def test_shape_of_the_image_does_not_matter(loss, shape):
    logits, labels = make((4, 6))
    value, gradient = run(loss, logits, labels)
    same, reshaped = run(loss, logits.reshape(BATCH, CLASSES, *shape), labels.reshape(BATCH, *shape))
    assert same == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(reshaped.reshape(gradient.shape), gradient, rtol=1e-11, atol=1e-15)


@over(of_pixels_alone)
@every_number
def test_no_spatial_axis_is_one_pixel(loss, reduction):
    logits, labels = make(())
    loss = change(loss, reduction=reduction)
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(loss, logits[..., None, None], labels[..., None, None])
    assert same == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(same_gradient[..., 0, 0], gradient, rtol=1e-12, atol=1e-16)


# The penalty of NACL is of logits themselves.
@over(lambda loss: loss.activation == "softmax" and not isinstance(loss, core.NACLLoss))
def test_shifting_softmax_logits_changes_nothing(loss):
    if isinstance(loss, core.CenterLoss):
        loss = change(loss, weight=0.0)
    logits, labels = make()
    shift = np.random.default_rng(11).normal(size=(BATCH, 1, 3, 4)) * 5
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(loss, logits + shift, labels)
    assert same == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(same_gradient, gradient, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(gradient.sum(1), 0, atol=1e-14)


@over()
def test_equal_class_weights_are_no_class_weights(loss):
    logits, labels = make()
    value, gradient = run(loss, logits, labels)
    same, same_gradient = run(change(loss, class_weights=(4.0,) * CLASSES), logits, labels)
    assert same == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(same_gradient, gradient, rtol=1e-11, atol=1e-16)


@over(single)
def test_class_weight_of_zero_silences_the_pixels_of_a_class(loss):
    """Or, where classes overlap, the class itself."""
    logits, labels = make()
    gradient = run(change(loss, class_weights=(1, 0, 1)), logits, labels)[1]
    exclusive = (
        type(loss) in (core.CrossEntropyLoss, core.FocalLoss, core.CenterLoss)
        and loss.activation == "softmax"
    )
    if exclusive:
        silent = np.broadcast_to((labels == 1)[:, None], gradient.shape)
        assert not gradient[silent].any()
        assert gradient[~silent].all()
    elif loss.activation == "sigmoid" and loss.sees != "image":
        assert not gradient[:, 1].any()
    assert gradient.any()


@over(lambda loss: region(loss) and loss.per_class)
def test_region_mean_is_that_of_the_scores(loss):
    logits, labels = make(batch=3)
    labels[0] = np.minimum(labels[0], 1)
    scores = change(loss, reduction="none", absent="count", include_background=True)(logits, labels)
    scores = np.atleast_2d(scores)
    counts = np.asarray([[np.count_nonzero(image == c) for c in range(CLASSES)] for image in labels])
    counts = counts.sum(0, keepdims=True) if loss.aggregate == "batch" else counts
    weights = np.broadcast_to(WEIGHTS, scores.shape).copy()
    if loss.aggregate == "image":
        weights *= np.asarray([1.0, 2, 5])[:, None]
        value = change(loss, class_weights=WEIGHTS)(logits, labels, sample_weight=np.asarray([1.0, 2, 5]))
    else:
        value = change(loss, class_weights=WEIGHTS)(logits, labels)
    if loss.absent == "skip":
        weights *= counts > 0
    if not loss.include_background:
        weights[:, 0] = 0
    assert value == pytest.approx(np.sum(weights * scores) / np.sum(weights), rel=1e-13)


@over(lambda loss: region(loss) and loss.sees != "image")
def test_batch_is_one_large_image(loss):
    logits, labels = make()
    value = change(loss, aggregate="batch")(logits, labels)
    joined = np.concatenate(list(logits), -1)[None], np.concatenate(list(labels), -1)[None]
    assert value == pytest.approx(change(loss, aggregate="image")(*joined), rel=1e-13)


@over()
@pytest.mark.parametrize(
    ("dtype", "computed"), [("float64", "float64"), ("float32", "float32"), ("float16", "float32")]
)
def test_dtypes(loss, dtype, computed):
    logits, labels = make()
    logits = logits.astype(dtype)
    value, gradient = run(loss, logits, labels, mask=np.ones(labels.shape), sample_weight=np.ones(BATCH))
    assert value.dtype == computed
    assert gradient.dtype == dtype
    exact, slope = run(loss, logits.astype("float64"), labels)
    assert value == pytest.approx(exact, rel=1e-13 if dtype == "float64" else 1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=2e-3 if dtype == "float16" else 1e-4, atol=1e-6)


@over()
def test_value_is_the_same_with_and_without_gradient(loss):
    logits, labels = make()
    np.testing.assert_array_equal(run(loss, logits, labels)[0], value_of(loss, logits, labels))


@over()
def test_inputs_stay_as_they_are(loss):
    arrays = [*make(), np.ones((BATCH, 3, 4)), np.ones(BATCH)]
    before = [x.copy() for x in arrays]
    for x in arrays:
        x.flags.writeable = False
    run(loss, arrays[0], arrays[1], mask=arrays[2], sample_weight=arrays[3])
    for x, y in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("loss", [core.DiceLoss, core.FocalLoss])
def test_a_class_that_an_image_has_not_annotated_is_left_out(loss):
    """As docs/conventions.md has it."""
    rng = np.random.default_rng(11)
    logits, target = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 2, size=(2, 3, 4, 5))
    annotated = np.ones(logits.shape, dtype=bool)
    annotated[1, 2] = False
    overlapping = loss(activation="sigmoid")
    value = overlapping(logits, target, mask=annotated)
    whole, rest = overlapping(logits[:1], target[:1]), overlapping(logits[1:, :2], target[1:, :2])
    np.testing.assert_allclose(value, (3 * whole + 2 * rest) / 5)
