"""Large fresh tensors on a CPU under Linux.

The first touch of each page of fresh memory is a page fault, which costs more than the arithmetic of a loss. Where the
kernel gives huge pages to whoever asks, this module does, as NumPy does for its arrays.
"""

from __future__ import annotations

import ctypes
import mmap
import sys

import torch
from torch import Tensor

LARGE = 2**22
"""In bytes: two huge pages. Less may hold none."""


def empty_like(x: Tensor) -> Tensor:
    """As `torch.empty_like`, in huge pages where the tensor is large."""
    fresh = torch.empty_like(x)
    size = fresh.numel() * fresh.element_size()
    if _ADVISE is not None and fresh.device.type == "cpu" and size >= LARGE:
        start = fresh.data_ptr()
        skipped = -start % mmap.PAGESIZE
        # Advice may be refused, by a kernel without huge pages for one; the memory is as good then.
        _ADVISE(start + skipped, size - skipped, mmap.MADV_HUGEPAGE)
    return fresh


def _find_advise() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux") or not hasattr(mmap, "MADV_HUGEPAGE"):
        return None
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    advise.restype = ctypes.c_int
    return advise


_ADVISE = _find_advise()
