"""MONAI's losses of pixels, alone and beside one of regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seglosses_core.checks import check_choice
from seglosses_core.presets.recipe import Recipe, Sizes, Term, refuse
from seglosses_core.presets.recipes.monai.library import (
    activation_of,
    class_weighted,
    none_of_all,
    preset,
    target_of,
)
from seglosses_core.presets.recipes.monai.region import check_generalized, dice_term, generalized_dice_term


@preset
def NACLLoss(
    classes: int,
    dim: int,
    kernel_size: int = 3,
    kernel_ops: str = "mean",
    distance_type: str = "l1",
    alpha: float = 0.1,
    sigma: float = 1.0,
) -> Recipe:
    refuse(kernel_ops != "mean", "kernel_ops", kernel_ops, "take 'mean'")
    refuse(distance_type != "l1", "distance_type", distance_type, "take 'l1'")
    refuse(sigma != 1, "sigma", sigma, "it is of kernel_ops='gaussian'")

    def terms(sizes: Sizes) -> list[Term]:
        if sizes.classes != classes:
            raise ValueError(f"logits must have the {classes} classes of the loss, got {sizes.classes}.")
        return [Term(1.0, "NACLLoss", {"weight": alpha, "kernel_size": kernel_size})]

    return Recipe(terms=terms, activation="softmax")


@preset
def AsymmetricUnifiedFocalLoss(
    to_onehot_y: bool = False,
    num_classes: int = 2,
    weight: float = 0.5,
    gamma: float = 0.5,
    delta: float = 0.7,
    reduction: str = "mean",
    ignore_index: int | None = None,
) -> Recipe:
    refuse(num_classes != 2, "num_classes", num_classes, "there are two")
    outside = isinstance(weight, Sequence) or not 0 <= weight <= 1
    refuse(outside, "weight", weight, "it is one number in [0, 1], the share of the cross-entropy")
    # Whatever it is, the parts are means, and there is one number.
    check_choice("reduction", reduction, ("mean", "sum", "none"))

    def terms(sizes: Sizes) -> list[Term]:
        if sizes.classes != 2:
            raise ValueError(
                f"logits must be the probabilities of two classes, (1 − p, p), got {sizes.classes}."
            )
        focal = {"gamma": (gamma, 0.0), "alpha": (1 - delta, delta), "divisor": "all"}
        region = {"alpha": 1 - delta, "beta": delta, "smooth": 1e-7, "divisor": "all"}
        enhanced = {**region, "class_weights": (0.0, 1.0), "gamma": 1 - gamma}
        return [
            Term(weight / 2, "FocalLoss", focal),
            Term(1 - weight, "TverskyLoss", {**region, "class_weights": (1.0, 0.0)}),
            Term(1 - weight, "FocalTverskyLoss", enhanced),
        ]

    return Recipe(
        terms=terms,
        activation="identity",
        target=target_of(to_onehot_y),
        ignore_index=ignore_index,
        ignores_classes=True,
        clip=1e-7,
    )


@preset
def DiceCELoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    squared_pred: bool = False,
    jaccard: bool = False,
    reduction: str = "mean",
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    batch: bool = False,
    weight: Any = None,
    lambda_dice: float = 1.0,
    lambda_ce: float = 1.0,
    label_smoothing: float = 0.0,
) -> Recipe:
    refuse(reduction == "none", "reduction", reduction, "DiceLoss and CrossEntropyLoss each have it")
    common: dict[str, Any] = {
        "include_background": include_background,
        "squared_pred": squared_pred,
        "jaccard": jaccard,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "batch": batch,
        "weight": weight if include_background or weight is None else tuple(weight)[1:],
    }

    def terms(sizes: Sizes) -> list[Term]:
        dice = dice_term(sizes, **common)
        entropy: dict[str, Any] = {"activation": "softmax", "label_smoothing": label_smoothing}
        if sizes.classes == 1:
            entropy = {"activation": "sigmoid", "pos_weight": None if weight is None else tuple(weight)}
        else:
            entropy |= {} if sizes.labelled else {"divisor": "valid"}
            entropy |= {} if weight is None else {"class_weights": tuple(weight)}
        return [
            dice._replace(weight=lambda_dice * dice.weight),
            Term(lambda_ce, "CrossEntropyLoss", entropy),
        ]

    return Recipe(
        terms=terms,
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
        buffers={
            "dice.class_weight": common["weight"],
            "cross_entropy.weight": weight,
            "binary_cross_entropy.pos_weight": weight,
        },
    )


def _focal(
    sizes: Sizes,
    *,
    include_background: bool,
    gamma: float,
    alpha: Any,
    weight: Any,
    reduction: str,
    use_softmax: bool = False,
    ignored: bool = False,
) -> Term:
    classes = sizes.classes
    background = include_background or classes == 1
    kept = classes if background else classes - 1
    factor, weights = class_weighted(weight, include_background, classes)
    if weight is not None and kept == 1:
        refuse(isinstance(weight, Sequence), "weight", weight, "with one class it is a number")
        factor = float(weight)
    w = list(weights.get("class_weights", [float(background or c > 0) for c in range(classes)]))
    options: dict[str, Any] = {"activation": "softmax" if use_softmax else "sigmoid", "gamma": gamma}
    if not use_softmax:
        options["mixes"] = "logits"
    if isinstance(alpha, Sequence):
        if len(alpha) != kept:
            raise ValueError(
                f"alpha must have one number for each class that counts, {kept}, got {len(alpha)}."
            )
        a = [*alpha] if kept == classes else [1.0, *alpha]
    elif use_softmax and alpha is not None:
        a = [1.0 - alpha] + [alpha] * (classes - 1)
    else:
        a = []
    if use_softmax:
        options["alpha"] = tuple(x * y for x, y in zip(a, w, strict=True)) if a else tuple(w)
    elif a:  # of what is there alone, while what is not costs 1
        options["alpha"] = tuple(x / (1 + x) for x in a)
        w = [x * (1 + y) for x, y in zip(w, a, strict=True)]
    else:
        options["alpha"] = alpha
    if not use_softmax and (a or w != [1.0] * classes):
        options["class_weights"] = tuple(w)
    if reduction == "sum":
        assert sizes.pixels is not None
        factor = factor / sizes.pixels
    elif reduction == "mean":
        options["divisor"] = "valid" if ignored else "all"
        # Ours divides by pixels under softmax, else by the classes of pixels.
        ours, theirs = (1 if use_softmax else classes), (1 if ignored else kept)
        factor = factor * ours / theirs
    return Term(factor, "FocalLoss", options)


@preset
def FocalLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    gamma: float = 2.0,
    alpha: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    use_softmax: bool = False,
    ignore_index: int | None = None,
) -> Recipe:
    without_first = use_softmax and not include_background
    refuse(
        without_first and alpha is not None and not isinstance(alpha, Sequence),
        "alpha",
        alpha,
        "MONAI ignores one number without the background: give one for each class",
    )
    refuse(
        use_softmax and reduction == "none",
        "reduction",
        reduction,
        "use_softmax=True has one cost a pixel here",
    )
    refuse(
        reduction == "sum" and ignore_index is not None,
        "ignore_index",
        ignore_index,
        "with reduction='sum' MONAI divides each image by its own number of pixels: take reduction='mean'",
    )
    none_of_all(reduction, include_background)
    common: dict[str, Any] = {
        "include_background": include_background,
        "gamma": gamma,
        "alpha": alpha,
        "weight": weight,
        "reduction": reduction,
        "use_softmax": use_softmax,
        "ignored": ignore_index is not None,
    }
    return Recipe(
        terms=lambda sizes: [_focal(sizes, **common)],
        activation="softmax" if use_softmax else "sigmoid",
        target=target_of(to_onehot_y),
        ignore_index=ignore_index,
        ignores_classes=True,
        reduction=reduction,
        counts_pixels=reduction == "sum",
        buffers={"class_weight": weight},
        without_first=without_first,
    )


@preset
def DiceFocalLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    squared_pred: bool = False,
    jaccard: bool = False,
    reduction: str = "mean",
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    batch: bool = False,
    gamma: float = 2.0,
    weight: Any = None,
    lambda_dice: float = 1.0,
    lambda_focal: float = 1.0,
    alpha: float | None = None,
) -> Recipe:
    refuse(reduction == "none", "reduction", reduction, "DiceLoss and FocalLoss each have it")
    common: dict[str, Any] = {
        "include_background": include_background,
        "squared_pred": squared_pred,
        "jaccard": jaccard,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "batch": batch,
        "weight": weight,
    }

    def terms(sizes: Sizes) -> list[Term]:
        dice = dice_term(sizes, **common)
        focal = _focal(
            sizes,
            include_background=include_background,
            gamma=gamma,
            alpha=alpha,
            weight=weight,
            reduction=reduction,
        )
        return [
            dice._replace(weight=lambda_dice * dice.weight),
            focal._replace(weight=lambda_focal * focal.weight),
        ]

    return Recipe(
        terms=terms,
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
        counts_pixels=reduction == "sum",
        buffers={"dice.class_weight": weight, "focal.class_weight": weight},
    )


@preset
def GeneralizedDiceFocalLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    w_type: str = "square",
    reduction: str = "mean",
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    batch: bool = False,
    gamma: float = 2.0,
    weight: Any = None,
    lambda_gdl: float = 1.0,
    lambda_focal: float = 1.0,
) -> Recipe:
    check_generalized(w_type, reduction)
    common: dict[str, Any] = {
        "include_background": include_background,
        "w_type": w_type,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "batch": batch,
    }

    def terms(sizes: Sizes) -> list[Term]:
        dice = generalized_dice_term(sizes, **common)
        focal = _focal(
            sizes,
            include_background=include_background,
            gamma=gamma,
            alpha=None,
            weight=weight,
            reduction=reduction,
        )
        return [
            dice._replace(weight=lambda_gdl * dice.weight),
            focal._replace(weight=lambda_focal * focal.weight),
        ]

    return Recipe(
        terms=terms,
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
        counts_pixels=reduction == "sum",
        buffers={"focal.class_weight": weight},
    )
