"""Calls of a form on a CPU: the first ones are computed anew, then one is written down, and the next are replayed. All
of them give the same bits."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint
from torch_cases import CASES, Case, each_case, each_loss

import seglosses_torch as sl
from seglosses_torch import replay
from seglosses_torch.module import TorchLoss

NEVER = {"BoundaryLoss", "DistancePenalizedCrossEntropyLoss", "GeneralizedSurfaceLoss", "HausdorffDTLoss"}
"""Those that measure distances, which NumPy does."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "CALLS_BEFORE", 1)


def call(loss: TorchLoss, logits: Tensor, factor: float = 1.0, **given: Tensor) -> list[Tensor]:
    """Value and gradient."""
    leaf = logits.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    value = loss(leaf, **given)
    (factor * value.sum()).backward()
    assert leaf.grad is not None
    return [value.detach(), leaf.grad]


def anew(loss: TorchLoss, *args: Any, **given: Any) -> list[Tensor]:
    """The same of a copy, which remembers no calls."""
    return call(copy.deepcopy(loss), *args, **given)


def same(found: list[Tensor], right: list[Tensor]) -> None:
    torch.testing.assert_close(found, right, rtol=0, atol=0, equal_nan=True)
    assert [x.stride() for x in found] == [x.stride() for x in right]


def programs(loss: TorchLoss) -> list[replay.Program]:
    return loss._programs.known()


@each_case
def test_the_same_bits(case: Case) -> None:
    loss = case.make()
    for dtype in (torch.float32, torch.bfloat16):
        logits = case.logits(dtype)
        for other in (logits, logits.flip(-1), logits.flip(0), -logits):
            same(call(loss, other, **case.arguments()), anew(loss, other, **case.arguments()))
        same(call(loss, logits, 2.5, **case.arguments()), anew(loss, logits, 2.5, **case.arguments()))
        with torch.no_grad():
            values = [loss(logits, **case.arguments()) for _ in range(3)]
        torch.testing.assert_close(values, values[:1] * 3, rtol=0, atol=0)
    if loss.core.reduction != "none" and torch.__version__ >= "2.8":  # earlier ones make more steps of some
        assert len(programs(loss)) == (0 if case.loss in NEVER else 4)


@pytest.mark.parametrize("case", [case for case in CASES if case.loss in NEVER], ids=str)
def test_what_is_computed_elsewhere_is_not_written_down(case: Case) -> None:
    loss, logits = case.make(), case.logits(torch.float32)
    for place in range(5):
        given = {name: x.roll(place, -1) for name, x in case.arguments().items()}
        same(call(loss, logits, **given), anew(loss, logits, **given))
    assert programs(loss) == []


# -- looks ------------------------------------------------------------------------------------------------------------


def problems() -> dict[str, tuple[Tensor, Tensor]]:
    """Of one form, and each with its own outcome of looks."""
    torch.manual_seed(0)
    labels = torch.randint(0, 4, (2, 6, 5))
    logits, right = (
        2 * torch.randn(2, 4, 6, 5),
        torch.nn.functional.one_hot(labels, 4).movedim(-1, 1).contiguous(),
    )
    return {
        "ordinary": (logits, labels),
        "nearly perfect": (logits + 20 * right, labels),
        "far off": (logits - 200 * right, labels),
        "no label": (logits, labels.where(labels > 0, 7)),
        "infinite": (logits.where(right == 1, -torch.inf), labels),
        "NaN": (logits.where(logits < 2, torch.nan), labels),
        "one class": (logits, torch.zeros_like(labels)),
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda: sl.DiceLoss(),
        lambda: sl.CrossEntropyLoss(),
        lambda: sl.DiceLoss() + sl.FocalLoss() + sl.PowerJaccardLoss(p=2),
        lambda: sl.LovaszSoftmaxLoss(),
        lambda: sl.DiceLoss(activation="sigmoid") + sl.CrossEntropyLoss(activation="sigmoid"),
    ],
)
@pytest.mark.filterwarnings("ignore:logits look like")
def test_whatever_the_looks_find(make: Any) -> None:
    loss, ways = make(), 0
    for round_ in range(4):
        for logits, labels in problems().values():
            logits, labels = (x.roll(round_, -1) for x in (logits, labels))
            same(call(loss, logits, target=labels), anew(make(), logits, target=labels))
        found = programs(loss)
        if round_ and found:
            assert len(found[0].ways) > 1
            ways = ways or len(found[0].ways)
            assert len(found[0].ways) == ways  # all outcomes were there in the first two rounds


def test_more_ways_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MOST_WAYS", 1)
    loss = sl.DiceLoss()
    for _ in range(3):
        for logits, labels in problems().values():
            same(call(loss, logits, target=labels), anew(sl.DiceLoss(), logits, target=labels))
    assert programs(loss) == []


def test_a_soft_target_that_is_hard_now_and_then() -> None:
    logits, labels = problems()["ordinary"]
    hard = torch.nn.functional.one_hot(labels, 4).movedim(-1, 1).float()
    loss = sl.CrossEntropyLoss(activation="sigmoid")
    for target in (hard, hard, hard, 0.9 * hard, hard, 0.8 * hard, 0.9 * hard):
        same(call(loss, logits, target=target), anew(loss, logits, target=target))
    assert len(programs(loss)[0].ways) == 2


def test_weights_of_any_size() -> None:
    logits, labels = problems()["ordinary"]
    loss = sl.DiceLoss() + sl.CrossEntropyLoss()
    for size in (1.0, 1.0, 1.0, 1e-30, 1e30, 0.0, 1.0, -1.0):
        given = {
            "target": labels,
            "mask": size * torch.rand(2, 6, 5),
            "sample_weight": torch.tensor([1.0, 3]),
        }
        same(call(loss, logits, **given), anew(loss, logits, **given))


def test_values_are_validated_at_each_call() -> None:
    logits, labels = problems()["ordinary"]
    for loss in (sl.DiceLoss(validate=True), sl.BlobLoss(loss=sl.DiceLoss(), validate=True)):
        given = {"instances": torch.ones_like(labels)} if isinstance(loss, sl.BlobLoss) else {}
        for _ in range(4):
            loss(logits, labels, **given)
        with pytest.raises(ValueError, match="target must hold labels from 0 to 3"):
            loss(logits, labels + 1, **given)


# -- what autograd may ask --------------------------------------------------------------------------------------------


@pytest.fixture
def both() -> tuple[TorchLoss, Tensor, Tensor]:
    """A loss with a program, and arguments."""
    logits, labels = problems()["ordinary"]
    loss = sl.DiceLoss() + sl.CrossEntropyLoss()
    for _ in range(3):
        call(loss, logits, target=labels)
    assert len(programs(loss)) == 1
    return loss, logits.requires_grad_(), labels


def test_backward_twice_and_again_with_another_factor(both: tuple[TorchLoss, Tensor, Tensor]) -> None:
    loss, logits, labels = both
    right = anew(loss, logits, target=labels)[1]
    value = loss(logits, labels)
    for factor in (1.0, 4.0, 0.5):
        slope = torch.autograd.grad(value, logits, torch.tensor(factor), retain_graph=True)[0]
        torch.testing.assert_close(slope, factor * right, rtol=1e-5, atol=1e-9)
    batched = torch.autograd.grad(value, logits, torch.tensor([1.0, 3.0]), is_grads_batched=True)[0]
    torch.testing.assert_close(batched[1], 3 * right, rtol=1e-5, atol=1e-9)


def test_backward_gives_the_same_bits_each_time(both: tuple[TorchLoss, Tensor, Tensor]) -> None:
    loss, logits, labels = both
    value = loss(logits, labels)
    slopes = [torch.autograd.grad(value, logits, retain_graph=True)[0].clone() for _ in range(3)]
    same(slopes[:1] * 3, slopes)
    wide = logits.detach().double()[:1, :, :2, :2].contiguous().requires_grad_()
    for _ in range(4):
        assert torch.autograd.gradcheck(lambda z: loss(z, labels[:1, :2, :2]), (wide,))


@pytest.mark.filterwarnings("ignore:`torch.cpu.amp.autocast:FutureWarning")  # of torch 2.4 itself
@pytest.mark.parametrize("prepare", [Tensor.float, Tensor.to_dense, lambda x: x[:, None], Tensor.byte])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_activation_checkpoints(prepare: Any, dtype: torch.dtype) -> None:
    """The forward pass may write a call down, and be followed by one that replays it."""
    logits, labels = problems()["ordinary"]
    logits, target, loss = logits.to(dtype), prepare(labels), sl.DiceLoss() + sl.CrossEntropyLoss()
    right = anew(loss, logits, target=target)
    for _ in range(4):
        leaf = logits.clone().requires_grad_()
        value = checkpoint(lambda z: loss(1 * z, target), leaf, use_reentrant=False)
        value.backward()
        same([value.detach(), leaf.grad], right)
    assert len(programs(loss)) == 1


def test_second_derivatives(both: tuple[TorchLoss, Tensor, Tensor]) -> None:
    loss, logits, labels = both
    curvatures = []
    for some in (loss, copy.deepcopy(loss)):
        (slope,) = torch.autograd.grad(some(logits, labels), logits, create_graph=True)
        curvatures += torch.autograd.grad(slope.square().sum(), logits)
    torch.testing.assert_close(*curvatures)
    assert curvatures[0].abs().max() > 0


def test_logits_that_are_overwritten_before_backward(both: tuple[TorchLoss, Tensor, Tensor]) -> None:
    loss, logits, labels = both
    hidden = logits * 1
    value = loss(hidden, labels)
    hidden.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def test_a_gradient_belongs_to_its_caller(both: tuple[TorchLoss, Tensor, Tensor]) -> None:
    loss, logits, labels = both
    first = call(loss, logits, target=labels)
    kept = [x.clone() for x in first]
    call(loss, -logits, target=labels)
    same(first, kept)
    first[0].zero_()
    first[1].zero_()
    same(call(loss, logits, target=labels), kept)


@pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning")
def test_modes(both: tuple[TorchLoss, Tensor, Tensor]) -> None:
    loss, logits, labels = both
    value, slope = anew(loss, logits, target=labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        same(call(loss, logits, target=labels), [value, slope])
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert [loss(logits, labels).item() for _ in range(3)] == [value.item()] * 3
    same(call(loss, logits, target=labels), [value, slope])
    torch.testing.assert_close(torch.func.grad(lambda z: loss(z, labels))(logits.detach()), slope)
    _, along = torch.func.jvp(lambda z: loss(z, labels), (logits.detach(),), (slope,))
    torch.testing.assert_close(along, slope.square().sum())


# -- what a module holds ----------------------------------------------------------------------------------------------


def test_tensors_among_the_hyper_parameters_change() -> None:
    logits, labels = problems()["ordinary"]
    weights = torch.tensor([1.0, 2, 3, 4])
    loss = sl.DiceLoss(class_weights=weights) + sl.CrossEntropyLoss(class_weights=weights)
    for change in (None, None, None, torch.sqrt, torch.square, torch.zeros_like):
        for member in loss.losses:
            if change is not None:
                member.class_weights = change(member.class_weights)
        same(call(loss, logits, target=labels), anew(loss, logits, target=labels))
    loss = sl.CrossEntropyLoss(class_weights=weights)
    for _ in range(4):
        loss.class_weights.mul_(torch.tensor([1.0, 2, 1, 1]))
        same(call(loss, logits, target=labels), anew(loss, logits, target=labels))


def test_what_is_learnt() -> None:
    """Training is not replayed, validation is, and takes what has been learnt since."""
    logits, labels = problems()["ordinary"]
    learnt = sl.PowerDiceLoss(p=sl.LearnablePower(1.3))
    weighted = sl.EnsembleLoss(
        losses=[sl.DiceLoss(), sl.CrossEntropyLoss()], weights=sl.LearnableWeights([0.3, 0.7])
    )
    for loss in (learnt, weighted):
        optimizer, values = torch.optim.SGD(loss.parameters(), lr=1.0), []
        for _ in range(4):
            optimizer.zero_grad()
            call(loss, logits, target=labels)
            optimizer.step()
            with torch.no_grad():
                values.append(loss(logits, labels).item())
                assert values[-1] == copy.deepcopy(loss)(logits, labels).item()
        assert len(set(values)) == 4
        assert len(programs(loss)) == 1


class Schedule(torch.nn.Module):
    exponent = 1.2

    def __init__(self, make: Any) -> None:
        super().__init__()
        self.make = make

    def forward(self) -> Any:
        return self.make(self.exponent)


@pytest.mark.parametrize("make", [float, torch.tensor, lambda exponent: exponent])
def test_a_module_that_gives_a_hyper_parameter(make: Any) -> None:
    logits, labels = problems()["ordinary"]
    loss = sl.PowerDiceLoss(p=Schedule(make))
    for loss.p.exponent in (1.2, 1.2, 1.2, 1.8, 2.0, 2, 1.2):
        same(call(loss, logits, target=labels), anew(loss, logits, target=labels))


def test_hyper_parameters_that_a_module_lists() -> None:
    logits, labels = problems()["ordinary"]
    loss = sl.DiceLoss(class_weights=Schedule(lambda exponent: [1.0, exponent, 3.0, 4.0]))
    for loss.class_weights.exponent in (1.2, 1.2, 1.2, 2.0, 2.0, 2.0):
        same(call(loss, logits, target=labels), anew(loss, logits, target=labels))
    assert len(programs(loss)) == 2


def test_members_of_an_ensemble_change() -> None:
    logits, labels = problems()["ordinary"]
    weights = torch.tensor([1.0, 2, 3, 4])
    loss = sl.DiceLoss(class_weights=weights.clone()) + sl.CrossEntropyLoss(class_weights=weights.flip(0))
    held = [member.class_weights for member in loss.losses]
    for first, second in [held, [None, held[1]], [held[0], None], [held[1], held[0]], [held[0], held[0]]]:
        loss.losses[0].class_weights, loss.losses[1].class_weights = first, second
        for _ in range(3):
            same(call(loss, logits, target=labels), anew(loss, logits, target=labels))
    loss = loss + sl.FocalLoss(class_weights=weights)
    for places in ((0, 0, 1), (0, 1, 1), (0, 1, 0)):
        for member, place in zip(loss.losses, places, strict=True):
            member.class_weights = held[place]
        for _ in range(3):
            same(call(loss, logits, target=labels), anew(loss, logits, target=labels))
    loss.losses[0] = sl.PowerJaccardLoss(p=2)
    for _ in range(3):
        same(call(loss, logits, target=labels), anew(loss, logits, target=labels))


def test_a_gradient_is_that_of_the_loss_as_it_was() -> None:
    logits, labels = problems()["ordinary"]
    logits.requires_grad_()
    weights = torch.tensor([1.0, 2, 3, 4])
    loss = sl.DiceLoss(class_weights=weights)
    for _ in range(3):
        call(loss, logits, target=labels)
    value = loss(logits, labels)
    loss.class_weights = weights.flip(0)
    slopes = [
        torch.autograd.grad(value, logits, retain_graph=True, create_graph=curved)[0]
        for curved in (False, False, True)
    ]
    same([slopes[0]], [slopes[1]])
    torch.testing.assert_close(slopes[0], slopes[2], rtol=1e-5, atol=1e-8)


def test_a_copy_for_other_processes_has_programs_of_its_own() -> None:
    logits, labels = problems()["ordinary"]
    weights = torch.tensor([1.0, 2, 3, 4])
    loss = sl.DiceLoss(class_weights=weights)
    for _ in range(3):
        call(loss, logits, target=labels)
    other = loss.alone()
    assert programs(other) == []
    other.class_weights = weights.flip(0)
    for target in (labels, torch.zeros_like(labels)) * 3:
        same(call(other, logits, target=target), anew(other, logits, target=target))


def test_copies_start_anew(both: tuple[TorchLoss, Tensor, Tensor]) -> None:
    loss, logits, labels = both
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert programs(other) == []
        same(call(other, logits, target=labels), call(loss, logits, target=labels))


def test_many_forms() -> None:
    """Those that were not called for longest are forgotten, and what comes and goes is never written down."""
    loss, written = sl.CrossEntropyLoss(), []

    def of_width(pixels: int) -> None:
        loss(torch.zeros(1, 2, pixels), torch.zeros(1, pixels, dtype=torch.int64))

    for _ in range(3):
        for pixels in range(1, replay.MOST_FORMS + 6):
            of_width(pixels)
        written.append(len(programs(loss)))
    assert written == [0, 0, 0]
    for pixels in (*range(1, 6), *range(100, 130)):
        for _ in range(3):
            of_width(pixels)
        of_width(1)
    assert len(loss._programs._by_form) == replay.MOST_FORMS
    assert len(programs(loss)) == 35


def test_a_few_calls_are_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    logits, labels = problems()["ordinary"]
    loss, written = sl.DiceLoss(), []
    for _ in range(20):
        call(loss, logits, target=labels)
        written.append(len(programs(loss)))
    assert 0 < written.index(1) == replay.CALLS_BEFORE < 20


def test_large_arrays_are_worked_on_in_parts() -> None:
    loss, logits = sl.CrossEntropyLoss(), torch.zeros(1, 4, 2**16 + 1)
    for _ in range(3):
        loss(logits, torch.zeros(1, 2**16 + 1, dtype=torch.int64))
    assert programs(loss) == []


def test_whoever_listens_may_call_the_loss() -> None:
    logits, labels = problems()["ordinary"]
    loss, seen = sl.CrossEntropyLoss(), []

    class Listener(TorchDispatchMode):
        def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if not seen:
                seen.append(loss(logits, labels))
            return operation(*args, **(kwargs or {}))

    right = loss(logits, labels)
    for _ in range(4):
        seen.clear()
        with Listener():
            found = loss(logits, labels)
        same([found, *seen], [right, right])


@pytest.mark.since(torch="2.5")
def test_what_nobody_would_hear_is_not_written_down() -> None:
    logits, labels = problems()["ordinary"]
    loss = sl.BoundaryLoss()
    with torch._C.DisableTorchFunction():
        for target in (labels, labels, labels, labels.flip(-1)):
            same(call(loss, logits, target=target), anew(loss, logits, target=target))
    assert programs(loss) == []


def test_errors_stay_as_they_are() -> None:
    logits, labels = problems()["ordinary"]
    loss = sl.DiceLoss()
    for _ in range(4):
        loss(logits, labels)
        with pytest.raises(TypeError, match="target must be an array, got NoneType"):
            loss(logits, None)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="target must be integer labels of shape"):
            loss(logits, labels[:, 1:])
        with pytest.raises((RuntimeError, NotImplementedError), match=r"aten::|Sparse"):
            loss(logits.to_sparse(), labels)


def test_threads_share_a_loss() -> None:
    loss, given = sl.DiceLoss() + sl.CrossEntropyLoss(), [*problems().values()]
    right = [anew(loss, logits, target=labels) for logits, labels in given]
    wrong: list[Any] = []

    def work(first: int) -> None:
        for i in range(first, first + 40):
            logits, labels = given[i % len(given)]
            try:
                same(call(loss, logits, target=labels), right[i % len(given)])
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_search_for_cycles_finds_nothing() -> None:
    logits, labels = problems()["ordinary"]
    loss = sl.DiceLoss(class_weights=torch.ones(4)) + sl.CrossEntropyLoss()
    for _ in range(3):
        call(loss, logits, target=labels)
    gone = weakref.ref(loss)
    gc.collect()
    gc.disable()
    call(loss, logits, target=labels)
    found = gc.collect()
    del loss
    gc.enable()
    assert found == 0
    assert gone() is None


@each_loss
@pytest.mark.sampled(6)
def test_nothing_is_held_after_a_call(case: Case) -> None:
    loss, logits = case.make(), case.logits(torch.float32)
    given = case.arguments()

    def bytes_held() -> int:
        call(loss, logits, **given)
        gc.collect()
        return sum(x.nbytes for x in gc.get_objects() if type(x) is Tensor)

    for _ in range(3):
        bytes_held()
    assert bytes_held() == bytes_held()
