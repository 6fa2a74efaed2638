"""The losses as modules: what is stored, moved, copied, shown and trained."""

from __future__ import annotations

import copy
import inspect
import io
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_cases import C, Case, H, N, W, close, each_case, each_loss, gradient, labels, logits

import seglosses_core
import seglosses_torch as sl


def stateful() -> dict[str, sl.TorchLoss]:
    """Losses with tensors inside, whose state is not that of a new one."""
    weights = torch.tensor([1.0, 2.0, 0.5])
    center = sl.CenterLoss(num_classes=C, weight=0.3).eval()
    center.centers.copy_(torch.arange(float(C * C)).reshape(C, C))
    return {
        "class_weights": sl.DiceLoss(class_weights=weights),
        "alpha": sl.FocalLoss(alpha=weights / 4),
        "p": sl.PowerJaccardLoss(p=sl.LearnablePower(1.7)),
        "centers": center,
        "cost": sl.LocallyAdaptiveLoss(kernel_size=3, cost=sl.FocalLoss(alpha=weights / 4)),
        "ensemble": sl.EnsembleLoss(
            losses=[sl.DiceLoss(class_weights=weights), sl.PowerDiceLoss(p=sl.LearnablePower(1.2))],
            weights=sl.LearnableWeights([1.0, 3.0]),
        ),
    }


KEYS = {
    "class_weights": ["class_weights"],
    "alpha": ["alpha"],
    "p": ["p.raw"],
    "centers": ["centers"],
    "cost": ["cost.alpha"],
    "ensemble": ["losses.0.class_weights", "losses.1.p.raw", "weights.raw"],
}

each_stateful = pytest.mark.parametrize("name", KEYS)


@each_stateful
def test_state_dict_round_trip(name: str) -> None:
    loss, z = stateful()[name], logits(torch.float32)
    assert sorted(loss.state_dict()) == KEYS[name]
    expected = loss(z, labels())
    file = io.BytesIO()
    torch.save(loss.state_dict(), file)
    file.seek(0)
    other = stateful()[name]
    with torch.no_grad():
        for tensor in other.state_dict().values():
            tensor.mul_(0.5).add_(0.1)
    assert not torch.equal(other(z, labels()), expected)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(z, labels()), expected)


@each_stateful
def test_to_another_dtype(name: str) -> None:
    z = logits().requires_grad_()
    loss, wide = stateful()[name], stateful()[name].to(torch.float64)
    assert {tensor.dtype for tensor in wide.state_dict().values()} == {torch.float64}
    value = wide(z, labels())
    assert value.dtype == torch.float64
    close(value, loss(z, labels()), relative=1e-6)
    half = stateful()[name].half()
    rough = half(z.half(), labels())
    assert rough.dtype == torch.float32
    close(rough.double(), value, relative=1e-2)


@each_stateful
@pytest.mark.parametrize("logits_dtype", [torch.float32, torch.float64], ids=str)
def test_the_dtype_of_a_hyperparameter_does_not_change_that_of_the_value(
    name: str, logits_dtype: Any
) -> None:
    z = logits(logits_dtype).requires_grad_()
    for loss in (stateful()[name], stateful()[name].double()):
        value = loss(z, labels())
        assert value.dtype == logits_dtype
        assert gradient(value, z).dtype == logits_dtype


@each_stateful
def test_to_another_device(name: str) -> None:
    """On the meta device, which any machine has: nothing may be left behind on the CPU."""
    loss = stateful()[name].to("meta")
    z = logits(torch.float32).to("meta").requires_grad_()
    value = loss(z, labels().to("meta"))
    assert value.device.type == "meta"
    assert gradient(value, z).device.type == "meta"


@each_stateful
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))])
def test_copies_are_equal_and_independent(name: str, copied: Any) -> None:
    loss, z = stateful()[name], logits(torch.float32).requires_grad_()
    other = copied(loss)
    assert type(other) is type(loss)
    assert repr(other) == repr(loss)
    expected = loss(z, labels())
    assert torch.equal(other(z, labels()), expected)
    with torch.no_grad():
        for tensor in other.state_dict().values():
            tensor.mul_(0.5).add_(0.1)
    assert not torch.equal(other(z, labels()), expected)
    assert torch.equal(loss(z, labels()), expected)


@each_case
def test_every_loss_is_copied_and_pickled(case: Case) -> None:
    loss, given, z = case.make(), case.arguments(), case.logits()
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert repr(other) == repr(loss)
        assert torch.equal(other(z, **given), loss(z, **given))


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_extra_repr() -> None:
    assert repr(sl.TverskyLoss(alpha=0.3, ignore_index=255)) == (
        "TverskyLoss(activation='softmax', class_axis=1, ignore_index=255, reduction='mean', class_weights=None,"
        " divisor='weights', validate=False, aggregate='image', absent='count', include_background=True,"
        " average='pooled', smooth=1e-05, per_class=True, overlap='product', alpha=0.3, beta=0.5, log=False)"
    )
    assert "class_weights=tensor([1., 2.])" in repr(sl.DiceLoss(class_weights=torch.tensor([1.0, 2.0])))
    assert repr(sl.CenterLoss(num_classes=3, num_features=5)).startswith(
        "CenterLoss(num_classes=3, num_features=5, "
    )
    assert "reduction=TopK(fraction=0.2)" in repr(sl.CrossEntropyLoss(reduction=sl.TopK(fraction=0.2)))


def test_repr_of_what_is_nested() -> None:
    shown = repr(
        sl.EnsembleLoss(losses=[sl.DiceLoss(), sl.PowerDiceLoss(p=sl.LearnablePower(1.25))], weights=[1, 2])
    )
    assert "(1): PowerDiceLoss(" in shown
    assert "(p): LearnablePower(tensor(1.2500))" in shown
    assert "weights=(1, 2)" in shown
    assert "LearnableWeights(tensor([0.2500, 0.7500]))" in repr(sl.LearnableWeights([1.0, 3.0]))


@pytest.mark.parametrize("core", seglosses_core.LOSSES, ids=lambda kind: kind.__name__)
def test_classes_have_the_core_s_names_signatures_and_documentation(core: type) -> None:
    kind = getattr(sl, core.__name__)
    assert issubclass(kind, sl.TorchLoss)
    assert issubclass(kind, nn.Module)
    assert kind.__name__ == kind.__qualname__ == core.__name__
    assert kind.__module__ == "seglosses_torch"
    assert core.__doc__.partition("\n")[0] in kind.__doc__
    found = dict(inspect.signature(kind).parameters)
    extra = {"num_classes", "num_features"} if core is seglosses_core.CenterLoss else set()
    assert {name: found.pop(name).kind for name in extra} == dict.fromkeys(
        extra, inspect.Parameter.KEYWORD_ONLY
    )
    assert list(found) == list(inspect.signature(core).parameters)
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in found.values())
    if "class_axis" in found:
        assert found["class_axis"].default == 1


def test_hyperparameters_can_be_read_and_not_set() -> None:
    loss = sl.FocalLoss(gamma=3.0)
    assert (loss.gamma, loss.alpha, loss.reduction) == (3.0, 0.25, "mean")
    with pytest.raises(AttributeError, match=r"gamma is fixed when a loss is made; make a new FocalLoss\."):
        loss.gamma = 2.0
    assert loss.gamma == 3.0
    with pytest.raises(AttributeError, match="'FocalLoss' object has no attribute 'delta'"):
        _ = loss.delta
    # A method of the core would go by the values of construction.
    assert not hasattr(sl.PowerDiceLoss(p=sl.LearnablePower(1.5)), "value_and_grad")
    weighted = sl.DiceLoss(class_weights=torch.ones(C))
    weighted.class_weights = torch.tensor([1.0, 0.0, 0.0])
    expected = sl.DiceLoss(class_weights=(1.0, 0.0, 0.0))
    z = logits()
    assert torch.equal(weighted(z, labels()), expected(z, labels()))


@pytest.mark.parametrize(
    "bad", [{"p": 3.0}, {"gamma": 1.0}, {"reduction": "median"}, {"class_weights": (1.0, -1.0)}]
)
def test_wrong_hyperparameters(bad: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(bad))):
        sl.PowerDiceLoss(**bad)
    with pytest.raises(TypeError, match="positional"):
        sl.PowerDiceLoss(1.5)
    with pytest.raises(
        TypeError, match=r"p must be a number, .* module such as LearnablePower, .* got Linear"
    ):
        sl.PowerDiceLoss(p=nn.Linear(1, 1))
    with pytest.raises(
        TypeError, match=r"distances must be fixed numbers, got a tensor that requires a gradient\."
    ):
        sl.GeneralizedWassersteinDiceLoss(distances=nn.Parameter(1 - torch.eye(C)))
    with pytest.raises(TypeError, match=r"cost must be .* a loss of seglosses_torch .* got CrossEntropyLoss"):
        sl.LocallyAdaptiveLoss(cost=nn.CrossEntropyLoss())
    with pytest.raises(TypeError, match=r"losses of seglosses_torch, got DiceLoss"):
        sl.EnsembleLoss(losses=sl.DiceLoss())
    with pytest.raises(ValueError, match=r"0-dimensional array, got an array of shape \(2,\)"):
        sl.DiceLoss() * torch.ones(2)
    with pytest.raises(TypeError, match=r"num_classes must be an integer, got float: 3\.5"):
        sl.CenterLoss(num_classes=3.5)
    with pytest.raises(ValueError, match="no more than one centers"):
        sl.CenterLoss(num_classes=3) + sl.CenterLoss(num_classes=3)


def test_arguments_of_another_library() -> None:
    z, t = logits(), labels()
    with pytest.raises(TypeError, match=r"target must be a torch array like the logits, got one of numpy\."):
        sl.DiceLoss()(z, t.numpy())
    with pytest.raises(TypeError, match=r"logits must be a torch array, got float64 of shape"):
        sl.DiceLoss()(z.numpy(), t)
    with pytest.raises(
        TypeError, match=r"class_weights must be a torch array or numbers, got one of numpy\."
    ):
        sl.DiceLoss(class_weights=torch.ones(C).numpy())


def test_value_checks() -> None:
    z, t = logits(), labels()
    t[0, 0, 0] = C
    assert sl.DiceLoss()(z, t).isnan()
    with pytest.raises(ValueError, match=r"target must hold labels from 0 to 2, got others at 1 pixels"):
        sl.DiceLoss(validate=True)(z, t)


# -- ensembles --------------------------------------------------------------------------------------------------------


def test_sums_of_losses() -> None:
    a, b, c = sl.DiceLoss(), sl.CrossEntropyLoss(), sl.PowerDiceLoss(p=sl.LearnablePower())
    z, t = logits(torch.float32), labels()
    loss = 2 * (a + 0.5 * b) + c * 3
    assert isinstance(loss, sl.EnsembleLoss)
    assert list(loss.losses) == [a, b, c]
    assert loss.weights == (2.0, 1.0, 3.0)
    assert list(loss.parameters()) == [c.p.raw]
    close(loss(z, t), 2 * a(z, t) + b(z, t) + 3 * c(z, t), relative=1e-6)


def test_one_softmax_for_all_members(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = torch.Tensor.softmax
    monkeypatch.setattr(torch.Tensor, "softmax", lambda x, *axis: calls.append(x.shape) or original(x, *axis))
    monkeypatch.setattr(torch.Tensor, "exp_", lambda *_: pytest.fail("a softmax by hand"))
    z = logits().requires_grad_()
    gradient((sl.DiceLoss() + sl.CrossEntropyLoss() + sl.FocalLoss())(z, labels()), z)
    assert calls == [z.shape]


def test_ensembles_refuse_what_would_be_lost() -> None:
    with pytest.raises(TypeError, match=r"weights\[0\] must be a number, .* got Linear"):
        sl.EnsembleLoss(losses=[sl.DiceLoss()], weights=[nn.Linear(1, 1)])
    with pytest.raises(TypeError, match=r"weights must be a torch array or numbers, got one of numpy"):
        sl.EnsembleLoss(losses=[sl.DiceLoss()], weights=[torch.ones(()).numpy()])
    with pytest.raises(TypeError, match="losses must be a sequence of losses of seglosses_torch"):
        sl.EnsembleLoss(losses=[seglosses_core.DiceLoss()])
    with pytest.raises(ValueError, match="weights must sum to 1"):
        sl.EnsembleLoss(losses=[sl.DiceLoss(), sl.DiceLoss()], weights=[0.3, 0.3], sum_to_one=True)


def weighted_sums() -> dict[str, tuple[sl.TorchLoss, list[str]]]:
    """Sums of Dice, which counts half, and cross-entropy, which counts twice, and what they have in their state."""
    a, b, half, two = sl.DiceLoss(), sl.CrossEntropyLoss(), torch.tensor(0.5), torch.tensor(2.0)
    learnt = nn.Parameter(half.clone())
    of_modules = sl.EnsembleLoss(losses=[a, a, b], weights=[sl.LearnablePower(1.5), torch.tensor(-1.0), 2])
    of_a_module = sl.EnsembleLoss(losses=[a, b], weights=sl.LearnableWeights([0.25, 0.75]))
    return {
        "list": (sl.EnsembleLoss(losses=[a, b], weights=[half, 2.0]), ["weights.0"]),
        "left": (half * a + 2 * b, ["weights.0"]),
        "right": (a * half + b * two, ["weights.0", "weights.1"]),
        "sum": (sum([half * a, 2 * b]), ["weights.0"]),
        "parameter": (learnt * a + 2 * b, ["weights.0"]),
        "parameter scaled": (2 * (learnt * (0.5 * a + 2 * b)), ["losses.0.weights.0"]),
        "with gradient": (half.clone().requires_grad_() * a + b * 2, ["weights.0"]),
        "modules": (of_modules, ["weights.0.raw", "weights.1"]),
        "module scaled": (2 * of_a_module + 0.5 * b, ["losses.0.weights.raw"]),
    }


@pytest.mark.parametrize("name", weighted_sums())
def test_weights_may_be_tensors(name: str) -> None:
    z, t = logits().requires_grad_(), labels()
    loss, keys = weighted_sums()[name]
    expected = 0.5 * sl.DiceLoss()(z, t) + 2 * sl.CrossEntropyLoss()(z, t)
    slope = gradient(expected, z)
    assert sorted(loss.state_dict()) == keys
    assert {x.requires_grad for x in loss.parameters()} <= {True}
    for other in (loss, pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss), copy.deepcopy(loss).double()):
        assert repr(other) == repr(loss) or "float64" in repr(other)
        close(other(z, t), expected, relative=1e-7)
        close(gradient(other(z, t), z), slope, relative=1e-7)
    assert {x.dtype for x in other.state_dict().values()} == {torch.float64}
    with torch.no_grad():
        for x in other.state_dict().values():
            x.mul_(0.5)
    assert not torch.allclose(other(z, t), expected)
    other.load_state_dict(loss.state_dict())
    close(other(z, t), expected, relative=1e-7)


def test_a_parameter_as_weight_is_learnt() -> None:
    z, t = logits(), labels()
    weight = nn.Parameter(torch.tensor(0.5))
    loss = 3 * (weight * sl.DiceLoss() + 2 * sl.CrossEntropyLoss())
    assert list(loss.parameters()) == [weight]
    close(gradient(loss(z, t), weight).double(), 3 * sl.DiceLoss()(z, t), relative=1e-6)
    assert repr(loss.losses[0].weights) == f"Weights({weight!r}, 2.0)"
    assert list(loss.losses[0].weights) == [weight, 2.0]


# -- training ---------------------------------------------------------------------------------------------------------


def test_centres_move_in_training_alone_and_after_the_loss() -> None:
    z, t = logits().requires_grad_(), labels()
    loss = sl.CenterLoss(num_classes=C, weight=0.3).double()
    still = copy.deepcopy(loss).eval()
    first = loss(z, t)
    assert torch.equal(first, still(z, t))
    assert torch.equal(still.centers, torch.zeros(C, C, dtype=z.dtype))
    x = z.detach().movedim(1, -1)
    for c in range(C):
        members = x[t == c]
        expected = 0.5 * members.sum(0) / (1 + len(members))
        torch.testing.assert_close(loss.centers[c], expected)
    slope = gradient(first, z)  # of the loss with the centres as they were
    close(slope, gradient(still(z, t), z))
    assert not torch.equal(loss(z, t), first)
    assert not loss.centers.requires_grad


def test_centres_move_under_autocast_and_no_grad() -> None:
    z, t = logits(torch.float32), labels()
    loss, expected = sl.CenterLoss(num_classes=C), sl.CenterLoss(num_classes=C)
    expected(z, t)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        loss(z, t)
    close(loss.centers, expected.centers, relative=1e-6)


@each_loss
@pytest.mark.sampled(1)
def test_training_loop(case: Case) -> None:
    """Every loss falls, learns what it has to learn, and keeps it in its range."""
    torch.manual_seed(0)
    given = {name: x.float() if x.is_floating_point() else x for name, x in case.arguments().items()}
    images = torch.randn(N, 3, H, W)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, C, 1)]
    network = nn.Sequential(*layers, *([nn.Softmax(1)] if case.make().activation == "identity" else []))
    loss = case.make()
    optimizer = torch.optim.Adam([*network.parameters(), *loss.parameters()], lr=0.02)
    values = []
    for _ in range(30):
        optimizer.zero_grad()
        value = loss(network(images), **given)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < values[0] - 0.02 * abs(values[0])


def test_learnable_parts_train_with_the_network() -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(3, C, 1)
    loss = sl.EnsembleLoss(
        losses=[sl.CrossEntropyLoss(), sl.PowerJaccardLoss(p=sl.LearnablePower(1.9))],
        weights=sl.LearnableWeights([1.0, 1.0]),
    )
    start = copy.deepcopy(loss)
    optimizer = torch.optim.SGD([*network.parameters(), *loss.parameters()], lr=5.0)
    images, t = torch.randn(N, 3, H, W), labels()
    for _ in range(20):
        optimizer.zero_grad()
        loss(network(images), t).backward()
        optimizer.step()
    p, weights = loss.losses[1].p(), loss.weights()
    assert 1 <= p.item() <= 2
    assert p.item() != pytest.approx(1.9, abs=1e-3)
    assert (weights >= 0).all()
    assert weights.sum().item() == pytest.approx(1)
    assert not torch.allclose(weights, start.weights(), atol=1e-3)


def test_wrong_initial_values_of_what_is_learnt() -> None:
    for initial in (1.0, 2.0, 0.5):
        with pytest.raises(ValueError, match="initial must be"):
            sl.LearnablePower(initial)
    with pytest.raises(ValueError, match=r"initial\[1\] must be above 0"):
        sl.LearnableWeights([1.0, 0.0])
    for weights in (0.5, []):
        with pytest.raises(TypeError, match="initial must be a sequence with one number per loss, got"):
            sl.LearnableWeights(weights)


def test_a_tensor_as_p_is_stored_and_a_parameter_is_learnt() -> None:
    z, t = logits(torch.float32), labels()
    stored, learnt = (sl.PowerDiceLoss(p=kind(torch.tensor(1.5))) for kind in (Tensor.clone, nn.Parameter))
    assert list(stored.state_dict()) == list(learnt.state_dict()) == ["p"]
    assert list(stored.parameters()) == []
    gradient(learnt(z, t), learnt.p)
    close(stored(z, t), sl.PowerDiceLoss(p=1.5)(z, t), relative=1e-6)


def test_a_call_imports_no_compiler() -> None:
    """That takes seconds, and Triton aborts a process that has TensorFlow already."""
    use = """
import sys
import seglosses_torch
from torch_cases import CASES, labels

for case in CASES:
    some = {"reduction": "none"} if "reduction" in case.core.hyperparameters() else {}
    for options in ({}, some):
        logits = case.logits().requires_grad_()
        case.make(**options)(logits, **case.arguments()).sum().backward()
seglosses_torch.signed_distance_map(labels(), num_classes=3)
print([name for name in ("torch._dynamo", "triton") if name in sys.modules])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", use]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert found.stdout == "[]\n"
