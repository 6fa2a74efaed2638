"""What was asked of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("torch", "torch.nn", "torch.nn.functional")
"""The package, and the modules that have its losses."""


def calls() -> Iterator[Call]:
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
    for arguments, inputs in (({}, "multilabel"), ({"pos_weight": [3.0], "reduction": "sum"}, "soft")):
        yield Call("binary_cross_entropy_with_logits", arguments, inputs, call={"weight": "entries"})
    for arguments, inputs in (
        ({}, "binary-probabilities"),
        ({"reduction": "sum"}, "binary-probabilities"),
        ({}, "multilabel-probabilities"),
    ):
        yield Call("BCELoss", arguments, inputs)
    yield Call("binary_cross_entropy", {}, "binary-probabilities")
    yield Call("binary_cross_entropy", {}, "multilabel-probabilities", call={"weight": "entries"})
