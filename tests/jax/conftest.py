import pytest

from seglosses_conformance.frameworks.with_jax import enable_x64


@pytest.fixture(autouse=True)
def _float64(request):
    """Most tests compute in float64; those marked `usefixtures("float32")` as JAX does by default."""
    with enable_x64("float32" not in request.fixturenames):
        yield


@pytest.fixture
def float32():
    """JAX without x64."""
