"""What was asked of optax."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("optax", "optax.losses")
"""The package, the module of its classes, and that of its functions if it is another."""
CLASSES_LAST = IN_JAX = True
ARRAYS = ("weight", "pos_weight", "class_weights")
"""The arguments that it wants as arrays."""


def calls() -> Iterator[Call]:
    for name in ("softmax_cross_entropy", "safe_softmax_cross_entropy"):
        for inputs in ("one-hot", "soft", "multilabel", "far-one-hot"):
            yield Call(name, {}, inputs)
    for inputs in ("absent", "far", "line", "volume"):
        yield Call("softmax_cross_entropy_with_integer_labels", {}, inputs)
    for arguments, inputs in (({}, "one-hot"), ({"epsilon": 0.5}, "soft"), ({"epsilon": -1.0}, "multilabel")):
        yield Call("poly_loss_cross_entropy", arguments, inputs)
    for inputs in ("multilabel", "soft", "binary-float"):
        yield Call("sigmoid_binary_cross_entropy", {}, inputs)
    for arguments, inputs in (
        ({}, "multilabel"),
        ({"alpha": 0.3}, "multilabel"),
        ({"alpha": 0.3, "gamma": 1.5}, "binary-float"),
    ):
        yield Call("sigmoid_focal_loss", arguments, inputs)
    for arguments in ({}, {"alpha": 0.25, "gamma": 0.5}):
        yield Call("sigmoid_focal_loss", arguments, "soft")
    for arguments, inputs in (
        ({}, "absent-one-hot"),
        ({}, "soft"),
        ({}, "binary-float"),
        ({}, "volume-one-hot"),
        ({"smooth": 1e-5}, "absent-one-hot"),
        ({"alpha": 0.3, "beta": 0.7}, "absent-one-hot"),
        ({"class_weights": W}, "absent-one-hot"),
        ({"ignore_background": True}, "absent-one-hot"),
        ({"ignore_background": True, "class_weights": W, "reduction": "sum"}, "absent-one-hot"),
        ({"ignore_background": True}, "binary-float"),
        ({"reduction": "sum"}, "absent-one-hot"),
        ({"reduction": "none", "class_weights": W}, "absent-one-hot"),
        ({"axis": [1, 2]}, "absent-one-hot"),
        ({"axis": [0, 1, 2]}, "absent-one-hot"),
        ({"axis": [0, 1, 2], "reduction": "none"}, "absent-one-hot"),
        ({"axis": [0, 1, 2], "reduction": "sum"}, "absent-one-hot"),
        ({"axis": [0, 1, 2], "class_weights": W, "ignore_background": True}, "absent-one-hot"),
        ({"axis": [0, 1, 2, 3], "ignore_background": True}, "volume-one-hot"),
        ({"apply_softmax": False}, "exclusive-probabilities"),
    ):
        yield Call("dice_loss", arguments, inputs)
    for arguments, inputs in (({}, "binary-float"), ({"smooth": 1e-5}, "binary-float")):
        yield Call("binary_dice_loss", arguments, inputs)
