"""What was asked of mmsegmentation."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("mmsegmentation", "mmseg.models.losses")
"""The package, the module of its classes, and that of its functions if it is another."""
BARE = ("mmseg", "mmseg.models")
"""Packages whose own __init__ asks for what has nothing to do with losses."""
MISSING = {
    "mmcv": (),
    "mmcv.ops": ("sigmoid_focal_loss",),
    "mmengine": (),
    "mmengine.fileio": ("load",),
    "mmengine.utils": ("is_list_of",),
    "mmseg.registry": ("MODELS",),
    "mmseg.models.builder": ("LOSSES",),
}
"""Modules that are not installed, and what the losses import from them."""

VOID = {"ignore_index": 255}


def calls() -> Iterator[Call]:
    # A mean is divided by a little more than the number of pixels, which float32 does not see, and the sums of Dice are
    # of float32.
    for arguments, inputs, call in (
        ({}, "labels", {}),
        ({}, "far", {}),
        ({}, "ignored", VOID),
        ({}, "image-ignored", VOID),
        ({"avg_non_ignore": True}, "image-ignored", VOID),
        ({"class_weight": W}, "absent", {}),
        ({"class_weight": W, "reduction": "sum"}, "ignored", VOID),
        ({"loss_weight": 0.4}, "labels", {}),
        ({}, "labels", {"weight": "pixels"}),
        ({"avg_non_ignore": True}, "ignored", {**VOID, "weight": "pixels"}),
        ({"class_weight": W}, "labels", {"weight": "pixels"}),
        ({}, "ignored", {**VOID, "reduction_override": "sum"}),
        ({"class_weight": W, "loss_weight": 0.4}, "ignored", {**VOID, "reduction_override": "none"}),
        ({"use_sigmoid": True}, "labels", {}),
        ({"use_sigmoid": True}, "ignored", VOID),
        ({"use_sigmoid": True, "avg_non_ignore": True}, "image-ignored", VOID),
        ({"use_sigmoid": True}, "labels", {"weight": "pixels"}),
        ({"use_sigmoid": True, "reduction": "none"}, "ignored", VOID),
        ({"use_sigmoid": True}, "binary-labels", {}),
        ({"use_sigmoid": True, "class_weight": [3.0]}, "binary-labels", {}),
        ({"use_sigmoid": True, "avg_non_ignore": True}, "binary-labels-ignored", VOID),
    ):
        yield Call("CrossEntropyLoss", arguments, inputs, dtype="float32", call=call)

    for arguments, inputs, call in (
        ({}, "labels", {}),
        ({}, "absent", {}),
        ({}, "ignored", VOID),
        ({}, "multilabel", {}),
        ({}, "binary-float", {}),
        ({"use_sigmoid": False}, "image-ignored", VOID),
        ({"use_sigmoid": False}, "soft", {}),
        ({"activate": False}, "probabilities", {}),
        ({"eps": 2.0}, "labels", {}),
        ({"ignore_index": 2}, "labels", {}),
        ({"naive_dice": True}, "ignored", VOID),
        ({"naive_dice": True, "use_sigmoid": False, "eps": 2.0}, "absent", {}),
        ({"naive_dice": True, "ignore_index": 0}, "labels", {}),
        ({"loss_weight": 3.0, "reduction": "none"}, "labels", {}),
        ({}, "labels", {"weight": "images"}),
        ({"naive_dice": True}, "labels", {"weight": "images", "reduction_override": "sum"}),
    ):
        yield Call("DiceLoss", arguments, inputs, dtype="float32", call=call)

    for arguments, inputs, call in (
        ({}, "one-hot", {}),
        ({}, "far-one-hot", {}),
        ({"gamma": 0.5, "alpha": 0.25}, "multilabel", {}),
        ({"alpha": [0.25, 0.5, 0.9, 1.0]}, "one-hot", {}),
        ({"class_weight": W}, "one-hot", {}),
        ({"class_weight": W, "reduction": "sum", "loss_weight": 2.0}, "one-hot", {}),
        ({"class_weight": W, "reduction": "none"}, "one-hot", {}),
        ({}, "one-hot", {**VOID, "reduction_override": "sum"}),
        ({}, "binary-float", {}),
        ({}, "soft", {}),
        ({"gamma": 0.5, "alpha": 0.25, "class_weight": W}, "soft", {}),
    ):
        yield Call("FocalLoss", arguments, inputs, call=call)

    for arguments, inputs, call in (
        ({}, "labels", {}),
        ({}, "ignored", VOID),
        ({}, "image-ignored", VOID),
        ({"class_weight": W}, "absent", {}),
        ({"class_weight": W, "ignore_index": 1}, "absent", {}),
        ({"alpha": 0.5, "beta": 0.5, "smooth": 1e-3, "loss_weight": 2.0}, "absent", {}),
    ):
        yield Call("TverskyLoss", arguments, inputs, call=call)

    whole, each = {"reduction": "none"}, {"per_image": True}
    for arguments, inputs, call in (
        (whole, "absent", {}),
        (whole, "ignored", VOID),
        (each, "ignored", VOID),
        ({**each, "class_weight": W}, "absent", {}),
        ({**whole, "class_weight": W}, "absent", {}),
        ({**whole, "classes": "all"}, "absent", {}),
        ({**each, "classes": "all", "loss_weight": 2.0}, "absent", {}),
        ({**whole, "classes": [0, 3]}, "absent", {}),
        ({**each, "classes": [1, 2], "class_weight": W}, "absent", {}),
        (each, "absent", {"reduction_override": "sum"}),
        ({**whole, "loss_type": "binary"}, "binary-labels", {}),
        ({**each, "loss_type": "binary"}, "binary-labels-ignored", VOID),
        (
            {**each, "loss_type": "binary", "reduction": "sum", "loss_weight": 2.0},
            "binary-labels-ignored",
            {},
        ),
        ({**each, "loss_type": "binary"}, "binary-labels-image-ignored", VOID),
    ):
        yield Call("LovaszLoss", arguments, inputs, dtype="float32", call=call)

    for arguments, inputs in (
        ({"min_kept": 5}, "labels"),
        ({"min_kept": 20}, "labels"),
        ({"min_kept": 5, "thres": 0.2}, "ignored"),
        ({"min_kept": 9, "thres": 1e-4, "loss_weight": 0.4}, "image-ignored"),
    ):
        yield Call("OhemCrossEntropy", arguments, inputs)
