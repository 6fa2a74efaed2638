"""Distances, and weights made of them, against values by hand, a full search and SciPy's transform."""

from __future__ import annotations

import itertools
import math

import array_api_strict
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch
from scipy.ndimage import distance_transform_edt

import seglosses_core as core
import seglosses_jax
import seglosses_keras
import seglosses_torch

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 3, (2, 6, 5)) * (RANDOM.uniform(size=(2, 6, 5)) < 0.6)
LIBRARIES = {
    "numpy": np.asarray,
    "strict": array_api_strict.asarray,
    "torch": torch.asarray,
    "jax": jnp.asarray,
    "tensorflow": tf.constant,
}


def edt(seeds, spacing):
    """The distance of each pixel to the nearest seed."""
    return distance_transform_edt(~seeds, sampling=spacing)


@pytest.mark.parametrize("convert", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("spacing", [None, (2.0, 0.5)])
def test_signed_distance_is_that_of_scipy(convert, spacing):
    found = core.signed_distance_map(convert(LABELS), num_classes=3, spacing=spacing)
    assert type(found) is type(convert(LABELS))
    steps = spacing or (1.0, 1.0)
    for image, c in itertools.product(range(2), range(3)):
        inside = LABELS[image] == c
        expected = np.where(inside, min(steps) - edt(~inside, steps), edt(inside, steps))
        np.testing.assert_allclose(np.asarray(found)[image, c], expected, rtol=1e-6)


def test_signed_distance_by_hand():
    volume = np.zeros((1, 3, 3, 3), dtype=bool)
    volume[0, 1, 1, 1] = True
    found = core.signed_distance_map(volume, num_classes=1)
    assert found[0, 0, 1, 1].tolist() == [1, 0, 1]
    assert found[0, 0, 0, 0, 0] == np.float32(math.sqrt(3))
    assert not np.any(core.signed_distance_map(np.ones((1, 4), dtype=int), num_classes=2))
    edge = core.signed_distance_map(np.asarray([[1, 0, 0]]), num_classes=1)
    assert edge.tolist() == [[[0, 1, 2]]]
    last = core.signed_distance_map(LABELS, num_classes=3, class_axis=-1)
    np.testing.assert_array_equal(np.moveaxis(last, -1, 1), core.signed_distance_map(LABELS, num_classes=3))


def test_ignored_pixels_are_on_no_side():
    labels = np.asarray([[1, 9, 0, 9]])
    found = core.signed_distance_map(labels, num_classes=2, ignore_index=9)
    assert found.tolist() == [[[2, 0, -1, 0], [-1, 0, 2, 0]]]
    penalty = core.boundary_penalty(labels, num_classes=2, ignore_index=9)
    assert penalty.tolist() == [[0, 0, 0, 0]]


def test_boundary_penalty_by_hand():
    labels = np.asarray([[0, 1, 1, 1, 1, 1, 0], [1] * 7])
    expected = [[1, 1, 0.5, 0, 0.5, 1, 1], [0] * 7]
    assert core.boundary_penalty(labels, num_classes=2).tolist() == expected
    assert core.boundary_penalty(labels, num_classes=1).tolist() == expected


def test_border_weights_by_hand():
    instances = np.asarray([[1, 0, 0, 2], [1, 0, 0, 0]])
    found = core.border_weights(instances, num_instances=3)
    np.testing.assert_allclose(found, [[10 * math.exp(-0.18)] * 4, [0] * 4], rtol=1e-6)
    three = core.border_weights(np.asarray([[1, 0, 3, 0, 2]]), num_instances=3, w0=2.0, sigma=1.0)
    np.testing.assert_allclose(three[0], 2 * np.exp(np.asarray([4, 4, 4, 4, 4]) / -2.0), rtol=1e-6)


@pytest.mark.parametrize("convert", LIBRARIES.values(), ids=LIBRARIES)
def test_nearest_instance_by_hand(convert):
    found = core.nearest_instance(
        convert(np.asarray([[1, 0, 0, 2, 2, 0], [2, 0, 1, 0, 0, 0]])), num_instances=2
    )
    assert np.asarray(found).tolist() == [[1, 1, 2, 2, 2, 2], [2, 1, 1, 1, 1, 1]]
    assert not np.any(np.asarray(core.nearest_instance(convert(np.zeros((1, 3), int)), num_instances=2)))


def test_a_label_outside_makes_its_image_nan():
    labels = np.asarray([[0, 1, 5], [0, 1, 1]])
    for found in (
        core.signed_distance_map(labels, num_classes=2),
        core.boundary_penalty(labels, num_classes=2),
        core.border_weights(labels, num_instances=4),
    ):
        assert np.all(np.isnan(found[0]))
        assert not np.any(np.isnan(found[1]))


@pytest.mark.parametrize("kind", ["BoundaryLoss", "GeneralizedSurfaceLoss"])
def test_a_map_that_is_given_is_that_which_is_made(kind):
    logits = RANDOM.normal(size=(2, 3, 6, 5)).astype(np.float32)
    distances = core.signed_distance_map(LABELS, num_classes=3)
    loss = getattr(core, kind)()
    value, gradient = loss.value_and_grad(logits, LABELS)
    given, its_gradient = loss.value_and_grad(logits, LABELS, distances=distances)
    assert given == value
    np.testing.assert_array_equal(its_gradient, gradient)
    both = 0.5 * core.DiceLoss() + getattr(core, kind)()
    assert both(logits, LABELS, distances=distances) == both(logits, LABELS)
    z, y = torch.asarray(logits), torch.asarray(LABELS)
    module = getattr(seglosses_torch, kind)()
    assert module(z, y, distances=torch.asarray(distances)) == module(z, y)
    with pytest.raises(ValueError, match=r"^distances must have the shape \(2, 3, 6, 5\)"):
        loss(logits, LABELS, distances=distances[:, :2])


def test_distances_of_the_hausdorff_loss_may_be_given():
    """Those of MONAI: to the other side of the boundary."""
    logits = RANDOM.normal(size=(1, 1, 6, 5))
    labels = LABELS[:1] > 0
    distances = edt(labels[0], None) + edt(~labels[0], None)
    loss = core.HausdorffDTLoss(activation="sigmoid", one_sided=True)
    expected = loss(logits, labels[:, None])
    assert loss(logits, labels[:, None], distances=distances[None, None]) == pytest.approx(
        expected, rel=1e-12
    )


def test_the_class_axis_is_that_of_the_package():
    expected = core.signed_distance_map(LABELS, num_classes=3, class_axis=-1)
    np.testing.assert_array_equal(
        seglosses_jax.signed_distance_map(jnp.asarray(LABELS), num_classes=3), expected
    )
    np.testing.assert_array_equal(
        seglosses_keras.signed_distance_map(tf.constant(LABELS), num_classes=3), expected
    )


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: core.signed_distance_map([[0]], num_classes=1),
            TypeError,
            "labels must be an array, got list",
        ),
        (
            lambda: core.signed_distance_map(np.zeros((2, 3)), num_classes=1),
            TypeError,
            "labels must be integers or bool, got float64",
        ),
        (
            lambda: core.boundary_penalty(np.zeros(3, dtype=int), num_classes=1),
            ValueError,
            "labels must have a batch axis and spatial axes",
        ),
        (
            lambda: core.boundary_penalty(LABELS, num_classes=3, spacing=(1.0,)),
            ValueError,
            "spacing must have one number for each of the 2 spatial axes, got (1.0,)",
        ),
        (
            lambda: core.BoundaryLoss(spacing=(1.0, 0.0)),
            ValueError,
            "spacing[1] must be above 0, got 0",
        ),
        (lambda: core.BoundaryLoss(spacing=2.0), TypeError, "spacing must be a sequence of numbers"),
        (
            lambda: core.BoundaryLoss(spacing=(1.0,))(np.zeros((1, 2, 3, 3)), np.zeros((1, 3, 3), dtype=int)),
            ValueError,
            "spacing must have one number for each of the 2 spatial axes",
        ),
        (
            lambda: core.border_weights(LABELS, num_instances=0),
            ValueError,
            "num_instances must be at least 1, got 0",
        ),
        (
            lambda: core.border_weights(LABELS, num_instances=2, sigma=0.0),
            ValueError,
            "sigma must be above 0, got 0.0",
        ),
    ],
)
def test_errors_name_the_argument(call, kind, message):
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value).startswith(message)
