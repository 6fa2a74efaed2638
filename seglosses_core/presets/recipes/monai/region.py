"""MONAI's losses of regions: of their overlap, their boundaries and their centrelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seglosses_core.checks import check_choice, check_number
from seglosses_core.presets.recipe import Recipe, Sizes, Term, Terms, refuse
from seglosses_core.presets.recipes.monai.library import (
    activation_of,
    class_weighted,
    none_of_all,
    preset,
    target_of,
)


def dice_term(
    sizes: Sizes,
    *,
    include_background: bool,
    squared_pred: bool,
    jaccard: bool,
    smooth_nr: float,
    smooth_dr: float,
    batch: bool,
    weight: Any = None,
    soft_label: bool = False,
    **options: Any,
) -> Term:
    factor, weights = class_weighted(weight, include_background, sizes.classes)
    half = 0.5 if jaccard else 1.0
    form = {"p": 2.0} if squared_pred else {"overlap": "minimum"} if soft_label else {}
    name = f"{'Power' if squared_pred else ''}{'Jaccard' if jaccard else 'Dice'}Loss"
    return Term(
        factor,
        name,
        {
            "smooth": (half * smooth_nr, half * smooth_dr),
            "include_background": include_background or sizes.classes == 1,
            "aggregate": "batch" if batch else "image",
            "divisor": "all",
            **form,
            **weights,
            **options,
        },
    )


@preset
def DiceLoss(
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
    soft_label: bool = False,
    ignore_index: int | None = None,
) -> Recipe:
    none_of_all(reduction, include_background)
    refuse(soft_label and squared_pred, "soft_label", soft_label, "it goes with squared_pred=False")
    common: dict[str, Any] = {
        "include_background": include_background,
        "squared_pred": squared_pred,
        "jaccard": jaccard,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "batch": batch,
        "weight": weight,
        "soft_label": soft_label,
    }
    return Recipe(
        terms=lambda sizes: [dice_term(sizes, **common)],
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        ignore_index=ignore_index,
        ignores_classes=True,
        reduction=reduction,
        trailing=True,
        buffers={"class_weight": weight},
    )


@preset.called(input="logits", target="target", mask="mask")
def MaskedDiceLoss(
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
    soft_label: bool = False,
) -> Recipe:
    dice = DiceLoss(
        include_background=include_background,
        to_onehot_y=to_onehot_y,
        sigmoid=sigmoid,
        softmax=softmax,
        squared_pred=squared_pred,
        jaccard=jaccard,
        reduction=reduction,
        smooth_nr=smooth_nr,
        smooth_dr=smooth_dr,
        batch=batch,
        weight=weight,
        soft_label=soft_label,
    )

    def terms(sizes: Sizes) -> Sequence[Term]:
        refuse(
            to_onehot_y and include_background and sizes.classes > 1,
            "to_onehot_y",
            to_onehot_y,
            "MONAI takes what is masked for class 0 then: take include_background=False, a one-hot target, or DiceLoss"
            " with mask=",
        )
        return dice.terms(sizes)

    return replace(dice, terms=terms, zero_one_mask=True)


def generalized_dice_term(
    sizes: Sizes,
    *,
    include_background: bool,
    w_type: str,
    smooth_nr: float,
    smooth_dr: float,
    batch: bool,
    soft_label: bool = False,
) -> Term:
    options: dict[str, Any] = {
        "include_background": include_background or sizes.classes == 1,
        "smooth": (smooth_nr, smooth_dr),
        "aggregate": "batch" if batch else "image",
        **({"overlap": "minimum"} if soft_label else {}),
    }
    if w_type == "uniform":
        return Term(1.0, "DiceLoss", {**options, "per_class": False})
    return Term(1.0, "GeneralizedDiceLoss", {**options, "weights": w_type, "relative": False})


def check_generalized(w_type: str, reduction: str) -> None:
    check_choice("w_type", w_type, ("square", "simple", "uniform"))
    refuse(
        reduction == "none",
        "reduction",
        reduction,
        "GeneralizedDiceLoss of this package has one for each image",
    )


@preset
def GeneralizedDiceLoss(
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
    soft_label: bool = False,
) -> Recipe:
    check_generalized(w_type, reduction)
    common: dict[str, Any] = {
        "include_background": include_background,
        "w_type": w_type,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "batch": batch,
        "soft_label": soft_label,
    }
    return Recipe(
        terms=lambda sizes: [generalized_dice_term(sizes, **common)],
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
    )


@preset
def GeneralizedWassersteinDiceLoss(
    dist_matrix: Any,
    weighting_mode: str = "default",
    reduction: str = "mean",
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
) -> Recipe:
    check_choice("weighting_mode", weighting_mode, ("default", "GDL"))
    options = {
        "distances": dist_matrix,
        "weights": {"default": "foreground", "GDL": "gdl"}[weighting_mode],
        "smooth": (smooth_nr, smooth_dr),
    }
    return Recipe(
        terms=lambda sizes: [Term(1.0, "GeneralizedWassersteinDiceLoss", options)],
        activation="softmax",
        reduction=reduction,
    )


def _region(name: str, include_background: bool, batch: bool, **options: Any) -> Terms:
    """One of our losses of images and their classes."""
    aggregate = "batch" if batch else "image"
    return lambda sizes: [
        Term(
            1.0,
            name,
            {
                "include_background": include_background or sizes.classes == 1,
                "aggregate": aggregate,
                **options,
            },
        )
    ]


@preset
def TverskyLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    alpha: float = 0.5,
    beta: float = 0.5,
    reduction: str = "mean",
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    batch: bool = False,
    soft_label: bool = False,
    ignore_index: int | None = None,
) -> Recipe:
    none_of_all(reduction, include_background)
    options = {
        "alpha": alpha,
        "beta": beta,
        "smooth": (smooth_nr, smooth_dr),
        "divisor": "all",
        **({"overlap": "minimum"} if soft_label else {}),
    }
    return Recipe(
        terms=_region("TverskyLoss", include_background, batch, **options),
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        ignore_index=ignore_index,
        ignores_classes=True,
        reduction=reduction,
    )


@preset
def MCCLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    smooth_nr: float = 0.0,
    smooth_dr: float = 1e-5,
    batch: bool = False,
) -> Recipe:
    none_of_all(reduction, include_background)
    refuse(smooth_nr != 0, "smooth_nr", smooth_nr, "it is 0, and smooth_dr keeps the root from being 0")
    return Recipe(
        terms=_region("MCCLoss", include_background, batch, smooth=smooth_dr),
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
    )


@preset
def BoundaryLoss(
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    batch: bool = False,
) -> Recipe:
    none_of_all(reduction, include_background)
    return Recipe(
        terms=_region("BoundaryLoss", include_background, batch),
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
    )


def _hausdorff(
    alpha: float,
    include_background: bool,
    to_onehot_y: bool,
    sigmoid: bool,
    softmax: bool,
    reduction: str,
    batch: bool,
    log: bool,
) -> Recipe:
    none_of_all(reduction, include_background)
    refuse(reduction == "none" and batch, "batch", batch, "with reduction='none' leave it out")
    return Recipe(
        terms=_region("HausdorffDTLoss", include_background, batch, alpha=alpha, log=log),
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
        trailing=True,
    )


@preset
def HausdorffDTLoss(
    alpha: float = 2.0,
    include_background: bool = False,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    batch: bool = False,
) -> Recipe:
    return _hausdorff(alpha, include_background, to_onehot_y, sigmoid, softmax, reduction, batch, log=False)


@preset
def LogHausdorffDTLoss(
    alpha: float = 2.0,
    include_background: bool = False,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
    batch: bool = False,
) -> Recipe:
    return _hausdorff(alpha, include_background, to_onehot_y, sigmoid, softmax, reduction, batch, log=True)


def _cl_dice(
    sizes: Sizes, *, iter_: int, smooth_nr: float, smooth_dr: float, smooth: float, include_background: bool
) -> Term:
    return Term(
        1.0,
        "ClDiceLoss",
        {
            "iterations": iter_,
            "smooth": (smooth_nr, smooth_dr),
            "harmonic_smooth": smooth,
            "per_class": False,
            "include_background": include_background or sizes.classes == 1,
        },
    )


@preset
def SoftclDiceLoss(
    iter_: int = 3,
    smooth_nr: float = 1.0,
    smooth_dr: float = 1.0,
    smooth: float = 1e-4,
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
) -> Recipe:
    common: dict[str, Any] = {
        "iter_": iter_,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "smooth": smooth,
        "include_background": include_background,
    }
    return Recipe(
        terms=lambda sizes: [_cl_dice(sizes, **common)],
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
    )


@preset
def SoftDiceclDiceLoss(
    iter_: int = 3,
    alpha: float = 0.5,
    smooth_nr: float = 1.0,
    smooth_dr: float = 1.0,
    smooth: float = 1e-4,
    include_background: bool = True,
    to_onehot_y: bool = False,
    sigmoid: bool = False,
    softmax: bool = False,
    other_act: Any = None,
    reduction: str = "mean",
) -> Recipe:
    refuse(reduction == "none", "reduction", reduction, "DiceLoss and SoftclDiceLoss each have it")
    check_number("alpha", alpha, at_least=0, at_most=1)
    common: dict[str, Any] = {
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "include_background": include_background,
    }

    def terms(sizes: Sizes) -> list[Term]:
        dice = dice_term(sizes, squared_pred=False, jaccard=False, batch=False, **common)
        lines = _cl_dice(sizes, iter_=iter_, smooth=smooth, **common)
        return [dice._replace(weight=1 - alpha), lines._replace(weight=alpha)]

    return Recipe(
        terms=terms,
        activation=activation_of(sigmoid, softmax),
        target=target_of(to_onehot_y),
        reduction=reduction,
    )
