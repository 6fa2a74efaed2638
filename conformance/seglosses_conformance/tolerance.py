"""How far a result may be from what is expected, and whether it is.

Nothing is computed in less than float32, so half inputs get float32's tolerance; what rounding the gradient to the
inputs' dtype may cost is added element by element. There is no absolute tolerance but the smallest numbers of a dtype.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EPS_FACTOR = 100
"""An error may be this many machine epsilons of the dtype that was computed in."""


@dataclass(frozen=True)
class Float:
    """A binary floating-point format: `digits` bits of significand, exponents from `low` to `high`."""

    digits: int
    low: int
    high: int

    @property
    def eps(self) -> float:
        return 2.0 ** (1 - self.digits)

    @property
    def smallest_normal(self) -> float:
        return 2.0**self.low

    @property
    def smallest_subnormal(self) -> float:
        return 2.0 ** (self.low - self.digits + 1)

    @property
    def largest(self) -> float:
        return (2.0 - self.eps) * 2.0**self.high

    def ulp(self, x: np.ndarray) -> np.ndarray:
        """The distance of neighbouring numbers at |x|."""
        _, exponent = np.frexp(x)
        return np.ldexp(1.0, np.maximum(exponent - self.digits, self.low - self.digits + 1))


FLOATS = {
    "float64": Float(53, -1022, 1023),
    "float32": Float(24, -126, 127),
    "float16": Float(11, -14, 15),
    "bfloat16": Float(8, -126, 127),
}
DTYPES = tuple(FLOATS)


def computed_dtype(dtype: str) -> str:
    """The dtype that inputs of `dtype` are computed in, and that a value comes back in."""
    return "float64" if dtype == "float64" else "float32"


def value_tolerance(scale: np.ndarray | float, dtype: str) -> np.ndarray:
    """What the value may be off, given the scale of the terms that it is the sum of."""
    computed = FLOATS[computed_dtype(dtype)]
    return EPS_FACTOR * computed.eps * np.abs(scale) + FLOATS["float32"].smallest_subnormal / 2


def gradient_tolerance(expected: np.ndarray, dtype: str, scale: float = 0.0) -> np.ndarray:
    """What each element of a gradient may be off; `scale` if its terms are larger than it."""
    form = FLOATS[dtype]
    magnitude = np.abs(np.where(np.isfinite(expected), expected, 0.0))
    computed = EPS_FACTOR * FLOATS[computed_dtype(dtype)].eps * magnitude.max(initial=scale)
    rounding = np.where(
        magnitude < form.smallest_normal, form.smallest_subnormal / 2, 2 * form.ulp(magnitude)
    )
    return computed + rounding


def rounding_tolerance(terms: np.ndarray, size: int, dtype: str) -> np.ndarray:
    """What the sum of some terms may be off beyond that, where a right formula of `size` logits is computed in `dtype`
    and differentiated as it stands; `terms` is the sum of their magnitudes.

    On the way to the value a number goes through at most `size` additions, on the way back through as many, and beside
    them through some thirty operations. Each rounds by ε/2 at most. A term may be much larger than the sum: autodiff
    gives the slope of a softmax as p (s − Σ p s), and where p is near 1 nothing but rounding is left of that.
    """
    return (size + 16) * FLOATS[dtype].eps * np.abs(terms)


def difference_tolerance(expected: np.ndarray) -> np.ndarray:
    """What a derivative in float64 may be off from differences of float64, which are as exact as this. Of values near
    1, whose last digit is 1e-16, differences by a step of 2^-9 are no more exact than 1e-13."""
    return np.full(expected.shape, 1e-8 * np.abs(expected).max(initial=1e-5))


@dataclass(frozen=True)
class Difference:
    """The element that is worst in proportion to its tolerance."""

    error: float
    tolerance: float
    ratio: float
    index: tuple[int, ...]
    actual: float
    expected: float

    @property
    def within(self) -> bool:
        return self.ratio <= 1


def error_of(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """|actual − expected| of each element; what is not finite is infinitely far from all but itself."""
    with np.errstate(invalid="ignore"):
        same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        finite = np.isfinite(actual) & np.isfinite(expected)
        return np.where(same, 0.0, np.where(finite, np.abs(actual - expected), np.inf))


def ratio_of(actual: np.ndarray, expected: np.ndarray, tolerance: np.ndarray | float) -> np.ndarray:
    """The error as a multiple of its tolerance; no error is 0, even where the tolerance is NaN."""
    error = error_of(actual, expected)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / tolerance)


def difference(actual: np.ndarray, expected: np.ndarray, tolerance: np.ndarray | float) -> Difference:
    """Compare two arrays of one shape."""
    error = error_of(actual, expected)
    if error.size == 0:
        return Difference(0.0, 0.0, 0.0, (), 0.0, 0.0)
    tolerance = np.broadcast_to(tolerance, error.shape)
    ratio = ratio_of(actual, expected, tolerance)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
    return Difference(
        error=float(error[index]),
        tolerance=float(tolerance[index]),
        ratio=float(ratio[index]),
        index=index,
        actual=float(actual[index]),
        expected=float(expected[index]),
    )


def first_beyond(
    actual: np.ndarray, expected: np.ndarray, tolerance: np.ndarray | float
) -> tuple[int, ...] | None:
    """The first index, in C order, at which two arrays part by more than the tolerance; None if at none."""
    tolerance = np.broadcast_to(tolerance, np.shape(expected))
    for index in np.ndindex(np.shape(expected)):
        if not difference(actual[index], expected[index], tolerance[index]).within:
            return index
    return None


def as_rounded(expected: np.ndarray, dtype: str) -> np.ndarray:
    """`expected` with infinities where the dtype has no finite number near enough."""
    limit = FLOATS[dtype].largest * (1 + FLOATS[dtype].eps / 4)
    return np.where(np.abs(expected) > limit, np.copysign(np.inf, expected), expected)
