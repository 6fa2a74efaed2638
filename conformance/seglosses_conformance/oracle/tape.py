"""Scalars that remember what they were computed from, so that one walk back yields every derivative.

A formula is written with `+ − · / **`, `exp` and `log`, and its gradient comes with it, exact to the working precision.
Numbers that nothing is differentiated by (targets, weights, hyper-parameters) stay plain `mpf`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from mpmath import mp, mpf

_clock = count()


class Scalar:
    """A value and its slope with respect to each scalar that it was computed from."""

    __slots__ = ("age", "slopes", "value")

    def __init__(self, value: Any, slopes: tuple[tuple[Scalar, Any], ...] = ()) -> None:
        self.value = mpf(value)
        self.slopes = slopes
        self.age = next(_clock)  # parents are always older: the order in which to walk back

    def __add__(self, other: Any) -> Scalar:
        if isinstance(other, Scalar):
            return Scalar(self.value + other.value, ((self, 1), (other, 1)))
        return Scalar(self.value + other, ((self, 1),))

    def __mul__(self, other: Any) -> Scalar:
        if isinstance(other, Scalar):
            return Scalar(self.value * other.value, ((self, other.value), (other, self.value)))
        return Scalar(self.value * other, ((self, other),))

    def __pow__(self, exponent: Any) -> Scalar:
        exponent = mpf(exponent)
        if exponent == 0:
            return Scalar(1)  # 0⁰ = 1, and no slope of 0 · 0⁻¹
        return Scalar(self.value**exponent, ((self, exponent * self.value ** (exponent - 1)),))

    def __neg__(self) -> Scalar:
        return self * -1

    def __sub__(self, other: Any) -> Scalar:
        return self + -other

    def __rsub__(self, other: Any) -> Scalar:
        return -self + other

    def __truediv__(self, other: Any) -> Scalar:
        return self * (other**-1 if isinstance(other, Scalar) else 1 / mpf(other))

    def __rtruediv__(self, other: Any) -> Scalar:
        return self**-1 * other

    __radd__ = __add__
    __rmul__ = __mul__


def exp(x: Scalar) -> Scalar:
    value = mp.exp(x.value)
    return Scalar(value, ((x, value),))


def log(x: Scalar) -> Scalar:
    """log x; at 0 it is −∞, with a slope of ∞."""
    return Scalar(mp.log(x.value), ((x, 1 / x.value if x.value else mp.inf),))


def plain(x: Any) -> Any:
    """The value without its history."""
    return x.value if isinstance(x, Scalar) else mpf(x)


def gradient(result: Any, inputs: Sequence[Scalar], *, absolute: bool = False) -> list[Any]:
    """∂result/∂input for each input; 0 for those that the result does not depend on.

    A derivative is a sum over the ways from the result to the input, each way with the product of its slopes. If
    `absolute` the absolute products are added up: by that sum the rounding errors of a walk back are measured.
    """
    if not isinstance(result, Scalar):
        return [mpf(0)] * len(inputs)
    history = {result}
    waiting = [result]
    while waiting:
        for parent, _ in waiting.pop().slopes:
            if parent not in history:
                history.add(parent)
                waiting.append(parent)
    flow = {result: mpf(1)}
    for node in sorted(history, key=lambda scalar: scalar.age, reverse=True):
        for parent, slope in node.slopes:
            flow[parent] = flow.get(parent, 0) + flow[node] * (abs(slope) if absolute else slope)
    return [flow.get(scalar, mpf(0)) for scalar in inputs]
