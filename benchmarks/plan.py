"""Which cases run in which setting: `FULL` is what the documentation shows, `QUICK` a look at each framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import NamedTuple

from benchmarks.cases import BATCH_LOSSES, CASES, DISTANCE_MAP, Case
from benchmarks.competitors import LIBRARIES
from benchmarks.run import NEIGHBOUR, Setting


class Job(NamedTuple):
    setting: Setting
    case: Case
    loss: str


_GROWTH = tuple(case.name for case in CASES.values() if case.grows)
_ALL_LOSSES = tuple(dict.fromkeys(loss for case in CASES.values() for loss in case.losses))


def jobs(
    settings: Iterable[Setting], cases: Iterable[str], losses: Iterable[str] = _ALL_LOSSES
) -> Iterator[Job]:
    """Every loss asked for of every case that has it. Sums over the batch and distance maps are there for one library
    alone, the maps in the frameworks that it is compared in."""
    losses = set(losses)
    if find_spec("segmentation_models_pytorch") is None:
        losses -= set(BATCH_LOSSES)
    for setting in settings:
        for name in cases:
            for loss in CASES[name].losses:
                if loss in losses and (loss != DISTANCE_MAP or "scipy" in LIBRARIES[setting.framework]):
                    yield Job(setting, CASES[name], loss)


def full(device: str) -> list[Job]:
    def on(framework: str, mode: str, surroundings: str = "default") -> list[Setting]:
        return [Setting(framework, mode, surroundings, device)]

    graph = [*on("keras", "graph"), *on("keras", "xla")]
    few = ("cross_entropy", "focal", "dice", "jaccard")
    planned = [
        *jobs(on("torch", "eager"), ("binary", "voc", "ct", "ade", "local", "small", "ct-half", *_GROWTH)),
        *jobs(on("torch", "eager"), ("voc-more", "ct-more", "vessels", "vessels-ct", "lesion")),
        *jobs(on("torch", "compile"), ("voc", "ct", "ade", "local", "small", "ct-half")),
        *jobs(on("torch", "compile"), ("binary",), ("cross_entropy", "dice")),
        *jobs(on("jax", "jit"), ("voc", "ct", "ade", "local", "small")),
        *jobs(on("jax", "jit"), ("binary",), ("cross_entropy", "focal", "dice")),
        *jobs(graph, ("voc", "local")),
        *jobs(graph, ("binary", "ct"), ("cross_entropy", "dice")),
    ]
    if device == "cpu":
        planned += jobs(on("torch", "eager", "huge pages"), ("voc", "ct"), few)
        planned += jobs([*on("torch", "eager"), *on("torch", "eager", NEIGHBOUR)], ("crop",))
        planned += jobs(on("numpy", "eager"), ("voc", "small"), ("cross_entropy", "dice"))
        planned += jobs(on("numpy", "eager"), ("vessels", "lesion"), (DISTANCE_MAP,))
    return planned


def quick(device: str) -> list[Job]:
    def on(framework: str, mode: str) -> list[Setting]:
        return [Setting(framework, mode, device=device)]

    return [
        *jobs(on("torch", "eager"), ("voc",), ("cross_entropy", "focal", "dice")),
        *jobs(on("torch", "eager"), ("small",), ("dice",)),
        *jobs(on("torch", "compile"), ("voc",), ("dice",)),
        *jobs(on("jax", "jit"), ("voc",), ("dice",)),
        *jobs(on("keras", "graph"), ("voc",), ("dice",)),
    ]
