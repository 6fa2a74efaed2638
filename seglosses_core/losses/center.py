"""The center loss: cross-entropy and the distance of each pixel from the centre of its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.call import Call, Shared
from seglosses_core.checks import check_number
from seglosses_core.costs import Costs, Weights
from seglosses_core.inputs import Input
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.losses.cross_entropy import CrossEntropyLoss
from seglosses_core.ops import Ops
from seglosses_core.parts import ALL, Taken
from seglosses_core.pixel import PixelLoss
from seglosses_core.target import Target

FEATURES = Input("N D *S", "what the distances are measured of", otherwise="logits")
CENTERS = Input("C D", "one row per class")


@dataclass(frozen=True, kw_only=True)
class CenterLoss(PixelLoss):
    """`ℓ = −log p_y + (λ/2) ‖x − c_y‖²` for every pixel, with x its features and c_y the centre of its class.

    Wen et al. 2016 ("A discriminative feature learning approach for deep face recognition", eqs. 2–5), for segmentation
    in Guo et al. 2018. The centres are moved after a step by `updated_centers`. Ours: the distances are averaged over
    the valid pixels as the cross-entropy is (`reduction="sum"` is Wen's); x are the logits unless `features` are given;
    centres start at 0 and get no gradient. The target must be labels of at least two classes that exclude each other.

    Parameters
    ----------
    rate : float
        α in [0, 1]: how far the centres move in one update.
    weight : float
        λ ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> centers = np.asarray([[1.0, 0.0], [0.0, 1.0]])
    >>> loss = CenterLoss(weight=0.1)
    >>> float(loss(logits, labels, centers=centers).round(6))
    0.463478
    >>> loss.updated_centers(logits, labels, centers=centers).round(3).tolist()
    [[1.25, 0.0], [-0.083, 0.833]]
    """

    rate: float = 0.5
    weight: float = 3e-4

    needs = Needs(labels_only=True, finite_logits=True, label_log_probability=True)
    inputs = MappingProxyType({**PixelLoss.inputs, "features": FEATURES, "centers": CENTERS})

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("rate", self.rate, at_least=0, at_most=1)
        check_number("weight", self.weight, at_least=0)
        self.check_activation("softmax", "identity")

    def updated_centers(
        self,
        logits: Array,
        target: Array,
        *,
        centers: Array,
        features: Array | None = None,
        mask: Array | None = None,
        sample_weight: Array | None = None,
    ) -> Array:
        """The centres after one step: `c_j − α Σ_i w_i [y_i = j] (c_j − x_i) / (1 + Σ_i w_i [y_i = j])`, with w the
        pixel weights (ours; Wen has none). None of them moves where the loss is NaN, for a label outside the classes or
        a weight that is none, or where one would become infinite or NaN."""
        call = self.prepare(logits, target, mask, sample_weight, {"centers": centers, "features": features})
        return call.ops.cast(moved_centers(self, call), centers.dtype)

    def check_classes(self, logits: Array, axis: int) -> None:
        super().check_classes(logits, axis)
        self.check_several_classes(logits, axis)

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        costs = self.with_options_of_this(CrossEntropyLoss).costs(prediction, target, ops)
        to_entropy = costs.back
        assert to_entropy is not None
        distance, to_features = half_squared_distance(prediction, target, inputs)

        def back(upstream: Array) -> Cotangent:
            return to_entropy(upstream) + to_features(self.weight * upstream)

        return replace(costs, values=costs.values + self.weight * distance, back=back)

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        return self.with_options_of_this(CrossEntropyLoss).cost_weights(target, ops)


def half_squared_distance(
    prediction: Prediction, target: Target, inputs: Mapping[str, Array]
) -> tuple[Array, Callable[[Array], Cotangent]]:
    """`½ ‖x − c_y‖²` of each pixel, a map, and the way back."""
    ops, features = target.ops, inputs.get("features")
    x = prediction.logits if features is None else target.only_valid(features)
    offset = x - ops.rows_at_label(inputs["centers"], target.labels)

    def back(upstream: Array) -> Cotangent:
        slope = ops.over_classes(upstream) * offset
        return Cotangent(logits=[slope]) if features is None else Cotangent(inputs={"features": slope})

    return ops.sum_classes(offset * offset) / 2, back


def moved_centers(loss: CenterLoss, call: Call) -> Array:
    """`CenterLoss.updated_centers` of a call."""
    centers = call.inputs["centers"]
    read, ops, xp = Shared(call, {}, loss.ignore_index).target, call.ops, call.ops.xp
    x = read.only_valid(call.inputs.get("features", call.logits))
    weights, unit = read.weights(with_samples=True), read.unit(with_samples=True)
    if weights is None:
        weights = xp.ones_like(read.labels, dtype=read.dtype)
    if unit is not None:
        weights = weights * ops.cast(unit, read.dtype)

    def sum_by_class(pixel_map: Array) -> Array:
        return ops.sum_batch_by_label(pixel_map * weights, read.labels, read.num_classes)

    def take() -> Taken:
        whole = (slice(None),) * ops.class_axis
        total = xp.stack([sum_by_class(x[(*whole, d, ...)]) for d in range(centers.shape[1])], axis=1)
        return Taken([total, sum_by_class(xp.ones_like(weights))[:, None]])

    def sums() -> tuple[Array, Array, Array | None]:
        return *ops.parts.add_up(ALL, take).sums, Shared.nan_of(read, [], ops)

    total, count, nan = ops.parts.run(sums)
    before = ops.cast(centers, total.dtype)
    moved = ops.cast(before - loss.rate * (count * before - total) / (1 + count), centers.dtype)
    usable = xp.all(xp.isfinite(moved))
    if nan is not None:
        usable = usable & ~xp.isnan(nan)
    return xp.where(usable, moved, centers)
