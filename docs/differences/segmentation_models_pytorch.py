"""segmentation_models_pytorch's losses and ours."""

from .row import Row, differs

ROWS = (
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
        "MCCLoss()(logits[:, :1].sigmoid(), background[:, None])",
        "MCCLoss(activation='sigmoid', aggregate='batch', smooth=0.0, pseudocount=1e-5)"
        "(logits[:, :1], background[:, None])",
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
        "The factor is (1 − p_t)^γ with a log p_t mixed by the soft target there; here the costs of the two "
        "sides are mixed, unless mixes='logarithms'.",
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
)
