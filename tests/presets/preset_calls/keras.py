"""What was asked of Keras."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("keras", "keras.losses")
"""The package, the module of its classes, and that of its functions if it is another."""
CLASSES_LAST = TARGET_FIRST = True

LOGITS = {"from_logits": True}


def calls() -> Iterator[Call]:
    for name, dense, options in (
        ("CategoricalCrossentropy", "absent-one-hot", {"label_smoothing": 0.1}),
        ("CategoricalFocalCrossentropy", "absent-one-hot", {"alpha": W, "gamma": 1.5}),
        ("SparseCategoricalCrossentropy", "absent", {}),
    ):
        for arguments in ({}, {"reduction": "sum"}, {"reduction": None}, options):
            yield Call(name, {**LOGITS, **arguments}, dense)
        yield Call(name, {}, dense, softmax=True)
    for name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy"):
        for inputs in ("soft", "multilabel"):
            yield Call(name, LOGITS, inputs)
    yield Call("CategoricalCrossentropy", {**LOGITS, "label_smoothing": 0.1}, "soft")
    for name, dense in (
        ("CategoricalCrossentropy", "far-one-hot"),
        ("CategoricalFocalCrossentropy", "far-one-hot"),
        ("SparseCategoricalCrossentropy", "far"),
    ):
        yield Call(name, {}, dense, softmax=True)
    for arguments, inputs in (
        ({}, "line"),
        ({"ignore_class": 255}, "ignored"),
        ({"ignore_class": 255}, "image-ignored"),
        ({"ignore_class": 255, "reduction": "sum"}, "ignored"),
        ({"ignore_class": 255, "reduction": "none"}, "ignored"),
    ):
        yield Call("SparseCategoricalCrossentropy", {**LOGITS, **arguments}, inputs)
    yield Call("SparseCategoricalCrossentropy", LOGITS, "volume", target_axis=True)
    yield Call("SparseCategoricalCrossentropy", {"ignore_class": 255}, "ignored", softmax=True)
    yield Call("categorical_crossentropy", LOGITS, "absent-one-hot")
    yield Call("categorical_focal_crossentropy", LOGITS, "absent-one-hot")
    yield Call("sparse_categorical_crossentropy", {**LOGITS, "ignore_class": 255}, "ignored")

    for arguments, inputs in (
        (LOGITS, "multilabel"),
        (LOGITS, "soft"),
        (LOGITS, "binary"),
        ({**LOGITS, "label_smoothing": 0.1}, "multilabel"),
        ({**LOGITS, "reduction": "sum"}, "multilabel"),
        ({**LOGITS, "reduction": None}, "multilabel"),
        ({}, "multilabel-probabilities"),
        ({"label_smoothing": 0.1}, "multilabel-probabilities"),
        ({}, "binary-saturated"),
        ({}, "binary-wrong"),
    ):
        yield Call("BinaryCrossentropy", arguments, inputs)
    balanced = {"apply_class_balancing": True}
    for arguments, inputs in (
        (LOGITS, "multilabel"),
        ({**LOGITS, **balanced}, "multilabel"),
        ({**LOGITS, **balanced, "alpha": 0.4, "gamma": 1.5}, "binary"),
        ({**LOGITS, "reduction": "sum"}, "multilabel"),
        ({**LOGITS, "reduction": None}, "multilabel"),
        ({}, "multilabel-probabilities"),
        (balanced, "binary-probabilities"),
        ({}, "binary-saturated"),
        ({"gamma": 0.0}, "binary-wrong"),
    ):
        yield Call("BinaryFocalCrossentropy", arguments, inputs)
    yield Call("binary_crossentropy", LOGITS, "multilabel")
    yield Call("binary_focal_crossentropy", LOGITS, "multilabel")
    for arguments, inputs in (
        (LOGITS, "soft"),
        ({**LOGITS, "apply_class_balancing": True, "gamma": 0.5}, "soft"),
        ({}, "overlapping-soft"),
    ):
        yield Call("BinaryFocalCrossentropy", arguments, inputs)

    for arguments in ({}, {"reduction": "sum"}, {"reduction": None}):
        yield Call("MeanSquaredError", arguments, "multilabel")
    yield Call("mean_squared_error", {}, "multilabel")
    for arguments in ({}, {"q": 0.8}, {"reduction": "sum"}, {"reduction": None}):
        yield Call("CategoricalGeneralizedCrossEntropy", arguments, "probabilities")
    yield Call("categorical_generalized_cross_entropy", {"q": 0.5}, "probabilities")

    yield Call("Tversky", {}, "multilabel-probabilities")
    for name, function, own in (
        ("Dice", "dice", {}),
        ("Tversky", "tversky", {"alpha": 0.3, "beta": 0.7}),
    ):
        for arguments, inputs in (
            ({}, "multilabel-probabilities"),
            ({}, "binary-probabilities"),
            ({"axis": [1, 2]}, "multilabel-probabilities"),
            ({"axis": [1, 2]}, "binary-empty"),
            ({"axis": [0, 1, 2]}, "multilabel-probabilities"),
            ({"axis": [1, 2, 3]}, "multilabel-probabilities"),
            ({"axis": [0, 1, 2, 3]}, "multilabel-probabilities"),
            ({"axis": [-3, -2], "reduction": "sum"}, "multilabel-probabilities"),
            ({"axis": [1, 2], "reduction": None}, "multilabel-probabilities"),
            ({"axis": [0, 1, 2], "reduction": None}, "multilabel-probabilities"),
            ({"axis": [1, 2, 3], "reduction": None}, "multilabel-probabilities"),
        ):
            yield Call(name, {**own, **arguments}, inputs)
        yield Call(function, {**own, "axis": [1, 2]}, "multilabel-probabilities")
        yield Call(function, own, "multilabel-probabilities")
