"""What the losses of mmsegmentation and nnU-Net take at the call, what of functions they take when they are made, and
what they refuse."""

from __future__ import annotations

import importlib
import pickle

import jax
import numpy as np
import pytest
import torch

from seglosses_conformance.frameworks.with_jax import enable_x64
from seglosses_conformance.presets.inputs import FURTHER, INPUTS

mmseg, nnunet, pytorch = (
    importlib.import_module(f"seglosses_core.presets.{peer}") for peer in ("mmseg", "nnunet", "pytorch")
)
mmseg_torch, nnunet_torch = (
    importlib.import_module(f"seglosses_torch.presets.{peer}") for peer in ("mmseg", "nnunet")
)
mmseg_jax = importlib.import_module("seglosses_jax.presets.mmseg")

LOGITS, LABELS = INPUTS["labels"]
IGNORED = INPUTS["ignored"][1]
TRAINER = {"batch_dice": False, "smooth": 1e-5, "do_bg": False, "ddp": False}
W = [1.0, 2.0, 3.0, 0.5]


def softmax_helper_dim1(logits):
    """As it is called in nnU-Net."""
    return torch.softmax(logits, 1)


@pytest.mark.parametrize("loss", [mmseg.CrossEntropyLoss(), mmseg.FocalLoss(class_weight=W)])
def test_by_position_and_by_name(loss):
    weight = FURTHER["pixels"]
    expected = loss(LOGITS, IGNORED, weight=weight, reduction_override="sum", ignore_index=255)
    assert loss(LOGITS, IGNORED, weight, None, "sum", 255) == expected
    assert (
        loss(target=IGNORED, logits=LOGITS, factor=weight, ignore_index=255, reduction_override="sum")
        == expected
    )
    assert loss.value_and_grad(LOGITS, IGNORED, weight, None, "sum", 255)[0] == expected
    assert loss(LOGITS, IGNORED, weight=None, avg_factor=None, ignore_index=255) != expected
    with pytest.raises(TypeError, match="called with logits and target, got 3 arrays"):
        loss(LOGITS, IGNORED, weight, weight=weight)
    with pytest.raises(TypeError, match="called with logits and target, got 7 arrays"):
        loss(LOGITS, IGNORED, None, None, None, 255, 255)
    with pytest.raises(TypeError, match="takes no 'class_weight'"):
        loss(LOGITS, IGNORED, class_weight=W)


def test_a_call_leaves_the_loss_as_it_is():
    loss = mmseg.CrossEntropyLoss(avg_non_ignore=True)
    before = loss(LOGITS, LABELS)
    loss(LOGITS, IGNORED, ignore_index=255, reduction_override="sum")
    assert loss(LOGITS, LABELS) == before
    assert loss == mmseg.CrossEntropyLoss(avg_non_ignore=True)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compiled_with_what_the_call_says():
    """Before it is called otherwise."""
    torch.compiler.reset()  # or what earlier tests left counts against a limit
    loss = mmseg_torch.CrossEntropyLoss(loss_weight=0.375, class_weight=W)
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    labels, found = torch.tensor(IGNORED), []
    for one in (compiled, loss):
        logits = torch.tensor(LOGITS, requires_grad=True)
        value = one(logits, labels, weight=torch.tensor(FURTHER["pixels"]), ignore_index=255)
        value.backward()
        found.append((value, logits.grad))
    torch.testing.assert_close(*found)


def test_jitted_with_what_the_call_says():
    loss = mmseg_jax.CrossEntropyLoss(loss_weight=0.375)
    with enable_x64(True):
        last, labels = np.moveaxis(LOGITS, 1, -1), jax.numpy.asarray(IGNORED)
        value = jax.jit(lambda logits: loss(logits, labels, ignore_index=255))(last)
        expected = mmseg.CrossEntropyLoss(loss_weight=0.375)(LOGITS, IGNORED, ignore_index=255)
        assert value == pytest.approx(expected, rel=1e-12)


def test_names_and_what_a_loss_was_made_with():
    for loss in (mmseg.CrossEntropyLoss(), mmseg_torch.CrossEntropyLoss(), mmseg_jax.CrossEntropyLoss()):
        assert loss.loss_name == "loss_ce"
        assert loss.avg_non_ignore is False
        with pytest.raises(AttributeError, match="weights_of_pixels"):
            _ = loss.weights_of_pixels
    assert mmseg_torch.OhemCrossEntropy(loss_name="loss_context").loss_name == "loss_context"


def test_labels_and_their_one_hot_target_give_the_same_focal_loss():
    loss = mmseg.FocalLoss(alpha=[0.25, 0.5, 0.9, 1.0], class_weight=W)
    one_hot = INPUTS["one-hot"][1]
    assert loss(LOGITS, LABELS) == pytest.approx(loss(LOGITS, one_hot), rel=1e-12)
    absent = INPUTS["absent-one-hot"][1]  # what IGNORED is without what is ignored
    total = mmseg.FocalLoss(reduction="sum")(LOGITS, absent, mask=IGNORED != 255)
    assert mmseg.FocalLoss()(LOGITS, IGNORED) == pytest.approx(total / absent.size, rel=1e-12)


def test_a_label_outside_the_classes_is_a_pixel_of_no_class_for_dice():
    """The 255 of a map of labels, which the loss does not know of."""
    nobody = (IGNORED[:, None] == np.arange(4).reshape(1, 4, 1, 1)).astype(float)
    for naive in (True, False):
        loss = mmseg.DiceLoss(naive_dice=naive)
        assert loss(LOGITS, IGNORED, ignore_index=255) == pytest.approx(loss(LOGITS, nobody), rel=1e-12)


def test_a_target_of_the_logits_shape_has_no_labels_to_ignore():
    logits, soft = INPUTS["one-hot"]
    loss = pytorch.CrossEntropyLoss(ignore_index=0)
    assert loss(logits, soft) == pytorch.CrossEntropyLoss()(logits, LABELS)


def test_functions_and_classes_are_known_by_their_names():
    made = nnunet.SoftDiceLoss(apply_nonlin=softmax_helper_dim1)
    assert made == nnunet.SoftDiceLoss(apply_nonlin="softmax_helper_dim1")
    assert pickle.loads(pickle.dumps(made)) == made
    assert nnunet.SoftDiceLoss(torch.sigmoid) == nnunet.SoftDiceLoss(jax.nn.sigmoid)
    ours = nnunet.DC_and_CE_loss(TRAINER, {}, dice_class=nnunet.MemoryEfficientSoftDiceLoss)
    assert ours.dice_class == "MemoryEfficientSoftDiceLoss"
    assert ours(LOGITS, LABELS) == nnunet.DC_and_CE_loss(TRAINER, {})(LOGITS, LABELS)


def test_the_trainers_loss_with_labels_as_they_come():
    """Floats with an axis for the classes; in a checkpoint the weights of its parts."""
    loss = nnunet_torch.DC_and_CE_loss(TRAINER, {"weight": torch.tensor(W)}, ignore_label=255)
    logits, labels = torch.tensor(LOGITS), torch.tensor(IGNORED)
    expected = loss(logits, labels)
    assert loss(net_output=logits, target=labels[:, None].float()) == expected
    loss.load_state_dict({"ce.weight": torch.tensor(W)})
    with pytest.raises(RuntimeError, match=r"ce\.weight is \[4\.0\]"):
        loss.load_state_dict({"ce.weight": torch.tensor([4.0])})
    assert pickle.loads(pickle.dumps(loss))(logits, labels) == expected


def test_one_channel_more_says_what_is_ignored():
    logits, regions = INPUTS["regions"]
    loss = nnunet.DC_and_BCE_loss({}, TRAINER, use_ignore_label=True)
    expected = loss(logits, regions)
    assert loss(logits, regions.astype(bool)) == expected
    bare = nnunet.DC_and_BCE_loss({}, TRAINER)
    assert bare(logits, regions[:, :4]) != expected
    with pytest.raises(ValueError, match=r"one channel more, for what is ignored, .* got float64 of shape"):
        loss(logits, regions[:, :4])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: mmseg.CrossEntropyLoss()(LOGITS, LABELS, avg_factor=7.0),
            ValueError, r"avg_factor=7.0 is not supported .* reduction_override='sum', and divide",
        ),
        (
            lambda: mmseg.CrossEntropyLoss(class_weight=W)(LOGITS, LABELS, ignore_index=0),
            ValueError, "ignore_index=0 is not supported .* avg_non_ignore=True",
        ),
        (lambda: mmseg.CrossEntropyLoss(class_weight="w.npy"), ValueError, "class_weight='w.npy' .* read the file"),
        (lambda: mmseg.CrossEntropyLoss(use_mask=True), ValueError, "use_mask=True is not supported"),
        (
            lambda: mmseg.CrossEntropyLoss()(LOGITS, LABELS, reduction_override="most"),
            ValueError, "reduction must be one of .* got 'most'",
        ),
        (
            lambda: mmseg.CrossEntropyLoss()(LOGITS, LABELS, weight=np.ones(3)),
            ValueError, r"factor must have the shape \(3, 3, 4\)",
        ),
        (lambda: mmseg.CrossEntropyLoss()(*INPUTS["one-hot"]), ValueError, "target must be labels for mmseg's Cross"),
        (
            lambda: mmseg.FocalLoss()(*INPUTS["one-hot"], ignore_index=0),
            ValueError, "ignore_index=0 is not supported .* pass labels",
        ),
        (lambda: mmseg.FocalLoss(use_sigmoid=False), ValueError, "use_sigmoid=False .* activation='softmax'"),
        (lambda: mmseg.TverskyLoss(alpha=0.5), ValueError, "alpha=0.5 is not supported .* add up to 1"),
        (
            lambda: mmseg.TverskyLoss()(LOGITS, LABELS, weight=FURTHER["pixels"]),
            ValueError, "weight must be left out for mmseg's TverskyLoss, which does not look at it, got float64",
        ),
        (lambda: mmseg.LovaszLoss(), ValueError, "reduction='mean' .* it is 'none' with per_image=False"),
        (lambda: mmseg.LovaszLoss(per_image=True, reduction="none"), ValueError, "take 'mean' or 'sum'"),
        (
            lambda: mmseg.LovaszLoss("binary", classes="all", reduction="none"),
            ValueError, "classes='all' .* there is one",
        ),
        (
            lambda: mmseg.LovaszLoss("binary", class_weight=W, reduction="none"),
            ValueError, "class_weight=.* there is one",
        ),
        (lambda: mmseg.LovaszLoss("ternary", reduction="none"), ValueError, "loss_type='ternary'"),
        (lambda: mmseg.OhemCrossEntropy(class_weight=W), ValueError, "class_weight=.*HardExampleMining"),
        (
            lambda: mmseg.OhemCrossEntropy()(LOGITS, LABELS, ignore_index=255),
            TypeError, "takes no 'ignore_index'",
        ),
        (lambda: nnunet.SoftDiceLoss(torch.tanh), ValueError, "apply_nonlin='tanh' .* take softmax_helper_dim1"),
        (lambda: nnunet.SoftDiceLoss(torch.nn.Softmax(1)), ValueError, "apply_nonlin='Softmax' is not supported"),
        (lambda: nnunet.SoftDiceLoss(batch_dice=True), ValueError, "ddp=True is not supported .* pass ddp=False"),
        (lambda: nnunet.SoftDiceLoss(clip_tp=1.0), ValueError, "clip_tp=1.0 is not supported"),
        (
            lambda: nnunet.DC_and_CE_loss({}, {"ignore_index": 255}),
            ValueError, "ce_kwargs=.* is not supported .* ignore_label",
        ),
        (lambda: nnunet.DC_and_CE_loss({}, {"reduction": "none"}), ValueError, "ce_kwargs=.* its reduction is 'mean'"),
        (lambda: nnunet.DC_and_CE_loss({}, {"wieght": W}), TypeError, "unexpected keyword argument 'wieght'"),
        (
            lambda: nnunet.DC_and_BCE_loss({"reduction": "sum"}, {}),
            ValueError, "bce_kwargs=.* its reduction is 'mean'",
        ),
        (lambda: nnunet.DC_and_CE_loss({}, {}, dice_class=dict), ValueError, "dice_class='dict' .* take SoftDiceLoss"),
    ],
)  # fmt: skip
def test_what_is_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
