"""How presets are made and called, and what they refuse."""

from __future__ import annotations

import copy
import importlib
import pickle
import re

import jax
import numpy as np
import pytest
import torch
from in_keras import run_in_keras

from seglosses_conformance.frameworks.with_jax import enable_x64
from seglosses_conformance.presets.inputs import FURTHER, INPUTS
from seglosses_core import DiceLoss
from seglosses_core.presets import PEERS
from seglosses_torch import CrossEntropyLoss

monai, smp, pytorch, kornia, toolbelt, transformers = (
    importlib.import_module(f"seglosses_core.presets.{peer}")
    for peer in ("monai", "smp", "pytorch", "kornia", "toolbelt", "transformers")
)
of_torch = importlib.import_module("seglosses_torch.presets.monai")
of_jax = importlib.import_module("seglosses_jax.presets.monai")

LOGITS, LABELS = INPUTS["labels"]
OPTIONS = {"softmax": True, "to_onehot_y": True, "weight": [1.0, 2.0, 3.0, 0.5]}


def test_every_library_is_in_every_package():
    for package in ("seglosses_core", "seglosses_torch", "seglosses_jax"):
        for peer in PEERS:
            module = importlib.import_module(f"{package}.presets.{peer}")
            assert module.__all__ == importlib.import_module(f"seglosses_core.presets.{peer}").__all__


@pytest.mark.parametrize("make", [np.asarray, torch.tensor, list, tuple])
def test_labels_in_all_of_their_forms(make):
    weight = make(OPTIONS["weight"])
    loss = monai.DiceCELoss(**{**OPTIONS, "weight": weight})
    expected = loss(LOGITS, LABELS[:, None])
    assert loss(LOGITS, LABELS) == loss(LOGITS, LABELS[:, None].astype(float)) == expected
    last = monai.DiceCELoss(**OPTIONS, class_axis=-1)
    assert last(np.moveaxis(LOGITS, 1, -1), LABELS[..., None]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("peer", "name", "arguments", "names"),
    [
        ("monai", "DiceCELoss", OPTIONS, ("input", "target")),
        ("smp", "DiceLoss", {"mode": "multiclass"}, ("y_pred", "y_true")),
        ("kornia", "DiceLoss", {}, ("pred", "target")),
        ("toolbelt", "BinaryFocalLoss", {}, ("inputs", "targets")),
    ],
)
def test_arrays_by_their_names_there(peer, name, arguments, names):
    for package, make in (
        ("seglosses_core", np.asarray),
        ("seglosses_torch", torch.tensor),
        ("seglosses_jax", np.asarray),
    ):
        loss = getattr(importlib.import_module(f"{package}.presets.{peer}"), name)(**arguments, class_axis=1)
        logits, labels = make(LOGITS), make(LABELS)
        expected = loss(logits, labels)
        assert loss(**dict(zip(names, (logits, labels), strict=True))) == expected
        assert loss(target=labels, logits=logits) == expected
        with pytest.raises(TypeError, match="called with logits and target, got 1 arrays"):
            loss(logits)
        with pytest.raises(TypeError, match="takes no 'wieght'"):
            loss(logits, labels, wieght=labels)
        with pytest.raises(TypeError, match="got 1 arrays for them"):
            loss(logits, **{names[0]: labels})


@pytest.mark.parametrize(
    ("call", "given", "named"),
    [
        (lambda dice, x, y: dice()(input=x, target=y), "got input=, target=", ["monai"]),
        (lambda dice, x, y: dice()(y_pred=x, y_true=y), "got y_pred=, y_true=", ["smp", "toolbelt"]),
        (lambda dice, x, y: dice()(x, y, y), "an array, an array, an array", ["mmseg"]),
        (lambda dice, x, y: dice()(x, y, avg_factor=2.0), "takes no 'avg_factor'", ["mmseg"]),
        (lambda dice, x, y: dice()(x), "got an array.", []),
        (lambda dice, x, y: dice()(), "got nothing.", []),
        (lambda dice, x, y: dice()(x, y, wieght=y), "takes no 'wieght'", []),
        (lambda dice, x, y: dice("binary"), "a positional argument", ["kornia", "smp", "toolbelt"]),
        (lambda dice, x, y: dice(True), "a positional argument", ["mmseg", "monai"]),
        (lambda dice, x, y: dice(softmax="yes"), "argument 'softmax'", []),
    ],
)
@pytest.mark.parametrize("package", ["seglosses_core", "seglosses_torch", "seglosses_jax"])
def test_our_losses_called_as_those_of_other_libraries(package, call, given, named):
    """The error names the presets that take it."""
    make = torch.tensor if package == "seglosses_torch" else np.asarray
    dice = importlib.import_module(package).DiceLoss
    logits = np.moveaxis(LOGITS, 1, -1) if package == "seglosses_jax" else LOGITS
    with pytest.raises(TypeError) as caught:
        call(dice, make(logits), make(LABELS))
    message = str(caught.value)
    assert given in message
    assert re.findall(r"presets\.(\w+)\.DiceLoss", message) == named


def test_a_gradient_called_as_a_loss_of_another_library():
    with pytest.raises(TypeError, match=r"got input=, target=; presets\.monai\.DiceLoss takes"):
        DiceLoss().value_and_grad(input=LOGITS, target=LABELS)


@pytest.mark.parametrize("package", ["seglosses_core", "seglosses_torch", "seglosses_jax"])
def test_masks_without_a_class_axis(package):
    """The number that they are divided by may be an array, and none of the loss's: another in each call."""
    make = {
        "seglosses_core": np.asarray,
        "seglosses_torch": torch.tensor,
        "seglosses_jax": jax.numpy.asarray,
    }[package]
    dice_loss = importlib.import_module(f"{package}.presets.transformers").dice_loss
    logits, target = INPUTS["binary-masks"]
    p = 1 / (1 + np.exp(-logits))
    overlaps = (2 * (p * target).sum(1) + 1) / (p.sum(1) + target.sum(1) + 1)
    expected = (1 - overlaps).sum() / 3.5
    found = dice_loss(make(logits), make(target), make(np.array(3.5)))
    assert float(found) == pytest.approx(expected, rel=1e-6)
    flat = dice_loss(make(logits.reshape(3, 3, 4)), make(target.reshape(3, 3, 4)), num_masks=3.5)
    assert float(flat) == pytest.approx(expected, rel=1e-6)


def test_the_gradient_of_masks_has_their_shape():
    logits, target = INPUTS["binary-masks"]
    loss = transformers.dice_loss.loss(num_masks=3.5)
    expected = loss.equivalent(1).value_and_grad(logits[:, None], target[:, None])
    for one in (loss, transformers.dice_loss.loss(num_masks=3.5, class_axis=-1)):
        value, gradient = one.value_and_grad(logits, target)
        assert value == pytest.approx(expected[0], rel=1e-14)
        assert np.allclose(gradient, expected[1][:, 0], rtol=0, atol=1e-15)


def test_a_divisor_of_a_jitted_call():
    masks = importlib.import_module("seglosses_jax.presets.transformers").dice_loss
    logits, target = INPUTS["binary-masks"]
    expected = float(masks(logits, target, 1)) / 3.5
    assert float(jax.jit(masks)(logits, target, 3.5)) == pytest.approx(expected, rel=1e-6)


def test_segformer_with_one_label():
    """As the page about presets says: ignored pixels cost 0 and stay in the mean."""
    logits, labels = map(torch.tensor, INPUTS["binary-ignored"])
    costs = torch.nn.functional.softplus(logits) - labels * logits
    ours = CrossEntropyLoss(activation="sigmoid", ignore_index=255, divisor="all")
    torch.testing.assert_close(ours(logits, labels[:, 0]), (costs * (labels != 255)).mean())


def test_a_one_hot_target_of_integers_where_labels_fit_too():
    logits, target = INPUTS["one-hot"]
    loss = toolbelt.BinaryFocalLoss()
    assert loss(logits, target.astype(int)) == loss(logits, target) == loss(logits, LABELS)


def test_checkpoints_with_the_weights_of_the_other_library():
    weight = torch.tensor([1.0, 2.0, 3.0, 0.5])
    model = torch.nn.ModuleDict(
        {"loss": of_torch.DiceCELoss(include_background=False, to_onehot_y=True, weight=weight)}
    )
    theirs = {
        "loss.dice.class_weight": weight[1:],
        "loss.cross_entropy.weight": weight,
        "loss.binary_cross_entropy.pos_weight": weight,
    }
    written = model.state_dict()
    assert written.keys() == theirs.keys()
    torch.testing.assert_close(list(written.values()), list(theirs.values()), rtol=0, atol=0)
    model.load_state_dict(theirs)
    for dtype in (torch.float16, torch.float64):
        model.load_state_dict({name: buffer.to(dtype) for name, buffer in theirs.items()})
    model.load_state_dict({})  # of a model whose loss wrote nothing
    with pytest.raises(
        RuntimeError, match=r"loss.cross_entropy.weight is \[4.0\], with which presets.monai.DiceCELoss"
    ):
        model.load_state_dict({**theirs, "loss.cross_entropy.weight": torch.tensor([4.0])})
    model.load_state_dict({"loss.dice.scale": weight}, strict=False)
    with pytest.raises(RuntimeError, match=r"Unexpected key.* \"loss\.dice\.scale\""):
        model.load_state_dict({"loss.dice.scale": weight})


def test_a_checkpoint_with_one_number_for_each_class():
    """As MONAI writes one number once it has seen how many classes there are."""
    loss = of_torch.DiceLoss(softmax=True, weight=2.0)
    for number in (2.0, [2.0, 2.0, 2.0]):
        loss.load_state_dict({"class_weight": torch.tensor(number)})
    with pytest.raises(RuntimeError, match=r"class_weight is \[2.0, 1.0\], with which"):
        loss.load_state_dict({"class_weight": torch.tensor([2.0, 1.0])})


def test_the_equivalent_gives_the_same():
    loss = monai.DiceCELoss(**OPTIONS)
    assert loss.equivalent(4)(LOGITS, LABELS) == loss(LOGITS, LABELS)
    logits, labels = torch.tensor(LOGITS), torch.tensor(LABELS)
    module = of_torch.DiceCELoss(**OPTIONS)
    equivalent = module.equivalent(4)
    assert type(equivalent).__module__ == "seglosses_torch"
    assert equivalent(logits, labels) == module(logits, labels)
    pytree = of_jax.DiceCELoss(**OPTIONS, class_axis=1)
    assert type(pytree.equivalent(4)).__module__ == "seglosses_jax"
    assert pytree.equivalent(4)(LOGITS, LABELS) == pytree(LOGITS, LABELS)


def test_copies_are_the_same_loss():
    loss, module = monai.DiceCELoss(**OPTIONS), of_torch.DiceCELoss(**OPTIONS)
    assert copy.deepcopy(loss) == pickle.loads(pickle.dumps(loss)) == loss
    assert hash(copy.copy(loss)) == hash(loss)
    assert loss != monai.DiceCELoss(softmax=True, to_onehot_y=True)
    assert repr(loss) == repr(module) == (
        "presets.monai.DiceCELoss(to_onehot_y=True, softmax=True, weight=(1.0, 2.0, 3.0, 0.5))"
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(module)).core == module.core


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("peer", "name", "arguments"),
    [("monai", "DiceCELoss", OPTIONS), ("smp", "TverskyLoss", {"mode": "multiclass", "gamma": 0.8})],
)
def test_compiled(peer, name, arguments, dynamic):
    """Compiled before it is called: a sum, and a power."""
    torch.compiler.reset()  # or what earlier tests left counts against a limit
    arguments = {**arguments, "smooth_nr" if peer == "monai" else "smooth": 0.25 + dynamic}
    loss = getattr(importlib.import_module(f"seglosses_torch.presets.{peer}"), name)(**arguments)
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True, dynamic=dynamic)
    for width in (4, 3) if dynamic else (4,):
        labels, found = torch.tensor(LABELS[..., :width])[:, None], []
        for one in (compiled, loss):
            logits = torch.tensor(LOGITS[..., :width], requires_grad=True)
            value = one(logits, labels)
            value.backward()
            found.append((value, logits.grad))
        torch.testing.assert_close(*found)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_what_probabilities_are_cut_off_at_is_compiled():
    """Where it is a symbol, like the exponents of what is added up."""
    torch._dynamo.reset()
    loss = of_torch.AsymmetricUnifiedFocalLoss(gamma=0.4)
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True, dynamic=True)
    probabilities, target = map(torch.tensor, INPUTS["pairs-one-hot"])
    found = []
    for one in (compiled, loss):
        given = probabilities.clone().requires_grad_()
        value = one(given, target)
        value.backward()
        found.append((value, given.grad))
    torch.testing.assert_close(*found)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_count_of_pixels_is_compiled():
    torch.compiler.reset()
    loss = of_torch.FocalLoss(to_onehot_y=True, reduction="sum")
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True, dynamic=True)
    for width in (4, 3):
        logits, labels = torch.tensor(LOGITS[..., :width]), torch.tensor(LABELS[..., :width])
        torch.testing.assert_close(compiled(logits, labels), loss(logits, labels))


def test_jitted():
    with enable_x64(True):
        loss = of_jax.DiceCELoss(**OPTIONS, class_axis=1)
        value, gradient = jax.jit(jax.value_and_grad(loss))(LOGITS, LABELS[:, None])
        expected = monai.DiceCELoss(**OPTIONS).value_and_grad(LOGITS, LABELS)
        assert value == pytest.approx(expected[0], rel=1e-12)
        assert np.allclose(gradient, expected[1], rtol=0, atol=1e-14)


def test_entries_that_are_ignored_one_by_one():
    """Where smoothing makes it cost something to be absent, a mask says it."""
    logits, target = INPUTS["multilabel"]
    target = target.copy()
    target[0, 0, 0, 0] = -100
    value, gradient = smp.SoftBCEWithLogitsLoss().value_and_grad(logits, target)
    assert np.isfinite(value)
    assert gradient[0, 0, 0, 0] == 0 != gradient[0, 1, 0, 0]
    for mask in (None, np.arange(12).reshape(3, 4) > 1, np.arange(48).reshape(4, 3, 4) % 5 > 0):
        counts = np.ones(logits.shape) if mask is None else np.broadcast_to(mask, logits.shape) * 1.0
        counts[target == -100] = 0
        smooth = 0.1 + 0.8 * target
        costs = np.logaddexp(0, logits) - smooth * logits
        weights = None if mask is None else np.broadcast_to(mask, (3, *mask.shape)).copy()
        value = smp.SoftBCEWithLogitsLoss(smooth_factor=0.1)(logits, target, mask=weights)
        assert value == pytest.approx(np.mean(counts * costs), rel=1e-12)


def test_a_mask_of_each_class():
    logits, target = INPUTS["multilabel"]
    mask = FURTHER["entries"] > 0
    mask[0, 1] = False
    p = 1 / (1 + np.exp(-logits))
    both, size = (np.sum(mask * x, axis=(2, 3)) for x in (p * target, p + target))
    scores = (2 * both + 1e-5) / (size + 1e-5)
    loss = monai.MaskedDiceLoss(sigmoid=True)
    assert loss(logits, target, mask) == pytest.approx(1 - np.mean(scores), rel=1e-12)
    with pytest.raises(
        ValueError, match="the classes of DiceLoss with activation='softmax' exclude each other"
    ):
        monai.MaskedDiceLoss(softmax=True)(logits, target, mask)
    weights = FURTHER["entries"]
    value = pytorch.BCEWithLogitsLoss()(logits, target, mask=weights)
    assert value == pytorch.binary_cross_entropy_with_logits(logits, target, weight=weights)
    twice = pytorch.binary_cross_entropy_with_logits(logits, target, weight=2.0)
    assert twice == pytest.approx(2 * pytorch.BCEWithLogitsLoss()(logits, target), rel=1e-12)


def test_logits_of_one_class_may_lack_its_axis():
    logits, labels = INPUTS["binary-flat"]
    loss = smp.DiceLoss("binary")
    expected, slope = loss.value_and_grad(logits[:, None], labels[:, None])
    for target in (labels, labels[:, None], labels.astype(float)):
        value, gradient = loss.value_and_grad(logits, target)
        assert value == expected
        assert np.array_equal(gradient, slope[:, 0])
    one_row = smp.DiceLoss("binary")(logits[:, :1], labels[:, None, :1])
    assert one_row == smp.DiceLoss("binary")(logits[:, None, :1], labels[:, :1])
    last = smp.DiceLoss("binary", class_axis=-1)
    value, gradient = last.value_and_grad(logits, labels)
    assert value == pytest.approx(expected, rel=1e-14)
    assert np.allclose(gradient, slope[:, 0], rtol=0, atol=1e-14)
    in_jax = importlib.import_module("seglosses_jax.presets.smp").DiceLoss("binary")
    with enable_x64(True):
        assert np.allclose(
            jax.grad(in_jax)(jax.numpy.asarray(logits), labels), slope[:, 0], rtol=0, atol=1e-14
        )


@pytest.mark.parametrize(
    ("package", "make"), [(monai, np.asarray), (of_torch, torch.tensor), (of_jax, np.asarray)]
)
def test_masks_in_all_of_their_forms(package, make):
    logits, labels, mask = (make(x) for x in (LOGITS, LABELS[:, None], FURTHER["zeros-and-ones"]))
    loss = package.MaskedDiceLoss(False, True, softmax=True, class_axis=1)
    expected = loss(logits, labels, mask=mask[:, 0])
    assert (
        loss(logits, labels, mask)
        == loss(logits, labels, mask != 0)
        == loss(logits, labels, mask=mask)
        == expected
    )
    assert loss(logits, labels) != expected
    assert np.isnan(float(loss(logits, labels, 0.5 * mask)))
    with pytest.raises(ValueError, match=r"mask must have the shape of the labels, \(3, 3, 4\)"):
        loss(logits, labels, mask[:1])


def test_the_first_class_is_not_looked_at_where_it_is_no_part_of_the_softmax():
    loss = monai.FocalLoss(include_background=False, to_onehot_y=True, use_softmax=True)
    value, gradient = loss.value_and_grad(LOGITS, LABELS)
    unknown = LOGITS.copy()
    unknown[:, 0] = np.nan
    again, slope = loss.value_and_grad(unknown, LABELS)
    assert again == value
    assert np.array_equal(slope, gradient)
    assert not np.any(gradient[:, 0])


def test_probabilities_are_cut_off():
    loss = monai.AsymmetricUnifiedFocalLoss(to_onehot_y=True)
    probabilities, labels = INPUTS["pairs-certain"]
    value, gradient = loss.value_and_grad(3 * probabilities - 1, labels)
    expected, _ = loss.value_and_grad(np.clip(3 * probabilities - 1, 0, 1), labels)
    assert value == expected
    assert np.array_equal(gradient == 0, (probabilities < 0.4) | (probabilities > 0.6))


def test_deep_supervision():
    of_torch_itself = importlib.import_module("seglosses_torch")
    loss = of_torch.DiceCELoss(to_onehot_y=True, softmax=True)
    fine, labels = torch.tensor(LOGITS), torch.tensor(LABELS)[:, None].double()
    deep = of_torch_itself.DeepSupervisionLoss(loss=loss)
    coarse = fine[..., ::2]
    expected = loss(fine, labels) + 0.5 * loss(coarse, labels[..., 1::2])
    assert deep([fine, coarse], labels) == expected


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: monai.DiceLoss(other_act=np.tanh), ValueError, "other_act must be None here, got .* apply it"),
        (
            lambda: transformers.ForSemanticSegmentationLoss(LOGITS, LABELS, auxiliary_logits=LOGITS),
            ValueError, "auxiliary_logits must be None here, got float64 of shape .* call the loss for them too",
        ),
        (lambda: monai.DiceLoss(sigmoid=True, softmax=True), ValueError, "sigmoid=True is not supported .* excludes"),
        (lambda: monai.DiceLoss(reduction="average"), ValueError, "reduction must be one of .* got 'average'"),
        (lambda: monai.DiceLoss(ddp=True), TypeError, "unexpected keyword argument 'ddp'"),
        (lambda: monai.GeneralizedDiceLoss(w_type="cubic"), ValueError, "w_type must be one of .* got 'cubic'"),
        (lambda: monai.GeneralizedDiceLoss(reduction="none"), ValueError, "reduction='none' is not supported"),
        (lambda: monai.MCCLoss(smooth_nr=1.0), ValueError, r"smooth_nr=1\.0 is not supported"),
        (lambda: monai.NACLLoss(4, 2, kernel_ops="gaussian"), ValueError, "kernel_ops='gaussian' .* take 'mean'"),
        (lambda: monai.NACLLoss(4, 2, distance_type="l2"), ValueError, "distance_type='l2' .* take 'l1'"),
        (lambda: monai.NACLLoss(3, 2)(LOGITS, LABELS), ValueError, "logits must have the 3 classes .* got 4"),
        (
            lambda: monai.HausdorffDTLoss(include_background=True, reduction="none", batch=True),
            ValueError, "batch=True is not supported",
        ),
        (
            lambda: monai.AsymmetricUnifiedFocalLoss()(*INPUTS["binary-probabilities"]),
            ValueError, "logits must be the probabilities of two classes, .* got 1",
        ),
        (lambda: monai.AsymmetricUnifiedFocalLoss(num_classes=3), ValueError, "num_classes=3 .* there are two"),
        (
            lambda: monai.FocalLoss(include_background=False, use_softmax=True, alpha=0.5),
            ValueError, r"alpha=0\.5 is not supported .* one for each class",
        ),
        (
            lambda: monai.MaskedDiceLoss(to_onehot_y=True, softmax=True)(LOGITS, LABELS[:, None]),
            ValueError, "to_onehot_y=True is not supported .* include_background=False",
        ),
        (
            lambda: monai.DiceLoss(softmax=True)(LOGITS, LABELS, LABELS),
            TypeError, "called with logits and target, got 3 arrays",
        ),
        (
            lambda: monai.DiceLoss(softmax=True)(LOGITS, LABELS[:, None]),
            ValueError, r"target must have the logits' shape \(3, 4, 3, 4\) .* got int64 of shape \(3, 1, 3, 4\)",
        ),
        (
            lambda: monai.DiceCELoss(**OPTIONS)(*INPUTS["one-hot"]),
            ValueError, "target must be labels for monai's DiceCELoss .* got float64 of shape",
        ),
        (
            lambda: monai.DiceLoss(softmax=True, to_onehot_y=True, weight=[1.0, 2.0])(LOGITS, LABELS),
            ValueError, "weight must have one number for each class that counts, 4, got 2",
        ),
        (lambda: smp.DiceLoss("binary")(LOGITS, LABELS), ValueError, r"target must be .* of shape \(3, 3, 4\)"),
        (lambda: smp.DiceLoss("softmax"), ValueError, "mode must be one of .* got 'softmax'"),
        (lambda: smp.SoftCrossEntropyLoss("none", 0.1), ValueError, "reduction='none' is not supported .* axis of 1"),
        (lambda: toolbelt.BinaryFocalLoss(activation="softmax"), ValueError, "activation='softmax' is not supported"),
        (lambda: smp.FocalLoss("multilabel", ignore_index=255), ValueError, "ignore_index=255 is not .* mask="),
        (
            lambda: smp.DiceLoss("multilabel", ignore_index=255, from_logits=False),
            ValueError, "ignore_index=255 is not .* goes with logits",
        ),
        (
            lambda: kornia.HausdorffERLoss()(*INPUTS["binary-probabilities"]),
            ValueError, "logits must be the probabilities of two classes",
        ),
        (lambda: kornia.HausdorffERLoss(reduction="none"), ValueError, "reduction='none' is not supported"),
        (lambda: smp.FocalLoss("binary", normalized=True), ValueError, "normalized=True is not supported"),
        (
            lambda: smp.DiceLoss("multiclass", class_weights=2.0),
            ValueError, r"class_weights=2\.0 is not supported .* one for each class",
        ),
        (
            lambda: smp.SoftBCEWithLogitsLoss(smooth_factor=0.75),
            ValueError, r"smooth_factor=0\.75 is not supported .* lies in \[0, 0\.5\]",
        ),
        (
            lambda: toolbelt.BinaryFocalLoss(ignore_index=1)(LOGITS, LABELS),
            ValueError, "ignore_index=1 is not supported .* another label",
        ),
        (
            lambda: monai.AsymmetricUnifiedFocalLoss(weight=[0.5, 0.5]),
            ValueError, r"weight=\(0\.5, 0\.5\) is not supported .* one number in \[0, 1\]",
        ),
        (lambda: pytorch.CrossEntropyLoss(size_average=True), ValueError, "size_average=True .* reduction says it"),
        (
            lambda: pytorch.CrossEntropyLoss(np.ones((1, 4, 1, 1))),
            ValueError, "weight must be a number or one for each class, got float64 of shape",
        ),
        (lambda: kornia.FocalLoss(0.25), ValueError, "reduction='none' is not supported"),
        (lambda: 2 * monai.DiceCELoss(**OPTIONS), TypeError, "losses must take one target together, got presets.monai"),
    ],
)  # fmt: skip
def test_what_is_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


PROGRAM = """
import numpy as np
import keras
from seglosses_conformance.presets.inputs import INPUTS
from seglosses_core.presets.monai import DiceCELoss as core
from seglosses_keras import DiceLoss
from seglosses_keras.presets.monai import DiceCELoss

logits, labels = INPUTS["labels"]
options = dict(softmax=True, to_onehot_y=True, weight=[1.0, 2.0, 3.0, 0.5])
expected = float(core(**options)(logits, labels))
loss = DiceCELoss(**options)
last = np.moveaxis(logits, 1, -1).astype("float32")
for one in (loss, type(loss).from_config(loss.get_config()), loss.equivalent(4)):
    for target in (labels, labels[..., None]):
        assert abs(float(one(target, last)) - expected) < 1e-5 * expected
model = keras.Sequential([keras.layers.Conv2D(4, 1)])
model.compile(loss=loss, optimizer="sgd")
history = model.fit(last, labels[..., None], epochs=2, verbose=0).history["loss"]
assert history[1] < history[0]
for call, message in (
    (dict(input=last, target=labels), "got input=, target=; presets.monai.DiceLoss is theirs"),
    (dict(y_true=labels), "DiceLoss is called with y_true and y_pred, and all else by its name, got y_true=."),
    (dict(logits=last, target=labels), "got logits=, target=."),
    (dict(y_true=labels, y_pred=last, avg_factor=2.0), "DiceLoss takes no 'avg_factor'"),
):
    try:
        DiceLoss()(**call)
    except TypeError as error:
        assert message in str(error), error
    else:
        raise AssertionError(call)
try:
    loss(labels, last, sample_weight=np.ones(3))
except ValueError as error:
    assert "sample_weight must be left out" in str(error)
else:
    raise AssertionError("a sample_weight")
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_in_keras(backend):
    run_in_keras(PROGRAM, backend)
