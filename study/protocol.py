"""What is trained, on what and how: the experiment of Duque-Arias et al. 2021, and the choices that it leaves open."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

from study.losses import FINE_TUNING, FURTHER, SOURCE

FILTERS = (2, 4, 8, 16)
KERNELS = (3, 5)
SEEDS = range(5)


@dataclass(frozen=True)
class Common:
    """What the protocols of all experiments have. The numbers of the second group are those of Duque-Arias et al."""

    digits: str = "scikit-learn"
    size: int = 28
    instances: int = 4
    least_digit: int = 8
    greatest_digit: int = 12
    overlap: float = 0.1
    imbalance: float = 0.0
    noise: float = 0.1
    scenes_seed: int = 0

    train: int = 1000
    validation: int = 200
    test: int = 200
    epochs: int = 100
    rate: float = 1e-3

    def __str__(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in dataclasses.asdict(self).items())


@dataclass(frozen=True)
class Protocol(Common):
    """Of a segmentation. The source gives the first two numbers, the others are chosen here."""

    patience: int = 10
    plateau: int = 7

    plateau_factor: float = 0.1
    fine_tuning_rate: float = 1e-4
    batch_size: int = 8
    shift: int = 3


FULL = Protocol()
SMALL = dataclasses.replace(
    FULL, train=400, validation=100, rate=5e-3, patience=8, plateau=4, fine_tuning_rate=5e-4
)
"""For the other sources' experiments: half a minute of one core for a run."""
QUICK = dataclasses.replace(FULL, train=200, validation=50, test=50, epochs=3)


class Run(NamedTuple):
    """What distinguishes a run from the others, and its key in the table of results."""

    loss: str
    filters: int
    kernel: int
    seed: int

    def __str__(self) -> str:
        return f"{self.loss}, {self.filters} filters, kernel {self.kernel}, seed {self.seed}"

    @property
    def cost(self) -> float:
        """About how long it takes, for the time left: a wider network needs longer for an epoch, and fewer of them."""
        return (1 + self.filters * self.kernel / 50) * (2 if self.loss in FINE_TUNING else 1)


def source_runs() -> list[Run]:
    """The source's 120, seed by seed, so that its whole table has a value before any has two."""
    return [
        Run(loss, filters, kernel, seed)
        for seed in SEEDS
        for kernel in KERNELS
        for filters in FILTERS
        for loss in SOURCE
    ]


def further_runs() -> list[Run]:
    """Beyond the source, kernel 3 first: it takes less time, and is where the source sees power losses ahead."""
    return [
        Run(loss, filters, kernel, seed)
        for kernel in KERNELS
        for seed in SEEDS
        for filters in FILTERS
        for loss in FURTHER
    ]
