"""The arguments of one call, and what its losses share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglosses_core.activations import Cotangent, Prediction
from seglosses_core.arithmetic import product_or_none, sum_or_none
from seglosses_core.libraries import Array
from seglosses_core.ops import Ops
from seglosses_core.parts import ALL, Taken
from seglosses_core.target import Target

_COMMON = ("logits", "target", "mask", "sample_weight")


@dataclass(frozen=True)
class Call:
    """The arguments of one call, checked; inputs in the dtype of the computation, logits too if `Ops.casts_logits`."""

    logits: Array
    target: Array
    mask: Array | None
    sample_weight: Array | None
    inputs: Mapping[str, Array]
    """What a loss takes beside these, by name."""
    ops: Ops

    @classmethod
    def of(cls, arrays: Mapping[str, Array], ops: Ops) -> Call:
        """From arrays by the name of the argument."""
        common = {name: arrays.get(name) for name in _COMMON}
        return cls(**common, inputs={k: x for k, x in arrays.items() if k not in _COMMON}, ops=ops)

    def arrays(self) -> dict[str, Array]:
        """All arrays that were given, by the name of the argument, logits first."""
        common = {name: getattr(self, name) for name in _COMMON}
        return {name: x for name, x in {**common, **self.inputs}.items() if x is not None}

    def replaced(self, arrays: Mapping[str, Array], ops: Ops | None = None) -> Call:
        """The same call with other arrays in place of some, and with other operations."""
        return Call.of({**self.arrays(), **arrays}, ops or self.ops)

    def without_empty_axes(self) -> Call:
        """Of a part without pixels, a call with something harmless in their place, which is not counted."""
        xp = self.ops.xp
        self.ops.parts.empty = True
        arrays = {name: x for name, x in self.arrays().items() if 0 in x.shape}
        return self.replaced(
            {
                name: xp.zeros(tuple(n or 1 for n in x.shape), dtype=x.dtype, device=self.ops.device(x))
                for name, x in arrays.items()
            }
        )

    def chunk(self, chunk: tuple[slice, ...]) -> Call:
        """Some of the pixels, for a loss without inputs."""
        logits, target, mask = (
            x if x is None else self.ops.chunk_of(x, chunk) for x in (self.logits, self.target, self.mask)
        )
        return dataclasses.replace(self, logits=logits, target=target, mask=mask)


Cotangents = dict[str, Cotangent]
"""By activation, what flows back into its prediction."""
Back = Callable[[Array], Cotangents]
"""From the derivative of whatever comes after a value with respect to that value."""


class Shared:
    """What the losses of one call share: the target, and a prediction for each activation.

    `activations` says of each whether its losses use the log-probabilities of the labels; `scaled`, that the weights
    are known to need no scaling.
    """

    def __init__(
        self, call: Call, activations: Mapping[str, bool], ignore_index: int | None, *, scaled: bool = False
    ) -> None:
        self.call = call
        self.ops = call.ops
        self.target = Target(
            call.target,
            num_classes=call.logits.shape[call.ops.class_axis],
            dtype=call.ops.compute_dtype(call.logits),
            ops=call.ops,
            ignore_index=ignore_index,
            mask=call.mask,
            sample_weight=call.sample_weight,
            scaled=scaled,
        )
        self._activations = activations
        self._predictions: dict[str, Prediction] = {}

    def prediction(self, activation: str) -> Prediction:
        if activation not in self._predictions:
            ops, target = self.ops, self.target
            kind = (ops.activation_of_entries if target.of_entries else ops.activation)(activation)
            logits, labels, valid = self.call.logits, target.given_labels, target.valid
            if not kind.masks_logits:
                logits = target.only_valid(ops.cast(logits, target.dtype), kind.harmless)
                labels, valid = target.labels, None
            self._predictions[activation] = kind(
                logits,
                ops,
                labels=labels,
                valid=valid,
                label_log_probability=self._activations[activation],
            )
        return self._predictions[activation]

    @property
    def nan_if_invalid(self) -> Array | None:
        """What `Target.nan_if_invalid` says and each prediction's, together and of all parts; None if none says
        anything."""
        return self.nan_of(self.target, list(self._predictions.values()), self.ops)

    @staticmethod
    def nan_of(target: Target, predictions: Sequence[Prediction], ops: Ops) -> Array | None:
        """The same of a target and predictions."""
        found = [target.nan_if_invalid, *(p.nan_if_invalid for p in predictions)]
        nan = sum_or_none([nan for nan in found if nan is not None])
        if not ops.parts.splits(ALL):
            return nan
        if nan is None:
            nan = ops.constant(0.0, target.like, target.dtype)
        (nan,), _ = ops.parts.add_up(ALL, lambda: Taken([nan]))
        return ops.cast(nan, target.dtype)

    def inputs(self, names: Mapping[str, Any]) -> dict[str, Array]:
        """Those of the inputs that were given."""
        return {name: self.call.inputs[name] for name in names if name in self.call.inputs}

    def gradients(self, cotangents: Cotangents) -> dict[str, Array]:
        """By the name of the argument, the derivatives that the cotangents amount to: of the logits, and of inputs."""
        found: dict[str, Array] = {}
        for activation, cotangent in cotangents.items():
            of_logits = self.prediction(activation).gradient(cotangent)
            for name, slope in {"logits": of_logits, **cotangent.inputs}.items():
                found[name] = found[name] + slope if name in found else slope
        return found


@dataclass
class Gradients:
    """The derivatives of a value, by the name of the argument, but for a factor that all of them lack."""

    arrays: dict[str, Array]
    factor: Array | None = None

    def times(self, upstream: Array | None, ops: Ops) -> dict[str, Array]:
        """With the factor and what comes from upstream, None for 1. May overwrite the arrays."""
        factor = product_or_none([self.factor, upstream])
        return {name: ops.scaled(x, factor) for name, x in self.arrays.items()}
