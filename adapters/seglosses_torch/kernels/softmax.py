"""The pass over the pixels of a softmax, there and back, as Triton kernels.

There: sums `Σ w p^i y^j` of each image and class, and log p and 1 − p at each pixel's label. Back: from the slopes of
those sums and a map at the label to the gradient of the logits, with the probabilities formed again. Nothing of the
logits' size is kept in between.

Of few classes, all logits of a pixel stay in the registers of one thread, and each is read once. Many are read one
after the other, twice there and three times back, of which the cache serves all but the first.
"""

from __future__ import annotations

import triton
import triton.language as tl

from seglosses_torch.kernels.arithmetic import (
    counting,
    in_threads,
    labels_at,
    log_of_share,
    moment,
    moment_of_label,
    nan_of,
    slope_of_label_moments,
    slope_of_moments,
)


@triton.jit
def store_label_maps(logs, rests, places, shifted, part, rest, inverse, counts, bad, inside, D: tl.constexpr):
    """log p and 1 − p at the labels: 0 where a pixel does not count, NaN where its label is no class."""
    log_p = tl.where(bad, float("nan"), log_of_share(shifted, part, rest, D))
    tl.store(logs + places, tl.where(counts, log_p, 0.0), mask=inside)
    tl.store(rests + places, tl.where(counts, rest * inverse, 0.0), mask=inside)


@triton.jit
def forward_few(
    logits, target, valid, weights, sums, logs, rests,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s,
    C: tl.constexpr, B: tl.constexpr, PER_THREAD: tl.constexpr, STEPS: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, SOFT: tl.constexpr, AT_LABEL: tl.constexpr,
    HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """The sums over `STEPS` times `B` pixels of one image, and their maps."""
    image = tl.program_id(1).to(tl.int64)
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    logits += image * logits_n
    totals = ()
    for _ in tl.static_range(M * C):
        totals = totals + (tl.zeros((B // PER_THREAD,), D),)
    for step in range(STEPS):
        pixels = (block * STEPS + step) * B + tl.arange(0, B)
        counts = counting(valid, image, pixels, S, HAS_VALID)
        if not SOFT:
            label, bad = labels_at(target, image, pixels, S, counts, C)
        z = ()
        largest = tl.full((B,), -float("inf"), D)
        place = pixels * logits_s
        for c in tl.static_range(C):
            z = z + (tl.load(logits + place, mask=counts, other=0.0).to(D),)
            place += logits_c
            largest = tl.maximum(largest, z[c])
        e = ()
        part = tl.zeros((B,), D)
        rest = tl.zeros((B,), D)
        shifted = tl.zeros((B,), D)
        for c in tl.static_range(C):
            e = e + (tl.exp(z[c] - largest),)
            if SOFT:
                rest += e[c]
            else:
                hot = label == c
                rest += tl.where(hot, 0.0, e[c])
                part += tl.where(hot, e[c], 0.0)
                if AT_LABEL:
                    shifted += tl.where(hot, z[c] - largest, 0.0)
        inverse = tl.where(counts, 1 / (rest + part), 0.0)
        if AT_LABEL:
            places = image * S + pixels
            store_label_maps(logs, rests, places, shifted, part, rest, inverse, counts, bad, pixels < S, D)
        if M > 0:
            if HAS_WEIGHTS:
                w = tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
            if SOFT:
                unlikely = tl.zeros((B,), D)
                for c in tl.static_range(C):
                    p = e[c] * inverse
                    unlikely += tl.where(p > 0.5, 0.0, p)
                soft = target + image * target_n + pixels * target_s
            else:
                inverse = tl.where(bad, float("nan"), inverse)
            added = ()
            for m in tl.static_range(M):
                for c in tl.static_range(C):
                    p = e[c] * inverse
                    if SOFT:
                        y = tl.load(soft + c * target_c, mask=counts, other=0.0).to(D)
                        q = tl.where(p > 0.5, unlikely, 1 - p)
                        x = moment(p, q, y, MOMENTS[m][0], MOMENTS[m][1])
                    else:
                        at = part * inverse
                        x = moment_of_label(p, at, rest * inverse, label == c, MOMENTS[m][0], MOMENTS[m][1])
                    if HAS_WEIGHTS:
                        x *= w
                    added = added + (totals[m * C + c] + in_threads(x, B, PER_THREAD),)
            totals = added
    place = sums + (image * tl.num_programs(0) + block) * M * C
    for k in tl.static_range(M * C):
        tl.store(place + k, tl.sum(totals[k], 0))


@triton.jit
def backward_few(
    logits, target, valid, weights, slopes, at_label, value, gradient,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s, slopes_m, slopes_n, at_n, at_s,
    C: tl.constexpr, B: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, K: tl.constexpr, EXPONENTS: tl.constexpr, SOFT: tl.constexpr,
    AT_LABEL: tl.constexpr, HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """The gradient of `B` pixels of one image: `u − p Σ u` with `u = ∂L/∂log p`."""
    image = tl.program_id(1).to(tl.int64)
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    logits += image * logits_n
    gradient += image * logits_n
    slopes += image * slopes_n
    pixels = block * B + tl.arange(0, B)
    counts = counting(valid, image, pixels, S, HAS_VALID)
    if not SOFT:
        label, _ = labels_at(target, image, pixels, S, counts, C)
    z = ()
    largest = tl.full((B,), -float("inf"), D)
    place = pixels * logits_s
    for c in tl.static_range(C):
        z = z + (tl.load(logits + place, mask=counts, other=0.0).to(D),)
        place += logits_c
        largest = tl.maximum(largest, z[c])
    e = ()
    total = tl.zeros((B,), D)
    rest = tl.zeros((B,), D)
    for c in tl.static_range(C):
        e = e + (tl.exp(z[c] - largest),)
        total += e[c]
        if not SOFT:
            rest += tl.where(label == c, 0.0, e[c])
    inverse = 1 / total
    rest *= inverse
    if SOFT:
        for c in tl.static_range(C):
            p = e[c] * inverse
            rest += tl.where(p > 0.5, 0.0, p)
    if HAS_WEIGHTS:
        w = tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
    else:
        w = tl.where(counts, 1.0, 0.0).to(D)
    if AT_LABEL:
        at = tl.load(at_label + image * at_n + pixels * at_s, mask=counts, other=0.0).to(D)
    if SOFT:
        soft = target + image * target_n + pixels * target_s
    u = ()
    total = tl.zeros((B,), D)
    for c in tl.static_range(C):
        p = e[c] * inverse
        slope = tl.zeros((B,), D)
        if M > 0:
            if SOFT:
                y = tl.load(soft + c * target_c, mask=counts, other=0.0).to(D)
                q = tl.where(p > 0.5, rest, 1 - p)
                slope = w * slope_of_moments(p, q, y, slopes + c, slopes_m, M, MOMENTS)
            else:
                slope = w * slope_of_label_moments(
                    p, rest, label == c, slopes + c, slopes_m, M, MOMENTS, K, EXPONENTS
                )
        if AT_LABEL:
            slope += tl.where(label == c, at, 0.0)
        u = u + (slope,)
        total += slope
    left = tl.zeros((B,), D)
    for c in tl.static_range(C):
        left += u[c] - e[c] * inverse * total
    # What is left of the sum over the classes is rounding; without it the gradient is right where p is near 1.
    doubt = nan_of(value, D)
    place = pixels * logits_s
    for c in tl.static_range(C):
        p = e[c] * inverse
        slope = u[c] - p * total - p * left + doubt
        tl.store(gradient + place, slope.to(gradient.dtype.element_ty), mask=pixels < S)
        place += logits_c


@triton.jit
def largest_and_others(logits, place, stride, counts, C: tl.constexpr, B: tl.constexpr, D: tl.constexpr):
    """Of each pixel: its largest logit, `Σ exp(z − largest)` over the other classes, and the class."""
    largest = tl.full((B,), -3.0e38, D)
    others = tl.zeros((B,), D)
    leader = tl.zeros((B,), tl.int32)
    for k in range(C):
        z = tl.load(logits + place, mask=counts, other=0.0).to(D)
        place += stride
        ahead = z > largest
        e = tl.exp(-tl.abs(z - largest))
        others = tl.where(ahead, (others + 1) * e, others + e)
        leader = tl.where(ahead, k, leader)
        largest = tl.where(ahead, z, largest)
    return largest, others, leader


@triton.jit
def forward_many(
    logits, target, valid, weights, sums, logs, rests,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s,
    C: tl.constexpr, B: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, SOFT: tl.constexpr, AT_LABEL: tl.constexpr,
    HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """As `forward_few`, for any number of classes; of `B` pixels."""
    image = tl.program_id(1).to(tl.int64)
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    logits += image * logits_n
    pixels = block * B + tl.arange(0, B)
    counts = counting(valid, image, pixels, S, HAS_VALID)
    largest, others, leader = largest_and_others(logits, pixels * logits_s, logits_c, counts, C, B, D)
    inverse = tl.where(counts, 1 / (1 + others), 0.0)
    if not SOFT:
        label, bad = labels_at(target, image, pixels, S, counts, C)
        at = tl.where(counts, label, 0)
        at = at.to(tl.int64) if WIDE else at
        shifted = tl.load(logits + pixels * logits_s + at * logits_c, mask=counts, other=0.0).to(D) - largest
        part = tl.exp(shifted)
        rest = tl.where(label == leader, others, 1 + others - part)
        if AT_LABEL:
            places = image * S + pixels
            store_label_maps(logs, rests, places, shifted, part, rest, inverse, counts, bad, pixels < S, D)
        inverse = tl.where(bad, float("nan"), inverse)
    if M > 0:
        if HAS_WEIGHTS:
            w = tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
        out = sums + (image * tl.num_programs(0) + block) * M * C
        place = pixels * logits_s
        soft = target + image * target_n
        soft_place = pixels * target_s
        for c in range(C):
            p = tl.exp(tl.load(logits + place, mask=counts, other=0.0).to(D) - largest) * inverse
            place += logits_c
            if SOFT:
                y = tl.load(soft + soft_place, mask=counts, other=0.0).to(D)
                soft_place += target_c
                q = tl.where(leader == c, others * inverse, 1 - p)
            for m in tl.static_range(M):
                if SOFT:
                    x = moment(p, q, y, MOMENTS[m][0], MOMENTS[m][1])
                else:
                    x = moment_of_label(p, p, rest * inverse, label == c, MOMENTS[m][0], MOMENTS[m][1])
                if HAS_WEIGHTS:
                    x *= w
                tl.store(out + m * C + c, tl.sum(x, 0))


@triton.jit
def backward_many(
    logits, target, valid, weights, slopes, at_label, value, gradient,
    S, logits_n, logits_c, logits_s, target_n, target_c, target_s, slopes_m, slopes_n, at_n, at_s,
    C: tl.constexpr, B: tl.constexpr,
    M: tl.constexpr, MOMENTS: tl.constexpr, K: tl.constexpr, EXPONENTS: tl.constexpr, SOFT: tl.constexpr,
    AT_LABEL: tl.constexpr, HAS_VALID: tl.constexpr, HAS_WEIGHTS: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """As `backward_few`, for any number of classes."""
    image = tl.program_id(1).to(tl.int64)
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    logits += image * logits_n
    gradient += image * logits_n
    slopes += image * slopes_n
    soft = target + image * target_n
    pixels = block * B + tl.arange(0, B)
    counts = counting(valid, image, pixels, S, HAS_VALID)
    if SOFT:
        label = tl.full((B,), -1, tl.int32)
    else:
        label, _ = labels_at(target, image, pixels, S, counts, C)
    largest, others, leader = largest_and_others(logits, pixels * logits_s, logits_c, counts, C, B, D)
    inverse = 1 / (1 + others)
    if HAS_WEIGHTS:
        w = tl.load(weights + image * S + pixels, mask=counts, other=0.0).to(D)
    else:
        w = tl.where(counts, 1.0, 0.0).to(D)
    at = tl.zeros((B,), D)
    if AT_LABEL:
        at = tl.load(at_label + image * at_n + pixels * at_s, mask=counts, other=0.0).to(D)
    # Σ u, apart for the leader: near p = 1 its own slope is a difference that vanishes.
    of_leader = tl.where(label == leader, at, 0.0)
    of_others = at - of_leader
    if M > 0:
        place = pixels * logits_s
        soft_place = pixels * target_s
        for c in range(C):
            p = tl.exp(tl.load(logits + place, mask=counts, other=0.0).to(D) - largest) * inverse
            place += logits_c
            q = tl.where(leader == c, others * inverse, 1 - p)
            if SOFT:
                y = tl.load(soft + soft_place, mask=counts, other=0.0).to(D)
                soft_place += target_c
                u = w * slope_of_moments(p, q, y, slopes + c, slopes_m, M, MOMENTS)
            else:
                u = w * slope_of_label_moments(
                    p, q, label == c, slopes + c, slopes_m, M, MOMENTS, K, EXPONENTS
                )
            of_leader += tl.where(leader == c, u, 0.0)
            of_others += tl.where(leader == c, 0.0, u)
    total = of_leader + of_others
    of_leader = total * (others * inverse) - of_others
    doubt = nan_of(value, D)
    place = pixels * logits_s
    soft_place = pixels * target_s
    for c in range(C):
        p = tl.exp(tl.load(logits + place, mask=counts, other=0.0).to(D) - largest) * inverse
        u = tl.where(label == c, at, 0.0)
        if M > 0:
            q = tl.where(leader == c, others * inverse, 1 - p)
            if SOFT:
                y = tl.load(soft + soft_place, mask=counts, other=0.0).to(D)
                soft_place += target_c
                u += w * slope_of_moments(p, q, y, slopes + c, slopes_m, M, MOMENTS)
            else:
                u += w * slope_of_label_moments(
                    p, q, label == c, slopes + c, slopes_m, M, MOMENTS, K, EXPONENTS
                )
        slope = tl.where(leader == c, of_leader, u - p * total) + doubt
        tl.store(gradient + place, slope.to(gradient.dtype.element_ty), mask=pixels < S)
        place += logits_c
