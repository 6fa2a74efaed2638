"""Large fresh tensors: what is asked of the kernel, and that nothing depends on its answer."""

import mmap

import pytest
import torch

import seglosses_torch as sl
from seglosses_torch import memory

LARGE = (2, 8, 192, 384)
"""Of logits with 4.5 MB."""
needs_advice = pytest.mark.skipif(memory._ADVISE is None, reason="there is no madvise here")


def test_advice_is_for_pages_of_the_tensor_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(memory, "_ADVISE", lambda *given: asked.append(given) or 0)
    x = memory.empty_like(torch.empty(LARGE))
    [(start, length, advice)] = asked
    assert advice == mmap.MADV_HUGEPAGE
    assert start % mmap.PAGESIZE == 0
    assert x.data_ptr() <= start < x.data_ptr() + mmap.PAGESIZE
    assert start + length == x.data_ptr() + x.nbytes


def test_small_tensors_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_ADVISE", lambda *_: pytest.fail("advice for a small tensor"))
    assert memory.empty_like(torch.empty(64, 64)).shape == (64, 64)


def test_no_advice_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert memory._find_advise() is None


@needs_advice
def test_the_kernel_takes_the_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    advise = memory._ADVISE
    monkeypatch.setattr(memory, "_ADVISE", lambda *given: answers.append(advise(*given)))
    memory.empty_like(torch.empty(LARGE))
    assert answers == [0]


@pytest.mark.parametrize("answer", [None, lambda *_: -1], ids=["no advice", "advice refused"])
@pytest.mark.parametrize("loss", [sl.DiceLoss(), sl.CrossEntropyLoss(), sl.DiceLoss(activation="sigmoid")])
def test_results_are_the_same_without(
    loss: sl.TorchLoss, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(LARGE, generator=generator)
    y = torch.randint(0, LARGE[1], (LARGE[0], *LARGE[2:]), generator=generator)

    def gradient() -> torch.Tensor:
        leaf = z.clone().requires_grad_()
        loss(leaf, y).backward()
        assert leaf.grad is not None
        return leaf.grad

    with_advice = gradient()
    monkeypatch.setattr(memory, "_ADVISE", answer)
    assert torch.equal(gradient(), with_advice)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "batch last", "every other column"])
def test_gradients_in_every_layout(layout: str, activation: str) -> None:
    generator = torch.Generator().manual_seed(0)
    plain = torch.randn(LARGE, generator=generator, dtype=torch.float64)
    y = torch.randint(0, LARGE[1], (LARGE[0], *LARGE[2:]), generator=generator)
    if layout == "channels_last":
        z = plain.to(memory_format=torch.channels_last)
    elif layout == "batch last":
        z = plain.movedim(0, -1).contiguous().movedim(-1, 0)
    elif layout == "every other column":
        z = plain.repeat_interleave(2, -1)[..., ::2]
    else:
        z = plain
    loss = sl.DiceLoss(activation=activation) + sl.FocalLoss(activation=activation)
    leaf, expected = z.detach().requires_grad_(), plain.clone().requires_grad_()
    loss(leaf, y).backward()
    loss.formula(expected, y).backward()
    torch.testing.assert_close(leaf.grad, expected.grad, rtol=1e-10, atol=1e-16)
