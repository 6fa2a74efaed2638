"""Prints the seconds that the tests of each loss took: python tests/cost_of_losses.py FILE

FILE is what `pytest --junitxml=FILE` writes. A test is of the first loss that its parameters name. Seconds are those of
one process: two of them are twice as fast, and beside other work all are slower.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from xml.etree import ElementTree

import seglosses_core

LOSSES = {loss.__name__ for loss in seglosses_core.LOSSES}
PRESETS = "tests.presets."
"""Tests of other libraries' losses, some of which have the same names."""


def loss_of(test: str) -> str | None:
    """The first loss that the parameters of a test name."""
    words = re.findall(r"\w+", test.partition("[")[2])
    return next((word for word in words if word in LOSSES), None)


def costs(file: str) -> tuple[dict[str, list[float]], float]:
    """The seconds of the tests of each loss, and those of all other tests together."""
    found: dict[str, list[float]] = defaultdict(list)
    others = 0.0
    for test in ElementTree.parse(file).getroot().iter("testcase"):
        seconds, loss = float(test.get("time", 0)), loss_of(test.get("name", ""))
        if loss is None or test.get("classname", "").startswith(PRESETS):
            others += seconds
        else:
            found[loss].append(seconds)
    return found, others


def table(file: str) -> Iterator[str]:
    found, others = costs(file)
    yield "seconds  tests"
    for loss, seconds in sorted(found.items(), key=lambda one: -sum(one[1])):
        yield f"{sum(seconds):7.1f} {len(seconds):6}  {loss}"
    yield f"{median(map(sum, found.values())):7.1f}         is the median"
    yield f"{others:7.1f}         are of no loss or of several"


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1])))
