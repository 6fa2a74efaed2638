"""Fused kernels for GPUs, in Triton: the passes over the pixels.

They serve CUDA tensors where Triton is installed, which PyTorch's wheels for GPUs bring, and that of torch 2.8 or
later: earlier ones compile other signatures. The environment variable
`SEGLOSSES_KERNELS=off`, read at the first call, leaves them aside. With `TRITON_INTERPRET=1` they run on the CPU, one
operation at a time, for tests.
"""

from __future__ import annotations

import functools
import importlib.util
import os

import torch
from torch import Tensor

from seglosses_torch.internals import constant_result

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


MOST_ROWS = 65_535
"""So many programs beside each other CUDA takes on the axis of a launch that has the images, or their classes."""


def serve(logits: Tensor, class_axis: int) -> bool:
    """Whether the kernels compute the losses of these logits, as far as there are kernels for a loss."""
    known = serve_device(logits.device.type) and logits.dtype in _DTYPES
    return known and logits.shape[0] * logits.shape[class_axis] <= MOST_ROWS


def serve_device(kind: str) -> bool:
    """Whether there are kernels for a type of devices."""
    return kind in _devices()


@constant_result
def _devices() -> tuple[str, ...]:
    return _served()


@functools.cache
def _served() -> tuple[str, ...]:
    if (
        os.environ.get("SEGLOSSES_KERNELS") == "off" or torch.__version__ < "2.8"
    ):  # it compares numbers, not letters
        return ()
    if importlib.util.find_spec("triton") is None:
        return ()
    return ("cuda", "cpu") if os.environ.get("TRITON_INTERPRET") == "1" else ("cuda",)
