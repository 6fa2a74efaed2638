"""The pass over the pixels of a sigmoid, there and back, as Triton kernels.

There: sums `Σ w p^i y^j` of each image and class, and for a target of 0 and 1 log p̂ and 1 − p̂ of each entry, p̂ being
the probability of what the target says. Back: from the slopes of those sums, or from ∂L/∂log p̂, to the gradient of the
logits. A program has the pixels of one class of one image.
"""

from __future__ import annotations

import triton
import triton.language as tl

from seglosses_torch.kernels.arithmetic import (
    counting,
    in_threads,
    labels_at,
    log1p,
    moment,
    moment_of_label,
    nan_of,
    slope_of_label_moments,
    slope_of_moments,
)


@triton.jit
def probability_and_rest(z):
    """σ(z) and σ(−z), accurate relative to themselves."""
    small = tl.exp(-tl.abs(z))
    large = 1 / (1 + small)
    small *= large
    return tl.where(z < 0, small, large), tl.where(z < 0, large, small)


@triton.jit
def is_there(target, image, c, pixels, S, target_s, counts, C: tl.constexpr, SOFT: tl.constexpr):
    """Where a target of 0 and 1 is 1; and where a label is no class."""
    if SOFT:
        return tl.load(target + pixels * target_s, mask=counts, other=0) != 0, counts & False
    else:
        label, bad = labels_at(target, image, pixels, S, counts, C)
        return label == c, bad


@triton.jit
def forward(
    logits, target, valid, weights, sums, logs, rests,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s,
    C: tl.constexpr, B: tl.constexpr, PER_THREAD: tl.constexpr, STEPS: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, SOFT: tl.constexpr, AT_LABEL: tl.constexpr,
    HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """The sums over `STEPS` times `B` pixels of one class of one image, and their maps, which lie as the logits do."""
    image = (tl.program_id(1) // C).to(tl.int64)
    c = tl.program_id(1) % C
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    offset = image * logits_n + c.to(tl.int64) * logits_c
    if SOFT:
        target += image * target_n + c.to(tl.int64) * target_c
    totals = ()
    for _ in tl.static_range(M):
        totals = totals + (tl.zeros((B // PER_THREAD,), D),)
    for step in range(STEPS):
        pixels = (block * STEPS + step) * B + tl.arange(0, B)
        counts = counting(valid, image, pixels, S, HAS_VALID)
        place = pixels * logits_s
        z = tl.load(logits + offset + place, mask=counts, other=0.0).to(D)
        if AT_LABEL:
            there, bad = is_there(target, image, c, pixels, S, target_s, counts, C, SOFT)
            towards = tl.where(there, z, -z)
            log_p = tl.minimum(towards, 0.0) - log1p(tl.exp(-tl.abs(z)), D)
            log_p = tl.where(bad | (z != z), float("nan"), log_p)
            rest = probability_and_rest(towards)[1]
            tl.store(logs + offset + place, tl.where(counts, log_p, 0.0), mask=pixels < S)
            tl.store(rests + offset + place, tl.where(counts, rest, 0.0), mask=pixels < S)
        if M > 0:
            p, q = probability_and_rest(z)
            p = tl.where(counts, p, 0.0)
            q = tl.where(counts, q, 0.0)
            if HAS_WEIGHTS:
                w = tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
            if SOFT:
                y = tl.load(target + pixels * target_s, mask=counts, other=0.0).to(D)
            else:
                label, bad = labels_at(target, image, pixels, S, counts, C)
                p = tl.where(bad, float("nan"), p)
            added = ()
            for m in tl.static_range(M):
                if SOFT:
                    x = moment(p, q, y, MOMENTS[m][0], MOMENTS[m][1])
                else:
                    x = moment_of_label(p, p, q, label == c, MOMENTS[m][0], MOMENTS[m][1])
                if HAS_WEIGHTS:
                    x *= w
                added = added + (totals[m] + in_threads(x, B, PER_THREAD),)
            totals = added
    place = sums + (image * tl.num_programs(0) + block) * M * C + c
    for m in tl.static_range(M):
        tl.store(place + m * C, tl.sum(totals[m], 0))


@triton.jit
def backward(
    logits, target, valid, weights, slopes, at_label, value, gradient,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s, slopes_m, slopes_n, at_n, at_s,
    C: tl.constexpr, B: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, K: tl.constexpr, EXPONENTS: tl.constexpr, SOFT: tl.constexpr,
    AT_LABEL: tl.constexpr, HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """The gradient of `B` pixels of one class of one image: `(1 − p) ∂L/∂log p`. `at_label` lies as the logits do, or
    is one number, with `at_s` 0."""
    image = (tl.program_id(1) // C).to(tl.int64)
    c = tl.program_id(1) % C
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    offset = image * logits_n + c.to(tl.int64) * logits_c
    if SOFT:
        target += image * target_n + c.to(tl.int64) * target_c
    slopes += image * slopes_n + c
    pixels = block * B + tl.arange(0, B)
    counts = counting(valid, image, pixels, S, HAS_VALID)
    place = pixels * logits_s
    z = tl.load(logits + offset + place, mask=counts, other=0.0).to(D)
    p, q = probability_and_rest(z)
    slope = tl.zeros((B,), D)
    if M > 0:
        if SOFT:
            y = tl.load(target + pixels * target_s, mask=counts, other=0.0).to(D)
            u = slope_of_moments(p, q, y, slopes, slopes_m, M, MOMENTS)
        else:
            label, _ = labels_at(target, image, pixels, S, counts, C)
            u = slope_of_label_moments(p, q, label == c, slopes, slopes_m, M, MOMENTS, K, EXPONENTS)
        if HAS_WEIGHTS:
            u *= tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
        slope = tl.where(counts, q * u, 0.0)
    if AT_LABEL:
        there, _ = is_there(target, image, c, pixels, S, target_s, counts, C, SOFT)
        at = tl.load(at_label + (offset + place) * at_s, mask=counts, other=0.0).to(D)
        slope += tl.where(counts, tl.where(there, at * q, -at * p), 0.0)
    slope += nan_of(value, D)
    tl.store(gradient + offset + place, slope.to(gradient.dtype.element_ty), mask=pixels < S)
