"""How much of the shapes in the target can be told from those in the prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import one_if_zero
from seglosses_core.checks import check_integer, check_window
from seglosses_core.libraries import Array
from seglosses_core.morphology import WindowBack, dilate_box, erode_box
from seglosses_core.ops import Ops
from seglosses_core.region import RegionLoss, ScoreBack
from seglosses_core.target import Target

ALPHA = 5e-4
"""What is added to the diagonals, so that there is an inverse."""


@dataclass(frozen=True, kw_only=True)
class RegionMutualInformationLoss(RegionLoss):
    """`L = log det M / (2 d)` with `M = Y Yᵀ − Y Xᵀ (X Xᵀ + α)⁻¹ X Yᵀ + α`, where the columns of X and Y are the d
    pixels of each window of prediction and target, less their mean: what a linear guess from X leaves open of Y, a
    bound on their mutual information.

    Zhao et al. 2019 (region mutual information, arXiv:1910.12037, eq. 16), as in their code with α = 5 · 10⁻⁴, sums
    over the windows and max-pooling first; here the mean over images and classes, which they add up, and without the
    cross-entropy that stands beside it, `0.5 * CrossEntropyLoss() + 0.5 * RegionMutualInformationLoss()`. It is
    log(α) / 2 = −3.8 where Y is flat or known, and has no gradient there. Ours: ignored pixels are 0 in their windows;
    a window counts by the mean weight of its pixels, relative to that of all windows; equal maxima share their slope;
    in an image that is narrower than a window the window is as narrow, but where TensorFlow knows no lengths, which
    finds no window there.

    Parameters
    ----------
    radius : int
        The width of a window after pooling, at least 1.
    pool : int
        The odd width of the max-pooling, and its stride; 1 for none.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.8, 0.3]]])  # one image, one class, two pixels
    >>> loss = RegionMutualInformationLoss(activation="identity", radius=1, pool=1)
    >>> float(loss(probabilities, np.asarray([[1, 0]])).round(6))
    -2.997328
    """

    @property
    def sees(self) -> str:  # type: ignore[override]
        return self.aggregate

    radius: int = 3
    pool: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("radius", self.radius, at_least=1)
        check_window("pool", self.pool)
        self.check_no_pooling()

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        xp, weights = ops.xp, self.pixel_weights(target)
        p, from_pooled = self.pooled(target.only_valid(prediction.probabilities), dilate_box, ops)
        y, _ = self.pooled(target.only_valid(target.values), dilate_box, ops)
        missing, _ = self.pooled(target.only_valid(prediction.complements, 1.0), erode_box, ops)
        vectors = partial(window_vectors, radius=self.radius, batch=self.aggregate == "batch", ops=ops)
        x, from_vectors = vectors(p)
        error, _ = vectors(xp.where(y == 1, -missing, p - y))
        counted = 0 * x[..., :1, :] + 1
        if weights is not None:
            pooled_weights, _ = self.pooled(ops.over_classes(weights), dilate_box, ops)
            of_windows = xp.mean(vectors(pooled_weights)[0], axis=2, keepdims=True)
            counted = of_windows / one_if_zero(xp.mean(of_windows, axis=-1, keepdims=True), xp)
        mean = one_if_zero(xp.sum(counted, axis=-1, keepdims=True), xp)
        x, error = (z - xp.sum(counted * z, axis=-1, keepdims=True) / mean for z in (x, error))
        logarithm, slope_of = left_open(x, error, counted, ops)
        dimensions = x.shape[2]

        def back(upstream: Array) -> Cotangent:
            slope = slope_of((upstream / dimensions)[..., None, None])
            return Cotangent(terms=[(1, (target.only_valid(from_pooled(from_vectors(slope))),))])

        return logarithm / (2 * dimensions), back

    def pooled(
        self, z: Array, pool: Callable[..., tuple[Array, WindowBack]], ops: Ops
    ) -> tuple[Array, WindowBack]:
        """One extreme for each cell of the grid that pooling leaves of logits-shaped `z`, and the way back."""
        extremes, from_extremes = pool(z, None, self.pool, ops)
        chosen, from_chosen = every(self.pool, extremes, ops)
        return chosen, lambda slope: from_extremes(from_chosen(slope))


def window_vectors(pooled: Array, radius: int, *, batch: bool, ops: Ops) -> tuple[Array, WindowBack]:
    """The cells of each window of this width: `(N, C, d, windows)`, wide; and the way back."""
    axes, dtype = ops.spatial_axes, pooled.dtype
    pooled = ops.cast(pooled, ops.accumulation_dtype(pooled))
    sizes = [1 + ops.reach(radius - 1, pooled.shape[axis]) for axis in axes]
    places = list(product(*map(range, sizes)))
    views = [ops.shifted_view(pooled, axes, place, sizes) for place in places]

    def back(slope: Array) -> Array:
        total = 0 * pooled
        for k, place in enumerate(places):
            own = ops.from_rows(slope[:, :, k, :], views[k], batch=batch)
            padded = ops.pad(own, axes, [size - 1 for size in sizes], 0)
            mirrored = [size - 1 - start for size, start in zip(sizes, place, strict=True)]
            total = total + ops.shifted_view(padded, axes, mirrored, sizes)
        return ops.cast(total, dtype)

    return ops.xp.stack([ops.rows(view, batch=batch) for view in views], axis=2), back


def left_open(x: Array, error: Array, counted: Array, ops: Ops) -> tuple[Array, Callable[[Array], Array]]:
    """log det M of the windows X and of Y = X − `error`, both less their mean, each counted so often; and the way back
    to X from half the derivative."""
    dimensions = x.shape[2]
    unit = ops.constant([[float(i == j) for j in range(dimensions)] for i in range(dimensions)], x)
    mm, turned, diagonal = ops.matmul, ops.xp.matrix_transpose, ALPHA * unit
    inverse, _ = inverse_of(mm(counted * x, turned(x)) + diagonal, ops)
    # With G = Y Xᵀ (X Xᵀ + α)⁻¹ and Y = X − E, what the guess G X leaves open of Y is (1 − G) X − E, and of 1 − G
    # nothing vanishes where X is nearly Y: it is (E Xᵀ + α) (X Xᵀ + α)⁻¹.
    kept, rest = 0, -error
    for _ in range(2):  # the second time for the digits that an inverse of float32 loses
        kept = kept + mm(inverse, ALPHA * (unit - kept) - mm(counted * x, turned(rest)))
        rest = mm(turned(kept), x) - error
    guess = unit - kept
    # The same M as sums of squares, which loses no digits.
    left = mm(counted * rest, turned(rest)) + ALPHA * mm(turned(guess), guess) + diagonal
    inverse, logarithm = inverse_of(left, ops)

    def back(share: Array) -> Array:
        pull = mm(inverse, counted * rest)
        pull = pull + mm(inverse, counted * rest - mm(left, pull))
        return -share * mm(guess, pull)

    return logarithm, back


def every(step: int, x: Array, ops: Ops) -> tuple[Array, WindowBack]:
    """The first of so many entries along each spatial axis of logits-shaped `x`, and the way back."""
    xp = ops.xp
    chosen = tuple(
        slice(None, None, step if axis in ops.spatial_axes else None) for axis in range(len(x.shape))
    )

    def back(slope: Array) -> Array:
        for axis in ops.spatial_axes:
            line = x[tuple(slice(None) if i == axis else 0 for i in range(len(x.shape)))]
            index = ops.cumulative_sum(xp.ones_like(line, dtype=ops.index_dtype)) - 1
            spread = xp.take(slope, index // step, axis=axis)
            kept = (index % step == 0)[tuple(slice(None) if i == axis else None for i in range(len(x.shape)))]
            slope = xp.where(kept, spread, 0 * spread)
        return slope

    return x[chosen], back


def inverse_of(matrix: Array, ops: Ops) -> tuple[Array, Array]:
    """The inverse of symmetric, positive definite matrices on the last two axes, and the logarithm of their
    determinant, by elimination."""
    length, logarithm = matrix.shape[-1], 0
    unit = ops.constant([[float(i == j) for j in range(length)] for i in range(length)], matrix)
    found = 0 * matrix + unit
    for k in range(length):
        pivot = matrix[..., k : k + 1, k : k + 1]
        logarithm = logarithm + ops.xp.log(pivot[..., 0, 0])
        others = matrix[..., :, k : k + 1] - unit[:, k : k + 1]
        row, row_found = matrix[..., k : k + 1, :] / pivot, found[..., k : k + 1, :] / pivot
        matrix, found = matrix - others * row, found - others * row_found
    return found, logarithm
