"""Writes `differences.md`: where other libraries have the loss, how ours gives the same number, or why it does not.

CONTRIBUTING.md says what has to be installed. Every row declares that the two agree, or that they differ; one that the
numbers contradict is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

import seglosses_torch

AGREE, DIFFER = 1e-5, 1e-3
"""Rows that agree differ by no more, rows that differ by no less. Some of theirs compute in float32."""


@dataclass(frozen=True)
class Row:
    """Two calls, as the page shows them; `agrees` and `note` are by hand and hold or fail with what is measured.

    `raises`: the errors that are an answer of theirs.
    """

    theirs: str
    ours: str
    note: str = ""
    agrees: bool = True
    raises: tuple[type[Exception], ...] = ()


def differs(theirs: str, ours: str, note: str, *raises: type[Exception]) -> Row:
    return Row(theirs, ours, note, agrees=False, raises=raises)


def one_hot(labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, 4).movedim(-1, 1)


def arrays() -> dict[str, Any]:
    """What the calls are made on. `logits` is a fresh leaf, for the gradient with respect to it."""
    draw = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3, 4, 5, 6, generator=draw, dtype=torch.float64)
    labels = torch.randint(4, (3, 5, 6), generator=draw)
    labels[0][labels[0] == 3] = 0
    without_3 = labels.masked_fill(labels == 3, 1)
    shares = torch.tensor([0.1, 0.35, 0.6])[:, None, None]
    holes = labels.masked_fill(torch.rand(3, 5, 6, generator=draw) < shares, 255)
    return {
        "logits": logits.requires_grad_(),
        "labels": labels,
        "without_3": without_3,
        "holes": holes,
        "nothing": torch.full_like(labels, 255),
        "one_hot": one_hot(labels),
        "one_hot_without_3": one_hot(without_3),
        "soft": torch.randn(3, 4, 5, 6, generator=draw, dtype=torch.float64).softmax(1),
        "several": torch.randint(2, (3, 4, 5, 6), generator=draw),
        "mask": (labels == 1).long()[:, None],
        "mask_holes": (labels == 1).long().masked_fill(holes == 255, 255)[:, None],
        "background": torch.zeros_like(labels),
        "weights": torch.tensor([1, 2, 3, 0.5], dtype=torch.float64),
        "distances": ((0, 1, 1, 1), (1, 0, 0.5, 0.5), (1, 0.5, 0, 0.5), (1, 0.5, 0.5, 0)),
        "uneven": ((0, 0.5, 1, 1), (0.5, 0, 0.5, 0.5), (1, 0.5, 0, 0.5), (1, 0.5, 0.5, 0)),
    }


LIBRARIES: dict[str, tuple[str, tuple[Row, ...]]] = {}

LIBRARIES["monai"] = (
    "MONAI",
    (
        # The losses that fewer libraries have
        Row(
            "GeneralizedDiceLoss(softmax=True, to_onehot_y=True, smooth_nr=0, smooth_dr=0)(logits, labels[:, None])",
            "GeneralizedDiceLoss(smooth=0.0)(logits, labels)",
        ),
        Row(
            "GeneralizedDiceLoss(softmax=True, to_onehot_y=True, w_type='simple', smooth_nr=0, smooth_dr=0)"
            "(logits, labels[:, None])",
            "GeneralizedDiceLoss(weights='simple', smooth=0.0)(logits, labels)",
        ),
        Row(
            "GeneralizedDiceLoss(softmax=True, to_onehot_y=True, batch=True, smooth_nr=0, smooth_dr=0)"
            "(logits, without_3[:, None])",
            "GeneralizedDiceLoss(aggregate='batch', smooth=0.0)(logits, without_3)",
        ),
        differs(
            "GeneralizedDiceLoss(softmax=True, to_onehot_y=True)(logits.tile(40, 40), labels.tile(40, 40)[:, None])",
            "GeneralizedDiceLoss()(logits.tile(40, 40), labels.tile(40, 40))",
            "ε stands beside sums that are weighted by 1/T² and as small as 1/T: on large images it is not small any "
            "more. Here the weights are divided by the largest one first.",
        ),
        differs(
            "GeneralizedDiceLoss(softmax=True, to_onehot_y=True, include_background=False)"
            "(logits, background[:, None])",
            "GeneralizedDiceLoss(include_background=False)(logits, background)",
            "Where no class is present all weights are 0 there: false positives cost nothing. Here they are 1.",
        ),
        Row(
            "GeneralizedWassersteinDiceLoss(torch.tensor(distances))(logits, labels[:, None])",
            "GeneralizedWassersteinDiceLoss(distances=distances)(logits, labels)",
        ),
        Row(
            "GeneralizedWassersteinDiceLoss(torch.tensor(distances), weighting_mode='GDL')(logits, labels[:, None])",
            "GeneralizedWassersteinDiceLoss(distances=distances, weights='gdl')(logits, labels)",
        ),
        differs(
            "GeneralizedWassersteinDiceLoss(torch.tensor(uneven))(logits, labels)",
            "GeneralizedWassersteinDiceLoss(distances=uneven)(logits, labels)",
            "Foreground classes weigh 1 there, here their distance to the background, as in equation 9 of the paper: "
            "the same where that is 1.",
        ),
        Row(
            "MCCLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
            "MCCLoss()(logits, labels)",
        ),
        Row(
            "DiceLoss(softmax=True, soft_label=True)(logits, soft)",
            "DiceSemimetricLoss()(logits, soft)",
            "Also `DiceLoss(overlap='minimum')`.",
        ),
        Row(
            "DiceLoss(softmax=True, soft_label=True, jaccard=True)(logits, soft)",
            "JaccardMetricLoss(smooth=5e-6)(logits, soft)",
            "Numerator and denominator of their Jaccard are twice ours, so ε is half.",
        ),
        Row(
            "AsymmetricUnifiedFocalLoss()(logits[:, :2].softmax(1), torch.cat((1 - mask, mask), 1))",
            "0.75 * unified_focal_loss(weight=1 / 3, delta=0.7, activation='identity')"
            "(logits[:, :2].softmax(1), mask[:, 0])",
            "Their mean over pixels goes over the two classes too, which halves the focal part.",
        ),
        differs(
            "AsymmetricUnifiedFocalLoss()(logits[:, :2], torch.cat((1 - mask, mask), 1))",
            "0.75 * unified_focal_loss(weight=1 / 3, delta=0.7)(logits[:, :2], mask[:, 0])",
            "Documented as a loss of logits, it clips them to [0, 1] and takes them for probabilities.",
        ),
        Row(
            "BoundaryLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
            "BoundaryLoss()(logits, labels)",
        ),
        Row(
            "HausdorffDTLoss(softmax=True, to_onehot_y=True, include_background=True)(logits, labels[:, None])",
            "HausdorffDTLoss()(logits, labels)",
            "The background does not count there by default.",
        ),
        Row(
            "LogHausdorffDTLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
            "HausdorffDTLoss(include_background=False, log=True)(logits, labels)",
        ),
        Row(
            "SoftclDiceLoss(sigmoid=True, smooth=1e-9)(logits[:, :1], mask)",
            "ClDiceLoss(iterations=3, activation='sigmoid')(logits[:, :1], mask)",
        ),
        differs(
            "SoftclDiceLoss(softmax=True, to_onehot_y=True, smooth=1e-9)(logits, labels[:, None])",
            "ClDiceLoss(iterations=3)(logits, labels)",
            "The sums of an image go over all its classes there, over each class by itself here.",
        ),
        Row(
            "SoftDiceclDiceLoss(sigmoid=True, smooth=1e-9)(logits[:, :1], mask)",
            "(0.5 * DiceLoss(smooth=1.0, activation='sigmoid') + 0.5 * ClDiceLoss(iterations=3, activation='sigmoid'))"
            "(logits[:, :1], mask)",
        ),
        differs(
            "SSIMLoss(spatial_dims=2, win_size=3)(logits.softmax(1), one_hot.double())",
            "SSIMLoss(window=3)(logits, labels)",
            "Windows that reach over the border are left out there; here, as in BASNet, zeros are beyond it.",
        ),
        # Dice, Jaccard, Tversky
        Row(
            "DiceLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])", "DiceLoss()(logits, labels)"
        ),
        Row("DiceLoss(softmax=True)(logits, soft)", "DiceLoss()(logits, soft)"),
        Row(
            "DiceLoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)(logits, labels[:, None])",
            "DiceLoss(include_background=False, aggregate='batch')(logits, labels)",
        ),
        Row(
            "DiceLoss(softmax=True, to_onehot_y=True, weight=weights)(logits, labels[:, None])",
            "weights.mean() * DiceLoss(class_weights=weights)(logits, labels)",
            "Their weights multiply and are not divided by again; ours make a weighted mean.",
        ),
        Row(
            "DiceLoss(softmax=True, to_onehot_y=True, ignore_index=255)(logits, holes[:, None])",
            "DiceLoss(ignore_index=255)(logits, holes)",
        ),
        Row("DiceLoss(sigmoid=True)(logits, several)", "DiceLoss(activation='sigmoid')(logits, several)"),
        Row(
            "DiceLoss(softmax=True, to_onehot_y=True, squared_pred=True)(logits, labels[:, None])",
            "PowerDiceLoss(p=2.0)(logits, labels)",
        ),
        Row(
            "DiceLoss(softmax=True, to_onehot_y=True, jaccard=True)(logits, labels[:, None])",
            "JaccardLoss(smooth=5e-6)(logits, labels)",
        ),
        Row(
            "DiceLoss(softmax=True, to_onehot_y=True, jaccard=True, squared_pred=True)(logits, labels[:, None])",
            "PowerJaccardLoss(p=2.0, smooth=5e-6)(logits, labels)",
        ),
        differs(
            "MaskedDiceLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None], (holes != 255)[:, None])",
            "DiceLoss()(logits, labels, mask=holes != 255)",
            "The mask multiplies probabilities and labels there: what is masked out becomes a pixel of class 0 without "
            "any probability. Here it is left out.",
        ),
        Row(
            "MaskedDiceLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None], (holes != 255)[:, None])",
            "DiceLoss(activation='identity')(logits.softmax(1) * (holes != 255)[:, None], labels * (holes != 255))",
            "The same number, by hand.",
        ),
        Row(
            "TverskyLoss(softmax=True, to_onehot_y=True, alpha=0.3, beta=0.7)(logits, labels[:, None])",
            "TverskyLoss(alpha=0.3, beta=0.7)(logits, labels)",
            "α weighs false positives in both.",
        ),
        # Focal, and the sums
        Row(
            "FocalLoss()(logits, one_hot.double())",
            "FocalLoss(activation='sigmoid', alpha=None)(logits, one_hot)",
        ),
        Row(
            "FocalLoss(to_onehot_y=True, use_softmax=True)(logits, labels[:, None])",
            "FocalLoss(alpha=None)(logits, labels) / 4",
            "Their mean goes over the classes too.",
        ),
        Row(
            "FocalLoss(to_onehot_y=True, use_softmax=True, alpha=0.25)(logits, labels[:, None])",
            "FocalLoss(alpha=(0.75, 0.25, 0.25, 0.25))(logits, labels) / 4",
            "Class 0 weighs 1 − α there; here a number is for all classes.",
        ),
        Row(
            "FocalLoss(to_onehot_y=True, ignore_index=255)(logits, holes[:, None])",
            "4 * FocalLoss(activation='sigmoid', alpha=None, ignore_index=255)(logits, holes)",
            "With `ignore_index` their mean is over pixels alone, so the loss is as many times as large as there are "
            "classes, even where no pixel bears it.",
        ),
        differs(
            "FocalLoss(to_onehot_y=True, use_softmax=True, gamma=0.5)((100 * logits).float(), labels[:, None])",
            "FocalLoss(alpha=None, gamma=0.5)((100 * logits).float(), labels) / 4",
            "Where a pixel is certain the derivative of (1 − p)^γ is infinite for γ < 1: their gradient is NaN.",
        ),
        Row(
            "DiceCELoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
            "(DiceLoss() + CrossEntropyLoss())(logits, labels)",
        ),
        Row(
            "DiceCELoss(softmax=True, to_onehot_y=True, weight=weights)(logits, labels[:, None])",
            "(weights.mean() * DiceLoss(class_weights=weights) + CrossEntropyLoss(class_weights=weights))"
            "(logits, labels)",
            "Weights are divided by in the cross-entropy, and are not in Dice.",
        ),
        differs(
            "DiceFocalLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
            "(DiceLoss() + FocalLoss(alpha=None))(logits, labels)",
            "The focal part is of sigmoids there, beside Dice of the softmax.",
        ),
        Row(
            "DiceFocalLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
            "(DiceLoss() + FocalLoss(activation='sigmoid', alpha=None))(logits, labels)",
            "The same number: losses of a sum may have activations of their own.",
        ),
        Row(
            "GeneralizedDiceFocalLoss(softmax=True, to_onehot_y=True, smooth_nr=0, smooth_dr=0)"
            "(logits, labels[:, None])",
            "(GeneralizedDiceLoss(smooth=0.0) + FocalLoss(activation='sigmoid', alpha=None))(logits, labels)",
            "As above.",
        ),
    ),
)

LIBRARIES["kornia"] = (
    "kornia",
    (
        Row(
            "lovasz_hinge_loss(logits[:, :1], mask[:, 0])",
            "LovaszHingeLoss()(logits[:, :1], mask)",
        ),
        Row(
            "lovasz_softmax_loss(logits, labels)",
            "LovaszSoftmaxLoss(aggregate='image', absent='count')(logits, labels)",
            "An absent class costs its largest probability there; here, by default, only classes count that the batch "
            "has, as in the authors' code.",
        ),
        Row(
            "lovasz_softmax_loss(logits, labels, weight=weights)",
            "weights.mean() * LovaszSoftmaxLoss(aggregate='image', absent='count', class_weights=weights)"
            "(logits, labels)",
            "Their weights multiply and are not divided by again.",
        ),
        differs(
            "ssim_loss(logits.softmax(1), one_hot.double(), window_size=3)",
            "SSIMLoss(window=3)(logits, labels)",
            "(1 − SSIM) / 2 with a reflected border there; 1 − SSIM with zeros beyond it here.",
        ),
        differs(
            "dice_loss(logits, labels)",
            "DiceLoss()(logits, labels)",
            "One ratio for all classes there (`average='micro'`); one for each class here.",
        ),
        Row(
            "dice_loss(logits, labels)",
            "GeneralizedDiceLoss(weights='uniform', smooth=0.0)(logits, labels)",
        ),
        Row(
            "dice_loss(logits, labels, average='macro')",
            "DiceLoss(absent='skip', average='image', smooth=0.0)(logits, labels)",
            "A class that the image lacks does not count there.",
        ),
        Row(
            "dice_loss(logits, holes, average='macro', ignore_index=255)",
            "DiceLoss(absent='skip', average='image', smooth=0.0, ignore_index=255)(logits, holes)",
        ),
        differs(
            "dice_loss(logits, nothing, ignore_index=255)",
            "GeneralizedDiceLoss(weights='uniform', smooth=0.0, ignore_index=255)(logits, nothing)",
            "With nothing left the score is 0/ε there, so the loss is 1. Here it is 0.",
        ),
        Row(
            "tversky_loss(logits, labels, alpha=0.3, beta=0.7)",
            "TverskyLoss(absent='skip', average='image', smooth=0.0, alpha=0.3, beta=0.7)(logits, labels)",
        ),
        Row(
            "focal_loss(logits, labels, alpha=None, reduction='mean')",
            "FocalLoss(alpha=None)(logits, labels) / 4",
            "Their mean goes over the classes too.",
        ),
        Row(
            "focal_loss(logits, labels, alpha=0.25, reduction='mean')",
            "FocalLoss(alpha=(0.75, 0.25, 0.25, 0.25))(logits, labels) / 4",
            "Class 0 weighs 1 − α there.",
        ),
        Row(
            "focal_loss(logits, holes, alpha=None, reduction='mean', ignore_index=255)",
            "FocalLoss(alpha=None, ignore_index=255, reduction='sum')(logits, holes) / logits.numel()",
            "Ignored pixels cost nothing there and stay in what the mean divides by; here they are left out.",
        ),
        Row(
            "binary_focal_loss_with_logits(logits, several, reduction='mean')",
            "FocalLoss(activation='sigmoid')(logits, several)",
        ),
    ),
)

LIBRARIES["segmentation_models_pytorch"] = (
    "segmentation_models_pytorch",
    (
        Row(
            "LovaszLoss('multiclass')(logits.float(), labels)",
            "LovaszSoftmaxLoss()(logits.float(), labels)",
            "Their slopes are differences of ratios near 1, which lose digits in float32; ours are not.",
        ),
        differs(
            "LovaszLoss('multiclass')(logits, labels)",
            "LovaszSoftmaxLoss()(logits, labels)",
            "float64 logits meet a float32 product there.",
            RuntimeError,
        ),
        Row(
            "LovaszLoss('multiclass', per_image=True)(logits.float(), labels)",
            "LovaszSoftmaxLoss(aggregate='image', average='image')(logits.float(), labels)",
        ),
        Row(
            "LovaszLoss('multiclass', ignore_index=255)(logits.float(), holes)",
            "LovaszSoftmaxLoss(ignore_index=255)(logits.float(), holes)",
        ),
        Row(
            "LovaszLoss('binary')(logits[:, :1].float(), mask)",
            "LovaszHingeLoss(aggregate='batch')(logits[:, :1].float(), mask)",
        ),
        differs(
            "MCCLoss()(logits[:, :1].sigmoid(), background[:, None])",
            "MCCLoss(activation='sigmoid', aggregate='batch')(logits[:, :1], background[:, None])",
            "ε is added to each of the four counts there, here once under the root, as in MONAI. Here a "
            "class that is absent has no gradient.",
        ),
        Row(
            "MCCLoss(eps=0)(logits[:, :1].sigmoid(), mask)",
            "MCCLoss(activation='sigmoid', aggregate='batch', smooth=0.0)(logits[:, :1], mask)",
        ),
        Row(
            "DiceLoss('multilabel')(logits, soft)",
            "DiceSemimetricLoss(activation='sigmoid', aggregate='batch', smooth=0.0)(logits, soft)",
            "Soft targets: what `overlap='minimum'` is here.",
        ),
        Row(
            "JaccardLoss('multilabel')(logits, soft)",
            "JaccardMetricLoss(activation='sigmoid', aggregate='batch', smooth=0.0)(logits, soft)",
        ),
        differs(
            "TverskyLoss('multiclass', alpha=0.3, beta=0.7, gamma=0.75)(logits, labels)",
            "FocalTverskyLoss(aggregate='batch', smooth=0.0, gamma=0.75)(logits, labels)",
            "The power is taken of the mean over the classes there, of each class here, as in the authors' code.",
        ),
        Row(
            "TverskyLoss('multiclass', alpha=0.3, beta=0.7, gamma=0.75)(logits, labels)",
            "TverskyLoss(aggregate='batch', smooth=0.0, alpha=0.3, beta=0.7)(logits, labels) ** 0.75",
        ),
        differs(
            "TverskyLoss('binary', gamma=0.75)(logits[:, :1] + 1000 * (2 * mask - 1), mask)",
            "FocalTverskyLoss(activation='sigmoid', aggregate='batch', smooth=0.0, alpha=0.5, beta=0.5)"
            "(logits[:, :1] + 1000 * (2 * mask - 1), mask)",
            "The derivative of the power is infinite at 0: once all is right, and certain, their gradient is NaN.",
        ),
        Row(
            "DiceLoss('multiclass', smooth=1.0)(logits, labels)",
            "DiceLoss(aggregate='batch', smooth=2.0)(logits, labels)",
            "Always over the batch; their sums are half of ours, so ε is twice.",
        ),
        differs(
            "DiceLoss('multiclass')(logits, without_3)",
            "DiceLoss(aggregate='batch', absent='skip', smooth=0.0)(logits, without_3)",
            "A class that is absent costs 0 there and stays in what the mean divides by.",
        ),
        Row(
            "DiceLoss('multiclass')(logits, without_3)",
            "DiceLoss(aggregate='batch', absent='skip', smooth=0.0, reduction='sum')(logits, without_3) / 4",
        ),
        Row(
            "DiceLoss('multiclass', log_loss=True)(logits, labels)",
            "DiceLoss(aggregate='batch', smooth=0.0, log=True)(logits, labels)",
        ),
        Row(
            "DiceLoss('multiclass', ignore_index=255)(logits, holes)",
            "DiceLoss(aggregate='batch', smooth=0.0, ignore_index=255)(logits, holes)",
        ),
        Row(
            "JaccardLoss('multiclass')(logits, labels)",
            "JaccardLoss(aggregate='batch', smooth=0.0)(logits, labels)",
        ),
        Row(
            "TverskyLoss('multiclass', alpha=0.3, beta=0.7)(logits, labels)",
            "TverskyLoss(aggregate='batch', smooth=0.0, alpha=0.3, beta=0.7)(logits, labels)",
        ),
        Row(
            "FocalLoss('multiclass')(logits, labels)",
            "FocalLoss(activation='sigmoid', alpha=None)(logits, one_hot)",
            "“Multiclass” is one class against the rest there, each with a sigmoid.",
        ),
        differs(
            "FocalLoss('multilabel')(logits, soft)",
            "FocalLoss(activation='sigmoid', alpha=None)(logits, soft)",
            "The factor is (1 − p_t)^γ with a p_t mixed by the soft target there; here the costs of the two sides are "
            "mixed.",
        ),
        differs(
            "FocalLoss('multiclass', ignore_index=255)(logits, nothing)",
            "FocalLoss(activation='sigmoid', alpha=None, ignore_index=255)(logits, nothing)",
            "The mean of no pixels is NaN there, 0 here.",
        ),
        differs(
            "FocalLoss('multiclass', gamma=0.5)(40 * logits, labels)",
            "FocalLoss(activation='sigmoid', alpha=None, gamma=0.5)(40 * logits, one_hot)",
            "Where a pixel is certain the derivative of (1 − p)^γ is infinite for γ < 1: their gradient is NaN.",
        ),
        Row(
            "SoftCrossEntropyLoss(smooth_factor=0.1)(logits, labels)",
            "CrossEntropyLoss(label_smoothing=0.1)(logits, labels)",
        ),
        differs(
            "SoftCrossEntropyLoss()(logits, labels)",
            "CrossEntropyLoss()(logits, labels)",
            "Its own default, `smooth_factor=None`, is no number to compute with.",
            TypeError,
        ),
        Row(
            "SoftCrossEntropyLoss(smooth_factor=0.1, ignore_index=255)(logits, holes)",
            "CrossEntropyLoss(label_smoothing=0.1, ignore_index=255, reduction='sum')(logits, holes) / holes.numel()",
            "Ignored pixels stay in what the mean divides by there.",
        ),
        Row(
            "SoftBCEWithLogitsLoss(smooth_factor=0.1)(logits, several)",
            "CrossEntropyLoss(activation='sigmoid', label_smoothing=0.2)(logits, several)",
            "Their targets become e and 1 − e, ours e / 2 and 1 − e / 2: the share of the uniform distribution.",
        ),
        Row(
            "SoftBCEWithLogitsLoss(pos_weight=torch.tensor(3.0))(logits, several.double())",
            "CrossEntropyLoss(activation='sigmoid', pos_weight=3.0)(logits, several)",
        ),
    ),
)

LIBRARIES["pytorch_toolbelt"] = (
    "pytorch-toolbelt",
    (
        Row(
            "BalancedBCEWithLogitsLoss()(logits[:1, :1], mask[:1])",
            "BalancedCrossEntropyLoss()(logits[:1, :1], mask[:1])",
        ),
        differs(
            "BalancedBCEWithLogitsLoss()(logits[:, :1], mask)",
            "BalancedCrossEntropyLoss()(logits[:, :1], mask)",
            "The shares are those of the batch there, of each image and class here, as the paper has one image.",
        ),
        Row("QualityFocalLoss()(logits, soft)", "QualityFocalLoss()(logits, soft)"),
        differs(
            "LovaszLoss()(logits.float(), labels)",
            "LovaszSoftmaxLoss()(logits.float(), labels)",
            "Theirs takes probabilities, whatever its argument is called: logits give errors beyond 1.",
        ),
        Row(
            "LovaszLoss()(logits.softmax(1).float(), labels)",
            "LovaszSoftmaxLoss()(logits.float(), labels)",
        ),
        Row(
            "BinaryLovaszLoss(per_image=True)(logits[:, :1].float(), mask)",
            "LovaszHingeLoss()(logits[:, :1].float(), mask)",
        ),
        Row(
            "DiceLoss('multiclass')(logits, labels)",
            "DiceLoss(aggregate='batch', smooth=0.0)(logits, labels)",
        ),
        Row(
            "DiceLoss('multiclass', smooth=1.0)(logits, labels)",
            "DiceLoss(aggregate='batch', smooth=1.0)(logits, labels)",
        ),
        Row(
            "DiceLoss('multiclass')(logits, without_3)",
            "DiceLoss(aggregate='batch', absent='skip', smooth=0.0, reduction='sum')(logits, without_3) / 4",
            "A class that is absent costs 0 there and stays in what the mean divides by.",
        ),
        Row(
            "DiceLoss('multilabel')(logits, soft)",
            "DiceLoss(activation='sigmoid', aggregate='batch', smooth=0.0)(logits, soft)",
            "Soft targets: the product, where segmentation_models_pytorch has the minimum.",
        ),
        Row(
            "JaccardLoss('multiclass')(logits, labels)",
            "JaccardLoss(aggregate='batch', smooth=0.0)(logits, labels)",
        ),
        Row(
            "BinaryFocalLoss()(logits, several)",
            "FocalLoss(activation='sigmoid', alpha=None)(logits, several)",
        ),
        Row(
            "BinaryFocalLoss(ignore_index=255)(logits[:, :1], mask_holes)",
            "FocalLoss(activation='sigmoid', alpha=None, ignore_index=255, reduction='sum')(logits[:, :1], mask_holes)"
            " / holes.numel()",
            "Ignored pixels stay in what the mean divides by there.",
        ),
        differs(
            "BinaryFocalLoss(normalized=True)(logits, several)",
            "FocalLoss(activation='sigmoid', alpha=None)(logits, several)",
            "Divided by the sum of the factors, and by the number of entries once more; no loss here does that.",
        ),
        differs(
            "CrossEntropyFocalLoss()(logits, labels)",
            "FocalLoss(alpha=None)(logits, labels)",
            "The factor is of the softmax and the cost of sigmoids there, summed over the classes.",
        ),
        Row(
            "SoftCrossEntropyLoss(smooth_factor=0.1, ignore_index=255)(logits, holes)",
            "CrossEntropyLoss(label_smoothing=0.1, ignore_index=255, reduction='sum')(logits, holes) / holes.numel()",
            "Ignored pixels stay in what the mean divides by there.",
        ),
    ),
)

LIBRARIES["torch"] = (
    "PyTorch",
    (
        Row("cross_entropy(logits, labels)", "CrossEntropyLoss()(logits, labels)"),
        Row(
            "cross_entropy(logits, holes, weight=weights, ignore_index=255, label_smoothing=0.1)",
            "CrossEntropyLoss(class_weights=weights, ignore_index=255, label_smoothing=0.1)(logits, holes)",
            "Also divided by the weights of the labels. −100 is ignored there without being named.",
        ),
        differs(
            "cross_entropy(logits, labels, weight=torch.tensor((1.0, 1, 1, 0)).double(), label_smoothing=0.1)",
            "CrossEntropyLoss(class_weights=(1, 1, 1, 0), label_smoothing=0.1)(logits, labels)",
            "A pixel whose class weighs 0 still costs its smoothed share of the others there, and is left out here.",
        ),
        Row("cross_entropy(logits, soft)", "CrossEntropyLoss()(logits, soft)"),
        differs(
            "cross_entropy(logits, soft, weight=weights)",
            "CrossEntropyLoss(class_weights=weights)(logits, soft)",
            "With soft targets the weights are not divided by there, as they are with labels. Here they are with both.",
        ),
        Row(
            "cross_entropy(logits, soft, weight=weights)",
            "CrossEntropyLoss(class_weights=weights, reduction='sum')(logits, soft) / labels.numel()",
        ),
        differs(
            "cross_entropy(logits, nothing, ignore_index=255)",
            "CrossEntropyLoss(ignore_index=255)(logits, nothing)",
            "The mean of no pixels is NaN there; here value and gradient are 0.",
        ),
        Row(
            "binary_cross_entropy_with_logits(logits, several.double(), pos_weight=torch.tensor(3.0))",
            "CrossEntropyLoss(activation='sigmoid', pos_weight=3.0)(logits, several)",
        ),
        Row(
            "binary_cross_entropy_with_logits(logits, several.double(), weight=weights[:, None, None])",
            "weights.mean() * CrossEntropyLoss(activation='sigmoid', class_weights=weights)(logits, several)",
            "Their weights multiply and are not divided by again.",
        ),
        differs(
            "binary_cross_entropy((40 * logits[:, :1]).sigmoid(), mask.double())",
            "CrossEntropyLoss(activation='sigmoid')(40 * logits[:, :1], mask)",
            "Where probabilities have rounded to 0 or 1, log p is cut at −100 there and the gradient is lost; here "
            "the logits say how wrong they are.",
        ),
        Row("mse_loss(logits.softmax(1), soft)", "MeanSquaredErrorLoss(activation='softmax')(logits, soft)"),
    ),
)

LIBRARIES["optax"] = (
    "optax",
    (
        Row(
            "poly_loss_cross_entropy(logits, soft).mean()",
            "PolyCrossEntropyLoss(epsilon=2.0)(logits, soft)",
            "ε is 2 there by default, 1 here.",
        ),
        differs(
            "multiclass_generalized_dice_loss(logits, one_hot)",
            "GeneralizedDiceLoss(smooth=1.0)(logits, one_hot)",
            "The weights 1/T² of the batch multiply Dice losses of each class there; in the paper, and here, they "
            "stand inside the two sums of one ratio.",
        ),
        Row(
            "multiclass_generalized_dice_loss(logits, one_hot_without_3)",
            "TverskyLoss(smooth=1.0, class_weights=(0, 0, 0, 1))(logits, without_3)",
            "A class that the batch lacks has the weight 10⁷ there: no other counts.",
        ),
        Row("dice_loss(logits, one_hot).mean()", "TverskyLoss(smooth=1.0)(logits, labels)"),
        Row(
            "dice_loss(logits, one_hot, class_weights=weights).mean()",
            "weights.mean() * TverskyLoss(smooth=1.0, class_weights=weights)(logits, labels)",
            "Their weights multiply and are not divided by again.",
        ),
        Row(
            "sigmoid_focal_loss(logits, several, alpha=0.25).mean()",
            "FocalLoss(activation='sigmoid')(logits, several)",
        ),
        differs(
            "sigmoid_focal_loss(logits, soft).mean()",
            "FocalLoss(activation='sigmoid', alpha=None)(logits, soft)",
            "The factor is (1 − p_t)^γ with a p_t mixed by the soft target there; here the costs of the two sides are "
            "mixed.",
        ),
        Row(
            "sigmoid_focal_loss(1000 * logits, several, gamma=0.5).mean()",
            "FocalLoss(activation='sigmoid', alpha=None, gamma=0.5)(1000 * logits, several)",
        ),
        Row(
            "softmax_cross_entropy_with_integer_labels(logits, labels).mean()",
            "CrossEntropyLoss()(logits, labels)",
        ),
        Row(
            "sigmoid_binary_cross_entropy(logits, several).mean()",
            "CrossEntropyLoss(activation='sigmoid')(logits, several)",
        ),
    ),
)

MODULES = {"torch": "torch.nn.functional", "optax": "optax.losses"}

PAGE = """# Where this library differs from others, and why

Losses that others have too, theirs and ours on the same arrays, in float64 where theirs can. Where both give the same
number, the second column says with which options; where not, the last one says why. The difference is the larger of
two: of the values, relative to ours, and of the gradients with respect to the logits, relative to the largest entry of
ours; it is infinite beside a 0 of ours, and where theirs is NaN or an error. The calls are made by
`docs/make_differences.py`, which stops if a row that is said to agree differs by more than {agree:.0e}, or one that is
said to differ does so by less than {differ:.0e}.

Run beside {versions}.
The losses of segmentation_models_pytorch and pytorch-toolbelt ran without the rest of their packages. What no table
names was not compared; most losses here have no counterpart there.

What comes up again and again:

- **What a mean divides by.** Class weights: here their sum is divided by everywhere, so that equal weights are none.
  Ignored pixels, and nothing left: here they are left out, and nothing costs 0. Absent classes: `absent` says so here.
- **What is summed before the ratio**: an image or the batch (`aggregate`), each class or all of them.
- **ε**, which others add to other multiples of the same sums.
- **α of the focal loss**, which for softmax is a number for all classes here, and none by `alpha=None`.

The arrays: `logits` of shape (3, 4, 5, 6) and `labels` of shape (3, 5, 6), without class 3 in the first image;
`without_3` are labels without it in any image, `background` labels of class 0 alone. In `holes` 10, 35 and 60 % of the
three images are 255, in `nothing` all pixels. `one_hot`, `one_hot_without_3` and `soft` are targets of the logits'
shape, `several` is one of overlapping classes; `mask` is one of a single class, (3, 1, 5, 6), and so is `mask_holes`,
with the 255 of `holes`. `weights` has a number for each class, `distances` and `uneven` have one for each pair. For
optax they are JAX's, with the classes last.
{tables}"""

TABLE = """
## {title}

| there | here | their value | our value | difference | |
|---|---|---|---|---|---|
{rows}
"""


def without_init(name: str) -> None:
    """Stands in for a package, whose submodules can be imported then without what its `__init__` loads."""
    root, *inner = name.split(".")
    spec = PathFinder.find_spec(root)
    assert spec is not None, f"{root} is not installed"
    module = ModuleType(name)
    module.__path__ = [str(Path(folder, *inner)) for folder in spec.submodule_search_locations or ()]
    sys.modules[name] = module


def losses_of(library: str) -> Mapping[str, Any]:
    if library in ("segmentation_models_pytorch", "pytorch_toolbelt"):
        without_init(library)
    if library == "pytorch_toolbelt":
        without_init("pytorch_toolbelt.utils")
        deprecated = import_module("pytorch_toolbelt.utils.support").pytorch_toolbelt_deprecated
        vars(sys.modules["pytorch_toolbelt.utils"])["pytorch_toolbelt_deprecated"] = deprecated
    names = dict(vars(import_module(MODULES.get(library, f"{library}.losses"))))
    if library == "pytorch_toolbelt":
        names |= vars(import_module("pytorch_toolbelt.losses.quality_focal_loss"))
    return names


def run(call: str, names: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """The value of a call of the page, and its gradient with respect to the logits."""
    given = arrays()
    value = eval(call, {**names, "torch": torch, **given})
    (gradient,) = torch.autograd.grad(value, given["logits"])
    return value.detach(), gradient


def run_in_jax(call: str, names: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """The same where the arrays are JAX's, and those of the logits' shape have the classes last."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    given = {
        name: jnp.asarray(array.detach() if torch.is_tensor(array) else array)
        for name, array in arrays().items()
    }

    def value(logits: jax.Array) -> jax.Array:
        maps = {
            name: jnp.moveaxis(a, 1, -1) for name, a in {**given, "logits": logits}.items() if a.ndim == 4
        }
        return eval(call, {**names, **given, **maps})

    made, gradient = jax.device_get(jax.value_and_grad(value)(given["logits"]))
    return torch.tensor(made), torch.tensor(gradient)


def relative(theirs: torch.Tensor, ours: torch.Tensor) -> float:
    """The largest difference by the largest entry of ours; infinite if theirs is NaN, or ours is 0 and theirs not."""
    if theirs.equal(ours):
        return 0.0
    return float(((theirs - ours).abs().max() / ours.abs().max()).nan_to_num(torch.inf, torch.inf))


def measured(row: Row, losses: Mapping[str, Any], run_theirs: Callable[..., Any] = run) -> str:
    ours = run(row.ours, vars(seglosses_torch))
    try:
        theirs = run_theirs(row.theirs, losses)
    except row.raises as error:
        value, off = f"`{type(error).__name__}`", torch.inf
    else:
        value, off = f"{theirs[0]:.6g}", max(map(relative, theirs, ours))
    if not (off <= AGREE if row.agrees else off >= DIFFER):
        said = "agree" if row.agrees else "differ"
        raise SystemExit(f"{row.theirs} and {row.ours} are said to {said}, and differ by {off:.1e}.")
    cells = (f"`{row.theirs}`", f"`{row.ours}`", value, f"{ours[0]:.6g}", f"{off:.2g}", row.note)
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    tables = []
    for library, (title, rows) in LIBRARIES.items():
        losses, running = losses_of(library), run_in_jax if library == "optax" else run
        tables.append(
            TABLE.format(title=title, rows="\n".join(measured(row, losses, running) for row in rows))
        )
    versions = ", ".join(f"{title} {version(library)}" for library, (title, _) in LIBRARIES.items())
    page = PAGE.format(agree=AGREE, differ=DIFFER, versions=versions, tables="".join(tables))
    Path(__file__).with_name("differences.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
