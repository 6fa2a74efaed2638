"""The losses of segmentation_models_pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse

preset = Library(
    "smp",
    "segmentation_models_pytorch",
    "0.6.0",
    ("y_pred", "y_true"),
    "Nothing left, every pixel ignored: FocalLoss is NaN there, and LovaszLoss no number; here both are 0.",
    "A score below 1e-7 is cut off under log_loss there; here it is exact, and has a gradient.",
    "SoftCrossEntropyLoss() without smooth_factor is an error there, and 0 here.",
)

MODES = ("binary", "multiclass", "multilabel")


def _check_mode(mode: str, class_weights: Any = None) -> None:
    if mode not in MODES:
        raise ValueError(f"mode must be one of {MODES}, got {mode!r}.")
    refuse(
        mode == "binary" and class_weights is not None, "class_weights", class_weights, "there is one class"
    )
    one = class_weights is not None and not isinstance(class_weights, Sequence)
    refuse(one, "class_weights", class_weights, "give one for each class")


def region(
    name: str,
    mode: str,
    classes: Any,
    log: bool,
    from_logits: bool,
    smooth: float,
    ignore_index: int | None,
    class_weights: Any,
    power: float = 1.0,
    **options: Any,
) -> Recipe:
    """Dice, Jaccard or Tversky, here and in pytorch_toolbelt."""
    _check_mode(mode, class_weights)
    refuse(mode == "binary" and classes is not None, "classes", classes, "with mode='binary' there is one")
    if isinstance(classes, int):
        classes = (classes,)
    refuse(power != 1 and log, "gamma", power, "with log_loss it is 1")
    refuse(
        mode == "multilabel" and ignore_index is not None and not from_logits,
        "ignore_index",
        ignore_index,
        "with mode='multilabel' it goes with logits",
    )

    def terms(sizes: Sizes) -> list[Term]:
        weights = list(class_weights or [1.0] * sizes.classes)
        if classes is not None:
            weights = [w if c in classes else 0.0 for c, w in enumerate(weights)]
        own = {} if class_weights is None and classes is None else {"class_weights": tuple(weights)}
        common = {"aggregate": "batch", "absent": "zero", "overlap": "minimum", "smooth": smooth, "log": log}
        return [Term(1.0, name, {**common, **options, **own})]

    activation = "softmax" if mode == "multiclass" else "sigmoid"
    return Recipe(
        terms=terms,
        activation=activation if from_logits else "identity",
        target="labels" if mode == "multiclass" else "classes",
        ignore_index=ignore_index,
        power=power,
        one_class=mode == "binary",
        ignores_entries=True,
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
    class_weights: Any = None,
) -> Recipe:
    smooth = 2 * smooth  # beside I, where ours is beside 2 I
    return region("DiceLoss", mode, classes, log_loss, from_logits, smooth, ignore_index, class_weights)


@preset
def JaccardLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0.0,
    ignore_index: int | None = None,
    eps: float = 1e-7,
    class_weights: Any = None,
) -> Recipe:
    return region("JaccardLoss", mode, classes, log_loss, from_logits, smooth, ignore_index, class_weights)


@preset
def TverskyLoss(
    mode: str,
    classes: Any = None,
    log_loss: bool = False,
    from_logits: bool = True,
    smooth: float = 0.0,
    ignore_index: int | None = None,
    eps: float = 1e-7,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 1.0,
    class_weights: Any = None,
) -> Recipe:
    return region(
        "TverskyLoss", mode, classes, log_loss, from_logits, smooth, ignore_index, class_weights, gamma,
        alpha=alpha, beta=beta,
    )  # fmt: skip


@preset
def FocalLoss(
    mode: str,
    alpha: float | None = None,
    gamma: float = 2.0,
    ignore_index: int | None = None,
    from_logits: bool = True,
    eps: float = 1e-7,
    reduction: str = "mean",
    normalized: bool = False,
    reduced_threshold: float | None = None,
    class_weights: Any = None,
) -> Recipe:
    _check_mode(mode, class_weights)
    refuse(
        mode == "multilabel" and ignore_index is not None,
        "ignore_index",
        ignore_index,
        "smp has an error for it: with mode='multilabel' pass the pixels that count as mask=",
    )
    refuse(
        normalized,
        "normalized",
        normalized,
        "FocalLoss(normalized=True) of this package has sums of each image",
    )
    refuse(reduced_threshold is not None, "reduced_threshold", reduced_threshold, "leave it out")
    refuse(reduction not in ("mean", "sum"), "reduction", reduction, "take 'mean' or 'sum'")
    refuse(
        mode == "multiclass" and not from_logits,
        "from_logits",
        from_logits,
        "with mode='multiclass' the logarithm of probabilities is taken for logits there: give it logits",
    )

    def terms(sizes: Sizes) -> list[Term]:
        options: dict[str, Any] = {"alpha": alpha, "gamma": gamma}
        if mode != "multiclass":  # of which there are labels
            options["mixes"] = "logarithms"
        if not from_logits:
            options |= {"clip": eps, "overlapping": True}
        if class_weights is not None:
            options["class_weights"] = tuple(class_weights)
        several = mode != "binary" and reduction == "sum"
        return [
            Term(1 / sum(class_weights or [1.0] * sizes.classes) if several else 1.0, "FocalLoss", options)
        ]

    return Recipe(
        terms=terms,
        activation="sigmoid" if from_logits else "identity",
        target="labels" if mode == "multiclass" else "classes",
        ignore_index=ignore_index,
        reduction=reduction,
        one_class=mode == "binary",
    )


@preset
def SoftBCEWithLogitsLoss(
    weight: Any = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
    smooth_factor: float | None = None,
    pos_weight: Any = None,
) -> Recipe:
    for name, value in (("weight", weight), ("pos_weight", pos_weight)):
        several = isinstance(value, Sequence) and len(value) > 1
        refuse(several, name, value, "CrossEntropyLoss of this package has class_weights= and pos_weight=")
    outside = smooth_factor is not None and not 0 <= smooth_factor <= 0.5
    refuse(
        outside,
        "smooth_factor",
        smooth_factor,
        "it lies in [0, 0.5], half of label_smoothing= of this package",
    )
    factor, positive = (x[0] if isinstance(x, Sequence) else x for x in (weight, pos_weight))
    options = {"label_smoothing": 2 * (smooth_factor or 0.0), "pos_weight": positive, "divisor": "all"}
    return Recipe(
        terms=lambda sizes: [Term(1.0 if factor is None else factor, "CrossEntropyLoss", options)],
        activation="sigmoid",
        target="classes",
        ignore_index=ignore_index,
        reduction=reduction,
        buffers={"weight": weight, "pos_weight": pos_weight},
        ignores_entries=True,
        masks_entries=bool(smooth_factor),
    )


@preset
def SoftCrossEntropyLoss(
    reduction: str = "mean",
    smooth_factor: float | None = None,
    ignore_index: int | None = -100,
    dim: int = 1,
) -> Recipe:
    refuse(dim != 1, "dim", dim, "pass class_axis=")
    refuse(
        reduction == "none" and ignore_index is not None,
        "reduction",
        reduction,
        "with ignore_index it keeps an axis of 1 there: take CrossEntropyLoss of this package, or ignore_index=None",
    )
    options = {"label_smoothing": smooth_factor or 0.0, "divisor": "all"}
    return Recipe(
        terms=lambda sizes: [Term(1.0, "CrossEntropyLoss", options)],
        activation="softmax",
        ignore_index=ignore_index,
        reduction=reduction,
    )


@preset
def LovaszLoss(
    mode: str, per_image: bool = False, ignore_index: int | None = None, from_logits: bool = True
) -> Recipe:
    _check_mode(mode)
    refuse(mode == "multilabel", "mode", mode, "take LovaszHingeLoss of this package")
    # from_logits is not looked at there.
    aggregate = "image" if per_image else "batch"

    def terms(sizes: Sizes) -> list[Term]:
        if mode == "binary":
            return [Term(1.0, "LovaszHingeLoss", {"aggregate": aggregate, "divisor": "all"})]
        options = {"aggregate": aggregate, "average": "image"}
        return [Term(1.0, "LovaszSoftmaxLoss", options)]

    activation = "sigmoid" if mode == "binary" else "softmax"
    return Recipe(
        terms=terms,
        activation=activation,
        target="labels",
        ignore_index=ignore_index,
        one_class=mode == "binary",
    )


@preset
def MCCLoss(eps: float = 1e-5) -> Recipe:
    options = {"aggregate": "batch", "smooth": 0.0, "pseudocount": eps}
    return Recipe(
        terms=lambda sizes: [Term(1.0, "MCCLoss", options)],
        activation="identity",
        target="classes",
        one_class=True,
    )
