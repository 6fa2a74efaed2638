"""A new loss must not make `make test` long: how many tests there are of each is bounded.

A loss may cost 10 s of two cores. Seconds depend on the machine and on what else it does, the number of tests does not:
it grows where a test is multiplied by one more list, and `sampled` and `slow` keep it low. Most of the time goes to
tests that compile, so those have a bound of their own. More samples in its record are a loss's own choice. `make costs`
says the seconds.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from cost_of_losses import loss_of, table

from seglosses_conformance.losses import ENTRIES

TESTS, COMPILING = 400, 25
"""So many for each sample of a loss and once more for itself, and of those so many on JAX or TensorFlow."""


@pytest.mark.parametrize(
    ("about", "most"), [("", TESTS), ("jax|tensorflow", COMPILING)], ids=["all", "compiling"]
)
def test_no_loss_has_too_many_tests(about: str, most: int, request: pytest.FixtureRequest) -> None:
    """Of what is collected; of a part of the tests there are fewer."""
    if request.config.option.markexpr != "not slow":
        pytest.skip("the bounds are those of `make test`, without the slow tests")
    items = [item for item in request.session.items if re.search(about, item.nodeid)]
    for loss, count in Counter(filter(None, (loss_of(item.name) for item in items))).items():
        assert count <= most * (1 + len(ENTRIES[loss].samples)), (
            f"{loss} has {count} tests: sample them, or mark some slow"
        )


def test_seconds_of_a_report(tmp_path: Path) -> None:
    tests = [
        ("tests.core.test_a", "test_a[DiceLoss-defaults]", 1.5),
        ("tests.core.test_b", "test_b[jax-CrossEntropyLoss-cost=DiceLoss]", 4),
        ("tests.core.test_a", "test_a[DiceLoss-log=True]", 2),
        ("tests.presets.test_c", "test_c[smp-DiceLoss]", 8),
        ("tests.core.test_a", "test_of_no_loss", 16),
    ]
    cases = "".join(f'<testcase classname="{file}" name="{name}" time="{s}"/>' for file, name, s in tests)
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert list(table(str(report)))[1:] == [
        "    4.0      1  CrossEntropyLoss",
        "    3.5      2  DiceLoss",
        "    3.8         is the median",
        "   24.0         are of no loss or of several",
    ]
