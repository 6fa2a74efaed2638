"""What Python takes of a call on a GPU, on a machine without one: kernels are replaced by nothing, arrays are tiny and
lie on the CPU. Calls that decide anew what they start, and calls that replay it, in turn; the median of each.

python -m benchmarks.gpu.overhead
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch

import seglosses_torch
from seglosses_torch import kernels
from seglosses_torch.module import TorchLoss

ROUNDS = 500


class _Nothing:
    """In place of a kernel."""

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        return lambda *arguments, **options: None


def main() -> None:
    from seglosses_torch.kernels import ratio, sigmoid, softmax  # which need Triton

    losses = {
        "Dice": seglosses_torch.DiceLoss(),
        "cross-entropy": seglosses_torch.CrossEntropyLoss(),
        "Dice + cross-entropy": seglosses_torch.DiceLoss() + seglosses_torch.CrossEntropyLoss(),
        "focal": seglosses_torch.FocalLoss(),
    }
    torch.set_num_threads(1)
    found: list[Any] = [
        mock.patch.object(module, name, _Nothing())
        for module in (ratio, sigmoid, softmax)
        for name in vars(module)
        if hasattr(getattr(module, name), "arg_names") and getattr(module, name).__module__ == module.__name__
    ]
    found.append(mock.patch.object(kernels, "_devices", return_value=("cpu",)))
    for one in found:
        one.start()
    print("microseconds of a call and its gradient: anew, replayed")
    for name, loss in losses.items():
        anew, replayed = _medians(loss)
        print(f"{name}: {anew:.0f}, {replayed:.0f} ({anew / replayed:.2f} times)")
    mock.patch.stopall()


def _medians(loss: TorchLoss) -> tuple[float, float]:
    logits, labels = torch.randn(2, 4, 8, 8, requires_grad=True), torch.randint(0, 4, (2, 8, 8))

    def seconds() -> float:
        start = time.perf_counter()
        torch.autograd.grad(loss(logits, labels), logits)
        return time.perf_counter() - start

    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for is_replayed in (True, False):
            anew = mock.patch.object(TorchLoss, "replayed", return_value=None)
            with contextlib.nullcontext() if is_replayed else anew:
                times[is_replayed].append(seconds())
    return 1e6 * statistics.median(times[False]), 1e6 * statistics.median(times[True])


if __name__ == "__main__":
    main()
