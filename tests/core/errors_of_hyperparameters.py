"""Hyper-parameters that no loss takes, or not with such logits."""

from __future__ import annotations

import numpy as np
from failing import Case, build, call, ensemble, floats, labels, wasserstein

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
    "p below 1 of power Jaccard": (
        build("PowerJaccardLoss", p=0.9), ValueError, "p must", "got 0.9", "at least 1",
    ),
    "p above 2 of power Dice": (build("PowerDiceLoss", p=2.5), ValueError, "p must", "got 2.5", "at most 2"),
    "p that is NaN": (build("PowerDiceLoss", p=float("nan")), ValueError, "p must", "got nan", "at least 1"),
    "p that is no number": (build("PowerDiceLoss", p="2"), TypeError, "p must", "got str: '2'", "a number"),
    "even kernel": (
        build("LocallyAdaptiveLoss", kernel_size=4), ValueError, "kernel_size", "got 4", "must be odd",
    ),
    "kernel of no pixel": (
        build("LocallyAdaptiveLoss", kernel_size=-1), ValueError, "kernel_size", "got -1", "at least 1",
    ),
    "kernel that is no integer": (
        build("LocallyAdaptiveLoss", kernel_size=3.0), TypeError, "kernel_size", "got float: 3.0", "an integer",
    ),
    "stride of 0": (build("LocallyAdaptiveLoss", stride=0), ValueError, "stride", "got 0", "at least 1"),
    "standardised logits of two classes": (
        call("LocallyAdaptiveLoss", floats(2, 2, 4), labels(2, 4)),
        ValueError, "standardize=True", "logits of shape (2, 2, 4)", "at least 3 classes",
    ),
    "standardize that is no flag": (
        build("LocallyAdaptiveLoss", standardize=1), TypeError, "standardize", "got int: 1", "True or False",
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
    "alphas of fewer classes": (
        call("FocalLoss", options={"alpha": (1, 2)}),
        ValueError, "alpha", "got 2", "one entry per class, 3 for logits of shape (2, 3, 4, 5)",
    ),
    "sigmoid alpha above 1": (
        build("FocalLoss", alpha=1.5, activation="sigmoid"), ValueError, "alpha", "got 1.5", "at most 1",
    ),
    "positive weights of fewer classes": (
        call("CrossEntropyLoss", options={"pos_weight": (1, 2), "activation": "sigmoid"}),
        ValueError, "pos_weight", "got 2", "one entry per class, 3 for logits of shape (2, 3, 4, 5)",
    ),
    "positive weight of 0": (
        build("CrossEntropyLoss", pos_weight=[1, 0], activation="sigmoid"),
        ValueError, "pos_weight[1]", "got 0", "above 0",
    ),
    "positive weight of exclusive classes": (
        build("CrossEntropyLoss", pos_weight=2.0),
        ValueError, "pos_weight", "got activation='softmax'", "activation='sigmoid'",
    ),
    "gammas of fewer classes": (
        call("FocalLoss", options={"gamma": (1, 2)}),
        ValueError, "gamma", "got 2", "one entry per class, 3 for logits of shape (2, 3, 4, 5)",
    ),
    "negative gamma": (build("FocalLoss", gamma=-1), ValueError, "gamma", "got -1", "at least 0"),
    "negative smoothing": (
        build("CrossEntropyLoss", label_smoothing=-0.1), ValueError, "label_smoothing", "got -0.1", "at least 0",
    ),
    "negative smooth": (build("DiceLoss", smooth=-1e-5), ValueError, "smooth", "got -1e-05", "at least 0"),
    "infinite smooth": (build("DiceLoss", smooth=float("inf")), ValueError, "smooth", "got inf", "finite"),
    "bool for a number": (build("DiceLoss", smooth=True), TypeError, "smooth", "got bool: True", "a number"),
    "negative weight of false positives": (
        build("TverskyLoss", alpha=-0.5), ValueError, "alpha", "got -0.5", "at least 0",
    ),
    "exponential factor of 0": (
        build("PointwiseExponentialLoss", alpha=0), ValueError, "alpha", "got 0", "above 0",
    ),
    "exponent below 1": (
        build("PointwiseExponentialLoss", exponent=0.5), ValueError, "exponent", "got 0.5", "at least 1",
    ),
    "unknown denominator": (
        build("PointwiseExponentialLoss", denominator="product"),
        ValueError, "denominator", "got 'product'", "'sum', 'union'",
    ),
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
    "one number for each class": (
        build("GeneralizedDiceLoss", per_class=True), ValueError, "per_class", "got True", "must be False",
    ),
    "per_class that is no flag": (
        build("DiceLoss", per_class=1), TypeError, "per_class", "got int: 1", "True or False",
    ),
    "overlapping classes of softmax": (
        build("CrossEntropyLoss", overlapping=True),
        ValueError, "overlapping", "activation='softmax'", "activation='identity'",
    ),
    "overlapping classes that always are": (
        build("QualityFocalLoss", activation="identity", overlapping=True),
        ValueError, "overlapping", "got True", "left out",
    ),
    "overlapping classes that never are": (
        build("RecallCrossEntropyLoss", activation="identity", overlapping=False),
        ValueError, "overlapping", "got False", "left out",
    ),
    "unknown average": (
        build("DiceLoss", average="mean"), ValueError, "average", "got 'mean'", "one of 'pooled', 'image', 'class'",
    ),
    "average of one number for each image": (
        build("GeneralizedDiceLoss", average="class"), ValueError, "average", "got 'class'", "must be 'pooled'",
    ),
    "unknown overlap": (
        build("TverskyLoss", overlap="union"), ValueError, "overlap", "got 'union'", "one of 'product', 'minimum'",
    ),
    "a mixture of nothing": (
        build("FocalLoss", mixes="odds", activation="sigmoid"), ValueError, "mixes", "got 'odds'", "'logits'",
    ),
    "a mixture of exclusive classes": (
        build("FocalLoss", mixes="logits"), ValueError, "mixes", "got 'logits'", "'costs' for exclusive classes",
    ),
    "a mixture of the logits of probabilities": (
        build("FocalLoss", mixes="logits", activation="identity", overlapping=True),
        ValueError, "mixes", "activation='identity'", "not 'logits' for probabilities",
    ),
    "a normalized mixture": (
        build("FocalLoss", mixes="logits", activation="sigmoid", normalized=True),
        ValueError, "mixes", "got 'logits'", "'costs' with normalized=True",
    ),
    "a mixture of the sides of an expansion": (
        build("PolyFocalLoss", mixes="logits", activation="sigmoid"),
        ValueError, "mixes", "got 'logits'", "'costs' for PolyFocalLoss",
    ),
    "normalized that is no flag": (
        build("FocalLoss", normalized=1), TypeError, "normalized", "got int: 1", "True or False",
    ),
    "gamma of 0": (
        build("ExponentialLogarithmicDiceLoss", gamma=0.0), ValueError, "gamma", "got 0.0", "above 0",
    ),
    "label_weights that are no weights": (
        build("ExponentialLogarithmicCrossEntropyLoss", label_weights=(1.0, -1.0)),
        ValueError, "label_weights[1]", "got -1.0", "at least 0",
    ),
    "label_weights of other classes": (
        call("ExponentialLogarithmicCrossEntropyLoss", options={"label_weights": [1.0]}),
        ValueError, "label_weights", "got 1", "one entry per class, 3 for logits of shape (2, 3, 4, 5)",
    ),
    "a window without centre around a pixel's logits": (
        build("NACLLoss", kernel_size=4), ValueError, "kernel_size", "got 4", "odd",
    ),
    "a penalty below 0": (
        build("NACLLoss", weight=-1.0), ValueError, "weight", "got -1.0", "at least 0",
    ),
    "log that is no flag": (
        build("JaccardLoss", log=2), TypeError, "log", "got int: 2", "True or False",
    ),
    "max_alpha of 1": (
        build("BoundaryDoULoss", max_alpha=1.0), ValueError, "max_alpha", "got 1.0", "at least -1 and below 1",
    ),
    "smooth below 0 beside a correlation": (
        build("MCCLoss", smooth=-1.0), ValueError, "smooth", "got -1.0", "at least 0",
    ),
    "ratio above 1": (
        build("SensitivitySpecificityLoss", ratio=1.5), ValueError, "ratio", "got 1.5", "at least 0 and at most 1",
    ),
    "gamma above 2": (
        build("NoiseRobustDiceLoss", gamma=2.5), ValueError, "gamma", "got 2.5", "at least 1 and at most 2",
    ),
    "unknown denominator of a noise-robust loss": (
        build("NoiseRobustDiceLoss", denominator="union"),
        ValueError, "denominator", "got 'union'", "one of 'linear', 'squared'",
    ),
    "k below 0": (
        build("PenaltyGeneralizedDiceLoss", k=-1), ValueError, "k must", "got -1", "at least 0",
    ),
    "gamma below 1": (
        build("DicePlusPlusLoss", gamma=0.5), ValueError, "gamma", "got 0.5", "at least 1",
    ),
    "alpha below 0": (
        build("TverskyPlusPlusLoss", alpha=-1.0), ValueError, "alpha", "got -1.0", "at least 0",
    ),
    "depth that is no integer": (
        build("TanimotoLoss", depth=1.5), TypeError, "depth", "got float: 1.5", "an integer",
    ),
    "complement that is no flag": (
        build("TanimotoLoss", complement=1), TypeError, "complement", "got int: 1", "True or False",
    ),
    "distances of other classes": (
        wasserstein([[0, 1], [1, 0]]), ValueError, "distances", "got 2", "one row per class, 3",
    ),
    "distances that are no matrix": (
        wasserstein([0, 1, 1]), TypeError, "distances", "got (0, 1, 1)", "a sequence of sequences",
    ),
    "distances that are not square": (
        wasserstein([[0, 1], [1, 0], [1, 1]]), ValueError, "distances", "rows of lengths [2, 2, 2]", "(C, C)",
    ),
    "distances as an array of one dimension": (
        wasserstein(floats(3)), ValueError, "distances", "shape (3,)", "a matrix (C, C)",
    ),
    "distances as an array that is not square": (
        wasserstein(floats(2, 3)), ValueError, "distances", "shape (2, 3)", "a matrix (C, C)",
    ),
    "distances that are no numbers": (
        wasserstein(np.ones((3, 3), bool)), TypeError, "distances", "bool of shape (3, 3)", "real numbers",
    ),
    "distances from a class to itself": (
        wasserstein([[0, 1, 1], [1, 2, 1], [1, 1, 0]]), ValueError, "distances[1][1]", "got 2", "must be 0",
    ),
    "distances that depend on the direction": (
        wasserstein([[0, 1, 1], [2, 0, 1], [1, 1, 0]]), ValueError, "distances", "got 1 at [0][1] and 2", "symmetric",
    ),
    "distances below 0": (
        wasserstein([[0, -1, 1], [-1, 0, 1], [1, 1, 0]]), ValueError, "distances[0][1]", "got -1", "at least 0",
    ),
    "distances of 0": (
        wasserstein([[0.0, 0.0], [0.0, 0.0]]), ValueError, "distances", "got ((0.0,", "an entry above 0",
    ),
    "distances of one class": (
        call(
            "GeneralizedWassersteinDiceLoss", floats(2, 1, 4, 5), options={"activation": "identity"},
        ),
        ValueError, "logits", "(2, 1, 4, 5)", "at least two classes",
    ),
    "distances between overlapping classes": (
        build("GeneralizedWassersteinDiceLoss", activation="sigmoid"),
        ValueError, "activation", "got 'sigmoid'", "'softmax' or 'identity'",
    ),
    "beta of 0": (
        build("AsymmetricSimilarityLoss", beta=0.0), ValueError, "beta", "got 0.0", "above 0",
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
