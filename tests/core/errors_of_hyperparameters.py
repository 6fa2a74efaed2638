"""Hyper-parameters that are refused, of many losses or of none; those of one loss are in its record."""

from __future__ import annotations

from failing import Case, build, call, ensemble, floats, labels

import seglosses_core

HYPERPARAMETERS: dict[str, Case] = {
    # As other libraries have it.
    "a name of PyTorch": (
        build("CrossEntropyLoss", weight=[1.0, 2.0, 3.0]),
        TypeError, "CrossEntropyLoss", "keyword argument 'weight'",
        "label_smoothing, pos_weight; presets.pytorch.CrossEntropyLoss takes what was given",
    ),
    "names of MONAI": (
        build("DiceLoss", smooth=1.0, to_onehot_y=True, softmax=True),
        TypeError, "DiceLoss", "keyword argument 'to_onehot_y'", "presets.monai.DiceLoss takes what was given",
    ),
    "an argument by its place": (
        lambda framework: framework.losses.CrossEntropyLoss([1.0, 2.0, 3.0]),
        TypeError, "CrossEntropyLoss", "a positional argument", "presets.pytorch.CrossEntropyLoss takes what was given",
    ),
    "a name of nobody": (
        build("DiceLoss", smoothing=1.0),
        TypeError, "DiceLoss", "keyword argument 'smoothing'", "per_class, overlap, log.",
    ),
    # Hyper-parameters.
    "standardised logits of two classes": (
        call("LocallyAdaptiveLoss", floats(2, 2, 4), labels(2, 4)),
        ValueError, "standardize=True", "logits of shape (2, 2, 4)", "at least 3 classes",
    ),
    "negative class weight": (
        build("CrossEntropyLoss", class_weights=(1, -2, 1)), ValueError, "class_weights[1]", "got -2", "at least 0",
    ),
    "class weights of 0": (
        build("DiceLoss", class_weights=[0, 0]), ValueError, "class_weights", "(0, 0)", "at least one positive",
    ),
    "one number for class weights": (
        build("DiceLoss", class_weights=2.0), TypeError, "class_weights", "got 2.0", "one number per class",
    ),
    "class weights of fewer classes": (
        call("DiceLoss", options={"class_weights": (1, 2)}),
        ValueError, "class_weights", "got 2", "one entry per class, 3 for logits of shape (2, 3, 4, 5)",
    ),
    "negative smooth": (build("DiceLoss", smooth=-1e-5), ValueError, "smooth", "got -1e-05", "at least 0"),
    "infinite smooth": (build("DiceLoss", smooth=float("inf")), ValueError, "smooth", "got inf", "finite"),
    "bool for a number": (build("DiceLoss", smooth=True), TypeError, "smooth", "got bool: True", "a number"),
    "unknown reduction": (
        build("CrossEntropyLoss", reduction="average"),
        ValueError, "reduction", "got 'average'", "'mean', 'sum', 'none' or a pooling, such as Minkowski(k=3)",
    ),
    "pooling class for a pooling": (
        build("CrossEntropyLoss", reduction=seglosses_core.TopK),
        ValueError, "reduction", "got <class", "'mean', 'sum', 'none' or a pooling, such as Minkowski(k=3)",
    ),
    "pooling of costs below 0": (
        build("PointwiseExponentialLoss", reduction=seglosses_core.TopK()),
        ValueError, "reduction", "got TopK(fraction=0.1)", "'mean', 'sum' or 'none'",
    ),
    "unknown activation": (
        build("DiceLoss", activation="relu"),
        ValueError, "activation", "got 'relu'", "one of 'softmax', 'sigmoid', 'identity'",
    ),
    "unknown aggregate": (
        build("DiceLoss", aggregate="volume"), ValueError, "aggregate", "got 'volume'", "one of 'image', 'batch'",
    ),
    "unknown absent": (
        build("DiceLoss", absent="ignore"), ValueError, "absent", "got 'ignore'", "one of 'count', 'skip'",
    ),
    "unknown divisor": (
        build("DiceLoss", divisor="count"), ValueError, "divisor", "got 'count'", "one of 'weights', 'valid', 'all'",
    ),
    "no class to cost 0": (
        build("DiceLoss", per_class=False, absent="zero"), ValueError, "absent", "got 'zero'", "'count' or 'skip'",
    ),
    "average of one number for all classes": (
        build("DiceLoss", per_class=False, average="image"), ValueError, "average", "got 'image'", "must be 'pooled'",
    ),
    "per_class that is no flag": (
        build("DiceLoss", per_class=1), TypeError, "per_class", "got int: 1", "True or False",
    ),
    "unknown average": (
        build("DiceLoss", average="mean"), ValueError, "average", "got 'mean'", "one of 'pooled', 'image', 'class'",
    ),
    "distances of one class": (
        call(
            "GeneralizedWassersteinDiceLoss", floats(2, 1, 4, 5), options={"activation": "identity"},
        ),
        ValueError, "logits", "(2, 1, 4, 5)", "at least two classes",
    ),
    "class axis that is no integer": (
        build("DiceLoss", class_axis="last"), TypeError, "class_axis", "got str: 'last'", "an integer",
    ),
    "ignore index that is no integer": (
        build("DiceLoss", ignore_index=255.0), TypeError, "ignore_index", "got float: 255.0", "an integer",
    ),
    "validate that is no flag": (
        build("DiceLoss", validate="yes"), TypeError, "validate", "got str: 'yes'", "True or False",
    ),
    "no class without the background": (
        call("DiceLoss", floats(2, 1, 4), labels(2, 4), options={"include_background": False, "activation": "sigmoid"}),
        ValueError, "include_background=False", "logits of shape (2, 1, 4)", "that is the foreground",
    ),
    # Ensembles.
    "members of two class axes": (
        ensemble(("DiceLoss", {"class_axis": 1}), ("CrossEntropyLoss", {"class_axis": 2})),
        ValueError, "class_axis", "got 1 and 2", "the same for all losses",
    ),
    "members that ignore two labels": (
        ensemble(("DiceLoss", {"ignore_index": 0}), ("CrossEntropyLoss", {})),
        ValueError, "ignore_index", "got 0 and None", "the same for all losses",
    ),
    "weights of other members": (
        ensemble(("DiceLoss", {}), ("JaccardLoss", {}), weights=(1, 2, 3)),
        ValueError, "weights", "got 3", "one entry per loss, 2",
    ),
    "negative weight of a member": (
        ensemble(("DiceLoss", {}), ("JaccardLoss", {}), weights=(1, -1)),
        ValueError, "weights[1]", "got -1", "at least 0",
    ),
    "weights that do not sum to 1": (
        ensemble(("DiceLoss", {}), ("JaccardLoss", {}), weights=(0.5, 0.6), sum_to_one=True),
        ValueError, "weights", "got (0.5, 0.6) with sum 1.1", "must sum to 1",
    ),
    "negative factor": (
        lambda framework: -2.0 * framework.losses.DiceLoss(),
        ValueError, "the weight of a loss", "got -2.0", "at least 0",
    ),
}  # fmt: skip
