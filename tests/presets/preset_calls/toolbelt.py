"""What was asked of pytorch_toolbelt."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("pytorch_toolbelt", "pytorch_toolbelt.losses")
"""The package, and the modules that have its losses."""
ARRAYS = ("weight", "pos_weight", "classes")
"""The arguments that it wants as tensors."""


def calls() -> Iterator[Call]:
    for name in ("DiceLoss", "JaccardLoss"):
        for arguments, inputs in (
            ({}, "labels"),
            ({}, "absent"),
            ({"smooth": 1.0}, "absent"),
            ({"log_loss": True}, "absent"),
            ({"classes": [1, 3]}, "absent"),
            ({"from_logits": False}, "probabilities"),
        ):
            yield Call(name, {"mode": "multiclass", **arguments}, inputs)
        for arguments, inputs in (
            ({"mode": "binary"}, "binary"),
            ({"mode": "binary"}, "binary-float"),
            ({"mode": "binary"}, "binary-absent"),
            ({"mode": "binary", "smooth": 0.5}, "binary"),
            ({"mode": "multilabel"}, "multilabel"),
            ({"mode": "multilabel"}, "absent-one-hot"),
            ({"mode": "multilabel"}, "soft"),
        ):
            yield Call(name, arguments, inputs)
    for inputs in ("ignored", "image-ignored"):
        yield Call("DiceLoss", {"mode": "multiclass", "ignore_index": 255}, inputs)
    yield Call("DiceLoss", {"mode": "binary", "ignore_index": 255}, "binary-ignored")
    for arguments, inputs in (
        ({}, "absent"),
        ({"alpha": 0.25}, "labels"),
        ({"gamma": 1.5}, "far"),
        ({"reduction": "sum"}, "labels"),
        ({"class_weights": W}, "labels"),
        ({"class_weights": W, "alpha": 0.25, "reduction": "sum"}, "multilabel"),
        ({"class_weights": W, "reduction": "none"}, "multilabel"),
        ({"ignore_index": 255}, "ignored"),
        ({"ignore_index": 255}, "image-ignored"),
        ({"ignore_index": 255, "class_weights": W}, "image-ignored"),
        ({}, "binary"),
        ({"alpha": 0.25}, "binary-float"),
        ({"ignore_index": 255}, "binary-float-ignored"),
    ):
        yield Call("BinaryFocalLoss", arguments, inputs)
    for arguments in ({}, {"alpha": 0.25, "gamma": 0.5, "class_weights": W}):
        yield Call("BinaryFocalLoss", arguments, "soft")
    for arguments, inputs in (
        ({}, "probabilities"),
        ({"per_image": True}, "probabilities"),
        ({"ignore": 3}, "probabilities"),
        ({"per_image": True, "ignore": 3}, "probabilities"),
    ):
        yield Call("LovaszLoss", arguments, inputs, dtype="float32")
    yield Call("BinaryLovaszLoss", {}, "binary", dtype="float32")
    for inputs in ("binary-ignored", "binary-image-ignored"):
        yield Call("BinaryLovaszLoss", {"per_image": True, "ignore_index": 255}, inputs, dtype="float32")
    for arguments, inputs in (
        ({}, "binary-float"),
        ({}, "soft"),
        ({"smooth_factor": 0.1}, "multilabel"),
        ({"reduction": "sum"}, "binary-float"),
        ({"reduction": "none"}, "binary-float"),
        ({"ignore_index": 255}, "binary-float-ignored"),
        ({"pos_weight": [3.0]}, "binary-float"),
        ({"weight": [3.0]}, "binary-float"),
    ):
        yield Call("SoftBCEWithLogitsLoss", arguments, inputs)
    for arguments, inputs in (
        ({}, "labels"),
        ({"smooth_factor": 0.1}, "far"),
        ({"smooth_factor": 0.1, "reduction": "sum"}, "labels"),
        ({"smooth_factor": 0.1, "reduction": "none", "ignore_index": None}, "labels"),
        ({"smooth_factor": 0.1, "ignore_index": 255}, "image-ignored"),
    ):
        yield Call("SoftCrossEntropyLoss", arguments, inputs)
