"""Weighted sums of losses that share one prediction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seglosses_core.checks import (
    check_flag,
    check_parameter,
    check_real,
    is_array,
    python_number,
    unwrap_numpy_scalars,
)
from seglosses_core.libraries import Array, shape_of
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops
from seglosses_core.prediction import Cotangent, Prediction, Pullback
from seglosses_core.target import Target


@dataclass(frozen=True, kw_only=True)
class EnsembleLoss(Loss):
    """`L = Σ_i w_i L_i`, also spelled `0.3 * a + 0.7 * b`. The activation is computed once for all members.

    Guo et al. 2018 (arXiv:1802.08290, eq. 1, with weights that sum to 1).

    Parameters
    ----------
    losses : sequence of losses
        With the same `activation`, `class_axis` and `ignore_index`, none with `reduction="none"`.
    weights : sequence of numbers or 0-dimensional arrays, or an array `(len(losses),)`, optional
        Non-negative numbers, 1 each by default. Arrays may be learnable; their values are not checked.
    sum_to_one : bool
        Require that weights given as numbers sum to 1.
    """

    losses: Sequence[Loss]
    weights: Any = None
    sum_to_one: bool = False

    def __post_init__(self) -> None:
        unwrap_numpy_scalars(self)
        losses = tuple(self.losses) if isinstance(self.losses, Iterable) else ()
        self.check_family("losses", *losses)
        if not losses or not all(isinstance(loss, Loss) for loss in losses):
            raise TypeError(
                f"losses must be a sequence of at least one loss of {self.package()}, got {self.losses!r}."
            )
        object.__setattr__(self, "losses", losses)
        for loss in losses:
            for name in ("activation", "class_axis", "ignore_index"):
                if getattr(loss, name) != getattr(losses[0], name):
                    raise ValueError(
                        f"{name} must be the same for all losses of an ensemble, got {getattr(losses[0], name)!r} and"
                        f" {getattr(loss, name)!r}."
                    )
            if loss.reduction == "none":
                raise ValueError(f"losses must each be one number, got {loss!r} with reduction='none'.")
            if loss.needs_inputs:
                raise TypeError(
                    f"losses must need nothing but logits and a target, got {type(loss).__name__}."
                )
        check_flag("sum_to_one", self.sum_to_one)
        self._check_weights()

    def _check_weights(self) -> None:
        weights, members = self.weights, len(self.losses)
        if weights is None:
            weights = (1.0,) * members
        if is_array(weights):
            if shape_of(weights) != (members,):
                raise ValueError(
                    f"weights must have one entry per loss, {members}, got shape {shape_of(weights)}."
                )
            check_real("weights", weights)
            return
        if not isinstance(weights, tuple):
            raise TypeError(
                f"weights must be a sequence or an array with one number per loss, got {weights!r}."
            )
        if len(weights) != members:
            raise ValueError(f"weights must have one entry per loss, {members}, got {len(weights)}.")
        for i, weight in enumerate(weights):
            check_parameter(f"weights[{i}]", weight, at_least=0)
        if self.sum_to_one and not any(map(is_array, weights)) and abs(sum(weights) - 1) > 1e-6:
            raise ValueError(
                f"weights must sum to 1 with sum_to_one=True, got {weights} with sum {sum(weights)}."
            )
        object.__setattr__(self, "weights", weights)

    @property
    def activation(self) -> str:  # type: ignore[override]
        return self.losses[0].activation

    @property
    def class_axis(self) -> int:  # type: ignore[override]
        return self.losses[0].class_axis

    @property
    def ignore_index(self) -> int | None:  # type: ignore[override]
        return self.losses[0].ignore_index

    @property
    def reduction(self) -> str:  # type: ignore[override]
        return "sum"

    @property
    def validate(self) -> bool:  # type: ignore[override]
        return any(loss.validate for loss in self.losses)

    @property
    def unit_interval(self) -> bool:  # type: ignore[override]
        return any(loss.unit_interval for loss in self.losses)

    @property
    def finite_logits(self) -> bool:  # type: ignore[override]
        return any(loss.finite_logits for loss in self.losses)

    @property
    def log_at_label(self) -> bool:  # type: ignore[override]
        return any(loss.log_at_label for loss in self.losses)

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        axes = [loss.check(logits, target, mask, sample_weight) for loss in self.losses]
        return axes[0]

    def evaluate(
        self, prediction: Prediction, target: Target, ops: Ops, **inputs: Any
    ) -> tuple[Array, Pullback]:
        evaluated = [loss.evaluate(prediction, target, ops) for loss in self.losses]
        weights = [self._weight(i, target.dtype, ops) for i in range(len(self.losses))]
        value = sum(weight * member for weight, (member, _) in zip(weights, evaluated, strict=True))

        def pullback(seed: Array) -> Cotangent:
            parts = Cotangent()
            for weight, (_, member_pullback) in zip(weights, evaluated, strict=True):
                parts = parts + member_pullback(seed * weight)
            return parts

        return value, pullback

    def at_once(
        self,
        logits: Array,
        target: Array,
        mask: Array | None,
        sample_weight: Array | None,
        ops: Ops,
        *,
        gradient: bool,
        **inputs: Any,
    ) -> tuple[Array, Any, Any]:
        """As for every loss. A sigmoid is cheap: computed again for each member, it saves the arrays that a pixel loss
        would need for all pixels at once."""
        given = (logits, target, mask, sample_weight, ops)
        if self.activation != "sigmoid" or ops.chunks(logits) is None:
            return super().at_once(*given, gradient=gradient, **inputs)
        value, total = 0.0, None
        for i, loss in enumerate(self.losses):
            weight = self._weight(i, logits.dtype, ops)
            member, slope, factor = loss.at_once(*given, gradient=gradient)
            value = value + weight * member
            if gradient:
                slope *= weight if factor is None else weight * factor
                total = slope if total is None else _add_to(total, slope)
        return value, total, None

    def _weight(self, i: int, dtype: Any, ops: Ops) -> Any:
        weight = self.weights[i]
        return ops.cast(weight, dtype) if is_array(weight) else weight


def _add_to(total: Array, more: Array) -> Array:
    total += more
    return total


def add(a: Loss, b: Any) -> Any:
    """`a + b`, the members of ensembles side by side."""
    if not isinstance(b, Loss):
        return NotImplemented
    members: list[Loss] = []
    weights: list[Any] = []
    for loss in (a, b):
        members += loss.losses if isinstance(loss, EnsembleLoss) else (loss,)
        weights += _weights(loss)
    return a.ensemble_class(losses=members, weights=weights)


def scale(loss: Loss, weight: Any) -> Any:
    """`weight * loss`."""
    if isinstance(weight, Loss):
        return NotImplemented
    weight = python_number(weight)
    check_parameter("the weight of a loss", weight, at_least=0)
    members = loss.losses if isinstance(loss, EnsembleLoss) else (loss,)
    return loss.ensemble_class(losses=members, weights=[weight * own for own in _weights(loss)])


def _weights(loss: Loss) -> list[Any]:
    return [loss.weights[i] for i in range(len(loss.losses))] if isinstance(loss, EnsembleLoss) else [1.0]


Loss.ensemble_class = EnsembleLoss
