"""Heat maps against values by hand and against full searches in scalar loops."""

from __future__ import annotations

import itertools
import math

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from traceable import traceable

from seglosses_core.heatmaps import cornernet_radius, gaussian_heatmap, gaussian_heatmap_from_labels
from seglosses_core.heatmaps.radius import _moved_box_roots

pytestmark = pytest.mark.sampled(4)


def numpy_run(function, arrays, options):
    return function(*arrays.values(), **options)


def strict_run(function, arrays, options):
    arrays = [array_api_strict.asarray(x) for x in arrays.values()]
    with traceable():
        result = function(*arrays, **options)
    return np.asarray(result)


def torch_run(function, arrays, options):
    result = function(*(torch.asarray(x) for x in arrays.values()), **options)
    assert isinstance(result, torch.Tensor)
    return result.numpy()


def jax_run(function, arrays, options):
    result = jax.jit(lambda *x: function(*x, **options))(*(jnp.asarray(x) for x in arrays.values()))
    assert isinstance(result, jax.Array)
    return np.asarray(result)


RUNS = {"numpy": numpy_run, "array-api-strict": strict_run, "torch": torch_run, "jax": jax_run}


@pytest.fixture(params=RUNS)
def framework(request):
    return request.param


@pytest.fixture
def run(framework):
    """Run a function of arrays on one library: NumPy arrays in, a NumPy array out."""
    return lambda function, options, **arrays: RUNS[framework](function, arrays, options)


def points_heatmap(names, shape, **options):
    """`gaussian_heatmap` as a function of the arrays alone, in the order of `names`."""

    def function(*arrays):
        return gaussian_heatmap(shape=shape, **dict(zip(names, arrays, strict=True)), **options)

    return function


def draw(run, shape, *, points, labels, num_classes, class_axis=1, **spread_and_valid):
    """`gaussian_heatmap` with everything that is an array passed as one of the library."""
    arrays = {"points": points, "labels": labels}
    options = {"num_classes": num_classes, "class_axis": class_axis}
    for name, value in spread_and_valid.items():
        (arrays if isinstance(value, np.ndarray) else options)[name] = value
    return run(points_heatmap(tuple(arrays), shape, **options), {}, **arrays)


# -- oracles ----------------------------------------------------------------------------------------------------------


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


# -- points -----------------------------------------------------------------------------------------------------------


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


POINTS = np.float32([[[1, 1], [2, 0]]])
LABELS = np.array([[0, 1]])
ONES = np.ones((1, 2), np.float32)


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


# -- label maps -------------------------------------------------------------------------------------------------------


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


# -- CornerNet's radius -----------------------------------------------------------------------------------------------


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
