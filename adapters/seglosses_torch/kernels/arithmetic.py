"""What the kernels of all activations share: which pixels count, powers, moments and their slopes, logarithms."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def counting(valid, image, pixels, S, HAS_VALID: tl.constexpr):
    """Which pixels are there and count."""
    counts = pixels < S
    if HAS_VALID:
        counts = counts & (tl.load(valid + image * S + pixels, mask=counts, other=0) != 0)
    return counts


@triton.jit
def labels_at(target, image, pixels, S, counts, C: tl.constexpr):
    """The label of each pixel, −1 where it does not count; and which of them are no class, for which class 0 stands."""
    label = tl.load(target + image * S + pixels, mask=counts, other=0)
    if label.dtype != tl.int64:
        label = label.to(tl.int32)
    bad = counts & ((label < 0) | (label >= C))
    return tl.where(counts, tl.where(bad, 0, label), -1).to(tl.int32), bad


@triton.jit
def in_threads(x, B: tl.constexpr, PER_THREAD: tl.constexpr):
    """The pixels of one thread added up, so that an accumulator takes one register."""
    return tl.sum(tl.reshape(x, (B // PER_THREAD, PER_THREAD)), 1)


@triton.jit
def power(x, k: tl.constexpr):
    """x^k for x ≥ 0 and k > 0."""
    if k == 1:
        return x
    elif k == 2:
        return x * x
    elif k == 3:
        return x * x * x
    else:
        positive = x > 0
        return tl.where(positive, tl.exp(k * tl.log(tl.where(positive, x, 1.0))), 0.0)


@triton.jit
def error(p, q, y):
    """p − y; q is 1 − p."""
    return tl.where(p > 0.5, (1 - y) - q, p - y)


@triton.jit
def moment(p, q, y, i: tl.constexpr, j: tl.constexpr):
    """`p^i y^j`, where an exponent of −1 stands for the complement, or with −2 `(p − y)²`; q is 1 − p."""
    if i == -2:
        r = error(p, q, y)
        return r * r
    elif i == -1:
        return q * y
    elif j == -1:
        return p * (1 - y)
    elif i == 0:
        return power(y, j)
    elif j == 0:
        return power(p, i)
    else:
        return power(p, i) * power(y, j)


@triton.jit
def moment_of_label(p, at, rest, hot, i: tl.constexpr, j: tl.constexpr):
    """The same where y is 1 for one class and 0 for the others: `at` and `rest` are p and 1 − p of that class."""
    if i == -2:
        return tl.where(hot, rest * rest, p * p)
    elif i == -1:
        return tl.where(hot, rest, 0.0)
    elif j == -1:
        return tl.where(hot, 0.0, p)
    elif i == 0:
        return tl.where(hot, 1.0, 0.0)
    elif j == 0:
        return power(p, i)
    else:
        return tl.where(hot, power(at, i), 0.0)


@triton.jit
def slope_of_moments(p, q, y, slopes, stride, M: tl.constexpr, MOMENTS: tl.constexpr):
    """`Σ ∂L/∂S · ∂(p^i y^j)/∂log p` of one class, whose slopes lie `stride` apart."""
    u = p * 0
    for m in tl.static_range(M):
        slope = tl.load(slopes + m * stride).to(p.dtype)
        if MOMENTS[m][0] == -2:
            u += slope * 2 * p * error(p, q, y)
        elif MOMENTS[m][0] == -1:
            u -= slope * p * y
        elif MOMENTS[m][1] == -1:
            u += slope * p * (1 - y)
        elif MOMENTS[m][1] == 0:
            u += slope * MOMENTS[m][0] * power(p, MOMENTS[m][0])
        elif MOMENTS[m][0] != 0:
            u += slope * MOMENTS[m][0] * power(p, MOMENTS[m][0]) * power(y, MOMENTS[m][1])
    return u


@triton.jit
def slope_of_label_moments(
    p, rest, hot, slopes, stride, M: tl.constexpr, MOMENTS: tl.constexpr, K: tl.constexpr, EXPONENTS: tl.constexpr
):  # fmt: skip
    """The same where y is 1 or 0: one product for each of the `EXPONENTS` that p has; the third entry of a moment says
    which of them is its own. `rest` is 1 − p where y is 1."""
    u = p * 0
    for m in tl.static_range(M):
        if MOMENTS[m][0] == -2:
            u += tl.load(slopes + m * stride).to(p.dtype) * 2 * p * tl.where(hot, -rest, p)
    for k in tl.static_range(K):
        there = tl.zeros((), p.dtype)
        elsewhere = tl.zeros((), p.dtype)
        for m in tl.static_range(M):
            if MOMENTS[m][2] == k:
                slope = tl.load(slopes + m * stride).to(p.dtype) * EXPONENTS[k]
                if MOMENTS[m][0] == -1:
                    there -= slope
                elif MOMENTS[m][1] == -1:
                    elsewhere += slope
                elif MOMENTS[m][1] == 0:
                    there += slope
                    elsewhere += slope
                else:
                    there += slope
        u += power(p, EXPONENTS[k]) * tl.where(hot, there, elsewhere)
    return u


@triton.jit
def log1p(x, D: tl.constexpr):
    """log(1 + x) for 0 ≤ x ≤ 1, to full relative precision; near 0 `2 (s + s³/3 + …)` with `s = x / (2 + x)`."""
    s = x / (2 + x)
    square = s * s
    if tl.float64 == D:
        series = square / 25 + 1 / 23
        for k in tl.static_range(10, -1, -1):
            series = series * square + 1 / (2 * k + 1)
    else:
        series = square / 11 + 1 / 9
        for k in tl.static_range(3, -1, -1):
            series = series * square + 1 / (2 * k + 1)
    return tl.where(x < 0.25, 2 * s * series, tl.log(1 + x))


@triton.jit
def log_of_share(shifted, part, rest, D: tl.constexpr):
    """The logarithm of `part / (part + rest)`, where `part = exp(shifted)` may underflow and `rest` may be tiny."""
    likely = rest <= part
    ratio = tl.where(likely, rest, 0.0) / tl.where(likely, part, 1.0)
    return tl.where(likely, -log1p(ratio, D), shifted - tl.log(part + rest))


@triton.jit
def nan_of(value, D: tl.constexpr):
    """NaN if the value is, as a label that is no class makes it, else 0: added to all of a gradient."""
    result = tl.load(value).to(D)
    return tl.where(result == result, 0.0, result).to(D)
