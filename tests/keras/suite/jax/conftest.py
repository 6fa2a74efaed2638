"""Two devices where there is one, which JAX must be told before it computes anything."""

import jax


def pytest_configure():
    jax.config.update("jax_num_cpu_devices", 2)
