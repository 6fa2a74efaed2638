"""Two processors where there is one, which TensorFlow must be told before it computes anything."""

import pytest
import tensorflow as tf


def pytest_configure():
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(scope="session")
def strategy():
    """The only one of the process: the collectives of a third one, of other sizes, fail in TensorFlow."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
