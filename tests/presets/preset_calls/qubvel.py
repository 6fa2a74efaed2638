"""What was asked of segmentation_models."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("segmentation_models", "segmentation_models.losses")
"""The package, the module of its classes, and that of its functions if it is another."""
CLASSES_LAST = TARGET_FIRST = IN_JAX = True
ARRAYS = ("class_weights",)
"""The arguments that it wants as arrays."""
BARE = ("segmentation_models",)
"""Packages whose own __init__ asks for what has nothing to do with losses."""


def calls() -> Iterator[Call]:
    for name in ("DiceLoss", "JaccardLoss"):
        for arguments, inputs in (
            ({}, "multilabel-probabilities"),
            ({}, "binary-empty"),
            ({"per_image": True}, "multilabel-probabilities"),
            ({"per_image": True}, "binary-empty"),
            ({"smooth": 1.0}, "multilabel-probabilities"),
            ({"class_weights": W}, "multilabel-probabilities"),
            ({"class_weights": 2.0}, "multilabel-probabilities"),
            ({"class_indexes": 2}, "multilabel-probabilities"),
            ({"class_indexes": [1, 3]}, "multilabel-probabilities"),
            ({"class_indexes": [1, 3], "class_weights": 2.0}, "multilabel-probabilities"),
            ({"class_indexes": [3, 1], "class_weights": W[:2]}, "multilabel-probabilities"),
        ):
            yield Call(name, arguments, inputs)
    yield Call("DiceLoss", {"beta": 2.0, "smooth": 1.0}, "multilabel-probabilities")
    yield Call("DiceLoss", {"beta": 0.5, "per_image": True, "class_weights": W}, "multilabel-probabilities")
    for name in ("BinaryCELoss", "BinaryFocalLoss"):
        for inputs in (
            "multilabel-probabilities",
            "binary-probabilities",
            "binary-saturated",
            "binary-wrong",
        ):
            yield Call(name, {}, inputs)
    yield Call("BinaryFocalLoss", {"alpha": 0.6, "gamma": 1.5}, "multilabel-probabilities")
    for arguments in ({}, {"class_weights": W}, {"class_weights": 2.0}):
        yield Call("CategoricalCELoss", arguments, "absent-one-hot", softmax=True)
    for inputs in ("multilabel", "far-one-hot"):
        yield Call("CategoricalCELoss", {"class_weights": W}, inputs, softmax=True)
    for arguments, inputs in (
        ({}, "exclusive-probabilities"),
        ({}, "multilabel-probabilities"),
        ({"alpha": 0.6, "gamma": 1.5}, "exclusive-probabilities"),
        ({"class_indexes": [1, 3]}, "exclusive-probabilities"),
    ):
        yield Call("CategoricalFocalLoss", arguments, inputs)
    yield Call("CategoricalFocalLoss", {}, "far-one-hot", softmax=True)
    for name in (
        "jaccard_loss", "dice_loss", "binary_focal_loss", "categorical_focal_loss", "binary_crossentropy",
        "bce_dice_loss", "bce_jaccard_loss", "binary_focal_dice_loss", "binary_focal_jaccard_loss",
        "categorical_focal_dice_loss", "categorical_focal_jaccard_loss",
    ):  # fmt: skip
        yield Call(name, {}, "exclusive-probabilities")
    for name in ("categorical_crossentropy", "cce_dice_loss", "cce_jaccard_loss"):
        yield Call(name, {}, "absent-one-hot", softmax=True)
