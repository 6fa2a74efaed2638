"""A plugin for pytest: a test for each case of a loss, of an implementation of one's own.

In `conftest.py`: `pytest_plugins = ["seglosses_conformance.pytest"]`. In a test:

    @pytest.mark.conformance("DiceLoss", grade="accurate", rename={"smooth": "eps"})
    def test_dice(conformance):
        conformance(dice)

The marker takes what `conform` takes beside the implementation. There is a test for each case, and one, `checks`, for
all that is compared beside the cases. What is unsupported, or differs by a convention that the grade leaves open, is
skipped with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seglosses_conformance.calling import cases_of, conform
from seglosses_conformance.report import groups

MARKER = "conformance"
CHECKS = "checks"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{MARKER}(loss, **options): cases of a loss, as seglosses_conformance.conform takes them"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if MARKER not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None or len(marker.args) != 1:
        name = metafunc.definition.nodeid
        raise pytest.UsageError(f'{name} needs @pytest.mark.{MARKER}("DiceLoss"), with the name of its loss')
    try:
        cases = cases_of(marker.args[0], marker.kwargs.get("cases"), marker.kwargs.get("folder"))
    except ValueError as error:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {error}") from error
    metafunc.parametrize(MARKER, [*(case.id for case in cases), CHECKS], indirect=True)


@pytest.fixture
def conformance(request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Takes an implementation, and fails where it does not conform in the case of this test."""
    marker = request.node.get_closest_marker(MARKER)
    options, what = dict(marker.kwargs), request.param
    if what != CHECKS:
        options["cases"] = [what]

    def check(implementation: Any) -> None:
        report = conform(
            implementation,
            marker.args[0],
            **options,
            wanted=lambda record: (record.check is not None) == (what == CHECKS),
        )
        failures = [
            f"{g.cause}, {g.number}: {g.places}\n  {g.first.reason}" for g in groups(report.records, "fail")
        ]
        if failures:
            pytest.fail("\n".join(failures), pytrace=False)
        if not report.counts["pass"]:
            reasons = dict.fromkeys(
                ": ".join([*record.conventions, record.reason]) for record in report.records
            )
            pytest.skip("; ".join(reasons) or "there is nothing to compare")

    return check
