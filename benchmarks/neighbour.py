"""A neighbour on the same cores, as a data loader or another training is: a process on each that works now and then.

A thread that waits for others which the neighbour has displaced waits a time slice, so that each start of the threads
can cost milliseconds.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import time
from collections.abc import Iterator

LONGEST = 0.02
"""Seconds of a burst, or of the pause after it: anything up to this."""


def work_now_and_then(seed: int) -> None:
    draw = random.Random(seed).uniform
    while True:
        end = time.perf_counter() + draw(0, LONGEST)
        while time.perf_counter() < end:
            pass
        time.sleep(draw(0, LONGEST))


@contextlib.contextmanager
def bursts() -> Iterator[None]:
    """A neighbour on every core in the block, busy half of the time."""
    spawn = multiprocessing.get_context("spawn")
    neighbours = [
        spawn.Process(target=work_now_and_then, args=(seed,), daemon=True)
        for seed in range(os.cpu_count() or 1)
    ]
    for neighbour in neighbours:
        neighbour.start()
    try:
        yield
    finally:
        for neighbour in neighbours:
            neighbour.terminate()
            neighbour.join()
