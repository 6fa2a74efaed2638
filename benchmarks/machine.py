"""What the numbers depend on: the machine, its memory, the allocator, the versions."""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = (
    "seglosses", "numpy", "array-api-compat", "torch", "triton", "jax", "tensorflow", "keras",
    "monai", "kornia", "exacta", "optax", "segmentation-models-pytorch",
)  # fmt: skip


def describe(device: str) -> dict[str, Any]:
    """The columns of a result that are the same in a whole run."""
    cores = len(os.sched_getaffinity(0))
    memory = next(line for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "device": device,
        "machine": _processor(),
        "cores": cores,
        "threads": cores,
        "memory_gib": int(memory.split()[1]) / 2**20,
        "copy_gb_per_s": copy_bandwidth(device, cores),
        "malloc": _malloc(),
        "versions": ", ".join([f"Python {platform.python_version()}", *_versions()]),
        "date": time.strftime("%Y-%m-%d"),
    }


def copy_bandwidth(device: str, cores: int) -> float:
    """Gigabytes read and written in a second by a copy of 1 GiB that all cores share; the best of ten."""
    if device == "cuda":
        return _copy_bandwidth_of_cuda()
    parts = [(np.ones(2**28 // cores, np.float32), np.ones(2**28 // cores, np.float32)) for _ in range(cores)]
    with ThreadPoolExecutor(cores) as threads:
        times = []
        for _ in range(10):
            start = time.perf_counter()
            list(threads.map(lambda part: np.copyto(*part), parts))
            times.append(time.perf_counter() - start)
    return 2 * sum(source.nbytes for source, _ in parts) / min(times) / 1e9


def _copy_bandwidth_of_cuda() -> float:
    import torch

    source = torch.ones(2**28, device="cuda")
    target = torch.empty_like(source)
    times = []
    for _ in range(10):
        torch.cuda.synchronize()
        start = time.perf_counter()
        target.copy_(source)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 2 * source.nbytes / min(times) / 1e9


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _processor() -> str:
    names = [
        line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()


def _malloc() -> str:
    """The C library, what was put in its place, and whether Linux gives huge pages only to who asks for them."""
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    setting = pages.read_text().split("[")[1].split("]")[0] if pages.exists() else "none"
    preloaded = [Path(name).name for name in os.environ.get("LD_PRELOAD", "").split(":") if name]
    return ", ".join([" ".join(platform.libc_ver()), *preloaded, f"transparent huge pages: {setting}"])


def _versions() -> list[str]:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found
