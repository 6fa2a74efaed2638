"""`Ops.sum_alike` as one Triton kernel: each pixel reads its window, of which the cache serves all but the first."""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from seglosses_torch.kernels.launch import launch
from seglosses_torch.kernels.passes import flat

PIXELS, CLASSES, WARPS = 256, 8, 4
"""Of one block."""


@triton.jit
def sum_of_neighbours(
    x, labels, totals, number,
    S, L0, L1, L2, x_n, x_c, x_s,
    R0: tl.constexpr, R1: tl.constexpr, R2: tl.constexpr,
    C: tl.constexpr, K: tl.constexpr, B: tl.constexpr, WIDE: tl.constexpr, D: tl.constexpr,
):  # fmt: skip
    """Of `B` pixels and `K` classes of one image."""
    image = tl.program_id(1).to(tl.int64)
    first = tl.program_id(2) * K
    block = tl.program_id(0).to(tl.int64) if WIDE else tl.program_id(0)
    labels += image * S
    at = image * x_n + first.to(tl.int64) * x_c
    pixels = block * B + tl.arange(0, B)
    inside = pixels < S
    at_2 = pixels % L2
    at_1 = (pixels // L2) % L1
    at_0 = pixels // L2 // L1
    own = tl.load(labels + pixels, mask=inside, other=0)
    classes = tl.zeros((B,), tl.int32) + first
    count = tl.zeros((B,), D)
    sums = ()
    for _ in tl.static_range(K):
        sums = sums + (tl.zeros((B,), D),)
    for u in range(-R0, R0 + 1):
        for v in range(-R1, R1 + 1):
            for w in range(-R2, R2 + 1):
                there = (at_0 + u >= 0) & (at_0 + u < L0) & (at_1 + v >= 0) & (at_1 + v < L1)
                there = there & (at_2 + w >= 0) & (at_2 + w < L2) & inside
                neighbours = pixels + (u * L1 + v) * L2 + w
                there = there & (tl.load(labels + neighbours, mask=there, other=0) == own)
                distance = tl.maximum(tl.maximum(tl.abs(u), tl.abs(v)), tl.abs(w))
                weight = tl.exp2(1.0 - distance).to(D)
                count += tl.where(there, 1.0, 0.0).to(D)
                place = x + at + neighbours * x_s
                more = ()
                for k in tl.static_range(K):
                    read = tl.load(place + k * x_c, mask=there & (classes + k < C), other=0.0)
                    more = more + (sums[k] + weight * read,)
                sums = more
    if first == 0:
        tl.store(number + image * S + pixels, count, mask=inside)
    for k in tl.static_range(K):
        tl.store(totals + at + pixels * x_s + k * x_c, sums[k], mask=inside & (classes + k < C))


def sum_alike(x: Tensor, class_axis: int, labels: Tensor, size: int) -> tuple[Tensor, Tensor] | None:
    """As `Ops.sum_alike`; None for more than three spatial axes."""
    lengths = labels.shape[1:]
    if len(lengths) > 3 or not x.numel():
        return None
    x, (x_n, x_c, x_s) = flat(x, class_axis)
    labels = labels.contiguous()
    totals, number = torch.empty_like(x), torch.empty_like(labels, dtype=x.dtype)
    images, classes, pixels = x.shape[0], x.shape[class_axis], math.prod(lengths)
    axes = (1,) * (3 - len(lengths)) + tuple(lengths)
    radii = [min(size // 2, length - 1) for length in axes]
    grid = triton.cdiv(pixels, PIXELS), images, triton.cdiv(classes, CLASSES)
    launch(
        sum_of_neighbours, grid,
        x, labels, totals, number, pixels, *axes, x_n, x_c, x_s,
        R0=radii[0], R1=radii[1], R2=radii[2], C=classes, K=min(CLASSES, classes), B=PIXELS,
        WIDE=x.numel() + PIXELS >= 2**31, D=tl.float64 if x.dtype == torch.float64 else tl.float32,
        num_warps=WARPS, enable_fp_fusion=True,
    )  # fmt: skip
    return totals, number
