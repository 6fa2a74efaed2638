"""A communicator of MPI as the group of a loss, where mpi4py and an MPI are installed."""

from __future__ import annotations

import numpy as np
import pytest

from seglosses_core import CrossEntropyLoss, DiceLoss

MPI = pytest.importorskip("mpi4py.MPI", reason="mpi4py, or an MPI, is not installed", exc_type=ImportError)


class Communicator:
    def all_reduce(self, vector, op):
        return MPI.COMM_WORLD.allreduce(vector, {"sum": MPI.SUM, "max": MPI.MAX}[op])


def test_a_communicator_is_a_group():
    """Of one process, whose sums are those of the batch."""
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(2, 3, 5)), random.integers(3, size=(2, 5))
    loss = DiceLoss(aggregate="batch") + CrossEntropyLoss()
    value, gradient = loss.across(images=Communicator()).value_and_grad(logits, labels)
    expected = loss.value_and_grad(logits, labels)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-9, atol=1e-15)
