"""The problems of `problems.py` as modules and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from problems import LABELS, LOGITS, PROBLEMS, SOFT, TARGETS, C, H, N, Problem, W, first_of_each, with_options
from torch import Tensor

import seglosses_torch as sl
from seglosses_conformance.losses import ENTRIES
from seglosses_conformance.targets import torch_function

__all__ = ["C", "H", "N", "W"]

ONE_GRAPH = torch.__version__ >= "2.8"
"""Whether `torch.compile` follows a loss from its beginning to its end; earlier releases compile it in parts."""
in_one_graph = pytest.mark.since(torch="2.8")


class Case(Problem):
    """How to make a loss, and the arguments of one call; both are made anew at each use."""

    def make(self, **options: Any) -> sl.TorchLoss:
        """The loss, with other hyper-parameters if it has those; as in evaluation, so that no centre moves."""
        hyperparameters = with_options(self.loss, self.sample.hyperparameters, options)
        return torch_function(self.loss, hyperparameters, 1, self._tensors()).eval()

    def logits(self, dtype: torch.dtype = torch.float64) -> Tensor:
        return torch.from_numpy(self.scores()).to(dtype)

    def arguments(self) -> dict[str, Tensor]:
        """Everything else that the call takes, in float64."""
        given = self._tensors()
        torch_function(self.loss, self.sample.hyperparameters, 1, given)  # takes out what a module keeps
        return given

    def _tensors(self) -> dict[str, Tensor]:
        return {name: torch.from_numpy(np.array(x)) for name, x in self.given().items()}


def labels() -> Tensor:
    return torch.from_numpy(LABELS.copy())


def soft() -> Tensor:
    return torch.from_numpy(SOFT.copy())


def heat_map() -> Tensor:
    return torch.from_numpy(TARGETS["heat map"].copy())


CASES = [Case(**vars(problem)) for problem in PROBLEMS]
ONE_PER_LOSS = first_of_each(CASES)


def each_case(test: Any) -> Any:
    """Half of the cases each time."""
    return pytest.mark.sampled(2)(pytest.mark.parametrize("case", CASES, ids=str)(test))


def each_curved(test: Any) -> Any:
    """Half of those that have second derivatives."""
    curved = [case for case in CASES if ENTRIES[case.loss].curved]
    return pytest.mark.sampled(2)(pytest.mark.parametrize("case", curved, ids=str)(test))


each_loss = pytest.mark.parametrize("case", ONE_PER_LOSS, ids=str)


def logits(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.from_numpy(LOGITS).to(dtype)


def gradient(value: Tensor, *inputs: Tensor, **options: Any) -> Tensor:
    return torch.autograd.grad(value, inputs, **options)[0]


def close(found: Tensor, expected: Tensor, *, relative: float = 1e-11) -> None:
    """Same dtype, shape and device, and equal beside the largest entry; an all-zero expectation would prove nothing."""
    scale = expected.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(found, expected, rtol=0, atol=relative * scale)
