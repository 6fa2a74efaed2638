"""CornerNet's radius against the overlap of boxes that are moved."""

from __future__ import annotations

import itertools
import math

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from drawing import ONES

from seglosses_core.heatmaps import cornernet_radius, gaussian_heatmap
from seglosses_core.heatmaps.radius import _moved_box_roots

pytestmark = pytest.mark.sampled(4)


def overlap(a, b):
    """Intersection over union of two boxes (top, left, bottom, right)."""
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(height, 0) * max(width, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@pytest.mark.parametrize("min_overlap", [0.1, 0.3, 0.5, 0.7, 0.95])
@pytest.mark.parametrize(("height", "width"), [(10, 10), (5, 40), (33.5, 7.25)])
def test_roots_by_the_overlap_of_moved_boxes(height, width, min_overlap):
    roots = _moved_box_roots(np.float64(height), np.float64(width), min_overlap, np)
    for root, (first, second) in zip(roots, ((1, 1), (1, -1), (-1, 1)), strict=True):
        moved = (first * root, first * root, height + second * root, width + second * root)
        assert root > 0
        assert overlap((0, 0, height, width), moved) == pytest.approx(min_overlap, rel=1e-12)


@pytest.mark.parametrize("min_overlap", [0.1, 0.3, 0.7])
@pytest.mark.parametrize(("height", "width"), [(10, 10), (5, 40), (64, 100), (3, 3)])
def test_radius_is_the_largest_that_keeps_the_overlap(height, width, min_overlap):
    def smallest_overlap(r):
        moves = itertools.product((-r, r), repeat=2)
        boxes = [(a, a, height + b, width + b) for a, b in moves]
        return min(
            overlap((0, 0, height, width), box) if box[2] > box[0] and box[3] > box[1] else 0 for box in boxes
        )

    radius = cornernet_radius(height, width, min_overlap=min_overlap)
    assert type(radius) is int
    assert smallest_overlap(radius) >= min_overlap
    assert smallest_overlap(radius + 1) < min_overlap


# 4·1² − 2·(5 + 4)·1 + 0.7·20 = 0, an exact root; 4·10² − 2·90·10 + 0.7·2000 = 0 is the same box ten times as large.
RADII = [(5, 4, 1), (50, 40, 10), (10, 10, 2), (100, 100, 22), (0, 7, 0), (0, 0, 0), (1, 1, 0), (1, 1000, 0)]


@pytest.mark.parametrize(("height", "width", "radius"), RADII)
def test_radius_of_numbers(height, width, radius):
    assert cornernet_radius(height, width) == cornernet_radius(width, height) == radius
    assert cornernet_radius(float(height), np.float32(width)) == radius


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_radius_of_arrays(run, dtype):
    height, width, radius = np.array(RADII).T
    sizes = {"height": height.astype(dtype)[None], "width": width.astype(dtype)[None]}
    result = run(cornernet_radius, {}, **sizes)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, radius[None])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tenths", [3, 7, 9])
def test_rounding_does_not_decide(dtype, tenths):
    """Against integer arithmetic for boxes up to 300 × 300; for some of them the root is an integer exactly."""
    height, width = np.meshgrid(np.arange(1, 301), np.arange(1, 301))
    radius = cornernet_radius(height.astype(dtype), width.astype(dtype), min_overlap=tenths / 10).astype(int)

    def keeps_overlap(r):  # both corners inwards: the smallest root of the three
        inwards = 10 * (height - 2 * r) * (width - 2 * r) >= tenths * height * width
        return inwards & (2 * r <= np.minimum(height, width))

    assert np.all(keeps_overlap(radius))
    assert not np.any(keeps_overlap(radius + 1))


def test_radius_dtypes():
    for given, expected in ((np.float16, np.float32), (np.float64, np.float64)):
        assert cornernet_radius(np.asarray([9], given), np.asarray([9], given)).dtype == expected
    sides = jnp.asarray([100.0], dtype=jnp.bfloat16)
    assert cornernet_radius(sides, sides).dtype == jnp.float32


def test_radius_of_boxes_draws(run):
    """The radius of each box goes into `gaussian_heatmap` as it comes."""

    def function(points, labels, height, width):
        radius = cornernet_radius(height, width)
        return gaussian_heatmap(points, labels, (9,), num_classes=1, radius=radius)

    arrays = {"points": np.float32([[[4]]]), "labels": np.array([[0]])}
    heatmap = run(function, {}, **arrays, height=np.float32([[10]]), width=np.float32([[10]]))
    expected = [math.exp(-((x - 4) ** 2) / (2 * (5 / 6) ** 2)) * (abs(x - 4) <= 2) for x in range(9)]
    np.testing.assert_allclose(heatmap[0, 0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"height": -1, "width": 2}, ValueError, "height must be at least 0, got -1"),
        ({"height": 1, "width": math.nan}, ValueError, "width must be at least 0 and finite, got nan"),
        ({"height": 1, "width": ONES}, TypeError, "both numbers or both arrays, got int and float32"),
        ({"height": "1", "width": "2"}, TypeError, "height must be a number or an array, got str"),
        ({"height": ONES, "width": ONES > 0}, TypeError, "width must be real, got bool"),
        ({"height": ONES, "width": ONES.T}, ValueError, r"width must have the shape of height.*\(2, 1\)"),
        ({"height": ONES, "width": torch.ones(1, 2)}, TypeError, "width must be an array of numpy as height is"),
        ({"height": 1, "width": 2, "min_overlap": 0}, ValueError, "min_overlap must be above 0 and at most 1, got 0"),
        ({"height": 1, "width": 2, "min_overlap": 1.5}, ValueError, "above 0 and at most 1, got 1.5"),
    ],
)  # fmt: skip
def test_errors_of_radius(arguments, error, message):
    with pytest.raises(error, match=message):
        cornernet_radius(**arguments)
