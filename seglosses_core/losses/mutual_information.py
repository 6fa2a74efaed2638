"""How much of the shapes in the target can be told from those in the prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import one_if_zero
from seglosses_core.checks import check_integer, check_window
from seglosses_core.libraries import Array
from seglosses_core.morphology import dilate_box
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
        p, y = target.only_valid(prediction.probabilities), target.only_valid(target.values)
        x, from_vectors = self.vectors(p, ops)
        y, _ = self.vectors(y, ops)
        counted = 0 * x[..., :1, :] + 1
        if weights is not None:
            of_windows = xp.mean(self.vectors(ops.over_classes(weights), ops)[0], axis=2, keepdims=True)
            counted = of_windows / one_if_zero(xp.mean(of_windows, axis=-1, keepdims=True), xp)
        mean = one_if_zero(xp.sum(counted, axis=-1, keepdims=True), xp)
        x, y = (z - xp.sum(counted * z, axis=-1, keepdims=True) / mean for z in (x, y))
        dimensions = x.shape[2]
        diagonal = ops.constant([[ALPHA * (i == j) for j in range(dimensions)] for i in range(dimensions)], x)
        mm, turned = ops.matmul, xp.matrix_transpose
        inverse, _ = inverse_of(mm(counted * x, turned(x)) + diagonal, ops)
        guess, rest = 0, y
        for _ in range(2):  # the second time for the digits that an inverse of float32 loses
            guess = guess + mm(inverse, mm(counted * x, turned(rest)) - ALPHA * guess)
            rest = y - mm(turned(guess), x)
        # The same M as sums of squares, which loses no digits.
        left = mm(counted * rest, turned(rest)) + ALPHA * mm(turned(guess), guess) + diagonal
        inverse, logarithm = inverse_of(left, ops)

        def back(upstream: Array) -> Cotangent:
            share = (upstream / dimensions)[..., None, None]
            pull = mm(inverse, counted * rest)
            pull = pull + mm(inverse, counted * rest - mm(left, pull))
            slope = -share * mm(guess, pull)
            return Cotangent(terms=[(1, (target.only_valid(ops.cast(from_vectors(slope), p.dtype)),))])

        return logarithm / (2 * dimensions), back

    def vectors(self, z: Array, ops: Ops) -> tuple[Array, Callable[[Array], Array]]:
        """Of non-negative `z`, logits-shaped, the pixels of each window of what pooling leaves: `(N, C, d, windows)`,
        wide; and the way back."""
        axes, batch = ops.spatial_axes, self.aggregate == "batch"
        widest, from_widest = dilate_box(z, None, self.pool, ops)
        pooled, from_pooled = every(self.pool, widest, ops)
        pooled = ops.cast(pooled, ops.accumulation_dtype(pooled))
        sizes = [1 + ops.reach(self.radius - 1, pooled.shape[axis]) for axis in axes]
        places = list(product(*map(range, sizes)))
        views = [ops.shifted_view(pooled, axes, place, sizes) for place in places]

        def back(slope: Array) -> Array:
            total = 0 * pooled
            for k, place in enumerate(places):
                own = ops.from_rows(slope[:, :, k, :], views[k], batch=batch)
                padded = ops.pad(own, axes, [size - 1 for size in sizes], 0)
                mirrored = [size - 1 - start for size, start in zip(sizes, place, strict=True)]
                total = total + ops.shifted_view(padded, axes, mirrored, sizes)
            return from_widest(from_pooled(ops.cast(total, z.dtype)))

        return ops.xp.stack([ops.rows(view, batch=batch) for view in views], axis=2), back


def every(step: int, x: Array, ops: Ops) -> tuple[Array, Callable[[Array], Array]]:
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
