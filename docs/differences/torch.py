"""PyTorch's losses and ours."""

from .row import Row, differs

ROWS = (
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
)
