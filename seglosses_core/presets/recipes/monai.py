"""MONAI's losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seglosses_core.checks import check_choice, check_number
from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, Terms, refuse

preset = Library(
    "monai",
    "MONAI",
    "1.6.1",
    ("input", "target"),
    "FocalLoss of a target between 0 and 1 is its costs mixed by the target, where MONAI has |p − y| to the power γ.",
    "FocalLoss of gamma below 1 has a gradient that is NaN there where a pixel is certain.",
    "HausdorffDTLoss of integers that are not made one-hot, such as those of one class, cuts distances off to integers"
    " there.",
    "A label outside the classes makes the value NaN here, where MONAI raises an error.",
    "Of one class, softmax=True is an error here; MONAI warns and ignores it.",
    "An image without a pixel that counts costs 0 here; there 1 − smooth_nr / smooth_dr, which is 0 by default, and"
    " something in AsymmetricUnifiedFocalLoss.",
    "AsymmetricUnifiedFocalLoss cuts logits off at 0 and 1, here too, for it takes probabilities, whatever its"
    " documentation says.",
    "A mask of MaskedDiceLoss that is neither 0 nor 1 makes the value NaN here.",
    "The argument dim of NACLLoss is not needed here: the logits have as many axes as they have.",
    "DeepSupervisionLoss is not among the losses here: MONAI's takes any loss, so give it one of these; ours does too.",
    none={"other_act": "apply it to the logits, and leave the activations off"},
)


def _activation(sigmoid: bool, softmax: bool) -> str:
    refuse(sigmoid and softmax, "sigmoid", sigmoid, "it excludes softmax=True")
    return "sigmoid" if sigmoid else "softmax" if softmax else "identity"


def _target(to_onehot_y: bool) -> str:
    return "labels" if to_onehot_y else "classes"


def _weighted(weight: Any, background: bool, classes: int) -> tuple[float, dict[str, Any]]:
    """The factor and the options of a weight of classes that is not divided by; with one class left there is none."""
    kept = classes if background or classes == 1 else classes - 1
    if weight is None or kept == 1:
        return 1.0, {}
    if not isinstance(weight, Sequence):
        return float(weight), {}
    if len(weight) != kept:
        raise ValueError(
            f"weight must have one number for each class that counts, {kept}, got {len(weight)}."
        )
    return 1.0, {"class_weights": tuple(weight) if kept == classes else (0.0, *weight)}


def _dice(
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
    factor, weights = _weighted(weight, include_background, sizes.classes)
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


def _none_of_all(reduction: str, include_background: bool) -> None:
    refuse(
        reduction == "none" and not include_background,
        "include_background",
        include_background,
        "with reduction='none' take the losses of all classes, and leave out the first",
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
    _none_of_all(reduction, include_background)
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
        terms=lambda sizes: [_dice(sizes, **common)],
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
        ignore_index=ignore_index,
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
    _none_of_all(reduction, include_background)
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

    def terms(sizes: Sizes) -> list[Term]:
        refuse(
            to_onehot_y and include_background and sizes.classes > 1,
            "to_onehot_y",
            to_onehot_y,
            "MONAI takes what is masked for class 0 then: take include_background=False, a one-hot target, or DiceLoss"
            " with mask=",
        )
        return [_dice(sizes, **common)]

    return Recipe(
        terms=terms,
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
        reduction=reduction,
        trailing=True,
        zero_one_mask=True,
        buffers={"class_weight": weight},
    )


def _generalized_dice(
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


def _check_generalized(w_type: str, reduction: str) -> None:
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
    _check_generalized(w_type, reduction)
    common: dict[str, Any] = {
        "include_background": include_background,
        "w_type": w_type,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "batch": batch,
        "soft_label": soft_label,
    }
    return Recipe(
        terms=lambda sizes: [_generalized_dice(sizes, **common)],
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
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
    _none_of_all(reduction, include_background)
    options = {
        "alpha": alpha,
        "beta": beta,
        "smooth": (smooth_nr, smooth_dr),
        "divisor": "all",
        **({"overlap": "minimum"} if soft_label else {}),
    }
    return Recipe(
        terms=_region("TverskyLoss", include_background, batch, **options),
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
        ignore_index=ignore_index,
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
    _none_of_all(reduction, include_background)
    refuse(smooth_nr != 0, "smooth_nr", smooth_nr, "it is 0, and smooth_dr keeps the root from being 0")
    return Recipe(
        terms=_region("MCCLoss", include_background, batch, smooth=smooth_dr),
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
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
    _none_of_all(reduction, include_background)
    return Recipe(
        terms=_region("BoundaryLoss", include_background, batch),
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
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
    _none_of_all(reduction, include_background)
    refuse(reduction == "none" and batch, "batch", batch, "with reduction='none' leave it out")
    return Recipe(
        terms=_region("HausdorffDTLoss", include_background, batch, alpha=alpha, log=log),
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
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
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
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
        dice = _dice(sizes, squared_pred=False, jaccard=False, batch=False, **common)
        lines = _cl_dice(sizes, iter_=iter_, smooth=smooth, **common)
        return [dice._replace(weight=1 - alpha), lines._replace(weight=alpha)]

    return Recipe(
        terms=terms,
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
        reduction=reduction,
    )


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
        target=_target(to_onehot_y),
        ignore_index=ignore_index,
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
        dice = _dice(sizes, **common)
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
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
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
    factor, weights = _weighted(weight, include_background, classes)
    if weight is not None and kept == 1:
        refuse(isinstance(weight, Sequence), "weight", weight, "with one class it is a number")
        factor = float(weight)
    w = list(weights.get("class_weights", [float(background or c > 0) for c in range(classes)]))
    options: dict[str, Any] = {"activation": "softmax" if use_softmax else "sigmoid", "gamma": gamma}
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
    _none_of_all(reduction, include_background)
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
        target=_target(to_onehot_y),
        ignore_index=ignore_index,
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
        dice = _dice(sizes, **common)
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
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
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
    _check_generalized(w_type, reduction)
    common: dict[str, Any] = {
        "include_background": include_background,
        "w_type": w_type,
        "smooth_nr": smooth_nr,
        "smooth_dr": smooth_dr,
        "batch": batch,
    }

    def terms(sizes: Sizes) -> list[Term]:
        dice = _generalized_dice(sizes, **common)
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
        activation=_activation(sigmoid, softmax),
        target=_target(to_onehot_y),
        reduction=reduction,
        counts_pixels=reduction == "sum",
        buffers={"focal.class_weight": weight},
    )
