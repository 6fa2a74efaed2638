"""What was asked of MONAI."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import FOREGROUND, Call, W

MODULES = ("monai", "monai.losses")
"""The package, and the modules that have its losses."""

UNEVEN = [[0.0, 1.0, 2.0, 4.0], [1.0, 0.0, 0.5, 3.0], [2.0, 0.5, 0.0, 1.0], [4.0, 3.0, 1.0, 0.0]]
"""Distances of classes, those from class 0 not equal."""


def calls() -> Iterator[Call]:
    for name in ("DiceLoss", "TverskyLoss"):
        soft, labelled = {"softmax": True}, {"softmax": True, "to_onehot_y": True}
        for arguments, inputs in (
            ({}, "labels"),
            ({}, "absent"),
            ({}, "far"),
            ({}, "line"),
            ({}, "volume"),
            ({"include_background": False}, "absent"),
            ({"batch": True}, "absent"),
            ({"reduction": "sum"}, "labels"),
            ({"reduction": "none"}, "labels"),
            ({"reduction": "none", "batch": True}, "labels"),
            ({"smooth_nr": 0.0, "smooth_dr": 1e-6}, "labels"),
            ({"smooth_nr": 1.0, "smooth_dr": 2.0}, "absent"),
            ({"ignore_index": 255}, "ignored"),
            ({"ignore_index": 255}, "image-ignored"),
            ({"ignore_index": 255, "batch": True}, "image-ignored"),
        ):
            yield Call(name, {**labelled, **arguments}, inputs, target_axis=True)
        for arguments, inputs in (
            (soft, "one-hot"),
            (soft, "absent-one-hot"),
            (soft, "soft"),
            ({**soft, "soft_label": True}, "soft"),
            ({"sigmoid": True}, "multilabel"),
            ({"sigmoid": True}, "binary"),
            ({"sigmoid": True}, "binary-float"),
            ({"sigmoid": True}, "binary-absent"),
            ({"sigmoid": True, "include_background": False}, "multilabel"),
            ({}, "binary-probabilities"),
            ({"sigmoid": True, "ignore_index": 255}, "binary-ignored"),
        ):
            yield Call(name, arguments, inputs)
    labelled = {"softmax": True, "to_onehot_y": True}
    for arguments in (
        {"jaccard": True},
        {"jaccard": True, "smooth_nr": 1.0, "smooth_dr": 3.0},
        {"weight": 2.0},
        {"weight": W},
        {"weight": FOREGROUND, "include_background": False},
        {"weight": W, "reduction": "sum"},
        {"weight": W, "batch": True},
    ):
        yield Call("DiceLoss", {**labelled, **arguments}, "absent", target_axis=True)
    yield Call("DiceLoss", {**labelled, "weight": W, "ignore_index": 255}, "image-ignored", target_axis=True)
    yield Call(
        "DiceLoss", {**labelled, "jaccard": True, "ignore_index": 255}, "image-ignored", target_axis=True
    )
    yield Call("DiceLoss", {"softmax": True, "jaccard": True, "soft_label": True}, "soft")
    for arguments in ({"alpha": 0.3, "beta": 0.7}, {"alpha": 0.3, "beta": 0.7, "include_background": False}):
        yield Call("TverskyLoss", {**labelled, **arguments}, "absent", target_axis=True)
    for arguments in ({}, {"batch": True}, {"include_background": False}):
        everything = {**labelled, "w_type": "uniform", **arguments}
        yield Call("GeneralizedDiceLoss", everything, "absent", target_axis=True)
    for arguments in (
        {},
        {"include_background": False},
        {"batch": True},
        {"reduction": "sum"},
        {"reduction": "none"},
        {"reduction": "none", "batch": True},
        {"smooth_dr": 1.0},
    ):
        yield Call("MCCLoss", {**labelled, **arguments}, "absent", target_axis=True)
    yield Call("MCCLoss", {"sigmoid": True}, "multilabel")
    yield Call("MCCLoss", {"sigmoid": True, "include_background": False}, "binary")
    masked = {"mask": "zeros-and-ones"}
    for arguments in (
        {},
        {"squared_pred": False, "jaccard": True},
        {"batch": True},
        {"weight": FOREGROUND},
        {"reduction": "sum"},
    ):
        everything = {**labelled, "include_background": False, **arguments}
        yield Call("MaskedDiceLoss", everything, "labels", target_axis=True, call=masked)
    for arguments in ({}, {"include_background": False}, {"weight": W}, {"reduction": "none"}):
        yield Call("MaskedDiceLoss", {"softmax": True, **arguments}, "one-hot", call=masked)
    yield Call("MaskedDiceLoss", {"sigmoid": True, "batch": True}, "binary", call=masked)
    for mode, dtype in (("default", "float64"), ("GDL", "float32")):
        for arguments in (
            {},
            {"reduction": "sum"},
            {"reduction": "none"},
            {"smooth_nr": 1.0, "smooth_dr": 2.0},
        ):
            everything = {"dist_matrix": UNEVEN, "weighting_mode": mode, **arguments}
            yield Call("GeneralizedWassersteinDiceLoss", everything, "absent", dtype=dtype)
    yield Call("GeneralizedWassersteinDiceLoss", {"dist_matrix": UNEVEN}, "labels", target_axis=True)
    yield Call("GeneralizedWassersteinDiceLoss", {"dist_matrix": UNEVEN}, "volume")
    for arguments, inputs in (
        ({}, "pairs"),
        ({"weight": 0.3, "gamma": 0.75, "delta": 0.6}, "pairs"),
        ({"reduction": "sum"}, "pairs"),
        ({"reduction": "none"}, "pairs"),
    ):
        yield Call("AsymmetricUnifiedFocalLoss", {"to_onehot_y": True, **arguments}, inputs, target_axis=True)
    yield Call("AsymmetricUnifiedFocalLoss", {}, "pairs-one-hot")

    # A part of what follows is computed in float32 there.
    ignoring = {"to_onehot_y": True, "ignore_index": 255}
    for inputs in ("pairs-ignored", "pairs-certain"):
        yield Call("AsymmetricUnifiedFocalLoss", ignoring, inputs, target_axis=True, dtype="float32")
    for arguments, inputs in (
        ({}, "absent"),
        ({}, "volume"),
        ({"w_type": "simple"}, "absent"),
        ({"smooth_nr": 0.5, "smooth_dr": 1.0}, "absent"),
        ({"batch": True}, "absent"),
        ({"include_background": False}, "absent"),
        ({"reduction": "sum"}, "labels"),
    ):
        for name in ("GeneralizedDiceLoss", "GeneralizedDiceFocalLoss"):
            yield Call(name, {**labelled, **arguments}, inputs, target_axis=True, dtype="float32")
    nothing = {"sigmoid": True, "smooth_nr": 1.0, "smooth_dr": 2.0}
    yield Call("GeneralizedDiceLoss", nothing, "binary-absent", dtype="float32")
    yield Call("GeneralizedDiceLoss", {"softmax": True, "soft_label": True}, "soft", dtype="float32")
    factors = {"lambda_gdl": 0.5, "lambda_focal": 3.0, "gamma": 1.0, "weight": W}
    yield Call(
        "GeneralizedDiceFocalLoss", {**labelled, **factors}, "absent", target_axis=True, dtype="float32"
    )
    for name in ("SoftclDiceLoss", "SoftDiceclDiceLoss"):
        for arguments, inputs in (
            ({}, "labels"),
            ({}, "volume"),
            ({"iter_": 1, "smooth": 0.5}, "labels"),
            ({"smooth_nr": 0.5, "smooth_dr": 2.0, "include_background": False}, "absent"),
            ({"reduction": "sum"}, "labels"),
        ):
            yield Call(name, {**labelled, **arguments}, inputs, target_axis=True)
        yield Call(name, {"sigmoid": True}, "binary-float")
        yield Call(name, {"sigmoid": True}, "multilabel")
    yield Call("SoftclDiceLoss", {**labelled, "reduction": "none"}, "labels", target_axis=True)
    yield Call("SoftDiceclDiceLoss", {**labelled, "alpha": 0.2}, "labels", target_axis=True)
    for name in ("HausdorffDTLoss", "LogHausdorffDTLoss", "BoundaryLoss"):
        for arguments, inputs in (
            ({"include_background": True}, "absent"),
            ({"include_background": False}, "absent"),
            ({"include_background": True, "batch": True}, "absent"),
            ({"include_background": True, "batch": True, "reduction": "sum"}, "absent"),
            ({"include_background": True, "reduction": "sum"}, "volume"),
            ({"include_background": True, "reduction": "none"}, "labels"),
        ):
            yield Call(name, {**labelled, **arguments}, inputs, target_axis=True, dtype="float32")
        yield Call(name, {"sigmoid": True}, "multilabel", dtype="float32")
        yield Call(name, {"sigmoid": True}, "binary-float", dtype="float32")
    yield Call("HausdorffDTLoss", {**labelled, "alpha": 1.0}, "absent", target_axis=True, dtype="float32")
    for arguments in ({"dim": 2}, {"dim": 2, "kernel_size": 5, "alpha": 0.5}):
        yield Call("NACLLoss", {"classes": 4, **arguments}, "labels", dtype="float32")
    yield Call("NACLLoss", {"classes": 4, "dim": 3}, "volume", dtype="float32")
    for name, arguments in (
        ("DiceLoss", {"squared_pred": True}),
        ("DiceLoss", {"squared_pred": True, "jaccard": True}),
        ("DiceCELoss", {"squared_pred": True, "batch": True}),
    ):
        yield Call(name, {**labelled, **arguments}, "absent", target_axis=True, dtype="float32")
    for arguments in (
        {},
        {"include_background": False},
        {"lambda_dice": 0.5, "lambda_ce": 2.0},
        {"label_smoothing": 0.1},
        {"weight": W},
        {"weight": W, "include_background": False},
        {"reduction": "sum"},
    ):
        yield Call("DiceCELoss", {**labelled, **arguments}, "absent", target_axis=True)
    yield Call("DiceCELoss", {"softmax": True}, "one-hot")
    yield Call("DiceCELoss", {"softmax": True, "weight": W}, "one-hot")
    yield Call("DiceCELoss", {"sigmoid": True}, "one-hot")
    yield Call("DiceCELoss", {"sigmoid": True}, "multilabel")
    yield Call("DiceCELoss", {"sigmoid": True, "weight": W}, "multilabel")
    yield Call("DiceCELoss", {"sigmoid": True}, "binary")
    yield Call("DiceCELoss", {"sigmoid": True, "weight": [3.0]}, "binary-float")

    for arguments, inputs in (
        ({}, "absent"),
        ({}, "far"),
        ({}, "volume"),
        ({"gamma": 0.5}, "labels"),
        ({"alpha": 0.25}, "labels"),
        ({"alpha": [0.25, 2.0, 1.0, 0.5]}, "labels"),
        ({"alpha": [0.25, 2.0, 1.0, 0.5], "weight": W}, "labels"),
        ({"weight": W}, "labels"),
        ({"weight": 2.0}, "labels"),
        ({"weight": FOREGROUND, "include_background": False}, "labels"),
        ({"include_background": False}, "labels"),
        ({"reduction": "sum"}, "labels"),
        ({"reduction": "none"}, "labels"),
        ({"ignore_index": 255}, "ignored"),
        ({"ignore_index": 255, "weight": W}, "image-ignored"),
        ({"use_softmax": True}, "labels"),
        ({"use_softmax": True, "alpha": 0.25}, "labels"),
        ({"use_softmax": True, "alpha": [0.25, 2.0, 1.0, 0.5]}, "labels"),
        ({"use_softmax": True, "weight": W}, "labels"),
        ({"use_softmax": True, "reduction": "sum"}, "labels"),
        ({"use_softmax": True, "ignore_index": 255, "weight": W}, "image-ignored"),
        ({"use_softmax": True, "ignore_index": 255}, "ignored"),
        ({"use_softmax": True, "include_background": False}, "labels"),
        ({"use_softmax": True, "include_background": False, "reduction": "sum"}, "labels"),
        ({"use_softmax": True, "include_background": False, "weight": FOREGROUND}, "labels"),
        ({"use_softmax": True, "include_background": False, "alpha": [0.5, 2.0, 1.0]}, "absent"),
        ({"use_softmax": True, "include_background": False, "ignore_index": 255}, "image-ignored"),
    ):
        yield Call("FocalLoss", {"to_onehot_y": True, **arguments}, inputs, target_axis=True)
    yield Call("FocalLoss", {"use_softmax": True, "include_background": False}, "one-hot")
    for arguments in ({}, {"alpha": 0.25, "gamma": 0.5, "weight": W}, {"use_softmax": True}):
        yield Call("FocalLoss", arguments, "soft")
    for ignored, inputs in ((0, "one-hot"), (2, "absent-one-hot"), (255, "multilabel")):
        for name in ("DiceLoss", "TverskyLoss"):
            yield Call(name, {"softmax": True, "ignore_index": ignored}, inputs)
        for arguments in (
            {"use_softmax": True},
            {},
        ):  # in float32, whatever the dtype of a mask makes of the value
            yield Call("FocalLoss", {**arguments, "ignore_index": ignored}, inputs, dtype="float32")
    yield Call("AsymmetricUnifiedFocalLoss", {"ignore_index": 0}, "pairs-one-hot", dtype="float32")
    yield Call("FocalLoss", {}, "binary")
    yield Call("FocalLoss", {"alpha": 0.25, "weight": 2.0}, "binary-float")
    yield Call("FocalLoss", {"ignore_index": 255}, "binary-ignored")
    yield Call("FocalLoss", {}, "multilabel")

    for arguments in (
        {"sigmoid": True},
        {"softmax": True},
        {"sigmoid": True, "alpha": 0.25, "weight": W},
        {"softmax": True, "include_background": False, "weight": FOREGROUND},
        {"softmax": True, "lambda_dice": 0.5, "lambda_focal": 3.0, "gamma": 1.0},
    ):
        everything = {"to_onehot_y": True, **arguments}
        yield Call("DiceFocalLoss", everything, "absent", target_axis=True, dtype="float32")
