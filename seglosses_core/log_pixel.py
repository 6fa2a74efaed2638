"""What pixel losses share that are functions of log-probabilities.

With exclusive classes (softmax) the cost of a pixel is `Σ_c y_c f(log p_c)`; with overlapping ones (sigmoid) each class
of a pixel costs `w⁺ f(log p) + w⁻ f(log(1 − p))`, as a rule with w⁺ = y and w⁻ = 1 − y. A loss writes f with its
derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from seglosses_core.activations import Cotangent, Identity, Prediction, Side
from seglosses_core.arithmetic import product, product_or_none
from seglosses_core.call import Call
from seglosses_core.checks import check_flag, check_number, is_array
from seglosses_core.costs import Costs, Weights
from seglosses_core.libraries import Array
from seglosses_core.loss import Needs
from seglosses_core.ops import Ops
from seglosses_core.pixel import PixelLoss
from seglosses_core.target import Target


class Answer(NamedTuple):
    """A side of the prediction that has a cost, and what that cost is multiplied by."""

    side: Side
    share: Array | None
    """None for 1."""
    used: Callable[[], Array] | None
    """Where the cost counts; None for everywhere."""
    home: Callable[[tuple[Array, ...]], Cotangent]
    """From the factors of ∂L/∂log p."""
    of_classes: Callable[[Array], Array]
    """From numbers `(C,)` to those of the classes that are answered for, where the costs are."""
    absence: bool = False
    """Whether it is that classes are absent."""


@dataclass(frozen=True, kw_only=True)
class LogPixelLoss(PixelLoss):
    """A pixel loss that is a function of log-probabilities, one at a time.

    A subclass gives `cost`, and where it has them factors per class, a smoothed target or target weights of its own.

    Parameters
    ----------
    clip : float
        In [0, 1/2), for activation="identity": a probability counts as if it were in [clip, 1 − clip]. The derivative
        with respect to the probability that is given is 1 in there and at the ends, and 0 outside.
    overlapping : bool, optional
        For activation="identity": whether classes overlap, so that each of a pixel has a cost of its own. None: one
        class does, several do not.
    """

    clip: float = 0.0
    overlapping: bool | None = None

    needs = Needs(label_log_probability=True)
    single_sided_if_hard = True
    """Whether a class that overlaps others costs f(log p) alone where its target is 1, f(log(1 − p)) where it is 0."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("clip", self.clip, at_least=0, below=0.5)
        self.check_clip(self.activation)
        if self.overlapping is not None:
            check_flag("overlapping", self.overlapping)
            if self.activation != "identity":
                raise ValueError(
                    "overlapping is for probabilities, activation='identity', got overlapping="
                    f"{self.overlapping!r} with activation={self.activation!r}, which says it itself."
                )

    def check_no_overlapping(self, reason: str) -> None:
        """Refuse the choice."""
        if self.overlapping is not None:
            raise ValueError(
                f"overlapping must be left out for {type(self).__name__}, {reason}, got {self.overlapping!r}."
            )

    def check_clip(self, activation: str) -> None:
        if self.clip and activation != "identity":
            raise ValueError(
                f"clip is for probabilities, activation='identity', got clip={self.clip!r} with"
                f" activation={activation!r}, whose logarithms are exact."
            )

    def cost(self, answer: Answer, ops: Ops) -> tuple[Array, Callable[[], Any]]:
        """f(log p) of an answer, and its derivative by log p, a number where that is the same everywhere."""
        raise NotImplementedError

    def classes_exclude(self, num_classes: int) -> bool:
        """Whether classes exclude each other, so that a pixel has one cost instead of one per class."""
        if self.overlapping is not None:
            return not self.overlapping
        return self.activation == "softmax" or (self.activation == "identity" and num_classes > 1)

    def class_factors(self, ops: Ops, target: Target) -> tuple[Any, Any] | None:
        """The factors of the costs where the target is 1 and where it is 0, numbers or arrays `(C,)`; None if 1."""
        return None

    def smoothed_target(self, values: Array, uniform: float) -> Array:
        """The target of each class, `uniform` being a target that knows nothing."""
        return values

    @property
    def has_smoothing(self) -> bool:
        return False

    def target_weights(self, values: Array, ops: Ops) -> tuple[Array, Array]:
        """w⁺ and w⁻ for overlapping classes."""
        values = self.smoothed_target(values, 0.5)
        return values, 1 - values

    def makes_logits_sized_arrays(self, call: Call) -> bool:
        exclusive = self.classes_exclude(call.logits.shape[call.ops.class_axis])
        return not exclusive or len(call.target.shape) == call.ops.rank or self.has_smoothing

    def cost_weights(self, target: Target, ops: Ops) -> Weights:
        """Of exclusive classes those of pixels: a target that is 0 for all classes says nothing, and one that says
        twice as much counts twice."""
        if not self.classes_exclude(target.num_classes):
            return super().cost_weights(target, ops)
        relevance, unit = self._relevance(target, ops)
        weights = product_or_none([relevance, target.weights(with_samples=True)])
        return self.weigh(weights, product_or_none([target.unit(with_samples=True), unit]), target, ops)

    def _relevance(self, target: Target, ops: Ops) -> tuple[Array | None, Array | None]:
        """`Σ_c w_c y_c` with w the class weights, a map, None for 1; and the unit that it is in."""
        classes, unit = self.class_table(target, ops)
        if target.has_labels:
            return None if classes is None else ops.table_at_label(classes, target.labels), unit
        values = target.values if classes is None else target.values * ops.over_pixels(classes)
        return ops.sum_classes(values), unit

    def costs(self, prediction: Prediction, target: Target, ops: Ops, **inputs: Array) -> Costs:
        if not self.clip:
            return self._costs(prediction, target, ops)
        assert isinstance(prediction, Identity)
        clipped = prediction.clipped(self.clip)
        costs = self._costs(clipped, target, ops)
        back = costs.back
        assert back is not None
        return replace(costs, back=lambda upstream: Cotangent(logits=[clipped.gradient(back(upstream))]))

    def _costs(self, prediction: Prediction, target: Target, ops: Ops) -> Costs:
        weighted = self.cost_weights(target, ops)
        weights = weighted.values
        over_classes = False
        if not self.classes_exclude(target.num_classes):
            single = self.single_sided_if_hard and self.activation != "softmax" and not self.has_smoothing
            make = self._towards_target if single and target.hard else self.both_sides
            answers = make(prediction, target, weights, ops)
        elif target.has_labels and not self.has_smoothing:
            answers = self._at_label(prediction, target, weights, ops)
        else:
            answers = self._of_every_class(prediction, target, weights, ops)
            over_classes = True
        values, ways = None, []
        for answer in answers:
            side, share = answer.side, answer.share
            if answer.used is not None:
                side.log = ops.finite_where_unused(side.log, answer.used)
            cost, slope = self.cost(answer, ops)
            ways.append((slope, share, answer.home))
            cost = cost if share is None else share * cost
            values = cost if values is None else values + cost

        def back(upstream: Array) -> Cotangent:
            upstream = ops.over_classes(upstream) if over_classes else upstream
            cotangent = Cotangent()
            for slope, share, home in ways:
                factors = (upstream * slope(),)
                cotangent += home(factors if share is None else (*factors, share))
            return cotangent

        return Costs(ops.sum_classes(values) if over_classes else values, weighted, back)

    def _at_label(
        self, prediction: Prediction, target: Target, weights: Array | None, ops: Ops
    ) -> list[Answer]:
        side = prediction.label_side()
        share, factors = None, self.class_factors(ops, target)
        counted: list[Array] = [] if weights is None else [weights]
        if factors is not None:
            share = factors[0]
            if is_array(share) and len(share.shape):
                share = ops.table_at_label(share, target.labels)
            if is_array(share) or share == 0:
                counted.append(ops.xp.ones_like(side.log) * share)
        return [
            Answer(
                side,
                share,
                (lambda: product(counted) > 0) if counted else None,
                lambda factors: Cotangent(label_terms=[(0, product(factors))]),
                lambda numbers: ops.table_at_label(numbers, target.labels),
            )
        ]

    def _of_every_class(
        self, prediction: Prediction, target: Target, weights: Array | None, ops: Ops
    ) -> list[Answer]:
        """The cost of a pixel is `Σ_c w_c y_c f(log p_c) / Σ_c w_c y_c`."""
        xp = ops.xp
        # A length is a tensor of integers under torch.jit.trace, by which 1 is divided in float32.
        shares = self.smoothed_target(target.values, 1 / int(target.num_classes))
        factors = self.class_factors(ops, target)
        if factors is not None:
            shares = shares * self._spread(factors[0], ops)
        if not target.has_labels or self.class_weights is not None:
            classes, _ = self.class_table(target, ops)
            shares = shares if classes is None else shares * ops.over_pixels(classes)
            relevance, _ = self._relevance(target, ops)
            assert relevance is not None
            shares = shares / ops.over_classes(xp.where(relevance > 0, relevance, xp.ones_like(relevance)))
        if weights is not None:
            shares = xp.where(ops.over_classes(weights > 0), shares, xp.zeros_like(shares))
        return [
            Answer(
                prediction.presence(),
                shares,
                lambda: shares != 0,
                lambda factors: Cotangent(terms=[(0, factors)]),
                ops.over_pixels,
            )
        ]

    def _towards_target(
        self, prediction: Prediction, target: Target, weights: Array | None, ops: Ops
    ) -> list[Answer]:
        """Of overlapping classes, where the target is 1 or 0: one cost for each class of a pixel."""
        side, back = prediction.side_of(target)
        share, factors = None, self.class_factors(ops, target)
        if factors is not None:
            factor, other = (self._spread(x, ops) for x in factors)
            share = target.values * factor + (1 - target.values) * other
        counted: list[Array] = [x for x in (share, weights) if x is not None]
        return [
            Answer(
                side,
                share,
                (lambda: product(counted) > 0) if counted else None,
                lambda factors: Cotangent(logits=[back(product(factors))]),
                ops.over_pixels,
            )
        ]

    def both_sides(
        self, prediction: Prediction, target: Target, weights: Array | None, ops: Ops
    ) -> list[Answer]:
        positive, negative = self.target_weights(target.values, ops)
        factors = self.class_factors(ops, target)
        if factors is not None:
            factor, other = (self._spread(x, ops) for x in factors)
            positive, negative = positive * factor, negative * other

        def used(share: Array) -> Callable[[], Array]:
            return lambda: share != 0 if weights is None else (share != 0) & (weights > 0)

        return [
            Answer(
                prediction.presence(),
                positive,
                used(positive),
                lambda factors: Cotangent(terms=[(0, factors)]),
                ops.over_pixels,
            ),
            Answer(
                prediction.absence(),
                negative,
                used(negative),
                lambda factors: Cotangent(complement=[product(factors)]),
                ops.over_pixels,
                absence=True,
            ),
        ]

    def _spread(self, factor: Any, ops: Ops) -> Any:
        return ops.over_pixels(factor) if is_array(factor) and len(factor.shape) else factor


def constant(value: Any, target: Target, ops: Ops) -> Any:
    """A hyper-parameter that is one number for all classes or one for each: the number, or an array beside the
    target."""
    several = isinstance(value, tuple) or is_array(value)
    return ops.constant(value, target.like, target.dtype) if several else value
