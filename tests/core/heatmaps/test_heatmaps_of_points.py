"""Heat maps of points against values by hand and against every point at every pixel, in scalar loops."""

from __future__ import annotations

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from drawing import LABELS, ONES, POINTS, RUNS, draw, points_heatmap

from seglosses_core.heatmaps import gaussian_heatmap, gaussian_heatmap_from_labels

pytestmark = pytest.mark.sampled(4)


def points_oracle(points, labels, shape, *, num_classes, sigma=None, radius=None, valid=None):
    """Every pixel, every point, by loops; class axis 1."""
    batch, count, _ = points.shape
    heatmap = np.zeros((batch, num_classes, *shape))
    for n, k in itertools.product(range(batch), range(count)):
        if valid is not None and not valid[n, k]:
            continue
        peak = [math.floor(float(x) + 0.5) for x in points[n, k]]
        if radius is None:
            width, cut = float(np.broadcast_to(sigma, labels.shape)[n, k]), math.inf
        else:
            cut = float(np.broadcast_to(radius, labels.shape)[n, k])
            width = (2 * cut + 1) / 6
        for pixel in itertools.product(*map(range, shape)):
            offsets = [abs(a - b) for a, b in zip(pixel, peak, strict=True)]
            value = math.exp(-sum(d * d for d in offsets) / (2 * width**2)) if max(offsets) <= cut else 0.0
            where = (n, labels[n, k], *pixel)
            heatmap[where] = max(heatmap[where], value)
    return heatmap


def test_one_point_by_hand(run):
    # σ = (2·1 + 1)/6 = 1/2: exp(−2) beside the peak, exp(−4) at a corner, cut two pixels away.
    side, corner = math.exp(-2), math.exp(-4)
    heatmap = draw(
        run, (3, 5), points=np.float32([[[1, 2]]]), labels=np.array([[1]]), num_classes=2, radius=1
    )
    window = [
        [0, corner, side, corner, 0],
        [0, side, 1, side, 0],
        [0, corner, side, corner, 0],
    ]
    assert heatmap.shape == (1, 2, 3, 5)
    assert heatmap.dtype == np.float32
    np.testing.assert_allclose(heatmap[0], [np.zeros((3, 5)), window], rtol=1e-6)
    assert heatmap[0, 1, 1, 2] == 1


def test_sigma_is_not_cut(run):
    heatmap = draw(run, (6,), points=np.float32([[[0]]]), labels=np.array([[0]]), num_classes=1, sigma=2.0)
    np.testing.assert_allclose(heatmap[0, 0], [math.exp(-(d**2) / 8) for d in range(6)], rtol=1e-6)


@pytest.mark.parametrize("spread", ["sigma", "radius", "sigma per point", "radius per point"])
@pytest.mark.parametrize("shape", [(9,), (6, 7), (4, 3, 5)])
def test_points_against_loops(run, shape, spread):
    rng = np.random.default_rng(len(shape))
    points = rng.uniform(-2, 1.2 * np.asarray(shape), size=(2, 5, len(shape))).astype(np.float32)
    labels = rng.integers(0, 3, size=(2, 5))
    valid = rng.random((2, 5)) < 0.8
    name, _, per_point = spread.partition(" ")
    value = rng.integers(0, 5, size=(2, 5)).astype(np.float32) + (name == "sigma") if per_point else 2.0
    arrays = {"points": points, "labels": labels, name: value, "valid": valid}
    expected = points_oracle(**arrays, shape=shape, num_classes=3)
    heatmap = draw(run, shape, num_classes=3, **arrays)
    np.testing.assert_allclose(heatmap, expected, rtol=2e-5, atol=1e-12)


def test_overlap_takes_the_larger(run):
    # The second, wider Gaussian takes over where it is larger, and the peaks stay 1.
    points = np.float32([[[1], [4]]])
    heatmap = draw(
        run, (6,), points=points, labels=np.array([[0, 0]]), num_classes=1, sigma=np.float32([[1.0, 2.0]])
    )
    expected = [max(math.exp(-((x - 1) ** 2) / 2), math.exp(-((x - 4) ** 2) / 8)) for x in range(6)]
    np.testing.assert_allclose(heatmap[0, 0], expected, rtol=1e-6)
    assert heatmap[0, 0, 1] == heatmap[0, 0, 4] == 1


def test_classes_do_not_overlap(run):
    heatmap = draw(
        run, (5,), points=np.float32([[[2], [2]]]), labels=np.array([[0, 2]]), num_classes=3, radius=0
    )
    np.testing.assert_array_equal(heatmap[0], [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]])


@pytest.mark.parametrize(
    ("coordinate", "pixel"), [(0.49999997, 0), (0.5, 1), (1.5, 2), (2.5, 3), (-0.5, 0), (3.4, 3)]
)
def test_halves_round_up(run, coordinate, pixel):
    heatmap = draw(
        run, (5,), points=np.float32([[[coordinate]]]), labels=np.array([[0]]), num_classes=1, sigma=1.0
    )
    assert heatmap[0, 0, pixel] == 1
    assert np.sum(heatmap == 1) == 1


def test_outside_the_image_only_the_tail(run):
    points = np.float32([[[-2.0]], [[100.0]]])
    heatmap = draw(run, (4,), points=points, labels=np.array([[0], [0]]), num_classes=1, radius=3)
    width = 7 / 6
    tail = [math.exp(-2 * (2 / (2 * width**2))), math.exp(-(9 / (2 * width**2))), 0, 0]
    np.testing.assert_allclose(heatmap[0, 0], tail, rtol=1e-6)
    np.testing.assert_array_equal(heatmap[1, 0], np.zeros(4))


def test_padding_cannot_matter(run):
    points = np.float32([[[1, 1], [np.nan, np.inf]]])
    heatmap = draw(
        run,
        (3, 3),
        points=points,
        labels=np.array([[0, -7]]),
        sigma=np.float32([[1.0, 0.0]]),
        valid=np.array([[True, False]]),
        num_classes=2,
    )
    alone = points_oracle(points[:, :1], np.array([[0]]), (3, 3), num_classes=2, sigma=1.0)
    np.testing.assert_allclose(heatmap, alone, rtol=1e-6)


def test_no_points(run):
    empty = {"points": np.zeros((2, 0, 2), np.float32), "labels": np.zeros((2, 0), np.int64)}
    heatmap = draw(run, (3, 4), **empty, num_classes=5, sigma=1.0, class_axis=-1)
    np.testing.assert_array_equal(heatmap, np.zeros((2, 3, 4, 5), np.float32))
    only_padding = draw(
        run,
        (3,),
        points=np.zeros((1, 1, 1), np.float32),
        labels=np.array([[0]]),
        valid=np.array([[False]]),
        num_classes=1,
        sigma=1.0,
    )
    np.testing.assert_array_equal(only_padding, np.zeros((1, 1, 3)))


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_outside_the_classes_makes_its_image_nan(run, label):
    heatmap = draw(
        run,
        (4,),
        points=np.float32([[[0], [1]], [[2], [3]]]),
        labels=np.array([[0, label], [0, 1]]),
        num_classes=2,
        radius=1,
    )
    assert np.all(np.isnan(heatmap[0]))
    assert not np.any(np.isnan(heatmap[1]))


UNUSABLE = {
    "points": [math.nan, math.inf, -math.inf],
    "sigma": [0.0, -1.0, math.nan, math.inf],
    "radius": [-1.0, math.nan, math.inf],
}


@pytest.mark.parametrize(
    ("name", "entry"), [(name, x) for name, entries in UNUSABLE.items() for x in entries]
)
def test_a_point_that_cannot_be_drawn_makes_its_image_nan(run, name, entry):
    """All of it: a NaN at the peak alone would be one pixel that counts as background."""
    given = {"points": np.float32([[[0, 1], [1, 2]], [[2, 1], [3, 0]]]), "labels": np.array([[0, 1], [0, 1]])}
    given["radius" if name == "radius" else "sigma"] = np.ones((2, 2), np.float32)
    given[name][(0, 1, 1)[: given[name].ndim]] = entry
    heatmap = draw(run, (4, 3), **given, num_classes=2)
    assert np.all(np.isnan(heatmap[0]))
    assert not np.any(np.isnan(heatmap[1]))
    padded = draw(run, (4, 3), **given, num_classes=2, valid=np.array([[True, False], [True, True]]))
    np.testing.assert_array_equal(padded[1], heatmap[1])
    assert padded[0, 0].max() == 1
    with pytest.raises(ValueError, match=f"^{name} must be"):
        gaussian_heatmap(
            given.pop("points"), given.pop("labels"), (4, 3), **given, num_classes=2, validate=True
        )


def test_a_point_far_away_is_no_overflow():
    points, sigma = np.float32([[[1e25, 1], [1, 2]]]), torch.ones((1, 2), requires_grad=True)
    alone = gaussian_heatmap(points[:, 1:], np.array([[0]]), (4, 3), num_classes=1, sigma=1.0)
    both = gaussian_heatmap(points, np.array([[0, 0]]), (4, 3), num_classes=1, sigma=1.0)
    np.testing.assert_array_equal(both, alone)
    labels = torch.zeros((1, 2), dtype=torch.int64)
    gaussian_heatmap(torch.asarray(points), labels, (4, 3), num_classes=1, sigma=sigma).sum().backward()
    assert sigma.grad[0, 0] == 0
    assert sigma.grad[0, 1] > 0


@pytest.mark.parametrize("class_axis", [1, 2, 3, -1, -2, -3])
def test_class_axis_of_points(run, class_axis):
    arguments = {"points": np.float32([[[1, 2], [0, 3]]]), "labels": np.array([[2, 0]]), "num_classes": 3}
    first = draw(run, (3, 5), **arguments, sigma=1.5)
    moved = draw(run, (3, 5), **arguments, sigma=1.5, class_axis=class_axis)
    np.testing.assert_allclose(moved, np.moveaxis(first, 1, class_axis), rtol=1e-6)


def test_integer_points_are_pixels(run):
    arguments = {"labels": np.array([[0]]), "num_classes": 1, "radius": np.array([[2]])}
    whole = draw(run, (5, 5), points=np.array([[[2, 3]]]), **arguments)
    floating = draw(run, (5, 5), points=np.float32([[[2, 3]]]), **arguments)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, floating)


@pytest.mark.parametrize("which", ["points", "sigma"])
@pytest.mark.parametrize("name", ["numpy", "array-api-strict", "torch"])
def test_float64_stays(name, which):
    arrays = {
        "points": np.asarray([[[1.0]]], np.float64 if which == "points" else np.float32),
        "labels": np.array([[0]]),
        "sigma": np.asarray([[0.7]], np.float64 if which == "sigma" else np.float32),
    }
    heatmap = RUNS[name](points_heatmap(tuple(arrays), (3,), num_classes=1), arrays, {})
    assert heatmap.dtype == np.float64
    expected = math.exp(-1 / (2 * float(arrays["sigma"][0, 0]) ** 2))
    np.testing.assert_allclose(heatmap[0, 0], [expected, 1, expected], rtol=1e-14)


def test_numpy_numbers_do_not_widen():
    points, labels = np.float32([[[1]]]), np.array([[0]])
    assert gaussian_heatmap(points, labels, (3,), num_classes=1, sigma=np.float64(1)).dtype == np.float32
    flat = np.array([[0, 1]])
    assert gaussian_heatmap_from_labels(flat, num_classes=1, sigma=np.float64(1)).dtype == np.float32


@pytest.mark.parametrize(
    ("asarray", "dtype"),
    [
        (np.asarray, np.float16),
        (torch.asarray, torch.float16),
        (torch.asarray, torch.bfloat16),
        (jnp.asarray, jnp.float16),
        (jnp.asarray, jnp.bfloat16),
    ],
)
def test_half_precision_gives_float32(asarray, dtype):
    points, sigma = asarray([[[2, 20.0]]], dtype=dtype), asarray([[16.0]], dtype=dtype)
    heatmap = np.asarray(gaussian_heatmap(points, asarray([[0]]), (4, 40), num_classes=1, sigma=sigma))
    assert heatmap.dtype == np.float32
    # In bfloat16 this would be 1, and one more foreground pixel.
    assert heatmap[0, 0, 2, 21] == pytest.approx(math.exp(-1 / 512), rel=1e-6)
    assert np.sum(heatmap == 1) == 1


def test_numpy_beside_jax():
    labels, valid = np.array([[0]], np.int32), np.array([[True]])
    sigma = np.float64([[1.0]])
    heatmap = gaussian_heatmap(jnp.asarray([[[1.0]]]), labels, (3,), num_classes=1, sigma=sigma, valid=valid)
    assert isinstance(heatmap, jax.Array)
    np.testing.assert_allclose(heatmap[0, 0], [math.exp(-0.5), 1, math.exp(-0.5)], rtol=1e-6)


def test_corner_window_equals_a_drawn_kernel():
    """As CornerNet draws it: a (2r + 1)² kernel, pasted with its maximum, clipped at the border."""
    heatmap = np.zeros((8, 8))
    for row, column, r in ((1, 6, 2), (3, 4, 3)):
        for i, j in itertools.product(range(-r, r + 1), repeat=2):
            if 0 <= row + i < 8 and 0 <= column + j < 8:
                value = math.exp(-(i * i + j * j) / (2 * ((2 * r + 1) / 6) ** 2))
                heatmap[row + i, column + j] = max(heatmap[row + i, column + j], value)
    drawn = gaussian_heatmap(
        np.array([[[1, 6], [3, 4]]]), np.array([[0, 0]]), (8, 8), num_classes=1, radius=np.array([[2, 3]])
    )
    np.testing.assert_allclose(drawn[0, 0], heatmap, rtol=2e-6)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"points": [[[1, 1]]]}, TypeError, "points must be an array, got list"),
        ({"points": POINTS > 0}, TypeError, r"points must be real coordinates, got bool of shape \(1, 2, 2\)"),
        ({"points": POINTS[0]}, ValueError, r"points must have the shape \(N, K, 2\).*got float32 of shape \(2, 2\)"),
        ({"points": POINTS[:0]}, ValueError, "points must have at least one image"),
        ({"shape": 3}, TypeError, "shape must be a sequence of integers.*got 3"),
        ({"shape": (3, 4.0)}, TypeError, "shape must be a sequence of integers"),
        ({"shape": (3, 0)}, ValueError, r"shape must have one length of at least 1.*got \(3, 0\)"),
        ({"shape": (3, 4, 5)}, ValueError, r"points must have the shape \(N, K, 3\)"),
        ({"labels": [[0, 1]]}, TypeError, "labels must be an array with one entry per point, got list"),
        ({"labels": ONES}, TypeError, r"labels must be integer, got float32 of shape \(1, 2\)"),
        ({"labels": LABELS.T}, ValueError, r"labels must have one entry per point, shape \(1, 2\), got"),
        ({"labels": torch.asarray(LABELS)}, TypeError, "labels must be an array of numpy.*got one of torch"),
        ({"valid": ONES}, TypeError, "valid must be bool, got float32"),
        ({"sigma": None}, ValueError, "exactly one of them, got neither"),
        ({"radius": 2}, ValueError, "exactly one of them, got both"),
        ({"sigma": 0}, ValueError, "sigma must be above 0, got 0"),
        ({"sigma": "2"}, TypeError, "sigma must be a number, got str"),
        ({"sigma": math.inf}, ValueError, "sigma must be above 0 and finite, got inf"),
        ({"sigma": ONES[0]}, ValueError, r"sigma must have one entry per point, shape \(1, 2\)"),
        ({"sigma": ONES > 0}, TypeError, "sigma must be real, got bool"),
        ({"sigma": None, "radius": -1}, ValueError, "radius must be at least 0, got -1"),
        ({"num_classes": 0}, ValueError, "num_classes must be at least 1, got 0"),
        ({"num_classes": 2.0}, TypeError, "num_classes must be an integer, got float"),
        ({"class_axis": 0}, ValueError, "class_axis must be an axis .* other than the batch axis 0.*got 0"),
        ({"class_axis": 4}, ValueError, "from 1 to 3 or negative, got 4"),
        ({"class_axis": -4}, ValueError, "class_axis .* got -4"),
        ({"class_axis": 1.0}, TypeError, "class_axis must be an integer, got float"),
        ({"validate": 1}, TypeError, "validate must be True or False"),
        ({"validate": True, "labels": LABELS + 1}, ValueError, "labels must lie from 0 to 1"),
        ({"validate": True, "points": POINTS + np.float32(math.nan)}, ValueError, "points must be finite"),
        ({"validate": True, "sigma": ONES - 1}, ValueError, "sigma must be above 0 and finite for every point"),
        (
            {"validate": True, "sigma": None, "radius": -ONES},
            ValueError,
            "radius must be at least 0 and finite for every point",
        ),
    ],
)  # fmt: skip
def test_errors_of_points(changes, error, message):
    arguments = {
        "points": POINTS,
        "labels": LABELS,
        "shape": (3, 4),
        "num_classes": 2,
        "sigma": 1.0,
    } | changes
    with pytest.raises(error, match=message):
        gaussian_heatmap(**arguments)


def test_validate_accepts_padding_and_points_outside():
    points = np.float32([[[-3, 1], [np.nan, 0]]])
    arguments = {"sigma": np.float32([[1, -1]]), "valid": np.array([[True, False]]), "num_classes": 1}
    heatmap = gaussian_heatmap(points, np.array([[0, 9]]), (3, 4), **arguments, validate=True)
    assert np.max(heatmap) == pytest.approx(math.exp(-4.5), rel=1e-6)
