"""Weighted sums of losses that share one prediction."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from seglosses_core.across import Across
from seglosses_core.activations import Cotangent
from seglosses_core.call import Back, Call, Cotangents, Gradients, Shared
from seglosses_core.checks import check_flag, check_parameter, check_real, is_array, unwrap_numpy_scalars
from seglosses_core.hyperparameters import replace
from seglosses_core.inputs import Input
from seglosses_core.libraries import Array, shape_of
from seglosses_core.loss import Loss
from seglosses_core.ops import Ops


@dataclass(frozen=True, kw_only=True)
class EnsembleLoss(Loss):
    """`L = Σ_i w_i L_i`, also spelled `0.3 * a + 0.7 * b`. Members of one activation share its computation.

    Guo et al. 2018 (arXiv:1802.08290, eq. 1, with weights that sum to 1).

    Parameters
    ----------
    losses : sequence of losses
        With the same `class_axis` and `ignore_index`, none with `reduction="none"`.
    weights : sequence of numbers or 0-dimensional arrays, or an array `(len(losses),)`, optional
        Non-negative numbers, 1 each by default. Arrays may be learnable; their values are not checked.
    sum_to_one : bool
        Require that weights given as numbers sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from seglosses_core import CrossEntropyLoss, DiceLoss
    >>> logits = np.asarray([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.0]]])  # one image, two classes, three pixels
    >>> labels = np.asarray([[0, 1, 1]])
    >>> loss = 0.3 * DiceLoss() + 0.7 * CrossEntropyLoss()
    >>> float(loss(logits, labels).round(6))
    0.373989
    >>> value, members = loss.parts(logits, labels)
    >>> [float(member.round(6)) for member in members]
    [0.291572, 0.409311]
    """

    losses: Sequence[Loss]
    weights: Sequence[float | Array] | Array | None = None
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
            for name in ("class_axis", "ignore_index"):
                if getattr(loss, name) != getattr(losses[0], name):
                    raise ValueError(
                        f"{name} must be the same for all losses of an ensemble, got {getattr(losses[0], name)!r} and"
                        f" {getattr(loss, name)!r}."
                    )
            if loss.has_a_target_of_its_own:
                raise TypeError(
                    f"losses must take one target together, got {loss!r}: add what it gives, or make `equivalent(…)`."
                )
            if loss.reduction == "none":
                raise ValueError(f"losses must each be one number, got {loss!r} with reduction='none'.")
            if loss._across is not None:
                raise ValueError(
                    f"losses must be across no parts themselves, got {loss!r}: use across on their sum."
                )
        self._check_inputs()
        check_flag("sum_to_one", self.sum_to_one)
        self._check_weights()

    def _check_inputs(self) -> None:
        declared: dict[str, Input] = {}
        for loss in self.losses:
            for name, one in loss.inputs.items():
                if declared.setdefault(name, one).shape != one.shape:
                    raise ValueError(
                        f"losses must agree on the shape of {name}, got {declared[name].shape} and {one.shape}."
                    )

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
        return ", ".join(self.activations())

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
    def inputs(self) -> dict[str, Input]:  # type: ignore[override]
        return {name: one for loss in self.losses for name, one in loss.inputs.items()}

    def activations(self) -> dict[str, bool]:
        found: dict[str, bool] = {}
        for loss in self.losses:
            for activation, label_log_probability in loss.activations().items():
                found[activation] = found.get(activation, False) or label_log_probability
        return found

    def check(
        self, logits: Array, target: Array, mask: Array | None = None, sample_weight: Array | None = None
    ) -> int:
        axes = [loss.check(logits, target, mask, sample_weight) for loss in self.losses]
        return axes[0]

    def refusal_of_entries(self, logits: Array, axis: int) -> str | None:
        refusals = [loss.refusal_of_entries(logits, axis) for loss in self.losses]
        return next(filter(None, refusals), None)

    def _with_across(self, across: Across | None) -> Self:
        losses = tuple(loss._with_across(across) for loss in self.losses)
        return replace(super()._with_across(across), losses=losses)

    def check_parts(self, *, images: bool, pixels: bool, summed: bool = False) -> None:
        for loss in self.losses:
            loss.check_parts(images=images, pixels=pixels, summed=summed)

    def check_values(
        self, logits: Array, target: Array, mask: Array | None, sample_weight: Array | None, ops: Ops
    ) -> None:
        for loss in self.losses:
            loss.check_values(logits, target, mask, sample_weight, ops)

    def parts(
        self,
        logits: Array,
        target: Array,
        *,
        mask: Array | None = None,
        sample_weight: Array | None = None,
        **inputs: Array | None,
    ) -> tuple[Array, tuple[Array, ...]]:
        """What a call gives, and beside it what each of `losses` gives by itself, without its weight: for a log, from
        one computation of all. Arguments and errors are those of a call."""
        return self.value_and_members(self.prepare(logits, target, mask, sample_weight, inputs))

    def value_and_members(self, call: Call) -> tuple[Array, tuple[Array, ...]]:
        loss, members = self.keeping()
        value = loss.value(call)
        return value, tuple(members)

    def keeping(self) -> tuple[Self, list[Array]]:
        """The same loss, and the list in which it leaves the values of its members whenever it is computed."""
        members: list[Array] = []
        loss = replace(self)
        object.__setattr__(loss, "kept", members)
        return loss, members

    def _keep(self, members: Iterable[Array]) -> None:
        if self.kept is not None:
            self.kept[:] = members

    def evaluate(self, shared: Shared) -> tuple[Array, Back | None]:
        evaluated = []
        for loss in self.losses:
            shared.ops.parts.next_member()
            evaluated.append(loss.evaluate(shared))
        shared.ops.parts.next_member()
        if self.kept is not None:
            invalid = shared.nan_if_invalid
            self._keep(member if invalid is None else member * (1 + invalid) for member, _ in evaluated)
        weights = [self._weight(i, shared.target.dtype, shared.ops) for i in range(len(self.losses))]
        value = _total(_times(member, weight) for weight, (member, _) in zip(weights, evaluated, strict=True))
        ways = [back for _, back in evaluated if back is not None]
        if len(ways) < len(evaluated):
            return value, None

        def back(upstream: Array) -> Cotangents:
            total: Cotangents = {}
            for weight, way in zip(weights, ways, strict=True):
                for activation, cotangent in way(_times(upstream, weight)).items():
                    total[activation] = total.get(activation, Cotangent()) + cotangent
            return total

        return value, back

    def value(self, call: Call) -> Array:
        if not self._one_by_one(call):
            return super().value(call)
        values = [loss.value(call) for loss in self.losses]
        self._keep(values)
        return _total(_times(x, self._weight(i, x.dtype, call.ops)) for i, x in enumerate(values))

    def value_and_gradients(self, call: Call) -> tuple[Array, Gradients | None]:
        if not self._one_by_one(call):
            return super().value_and_gradients(call)
        value, total, members = 0.0, None, []
        for i, loss in enumerate(self.losses):
            weight = self._weight(i, call.logits.dtype, call.ops)
            member, gradients = loss.value_and_gradients(call)
            if gradients is None:
                return super().value_and_gradients(call)
            value = value + weight * member
            members.append(member)
            slope = gradients.times(weight, call.ops)["logits"]
            total = slope if total is None else _add_to(total, slope)
        self._keep(members)
        return value, Gradients({"logits": total})

    def _one_by_one(self, call: Call) -> bool:
        """A sigmoid is cheap: computed again for each member, it saves the arrays that a pixel loss would need for all
        pixels at once."""
        return (
            self.activations().keys() == {"sigmoid"}
            and not call.inputs
            and not call.ops.parts.split
            and call.ops.chunks(call.logits) is not None
        )

    def _weight(self, i: int, dtype: Any, ops: Ops) -> Any:
        weight = self.terms()[i][0]
        return ops.cast(weight, dtype) if is_array(weight) else weight

    def terms(self) -> list[tuple[Any, Loss]]:
        weights: Any = self.weights
        return [(weights[i], loss) for i, loss in enumerate(self.losses)]


def _times(x: Array, weight: Any) -> Array:
    return x if type(weight) in (int, float) and weight == 1 else weight * x


def _total(members: Iterable[Array]) -> Array:
    return functools.reduce(operator.add, members)


def _add_to(total: Array, more: Array) -> Array:
    total += more
    return total


Loss.ensemble_class = EnsembleLoss
