"""The locally adaptive loss: predictions are pooled over neighbours of the same label first, costs afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.checks import check_flag, check_integer, check_window, shape_text
from seglosses_core.costs import Costs, Weights
from seglosses_core.hyperparameters import replace
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.ops import Ops
from seglosses_core.pixel import PixelLoss
from seglosses_core.reductions import Minkowski, Pooling
from seglosses_core.single import Reduction, SingleLoss
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class LocallyAdaptiveLoss(PixelLoss):
    """A pixel loss of predictions pooled over neighbours of the same label, with the Minkowski mean over pixels.

    Per pixel the logits are standardised over the classes, `x = (z − mean z) / std z`. Then

        f(i) = (1 / ξ_i) Σ_u μ_iu ω(u) x(i + u),    ω(u) = 2^(1 − D8(u)),

    over the window, with μ = 1 where the neighbour has the label of the centre, else 0, ξ the number of such
    neighbours (the centre counts) and D8 the chessboard distance to the centre. The cost of a pixel is that of f
    against its label.

    Guo et al. 2018 (arXiv:1802.08290, eqs. 4–8; the derivative is by the chain rule, which corrects two misprints of
    eqs. 7 and 8). Ours: x from the logits with the population standard deviation, a constant vector giving 0; cells
    outside the image, ignored pixels and pixels of mask weight 0 do not exist; other weights act on costs only; the
    mean is over all valid pixels of the batch. A perfect prediction keeps a cost above 0, as defined. The target must
    be labels.

    Time grows with the window's area, as far as it can lie within the image, memory does not, but in TensorFlow under
    XLA.

    Parameters
    ----------
    kernel_size : int
        The odd width of the window, in pixels, on every spatial axis.
    stride : int
        Only pixels whose every index is a multiple of it are centres; the others have no cost.
    cost : pixel loss
        What f is compared with the label by; `activation` and everything common are those of this loss, not of `cost`.
    standardize : bool
        Needs at least 3 classes: standardised, 2 logits are always ±1.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = LocallyAdaptiveLoss(kernel_size=3, standardize=False)
    >>> float(loss(logits, labels).round(6))
    0.332889
    """

    sees = "image"

    reduction: Reduction | Pooling = field(default_factory=Minkowski)
    kernel_size: int = 5
    stride: int = 1
    cost: PixelLoss = field(default_factory=CrossEntropyLoss)
    standardize: bool = True

    needs = Needs(labels_only=True, finite_logits=True)
    pointwise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window("kernel_size", self.kernel_size)
        check_integer("stride", self.stride, at_least=1)
        check_flag("standardize", self.standardize)
        if not isinstance(self.cost, PixelLoss) or self.cost.needs.labels_only:
            raise TypeError(f"cost must be a pixel loss, such as FocalLoss(), got {self.cost!r}.")
        self.check_inner("cost", self.cost, SingleLoss)
        # Whose checks know what does not go together.
        dataclasses.replace(self.cost, activation=self.activation)

    def check_classes(self, logits: Array, axis: int) -> None:
        super().check_classes(logits, axis)
        if self.standardize:
            check_standardizable(logits, axis)
        self.full_cost().check_classes(logits, axis)

    def full_cost(self) -> PixelLoss:
        """The cost with what is this loss's."""
        own = {"activation": self.activation, "class_weights": self.class_weights, "divisor": self.divisor}
        return replace(self.cost, **own)

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        pooled, to_logits = pooled_logits(self, prediction, target, ops)
        cost, activation = self.full_cost(), ops.activation(self.activation)
        inner = activation(
            pooled, ops, labels=target.labels, label_log_probability=cost.needs.label_log_probability
        )
        costs = cost.costs(inner, target, ops)
        to_inner = costs.back
        assert to_inner is not None

        def back(upstream: Array) -> Cotangent:
            return Cotangent(logits=[to_logits(inner.gradient(to_inner(upstream)))])

        return dataclasses.replace(at_centres(costs, self.stride, ops), back=back)

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        return weights_at_centres(self.full_cost().cost_weights(target, ops), self.stride, ops)


def check_standardizable(logits: Array, axis: int) -> None:
    if logits.shape[axis] < 3:
        raise ValueError(
            f"standardize=True needs at least 3 classes, got logits of shape {shape_text(logits)}: fewer are ±1"
            " once standardised, and have no gradient; pass standardize=False."
        )


def pooled_logits(
    loss: LocallyAdaptiveLoss, prediction: Prediction, target: Target, ops: Ops
) -> tuple[Array, Callable[[Array], Array]]:
    """The means over neighbours of the same label, logits-shaped, and the way back."""
    xp, x, labels = ops.xp, prediction.logits, target.labels
    from_standard: Callable[[Array], Array] | None = None
    if loss.standardize:
        x, from_standard = _standardize(x, ops)
    if not target.has_labels:
        labels = ops.cast(xp.squeeze(target.dense, axis=ops.class_axis), ops.index_dtype)
    if target.valid is not None:
        labels = xp.where(target.valid, labels, -xp.ones_like(labels))
    total, count = ops.sum_alike(x, labels, loss.kernel_size)
    neighbours = ops.over_classes(count)

    def back(slope: Array) -> Array:
        slope, _ = ops.sum_alike(slope / neighbours, labels, loss.kernel_size)
        return slope if from_standard is None else from_standard(slope)

    return total / neighbours, back


def at_centres(costs: Costs, stride: int, ops: Ops) -> Costs:
    """The costs without those of the pixels that are no centres, which may be infinite."""
    if stride == 1:
        return costs
    xp, (values, weighted) = ops.xp, (costs.values, costs.weighted)
    weights = xp.ones_like(values) if weighted.values is None else weighted.values
    weighted = weights_at_centres(weighted._replace(values=weights), stride, ops)
    counts: Array = weighted.values
    values = xp.where(counts > 0, values, xp.zeros_like(values))
    return dataclasses.replace(costs, values=values, weighted=weighted)


def weights_at_centres(weighted: Weights, stride: int, ops: Ops) -> Weights:
    """These weights, with 0 at the pixels that are no centres."""
    values, counted = (_at_centres(x, stride, ops) for x in (weighted.values, weighted.counted))
    return Weights(values, weighted.unit, counted)


def _at_centres(weights: Array | None, stride: int, ops: Ops) -> Any:
    """The weights, 0 at the pixels that are no centres."""
    if weights is None or stride == 1:
        return weights
    xp, per_class = ops.xp, len(weights.shape) == ops.rank
    ones = xp.ones_like(weights, dtype=ops.index_dtype)
    for axis in ops.spatial_axes if per_class else range(1, ops.rank - 1):
        index = ops.cumulative_sum(ones, axis=axis) - 1
        weights = xp.where(index % stride == 0, weights, xp.zeros_like(weights))
    return weights


def _standardize(z: Array, ops: Ops) -> tuple[Array, Callable[[Array], Array]]:
    """`(z − mean z) / std z` over the classes, and the way back. A constant vector gives 0, and no slope."""
    xp, axis = ops.xp, ops.class_axis
    highest, lowest = (extreme(z, axis=axis, keepdims=True) for extreme in (xp.max, xp.min))
    # Measured from the highest in units of their range, logits keep the digits in which they differ. Of an eighth of
    # the range of ±3e38, the reciprocal that XLA multiplies by is no subnormal.
    extent = highest / 8 - lowest / 8
    varied = extent > 0
    extent = xp.where(varied, extent, xp.ones_like(extent))
    unit = (z / 8 - highest / 8) / extent
    centred = unit - xp.mean(unit, axis=axis, keepdims=True)
    variance = xp.mean(centred * centred, axis=axis, keepdims=True)
    deviation = xp.sqrt(xp.where(varied, variance, xp.ones_like(variance)))
    x = centred / deviation

    def back(slope: Array) -> Array:
        slope = (
            slope
            - xp.mean(slope, axis=axis, keepdims=True)
            - x * xp.mean(slope * x, axis=axis, keepdims=True)
        )
        return xp.where(varied, slope / (8 * deviation) / extent, xp.zeros_like(slope))

    return x, back
