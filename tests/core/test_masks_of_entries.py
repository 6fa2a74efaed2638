"""A mask of the logits' shape: weights of each class of a pixel, where classes overlap."""

import jax
import numpy as np
import pytest
import torch

import seglosses_core
import seglosses_jax
import seglosses_torch
from seglosses_core import (
    AsymmetricLoss,
    BalancedCrossEntropyLoss,
    CenterLoss,
    ClDiceLoss,
    CrossEntropyLoss,
    DeepSupervisionLoss,
    DiceLoss,
    FocalLoss,
    GeneralizedDiceLoss,
    HardExampleMining,
    MeanSquaredErrorLoss,
    Minkowski,
    SSIMLoss,
    StructureLoss,
    TopK,
    TverskyLoss,
)

RNG = np.random.default_rng(20)
N, C, S = 3, 4, (5, 6)
LOGITS = RNG.normal(size=(N, C, *S))
LABELS = RNG.integers(0, C, size=(N, *S))
HARD = (RNG.random((N, C, *S)) < 0.4).astype(float)
SOFT = RNG.random((N, C, *S))
MASK = RNG.uniform(0.5, 2.0, (N, C, *S)) * (RNG.random((N, C, *S)) < 0.7)
MASK[1, 2] = 0.0  # a class that nobody annotated there
MASK[2, :, 0, 0] = 0.0
MASK[0, 3] = 0.0
COUNTS = MASK > 0
SAMPLE_WEIGHT = np.asarray([2.0, 0.5, 3.0])
CLASS_WEIGHTS = (1.0, 2.0, 0.5, 4.0)
HIDDEN = {"logits": np.where(COUNTS, LOGITS, np.nan), "target": np.where(COUNTS, SOFT, np.nan)}
P = 1 / (1 + np.exp(-LOGITS))
ENTROPY = -SOFT * np.log(P) - (1 - SOFT) * np.log(1 - P)


def images_of_classes(x):
    """Each class as an image of its own."""
    return x.reshape(N * C, 1, *S)


def sigmoid(kind, **options):
    return kind(activation="sigmoid", **options)


def takes_weights_of_entries(kind):
    try:
        loss = sigmoid(kind)
    except (TypeError, ValueError):  # of exclusive classes alone, or a sum
        return False
    return loss.refusal_of_entries(LOGITS, 1) is None


TAKING = [kind for kind in seglosses_core.LOSSES if takes_weights_of_entries(kind)]
TOGETHER = [kind.__name__ for kind in TAKING if not getattr(kind, "per_class", True)]
"""With one ratio for all classes."""
SUPPORTED = [kind.__name__ for kind in TAKING if kind.__name__ not in TOGETHER]


def test_most_losses_of_overlapping_classes_take_it():
    assert len(SUPPORTED) >= 32
    assert {"CrossEntropyLoss", "FocalLoss", "DiceLoss", "TverskyLoss"} <= set(SUPPORTED)


@pytest.mark.parametrize("name", SUPPORTED)
@pytest.mark.parametrize("target", [HARD, SOFT], ids=["hard", "soft"])
def test_it_is_each_class_as_an_image_of_its_own(name, target):
    loss = sigmoid(getattr(seglosses_core, name))
    hidden = np.where(COUNTS, target, np.nan)
    value, gradient = loss.value_and_grad(HIDDEN["logits"], hidden, mask=MASK)
    expected, slopes = loss.value_and_grad(
        images_of_classes(LOGITS), images_of_classes(target), mask=MASK.reshape(N * C, *S)
    )
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, slopes.reshape(gradient.shape), rtol=1e-12, atol=1e-17)
    assert np.all(gradient[~COUNTS] == 0)


@pytest.mark.parametrize("name", [*SUPPORTED, *TOGETHER])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_weights": CLASS_WEIGHTS, "divisor": "valid"},
        {"divisor": "all"},
        {"reduction": "sum"},
        {"reduction": TopK(fraction=0.4)},
    ],
    ids=["mean", "weights", "all", "sum", "top"],
)
def test_a_map_over_all_classes_is_that_map(name, options):
    if name == "PointwiseExponentialLoss" and not isinstance(options.get("reduction", ""), str):
        options = {}  # it has no poolings
    loss = sigmoid(getattr(seglosses_core, name), **options)
    of_pixels = MASK[:, 0]
    broadcast = np.repeat(of_pixels[:, None], C, axis=1)
    for target in (LABELS, SOFT):
        rest = {"sample_weight": SAMPLE_WEIGHT}
        of_map = loss.value_and_grad(LOGITS, target, mask=of_pixels, **rest)
        of_entries = loss.value_and_grad(LOGITS, target, mask=broadcast, **rest)
        for x, y in zip(of_entries, of_map, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("kind", [kind for kind in seglosses_core.LOSSES if kind not in TAKING])
def test_all_other_losses_refuse_it_by_name(kind):
    name = kind.__name__
    needed = {
        "LogitAdjustedCrossEntropyLoss": {"priors": (1.0,) * C},
        "GeneralizedWassersteinDiceLoss": {"distances": (1 - np.eye(C)).tolist()},
        "EnsembleLoss": {"losses": [sigmoid(DiceLoss), sigmoid(SSIMLoss)]},
    }.get(name, {})
    try:
        loss = kind(activation="sigmoid", **needed)
    except (TypeError, ValueError):  # of exclusive classes alone, or a sum
        loss = kind(**needed)
    refusing = "SSIMLoss" if name == "EnsembleLoss" else name
    with pytest.raises(ValueError, match=rf"mask must have the shape of the labels, .*{refusing}"):
        loss(LOGITS, LABELS, mask=MASK)


# -- costs of pixels --------------------------------------------------------------------------------------------------


def mean(costs, weights, counted=None):
    return np.sum(costs * weights) / np.sum(weights if counted is None else counted)


def test_weights_of_every_kind_multiply():
    loss = sigmoid(CrossEntropyLoss, class_weights=CLASS_WEIGHTS)
    w = MASK * SAMPLE_WEIGHT[:, None, None, None] * np.asarray(CLASS_WEIGHTS)[:, None, None]
    value = loss(HIDDEN["logits"], HIDDEN["target"], mask=MASK, sample_weight=SAMPLE_WEIGHT)
    np.testing.assert_allclose(value, mean(ENTROPY, w), rtol=1e-13)


@pytest.mark.parametrize("divisor", ["valid", "all"])
def test_a_mean_divides_by_entries(divisor):
    loss = sigmoid(CrossEntropyLoss, divisor=divisor)
    counted = COUNTS if divisor == "valid" else np.ones_like(MASK)
    value = loss(HIDDEN["logits"], HIDDEN["target"], mask=MASK)
    np.testing.assert_allclose(value, mean(ENTROPY, MASK, counted), rtol=1e-13)


def test_none_is_each_entry():
    loss = sigmoid(CrossEntropyLoss, reduction="none")
    value = loss(HIDDEN["logits"], HIDDEN["target"], mask=MASK)
    np.testing.assert_allclose(value, MASK * ENTROPY, rtol=1e-12)


def costliest(costs, weights, count):
    kept = np.argsort(np.where(weights > 0, -costs, np.inf), axis=None)[:count]
    return np.sum((costs * weights).flat[kept]), np.sum(weights.flat[kept])


def test_poolings_are_over_entries():
    def pooled(reduction):
        return sigmoid(CrossEntropyLoss, reduction=reduction)(HIDDEN["logits"], HIDDEN["target"], mask=MASK)

    total, count = costliest(ENTROPY, MASK, int(0.3 * COUNTS.sum()))
    np.testing.assert_allclose(pooled(TopK(fraction=0.3)), total / count, rtol=1e-12)
    of_images = np.sum([costliest(*of_image, 5) for of_image in zip(ENTROPY, MASK, strict=True)], axis=0)
    hard = HardExampleMining(min_kept=5, threshold=None, per_image=True)
    np.testing.assert_allclose(pooled(hard), of_images[0] / of_images[1], rtol=1e-12)
    np.testing.assert_allclose(pooled(Minkowski(k=3)), mean(ENTROPY**3, MASK) ** (1 / 3), rtol=1e-12)


def test_probabilities_of_overlapping_classes():
    loss = CrossEntropyLoss(activation="identity", overlapping=True)
    hidden = np.where(COUNTS, P, np.nan)
    np.testing.assert_allclose(loss(hidden, HIDDEN["target"], mask=MASK), mean(ENTROPY, MASK), rtol=1e-12)
    difference = mean((P - SOFT) ** 2, MASK)
    value = MeanSquaredErrorLoss()(hidden, HIDDEN["target"], mask=MASK)
    np.testing.assert_allclose(value, difference, rtol=1e-13)


def test_a_normalized_focal_loss_has_the_sums_of_each_class():
    loss = sigmoid(FocalLoss, normalized=True, alpha=None)
    value = loss(HIDDEN["logits"], np.where(COUNTS, HARD, np.nan), mask=MASK)
    missed = np.where(HARD == 1, 1 - P, P) ** 2
    costs = -missed * np.log(np.where(HARD == 1, P, 1 - P))
    total, damped = (np.sum(MASK * x, axis=(2, 3), keepdims=True) for x in (np.ones_like(missed), missed))
    factor = np.divide(total, damped, where=damped > 0, out=np.zeros_like(total))
    np.testing.assert_allclose(value, mean(factor * costs, MASK), rtol=1e-12)


def test_a_balanced_entropy_has_the_shares_of_what_counts():
    value = BalancedCrossEntropyLoss()(HIDDEN["logits"], np.where(COUNTS, HARD, np.nan), mask=MASK)
    present, absent = (np.sum(MASK * y, axis=(2, 3), keepdims=True) for y in (HARD, 1 - HARD))
    total = np.where(present + absent > 0, present + absent, 1)
    costs = -absent / total * HARD * np.log(P) - present / total * (1 - HARD) * np.log(1 - P)
    np.testing.assert_allclose(value, mean(costs, MASK), rtol=1e-12)


def test_a_factor_of_pixels_stays_a_map():
    factor = RNG.random((N, *S))
    factor[2, 0, 0] = np.nan  # where no class counts
    value = sigmoid(CrossEntropyLoss)(HIDDEN["logits"], HIDDEN["target"], mask=MASK, factor=factor)
    expected = mean(np.nan_to_num(factor)[:, None] * ENTROPY, MASK)
    np.testing.assert_allclose(value, expected, rtol=1e-13)


# -- regions ----------------------------------------------------------------------------------------------------------


def sums(*, batch=False, weights=MASK):
    axes = (0, 2, 3) if batch else (2, 3)
    return [np.sum(weights * x, axis=axes, keepdims=batch).reshape(-1, C) for x in (P * SOFT, P, SOFT)]


def dice(overlap, predicted, size, smooth=1e-5):
    return 1 - (2 * overlap + smooth) / (predicted + size + smooth)


@pytest.mark.parametrize("average", ["pooled", "image", "class"])
@pytest.mark.parametrize("divisor", ["weights", "valid", "all"])
def test_a_class_of_an_image_without_a_valid_entry_is_left_out(average, divisor):
    """Of the mean; with divisor="all" it costs 0 there."""
    options = {"class_weights": CLASS_WEIGHTS, "divisor": divisor, "average": average}
    loss = sigmoid(DiceLoss, **options)
    value = loss(HIDDEN["logits"], HIDDEN["target"], mask=MASK, sample_weight=SAMPLE_WEIGHT)
    there = COUNTS.any((2, 3)).astype(float)
    assert there.sum() == N * C - 2
    of_image, of_class = SAMPLE_WEIGHT[:, None] * there, np.asarray(CLASS_WEIGHTS)[None, :] * there
    costs, full = dice(*sums()), np.ones((N, C))
    # Each mean, by w ℓ and by what it divides by: of the weights, of what is valid, or of all.
    if average == "pooled":
        w = of_image * of_class
        by = {"weights": w, "valid": there, "all": full}[divisor]
        expected = np.sum(w * costs) / np.sum(by)
    elif average == "image":
        by = {"weights": of_class, "valid": there, "all": full}[divisor]
        images = np.sum(of_class * costs, axis=1) / np.sum(by, axis=1)
        of_images = SAMPLE_WEIGHT if divisor == "weights" else np.ones(N)
        expected = np.sum(SAMPLE_WEIGHT * images) / np.sum(of_images)
    else:
        by = {"weights": of_image, "valid": there, "all": full}[divisor]
        classes = np.sum(of_image * costs, axis=0) / np.sum(by, axis=0)
        w = np.asarray(CLASS_WEIGHTS)
        expected = np.sum(w * classes) / np.sum(w if divisor == "weights" else np.ones(C))
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_over_the_batch():
    loss = sigmoid(TverskyLoss, alpha=0.3, beta=0.7, aggregate="batch", class_weights=CLASS_WEIGHTS)
    mask = MASK.copy()
    mask[:, 1] = 0.0  # nobody annotated it anywhere
    w = mask * SAMPLE_WEIGHT[:, None, None, None]
    overlap, predicted, size = sums(batch=True, weights=w)
    costs = 1 - (overlap + 1e-5) / (overlap + 0.3 * (predicted - overlap) + 0.7 * (size - overlap) + 1e-5)
    classes = np.asarray(CLASS_WEIGHTS) * [1, 0, 1, 1]
    given = np.where(mask > 0, LOGITS, np.nan), np.where(mask > 0, SOFT, np.nan)
    value = loss(*given, mask=mask, sample_weight=SAMPLE_WEIGHT)
    np.testing.assert_allclose(value, np.sum(classes * costs) / classes.sum(), rtol=1e-12)


@pytest.mark.parametrize("aggregate", ["image", "batch"])
def test_one_ratio_of_all_classes(aggregate):
    loss = sigmoid(DiceLoss, per_class=False, class_weights=CLASS_WEIGHTS, aggregate=aggregate)
    mask = MASK.copy()
    mask[1] = 0.0  # an image of which nothing is left
    found = sums(batch=aggregate == "batch", weights=mask)
    shares = np.asarray(CLASS_WEIGHTS) / max(CLASS_WEIGHTS)
    costs = dice(*((shares * x).sum(1) for x in found))
    expected = costs[0] if aggregate == "batch" else (costs[0] + costs[2]) / 2
    value = loss(np.where(mask > 0, LOGITS, np.nan), SOFT, mask=mask)
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_classes_of_a_generalized_dice_weigh_by_what_counts():
    value = sigmoid(GeneralizedDiceLoss)(HIDDEN["logits"], HIDDEN["target"], mask=MASK)
    overlap, predicted, size = sums()
    omega = [np.where(T > 0, (T[T > 0].min() / np.where(T > 0, T, 1)) ** 2, 1.0) for T in size]
    costs = dice(*((np.stack(omega) * x).sum(1) for x in (overlap, predicted, size)))
    np.testing.assert_allclose(value, costs.mean(), rtol=1e-12)


@pytest.mark.parametrize("absent", ["skip", "zero"])
def test_a_class_without_target_among_what_counts_is_absent(absent):
    target = HARD.copy()
    target[0, 0][COUNTS[0, 0]] = 0.0
    target[0, 0][~COUNTS[0, 0]] = 1.0
    loss = sigmoid(DiceLoss, absent=absent)
    value = loss(HIDDEN["logits"], target, mask=MASK)
    w = COUNTS.any((2, 3)).astype(float)
    expected = dice(*(np.sum(MASK * x, axis=(2, 3)) for x in (P * target, P, target)))
    costing = w.copy()
    costing[0, 0] = 0.0
    total = costing.sum() if absent == "skip" else w.sum()
    np.testing.assert_allclose(value, np.sum(costing * expected) / total, rtol=1e-12)


def test_none_of_regions_is_a_table():
    value = sigmoid(DiceLoss, reduction="none")(HIDDEN["logits"], HIDDEN["target"], mask=MASK)
    np.testing.assert_allclose(value, COUNTS.any((2, 3)) * dice(*sums()), rtol=1e-12)


# -- what is not looked at --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CrossEntropyLoss, DiceLoss])
def test_labels(kind):
    """A label that is none, or that is ignored, at a pixel of which no class counts."""
    dense = (LABELS[:, None] == np.arange(C)[:, None, None]).astype(float)
    loss, labels = sigmoid(kind), LABELS.copy()
    labels[2, 0, 0] = 77
    expected = loss.value_and_grad(LOGITS, dense, mask=MASK)
    for x, y in zip(loss.value_and_grad(HIDDEN["logits"], labels, mask=MASK), expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-17)
    labels[0, 1, 1] = 77
    assert np.isnan(loss(LOGITS, labels, mask=MASK))
    mask = MASK.copy()
    mask[0, :, 1, 1] = 0
    ignoring = sigmoid(kind, ignore_index=77)
    np.testing.assert_allclose(
        ignoring(LOGITS, labels, mask=MASK), loss(LOGITS, dense, mask=mask), rtol=1e-12
    )


def test_validation_looks_at_what_counts():
    loss = sigmoid(CrossEntropyLoss, validate=True)
    labels = LABELS.copy()
    labels[2, 0, 0] = 77
    loss(HIDDEN["logits"], labels, mask=MASK)
    loss(HIDDEN["logits"], HIDDEN["target"], mask=MASK)
    with pytest.raises(ValueError, match="logits must be neither NaN nor"):
        loss(HIDDEN["logits"], labels, mask=np.ones_like(MASK) * COUNTS.any(1, keepdims=True))
    with pytest.raises(ValueError, match="mask must not be negative"):
        loss(LOGITS, LABELS, mask=-MASK)
    labels[0, 1, 1] = 77
    with pytest.raises(ValueError, match="target must hold labels from 0 to 3, got others at 1 pixels"):
        loss(LOGITS, labels, mask=MASK)


def test_a_negative_weight_is_no_number():
    mask = MASK.copy()
    mask[0, 0, 0, 0] = -1.0
    assert np.isnan(sigmoid(CrossEntropyLoss)(LOGITS, SOFT, mask=mask))


def test_nothing_left_is_0():
    for loss in (sigmoid(CrossEntropyLoss), sigmoid(DiceLoss), sigmoid(DiceLoss, aggregate="batch")):
        value, gradient = loss.value_and_grad(np.full_like(LOGITS, np.nan), SOFT, mask=np.zeros_like(COUNTS))
        assert value == 0
        assert np.all(gradient == 0)


# -- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CrossEntropyLoss, DiceLoss, SSIMLoss, StructureLoss, ClDiceLoss])
def test_with_one_class_it_is_a_map(kind):
    loss, one = sigmoid(kind), (LOGITS[:, :1], HARD[:, :1])
    for mask in (MASK, COUNTS):
        assert loss(*one, mask=mask[:, :1]) == loss(*one, mask=mask[:, 0])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_any_dtype_of_weights(dtype):
    mask = COUNTS.astype(dtype)
    np.testing.assert_allclose(
        sigmoid(DiceLoss)(LOGITS, SOFT, mask=mask),
        sigmoid(DiceLoss)(LOGITS, SOFT, mask=COUNTS * 1.0),
        rtol=1e-13,
    )


@pytest.mark.parametrize("kind", [CrossEntropyLoss, DiceLoss])
def test_classes_last_and_no_pixels(kind):
    expected = sigmoid(kind)(LOGITS, SOFT, mask=MASK)
    last = [np.moveaxis(x, 1, -1) for x in (LOGITS, SOFT, MASK)]
    np.testing.assert_allclose(sigmoid(kind, class_axis=-1)(*last[:2], mask=last[2]), expected, rtol=1e-13)
    flat = [x[:, :, 0, 1] for x in (LOGITS, SOFT, MASK)]
    alone = [x[:, :, None] for x in flat]
    value = sigmoid(kind)(*flat[:2], mask=flat[2])
    np.testing.assert_allclose(value, sigmoid(kind)(*alone[:2], mask=alone[2]), rtol=1e-13)


def test_large_arrays_are_cut_with_it(monkeypatch):
    from seglosses_core.ops import Ops

    loss = sigmoid(CrossEntropyLoss) + sigmoid(FocalLoss)
    whole = loss.value_and_grad(LOGITS, LABELS, mask=MASK)
    monkeypatch.setattr(Ops, "chunk_size", 64)
    for x, y in zip(loss.value_and_grad(LOGITS, LABELS, mask=MASK), whole, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-17)


def test_outputs_of_several_sizes():
    fine, coarse = RNG.normal(size=(N, C, 4, 6)), RNG.normal(size=(N, C, 2, 3))
    target, mask = SOFT[:, :, :4], MASK[:, :, :4]
    inner = sigmoid(DiceLoss)
    value = DeepSupervisionLoss(loss=inner)([fine, coarse], target, mask=mask)
    expected = inner(fine, target, mask=mask)
    expected += 0.5 * inner(coarse, target[:, :, 1::2, 1::2], mask=mask[:, :, 1::2, 1::2])
    np.testing.assert_allclose(value, expected, rtol=1e-13)


@pytest.mark.parametrize("parts_of", ["batch", "images"])
@pytest.mark.parametrize("kind", [CrossEntropyLoss, DiceLoss, GeneralizedDiceLoss])
def test_parts_add_up(kind, parts_of):
    loss = sigmoid(kind)
    if parts_of == "batch" and kind is not CrossEntropyLoss:
        loss = sigmoid(kind, aggregate="batch")
    cuts = [np.s_[:1], np.s_[1:]] if parts_of == "batch" else [np.s_[:, :, :2], np.s_[:, :, 2:]]
    found = sum(loss.statistics(LOGITS[cut], SOFT[cut], mask=MASK[cut], parts_of=parts_of) for cut in cuts)
    np.testing.assert_allclose(loss.from_statistics(found), loss(LOGITS, SOFT, mask=MASK), rtol=1e-12)


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "wanted"),
    [
        (DiceLoss(), "the classes of DiceLoss with activation='softmax' exclude each other"),
        (CrossEntropyLoss(), "the classes of CrossEntropyLoss with activation='softmax' exclude each other"),
        (FocalLoss(activation="identity"), "the classes of FocalLoss with activation='identity' exclude"),
        (CenterLoss(activation="identity"), "CenterLoss takes labels, of which a pixel has one"),
        (
            AsymmetricLoss(activation="softmax"),
            "the classes of AsymmetricLoss with activation='softmax' exclude",
        ),
        (
            CrossEntropyLoss(activation="sigmoid") + SSIMLoss(activation="sigmoid"),
            "SSIMLoss looks at more than single entries; .* make each an image of its own",
        ),
    ],
)
def test_it_is_refused_with_a_reason(loss, wanted):
    with pytest.raises(
        ValueError, match=rf"labels, \(3, 5, 6\), got float64 of shape \(3, 4, 5, 6\): {wanted}"
    ):
        loss(P, LABELS, mask=MASK)


def test_any_other_shape_is_refused():
    wanted = r"labels, \(3, 5, 6\), or for overlapping classes that of the logits, \(3, 4, 5, 6\), got"
    for shape in ((N, 1, *S), (N, C), (1, C, *S), (N, C, *S[::-1])):
        with pytest.raises(ValueError, match=wanted):
            sigmoid(DiceLoss)(LOGITS, SOFT, mask=np.ones(shape))


# -- the other frameworks ---------------------------------------------------------------------------------------------

LOSSES = {
    "entropy": ("CrossEntropyLoss", {"class_weights": CLASS_WEIGHTS, "divisor": "valid"}),
    "focal": ("FocalLoss", {}),
    "dice": ("DiceLoss", {}),
    "tversky-batch": ("TverskyLoss", {"alpha": 0.3, "beta": 0.7, "absent": "skip", "aggregate": "batch"}),
    "v-net": ("PowerDiceLoss", {"per_class": False}),
}
TARGETS = {"labels": LABELS, "soft": HIDDEN["target"]}


def expected(name, options, target):
    loss = getattr(seglosses_core, name)(activation="sigmoid", **options)
    return loss.value_and_grad(HIDDEN["logits"], target, mask=MASK, sample_weight=SAMPLE_WEIGHT)


def assert_close(found, wanted):
    value, gradient = found
    np.testing.assert_allclose(np.asarray(value), wanted[0], rtol=2e-6)
    np.testing.assert_allclose(np.asarray(gradient), wanted[1], rtol=2e-5, atol=1e-9)


def value_and_grad(module, target, dtype):
    logits = torch.tensor(HIDDEN["logits"], dtype=dtype, requires_grad=True)
    target, mask, weight = (torch.from_numpy(x) for x in (target, MASK, SAMPLE_WEIGHT))
    value = module(logits, target, mask=mask, sample_weight=weight)
    value.backward()
    return value.detach(), logits.grad


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch(loss, target, dtype):
    name, options = LOSSES[loss]
    module = getattr(seglosses_torch, name)(activation="sigmoid", **options)
    found = value_and_grad(module, TARGETS[target], dtype)
    assert_close(found, expected(name, options, TARGETS[target]))


@pytest.mark.parametrize("loss", LOSSES)
def test_jax(loss):
    name, options = LOSSES[loss]
    function = getattr(seglosses_jax, name)(activation="sigmoid", class_axis=1, **options)
    given = {"mask": MASK, "sample_weight": SAMPLE_WEIGHT}
    found = jax.jit(jax.value_and_grad(function))(HIDDEN["logits"], HIDDEN["target"], **given)
    assert_close(found, expected(name, options, HIDDEN["target"]))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("loss", ["focal", "dice"])
def test_compiled_torch(loss):
    name, options = LOSSES[loss]
    module = getattr(seglosses_torch, name)(activation="sigmoid", **options)
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    assert_close(value_and_grad(compiled, LABELS, torch.float32), expected(name, options, LABELS))
