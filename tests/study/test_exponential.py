"""Where the pointwise exponential loss looks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import pytest
import torch
from torch import nn

import seglosses_torch as sl
from study import training
from study.exponential import Row, carry_out, looks, share
from study.losses import CONTINUED, EXPONENTIAL, FINE_TUNING
from study.protocol import SMALL, Run
from study.training import Scenes

TINY = dataclasses.replace(SMALL, size=16, instances=1, train=16, validation=8, test=8, epochs=2)


@pytest.fixture(autouse=True)
def nothing_is_kept() -> Iterator[None]:
    yield
    training.from_scratch.cache_clear()


class Given(nn.Module):
    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits


def test_looks_by_hand() -> None:
    """Of one row of pixels with two classes, the third is wrong with p = 1/4; the pull of its cross-entropy is
    2 (1 − p)/6."""
    labels = torch.tensor([[[0, 0, 0, 0, 1, 1]]])
    logits = torch.zeros(1, 2, 1, 6)
    logits[0, 1, 0, 2] = math.log(3.0)
    found = looks(Given(logits), sl.CrossEntropyLoss(), Scenes(torch.zeros(1, 1, 1, 6), labels))
    assert found.edges.tolist() == [[[False, False, False, True, True, False]]]
    assert found.deviation[0, 0].tolist() == pytest.approx([0.5, 0.5, 0.75, 0.5, 0.5, 0.5])
    assert found.pull[0, 0].tolist() == pytest.approx([1 / 6, 1 / 6, 0.25, 1 / 6, 1 / 6, 1 / 6])
    assert share(found.deviation, found.edges) == pytest.approx(1 / 3.25)


def test_a_run() -> None:
    rows = [carry_out(Run(loss, 2, 3, 0), TINY) for loss in ("cross-entropy", CONTINUED, "α = 20, n = 3")]
    before, continued, tuned = rows
    assert isinstance(tuned, Row)
    assert [row.pretraining_epochs for row in rows] == [None, TINY.epochs, TINY.epochs]
    assert before.deviation_at_edges == continued.deviation_at_edges == tuned.deviation_at_edges
    assert before.pull_at_edges == continued.pull_at_edges != tuned.pull_at_edges
    assert 0 < before.edge_pixels < 1
    assert set(FINE_TUNING) >= set(EXPONENTIAL) - {"cross-entropy"}


def test_alpha_alone_changes_no_step_of_adam_but_rounding() -> None:
    """Alone, α multiplies the gradient, and Adam divides by its size."""
    few, many = (carry_out(Run(f"α = {alpha}, n = 3", 2, 3, 0), TINY) for alpha in (2, 20))
    assert few.validation_loss != many.validation_loss
    assert 1 - few.validation_loss == pytest.approx((1 - many.validation_loss) / 10, rel=1e-3)
