"""What the source reports, as data.

Duque-Arias, D., Velasco-Forero, S., Deschaud, J.-E., Goulette, F., Serna, A., Decencière, E. and Marcotegui, B., "On
power Jaccard losses for semantic segmentation", VISAPP 2021.
"""

from __future__ import annotations

from typing import NamedTuple

from study.protocol import FILTERS, KERNELS
from study.statistics import Summary

REFERENCE = "Duque-Arias et al., On power Jaccard losses for semantic segmentation, VISAPP 2021"

POWER = "power Jaccard, p = 2"


class Cell(NamedTuple):
    """One entry of the table, and the runs that it sums up."""

    loss: str
    filters: int
    kernel: int


_REPEATED = 5
_LINES = {
    ("cross-entropy", 3): ((0.6446, 0.0818), (0.8039, 0.0196), (0.8401, 0.0209), (0.8634, 0.0231)),
    ("Jaccard", 3): ((0.5527, 0.1406), (0.8031, 0.0480), (0.8765, 0.0105), (0.8839, 0.0093)),
    (POWER, 3): ((0.7407, 0.0264), (0.8308, 0.0319), (0.8870, 0.0155), (0.8658, 0.0196)),
    ("cross-entropy", 5): ((0.7957, 0.0272), (0.8489, 0.0087), (0.8677, 0.0164), (0.8828, 0.0188)),
    ("Jaccard", 5): ((0.7874, 0.0518), (0.8560, 0.0172), (0.8750, 0.0049), (0.8951, 0.0185)),
    (POWER, 5): ((0.7814, 0.0346), (0.8364, 0.0211), (0.8715, 0.0148), (0.8746, 0.0214)),
}  # fmt: skip
TABLE = {
    Cell(loss, filters, kernel): Summary(mean, deviation, _REPEATED)
    for (loss, kernel), line in _LINES.items()
    for filters, (mean, deviation) in zip(FILTERS, line, strict=True)
}
"""Mean IoU on the test set and its standard deviation over five repetitions."""


class Claim(NamedTuple):
    """Of two losses one is ahead, on average over networks."""

    text: str
    concluded: bool
    """By the source; otherwise its table says so."""
    ahead: str
    behind: str
    kernels: tuple[int, ...]
    filters: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.text}: {self.ahead} ahead of {self.behind}"

    @property
    def networks(self) -> list[tuple[int, int]]:
        """Filters and kernel of each."""
        return [(filters, kernel) for kernel in self.kernels for filters in self.filters]


CLAIMS = tuple(
    Claim(text, concluded, *((POWER, other) if concluded else (other, POWER)), kernels, filters)
    for text, concluded, kernels, filters in (
        ("kernel 3, few filters (2 and 4)", True, (3,), (2, 4)),
        ("kernel 3", True, (3,), FILTERS),
        ("all networks", True, KERNELS, FILTERS),
        ("kernel 5", False, (5,), FILTERS),
    )
    for other in ("cross-entropy", "Jaccard")
)
