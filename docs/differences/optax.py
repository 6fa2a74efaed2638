"""optax's losses and ours."""

from .row import Row, differs

ROWS = (
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
        "The factor is (1 − p_t)^γ with a p_t mixed by the soft target there; here the costs of the two "
        "sides are mixed, unless mixes='probabilities'.",
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
)
