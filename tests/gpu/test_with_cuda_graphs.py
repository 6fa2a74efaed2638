"""A loss in a compiled program that is replayed as a CUDA graph; after the other tests, since it takes a compiler."""

from __future__ import annotations

import pytest
import torch

from seglosses_torch import CrossEntropyLoss, DiceLoss


def test_every_call_has_its_own_numbers() -> None:
    """The first calls are run and recorded, the later ones replayed."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    loss = DiceLoss() + CrossEntropyLoss()
    compiled = torch.compile(loss, mode="reduce-overhead", fullgraph=True)
    torch.manual_seed(0)
    for _ in range(5):
        torch.compiler.cudagraph_mark_step_begin()
        logits = torch.randn(2, 5, 16, 32, device="cuda")
        labels = torch.randint(0, 5, (2, 16, 32), device="cuda")
        found = []
        for one in (compiled, loss):
            given = logits.clone().requires_grad_()
            value = one(given, labels)
            value.backward()
            assert given.grad is not None
            found.append((value.detach().clone(), given.grad.clone()))
        (value, gradient), (expected, slope) = found
        torch.testing.assert_close(value, expected, rtol=2e-6, atol=0)
        torch.testing.assert_close(gradient, slope, rtol=0, atol=5e-6 * float(slope.abs().max()))
