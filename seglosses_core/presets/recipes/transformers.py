"""The losses of Hugging Face's transformers: of semantic segmentation, and MaskFormer's and Mask2Former's of masks."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term

preset = Library(
    "transformers",
    "Hugging Face transformers",
    "5.24.0",
    ("logits", "labels"),
    "Nothing left, every pixel ignored: ForSemanticSegmentationLoss is NaN there, and 0 here.",
    "Logits are not resized here: they have the height and the width of the labels.",
    "Masks (m, H, W) are divided by H alone in the losses of pixels there; here by H W, as flattened ones (m, H W).",
    "DETR's dice_loss and sigmoid_focal_loss are those of masks, with other names of their parameters: go by position.",
    "SegFormer with one label has no function there; it is CrossEntropyLoss(activation='sigmoid', ignore_index=255,"
    " divisor='all') of this package.",
    none={"auxiliary_logits": "call the loss for them too, and add that with its weight"},
)


@preset.function("ForSemanticSegmentationLoss", "logits", "labels", divisor="num_items_in_batch")
def ForSemanticSegmentationLoss(
    ignore_index: int = 255,
    num_items_in_batch: Any = None,
    auxiliary_logits: None = None,
    auxiliary_loss_weight: float = 0.4,
) -> Recipe:
    given = num_items_in_batch is not None
    return Recipe(
        terms=lambda sizes: [Term(1 / num_items_in_batch if given else 1.0, "CrossEntropyLoss", {})],
        activation="softmax",
        ignore_index=ignore_index,
        reduction="sum" if given else "mean",
    )


@preset.function("dice_loss", "inputs", "labels", divisor="num_masks")
def dice_loss(num_masks: float) -> Recipe:
    return Recipe(
        terms=lambda sizes: [Term(1 / num_masks, "DiceLoss", {"smooth": 1.0})],
        activation="sigmoid",
        target="classes",
        reduction="sum",
        one_class=True,
    )


def _of_pixels(num_masks: float, loss: str, **options: Any) -> Recipe:
    """The sum over masks of the means over their pixels."""

    def terms(sizes: Sizes) -> list[Term]:
        assert sizes.pixels is not None
        return [Term(1 / (num_masks * sizes.pixels), loss, options)]

    return Recipe(
        terms=terms,
        activation="sigmoid",
        target="classes",
        reduction="sum",
        counts_pixels=True,
        one_class=True,
    )


@preset.function("sigmoid_focal_loss", "inputs", "labels", divisor="num_masks")
def sigmoid_focal_loss(num_masks: float, alpha: float = 0.25, gamma: float = 2) -> Recipe:
    options = {"alpha": None if alpha < 0 else alpha, "gamma": gamma, "mixes": "probabilities"}
    return _of_pixels(num_masks, "FocalLoss", **options)


@preset.function("sigmoid_cross_entropy_loss", "inputs", "labels", divisor="num_masks")
def sigmoid_cross_entropy_loss(num_masks: float) -> Recipe:
    return _of_pixels(num_masks, "CrossEntropyLoss")
