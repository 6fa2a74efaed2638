"""MONAI's losses and ours."""

from .row import Row, differs

ROWS = (
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
    Row(
        "GeneralizedDiceLoss(softmax=True, to_onehot_y=True)(logits.tile(40, 40), labels.tile(40, 40)[:, None])",
        "GeneralizedDiceLoss(relative=False)(logits.tile(40, 40), labels.tile(40, 40))",
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
        "0.75 * UnifiedFocalLoss(weight=1 / 3, delta=0.7, activation='identity')"
        "(logits[:, :2].softmax(1), mask[:, 0])",
        "Their mean over pixels goes over the two classes too, which halves the focal part.",
    ),
    differs(
        "AsymmetricUnifiedFocalLoss()(logits[:, :2], torch.cat((1 - mask, mask), 1))",
        "0.75 * UnifiedFocalLoss(weight=1 / 3, delta=0.7)(logits[:, :2], mask[:, 0])",
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
        "SoftclDiceLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])",
        "ClDiceLoss(iterations=3, per_class=False, harmonic_smooth=1e-4)(logits, labels)",
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
    Row("DiceLoss(softmax=True, to_onehot_y=True)(logits, labels[:, None])", "DiceLoss()(logits, labels)"),
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
)
