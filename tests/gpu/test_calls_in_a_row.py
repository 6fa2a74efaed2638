"""Three calls of a form on a GPU: decided anew, written down, replayed; each against float64 without kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import seglosses_torch as sl
from seglosses_torch import function, replay
from seglosses_torch.eager import EagerOps

LOSSES: dict[str, Callable[[], Any]] = {
    "Dice + cross-entropy": lambda: sl.DiceLoss() + sl.CrossEntropyLoss(),
    "class weights": lambda: sl.CrossEntropyLoss(class_weights=torch.tensor([1.0, 2.0, 0.5, 4.0])),
    "focal": lambda: sl.FocalLoss(ignore_index=0),
    "power Jaccard": lambda: sl.PowerJaccardLoss(p=1.5, aggregate="batch"),
}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", LOSSES)
def test_three_calls(name: str, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    monkeypatch.setattr(replay, "CALLS_BEFORE", 1)
    loss = LOSSES[name]().cuda()
    torch.manual_seed(0)
    for factor in (1.0, 2.0, 0.5):
        logits = 2 * torch.randn(3, 4, 33, 20, device="cuda")
        logits = logits.to(memory_format=LAYOUTS[layout]).requires_grad_()
        labels = torch.randint(0, 4, (3, 33, 20), device="cuda")
        value = factor * loss(logits, labels)
        value.backward()
        assert logits.grad is not None
        assert logits.grad.stride() == logits.stride()
        wide = logits.detach().double().requires_grad_()
        with monkeypatch.context() as patched:
            patched.setattr(function, "eager_operations", lambda *given: EagerOps)
            right = factor * LOSSES[name]().cuda()(wide, labels)
            right.backward()
        assert wide.grad is not None
        torch.testing.assert_close(value.double(), right, rtol=2e-6, atol=0)
        error = (logits.grad - wide.grad).abs().max() / wide.grad.abs().max()
        assert error < 5e-6
    assert len(loss._programs.known()) == 1
