"""nnU-Net's losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from seglosses_core.presets.recipe import Library, Recipe, Sizes, Term, refuse
from seglosses_core.presets.recipes import pytorch
from seglosses_core.reductions import TopK

preset = Library(
    "nnunet",
    "nnU-Net",
    "2.8.1",
    ("net_output", "target"),
    "With smooth=0 a class that an image has neither in the target nor in the prediction, such as every class of an"
    " image that is all ignored, has a score of 0 there and of 1 here.",
    "Nothing left, every pixel ignored: RobustCrossEntropyLoss by itself is NaN there, and 0 here.",
    "TopKLoss is NaN there where k percent are less than one pixel; here it is one pixel.",
    named=("apply_nonlin", "dice_class"),
)

ACTIVATIONS = {None: "identity", "softmax_helper_dim1": "softmax", "sigmoid": "sigmoid"}


def _dice(apply_nonlin: Any, batch_dice: bool, do_bg: bool, smooth: float, ddp: bool) -> Recipe:
    refuse(
        apply_nonlin not in ACTIVATIONS,
        "apply_nonlin",
        apply_nonlin,
        "take softmax_helper_dim1 or torch.sigmoid, or their names, or apply it to the logits and pass None",
    )
    refuse(
        batch_dice and ddp,
        "ddp",
        ddp,
        "with batch_dice=True the sums are of the images of one process: pass ddp=False",
    )
    options = {
        "smooth": smooth,
        "aggregate": "batch" if batch_dice else "image",
        "include_background": do_bg,
        "divisor": "all",
    }
    return Recipe(
        terms=lambda sizes: [Term(1.0, "DiceLoss", options)],
        activation=ACTIVATIONS[apply_nonlin],
        target="either",
        offset=-1.0,
    )


@preset.called(x="logits", y="target", loss_mask="mask")
def SoftDiceLoss(
    apply_nonlin: Any = None,
    batch_dice: bool = False,
    do_bg: bool = True,
    smooth: float = 1.0,
    ddp: bool = True,
    clip_tp: float | None = None,
) -> Recipe:
    refuse(clip_tp is not None, "clip_tp", clip_tp, "leave it out, for below it nothing has a gradient")
    return _dice(apply_nonlin, batch_dice, do_bg, smooth, ddp)


@preset.called(x="logits", y="target", loss_mask="mask")
def MemoryEfficientSoftDiceLoss(
    apply_nonlin: Any = None,
    batch_dice: bool = False,
    do_bg: bool = True,
    smooth: float = 1.0,
    ddp: bool = True,
) -> Recipe:
    return _dice(apply_nonlin, batch_dice, do_bg, smooth, ddp)


@preset.called(input="logits", target="target")
def RobustCrossEntropyLoss(
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Recipe:
    own = pytorch.CrossEntropyLoss(weight, size_average, ignore_index, reduce, reduction, label_smoothing)
    return replace(own, target="labels")


@preset.called(inp="logits", target="target")
def TopKLoss(
    weight: Any = None, ignore_index: int = -100, k: float = 10, label_smoothing: float = 0
) -> Recipe:
    # The costliest of all pixels, of which the ignored ones cost 0, by their weighted costs.
    options: dict[str, Any] = {
        "reduction": TopK(fraction=k / 100),
        "label_smoothing": label_smoothing,
        "divisor": "all",
    }
    if weight is not None:
        options["class_weights"] = tuple(weight)
    return Recipe(
        terms=lambda sizes: [Term(1.0, "CrossEntropyLoss", options)],
        activation="softmax",
        ignore_index=ignore_index,
        buffers={"weight": weight},
    )


def _sum(
    weight_ce: float, ce: Recipe, weight_dice: float, dice: Recipe, ignore_index: int | None = None
) -> Recipe:
    """Both, of which a weight of 0 leaves one out; the target is that of the first."""
    parts = [(weight, part) for weight, part in ((weight_dice, dice), (weight_ce, ce)) if weight]

    def terms(sizes: Sizes) -> list[Term]:
        return [
            Term(weight * own, loss, {**options, "ignore_index": ignore_index})
            for weight, part in parts
            for own, loss, options in part.equivalent(sizes)
        ]

    offset = sum(weight * part.offset for weight, part in parts)
    buffers = {f"ce.{name}": value for name, value in ce.buffers.items()}
    return replace(ce, terms=terms, offset=offset, ignore_index=ignore_index, buffers=buffers)


def _of_labels(
    cross_entropy: Callable[..., Recipe],
    ce_kwargs: Any,
    dice: Callable[..., Recipe],
    soft_dice_kwargs: Any,
    weight_ce: float,
    weight_dice: float,
    ignore_label: int | None,
) -> Recipe:
    ce = dict(ce_kwargs)
    for name, wanted in (("reduction", "mean"), ("ignore_index", ignore_label)):
        refuse(
            ce.pop(name, wanted) != wanted,
            "ce_kwargs",
            ce_kwargs,
            "its reduction is 'mean', and its ignore_index the ignore_label of the whole",
        )
    return _sum(
        weight_ce,
        cross_entropy(**ce),
        weight_dice,
        dice(apply_nonlin="softmax_helper_dim1", **dict(soft_dice_kwargs)),
        ignore_index=ignore_label,
    )


DICE = {"SoftDiceLoss": SoftDiceLoss, "MemoryEfficientSoftDiceLoss": MemoryEfficientSoftDiceLoss}


def _dice_of(dice_class: Any) -> Callable[..., Recipe]:
    refuse(dice_class not in DICE, "dice_class", dice_class, f"take {' or '.join(DICE)}")
    return DICE[dice_class]


@preset
def DC_and_CE_loss(
    soft_dice_kwargs: Any,
    ce_kwargs: Any,
    weight_ce: float = 1,
    weight_dice: float = 1,
    ignore_label: int | None = None,
    dice_class: Any = "SoftDiceLoss",
) -> Recipe:
    return _of_labels(
        RobustCrossEntropyLoss,
        ce_kwargs,
        _dice_of(dice_class),
        soft_dice_kwargs,
        weight_ce,
        weight_dice,
        ignore_label,
    )


@preset
def DC_and_topk_loss(
    soft_dice_kwargs: Any,
    ce_kwargs: Any,
    weight_ce: float = 1,
    weight_dice: float = 1,
    ignore_label: int | None = None,
) -> Recipe:
    return _of_labels(
        TopKLoss, ce_kwargs, SoftDiceLoss, soft_dice_kwargs, weight_ce, weight_dice, ignore_label
    )


@preset
def DC_and_BCE_loss(
    bce_kwargs: Any,
    soft_dice_kwargs: Any,
    weight_ce: float = 1,
    weight_dice: float = 1,
    use_ignore_label: bool = False,
    dice_class: Any = "MemoryEfficientSoftDiceLoss",
) -> Recipe:
    options = dict(bce_kwargs)
    reduction = "none" if use_ignore_label else "mean"
    refuse(
        options.pop("reduction", reduction) != reduction, "bce_kwargs", bce_kwargs, "its reduction is 'mean'"
    )
    ce = pytorch.BCEWithLogitsLoss(**options)
    if use_ignore_label:
        # The sum over the classes, by the number of pixels that are left.
        mean = ce.terms
        ce = replace(
            ce,
            terms=lambda sizes: [
                Term(sizes.classes * weight, loss, {**options, "divisor": "valid"})
                for weight, loss, options in mean(sizes)
            ],
            ignored_last=True,
        )
    dice = _dice_of(dice_class)(apply_nonlin="sigmoid", **dict(soft_dice_kwargs))
    return _sum(weight_ce, ce, weight_dice, dice)
