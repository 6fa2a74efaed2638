"""Losses of thin shapes: of skeletons and of boundaries that are drawn by erosion and dilation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import divide
from seglosses_core.checks import check_flag, check_integer, check_number, check_smooth, check_window
from seglosses_core.costs import Costs
from seglosses_core.inputs import Input
from seglosses_core.libraries import Array
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.morphology import dilate, dilate_box, erode_box, soft_skeleton
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.region import RegionLoss, ScoreBack
from seglosses_core.target import Target

SKELETON = Input("N C *S", "the skeleton of each class of the target", otherwise="the target")


@dataclass(frozen=True, kw_only=True)
class HarmonicLoss(RegionLoss):
    """`L = 1 − 2 P R / (P + R + η)` for each image and class, with P and R ratios of sums over pixels.

    Parameters
    ----------
    smooth : float or pair of floats
        ε ≥ 0, in the numerators and denominators of P and R; of a pair, the first is for the numerators.
    """

    smooth: float | tuple[float, float] = 1.0

    harmonic_smooth = 0.0
    """η."""
    sees = "image"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_smooth(self.smooth)

    def summands(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[list[Array], Callable[[list[Array]], Cotangent]]:
        """What is added up, logits-shaped: of what P finds and of what it misses, which make up its denominator, and of
        R the same; and the way back from those."""
        raise NotImplementedError

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        def take() -> Taken:
            weights = self.pixel_weights(target)
            summands, from_summands = self.summands(prediction, target, ops, **inputs)
            dtype = summands[0].dtype
            sums = self.over_images([ops.power_sum(x, 1, weights) for x in summands], ops)

            def back(slopes: Sequence[Array]) -> Cotangent:
                found = [ops.over_pixels(ops.cast(x, dtype)) for x in slopes]
                return from_summands(
                    found if weights is None else [x * ops.over_classes(weights) for x in found]
                )

            return Taken(sums, back)

        sums, to_pixels = self.add_up(ops, take)
        loss, back = self.harmonic(sums, target, ops)
        return loss, lambda upstream: to_pixels(back(upstream))

    def harmonic(
        self, sums: Sequence[Array], target: Target, ops: Ops
    ) -> tuple[Array, Callable[[Array], list[Array]]]:
        """L from the sums, and the way back to them."""
        unit = self.sums_unit(target)
        above, below = self.smooth if isinstance(self.smooth, tuple) else (self.smooth, self.smooth)
        smooth = [x if unit is None else x / unit for x in (above, below - above)]
        if self.per_class:
            return harmonic_mean(sums, smooth, self.harmonic_smooth, ops)
        shares = self.relative_shares(target, ops)
        sums = [ops.xp.sum(shares * x, axis=1) for x in sums]
        loss, back = harmonic_mean(sums, smooth, self.harmonic_smooth, ops)
        return loss, lambda upstream: [x[:, None] * shares for x in back(upstream)]


def harmonic_mean(
    sums: Sequence[Array], smooth: Sequence[Any], eta: float, ops: Ops
) -> tuple[Array, Callable[[Array], list[Array]]]:
    """`1 − 2 P R / (P + R + η)` of what P finds and misses, and R, to which the two of `smooth` are added; and the way
    back."""
    xp = ops.xp

    def shares(found: Array, missed: Array) -> tuple[Array, Array, Array]:
        """A ratio, 1 less that to full relative precision, and their denominator."""
        found, missed = found + smooth[0], missed + smooth[1]
        below = found + missed
        return divide(found, below, xp, 1.0), divide(missed, below, xp), below

    (p, not_p, below_p), (r, not_r, below_r) = shares(*sums[:2]), shares(*sums[2:])
    loss = divide(p * not_r + r * not_p + eta, p + r + eta, xp, 1.0)

    def back(upstream: Array) -> list[Array]:
        whole = (p + r + eta) * (p + r + eta)
        slopes = []
        for ratio, rest, other, below in ((p, not_p, r, below_p), (r, not_r, p, below_r)):
            steepness = divide(2 * other * (other + eta) * upstream, whole * below, xp)
            slopes += [-rest * steepness, ratio * steepness]
        return slopes

    return loss, back


@dataclass(frozen=True, kw_only=True)
class ClDiceLoss(HarmonicLoss):
    """`L = 1 − 2 P R / (P + R + η)` with `P = (Σ S_p y + ε) / (Σ S_p + ε)` and `R = (Σ S_y p + ε) / (Σ S_y + ε)`, where
    S_p and S_y are the soft skeletons of prediction and target: how much of either's centreline lies in the other.

    Shit et al. 2021 (clDice, arXiv:2003.07311, algorithms 1 and 2), for binary problems; here, as in MIST, for each
    image and class, where `include_background=False` is what makes sense as a rule. A soft skeleton is made by
    erosions by the nearest neighbours and dilations by the 3 × 3 box; cells outside the image, and ignored ones, do not
    exist, and equal extremes of a window share its slope (ours). A flat prediction has no skeleton, and a part that is
    thicker than the erosions reach neither: beside a region loss, `0.5 * DiceLoss() + 0.5 * ClDiceLoss()`. The
    skeleton of the target may be given as `skeleton=`.

    Parameters
    ----------
    iterations : int
        How often is eroded, ≥ 0: at least the largest radius of the shapes, in pixels.
    harmonic_smooth : float
        η ≥ 0.
    per_class : bool
        Whether each class has a P and an R of its own. If not, as in MONAI, the sums are added up over the classes
        first, each multiplied by its class weight relative to the largest, and each image has one loss, `(N,)`.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.1, 0.6, 0.3, 0.8, 0.2]]])  # one image, one class, five pixels
    >>> labels = np.asarray([[0, 0, 0, 1, 0]])
    >>> loss = ClDiceLoss(activation="identity", iterations=0)
    >>> float(loss(probabilities, labels).round(6))
    0.134615
    """

    iterations: int = 10
    harmonic_smooth: float = 0.0
    per_class: bool = True

    inputs = MappingProxyType({"skeleton": SKELETON})

    def __post_init__(self) -> None:
        check_flag("per_class", self.per_class)
        super().__post_init__()
        check_integer("iterations", self.iterations, at_least=0)
        check_number("harmonic_smooth", self.harmonic_smooth, at_least=0)

    def summands(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[list[Array], Callable[[list[Array]], Cotangent]]:
        p, rest, y = prediction.probabilities, prediction.complements, target.values
        of_target = skeleton_of(target, self.iterations, ops, inputs)
        of_prediction, from_skeleton = soft_skeleton(p, target.valid, self.iterations, ops)

        def back(slopes: list[Array]) -> Cotangent:
            found_p, missed_p, found_r, missed_r = slopes
            slope = of_target * (found_r - missed_r) + from_skeleton(y * found_p + (1 - y) * missed_p)
            return Cotangent(terms=[(1, (slope,))])

        return [of_prediction * y, of_prediction * (1 - y), of_target * p, of_target * rest], back


@dataclass(frozen=True, kw_only=True)
class BoundaryF1Loss(HarmonicLoss):
    """`L = 1 − 2 P R / (P + R)` with `P = (Σ b_p e_y + ε) / (Σ b_p + ε)` and `R = (Σ b_y e_p + ε) / (Σ b_y + ε)`, where
    `b = x − erode(x)` is the inner boundary of prediction and target, and `e = dilate(b)` what lies near it.

    Bokhovkin and Burnaev 2019 (arXiv:1905.07852, section 3), who have no ε; cells outside the image, and ignored ones,
    do not exist, and equal extremes of a window share its slope (ours). A flat prediction has no boundary: beside a
    region loss.

    Parameters
    ----------
    smooth : float or pair of floats
        ε ≥ 0, in the numerators and denominators of P and R; of a pair, the first is for the numerators.
    width : int
        Odd: of the window that the boundary is found by, in pixels.
    tolerance : int
        Odd: of the window that makes it wider, at most the distance between segments.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.1, 0.8, 0.9, 0.8, 0.1, 0.1]]])  # one image, one class, six pixels
    >>> labels = np.asarray([[0, 1, 1, 1, 0, 0]])
    >>> loss = BoundaryF1Loss(activation="identity")
    >>> float(loss(probabilities, labels).round(6))
    0.17647
    """

    smooth: float | tuple[float, float] = 1e-5
    width: int = 3
    tolerance: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window("width", self.width)
        check_window("tolerance", self.tolerance)

    def summands(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[list[Array], Callable[[list[Array]], Cotangent]]:
        valid = target.valid

        def near(x: Array) -> tuple[Array, Array, Callable[[Array, Array], Array]]:
            eroded, from_eroded = erode_box(x, valid, self.width, ops)
            boundary = x - eroded
            wide, from_wide = dilate_box(boundary, valid, self.tolerance, ops)

            def back(of_boundary: Array, of_wide: Array) -> Array:
                slope = of_boundary + from_wide(of_wide)
                return slope - from_eroded(slope)

            return boundary, wide, back

        of_p, wide_p, from_prediction = near(target.only_valid(prediction.probabilities))
        of_y, wide_y, _ = near(target.values)

        def back(slopes: list[Array]) -> Cotangent:
            found_p, missed_p, found_r, missed_r = slopes
            slope = from_prediction(wide_y * found_p + (1 - wide_y) * missed_p, of_y * (found_r - missed_r))
            return Cotangent(terms=[(1, (slope,))])

        return [of_p * wide_y, of_p * (1 - wide_y), of_y * wide_p, of_y * (1 - wide_p)], back


@dataclass(frozen=True, kw_only=True)
class SkeletonRecallLoss(RegionLoss):
    """`L = 1 − (Σ p t + ε) / (Σ t + ε)`, with t the pixels of each class that are near its skeleton: how much of the
    centrelines is found.

    Kirchhoff et al. 2024 (skeleton recall, arXiv:2404.03010, section 3), for a t that is made in the data loader by
    thinning all foreground and dilating that twice, and given as `skeleton=`. Ours, where none is given: the soft
    skeleton of each class (`ClDiceLoss`), dilated twice by the nearest neighbours, within the class. Without a false
    positive of its own, it stands beside Dice and cross-entropy, as a rule with `include_background=False`.

    Parameters
    ----------
    smooth : float
        ε ≥ 0.
    iterations : int
        How often is eroded, ≥ 0, where no skeleton is given: at least the largest radius of the shapes, in pixels.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.1, 0.6, 0.3, 0.8, 0.2]]])  # one image, one class, five pixels
    >>> labels = np.asarray([[0, 1, 1, 0, 0]])
    >>> loss = SkeletonRecallLoss(activation="identity", smooth=0.0)
    >>> float(loss(probabilities, labels).round(6))
    0.55
    """

    sees = "image"

    smooth: float = 1.0
    iterations: int = 10

    inputs = MappingProxyType({"skeleton": SKELETON})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("smooth", self.smooth, at_least=0)
        check_integer("iterations", self.iterations, at_least=0)

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        xp, unit = ops.xp, self.sums_unit(target)
        (whole, missed), back = self.add_up(ops, lambda: self._sums(prediction, target, ops, inputs))
        whole = whole + (self.smooth if unit is None else self.smooth / unit)
        return divide(missed, whole, xp), lambda upstream: back([divide(upstream + 0 * whole, whole, xp)])

    def _sums(self, prediction: Prediction, target: Target, ops: Ops, inputs: dict[str, Array]) -> Taken:
        """`Σ t` and `Σ (1 − p) t`, and the way back from the second."""
        weights = self.pixel_weights(target)
        near = skeleton_of(target, self.iterations, ops, inputs)
        if "skeleton" not in inputs:
            for _ in range(2):
                near = dilate(near, target.valid, ops)[0]
            near = near * target.values
        sums = [ops.power_sum(near, 1, weights), ops.sum_product(near, prediction.complements, weights)]

        def back(slopes: Sequence[Array]) -> Cotangent:
            slope = ops.over_pixels(ops.cast(-slopes[0], near.dtype))
            factors = [slope] if weights is None else [slope, ops.over_classes(weights)]
            return Cotangent(terms=[(1, (*factors, near))])

        return Taken(self.over_images(sums, ops), back)


@dataclass(frozen=True, kw_only=True)
class ClCrossEntropyLoss(CrossEntropyLoss):
    """`ℓ = −(S_y + S_p) Σ_c y_c log p_c`, with S_y and S_p the soft skeletons of the foreground of target and of
    prediction (`ClDiceLoss`): cross-entropy along the centrelines. The mean is over all pixels.

    Acebes et al. 2024 (centerline-cross entropy, MICCAI), as their code has it for one foreground class. Ours: of
    exclusive classes S is the sum over all but class 0; overlapping ones have each their own. Where the label's
    probability is 0 a pixel off all centrelines costs nothing, and S has no slope. Beside `ClDiceLoss`. The skeleton of
    the target may be given as `skeleton=`.

    Parameters
    ----------
    iterations : int
        How often is eroded, ≥ 0: at least the largest radius of the shapes, in pixels.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.1, 0.6, 0.3, 0.8, 0.2]]])  # one image, one class, five pixels
    >>> labels = np.asarray([[0, 0, 0, 1, 0]])
    >>> loss = ClCrossEntropyLoss(activation="identity", iterations=0)
    >>> float(loss(probabilities, labels).round(6))
    0.121921
    """

    sees = "image"

    iterations: int = 3

    pointwise = False
    inputs = MappingProxyType({**CrossEntropyLoss.inputs, "skeleton": SKELETON})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("iterations", self.iterations, at_least=0)

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        costs = super().costs(prediction, target, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        own, from_skeleton = soft_skeleton(prediction.probabilities, target.valid, self.iterations, ops)
        skeleton = own + skeleton_of(target, self.iterations, ops, inputs)
        exclusive = self.classes_exclude(target.num_classes)
        counted = ops.over_pixels(
            ops.constant([float(c > 0 or not exclusive) for c in range(target.num_classes)], own)
        )
        factor = ops.sum_classes(skeleton * counted) if exclusive else skeleton
        # What costs ∞ has no slope by its factor: 0 · ∞ would make all that is near it NaN.
        xp, endless = ops.xp, costs.values == math.inf
        zero = xp.zeros_like(costs.values)
        finite = xp.where(endless, zero, costs.values)
        values = xp.where(endless, xp.where(factor > 0, costs.values, zero), finite * factor)

        def back(upstream: Array) -> Cotangent:
            slope = upstream * finite
            slope = (ops.over_classes(slope) if exclusive else slope) * counted + 0 * own
            return to_entropy(upstream * factor) + Cotangent(terms=[(1, (from_skeleton(slope),))])

        return replace(costs, values=values, back=back)


def skeleton_of(target: Target, iterations: int, ops: Ops, inputs: dict[str, Array]) -> Array:
    """The skeleton of the target, given or made."""
    if "skeleton" in inputs:
        return target.only_valid(inputs["skeleton"])
    return soft_skeleton(target.values, target.valid, iterations, ops)[0]
