"""What was asked of kornia."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("kornia", "kornia.losses")
"""The package, and the modules that have its losses."""


def calls() -> Iterator[Call]:
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
        ({"reduction": "mean", "ignore_index": 255}, "multilabel-ignored"),
        ({"reduction": "sum", "ignore_index": 255, "weight": W, "pos_weight": W}, "multilabel-ignored"),
        ({"ignore_index": 255}, "multilabel-ignored"),
    ):
        yield Call("binary_focal_loss_with_logits", arguments, inputs)
    yield Call("BinaryFocalLossWithLogits", {"alpha": 0.25, "reduction": "mean"}, "multilabel")
    for arguments in ({}, {"weight": W}):
        yield Call("lovasz_softmax_loss", arguments, "labels")
    yield Call("LovaszSoftmaxLoss", {}, "absent")
    yield Call("lovasz_hinge_loss", {}, "binary-labels")
    yield Call("LovaszHingeLoss", {}, "binary-labels")
    for arguments in ({}, {"alpha": 1.0, "k": 3}, {"k": 2, "reduction": "sum"}):
        yield Call("HausdorffERLoss", arguments, "blocks", target_axis=True, dtype="float32")
        yield Call("HausdorffERLoss3D", arguments, "blocks-in-space", target_axis=True, dtype="float32")
