"""The small algebra of a ratio of sums in one launch."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from seglosses_torch.kernels.launch import launch


@triton.jit
def ratio_of_sums(
    first, second, third, fourth, results, rows, row_stride, class_stride,
    C: tl.constexpr, CP: tl.constexpr, M: tl.constexpr, COEFFICIENTS: tl.constexpr, ABOVE: tl.constexpr,
    BELOW: tl.constexpr,
):  # fmt: skip
    """One row of `u = 1 − (n·S + ABOVE) / (d·S + BELOW)`, of the ratio itself, and of ∂u/∂S for each sum S."""
    row = tl.program_id(0)
    classes = tl.arange(0, CP)
    there = classes < C
    place = row * row_stride + classes * class_stride
    missed = tl.full((CP,), BELOW - ABOVE, tl.float64)
    found = tl.full((CP,), ABOVE, tl.float64)
    denominator = tl.full((CP,), BELOW, tl.float64)
    for m in tl.static_range(M):
        if m == 0:
            x = tl.load(first + place, mask=there, other=0.0)
        elif m == 1:
            x = tl.load(second + place, mask=there, other=0.0)
        elif m == 2:
            x = tl.load(third + place, mask=there, other=0.0)
        else:
            x = tl.load(fourth + place, mask=there, other=0.0)
        missed += (COEFFICIENTS[m][1] - COEFFICIENTS[m][0]) * x
        found += COEFFICIENTS[m][0] * x
        denominator += COEFFICIENTS[m][1] * x
    u = missed / denominator
    ratio = found / denominator
    out = row * C + classes
    tl.store(results + out, u, mask=there)
    tl.store(results + rows * C + out, ratio, mask=there)
    for m in tl.static_range(M):
        if COEFFICIENTS[m][0] == 0:
            slope = COEFFICIENTS[m][1] * ratio
        else:
            slope = (COEFFICIENTS[m][1] - COEFFICIENTS[m][0]) - COEFFICIENTS[m][1] * u
        tl.store(results + (2 + m) * rows * C + out, slope / denominator, mask=there)


def ratio(
    sums: list[Tensor], coefficients: list[tuple[float, float]], above: float, below: float
) -> tuple[Tensor, Tensor, Tensor]:
    """As `Ops.ratio`, of at most four tables `(N, C)` of one layout; the slopes are `(M, N, C)`."""
    rows, classes = sums[0].shape
    results = torch.empty((2 + len(sums), rows, classes), dtype=torch.float64, device=sums[0].device)
    pointers = [*sums, *(sums[:1] * (4 - len(sums)))]
    launch(
        ratio_of_sums, (rows,),
        *pointers, results, rows, *sums[0].stride(),
        C=classes, CP=triton.next_power_of_2(classes), M=len(sums), COEFFICIENTS=tuple(coefficients), ABOVE=above,
        BELOW=below, num_warps=1, enable_fp_fusion=True,
    )  # fmt: skip
    return results[0], results[1], results[2:]
