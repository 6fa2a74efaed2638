"""What was asked of torchvision."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call

MODULES = ("torchvision", "torchvision.ops")
"""The package, and the modules that have its losses."""


def calls() -> Iterator[Call]:
    for arguments, inputs in (
        ({}, "multilabel"),
        ({"reduction": "mean"}, "multilabel"),
        ({"reduction": "sum"}, "multilabel"),
        ({"reduction": "mean"}, "one-hot"),
        ({"reduction": "mean", "alpha": -1}, "multilabel"),
        ({"reduction": "mean", "alpha": 0.0}, "binary-float"),
        ({"reduction": "sum", "alpha": 0.75, "gamma": 0.5}, "binary-float"),
        ({"reduction": "mean"}, "binary-masks"),
    ):
        yield Call("sigmoid_focal_loss", arguments, inputs)
    for arguments in ({}, {"alpha": -1, "gamma": 0.5, "reduction": "mean"}):
        yield Call("sigmoid_focal_loss", arguments, "soft")
