"""What runs each time, and what `make test-slow` adds.

What is tested of every loss grows with the losses. Of tests marked `sampled(n)`, which compile anew for each of their
cases, one case in `MANY · n` runs each time, and one in `MANY` where nothing is compiled: the same ones for everybody,
spread over the cases by a checksum of their names. The others are slow.

Tests marked `since(torch="2.8")` ask for what earlier releases of a library do not have, and are skipped beside those.

What JAX compiles is kept for the other processes and the next run: outside jit it compiles every operation for each
shape. Not before 0.6, where what was kept writes over arrays of NumPy (docs/limits.md). Its tracebacks are left whole,
since cutting them takes longer than most errors that tests ask for.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import zlib
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.version import Version

with contextlib.suppress(ImportError):  # Triton 3.7 and later abort a process that has TensorFlow already
    import triton  # noqa: F401

COMPILING = ("jax", "tensorflow")
"""Of the values of a parameter "framework", those that compile; a test without that parameter is taken for one that
does."""
MANY = 16


def earlier(library: str, release: str) -> bool:
    """Whether a library is there in a release before this one."""
    with contextlib.suppress(PackageNotFoundError):
        return Version(version(library)) < Version(release)
    return False


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("JAX_TRACEBACK_FILTERING", "off")
    if "cache" in dir(config) and not earlier("jax", "0.6"):  # no cache with -p no:cacheprovider
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("compiled-by-jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("since"):
            for library, first in marker.kwargs.items():
                too_old = earlier(library, first)
                item.add_marker(pytest.mark.skipif(too_old, reason=f"asked of {library} {first} and later"))
    groups: dict[tuple[str, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        framework = str(parameters.get("framework", ""))
        if item.get_closest_marker("slow") or not parameters:
            continue
        if item.get_closest_marker("sampled"):
            groups[item.nodeid.partition("[")[0], framework].append(item)
    backend = config.getoption("--backend", None) or ""
    for (_, framework), group in groups.items():
        marker = group[0].get_closest_marker("sampled")
        assert marker is not None
        rate = marker.args[0] if framework in ("", *COMPILING) else 1
        kept = math.ceil(len(group) / (MANY * rate))
        group.sort(key=lambda item: zlib.crc32((backend + item.name).encode()))
        for item in group[kept:]:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module", autouse=True)
def _nothing_older_is_searched():
    """What is compiled stays, in millions of objects: the garbage collector need not look at them again and again."""
    yield
    gc.freeze()
