"""The hand-written derivative as autograd sees it: first and second order, precision, layout, and every other input."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_cases import (
    CASES,
    ONE_PER_LOSS,
    C,
    Case,
    H,
    N,
    W,
    close,
    each_case,
    each_curved,
    each_loss,
    gradient,
    heat_map,
    labels,
    logits,
    soft,
)

import seglosses_torch as sl
from seglosses_conformance.losses import ENTRIES
from seglosses_core import EnsembleLoss as CoreEnsembleLoss
from seglosses_core.loss import Loss
from seglosses_core.single import SingleLoss

HALF = [torch.float16, torch.bfloat16]


def direction(z: Tensor) -> Tensor:
    return torch.randn(z.shape, generator=torch.Generator().manual_seed(9), dtype=z.dtype)


@each_case
def test_gradient_is_that_of_the_formula(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits().requires_grad_()
    by_hand, by_autograd = loss(z, **given), loss.formula(z, **given)
    close(by_hand, by_autograd)
    close(gradient(by_hand, z), gradient(by_autograd, z))


@each_loss
def test_nothing_waits_for_the_garbage_collector(case: Case) -> None:
    """Memory is given back when the value is let go, and not when Python looks for cycles."""
    loss, given, z = case.make(), case.arguments(), case.logits().requires_grad_()
    before = logits_sized()
    gc.disable()
    try:
        gradient(loss(z, **given), z)
        assert logits_sized(collect=False) == before
    finally:
        gc.enable()


@each_curved
def test_hessian_vector_product_is_that_of_the_formula(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits().requires_grad_()

    def product(value: Tensor) -> Tensor:
        slope = gradient(value, z, create_graph=True)
        return gradient((slope * direction(z)).sum(), z)

    close(product(loss(z, **given)), product(loss.formula(z, **given)))


@each_case
def test_second_derivative_beside_the_first(case: Case) -> None:
    """A gradient penalty: first and second order flow into one backward."""
    loss, given = case.make(), case.arguments()

    def penalised(call: Any) -> Tensor:
        z = case.logits().requires_grad_()
        value = call(z, **given)
        slope = gradient(value, z, create_graph=True)
        (value + (slope**2).sum()).backward()
        return z.grad

    close(penalised(loss), penalised(loss.formula))


def test_gradcheck_and_gradgradcheck() -> None:
    z, t = torch.randn(1, 3, 2, dtype=torch.float64, requires_grad=True), torch.tensor([[0, 2]])
    loss = 0.5 * sl.DiceLoss() + sl.FocalLoss()
    assert torch.autograd.gradcheck(lambda z: loss(z, t), z)
    assert torch.autograd.gradgradcheck(lambda z: loss(z, t), z)


@each_case
def test_backward_twice_on_a_retained_graph(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits().requires_grad_()
    value = loss(z, **given)
    first = gradient(value, z, retain_graph=True, grad_outputs=torch.tensor(4.0, dtype=z.dtype)).clone()
    second = gradient(value, z)
    assert torch.equal(4 * second, first)


def test_the_finished_gradient_is_handed_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    z = torch.randn(2, 3, 4, requires_grad=True)
    value = sl.DiceLoss()(z, torch.zeros(2, 4, dtype=torch.int64))
    assert calls == ["DiceLoss"]
    value.backward(retain_graph=True)
    assert calls == ["DiceLoss"]
    value.backward()
    assert calls == ["DiceLoss"] * 2


def test_gradients_of_many_upstream_factors_at_once() -> None:
    z, t = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True), torch.zeros(2, 4, dtype=torch.int64)
    upstream = torch.tensor([1.0, -2.0, 5.0], dtype=torch.float64)
    expected = gradient(sl.DiceLoss()(z, t), z)
    batched = gradient(sl.DiceLoss()(z, t), z, grad_outputs=upstream, is_grads_batched=True)
    close(batched, upstream[:, None, None, None] * expected)


def test_given_probabilities_are_not_touched() -> None:
    """Nearly perfect ones, of which the false positives are added up by themselves."""
    z = torch.tensor([[[9.0, -9.0], [-9.0, 9.0]]], requires_grad=True)
    probabilities = z.softmax(1)
    before = probabilities._version
    sl.DiceLoss(activation="identity")(probabilities, torch.tensor([[0, 1]])).backward()
    assert probabilities._version == before
    assert z.grad.isfinite().all()


def test_logits_changed_before_backward_are_noticed() -> None:
    z = torch.randn(2, 3, 4, requires_grad=True)
    scores = z * 1
    value = sl.DiceLoss()(scores, torch.zeros(2, 4, dtype=torch.int64))
    scores += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_values_are_those_of_torch(activation: str) -> None:
    z, t = logits(), labels()
    if activation == "softmax":
        weight = torch.tensor([1.0, 0.5, 2.0], dtype=z.dtype)
        ours = sl.CrossEntropyLoss(class_weights=weight, label_smoothing=0.1, ignore_index=1)(z, t)
        expected = nn.functional.cross_entropy(z, t, weight=weight, label_smoothing=0.1, ignore_index=1)
    else:
        ours = sl.CrossEntropyLoss(activation="sigmoid")(z, soft())
        expected = nn.functional.binary_cross_entropy_with_logits(z, soft())
    close(ours, expected)


# -- no gradient, no work ---------------------------------------------------------------------------------------------


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The losses whose hand-written gradient has been computed."""
    calls: list[str] = []

    def counting(kind: type[Loss]) -> Any:
        original = kind.value_and_gradients

        def spy(self: Loss, *args: Any, **options: Any) -> Any:
            calls.append(type(self).__name__)
            return original(self, *args, **options)

        return spy

    for kind in (SingleLoss, CoreEnsembleLoss):
        monkeypatch.setattr(kind, "value_and_gradients", counting(kind))
    return calls


def logits_sized(*, collect: bool = True) -> int:
    """How many tensors as large as the logits are alive."""
    if collect:
        gc.collect()
    return sum(issubclass(type(x), Tensor) and x.numel() == N * C * H * W for x in gc.get_objects())


@each_case
@pytest.mark.parametrize("reason", ["no_grad", "inference_mode", "nothing requires it"])
def test_no_gradient_work_where_none_is_wanted(
    case: Case, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    loss, given, z = (
        case.make(),
        case.arguments(),
        case.logits().requires_grad_(reason != "nothing requires it"),
    )
    context = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}.get(
        reason, torch.enable_grad
    )
    with context():
        value = loss(z, **given)
    assert calls == []
    assert not value.requires_grad
    close(value, loss(z, **given).detach(), relative=1e-12)


@pytest.mark.sampled(4)
@each_loss
def test_nothing_as_large_as_the_logits_is_kept_under_no_grad(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits().requires_grad_()
    alive = logits_sized()
    with torch.no_grad():
        value = loss(z, **given)
    assert logits_sized() == alive
    assert value.grad_fn is None


def test_with_a_gradient_the_count_of_live_tensors_does_rise() -> None:
    """What the test above looks at is there to be seen."""
    loss, z, t = sl.DiceLoss(), logits().requires_grad_(), labels()
    alive = logits_sized()
    value = loss(z, t)
    node = value.grad_fn
    assert node.back is not None
    assert logits_sized() == alive + 1
    value.backward()
    assert node.back is None


# -- precision --------------------------------------------------------------------------------------------------------


@each_case
@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_half_precision_is_computed_in_float32(case: Case, dtype: torch.dtype) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits(dtype).requires_grad_()
    wide = z.detach().double().requires_grad_()
    value, expected = loss(z, **given), loss(wide, **given)
    assert value.dtype == torch.float32
    close(value.double(), expected, relative=1e-5)
    found, slope = gradient(value, z), gradient(expected, wide)
    assert found.dtype == dtype
    close(found.double(), slope, relative=torch.finfo(dtype).eps)


@each_case
@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_autocast_changes_nothing(case: Case, dtype: torch.dtype) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits(torch.float32).requires_grad_()
    expected = loss(z, **given)
    slope = gradient(expected, z, retain_graph=True)
    with torch.autocast("cpu", dtype=dtype):
        value = loss(z, **given)
        ready = gradient(value, z, retain_graph=True).clone()
        recomputed = gradient(value, z)
        with torch.no_grad():
            unrecorded = loss(z, **given)
    assert value.dtype == unrecorded.dtype == torch.float32
    torch.testing.assert_close(value, expected, rtol=0, atol=0)
    torch.testing.assert_close(ready, slope, rtol=0, atol=0)
    close(unrecorded, expected.detach(), relative=1e-6)
    close(recomputed, slope, relative=1e-5)


def test_autocast_of_a_network_and_its_loss() -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(3, C, 1)
    images, t = torch.randn(N, 3, H, W), labels()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = network(images)
        value = sl.DiceLoss()(scores, t)
    assert scores.dtype == torch.bfloat16
    assert value.dtype == torch.float32
    value.backward()
    close(value, sl.DiceLoss()(scores.float(), t), relative=1e-6)
    assert network.weight.grad.abs().max() > 0


@each_case
def test_gradient_scaler_with_float16_logits(case: Case) -> None:
    """The upstream factor of 65536 is multiplied in before the gradient is rounded to float16."""
    loss, given = case.make(), case.arguments()
    rounded = case.logits(torch.float16)
    exact = rounded.double().requires_grad_()
    slope = gradient(1e-5 * loss(exact, **given), exact)
    assert (slope.half() != slope).any()

    parameter = nn.Parameter(rounded.float())
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=65536.0)
    scaler.scale(1e-5 * loss(parameter.half(), **given)).backward()
    scaler.unscale_(optimizer)
    close(parameter.grad.double(), slope, relative=1e-3)
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 65536.0
    close(parameter.detach().double(), rounded.double() - slope, relative=1e-6)


def test_a_large_volume_in_float16_with_a_scaler() -> None:
    """Unscaled, most of these gradients are below what float16 can hold; scaled in float16, the sums overflow."""
    z = torch.randn(1, 2, 64, 64, 64, generator=torch.Generator().manual_seed(0)).half()
    t = (torch.rand(1, 64, 64, 64, generator=torch.Generator().manual_seed(1)) < 1e-3).long()
    exact, half = z.double().requires_grad_(), z.clone().requires_grad_()
    slope = gradient(sl.DiceLoss()(exact, t), exact)
    found = gradient(sl.DiceLoss()(half, t) * 65536, half)
    assert found.isfinite().all()
    close(found.double() / 65536, slope, relative=1e-3)


# -- layout -----------------------------------------------------------------------------------------------------------

LAYOUTS = [(case, {}) for case in CASES]
LAYOUTS += [
    (case, {"reduction": "none"}) for case in ONE_PER_LOSS if "reduction" in case.core.hyperparameters()
]


@pytest.mark.parametrize(("case", "options"), LAYOUTS, ids=str)
@pytest.mark.sampled(1)
def test_channels_last(case: Case, options: dict[str, str]) -> None:
    loss, given = case.make(**options), case.arguments()
    plain = case.logits().requires_grad_()
    last = plain.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    close(loss(last, **given), loss(plain, **given))
    expected = gradient(loss(plain, **given).sum(), plain)
    found = gradient(loss(last, **given).sum(), last)
    close(found, expected)
    loss(last, **given).sum().backward()
    assert last.grad.is_contiguous(memory_format=torch.channels_last)
    if loss.reduction != "none":  # by the hand-written derivative, so without a copy
        assert found.is_contiguous(memory_format=torch.channels_last)


@each_case
@pytest.mark.parametrize("row", [False, True], ids=["image", "row"])
def test_arrays_that_lie_transposed_in_memory(case: Case, row: bool) -> None:
    """Of a row of pixels too, whose labels, images by pixels, are a matrix that is one axis only as a copy."""

    def part(name: str, x: Tensor) -> Tensor:
        return x[..., 0, :] if row and name != "sample_weight" else x

    given = {name: part(name, x) for name, x in case.arguments().items()}
    turned = {name: x.movedim(-1, 0).contiguous().movedim(0, -1) for name, x in given.items()}
    plain = part("logits", case.logits()).contiguous().requires_grad_()
    leaf = plain.detach().movedim(-1, 0).contiguous().movedim(0, -1).requires_grad_()
    torch.testing.assert_close(case.make()(leaf, **turned), case.make()(plain, **given))
    found = gradient(case.make()(leaf, **turned), leaf)
    torch.testing.assert_close(found, gradient(case.make()(plain, **given), plain))


def test_a_view_with_the_classes_last_gives_the_gradient_in_its_own_layout() -> None:
    z = torch.randn(N, H, W, C, dtype=torch.float64)
    view = z.movedim(-1, 1).requires_grad_()
    found = gradient(sl.DiceLoss()(view, labels()), view)
    assert found.stride() == view.stride()
    last = z.clone().requires_grad_()
    close(found.movedim(1, -1), gradient(sl.DiceLoss(class_axis=-1)(last, labels()), last))


def test_channels_last_volume() -> None:
    z = torch.randn(N, C, 2, H, W).contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    t = (torch.arange(N * 2 * H * W) % C).reshape(N, 2, H, W)
    found = gradient(sl.DiceLoss()(z, t), z)
    assert found.is_contiguous(memory_format=torch.channels_last_3d)


@each_case
def test_deterministic_algorithms(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits(torch.float32).requires_grad_()
    torch.use_deterministic_algorithms(True)
    try:
        runs = [(value := loss(z, **given), gradient(value, z, create_graph=True)) for _ in range(2)]
    finally:
        torch.use_deterministic_algorithms(False)
    (first, slope), (second, again) = runs
    assert torch.equal(first, second)
    assert torch.equal(slope, again)


# -- other inputs -----------------------------------------------------------------------------------------------------


def check_slope(call: Any, x: Tensor) -> None:
    """The gradient of `call` at x against central differences in three directions, in float64."""
    x = x.detach().requires_grad_()
    slope = gradient(call(x), x)
    for seed in range(3):
        v = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)
        change = call(x.detach() + 1e-6 * v) - call(x.detach() - 1e-6 * v)
        torch.testing.assert_close((slope * v).sum(), change.detach() / 2e-6, rtol=1e-5, atol=1e-9)
        assert abs(change) > 1e-10


SOFT = [case for case in ONE_PER_LOSS if "soft" in case.sample.targets and ENTRIES[case.loss].soft_slope]


@pytest.mark.parametrize("logits_too", [False, True], ids=["alone", "beside the logits"])
@pytest.mark.parametrize("case", SOFT, ids=str)
def test_gradient_of_a_soft_target(case: Case, logits_too: bool) -> None:
    loss, z, given = case.make(), case.logits().requires_grad_(logits_too), case.arguments()
    check_slope(lambda t: loss(z, **{**given, "target": t}), soft())


def test_gradient_of_a_heat_map() -> None:
    loss, z, peaks = sl.DistanceAwareCrossEntropyLoss(), logits(), heat_map() == 1
    check_slope(lambda t: loss(z, t.where(~peaks, 1.0)), heat_map())  # at a peak the loss itself jumps


@pytest.mark.parametrize("weight", ["mask", "sample_weight"])
@each_loss
@pytest.mark.sampled(1)
def test_gradient_of_weights(case: Case, weight: str) -> None:
    loss, z, given = case.make(), case.logits().requires_grad_(), case.arguments()
    shape = (N,) if weight == "sample_weight" else (N, H, W)
    w = 0.5 + torch.rand(shape, generator=torch.Generator().manual_seed(7), dtype=z.dtype)
    check_slope(lambda w: loss(z, **{**given, weight: w}), w)


@pytest.mark.parametrize("make", [sl.PowerDiceLoss, sl.PowerJaccardLoss])
@pytest.mark.parametrize("target", [labels, soft])
def test_gradient_of_a_learnable_power(make: Any, target: Any) -> None:
    z, p = logits().requires_grad_(), sl.LearnablePower(1.6).double()
    loss = make(p=p)
    value = loss(z, target())
    close(value, make(p=p().item())(z, target()))
    value.backward()
    raw = p.raw.detach().requires_grad_()
    check_slope(lambda raw: make(p=1 + raw.sigmoid()).formula(z.detach(), target()), raw)
    again = z.detach().requires_grad_()
    close(z.grad, gradient(make(p=p().item())(again, target()), again))


def test_gradient_of_ensemble_weights() -> None:
    z = logits().requires_grad_()
    members = [sl.DiceLoss(), sl.CrossEntropyLoss(), sl.PowerJaccardLoss(p=sl.LearnablePower(1.4).double())]
    weights = sl.LearnableWeights([1.0, 2.0, 3.0]).double()
    loss = sl.EnsembleLoss(losses=members, weights=weights)
    values = torch.stack([member(z.detach(), labels()) for member in members]).detach()
    shares = torch.tensor([1.0, 2.0, 3.0], dtype=z.dtype) / 6
    value = loss(z, labels())
    close(value, (shares * values).sum(), relative=1e-6)
    value.backward()
    close(weights.raw.grad, shares * (values - (shares * values).sum()), relative=1e-6)
    assert members[2].p.raw.grad.abs() > 0
    fixed = z.detach().requires_grad_()
    plain = sl.EnsembleLoss(losses=members, weights=weights().tolist())
    close(z.grad, gradient(plain(fixed, labels()), fixed))


@pytest.mark.parametrize("name", ["class_weights", "alpha"])
def test_gradient_of_weights_of_classes(name: str) -> None:
    z = logits()
    start = torch.tensor([0.2, 0.5, 0.9], dtype=z.dtype)

    def value(weights: Tensor) -> Tensor:
        return sl.FocalLoss(**{name: weights})(z, labels())

    check_slope(value, start)


def test_gradient_of_features_beside_that_of_the_logits() -> None:
    z = logits().requires_grad_()
    x = torch.randn(N, 3, H, W, dtype=z.dtype, requires_grad=True)
    loss = sl.CenterLoss(num_classes=C, num_features=3, weight=0.5).double().eval()
    loss.centers.copy_(torch.randn(C, 3, generator=torch.Generator().manual_seed(0)))
    slope, of_features = torch.autograd.grad(loss(z, labels(), features=x), (z, x))
    close(of_features, gradient(loss(z.detach(), labels(), features=x), x))
    check_slope(lambda x: loss(z, labels(), features=x), x)
    close(slope, gradient(loss(z, labels(), features=x.detach()), z))  # the hand-written derivative
    check_slope(lambda z: loss(z, labels(), features=x.detach()), z)


@pytest.mark.parametrize("loss", [sl.DiceLoss(), sl.CrossEntropyLoss()], ids=["Dice", "cross-entropy"])
def test_a_default_device_is_not_that_of_the_logits(loss: sl.TorchLoss) -> None:
    z = torch.randn(3, 3, 4, 5, requires_grad=True)
    labels = torch.randint(3, (3, 4, 5))
    here = gradient(loss(z, labels), z)
    with torch.device("meta"):
        there = loss(z, labels)
    torch.testing.assert_close(gradient(there, z), here)
