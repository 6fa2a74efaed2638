"""Heat maps of label maps against values by hand and against full searches in scalar loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from drawing import LABELS, ONES, draw

from seglosses_core.heatmaps import gaussian_heatmap_from_labels

pytestmark = pytest.mark.sampled(4)


def labels_oracle(labels, foregrounds, *, width, cut):
    """Every pixel, every foreground pixel, by loops; one channel per label in `foregrounds`, class axis 1."""
    batch, *shape = labels.shape
    heatmap = np.zeros((batch, len(foregrounds), *shape))
    pixels = list(itertools.product(*map(range, shape)))
    for n, (c, label) in itertools.product(range(batch), enumerate(foregrounds)):
        found = [pixel for pixel in pixels if labels[(n, *pixel)] == label]
        for pixel in pixels:
            nearest = min((math.dist(pixel, other) for other in found), default=math.inf)
            if nearest <= cut:
                heatmap[(n, c, *pixel)] = math.exp(-(nearest**2) / (2 * width**2))
    return heatmap


def from_labels(run, labels, **options):
    return run(gaussian_heatmap_from_labels, options, labels=labels)


def test_labels_by_hand(run):
    # σ = (2·2 + 1)/6; distances 2, 1, 0, 1, √2 … to the one foreground pixel.
    labels = np.array([[[0, 0, 0, 0], [0, 0, 1, 0]]])
    heatmap = from_labels(run, labels, num_classes=1, radius=2)
    squares = [[math.inf, 2, 1, 2], [4, 1, 0, 1]]
    expected = [[math.exp(-s / (2 * (5 / 6) ** 2)) for s in row] for row in squares]
    assert heatmap.shape == (1, 1, 2, 4)
    assert heatmap.dtype == np.float32
    np.testing.assert_allclose(heatmap[0, 0], expected, rtol=1e-6)
    assert heatmap[0, 0, 1, 2] == 1


@pytest.mark.parametrize("radius", [0, 1, 2.5, 3, 30])
@pytest.mark.parametrize("shape", [(14,), (7, 8), (4, 5, 3), (1, 6)])
def test_labels_against_full_search(run, shape, radius):
    rng = np.random.default_rng(len(shape))
    labels = rng.choice(4, size=(2, *shape), p=[0.75, 0.15, 0.1, 0])
    heatmap = from_labels(run, labels, num_classes=4, radius=radius)
    expected = labels_oracle(labels, range(4), width=(2 * radius + 1) / 6, cut=radius)
    np.testing.assert_allclose(heatmap, expected, rtol=2e-5, atol=1e-12)
    np.testing.assert_array_equal(heatmap == 1, np.moveaxis(labels[..., None] == np.arange(4), -1, 1))


@pytest.mark.parametrize("sigma", [0.3, 1.5])
def test_labels_with_sigma_reach_to_rounding(run, sigma):
    labels = np.zeros((1, 6, 13), np.int64)
    labels[0, 1, 2] = labels[0, 5, 3] = 1
    heatmap = from_labels(run, labels, num_classes=1, sigma=sigma)
    np.testing.assert_allclose(
        heatmap, labels_oracle(labels, [1], width=sigma, cut=math.inf), rtol=1e-5, atol=2e-8
    )


def test_points_and_labels_agree(run):
    labels = np.zeros((1, 7, 9), np.int64)
    labels[0, 2, 3] = labels[0, 4, 8] = 1
    points = np.argwhere(labels[0])[None]
    from_points = draw(
        run, (7, 9), points=points, labels=np.zeros((1, 2), np.int64), num_classes=1, sigma=1.3
    )
    np.testing.assert_allclose(
        from_labels(run, labels, num_classes=1, sigma=1.3), from_points, rtol=1e-5, atol=2e-8
    )


def test_equally_near_pixels_count_once(run):
    heatmap = from_labels(run, np.array([[1, 0, 1]]), num_classes=1, radius=1)
    np.testing.assert_allclose(heatmap[0, 0], [1, math.exp(-2), 1], rtol=1e-6)


def test_first_label(run):
    labels = np.array([[0, 1, 0, 2, 2]])
    every = from_labels(run, labels, num_classes=3, radius=1)
    foreground = from_labels(run, labels, num_classes=2, radius=1, first_label=1)
    np.testing.assert_array_equal(foreground, every[:, 1:])
    zero = from_labels(run, np.array([[0, -1, -1]]), num_classes=1, radius=0, first_label=0, ignore_index=-1)
    np.testing.assert_array_equal(zero, [[[1, 0, 0]]])


def test_bool_labels(run):
    mask = np.array([[False, True, False]])
    np.testing.assert_array_equal(
        from_labels(run, mask, num_classes=1, radius=1),
        from_labels(run, mask.astype(np.int64), num_classes=1, radius=1),
    )


@pytest.mark.parametrize("ignore_index", [255, -1, 1])
def test_ignored_pixels_are_no_foreground(run, ignore_index):
    labels = np.array([[0, ignore_index, 0, 0, 2]], np.int32)
    heatmap = from_labels(run, labels, num_classes=3, radius=1, ignore_index=ignore_index)
    expected = labels_oracle(np.where(labels == ignore_index, 9, labels), range(3), width=0.5, cut=1)
    np.testing.assert_allclose(heatmap, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_any_ignore_index_fits_any_integers(run, dtype):
    heatmap = from_labels(run, np.array([[0, 1]], dtype), num_classes=2, radius=0, ignore_index=300)
    np.testing.assert_array_equal(heatmap[0], [[1, 0], [0, 1]])


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_that_is_no_class_makes_its_image_nan(run, label):
    heatmap = from_labels(run, np.array([[0, label], [0, 1]]), num_classes=2, radius=1)
    assert np.all(np.isnan(heatmap[0]))
    assert not np.any(np.isnan(heatmap[1]))


@pytest.mark.parametrize("class_axis", [1, 2, 3, -1, -2, -3])
def test_class_axis_of_labels(run, class_axis):
    labels = np.array([[[0, 1, 2], [0, 0, 1]], [[2, 2, 2], [2, 2, 0]]])
    first = from_labels(run, labels, num_classes=3, radius=2)
    moved = from_labels(run, labels, num_classes=3, radius=2, class_axis=class_axis)
    np.testing.assert_allclose(moved, np.moveaxis(first, 1, class_axis), rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"labels": [[0, 1]]}, TypeError, "labels must be an array, got list"),
        ({"labels": ONES}, TypeError, r"labels must be integers or bool, got float32 of shape \(1, 2\)"),
        ({"labels": LABELS[0]}, ValueError, r"labels must have a batch axis and spatial axes.*of shape \(2,\)"),
        ({"labels": LABELS[:0]}, ValueError, r"labels must not be empty, got int64 of shape \(0, 2\)"),
        ({"radius": None}, ValueError, "exactly one of them, got neither"),
        ({"sigma": 1}, ValueError, "exactly one of them, got both"),
        ({"radius": -0.5}, ValueError, "radius must be at least 0, got -0.5"),
        ({"radius": ONES}, TypeError, "radius must be a number, got ndarray"),
        ({"radius": None, "sigma": 0.0}, ValueError, "sigma must be above 0, got 0.0"),
        ({"num_classes": True}, TypeError, "num_classes must be an integer, got bool"),
        ({"class_axis": 3}, ValueError, "from 1 to 2 or negative, got 3"),
        ({"first_label": -1}, ValueError, "first_label must be at least 0, got -1"),
        ({"first_label": 0.5}, TypeError, "first_label must be an integer or None, got float"),
        ({"ignore_index": "255"}, TypeError, "ignore_index must be an integer or None, got str"),
        ({"validate": None}, TypeError, "validate must be True or False"),
        ({"validate": True, "labels": LABELS + 1}, ValueError, "labels must lie from 0 to 1, got others at 1 pixels"),
    ],
)  # fmt: skip
def test_errors_of_labels(changes, error, message):
    with pytest.raises(error, match=message):
        gaussian_heatmap_from_labels(**{"labels": LABELS, "num_classes": 2, "radius": 1} | changes)
