"""Tensors of more than 2^31 entries on a GPU: an index that is counted in 32 bits is seen here alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch

from seglosses_torch import CrossEntropyLoss, DiceLoss

Tensor = torch.Tensor
SMOOTH = 1e-5
PART = 2**22
"""Pixels that are compared at once, in float64."""

SHAPES = {
    "batch": (2, 14, 96, 1000, 1000),  # an image has fewer than 2^31 entries, the batch has more
    "image": (1, 23, 96, 1000, 1000),  # so has one image
}
ROUNDING = {torch.bfloat16: 2**-8, torch.float32: 1e-5}
"""Of an entry of the gradient, relatively, or to a tenth of the largest that a pixel can have: what a wrong index reads
is seen, and precision is tested elsewhere."""


@pytest.fixture(autouse=True)
def _freed() -> Iterator[None]:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    yield
    torch.cuda.empty_cache()


def make(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    needed = 5 * math.prod(shape) * dtype.itemsize
    free, _ = torch.cuda.mem_get_info()
    if free < needed:
        pytest.skip(f"{needed / 2**30:.0f} GiB of memory are needed, {free / 2**30:.0f} are free")
    torch.manual_seed(0)
    logits = torch.empty(shape, dtype=dtype, device="cuda")
    for image in logits:
        for of_class in image:
            of_class.copy_(2 * torch.randn(of_class.shape, device="cuda"))
    labels = torch.randint(shape[1], (shape[0], *shape[2:]), device="cuda")
    return logits, labels


def parts(logits: Tensor, labels: Tensor, *more: Tensor) -> Iterator[tuple[int, Tensor, ...]]:
    """The number of an image, and for some of its pixels probabilities `(C, pixels)`, one-hot labels and `more`, all in
    float64."""
    for i in range(logits.shape[0]):
        flat = [x[i].flatten(1) for x in (logits, *more)]
        for first in range(0, flat[0].shape[1], PART):
            pixels = slice(first, first + PART)
            p, *others = (x[:, pixels].double() for x in flat)
            y = labels[i].flatten()[pixels] == torch.arange(logits.shape[1], device="cuda")[:, None]
            yield i, torch.softmax(p, 0), y.double(), *others


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", ROUNDING)
def test_dice_and_cross_entropy(name: str, dtype: torch.dtype) -> None:
    shape = SHAPES[name]
    assert math.prod(shape) > 2**31
    logits, labels = make(shape, dtype)
    logits.requires_grad_()
    value = (DiceLoss(smooth=SMOOTH) + CrossEntropyLoss())(logits, labels)
    (gradient,) = torch.autograd.grad(value, logits)
    logits = logits.detach()

    overlap = torch.zeros(shape[:2], dtype=torch.float64, device="cuda")
    total = torch.zeros_like(overlap)
    cost = torch.zeros((), dtype=torch.float64, device="cuda")
    for i, p, y in parts(logits, labels):
        overlap[i] += (p * y).sum(1)
        total[i] += (p + y).sum(1)
        cost -= (p * y).sum(0).log().sum()
    score, total = (2 * overlap + SMOOTH) / (total + SMOOTH), total + SMOOTH
    expected = 1 - score.mean() + cost / labels.numel()
    torch.testing.assert_close(value.detach().double(), expected, rtol=1e-5, atol=0)

    worst = torch.zeros((), dtype=torch.float64, device="cuda")
    for i, p, y, found in parts(logits, labels, gradient):
        slope = (score[i, :, None] - 2 * y) / total[i, :, None] / score.numel()
        wanted = p * (slope - (p * slope).sum(0)) + (p - y) / labels.numel()
        allowed = ROUNDING[dtype] * (wanted.abs() + 0.1 / labels.numel())
        worst = torch.maximum(worst, ((found - wanted).abs() / allowed).max())
    assert worst <= 1
