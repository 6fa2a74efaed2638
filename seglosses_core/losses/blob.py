"""A region loss of each instance by itself, however small it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import is_there, is_zero, one_if_zero
from seglosses_core.checks import check_choice, check_integer
from seglosses_core.inputs import Input
from seglosses_core.libraries import Array
from seglosses_core.losses.dice import DiceLoss
from seglosses_core.losses.overlap import OverlapLoss
from seglosses_core.moments import COMPLEMENT, SQUARED_ERROR, Moment, Term
from seglosses_core.ops import Ops
from seglosses_core.parts import Taken
from seglosses_core.region import Absent, RatioLoss, RegionLoss, ScoreBack
from seglosses_core.target import Target

Region = Literal["shared", "own"]

INSTANCES = Input("N *S", "the number of each pixel's instance, 0 for the background", integers=True)


@dataclass(frozen=True, kw_only=True)
class BlobLoss(RegionLoss):
    """`L = mean_k L_k` over the instances k of a class in an image, with L_k a region loss of the pixels of k and of
    the background: small instances count as much as large ones.

    Kofler et al. 2023 (blob loss, arXiv:2205.08209, section 2), whose code sets what the network gives to 0 at the
    other instances; here they do not exist for L_k. With region="own" and `nearest_instance` of the instances, L_k is
    of the pixels that are nearest to k: CC-Dice (Bouteille et al. 2025, arXiv:2511.17146). Both stand beside a loss of
    all pixels, such as `2 * DiceLoss() + BlobLoss()` in the paper. All instances of an image come from one pass.

    A call needs `instances=`, integers `(N, *S)` from `scipy.ndimage.label` or the like, made in the data loader. An
    instance counts for each class that the target has in it (ours); it is one against the rest. A class without an
    instance costs 0; one that the target does not have leaves the mean, unless absent="count", and so should that of
    the background: include_background=False with a softmax. An instance above `num_instances`, or below 0, makes the
    value NaN, and with validate=True is an error.

    Parameters
    ----------
    aggregate : "image" or "batch"
        With "batch", where images are slices of one, the same number in several of them is one instance.
    absent : "count" or "skip"
        What happens to a class that the target of an image (of the batch) does not have.
    loss : region loss
        What L_k is: a ratio of sums, such as `DiceLoss()` or `PowerJaccardLoss()`; everything common is that of the
        `BlobLoss`.
    num_instances : int
        The largest number that an instance may have, at least 1.
    region : "shared" or "own"
        Whether L_k has the pixels numbered 0 too.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.asarray([[[0.8, 0.1, 0.2, 0.6, 0.9, 0.3]]])  # one image, one class, six pixels
    >>> labels = np.asarray([[1, 0, 0, 1, 1, 0]])
    >>> loss = BlobLoss(activation="identity", num_instances=2)
    >>> float(loss(probabilities, labels, instances=np.asarray([[1, 0, 0, 2, 2, 0]])).round(6))
    0.300812
    """

    sees = "image"

    absent: Absent = "skip"
    loss: RatioLoss = field(default_factory=DiceLoss)
    num_instances: int = 32
    region: Region = "shared"

    inputs = MappingProxyType({"instances": INSTANCES})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer("num_instances", self.num_instances, at_least=1)
        check_choice("region", self.region, get_args(Region))
        if not is_of_moments(self.loss):
            raise TypeError(
                f"loss must be a ratio of sums of products for each class, such as DiceLoss(), got {self.loss!r}."
            )
        self.check_inner("loss", self.loss, RegionLoss)

    def score(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array
    ) -> tuple[Array, ScoreBack]:
        xp = ops.xp
        (*sums, sizes), to_pixels = self.add_up(
            ops, lambda: moments_of_instances(self, prediction, target, inputs["instances"])
        )
        sums = [self.in_region(x) for x in sums]
        losses, slopes = self.loss.ratio(sums, self.loss.coefficients(target), self.sums_unit(target), ops)
        present = is_there(sizes[..., 1:])
        losses = xp.where(present, losses, xp.zeros_like(losses))
        there = ops.cast(present, losses.dtype)
        count = one_if_zero(xp.sum(there, axis=-1), xp)

        def back(upstream: Array) -> Cotangent:
            share = (upstream / count)[..., None] * there
            return to_pixels([self.of_region(share * slope, ops) for slope in slopes])

        return xp.sum(losses, axis=-1) / count, back

    def in_region(self, sums: Array) -> Array:
        """Those of the region of each instance, `(N, C, K)`, from those of the background and of the instances."""
        return sums[..., 1:] + sums[..., :1] if self.region == "shared" else sums[..., 1:]

    def of_region(self, slopes: Array, ops: Ops) -> Array:
        """The transpose of `in_region`."""
        background = ops.xp.sum(slopes, axis=-1, keepdims=True)
        if self.region == "own":
            background = 0 * background
        return ops.xp.concat([background, slopes], axis=-1)


def moments_of_instances(blob: BlobLoss, prediction: Prediction, target: Target, instances: Array) -> Taken:
    """Each moment of the background and of each instance, and their sizes; and the way back from the moments."""
    ops, weights = target.ops, blob.pixel_weights(target)
    instances = ops.cast(instances, ops.index_dtype)
    instances, known = ops.usable_labels(instances, blob.num_instances + 1, target.valid)
    if known is not None:
        if blob.validate and ops.is_eager(known) and not bool(ops.xp.all(known)):
            raise ValueError(
                f"instances must lie between 0 and num_instances, {blob.num_instances}, got others."
            )
        target.require(known)
    parts = [products(m, prediction, target) for m in blob.loss.moments()]
    summed = [*(values for values, _ in parts), target.values]
    batch = blob.aggregate == "batch"
    sums = [sums_of_instances(x, instances, blob.num_instances, weights, ops, batch=batch) for x in summed]

    def back(tables: Sequence[Array]) -> Cotangent:
        terms: list[Term] = []
        for (_, own), table in zip(parts, tables, strict=True):
            spread = at_instance(ops.cast(table, target.dtype), instances, ops)
            factors = [spread] if weights is None else [spread, ops.over_classes(weights)]
            terms += [(exponent, (*factors, factor)) for exponent, factor in own]
        return Cotangent(terms=terms)

    return Taken(blob.over_images(sums, ops), back)


def sums_of_instances(
    x: Array, instances: Array, num_instances: int, weights: Array | None, ops: Ops, *, batch: bool
) -> Array:
    """Logits-shaped `x` summed over the pixels of the background and of each instance, `(N, C, 1 + K)`, or
    `(1, C, 1 + K)` of the batch; wide."""
    whole = (slice(None),) * ops.class_axis

    def of_class(c: int) -> Array:
        pixels = x[(*whole, c, ...)]
        pixels = pixels if weights is None else pixels * weights
        if batch:
            return ops.sum_batch_by_label(pixels, instances, num_instances + 1)[None, :]
        return ops.sum_by_label(pixels, instances, num_instances + 1)

    return ops.xp.stack([of_class(c) for c in range(x.shape[ops.class_axis])], axis=1)


def at_instance(table: Array, instances: Array, ops: Ops) -> Array:
    """The entry of a table `(N, C, 1 + K)` at the instance of each pixel, logits-shaped."""
    maps = [ops.table_at_label(table[:, c, :], instances) for c in range(table.shape[1])]
    return ops.xp.stack(maps, axis=ops.class_axis)


def is_of_moments(loss: Any) -> bool:
    """Whether a loss is a ratio of moments alone, with coefficients that are the same for every region."""
    kind = type(loss)
    return (
        isinstance(loss, RatioLoss)
        and kind.score is RatioLoss.score
        and kind.coefficients is RatioLoss.coefficients
        and kind.sums in (RatioLoss.sums, OverlapLoss.sums)
        and getattr(loss, "overlap", "product") == "product"
        and loss.per_class
    )


def products(
    moment: Moment, prediction: Prediction, target: Target
) -> tuple[Array, Sequence[tuple[Any, Array]]]:
    """What a moment is the sum of, logits-shaped; and the pairs (k, a) of which `p ∂/∂p` of it is the sum, `a p^k`."""
    i, j, y = moment.i, moment.j, target.values
    if i is SQUARED_ERROR:
        error = prediction.error(target)
        return error * error, [(1, 2 * error)]
    if j is COMPLEMENT:
        return prediction.probabilities * (1 - y), [(1, 1 - y)]
    if i is COMPLEMENT:
        return prediction.complements * y, [(1, -y)]
    of_target = target.power(j) if not is_zero(j) else 0 * y + 1
    if is_zero(i):
        return of_target, []
    return prediction.power(i) * of_target, [(i, i * of_target)]
