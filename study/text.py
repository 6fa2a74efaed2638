"""How numbers and tables are written on the pages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from study.protocol import SEEDS
from study.statistics import LEVEL, Comparison, Summary


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def summary_text(found: Summary | None, digits: int = 4) -> str:
    """With the count of seeds where some are missing."""
    if found is None:
        return "missing"
    spread = "" if math.isnan(found.deviation) else f" ± {found.deviation:.{digits}f}"
    return f"{found.mean:.{digits}f}{spread}{seeds_text(found.number)}"


def seeds_text(count: int) -> str:
    return "" if count == len(SEEDS) else f" ({count} of {len(SEEDS)})"


def difference_text(found: Comparison | None, digits: int = 4) -> str:
    if found is None:
        return "missing"
    return f"{found.difference:+.{digits}f} ± {found.half_width:.{digits}f}{seeds_text(found.seeds)}"


def p_text(found: Comparison | None) -> str:
    if found is None or found.seeds < len(SEEDS):
        return ""
    if math.isnan(found.p):
        return "no spread"
    if round(found.p, 3) == LEVEL:
        return f"{found.p:.4f}"  # on which side of it
    return f"{found.p:.3f}" if found.p >= 0.001 else "< 0.001"


def fixed(value: float) -> str:
    """Four digits, and no sign on a zero that rounding has left one."""
    return f"{round(value, 4) + 0.0:.4f}"
