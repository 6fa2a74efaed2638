"""The center loss: cross-entropy and the distance of each pixel from the centre of its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seglosses_core.checks import (
    check_library,
    check_logits,
    check_number,
    describe,
    dtype_is,
    same_shape,
    shape_text,
)
from seglosses_core.libraries import Array, shape_of
from seglosses_core.ops import Ops
from seglosses_core.pixel import CostMap, CrossEntropyLoss, PixelLoss
from seglosses_core.prediction import Cotangent, Prediction
from seglosses_core.target import Target


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
    """

    rate: float = 0.5
    weight: float = 3e-4

    labels_only = True
    finite_logits = True
    needs_inputs = True
    log_at_label = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("rate", self.rate, at_least=0, at_most=1)
        check_number("weight", self.weight, at_least=0)
        if self.activation == "sigmoid":
            raise ValueError("activation must be 'softmax' or 'identity' for CenterLoss, got 'sigmoid'.")

    def __call__(  # type: ignore[override]
        self,
        logits: Array,
        target: Array,
        *,
        centers: Array,
        features: Array | None = None,
        mask: Array | None = None,
        sample_weight: Array | None = None,
    ) -> Array:
        """The loss, with `centers` `(C, D)` and `features` `(N, D, *S)`, D where the logits have C; without features
        they are the logits and D is C. The other arguments and the result are those of every loss.
        """
        inputs = self.check_inputs(logits, centers, features)
        return self._run(logits, target, mask, sample_weight, **inputs)

    def value_and_grad(  # type: ignore[override]
        self,
        logits: Array,
        target: Array,
        *,
        centers: Array,
        features: Array | None = None,
        mask: Array | None = None,
        sample_weight: Array | None = None,
    ) -> tuple[Array, Any]:
        """The loss and its derivative: with respect to the logits, or with `features` the pair of that and the one with
        respect to the features."""
        self.check_scalar()
        inputs = self.check_inputs(logits, centers, features)
        return self._run(logits, target, mask, sample_weight, gradient=True, **inputs)

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
        self.check_inputs(logits, centers, features)
        logits, target, mask, sample_weight, ops = self._prepare(logits, target, mask, sample_weight)
        _, read = self.read(logits, target, mask, sample_weight, ops)
        xp = ops.xp
        x = read.only_valid(logits if features is None else ops.cast(features, read.dtype))
        weights, unit = read.weights(with_samples=True), read.unit(with_samples=True)
        if weights is None:
            weights = xp.ones_like(read.labels, dtype=read.dtype)
        if unit is not None:
            weights = weights * ops.cast(unit, read.dtype)

        def sum_by_class(pixel_map: Array) -> Array:
            return xp.sum(ops.sum_by_label(pixel_map * weights, read.labels, read.num_classes), axis=0)

        whole = (slice(None),) * ops.class_axis
        total = xp.stack([sum_by_class(x[(*whole, d, ...)]) for d in range(centers.shape[1])], axis=1)
        count = sum_by_class(xp.ones_like(weights))[:, None]
        wide = ops.cast(centers, total.dtype)
        moved = ops.cast(wide - self.rate * (count * wide - total) / (1 + count), centers.dtype)
        usable = xp.all(xp.isfinite(moved))
        if read.poison is not None:
            usable = usable & ~xp.isnan(read.poison)
        return xp.where(usable, moved, centers)

    def check_inputs(self, logits: Array, centers: Array, features: Array | None) -> dict[str, Any]:
        """Check what only this loss takes, and give it by name."""
        axis = check_logits(logits, self.class_axis, self.activation)
        shape = shape_of(logits)
        check_library("centers", centers, logits)
        if features is not None:
            check_library("features", features, logits)
            own = shape_of(features)
            if len(own) != len(shape) or not same_shape(
                own[:axis] + own[axis + 1 :], shape[:axis] + shape[axis + 1 :]
            ):
                raise ValueError(
                    f"features must have the logits' shape {shape_text(logits)} but for axis {self.class_axis}, got"
                    f" {describe(features)}."
                )
            if not dtype_is(features, "floating"):
                raise TypeError(f"features must be real floating point, got {describe(features)}.")
        width = shape[axis] if features is None else shape_of(features)[axis]
        if shape_of(centers) != (shape[axis], width):
            raise ValueError(
                f"centers must have the shape ({shape[axis]}, {width}), one row per class, got {describe(centers)}."
            )
        if not dtype_is(centers, "floating"):
            raise TypeError(f"centers must be real floating point, got {describe(centers)}.")
        return {"centers": centers, "features": features}

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        axis = super().check(logits, target, mask, sample_weight)
        if logits.shape[axis] < 2:
            raise ValueError(f"logits must have at least two classes for CenterLoss, got {describe(logits)}.")
        return axis

    def cost_map(
        self,
        prediction: Prediction,
        target: Target,
        ops: Ops,
        *,
        centers: Array | None = None,
        features: Array | None = None,
        **inputs: Any,
    ) -> CostMap:
        entropy = CrossEntropyLoss(activation=self.activation, class_weights=self.class_weights)
        found = entropy.cost_map(prediction, target, ops)
        x = prediction.logits if features is None else target.only_valid(ops.cast(features, target.dtype))
        offset = x - ops.rows_at_label(ops.cast(centers, target.dtype), target.labels)
        distance = ops.sum_classes(offset * offset)

        def pullback(seed: Array) -> Cotangent:
            parts = found.pullback(seed)
            slope = ops.over_classes(seed) * self.weight * offset
            if features is None:
                parts.logits.append(slope)
            else:
                parts.features = slope
            return parts

        return CostMap(found.costs + self.weight / 2 * distance, found.weights, pullback, unit=found.unit)
