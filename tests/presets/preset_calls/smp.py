"""What was asked of segmentation_models_pytorch."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("segmentation_models_pytorch", "segmentation_models_pytorch.losses")
"""The package, and the modules that have its losses."""
BARE = ("segmentation_models_pytorch",)
"""Packages whose own __init__ asks for what has nothing to do with losses."""


def calls() -> Iterator[Call]:
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
            ({"mode": "multilabel", "ignore_index": 255}, "multilabel-ignored"),
            ({"mode": "multilabel", "ignore_index": 255, "class_weights": W}, "multilabel-ignored"),
            ({"mode": "binary"}, "binary-flat"),
            ({"mode": "binary", "ignore_index": 255}, "binary-flat-ignored"),
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
    yield Call("FocalLoss", {"mode": "binary", "ignore_index": 255}, "binary-flat-ignored")
    yield Call("FocalLoss", {"mode": "binary", "from_logits": False}, "binary-probabilities")
    for inputs in ("binary-saturated", "binary-wrong"):
        yield Call("FocalLoss", {"mode": "binary", "from_logits": False, "eps": 0.01}, inputs)
    yield Call("FocalLoss", {"mode": "multilabel", "from_logits": False}, "multilabel-probabilities")
    yield Call("FocalLoss", {"mode": "multilabel", "class_weights": W}, "multilabel")
    for arguments, inputs in (
        ({}, "soft"),
        ({"alpha": 0.25, "gamma": 0.5, "class_weights": W}, "soft"),
        ({"from_logits": False}, "overlapping-soft"),
    ):
        yield Call("FocalLoss", {"mode": "multilabel", **arguments}, inputs)
    for arguments, inputs in (
        ({}, "binary-float"),
        ({}, "multilabel"),
        ({}, "soft"),
        ({"smooth_factor": 0.1}, "multilabel"),
        ({"reduction": "sum"}, "binary-float"),
        ({"reduction": "none"}, "binary-float"),
        ({"ignore_index": 255}, "binary-float-ignored"),
        ({"ignore_index": 255}, "multilabel-ignored"),
        ({"weight": [3.0]}, "binary-float"),
        ({"pos_weight": [3.0]}, "binary-float"),
        ({"ignore_index": 255, "pos_weight": [3.0]}, "multilabel-ignored"),
        ({"ignore_index": 255, "reduction": "none"}, "multilabel-ignored"),
    ):
        yield Call("SoftBCEWithLogitsLoss", arguments, inputs)
    for arguments, inputs in (
        ({"smooth_factor": 0.1}, "labels"),
        ({"smooth_factor": 0.1, "reduction": "sum"}, "labels"),
        ({"smooth_factor": 0.1, "reduction": "none", "ignore_index": None}, "labels"),
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
    for inputs in ("binary-ignored", "binary-image-ignored"):
        yield Call("LovaszLoss", per_image, inputs, dtype="float32")
    yield Call("LovaszLoss", {"mode": "binary"}, "binary-flat", dtype="float32")
    for arguments, inputs in (
        ({}, "binary-probabilities"),
        ({"eps": 1.0}, "binary-probabilities"),
        ({}, "binary-flat-probabilities"),
        ({"eps": 1e-3}, "binary-absent-probabilities"),
    ):
        yield Call("MCCLoss", arguments, inputs)
