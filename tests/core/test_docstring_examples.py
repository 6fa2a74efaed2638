"""The examples in the docstrings of the public classes are run."""

from __future__ import annotations

import doctest
import sys

import pytest

import seglosses_core


@pytest.mark.parametrize("loss", seglosses_core.LOSSES, ids=lambda loss: loss.__name__)
def test_the_example_runs_and_gives_what_it_says(loss):
    module = sys.modules[loss.__module__]
    (example,) = doctest.DocTestFinder(recurse=False).find(loss, loss.__name__, module)
    assert example.examples
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
