"""What a pass over the pixels reads, and what it goes home with."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import torch
from torch import Tensor

Exponents = tuple[tuple[float, float], ...]
"""Those of p and of the target in each sum; −1 stands for the complement, and both are −2 for the squared error."""


def computed_dtype(logits: Tensor) -> torch.dtype:
    """In which a kernel computes."""
    return torch.float64 if logits.dtype == torch.float64 else torch.float32


@dataclasses.dataclass(frozen=True)
class Pixels:
    """The logits, and what they are compared with."""

    activation: str
    logits: Tensor
    class_axis: int
    target: Tensor
    """Labels `(N, *S)` of any integer dtype, or a soft target of the logits' shape."""
    valid: Tensor | None
    """A map of bool; None for all."""
    weights: Tensor | None
    """A map, 0 where a pixel does not count; None for 1."""

    @property
    def num_classes(self) -> int:
        return self.logits.shape[self.class_axis]

    @property
    def dtype(self) -> torch.dtype:
        return computed_dtype(self.logits)


class WayBack(NamedTuple):
    """From what comes after a pass to the gradient of its logits."""

    pixels: Pixels
    exponents: Exponents
    slopes: Tensor | None = None
    """∂L/∂S of each sum, `(M, N or 1, C)`; None if there are none."""
    at_label: Tensor | None = None
    """∂L/∂log p at each pixel's label, a map or one number; None for 0."""

    def form(self) -> tuple[str, int, tuple[float, ...]]:
        """What a compiled program knows: the activation, the class axis, and the exponents in one row."""
        flat = tuple([float(k) for pair in self.exponents for k in pair])
        return self.pixels.activation, self.pixels.class_axis, flat

    def tensors(self) -> tuple[Tensor | None, ...]:
        """All but the logits."""
        return self.pixels.target, self.pixels.valid, self.pixels.weights, self.slopes, self.at_label
