"""What was asked of the losses of other libraries. Weights neither sum to their number nor are equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

W = [1.0, 2.0, 3.0, 0.5]
FOREGROUND = W[1:]


@dataclass(frozen=True)
class Call:
    """A loss, its arguments, and what it is given."""

    name: str
    arguments: dict[str, Any]
    inputs: str
    target_axis: bool = False
    """Whether labels have an axis of length 1 for the classes."""
    dtype: str = "float64"
    """Of the logits."""
    gradient_alone: bool = False
    """Whether the value is another here, which the page about presets says."""


def monai() -> Iterator[Call]:
    for name in ("DiceLoss", "TverskyLoss"):
        soft, labelled = {"softmax": True}, {"softmax": True, "to_onehot_y": True}
        for arguments, inputs in (
            ({}, "labels"),
            ({}, "absent"),
            ({}, "far"),
            ({}, "line"),
            ({}, "volume"),
            ({"include_background": False}, "absent"),
            ({"batch": True}, "absent"),
            ({"reduction": "sum"}, "labels"),
            ({"reduction": "none"}, "labels"),
            ({"reduction": "none", "batch": True}, "labels"),
            ({"smooth_nr": 0.0, "smooth_dr": 1e-6}, "labels"),
            ({"smooth_nr": 1.0, "smooth_dr": 2.0}, "absent"),
            ({"ignore_index": 255}, "ignored"),
            ({"ignore_index": 255}, "image-ignored"),
            ({"ignore_index": 255, "batch": True}, "image-ignored"),
        ):
            yield Call(name, {**labelled, **arguments}, inputs, target_axis=True)
        for arguments, inputs in (
            (soft, "one-hot"),
            (soft, "absent-one-hot"),
            (soft, "soft"),
            ({**soft, "soft_label": True}, "soft"),
            ({"sigmoid": True}, "multilabel"),
            ({"sigmoid": True}, "binary"),
            ({"sigmoid": True}, "binary-float"),
            ({"sigmoid": True}, "binary-absent"),
            ({"sigmoid": True, "include_background": False}, "multilabel"),
            ({}, "binary-probabilities"),
            ({"sigmoid": True, "ignore_index": 255}, "binary-ignored"),
        ):
            yield Call(name, arguments, inputs)
    labelled = {"softmax": True, "to_onehot_y": True}
    for arguments in (
        {"jaccard": True},
        {"jaccard": True, "smooth_nr": 1.0, "smooth_dr": 3.0},
        {"weight": 2.0},
        {"weight": W},
        {"weight": FOREGROUND, "include_background": False},
        {"weight": W, "reduction": "sum"},
        {"weight": W, "batch": True},
    ):
        yield Call("DiceLoss", {**labelled, **arguments}, "absent", target_axis=True)
    yield Call("DiceLoss", {**labelled, "weight": W, "ignore_index": 255}, "image-ignored", target_axis=True)
    yield Call(
        "DiceLoss", {**labelled, "jaccard": True, "ignore_index": 255}, "image-ignored", target_axis=True
    )
    yield Call("DiceLoss", {"softmax": True, "jaccard": True, "soft_label": True}, "soft")
    for arguments in ({"alpha": 0.3, "beta": 0.7}, {"alpha": 0.3, "beta": 0.7, "include_background": False}):
        yield Call("TverskyLoss", {**labelled, **arguments}, "absent", target_axis=True)
    for arguments in ({}, {"batch": True}, {"include_background": False}):
        yield Call(
            "GeneralizedDiceLoss", {**labelled, "w_type": "uniform", **arguments}, "absent", target_axis=True
        )

    # A part of what follows is computed in float32 there.
    for name, arguments in (
        ("DiceLoss", {"squared_pred": True}),
        ("DiceLoss", {"squared_pred": True, "jaccard": True}),
        ("DiceCELoss", {"squared_pred": True, "batch": True}),
    ):
        yield Call(name, {**labelled, **arguments}, "absent", target_axis=True, dtype="float32")
    for arguments in (
        {},
        {"include_background": False},
        {"lambda_dice": 0.5, "lambda_ce": 2.0},
        {"label_smoothing": 0.1},
        {"weight": W},
        {"weight": W, "include_background": False},
        {"reduction": "sum"},
    ):
        yield Call("DiceCELoss", {**labelled, **arguments}, "absent", target_axis=True)
    yield Call("DiceCELoss", {"softmax": True}, "one-hot")
    yield Call("DiceCELoss", {"softmax": True, "weight": W}, "one-hot")
    yield Call("DiceCELoss", {"sigmoid": True}, "one-hot")
    yield Call("DiceCELoss", {"sigmoid": True}, "binary")
    yield Call("DiceCELoss", {"sigmoid": True, "weight": [3.0]}, "binary-float")

    for arguments, inputs in (
        ({}, "absent"),
        ({}, "far"),
        ({}, "volume"),
        ({"gamma": 0.5}, "labels"),
        ({"alpha": 0.25}, "labels"),
        ({"alpha": [0.25, 2.0, 1.0, 0.5]}, "labels"),
        ({"alpha": [0.25, 2.0, 1.0, 0.5], "weight": W}, "labels"),
        ({"weight": W}, "labels"),
        ({"weight": 2.0}, "labels"),
        ({"weight": FOREGROUND, "include_background": False}, "labels"),
        ({"include_background": False}, "labels"),
        ({"reduction": "sum"}, "labels"),
        ({"reduction": "none"}, "labels"),
        ({"ignore_index": 255}, "ignored"),
        ({"ignore_index": 255, "weight": W}, "image-ignored"),
        ({"use_softmax": True}, "labels"),
        ({"use_softmax": True, "alpha": 0.25}, "labels"),
        ({"use_softmax": True, "alpha": [0.25, 2.0, 1.0, 0.5]}, "labels"),
        ({"use_softmax": True, "weight": W}, "labels"),
        ({"use_softmax": True, "reduction": "sum"}, "labels"),
        ({"use_softmax": True, "ignore_index": 255, "weight": W}, "image-ignored"),
    ):
        yield Call("FocalLoss", {"to_onehot_y": True, **arguments}, inputs, target_axis=True)
    yield Call("FocalLoss", {}, "binary")
    yield Call("FocalLoss", {"alpha": 0.25, "weight": 2.0}, "binary-float")
    yield Call("FocalLoss", {"ignore_index": 255}, "binary-ignored")
    yield Call("FocalLoss", {}, "multilabel")

    for arguments in (
        {"sigmoid": True},
        {"softmax": True},
        {"sigmoid": True, "alpha": 0.25, "weight": W},
        {"softmax": True, "include_background": False, "weight": FOREGROUND},
        {"softmax": True, "lambda_dice": 0.5, "lambda_focal": 3.0, "gamma": 1.0},
    ):
        everything = {"to_onehot_y": True, **arguments}
        yield Call("DiceFocalLoss", everything, "absent", target_axis=True, dtype="float32")


def smp() -> Iterator[Call]:
    for name in ("DiceLoss", "JaccardLoss", "TverskyLoss"):
        for arguments, inputs in (
            ({}, "labels"),
            ({}, "absent"),
            ({}, "far"),
            ({"smooth": 1.0}, "absent"),
            ({"log_loss": True}, "absent"),
            ({"classes": [1, 3]}, "absent"),
            ({"class_weights": W}, "absent"),
            ({"class_weights": W, "classes": [1, 2, 3]}, "absent"),
            ({"ignore_index": 255}, "ignored"),
            ({"ignore_index": 255}, "image-ignored"),
            ({"from_logits": False}, "probabilities"),
        ):
            yield Call(name, {"mode": "multiclass", **arguments}, inputs)
        for arguments, inputs in (
            ({"mode": "binary"}, "binary"),
            ({"mode": "binary"}, "binary-float"),
            ({"mode": "binary"}, "binary-absent"),
            ({"mode": "binary", "smooth": 0.5}, "binary"),
            ({"mode": "binary", "ignore_index": 255}, "binary-ignored"),
            ({"mode": "multilabel"}, "multilabel"),
            ({"mode": "multilabel", "class_weights": W}, "absent-one-hot"),
            ({"mode": "multilabel"}, "soft"),
        ):
            yield Call(name, arguments, inputs)
    for arguments in (
        {"alpha": 0.3, "beta": 0.7},
        {"alpha": 0.3, "beta": 0.7, "gamma": 0.75},
        {"gamma": 2.0},
    ):
        yield Call("TverskyLoss", {"mode": "multiclass", **arguments}, "absent")
    for arguments, inputs in (
        ({}, "absent"),
        ({"alpha": 0.25}, "labels"),
        ({"gamma": 1.5}, "far"),
        ({"reduction": "sum"}, "labels"),
        ({"class_weights": W}, "labels"),
        ({"class_weights": W, "reduction": "sum"}, "labels"),
        ({"ignore_index": 255}, "image-ignored"),
    ):
        yield Call("FocalLoss", {"mode": "multiclass", **arguments}, inputs)
    yield Call("FocalLoss", {"mode": "binary", "alpha": 0.25}, "binary")
    yield Call("FocalLoss", {"mode": "binary", "reduction": "sum"}, "binary-float")
    yield Call("FocalLoss", {"mode": "binary", "ignore_index": 255}, "binary-ignored")
    yield Call("FocalLoss", {"mode": "binary", "from_logits": False}, "binary-probabilities")
    for inputs in ("binary-saturated", "binary-wrong"):
        yield Call("FocalLoss", {"mode": "binary", "from_logits": False, "eps": 0.01}, inputs)
    yield Call("FocalLoss", {"mode": "multilabel", "from_logits": False}, "multilabel-probabilities")
    yield Call("FocalLoss", {"mode": "multilabel", "class_weights": W}, "multilabel")
    for arguments, inputs in (
        ({}, "binary-float"),
        ({}, "multilabel"),
        ({}, "soft"),
        ({"smooth_factor": 0.1}, "multilabel"),
        ({"reduction": "sum"}, "binary-float"),
        ({"reduction": "none"}, "binary-float"),
        ({"ignore_index": 255}, "binary-float-ignored"),
        ({"pos_weight": [3.0]}, "binary-float"),
    ):
        yield Call("SoftBCEWithLogitsLoss", arguments, inputs)
    for arguments, inputs in (
        ({"smooth_factor": 0.1}, "labels"),
        ({"smooth_factor": 0.1, "reduction": "sum"}, "labels"),
        ({"smooth_factor": 0.1, "ignore_index": 255}, "ignored"),
    ):
        yield Call("SoftCrossEntropyLoss", arguments, inputs)
    for arguments, inputs in (
        ({}, "absent"),
        ({"per_image": True}, "absent"),
        ({"ignore_index": 255}, "ignored"),
        ({"per_image": True, "ignore_index": 255}, "ignored"),
        ({"from_logits": False}, "probabilities"),
    ):
        yield Call("LovaszLoss", {"mode": "multiclass", **arguments}, inputs, dtype="float32")
    yield Call("LovaszLoss", {"mode": "binary"}, "binary", dtype="float32")
    per_image = {"mode": "binary", "per_image": True, "ignore_index": 255}
    yield Call("LovaszLoss", per_image, "binary-ignored", dtype="float32")


def kornia() -> Iterator[Call]:
    for arguments, inputs in (
        ({}, "absent"),
        ({"eps": 1.0}, "absent"),
        ({"weight": W}, "absent"),
        ({"weight": W, "eps": 1.0}, "labels"),
        ({"average": "macro"}, "absent"),
        ({"average": "macro", "weight": W}, "absent"),
        ({"average": "macro", "eps": 1.0}, "absent"),
        ({"ignore_index": 255}, "ignored"),
        ({"average": "macro", "ignore_index": 255}, "ignored"),
    ):
        yield Call("dice_loss", arguments, inputs)
    for average in ("micro", "macro"):
        yield Call(
            "dice_loss", {"average": average, "ignore_index": 255}, "image-ignored", gradient_alone=True
        )
    tversky = {"alpha": 0.3, "beta": 0.7, "ignore_index": 255}
    yield Call("tversky_loss", tversky, "image-ignored", gradient_alone=True)
    yield Call("DiceLoss", {}, "labels")
    for arguments, inputs in (
        ({}, "absent"),
        ({"ignore_index": 255}, "ignored"),
        ({"eps": 1.0}, "labels"),
    ):
        yield Call("tversky_loss", {"alpha": 0.3, "beta": 0.7, **arguments}, inputs)
    yield Call("TverskyLoss", {"alpha": 1.0, "beta": 0.5}, "labels")
    for arguments, inputs in (
        ({"alpha": 0.25, "reduction": "mean"}, "labels"),
        ({"alpha": None, "reduction": "mean"}, "far"),
        ({"alpha": 0.25, "reduction": "sum", "gamma": 0.5}, "labels"),
        ({"alpha": 0.25, "reduction": "mean", "weight": W}, "labels"),
        ({"alpha": 0.25, "reduction": "mean", "ignore_index": 255}, "ignored"),
        ({"alpha": 0.25, "reduction": "mean", "ignore_index": 255}, "image-ignored"),
    ):
        yield Call("focal_loss", arguments, inputs)
    yield Call("FocalLoss", {"alpha": 0.5, "reduction": "mean"}, "labels")
    for arguments, inputs in (
        ({"reduction": "mean"}, "multilabel"),
        ({"reduction": "mean"}, "soft"),
        ({"reduction": "mean", "alpha": None}, "multilabel"),
        ({"reduction": "sum", "weight": W}, "multilabel"),
        ({"reduction": "mean", "pos_weight": W}, "multilabel"),
        ({"reduction": "mean", "pos_weight": W, "weight": W, "alpha": None}, "multilabel"),
        ({}, "binary-float"),
        ({"reduction": "mean", "ignore_index": 255}, "binary-float-ignored"),
    ):
        yield Call("binary_focal_loss_with_logits", arguments, inputs)
    yield Call("BinaryFocalLossWithLogits", {"alpha": 0.25, "reduction": "mean"}, "multilabel")
    for arguments in ({}, {"weight": W}):
        yield Call("lovasz_softmax_loss", arguments, "labels")
    yield Call("LovaszSoftmaxLoss", {}, "absent")


def pytorch() -> Iterator[Call]:
    for arguments, inputs in (
        ({}, "labels"),
        ({}, "far"),
        ({}, "volume"),
        ({"weight": W}, "labels"),
        ({"ignore_index": 255}, "image-ignored"),
        ({"ignore_index": 255, "weight": W}, "ignored"),
        ({"label_smoothing": 0.1}, "labels"),
        ({"label_smoothing": 0.1, "weight": W, "ignore_index": 255}, "ignored"),
        ({"reduction": "sum", "weight": W}, "labels"),
        ({"reduction": "none", "weight": W, "ignore_index": 255}, "ignored"),
        ({}, "soft"),
        ({"weight": W}, "soft"),
        ({"weight": W, "label_smoothing": 0.1}, "one-hot"),
    ):
        yield Call("CrossEntropyLoss", arguments, inputs)
    yield Call("cross_entropy", {"weight": W}, "labels")
    for arguments, inputs in (
        ({}, "binary-float"),
        ({}, "multilabel"),
        ({}, "soft"),
        ({"reduction": "sum"}, "multilabel"),
        ({"reduction": "none"}, "multilabel"),
        ({"pos_weight": [3.0]}, "binary-float"),
    ):
        yield Call("BCEWithLogitsLoss", arguments, inputs)
    yield Call("binary_cross_entropy_with_logits", {}, "multilabel")
    for arguments, inputs in (
        ({}, "binary-probabilities"),
        ({"reduction": "sum"}, "binary-probabilities"),
        ({}, "multilabel-probabilities"),
    ):
        yield Call("BCELoss", arguments, inputs)
    yield Call("binary_cross_entropy", {}, "binary-probabilities")


CALLS = {peer.__name__: list(peer()) for peer in (monai, smp, kornia, pytorch)}
