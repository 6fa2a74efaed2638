"""A heat map is drawn with each library."""

from __future__ import annotations

import pytest
from drawing import RUNS


@pytest.fixture(params=RUNS)
def framework(request):
    return request.param


@pytest.fixture
def run(framework):
    """Run a function of arrays on one library: NumPy arrays in, a NumPy array out."""
    return lambda function, options, **arrays: RUNS[framework](function, arrays, options)
