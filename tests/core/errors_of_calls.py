"""Arrays that a call refuses: shapes, dtypes, kinds of targets, and the values that `validate=True` looks at."""

from __future__ import annotations

import numpy as np
from failing import DENSE, LABELS, LOGITS, Case, call, floats, labels

CALLS: dict[str, Case] = {
    # Shapes.
    "target of another length": (
        call("DiceLoss", target=labels(2, 4, 6)),
        ValueError, "target", "int32 of shape (2, 4, 6)", "labels of shape (2, 4, 5)",
    ),
    "target of another batch": (
        call("DiceLoss", target=labels(1, 4, 5)),
        ValueError, "target", "int32 of shape (1, 4, 5)", "labels of shape (2, 4, 5)",
    ),
    "target that would broadcast": (
        call("CrossEntropyLoss", target=floats(2, 3, 1, 5)),
        ValueError, "target", "float32 of shape (2, 3, 1, 5)", "the logits' shape (2, 3, 4, 5)",
    ),
    "labels with 1 in place of an axis of pixels": (
        call("CrossEntropyLoss", target=labels(2, 3, 1, 5)),
        ValueError, "target", "int32 of shape (2, 3, 1, 5)", "labels of shape (2, 4, 5)",
    ),
    "target of fewer classes": (
        call("CrossEntropyLoss", target=floats(2, 2, 4, 5)),
        ValueError, "target", "float32 of shape (2, 2, 4, 5)", "the logits' shape (2, 3, 4, 5)",
    ),
    "target without an axis": (
        call("CrossEntropyLoss", target=labels(4, 5)),
        ValueError, "target", "int32 of shape (4, 5)", "labels of shape (2, 4, 5)",
    ),
    "target with an axis of 1 too many": (
        call("CrossEntropyLoss", target=labels(2, 4, 5, 1)),
        ValueError, "target", "int32 of shape (2, 4, 5, 1)", "labels of shape (2, 4, 5)",
    ),
    "target of class-last logits": (
        call("DiceLoss", floats(2, 4, 5, 3), LABELS),
        ValueError, "target", "int32 of shape (2, 4, 5)", "labels of shape (2, 5, 3)",
    ),
    "class-last target": (
        call("DiceLoss", target=floats(2, 4, 5, 3)),
        ValueError, "target", "float32 of shape (2, 4, 5, 3)", "the logits' shape (2, 3, 4, 5)",
    ),
    "logits without a class axis": (
        call("DiceLoss", floats(2), labels(2)),
        ValueError, "logits", "float32 of shape (2,)", "a batch and a class axis, (N, C, *S)",
    ),
    "class axis that is not there": (
        call("DiceLoss", options={"class_axis": 4}),
        ValueError, "class_axis", "got 4 for logits of shape (2, 3, 4, 5)", "an axis of the logits",
    ),
    "class axis that is the batch": (
        call("DiceLoss", options={"class_axis": 0}),
        ValueError, "class_axis", "got 0 for logits of shape (2, 3, 4, 5)", "other than the batch axis 0",
    ),
    "empty batch": (
        call("CrossEntropyLoss", floats(0, 3, 4), labels(0, 4)),
        ValueError, "logits", "float32 of shape (0, 3, 4)", "must not be empty",
    ),
    "no pixels": (
        call("DiceLoss", floats(2, 3, 0), labels(2, 0)),
        ValueError, "logits", "float32 of shape (2, 3, 0)", "must not be empty",
    ),
    "one-class softmax": (
        call("DiceLoss", floats(2, 1, 4), labels(2, 4)),
        ValueError, "activation='softmax'", "logits of shape (2, 1, 4) with one", "use activation='sigmoid'",
    ),
    "one-class softmax of a distance-aware loss": (
        call("DistanceAwareCrossEntropyLoss", floats(2, 1, 4), labels(2, 4), options={"activation": "softmax"}),
        ValueError, "activation='softmax'", "logits of shape (2, 1, 4) with one", "use activation='sigmoid'",
    ),
    "mask of the logits' shape": (
        call("DiceLoss", mask=floats(2, 3, 4, 5)),
        ValueError, "mask", "float32 of shape (2, 3, 4, 5)", "the shape of the labels, (2, 4, 5)",
    ),
    "mask that would broadcast": (
        call("CrossEntropyLoss", mask=floats(2, 1, 5)),
        ValueError, "mask", "float32 of shape (2, 1, 5)", "the shape of the labels, (2, 4, 5)",
    ),
    "mask of one image": (
        call("MeanSquaredErrorLoss", target=DENSE, mask=np.ones((4, 5), bool)),
        ValueError, "mask", "bool of shape (4, 5)", "the shape of the labels, (2, 4, 5)",
    ),
    "sample weights of pixels": (
        call("DiceLoss", sample_weight=floats(2, 4, 5)),
        ValueError, "sample_weight", "float32 of shape (2, 4, 5)", "one weight per image, shape (2,)",
    ),
    "one sample weight": (
        call("CrossEntropyLoss", sample_weight=floats(1)),
        ValueError, "sample_weight", "float32 of shape (1,)", "one weight per image, shape (2,)",
    ),
    "sample weights with an axis of 1": (
        call("CrossEntropyLoss", sample_weight=floats(2, 1)),
        ValueError, "sample_weight", "float32 of shape (2, 1)", "one weight per image, shape (2,)",
    ),
    # Dtypes.
    "integer logits": (
        call("DiceLoss", labels(2, 3, 4, 5)),
        TypeError, "logits", "int32 of shape (2, 3, 4, 5)", "real floating point",
    ),
    "bool logits": (
        call("DiceLoss", LOGITS > 0),
        TypeError, "logits", "bool of shape (2, 3, 4, 5)", "real floating point",
    ),
    "complex logits": (
        call("DiceLoss", LOGITS.astype(np.complex64)),
        TypeError, "logits", "complex64 of shape (2, 3, 4, 5)", "real floating point",
    ),
    "floats of one class that may be labels or a soft target": (
        call("CrossEntropyLoss", floats(2, 1, 4, 5), floats(2, 4, 5), options={"activation": "sigmoid"}),
        TypeError, "target", "float32 of shape (2, 4, 5)",
        "give a soft target the class axis 1, and labels an integer dtype",
    ),
    "bool labels with 1 in place of the classes": (
        call("CrossEntropyLoss", target=np.ones((2, 1, 4, 5), bool)),
        TypeError, "target", "bool of shape (2, 1, 4, 5)", "integer labels",
    ),
    "bool labels": (
        call("CrossEntropyLoss", target=np.ones((2, 4, 5), bool)),
        TypeError, "target", "bool of shape (2, 4, 5)", "integer labels",
    ),
    "complex target": (
        call("DiceLoss", target=DENSE.astype(np.complex64)),
        TypeError, "target", "complex64 of shape (2, 3, 4, 5)", "bool, integer or real floating point",
    ),
    "complex mask": (
        call("DiceLoss", mask=np.ones((2, 4, 5), np.complex64)),
        TypeError, "mask", "complex64 of shape (2, 4, 5)", "bool or non-negative real weights",
    ),
    "bool sample weights": (
        call("DiceLoss", sample_weight=np.ones(2, bool)),
        TypeError, "sample_weight", "bool of shape (2,)", "real numbers",
    ),
    # Labels alone.
    "dense target with ignore_index": (
        call("DiceLoss", target=DENSE, options={"ignore_index": 255}),
        ValueError, "ignore_index=255", "float32 of shape (2, 3, 4, 5)", "integer labels of shape (2, 4, 5)",
    ),
    "soft target of the locally adaptive loss": (
        call("LocallyAdaptiveLoss", target=DENSE),
        ValueError, "target", "float32 of shape (2, 3, 4, 5)", "labels of shape (2, 4, 5) for LocallyAdaptiveLoss",
    ),
    "soft target of the center loss": (
        call("CenterLoss", target=DENSE),
        ValueError, "target", "float32 of shape (2, 3, 4, 5)", "labels of shape (2, 4, 5) for CenterLoss",
    ),
    # The center loss.
    "centers that move backwards": (
        lambda framework: framework.center(rate=-0.5), ValueError, "rate", "got -0.5", "at least 0",
    ),
    "negative weight of the distance": (
        lambda framework: framework.center(weight=-1.0), ValueError, "weight", "got -1.0", "at least 0",
    ),
    "overlapping classes with centers": (
        lambda framework: framework.center(activation="sigmoid"),
        ValueError, "activation", "got 'sigmoid'", "'softmax' or 'identity'",
    ),
    "centers of other classes": (
        call("CenterLoss", floats(2, 4, 5), labels(2, 5)),
        ValueError, "centers", "float32 of shape (3, 3)", "the shape (4, 4), one row per class",
    ),
    "centers of other features": (
        call("CenterLoss", features=floats(2, 6, 4, 5)),
        ValueError, "centers", "float32 of shape (3, 3)", "the shape (3, 6), one row per class",
    ),
    "features of another image": (
        call("CenterLoss", features=floats(2, 3, 4, 6)),
        ValueError, "features", "float32 of shape (2, 3, 4, 6)", "the shape (2, 3, 4, 5)",
    ),
    "features for Dice": (
        call("DiceLoss", features=floats(2, 3, 4, 5)),
        TypeError, "features", "'features'", "logits, target, mask and sample_weight",
    ),
    "integer features": (
        call("CenterLoss", features=labels(2, 3, 4, 5)),
        TypeError, "features", "int32 of shape (2, 3, 4, 5)", "real floating point",
    ),
    # Values, which `validate=True` looks at.
    "label outside the classes": (
        call("CrossEntropyLoss", target=LABELS + np.int32(3), options={"validate": True}),
        ValueError, "target", "others at 40 pixels", "labels from 0 to 2",
    ),
    "label outside one class": (
        call("DiceLoss", floats(2, 1, 4), labels(2, 4) - 1, options={"validate": True, "activation": "sigmoid"}),
        ValueError, "target", "others at 8 pixels", "labels from 0 to 1",
    ),
    "NaN logits": (
        call("DiceLoss", LOGITS * np.float32("nan"), options={"validate": True}),
        ValueError, "logits", "others at 120 places", "neither NaN nor +inf",
    ),
    "infinite logits of the locally adaptive loss": (
        call("LocallyAdaptiveLoss", LOGITS * np.float32("-inf"), options={"validate": True}),
        ValueError, "logits", "others at 120 places", "finite",
    ),
    "probabilities above 1": (
        call("DiceLoss", LOGITS * 4, options={"validate": True, "activation": "identity"}),
        ValueError, "probabilities", "others at 120 places", "in [0, 1]",
    ),
    "soft target above 1": (
        call("DiceLoss", target=DENSE * 4, options={"validate": True}),
        ValueError, "target", "others at 120 places", "in [0, 1]",
    ),
    "negative mask": (
        call("DiceLoss", mask=-floats(2, 4, 5), options={"validate": True}),
        ValueError, "mask", "got such a weight", "must not be negative or NaN",
    ),
    "NaN sample weight": (
        call("DiceLoss", sample_weight=floats(2) * np.float32("nan"), options={"validate": True}),
        ValueError, "sample_weight", "got such a weight", "must not be negative or NaN",
    ),
}  # fmt: skip
