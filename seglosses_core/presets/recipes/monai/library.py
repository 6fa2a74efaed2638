"""MONAI, what is another number there, and what its losses share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seglosses_core.presets.recipe import Library, refuse

preset = Library(
    "monai",
    "MONAI",
    "1.6.1",
    ("input", "target"),
    "FocalLoss with an alpha for each class has it where the target is 1 alone there; here a target between 0 and 1"
    " mixes it with 1.",
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


def activation_of(sigmoid: bool, softmax: bool) -> str:
    refuse(sigmoid and softmax, "sigmoid", sigmoid, "it excludes softmax=True")
    return "sigmoid" if sigmoid else "softmax" if softmax else "identity"


def target_of(to_onehot_y: bool) -> str:
    return "labels" if to_onehot_y else "classes"


def class_weighted(weight: Any, background: bool, classes: int) -> tuple[float, dict[str, Any]]:
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


def none_of_all(reduction: str, include_background: bool) -> None:
    refuse(
        reduction == "none" and not include_background,
        "include_background",
        include_background,
        "with reduction='none' take the losses of all classes, and leave out the first",
    )
