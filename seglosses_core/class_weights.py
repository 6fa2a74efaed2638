"""Class weights from how often classes occur."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any, Literal, get_args

from seglosses_core.checks import check_choice, check_number, check_per_class, is_array, python_number
from seglosses_core.libraries import Array

Scheme = Literal["inverse", "sqrt_inverse", "median", "log", "effective"]


def class_weights_from_counts(
    counts: Sequence[float] | Array, *, scheme: Scheme, beta: float | None = None
) -> tuple[float, ...]:
    """Weights for `class_weights=` that make up for classes of different sizes. With n_c the counts and N their sum:

        inverse         N / (C n_c)
        sqrt_inverse    √(N / n_c)                        Wong et al. 2018 (arXiv:1809.00076)
        median          median(n) / n_c                   Eigen and Fergus 2015 (arXiv:1411.4734)
        log             1 / log(1.02 + n_c / N)           Paszke et al. 2016, ENet (arXiv:1606.02147)
        effective       (1 − β) / (1 − β^n_c), scaled     Cui et al. 2019 (arXiv:1901.05555)

    "median" takes frequencies for counts, those of a class among the pixels of the images that have it. "effective" is
    scaled to the sum C; it is for counts of images or of instances: of pixels β^n is 0, and all classes weigh the same.

    Parameters
    ----------
    counts : sequence or array `(C,)`
        How often each class occurs: above 0, for "log" at least 0.
    scheme : "inverse", "sqrt_inverse", "median", "log" or "effective"
    beta : float
        For "effective" alone, in (0, 1): .9, .99, .999 or .9999 in the paper.

    Returns
    -------
    tuple of float

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> [round(weight, 6) for weight in class_weights_from_counts([1, 9], scheme="inverse")]
    [5.0, 0.555556]
    """
    check_choice("scheme", scheme, get_args(Scheme))
    given: Any = python_number(counts)
    if is_array(given) and len(given.shape) == 1:
        given = tuple(map(float, given))
    # Without any pixel no class has a share of them.
    check_per_class("counts", given, **({"at_least": 0} if scheme == "log" else {"above": 0}))
    if (scheme == "effective") != (beta is not None):
        raise ValueError(f"beta must be given for scheme='effective' alone, got {beta!r} for {scheme!r}.")
    total, classes = math.fsum(given), len(given)
    if total == 0:
        raise ValueError(f"counts must have at least one positive entry, got {given!r}.")
    if scheme == "inverse":
        return tuple(total / (classes * n) for n in given)
    if scheme == "sqrt_inverse":
        return tuple(math.sqrt(total / n) for n in given)
    if scheme == "median":
        return tuple(median(given) / n for n in given)
    if scheme == "log":
        return tuple(1 / math.log(1.02 + n / total) for n in given)
    check_number("beta", beta, above=0, below=1)
    weights = [-1 / math.expm1(n * math.log(beta)) for n in given]  # type: ignore[arg-type]
    scale = classes / math.fsum(weights)
    return tuple(scale * weight for weight in weights)
