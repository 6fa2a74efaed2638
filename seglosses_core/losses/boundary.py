"""Losses of the distance to the boundary of the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from seglosses_core.activations import Prediction
from seglosses_core.arithmetic import divide, power
from seglosses_core.call import Back, Shared
from seglosses_core.checks import check_flag, check_number
from seglosses_core.costs import Costs
from seglosses_core.inputs import Input
from seglosses_core.libraries import Array
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.maps.distance import (
    check_spacing,
    finite_root,
    penalty,
    signed_distance,
    spacing_of,
    squared_boundary_distance,
)
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.pixel_sums import Summand, errors
from seglosses_core.region import RegionLoss, ScoreBack
from seglosses_core.target import Target

SIGNED = Input("N C *S", "the signed distance to the boundary of each class", otherwise="the target")
UNSIGNED = Input("N C *S", "the distance to the boundary of each class", otherwise="the target")


@dataclass(frozen=True, kw_only=True)
class DistanceLoss(RegionLoss):
    """A region loss of sums over pixels that the distance to a boundary weighs, `Σ_i w_i … φ_i …`.

    Parameters
    ----------
    spacing : sequence of numbers, optional
        The distance of neighbouring pixels on each spatial axis, above 0; 1 unless given. `1 / diagonal` makes
        distances fractions of the image's diagonal.
    """

    sees = "image"

    spacing: Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_spacing(self.spacing)

    def check_classes(self, logits: Array, axis: int) -> None:
        super().check_classes(logits, axis)
        check_spacing(self.spacing, len(logits.shape) - 2)

    def signed_distances(self, target: Target, ops: Ops, inputs: dict[str, Array]) -> Array:
        """φ, given or made from where the target is above ½."""
        if "distances" in inputs:
            return target.only_valid(inputs["distances"])
        spacing = spacing_of(self.spacing, ops)
        return signed_distance(target.values > 0.5, target.valid, spacing, ops, target.dtype)


@dataclass(frozen=True, kw_only=True)
class BoundaryLoss(DistanceLoss):
    """`L = Σ_i φ_i p_i / n` over the n pixels, with φ the distance to the boundary of the target, negative inside: half
    the squared distance between the contours, less what it is for a perfect prediction. It may be below 0.

    Kervadec et al. 2019 (arXiv:1812.07032, eq. 5), φ as their code has it (`signed_distance_map`). Ours: 0 for a class
    that fills an image, as for one that is absent; pixel weights. The slope is the same everywhere: beside a region
    loss, whose weight falls while that of this one rises, in the paper from 1 by .01 each epoch. With another map as
    `distances=` it is the region-wise loss of Valverde and Tohka 2021.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.1, 0.6, 0.9, 0.6, 0.2]]])  # one image, one class, five pixels
    >>> labels = np.asarray([[0, 1, 1, 1, 0]])
    >>> loss = BoundaryLoss(activation="identity")
    >>> float(loss(probabilities, labels).round(6))
    -0.12
    """

    inputs = MappingProxyType({"distances": SIGNED})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_no_pooling()

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        def summand() -> Summand:
            phi = self.signed_distances(target, ops, inputs)
            if not target.hard:
                phi = phi + 0 * target.values  # of which only NaN is left
            return Summand(phi * prediction.probabilities, phi)

        return self.pixel_mean(summand, target)


@dataclass(frozen=True, kw_only=True)
class GeneralizedSurfaceLoss(DistanceLoss):
    """`L = 1 − Σ_i (φ_i (1 − y_i − p_i))² / Σ_i φ_i²` with φ the signed distance to the boundary of the target: 0 for a
    perfect prediction, 1 for its opposite.

    Celaya et al. 2023 (arXiv:2302.03868), who add up the classes inside both sums with weights of their own; here, as
    in MIST, the mean over images and classes. Where φ is 0 everywhere, for a class that is absent or fills the image,
    it is 0. Beside a region loss.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.1, 0.6, 0.9, 0.6, 0.2]]])  # one image, one class, five pixels
    >>> labels = np.asarray([[0, 1, 1, 1, 0]])
    >>> loss = GeneralizedSurfaceLoss(activation="identity")
    >>> float(loss(probabilities, labels).round(6))
    0.246667
    """

    inputs = MappingProxyType({"distances": SIGNED})

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        def take() -> Taken:
            y, p, rest = target.values, prediction.probabilities, prediction.complements
            phi = self.signed_distances(target, ops, inputs)
            square = phi * phi
            # 1 − (1 − y − p)², without a difference of what is nearly equal.
            missed = Summand(square * ((y + p) * (1 - y + rest)), 2 * square * (rest - y))
            above, back = self.pixel_sums([missed], target)
            below, _ = self.pixel_sums([Summand(square, square)], target)
            return Taken([*above, *below], None if back is None else lambda slopes: back(slopes[:1]))

        (above, below), back = self.add_up(ops, take)
        return divide(above, below, ops.xp), lambda upstream: back(
            [divide(ops.cast(upstream, below.dtype), below, ops.xp)]
        )


@dataclass(frozen=True, kw_only=True)
class HausdorffDTLoss(DistanceLoss):
    """`L = Σ_i (p_i − y_i)² (d_i^α + e_i^α) / n` over the n pixels, with d the distance to the boundary of the target
    and e that to the boundary of the prediction, where p > ½.

    Karimi and Salcudean 2020 (arXiv:1904.10030, section II), distances as in MONAI: 1 on both sides of a boundary, 0
    everywhere where there is none. So a prediction that fills the image of an absent class costs 0: a region loss has
    to stand beside it. No gradient flows through the distances; the loss jumps where a p crosses ½.

    Parameters
    ----------
    alpha : float
        The exponent of the distances, ≥ 0; from 1 to 3 in the paper.
    one_sided : bool
        Without e, whose two distance transforms are computed at every call.
    log : bool
        log(1 + L) of what the reduction gives.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.1, 0.6, 0.9, 0.4, 0.2]]])  # one image, one class, five pixels
    >>> labels = np.asarray([[0, 1, 1, 1, 0]])
    >>> loss = HausdorffDTLoss(activation="identity")
    >>> float(loss(probabilities, labels).round(6))
    0.262
    """

    alpha: float = 2.0
    one_sided: bool = False
    log: bool = False

    inputs = MappingProxyType({"distances": UNSIGNED})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("alpha", self.alpha, at_least=0)
        check_flag("one_sided", self.one_sided)
        check_flag("log", self.log)

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        def summand() -> Summand:
            if "distances" in inputs:
                distances = power(target.only_valid(inputs["distances"]), self.alpha)
            else:
                distances = self.distance_powers(target.values > 0.5, target, ops)
            if not self.one_sided:
                distances = distances + self.distance_powers(prediction.probabilities > 0.5, target, ops)
            error, _ = errors(prediction, target)
            return Summand(distances * (error * error), 2 * distances * error)

        return self.pixel_mean(summand, target)

    def distance_powers(self, regions: Array, target: Target, ops: Ops) -> Array:
        """d^α, logits-shaped."""
        spacing = spacing_of(self.spacing, ops)
        squared = squared_boundary_distance(regions, target.valid, spacing, ops, target.dtype)
        return power(finite_root(squared, ops)[0], self.alpha)

    def evaluate(self, shared: Shared) -> tuple[Array, Back | None]:
        value, back = super().evaluate(shared)
        if not self.log:
            return value, back
        way = None if back is None else lambda upstream: back(upstream / (1 + value))
        return shared.ops.log1p(value), way


@dataclass(frozen=True, kw_only=True)
class DistancePenalizedCrossEntropyLoss(CrossEntropyLoss):
    """`ℓ = −(1 + Φ) Σ_c y_c log p_c`, with Φ = 1 at the boundary of each pixel's label and 0 where that is deepest
    (`boundary_penalty`). The mean is over the pixels: Φ is no weight.

    Caliva et al. 2019 (arXiv:1908.03679, eq. 1), who leave the scale of Φ open. Overlapping classes have each a Φ of
    their own, from both sides of their boundary. The regions are those where the target is above ½.

    Parameters
    ----------
    spacing : sequence of numbers, optional
        The distance of neighbouring pixels on each spatial axis, above 0; 1 unless given.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.8, 0.2, 0.2, 0.2, 0.8], [0.2, 0.8, 0.8, 0.8, 0.2]]])
    >>> labels = np.asarray([[0, 1, 1, 1, 0]])  # one image, five pixels
    >>> loss = DistancePenalizedCrossEntropyLoss(activation="identity")
    >>> float(loss(probabilities, labels).round(6))
    0.401658
    """

    sees = "image"

    spacing: Sequence[float] | None = None

    pointwise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_spacing(self.spacing)

    def check_classes(self, logits: Array, axis: int) -> None:
        super().check_classes(logits, axis)
        check_spacing(self.spacing, len(logits.shape) - 2)

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        costs = super().costs(prediction, target, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        regions, spacing = target.values > 0.5, spacing_of(self.spacing, ops)
        near = penalty(regions, target.valid, spacing, ops, target.dtype)
        if self.classes_exclude(target.num_classes):
            near = ops.xp.max(near, axis=ops.class_axis)
        else:
            near = near + penalty(~regions, target.valid, spacing, ops, target.dtype)
        factor = 1 + near
        return dataclasses.replace(
            costs, values=costs.values * factor, back=lambda upstream: to_entropy(upstream * factor)
        )
