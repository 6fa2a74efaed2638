"""kornia's losses and ours."""

from .row import Row, differs

ROWS = (
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
)
