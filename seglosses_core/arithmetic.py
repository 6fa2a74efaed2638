"""Powers, quotients and logarithms that are right at their ends, and small helpers."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from seglosses_core.libraries import Array


class once:
    """A property that is computed at its first use and kept: `functools.cached_property` without the lock that Python
    3.11 has there and that compilers cannot trace."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        value = self._make(owner)
        setattr(owner, self._name, value)
        return value


def product(factors: Sequence[Array]) -> Array:
    return functools.reduce(operator.mul, factors)


def product_or_none(factors: Sequence[Array | None]) -> Array | None:
    """The product of those that are not None; None if all are."""
    present = [factor for factor in factors if factor is not None]
    return product(present) if present else None


def sum_or_none(terms: Sequence[Array]) -> Array | None:
    """Their sum; None if there are none."""
    return functools.reduce(operator.add, terms) if terms else None


def combination(coefficients: Sequence[Any], terms: Sequence[Any]) -> Any:
    """`Σ c x`, without the terms whose coefficient is the integer 0. Of other numbers none is looked at: a compiler may
    have a symbol for a float, on which nothing must depend."""
    counted = [
        x if isinstance(c, int) and c == 1 else c * x
        for c, x in zip(coefficients, terms, strict=True)
        if not (isinstance(c, int) and c == 0)
    ]
    return functools.reduce(operator.add, counted) if counted else 0


def is_zero(exponent: Any) -> bool:
    """Whether an exponent is known to be 0; an array is not looked at."""
    return isinstance(exponent, (int, float)) and exponent == 0


def power(x: Array, exponent: Any) -> Array:
    """`x ** exponent` for x ≥ 0; whole small exponents exactly and with derivatives that are right at 0."""
    if isinstance(exponent, (int, float)):
        if exponent == 0:
            return x * 0 + 1
        if exponent == 1:
            return x
        if exponent == 2:
            return x * x
    return x**exponent


def power_or_zero(x: Array, exponent: Any, xp: Any) -> Array:
    """`x ** exponent` for x ≥ 0 with 0 at 0 (1 for the exponent 0), and with a derivative there that is no NaN."""
    if isinstance(exponent, (int, float)):
        if exponent == 0:
            return 0 * x + 1
        if exponent in (1, 2):
            return power(x, exponent)
    positive = x > 0
    at_zero = 0 * x
    if not isinstance(exponent, (int, float)):
        at_zero = at_zero + xp.where(exponent == 0, xp.ones_like(exponent), xp.zeros_like(exponent))
    return xp.where(positive, power(xp.where(positive, x, xp.ones_like(x)), exponent), at_zero)


def power_by_log(log_x: Array, exponent: Any, xp: Any) -> Array:
    """`x ** exponent` for an exponent above 0 as `exp(exponent · log x)`, with derivatives that are right where x
    underflows."""
    lowest = -1e30  # −∞ times the derivative of the exponential, 0, would be NaN
    return xp.exp(exponent * xp.where(log_x < lowest, xp.full_like(log_x, lowest), log_x))


def is_whole(exponent: Any) -> bool:
    """Whether an exponent is known to be a whole number."""
    return isinstance(exponent, (int, float)) and float(exponent).is_integer()


def divide(numerator: Array, denominator: Array, xp: Any, otherwise: float = 0.0) -> Array:
    """`numerator / denominator`, and `otherwise` where the denominator is 0."""
    zero = denominator == 0
    quotient = numerator / xp.where(zero, xp.ones_like(denominator), denominator)
    return xp.where(zero, xp.full_like(quotient, otherwise), quotient)


def one_if_zero(count: Any, xp: Any) -> Any:
    """A number of entries or a sum of weights, and 1 for 0: what is divided by it is 0 then."""
    return xp.where(count > 0, count, xp.ones_like(count)) if hasattr(count, "dtype") else count


def is_there(size: Array) -> Array:
    """Whether a size is above 0, or no number: what it is the size of is none then, and has to count. (Of `~(x <= 0)`
    TensorFlow makes `x > 0`.)"""
    return (size > 0) | (size != size)


def expm1_by_tanh(x: Array, xp: Any) -> Array:
    """exp(x) − 1, for what compiles: some compilers make expm1(x) exp(x) − 1, which is 0 for a small x."""
    near = (x < 0.5) & (x > -0.5)
    t = xp.tanh(xp.where(near, x, xp.zeros_like(x)) / 2)
    return xp.where(near, 2 * t / (1 - t), xp.exp(x) - 1)
