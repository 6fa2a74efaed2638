"""Bad input: an error that names the argument, what came and what would be right, the same text in every framework."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import seglosses_core
import seglosses_jax
import seglosses_torch


@dataclass(frozen=True)
class Framework:
    """A package of losses and how its arrays are made; everything here has the class axis 1."""

    losses: Any
    array: Callable[[np.ndarray], Any]

    def center(self, **options: Any) -> Callable[..., Any]:
        """The center loss for three classes; torch keeps the centres itself."""
        if self.losses is seglosses_torch:
            return self.losses.CenterLoss(num_classes=3, **options)
        loss = self.losses.CenterLoss(class_axis=1, **options)
        centers = self.array(np.zeros((3, 3), np.float32))
        return lambda *arrays, **given: loss(*arrays, **{"centers": centers, **given})


FRAMEWORKS = {
    "numpy": Framework(seglosses_core, np.asarray),
    "torch": Framework(seglosses_torch, torch.asarray),
    "jax": Framework(seglosses_jax, jnp.asarray),
}


@pytest.fixture(params=FRAMEWORKS)
def framework(request):
    return FRAMEWORKS[request.param]


def floats(*shape):
    return np.full(shape, 0.5, np.float32)


def labels(*shape):
    return np.zeros(shape, np.int32)


LOGITS, LABELS, DENSE = floats(2, 3, 4, 5), labels(2, 4, 5), floats(2, 3, 4, 5)


def call(name, logits=LOGITS, target=LABELS, *, options=None, **given):
    """A function of a framework that makes a loss and calls it."""

    def attempt(framework):
        options_ = {"class_axis": 1, **(options or {})}
        if name == "CenterLoss":
            options_.pop("class_axis")
            loss = framework.center(**options_)
        else:
            loss = getattr(framework.losses, name)(**options_)
        arrays = {key: framework.array(x) for key, x in given.items()}
        return loss(framework.array(logits), framework.array(target), **arrays)

    return attempt


def build(name, **options):
    """A function of a framework that makes a loss."""
    return lambda framework: getattr(framework.losses, name)(**options)


def wasserstein(distances):
    """A call with distances between the classes."""
    return call("GeneralizedWassersteinDiceLoss", options={"distances": distances})


def ensemble(*members, **options):
    """A function of a framework that makes an ensemble."""

    def attempt(framework):
        losses = [getattr(framework.losses, name)(**own) for name, own in members]
        return framework.losses.EnsembleLoss(losses=losses, **options)

    return attempt


# What is done; the error; the argument that it names, what came, what would be right.
CASES: dict[str, tuple[Callable[[Framework], Any], type[Exception], str, str, str]] = {
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


def failure(attempt, framework):
    with pytest.raises((TypeError, ValueError)) as caught:
        attempt(framework)
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_error_names_argument_given_and_wanted(case, framework):
    attempt, kind, argument, given, wanted = CASES[case]
    error = failure(attempt, framework)
    assert type(error) is kind
    message = str(error)
    assert argument in message
    assert given in message
    assert wanted in message
    assert message.endswith(".")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("other", ["torch", "jax"])
def test_every_framework_has_the_same_text(case, other):
    attempt = CASES[case][0]
    expected = str(failure(attempt, FRAMEWORKS["numpy"]))
    assert package_free(str(failure(attempt, FRAMEWORKS[other]))) == package_free(expected)


def package_free(message):
    return re.sub(r"seglosses_\w+\.", "", message)


# -- arrays of different libraries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["target", "mask", "sample_weight"])
@pytest.mark.parametrize(
    ("logits", "other"),
    [("torch", "numpy"), ("torch", "jax"), ("numpy", "torch"), ("numpy", "jax"), ("jax", "torch")],
)
def test_arrays_of_two_libraries(argument, logits, other):
    framework = FRAMEWORKS[logits]
    arrays = {"target": LABELS, "mask": floats(2, 4, 5), "sample_weight": floats(2)}
    arrays = {
        name: (FRAMEWORKS[other] if name == argument else framework).array(x) for name, x in arrays.items()
    }
    loss = framework.losses.DiceLoss(class_axis=1)
    with pytest.raises(
        TypeError, match=rf"^{argument} must be a {logits} array like the logits, got one of {other}"
    ):
        loss(framework.array(LOGITS), arrays.pop("target"), **arrays)


def test_numpy_target_beside_jax_logits():
    loss = seglosses_jax.DiceLoss(class_axis=1)
    expected = seglosses_core.DiceLoss()(LOGITS, LABELS)
    assert loss(jnp.asarray(LOGITS), LABELS) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("argument", ["logits", "target", "mask", "sample_weight"])
def test_lists_are_no_arrays(argument, framework):
    arrays = {"logits": LOGITS, "target": LABELS, "mask": floats(2, 4, 5), "sample_weight": floats(2)}
    arrays = {name: x.tolist() if name == argument else framework.array(x) for name, x in arrays.items()}
    loss = framework.losses.DiceLoss(class_axis=1)
    with pytest.raises(TypeError, match=rf"^{argument} must be an? .*array.*, got list"):
        loss(arrays.pop("logits"), arrays.pop("target"), **arrays)


def test_class_first_data_for_a_class_last_loss():
    with pytest.raises(
        ValueError,
        match=r"^target must be integer labels of shape \(2, 3, 4\) .* got int32 of shape \(2, 4, 5\)",
    ):
        seglosses_jax.DiceLoss()(jnp.asarray(LOGITS), jnp.asarray(LABELS))


# -- the core alone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [seglosses_core.CrossEntropyLoss, seglosses_core.DiceLoss])
def test_no_gradient_of_many_numbers(kind):
    with pytest.raises(ValueError, match=r"one number, got reduction='none'"):
        kind(reduction="none").value_and_grad(LOGITS, LABELS)


def test_centers_are_needed():
    with pytest.raises(TypeError, match=r"^CenterLoss needs centers=, one row per class, of shape \(C, D\)"):
        seglosses_core.CenterLoss()(LOGITS, LABELS)


@pytest.mark.parametrize(
    ("centers", "kind", "message"),
    [
        (
            floats(3),
            ValueError,
            r"^centers must have the shape \(3, 3\), one row per class, got float32 of shape \(3,\)",
        ),
        (labels(3, 3), TypeError, r"^centers must be real floating point, got int32 of shape \(3, 3\)"),
        ([[0.0] * 3] * 3, TypeError, r"^centers must be an array, got list"),
    ],
)
def test_centers_that_do_not_fit(centers, kind, message):
    loss = seglosses_core.CenterLoss()
    for function in (loss, loss.value_and_grad, loss.updated_centers):
        with pytest.raises(kind, match=message):
            function(LOGITS, LABELS, centers=centers)


@pytest.mark.parametrize(
    ("members", "kind", "message"),
    [
        ([], TypeError, "losses must be a sequence of at least one loss"),
        (
            seglosses_core.DiceLoss(),
            TypeError,
            "losses must be a sequence of at least one loss .* got DiceLoss",
        ),
        ([seglosses_core.DiceLoss(), "dice"], TypeError, "losses must be a sequence of at least one loss"),
        ([seglosses_core.DiceLoss(reduction="none")], ValueError, "reduction='none'"),
    ],
)
def test_members_that_do_not_fit(members, kind, message):
    with pytest.raises(kind, match=message):
        seglosses_core.EnsembleLoss(losses=members)


@pytest.mark.parametrize("weights", [3, {1: 2}, "1"])
def test_weights_that_are_no_sequence(weights):
    with pytest.raises(
        TypeError, match="weights must be a sequence or an array with one number per loss, got"
    ):
        seglosses_core.EnsembleLoss(losses=[seglosses_core.DiceLoss()], weights=weights)


def test_members_of_another_package():
    core, own = seglosses_core.DiceLoss(class_axis=-1), seglosses_jax.CrossEntropyLoss()
    with pytest.raises(
        TypeError, match=r"losses must be of seglosses_jax, got one of seglosses_core: DiceLoss"
    ):
        seglosses_jax.EnsembleLoss(losses=[core, own])
    with pytest.raises(
        TypeError, match=r"losses must be of seglosses_jax, got one of seglosses_core: DiceLoss"
    ):
        _ = own + core
    with pytest.raises(
        TypeError, match=r"losses must be of seglosses_core, got one of seglosses_jax: CrossEnt"
    ):
        _ = core + own
    with pytest.raises(TypeError, match=r"at least one loss of seglosses_core, got \(DiceLoss"):
        seglosses_core.EnsembleLoss(losses=[seglosses_torch.DiceLoss()])
    with pytest.raises(TypeError, match="a loss must be added to a loss of its package"):
        _ = own + seglosses_torch.DiceLoss()


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_numbers_beyond_all_floats(number):
    with pytest.raises(ValueError, match=r"gamma must be .*, got -?inf"):
        seglosses_core.FocalLoss(gamma=number)


@pytest.mark.parametrize("alpha", [(None, 1, 1), (torch.tensor(0.5), 1, 1)])
def test_a_sequence_of_alphas_is_of_numbers(alpha):
    """An array among them would not be learnt."""
    for package in (seglosses_core, seglosses_torch):
        with pytest.raises(TypeError, match=r"alpha\[0\] must be a number, got"):
            package.FocalLoss(alpha=alpha)


@pytest.mark.parametrize(
    ("logits", "class_axis", "message"),
    [
        ([1], 1, "logits must be an array, got list"),
        (np.float32(1), 1, r"logits must have a batch and a class axis, .* of shape \(\)"),
        (LOGITS, 7, "class_axis must be an axis of the logits"),
    ],
)
def test_logits_that_centers_cannot_be_compared_with(logits, class_axis, message):
    loss = seglosses_core.CenterLoss(class_axis=class_axis)
    with pytest.raises((TypeError, ValueError), match=message):
        loss(logits, LABELS, centers=np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("cost", "kind", "message"),
    [
        (seglosses_core.DiceLoss(), TypeError, "cost must be a pixel loss"),
        (seglosses_core.CenterLoss(), TypeError, "cost must be a pixel loss"),
        ("cross-entropy", TypeError, "cost must be a pixel loss"),
        (
            seglosses_core.FocalLoss(ignore_index=1),
            ValueError,
            "ignore_index must be given to LocallyAdaptiveLoss",
        ),
        (
            seglosses_core.FocalLoss(reduction="sum"),
            ValueError,
            "reduction must be given to LocallyAdaptiveLoss",
        ),
    ],
)
def test_costs_that_do_not_fit(cost, kind, message):
    with pytest.raises(kind, match=message):
        seglosses_core.LocallyAdaptiveLoss(cost=cost)


PACKAGES = {"core": seglosses_core, "torch": seglosses_torch, "jax": seglosses_jax}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("other", PACKAGES)
def test_a_cost_is_of_the_same_package(package, other):
    own, cost = PACKAGES[package].LocallyAdaptiveLoss, PACKAGES[other].FocalLoss()
    if package == other:
        assert isinstance(own(cost=cost).cost, PACKAGES[package].FocalLoss)
        assert isinstance(own().cost, PACKAGES[package].CrossEntropyLoss)
        assert isinstance(own(cost=own().cost).cost, PACKAGES[package].CrossEntropyLoss)
        return
    with pytest.raises(
        TypeError, match=r"^cost must be (of seglosses|a pixel loss, such as FocalLoss\(\)).* got"
    ):
        own(cost=cost)


@pytest.mark.parametrize("loss", [seglosses_core.DiceLoss, seglosses_core.EnsembleLoss, seglosses_core.TopK])
def test_hyper_parameters_go_by_name(loss):
    with pytest.raises(TypeError, match="positional"):
        loss(1.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        loss(smoothing=1.0)


@pytest.mark.parametrize("junk", [np.nan, np.inf, 2.0])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "identity"])
def test_validation_does_not_look_at_ignored_pixels(junk, activation):
    logits, target = LOGITS.copy(), LABELS.copy()
    logits[0, :, 1, 2], target[0, 1, 2] = junk, 255
    for kind, options in (
        (seglosses_core.DiceLoss, {}),
        (
            seglosses_core.LocallyAdaptiveLoss,
            {"standardize": False, "cost": seglosses_core.MeanSquaredErrorLoss()},
        ),
    ):
        loss = kind(activation=activation, ignore_index=255, validate=True, **options)
        assert np.isfinite(loss(logits, target))


def test_validation_lets_right_values_pass():
    logits = np.where(np.arange(3)[:, None, None] == 2, np.float32("-inf"), LOGITS)
    for loss in (seglosses_core.CrossEntropyLoss(validate=True), seglosses_core.DiceLoss(validate=True)):
        for target in (LABELS, DENSE > 0.6, (DENSE > 0.6).astype(int)):
            weights = {"mask": floats(2, 4, 5), "sample_weight": floats(2)}
            assert np.isfinite(loss(logits, target, **weights))
