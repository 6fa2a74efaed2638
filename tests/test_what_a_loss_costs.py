"""A new loss must not make `make test` long: how many tests there are of each is bounded.

A loss may cost 10 s of two cores. Seconds depend on the machine and on what else it does, the number of tests does not:
it grows where a test is multiplied by one more list, and `sampled` and `slow` keep it low. Most of the time goes to
tests that compile, so those have a bound of their own. More samples in its record are a loss's own choice.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from seglosses_conformance.losses import ENTRIES

TESTS, COMPILING = 400, 25
"""So many for each sample of a loss and once more for itself, and of those so many on JAX or TensorFlow."""


def loss_of(item: pytest.Item) -> str | None:
    """The first loss that the parameters of a test name."""
    words = re.findall(r"\w+", item.name.partition("[")[2])
    return next((word for word in words if word in ENTRIES), None)


@pytest.mark.parametrize(
    ("about", "most"), [("", TESTS), ("jax|tensorflow", COMPILING)], ids=["all", "compiling"]
)
def test_no_loss_has_too_many_tests(about: str, most: int, request: pytest.FixtureRequest) -> None:
    """Of what is collected; of a part of the tests there are fewer."""
    if request.config.option.markexpr != "not slow":
        pytest.skip("the bounds are those of `make test`, without the slow tests")
    items = [item for item in request.session.items if re.search(about, item.nodeid)]
    for loss, count in Counter(filter(None, map(loss_of, items))).items():
        assert count <= most * (1 + len(ENTRIES[loss].samples)), (
            f"{loss} has {count} tests: sample them, or mark some slow"
        )
