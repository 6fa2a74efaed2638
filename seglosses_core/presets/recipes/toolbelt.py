"""The losses of pytorch_toolbelt, from which those of segmentation_models_pytorch come."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse
from seglosses_core.presets.recipes import smp

preset = Library(
    "toolbelt",
    "pytorch_toolbelt",
    "0.8.0",
    ("y_pred", "y_true"),
    "classes in a list are read from memory that nobody has set there; here they mean what a tensor of them does.",
    "LovaszLoss(per_image=True) of an image that is all ignored is an error there; here it leaves the mean.",
    "BinaryFocalLoss is computed in float32 there, whatever the logits are.",
    "A score below 1e-7 is cut off under log_loss there; here it is exact, and has a gradient.",
    "CrossEntropyFocalLoss, in which softmax weighs costs of sigmoid, is not here: take FocalLoss of this package.",
)


@preset
def DiceLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0.0,
    ignore_index: int | None = None,
    eps: float = 1e-7,
) -> Recipe:
    return smp.region(
        "DiceLoss", mode, classes, log_loss, from_logits, smooth, ignore_index, None, overlap="product"
    )


@preset
def JaccardLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0,
    eps: float = 1e-7,
) -> Recipe:
    return smp.region(
        "JaccardLoss", mode, classes, log_loss, from_logits, smooth, None, None, overlap="product"
    )


@preset.called(inputs="logits", targets="target")
def BinaryFocalLoss(
    alpha: float | None = None,
    gamma: float = 2.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
    normalized: bool = False,
    reduced_threshold: float | None = None,
    activation: str = "sigmoid",
    softmax_dim: int | None = None,
    class_weights: Any = None,
) -> Recipe:
    refuse(
        normalized,
        "normalized",
        normalized,
        "FocalLoss(normalized=True) of this package has sums of each image",
    )
    refuse(reduced_threshold is not None, "reduced_threshold", reduced_threshold, "leave it out")
    refuse(
        activation != "sigmoid", "activation", activation, "take FocalLoss of this package, of softmax alone"
    )
    refuse(softmax_dim is not None, "softmax_dim", softmax_dim, "it goes with activation='softmax'")
    refuse(
        reduction == "batchwise_mean",
        "reduction",
        reduction,
        "take the sum of reduction='none' over the images",
    )
    options: dict[str, Any] = {"alpha": alpha, "gamma": gamma, "divisor": "all", "mixes": "probabilities"}
    if class_weights is not None:
        options["class_weights"] = tuple(class_weights)

    def terms(sizes: Sizes) -> list[Term]:
        refuse(
            sizes.labelled and sizes.classes > 1 and ignore_index in (0, 1),
            "ignore_index",
            ignore_index,
            "entries of one-hot targets bear it too there: give what is ignored another label",
        )
        return [Term(1.0, "FocalLoss", options)]

    return Recipe(
        terms=terms,
        activation="sigmoid",
        target="either",
        ignore_index=ignore_index,
        reduction=reduction,
    )


@preset.called(logits="logits", target="target")
def BinaryLovaszLoss(per_image: bool = False, ignore_index: int | None = None) -> Recipe:
    options = {"aggregate": "image" if per_image else "batch", "divisor": "all"}
    return Recipe(
        terms=lambda sizes: [Term(1.0, "LovaszHingeLoss", options)],
        activation="sigmoid",
        ignore_index=ignore_index,
        one_class=True,
    )


@preset.called(logits="logits", target="target")
def LovaszLoss(per_image: bool = False, ignore: int | None = None) -> Recipe:
    """Of probabilities, whatever the name there says."""
    options = {"aggregate": "image" if per_image else "batch", "average": "image"}
    return Recipe(
        terms=lambda sizes: [Term(1.0, "LovaszSoftmaxLoss", options)],
        activation="identity",
        ignore_index=ignore,
    )


@preset.called(input="logits", target="target")
def SoftBCEWithLogitsLoss(
    weight: Any = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
    smooth_factor: float | None = None,
    pos_weight: Any = None,
) -> Recipe:
    return smp.SoftBCEWithLogitsLoss(weight, ignore_index, reduction, smooth_factor, pos_weight)


@preset.called(input="logits", target="target")
def SoftCrossEntropyLoss(
    reduction: str = "mean", smooth_factor: float = 0.0, ignore_index: int | None = -100, dim: int = 1
) -> Recipe:
    return smp.SoftCrossEntropyLoss(reduction, smooth_factor, ignore_index, dim)
