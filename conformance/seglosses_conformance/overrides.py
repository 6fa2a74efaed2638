"""Which comparisons have another tolerance. The overrides themselves, with their reasons, stand in the entries
and beside the vectors of presets."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

from seglosses_conformance import presets
from seglosses_conformance.entries import Override
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.tolerance import DTYPES

OVERRIDES: tuple[Override, ...] = (
    *(
        replace(override, case=entry.id_of(override.case))
        for entry in ENTRIES.values()
        for override in entry.overrides
    ),
    *presets.OVERRIDES,
)


def check_overrides(targets: Iterable[str], cases: Iterable[str]) -> None:
    """Raise a ValueError if an override gives no reason, or matches no comparison that the suite can make."""
    combinations = list(itertools.product(targets, cases, DTYPES))
    for override in OVERRIDES:
        if not override.reason:
            raise ValueError(f"an override of a tolerance needs a reason, this one has none: {override}")
        if not any(override.matches(*combination) for combination in combinations):
            raise ValueError(
                f"an override of a tolerance must match some target, case and dtype, not so {override}"
            )


def override_for(target: str, case: str, dtype: str) -> Override | None:
    """The override of one comparison, if there is one."""
    return next((override for override in OVERRIDES if override.matches(target, case, dtype)), None)
