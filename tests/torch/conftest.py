import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """The problems are small, and other test processes run beside this one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
