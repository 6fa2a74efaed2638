"""Hyper-parameters that are learnt, kept in their range by the map that makes them from free parameters."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seglosses_core.checks import check_number


class LearnablePower(nn.Module):
    """A power in [1, 2], `1 + sigmoid(raw)`, for `PowerDiceLoss(p=…)` and `PowerJaccardLoss(p=…)`.

    Parameters
    ----------
    initial : float
        In (1, 2); at the ends the derivative of the map is 0.
    """

    def __init__(self, initial: float = 1.5) -> None:
        check_number("initial", initial, above=1, below=2)
        super().__init__()
        self.raw = nn.Parameter(torch.logit(torch.tensor(initial - 1.0)))

    def forward(self) -> Tensor:
        return 1 + self.raw.sigmoid()

    def extra_repr(self) -> str:
        return repr(self().detach())


class LearnableWeights(nn.Module):
    """Weights of an ensemble, positive and with sum 1: `softmax(raw)`, for `EnsembleLoss(weights=…)`.

    Parameters
    ----------
    initial : sequence of float
        Positive; scaled to sum 1.
    """

    def __init__(self, initial: Sequence[float]) -> None:
        if not isinstance(initial, Sequence) or not len(initial):
            raise TypeError(f"initial must be a sequence with one number per loss, got {initial!r}.")
        for i, weight in enumerate(initial):
            check_number(f"initial[{i}]", weight, above=0)
        super().__init__()
        self.raw = nn.Parameter(torch.tensor(list(initial), dtype=torch.float32).log())

    def forward(self) -> Tensor:
        return self.raw.softmax(0)

    def extra_repr(self) -> str:
        return repr(self().detach())
