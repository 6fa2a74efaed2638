"""The pass of `softmax.py` in tiles of some pixels and all classes, padded to a power of 2.

It serves logits whose classes lie side by side in memory (channels last), which threads next to each other read as they
lie; and the way back of some dozens of classes, for which no thread has the registers.
"""

from __future__ import annotations

import triton
import triton.language as tl

from seglosses_torch.kernels.arithmetic import (
    counting,
    labels_at,
    moment,
    moment_of_label,
    nan_of,
    slope_of_label_moments,
    slope_of_moments,
)
from seglosses_torch.kernels.softmax import store_label_maps


@triton.jit
def exponentials(logits, pixels, classes, counts, logits_c, logits_s, C: tl.constexpr, D: tl.constexpr):
    """The logits less the largest of their pixel, and `exp` of that: 0 where there is no class."""
    places = logits + pixels[:, None] * logits_s + classes[None, :] * logits_c
    there = (classes < C)[None, :]
    z = tl.load(places, mask=counts[:, None] & there, other=0.0).to(D)
    z = tl.where(there, z, -float("inf"))
    shifted = z - tl.max(z, 1)[:, None]
    return shifted, tl.exp(shifted)


@triton.jit
def forward(
    logits, target, valid, weights, sums, logs, rests,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s,
    C: tl.constexpr, B: tl.constexpr, CP: tl.constexpr, STEPS: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, SOFT: tl.constexpr, AT_LABEL: tl.constexpr,
    HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """The sums over `STEPS` times `B` pixels of one image, and their maps."""
    image = tl.program_id(1).to(tl.int64)
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    logits += image * logits_n
    classes = tl.arange(0, CP)
    totals = ()
    for _ in tl.static_range(M):
        totals = totals + (tl.zeros((CP,), D),)
    for step in range(STEPS):
        pixels = (block * STEPS + step) * B + tl.arange(0, B)
        counts = counting(valid, image, pixels, S, HAS_VALID)
        shifted, e = exponentials(logits, pixels, classes, counts, logits_c, logits_s, C, D)
        if SOFT:
            inverse = tl.where(counts, 1 / tl.sum(e, 1), 0.0)
        else:
            label, bad = labels_at(target, image, pixels, S, counts, C)
            hot = classes[None, :] == label[:, None]
            part = tl.sum(tl.where(hot, e, 0.0), 1)
            rest = tl.sum(tl.where(hot, 0.0, e), 1)
            inverse = tl.where(counts, 1 / (rest + part), 0.0)
            if AT_LABEL:
                at = tl.sum(tl.where(hot, shifted, 0.0), 1)
                store_label_maps(
                    logs, rests, image * S + pixels, at, part, rest, inverse, counts, bad, pixels < S, D
                )
            inverse = tl.where(bad, float("nan"), inverse)
        if M > 0:
            p = e * inverse[:, None]
            if SOFT:
                unlikely = tl.sum(tl.where(p > 0.5, 0.0, p), 1)
                q = tl.where(p > 0.5, unlikely[:, None], 1 - p)
                soft = target + image * target_n + pixels[:, None] * target_s + classes[None, :] * target_c
                y = tl.load(soft, mask=counts[:, None] & (classes < C)[None, :], other=0.0).to(D)
            if HAS_WEIGHTS:
                w = tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
            added = ()
            for m in tl.static_range(M):
                if SOFT:
                    x = moment(p, q, y, MOMENTS[m][0], MOMENTS[m][1])
                else:
                    own, others = (part * inverse)[:, None], (rest * inverse)[:, None]
                    x = moment_of_label(p, own, others, hot, MOMENTS[m][0], MOMENTS[m][1])
                if HAS_WEIGHTS:
                    x *= w[:, None]
                added = added + (totals[m] + tl.sum(x, 0),)
            totals = added
    place = sums + (image * tl.num_programs(0) + block) * M * C + classes
    for m in tl.static_range(M):
        tl.store(place + m * C, totals[m], mask=classes < C)


@triton.jit
def backward(
    logits, target, valid, weights, slopes, at_label, value, gradient,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s, slopes_m, slopes_n, at_n, at_s,
    C: tl.constexpr, B: tl.constexpr, CP: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, K: tl.constexpr, EXPONENTS: tl.constexpr, SOFT: tl.constexpr,
    AT_LABEL: tl.constexpr, HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """The gradient of `B` pixels of one image: `u − p Σ u` with `u = ∂L/∂log p`."""
    image = tl.program_id(1).to(tl.int64)
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    logits += image * logits_n
    gradient += image * logits_n
    pixels = block * B + tl.arange(0, B)
    classes = tl.arange(0, CP)
    counts = counting(valid, image, pixels, S, HAS_VALID)
    _, e = exponentials(logits, pixels, classes, counts, logits_c, logits_s, C, D)
    inverse = (1 / tl.sum(e, 1))[:, None]
    p = e * inverse
    if SOFT:
        q = tl.where(p > 0.5, tl.sum(tl.where(p > 0.5, 0.0, p), 1)[:, None], 1 - p)
    else:
        label, _ = labels_at(target, image, pixels, S, counts, C)
        hot = classes[None, :] == label[:, None]
        q = tl.sum(tl.where(hot, 0.0, e), 1)[:, None] * inverse
    u = tl.zeros((B, CP), D)
    if M > 0:
        if HAS_WEIGHTS:
            w = tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
        else:
            w = tl.where(counts, 1.0, 0.0).to(D)
        # Where there is no class p is 0, and what stands in for its slope makes no difference.
        tables = slopes + image * slopes_n + tl.minimum(classes, C - 1)[None, :]
        if SOFT:
            soft = target + image * target_n + pixels[:, None] * target_s + classes[None, :] * target_c
            y = tl.load(soft, mask=counts[:, None] & (classes < C)[None, :], other=0.0).to(D)
            u += w[:, None] * slope_of_moments(p, q, y, tables, slopes_m, M, MOMENTS)
        else:
            u += w[:, None] * slope_of_label_moments(p, q, hot, tables, slopes_m, M, MOMENTS, K, EXPONENTS)
    if AT_LABEL:
        at = tl.load(at_label + image * at_n + pixels * at_s, mask=counts, other=0.0).to(D)
        u += tl.where(hot, at[:, None], 0.0)
    total = tl.sum(u, 1)[:, None]
    # What is left of the sum over the classes is rounding; without it the gradient is right where p is near 1.
    left = tl.sum(u - p * total, 1)[:, None]
    slope = u - p * total - p * left + nan_of(value, D)
    places = gradient + pixels[:, None] * logits_s + classes[None, :] * logits_c
    tl.store(places, slope.to(gradient.dtype.element_ty), mask=(pixels < S)[:, None] & (classes < C)[None, :])
