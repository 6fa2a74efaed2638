"""One loss of the outputs of a network at several resolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seglosses_core.checks import check_choice, check_number, describe, is_array, python_number, tuple_text
from seglosses_core.libraries import Array, shape_of

Preset = Literal["exponential", "same", "two", "nnunet"]
PRESETS: dict[str, Callable[[int, int], float]] = {
    "exponential": lambda level, count: max(2.0**-level, 0.0625),
    "same": lambda level, count: 1.0,
    "two": lambda level, count: 0.5 if level else 1.0,
    "nnunet": lambda level, count: 2.0**-level / (2 - 2.0 ** (2 - count)) if level < count - 1 else 0.0,
}
"""By name, the weight of a level among so many, 0 being the finest. The first three are MONAI's."""


@dataclass(frozen=True, kw_only=True)
class DeepSupervisionLoss:
    """`L = Σ_l v_l L_l`, the sum over the outputs of a network from fine to coarse, all by the same loss.

    Targets are given for each output, or one for all: of it an output whose sides are shorter by whole factors s sees
    the pixels ⌊(i + ½) s⌋, those of the nearest neighbour that torch calls "nearest-exact". It is no member of an
    ensemble, whose losses share one prediction.

    Parameters
    ----------
    loss : loss
        Of the package from which this class is.
    weights : "exponential", "same", "two", "nnunet" or a sequence of numbers
        v: max(2^−l, 1/16), 1, or 1 and then ½, as in MONAI; as in nnU-Net 2^−l but 0 for the last, over their sum; or
        one number ≥ 0 for each output.

    Examples
    --------
    >>> import numpy as np
    >>> from seglosses_core import CrossEntropyLoss
    >>> fine = np.asarray([[[2.0, -1.0, 0.5, 1.0], [0.0, 1.0, 0.0, 0.0]]])  # one image, two classes, four pixels
    >>> coarse = np.asarray([[[1.0, 0.0], [0.0, 1.0]]])
    >>> loss = DeepSupervisionLoss(loss=CrossEntropyLoss())
    >>> float(loss([fine, coarse], np.asarray([[0, 1, 1, 0]])).round(6))
    1.04193
    """

    loss: Any
    weights: Preset | Sequence[float] = "exponential"

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", checked_weights(self.weights))

    def __call__(
        self,
        logits: Sequence[Array],
        target: Array | Sequence[Array],
        *,
        mask: Array | Sequence[Array] | None = None,
        sample_weight: Array | None = None,
    ) -> Array:
        """The sum over the outputs, from fine to coarse; `target` and `mask` for each or one for all."""
        levels = list(levels_of(logits, target, mask, self.weights, self.loss.class_axis))
        return sum(
            weight * self.loss(z, y, mask=own, sample_weight=sample_weight) for weight, z, y, own in levels
        )

    def value_and_grad(
        self,
        logits: Sequence[Array],
        target: Array | Sequence[Array],
        *,
        mask: Array | Sequence[Array] | None = None,
        sample_weight: Array | None = None,
    ) -> tuple[Array, tuple[Array, ...]]:
        """The value, and its derivative with respect to each output, in the order of the outputs."""
        value, gradients = 0, []
        for weight, z, y, own in levels_of(logits, target, mask, self.weights, self.loss.class_axis):
            part, slope = self.loss.value_and_grad(z, y, mask=own, sample_weight=sample_weight)
            value = value + weight * part
            gradients.append(weight * slope)
        return value, tuple(gradients)


def checked_weights(weights: Any) -> Any:
    weights = python_number(weights)
    if not isinstance(weights, tuple):
        check_choice("weights", weights, get_args(Preset))
        return weights
    for level, weight in enumerate(weights):
        check_number(f"weights[{level}]", weight, at_least=0)
    return weights


def levels_of(
    logits: Sequence[Array],
    target: Array | Sequence[Array],
    mask: Array | Sequence[Array] | None,
    weights: Preset | Sequence[float],
    class_axis: int,
) -> Iterator[tuple[float, Array, Array, Array | None]]:
    """Of each output its weight, itself, its target and its mask."""
    if is_array(logits) or not isinstance(logits, Sequence) or not logits:
        raise TypeError(f"logits must be a sequence of arrays, one for each output, got {describe(logits)}.")
    count = len(logits)
    if isinstance(weights, str):
        if weights == "nnunet" and count < 2:
            raise ValueError(
                "logits must be at least two outputs for weights='nnunet', whose last weighs 0, got 1."
            )
        numbers = [PRESETS[weights](level, count) for level in range(count)]
    else:
        numbers = list(weights)
        if len(numbers) != count:
            raise ValueError(
                f"weights must have one number for each of the {count} outputs, got {len(numbers)}."
            )
    for name, given in (("target", target), ("mask", mask)):
        if given is not None and not is_array(given) and len(given) != count:
            raise ValueError(
                f"{name} must be one array, or one for each of the {count} outputs, got {len(given)}."
            )
    for level, (weight, z) in enumerate(zip(numbers, logits, strict=True)):
        y, own = (
            given if given is None else _at(given, z, class_axis, name) if is_array(given) else given[level]
            for name, given in (("target", target), ("mask", mask))
        )
        yield weight, z, y, own


def _at(x: Array, logits: Array, class_axis: int, name: str) -> Array:
    """The pixels of a target or a mask that an output of these logits sees."""
    rank = len(logits.shape)
    axes = [axis for axis in range(1, rank) if axis != class_axis % rank]
    sizes = [shape_of(logits)[axis] for axis in axes]
    own = axes if len(x.shape) == rank else list(range(1, rank - 1))
    if len(x.shape) not in (rank - 1, rank):
        return x  # which the loss refuses
    cut = [slice(None)] * len(x.shape)
    for axis, size in zip(own, sizes, strict=True):
        length = shape_of(x)[axis]
        if length is None or size is None or length % size:
            raise ValueError(
                f"{name} must have sides that are multiples of those of each output, got {describe(x)} for logits of"
                f" shape {tuple_text(shape_of(logits))}; pass one {name} for each output."
            )
        stride = length // size
        cut[axis] = slice(stride // 2, None, stride)
    return x[tuple(cut)]
