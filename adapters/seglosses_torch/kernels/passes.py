"""The pass over the pixels of one call, there and back: shapes, launches, and the sums of what each block has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from seglosses_torch.kernels import sigmoid, softmax, tiles
from seglosses_torch.kernels.launch import launch
from seglosses_torch.kernels.pixels import Exponents, Pixels, WayBack

MOST_SUMS = 4
"""Of one launch."""


class Cut(NamedTuple):
    """How the pixels of a call are cut."""

    per_thread: int | None
    """Of which all classes stay in the registers; None for a tile, or for a loop over the classes."""
    pixels: int
    """Of one step of a block."""
    warps: int
    rows: int = 1
    """The programs that have the same pixels, one for each class of a sigmoid."""
    tile: int | None = None
    """The classes of a tile: those that there are, and more up to a power of 2."""


def cut_of(activation: str, classes: int, *, double: bool, side_by_side: bool = False) -> tuple[Cut, Cut]:
    """Those of the way there and of the way back; of a softmax as `benchmarks/notes.md` found them. `side_by_side`
    says that the classes of a pixel are neighbours in memory."""
    if activation == "sigmoid":
        return Cut(4, 512, 4, classes), Cut(4, 512, 4, classes)
    registers = 2 * classes if double else classes
    tile = max(triton.next_power_of_2(classes), 2)
    of_tiles = Cut(None, max(1, min(256, (2048 if double else 4096) // tile)), 4, tile=tile)
    if side_by_side and tile <= 1024:
        return of_tiles, of_tiles
    if registers > 40:
        loop = Cut(None, 512, 4)
        return loop, of_tiles if tile <= 128 else loop
    four, two = Cut(4, 128, 1), Cut(2, 256, 4)
    return four if registers <= 16 else two, four if registers <= 24 else two


def as_pairs(exponents: Sequence[float]) -> Exponents:
    """The pairs, from a row of their numbers. Whole ones are integers: the kernels' compiler compares these."""
    whole = [int(k) if k == int(k) else k for k in exponents]
    return tuple(zip(whole[::2], whole[1::2], strict=True))


def described(moments: Exponents) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
    """Each moment with the place of its exponent of p in the list of those, −1 without one, and that list."""
    exponents: list[float] = []
    found = []
    for i, j in moments:
        own = 1 if i == -1 else max(i, 0)
        if own and own not in exponents:
            exponents.append(own)
        found.append((i, j, exponents.index(own) if own else -1))
    return tuple(found), tuple(exponents)


def kernels_of(activation: str, cut: Cut) -> tuple[Any, Any]:
    """That of the way there, and that of the way back."""
    if activation == "sigmoid":
        return sigmoid.forward, sigmoid.backward
    if cut.tile:
        return tiles.forward, tiles.backward
    if cut.per_thread:
        return softmax.forward_few, softmax.backward_few
    return softmax.forward_many, softmax.backward_many


def forward(
    pixels: Pixels, moments: Exponents, *, at_label: bool
) -> tuple[list[Tensor], tuple[Tensor, Tensor] | None]:
    """Each `Σ w p^i y^j`, `(N, C)` in float64; and, if asked for, log p and 1 − p of what the target says: maps of a
    softmax, logits-shaped of a sigmoid."""
    given = _Given(pixels)
    maps = None
    if at_label:
        like = given.logits if pixels.activation == "sigmoid" else given.target
        maps = torch.empty_like(like, dtype=pixels.dtype), torch.empty_like(like, dtype=pixels.dtype)
    sums: list[Tensor] = []
    for start in range(0, max(len(moments), 1), MOST_SUMS):
        sums += _forward(given, moments[start : start + MOST_SUMS], None if start else maps)
    return sums, maps


def _forward(given: _Given, moments: Exponents, maps: tuple[Tensor, Tensor] | None) -> Sequence[Tensor]:
    cut = given.cuts()[0]
    steps = _steps(given, cut) if cut.per_thread or cut.tile else 1
    blocks = triton.cdiv(given.size, cut.pixels * steps)
    partial = torch.empty(
        (given.images, blocks, len(moments), given.classes) if moments else (1,),
        dtype=torch.float64 if given.double else torch.float32,
        device=given.logits.device,
    )
    logs, rests = maps or (partial, partial)
    form = {"PER_THREAD": cut.per_thread, "STEPS": steps} if cut.per_thread else {}
    if cut.tile:
        form = {"CP": cut.tile, "STEPS": steps}
    launch(
        kernels_of(given.activation, cut)[0], (blocks, given.images * cut.rows),
        *given.arrays(), partial, logs, rests, *given.lengths(),
        B=cut.pixels, M=len(moments), MOMENTS=described(moments or ((1, 1),))[0], AT_LABEL=maps is not None,
        **form, **given.options(), num_warps=cut.warps, enable_fp_fusion=True,
    )  # fmt: skip
    return partial.sum(1, dtype=torch.float64).unbind(1) if moments else ()


def backward(way: WayBack, value: Tensor, *, rounded: bool) -> Tensor:
    """The gradient of the logits, in their layout; NaN if `value` is. In the dtype of the computation, or `rounded` to
    that of the logits."""
    pixels, moments, slopes, at_label = way
    given = _Given(pixels)
    cut = given.cuts()[1]
    gradient = torch.empty_like(given.logits, dtype=None if rounded else pixels.dtype)
    slopes_m, slopes_n = (0, 0) if slopes is None else slopes.stride()[:2]
    if slopes is not None and slopes.shape[1] == 1:
        slopes_n = 0
    at_n, at_s = 0, 0
    if at_label is not None and at_label.ndim:
        like = given.logits if given.activation == "sigmoid" else given.target
        at_label, at_n, at_s = laid_out_like(like, at_label), given.size, 1
    named, exponents = described(moments or ((1, 1),))
    launch(
        kernels_of(given.activation, cut)[1], (triton.cdiv(given.size, cut.pixels), given.images * cut.rows),
        *given.arrays(),
        value if slopes is None else slopes,
        value if at_label is None else at_label,
        value, gradient, *given.lengths(), slopes_m, slopes_n, at_n, at_s,
        B=cut.pixels, M=0 if slopes is None else len(moments), MOMENTS=named,
        K=len(exponents), EXPONENTS=exponents, AT_LABEL=at_label is not None, **({"CP": cut.tile} if cut.tile else {}),
        **given.options(), num_warps=cut.warps, enable_fp_fusion=True,
    )  # fmt: skip
    return gradient


class _Given:
    """The arguments that both ways have in common."""

    def __init__(self, pixels: Pixels) -> None:
        axis = pixels.class_axis
        self.activation = pixels.activation
        self.logits, self.logits_strides = flat(pixels.logits, axis)
        self.soft = pixels.target.ndim == pixels.logits.ndim
        if self.soft:
            self.target, self.target_strides = flat(pixels.target, axis)
        else:
            self.target, self.target_strides = pixels.target.contiguous(), (0, 0, 0)
        self.valid = None if pixels.valid is None else pixels.valid.contiguous().view(torch.uint8)
        self.weights = None if pixels.weights is None else pixels.weights.contiguous()
        self.images, self.classes = self.logits.shape[0], pixels.num_classes
        self.size = self.logits.numel() // max(self.images * self.classes, 1)
        self.double = pixels.dtype == torch.float64

    def cuts(self) -> tuple[Cut, Cut]:
        _, of_classes, of_pixels = self.logits_strides
        side_by_side = of_classes == 1 and of_pixels != 1
        return cut_of(self.activation, self.classes, double=self.double, side_by_side=side_by_side)

    def arrays(self) -> tuple[Tensor, ...]:
        nothing = self.logits
        return (
            self.logits,
            self.target,
            nothing if self.valid is None else self.valid,
            nothing if self.weights is None else self.weights,
        )

    def lengths(self) -> tuple[int, ...]:
        return self.size, *self.logits_strides, *self.target_strides

    def options(self) -> dict[str, object]:
        farthest = max(
            sum((n - 1) * stride for n, stride in zip((self.classes, self.size), strides[1:], strict=True))
            for strides in (self.logits_strides, self.target_strides)
        )
        return {
            "C": self.classes,
            "SOFT": self.soft,
            "HAS_VALID": self.valid is not None,
            "HAS_WEIGHTS": self.weights is not None,
            "WIDE": max(farthest, self.size) + 2**16 >= 2**31,
            "D": tl.float64 if self.double else tl.float32,
        }


def laid_out_like(pattern: Tensor, x: Tensor) -> Tensor:
    """`x`, or a copy of it, as an array like the pattern would lie."""
    if x.stride() == pattern.stride():
        return x
    return torch.empty_like(pattern, dtype=x.dtype).copy_(x)


def flat(x: Tensor, class_axis: int) -> tuple[Tensor, tuple[int, int, int]]:
    """Logits-shaped `x` and its strides over images, classes and pixels; a copy where its pixels do not lie at even
    distances, or where an array like it would lie otherwise: with gaps or entries that share their memory."""
    if not x.is_contiguous() and torch.empty_like(x, device="meta").stride() != x.stride():
        x = x.contiguous()
    axes = [axis for axis in range(1, x.ndim) if axis != class_axis]
    pixel = x.stride(axes[-1]) if axes else 1
    expected = pixel
    for axis in reversed(axes):
        if x.shape[axis] != 1 and x.stride(axis) != expected:
            return flat(x.contiguous(), class_axis)
        expected *= x.shape[axis]
    return x, (x.stride(0), x.stride(class_axis), pixel)


def _steps(given: _Given, cut: Cut) -> int:
    """The tiles of a block: as many as leave every processor some blocks."""
    tiles = given.images * cut.rows * triton.cdiv(given.size, cut.pixels)
    steps = 1
    while steps < 16 and tiles >= steps * 2 * 1024:
        steps *= 2
    return steps
