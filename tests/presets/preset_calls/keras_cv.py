"""What was asked of KerasCV."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call

MODULES = ("keras_cv", "keras_cv.losses")
"""The package, the module of its classes, and that of its functions if it is another."""
CLASSES_LAST = TARGET_FIRST = True

LOGITS = {"from_logits": True}


def calls() -> Iterator[Call]:
    for arguments, inputs in (
        (LOGITS, "multilabel"),
        (LOGITS, "binary-float"),
        ({**LOGITS, "alpha": 0.4, "gamma": 1.5}, "multilabel"),
        ({**LOGITS, "reduction": "sum"}, "multilabel"),
        ({**LOGITS, "reduction": None}, "multilabel"),
        ({}, "multilabel-probabilities"),
        ({}, "binary-saturated"),
        ({"gamma": 0.0}, "binary-wrong"),
    ):
        yield Call("FocalLoss", arguments, inputs)
    for arguments, inputs in (({**LOGITS, "alpha": 0.5}, "soft"), ({"alpha": 0.5}, "overlapping-soft")):
        yield Call("FocalLoss", arguments, inputs)
    for arguments, inputs in (
        (LOGITS, "heat-map"),
        (LOGITS, "binary-float"),
        ({**LOGITS, "alpha": 1.5, "beta": 2.0}, "heat-map"),
        ({**LOGITS, "reduction": "sum"}, "heat-map"),
        ({**LOGITS, "reduction": "none"}, "heat-map"),
        ({}, "heat-map-probabilities"),
        ({}, "binary-saturated"),
        ({}, "binary-wrong"),
    ):
        yield Call("BinaryPenaltyReducedFocalCrossEntropy", arguments, inputs)
