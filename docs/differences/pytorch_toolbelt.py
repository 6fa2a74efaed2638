"""pytorch-toolbelt's losses and ours."""

from .row import Row, differs

ROWS = (
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
)
