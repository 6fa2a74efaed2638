"""KerasCV's losses of pixels."""

from __future__ import annotations

from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse
from seglosses_core.presets.recipes.keras import EPSILON, core_reduction

preset = Library(
    "keras_cv",
    "KerasCV",
    "0.9.0",
    ("y_pred", "y_true"),
    "Losses are called as others of the package are: with `(y_true, y_pred)` in seglosses_keras, with logits and target"
    " in the other packages.",
    "With from_logits=True probabilities are clipped there, to [1e-7, 1 − 1e-7] by FocalLoss and to [1e-4, 1 − 1e-4] by"
    " BinaryPenaltyReducedFocalCrossEntropy; here they are exact, and so is the gradient.",
    "FocalLoss of a probability below 1e-7 or above 1 − 1e-7 has a gradient there, and none here.",
    "FocalLoss of a target between 0 and 1 has 1 − α there; here the target mixes α and 1 − α, which is the same for"
    " alpha=0.5.",
    "BinaryPenaltyReducedFocalCrossEntropy takes a target above .99 for foreground there, one of 1 here.",
)


@preset
def FocalLoss(
    alpha: float = 0.25,
    gamma: float = 2,
    from_logits: bool = False,
    label_smoothing: float = 0,
    *,
    name: str | None = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
) -> Recipe:
    refuse(
        label_smoothing != 0,
        "label_smoothing",
        label_smoothing,
        "no smoothed label counts as foreground there; take CrossEntropyLoss(label_smoothing=) of this package",
    )
    reduction = core_reduction(reduction, dtype)
    options: dict[str, Any] = {"alpha": alpha, "gamma": gamma, "mixes": "probabilities"}
    if not from_logits:
        options |= {"clip": EPSILON, "overlapping": True}
    return Recipe(
        # What a pixel costs is the sum over its classes.
        terms=lambda sizes: [Term(1.0 if reduction == "sum" else sizes.classes, "FocalLoss", options)],
        activation="sigmoid" if from_logits else "identity",
        target="classes",
        reduction=reduction,
        averages_classes=True,
        takes_sample_weight=True,
    )


@preset
def BinaryPenaltyReducedFocalCrossEntropy(
    alpha: float = 2.0,
    beta: float = 4.0,
    from_logits: bool = False,
    positive_threshold: float = 0.99,
    positive_weight: float = 1.0,
    negative_weight: float = 1.0,
    reduction: str | None = "sum_over_batch_size",
    name: str = "binary_penalty_reduced_focal_cross_entropy",
) -> Recipe:
    refuse(positive_threshold != 0.99, "positive_threshold", positive_threshold, "make the target 1 above it")
    for argument, value in (("positive_weight", positive_weight), ("negative_weight", negative_weight)):
        refuse(value != 1, argument, value, "take FocalLoss(alpha=) of this package for weights of sides")
    refuse(reduction == "mean_with_sample_weight", "reduction", reduction, "take another")
    options: dict[str, Any] = {"alpha": alpha, "beta": beta, "divisor": "valid"}
    if not from_logits:
        options["clip"] = 1e-4

    def terms(sizes: Sizes) -> list[Term]:
        return [Term(1.0, "DistanceAwareCrossEntropyLoss", options)]

    return Recipe(
        terms=terms,
        activation="sigmoid" if from_logits else "identity",
        target="classes",
        reduction=core_reduction(reduction, None),
        takes_sample_weight=True,
    )
