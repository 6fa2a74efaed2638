"""Parts of a batch as threads, each with its part, as processes would have them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class Ranks:
    """So many members of a group, who meet at each exchange."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.calls: list[tuple[str, int]] = []
        self._vectors: list[Any] = [None] * size
        self._barrier = threading.Barrier(size, timeout=20)

    def member(self, rank: int) -> Member:
        return Member(self, rank)

    def run(self, compute: Callable[[int, Member], Any]) -> list[Any]:
        """What each gives, or the error that it raises."""
        found: list[Any] = [None] * self.size

        def one(rank: int) -> None:
            try:
                found[rank] = compute(rank, self.member(rank))
            except Exception as error:  # handed to whoever looks at it
                found[rank] = error

        threads = [threading.Thread(target=one, args=(rank,)) for rank in range(self.size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found


class Member:
    def __init__(self, ranks: Ranks, rank: int) -> None:
        self.ranks, self.rank = ranks, rank

    def __repr__(self) -> str:
        return f"rank {self.rank} of {self.ranks.size}"

    def all_reduce(self, vector: Any, op: str) -> Any:
        ranks = self.ranks
        ranks._vectors[self.rank] = vector
        ranks._barrier.wait()
        assert len({(x.shape, x.dtype) for x in ranks._vectors}) == 1, "vectors of unlike shapes"
        whole = (np.sum if op == "sum" else np.max)(np.stack(ranks._vectors), axis=0)
        if self.rank == 0:
            ranks.calls.append((op, vector.size))
        ranks._barrier.wait()
        return whole


def cut(array: np.ndarray, sizes: list[int], axis: int) -> list[np.ndarray]:
    return np.split(array, np.cumsum(sizes)[:-1], axis=axis)
