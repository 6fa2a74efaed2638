"""Two processors where there is one, which TensorFlow must be told before it computes anything."""

import tensorflow as tf


def pytest_configure():
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
