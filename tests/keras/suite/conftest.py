"""The option that chooses Keras' backend. Without it nothing here is collected: the backend belongs to a process."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--backend", choices=("tensorflow", "jax", "torch"), help="Keras' backend, for tests/keras/suite"
    )


def pytest_configure(config):
    backend = config.getoption("--backend", None)
    if backend is not None:
        os.environ["KERAS_BACKEND"] = backend
        # NumPy 2 wants a keyword that the variables of Keras 3.15 do not take yet.
        ignored = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
        config.addinivalue_line("filterwarnings", ignored)


def pytest_ignore_collect(config):
    return True if config.getoption("--backend", None) is None else None


@pytest.fixture
def backend(request):
    return request.config.getoption("--backend")
