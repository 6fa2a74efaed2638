"""What was asked of Hugging Face's transformers."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call

MODULES = (
    "transformers",
    "transformers.loss.loss_utils",
    "transformers.models.maskformer.modeling_maskformer",
    "transformers.models.mask2former.modeling_mask2former",
)
"""The package, and the modules that have its losses."""


def calls() -> Iterator[Call]:
    for arguments, inputs in (
        ({}, "labels"),
        ({}, "ignored"),
        ({}, "image-ignored"),
        ({"num_items_in_batch": 7}, "ignored"),
        ({"ignore_index": 1}, "labels"),
    ):
        yield Call("ForSemanticSegmentationLoss", arguments, inputs)
    for name in ("dice_loss", "sigmoid_focal_loss", "sigmoid_cross_entropy_loss"):
        for num_masks in (1, 3.5):
            yield Call(name, {"num_masks": num_masks}, "binary-masks")
    yield Call("sigmoid_focal_loss", {"num_masks": 3, "alpha": -1, "gamma": 0.5}, "binary-masks")
    yield Call("sigmoid_focal_loss", {"num_masks": 3, "alpha": 0.75}, "binary-masks")
    yield Call("sigmoid_focal_loss", {"num_masks": 3, "alpha": 0.75}, "binary-masks-soft")
    yield Call("sigmoid_cross_entropy_loss", {"num_masks": 3}, "binary-masks-soft")
    yield Call("dice_loss", {"num_masks": 3}, "binary-masks-soft")
