"""What was asked of nnU-Net."""

from __future__ import annotations

from collections.abc import Iterator

from preset_calls import Call, W

MODULES = ("nnunetv2", "nnunetv2.training.loss.compound_losses")
"""The package, the module of its classes, and that of its functions if it is another."""
FUNCTIONS = {
    "softmax_helper_dim1": "nnunetv2.utilities.helpers",
    "sigmoid": "torch",
    "SoftDiceLoss": "nnunetv2.training.loss.dice",
    "MemoryEfficientSoftDiceLoss": "nnunetv2.training.loss.dice",
}
"""What stands in arguments by its name, and where it is."""

TRAINER = {"batch_dice": False, "smooth": 1e-5, "do_bg": False, "ddp": False}


def calls() -> Iterator[Call]:
    # Dice is computed in float32 there.
    for name in ("SoftDiceLoss", "MemoryEfficientSoftDiceLoss"):
        softmax = {"apply_nonlin": "softmax_helper_dim1"}
        for arguments, inputs in (
            (softmax, "labels"),
            (softmax, "absent"),
            ({**softmax, "smooth": 1e-5}, "absent"),
            ({**softmax, "smooth": 1e-5, "do_bg": False}, "absent"),
            ({**softmax, "batch_dice": True, "ddp": False}, "absent"),
            ({**softmax, "batch_dice": True, "ddp": False, "do_bg": False}, "volume"),
            (softmax, "one-hot"),
            (softmax, "soft"),
            ({"apply_nonlin": "sigmoid"}, "multilabel"),
            ({"apply_nonlin": "sigmoid"}, "binary-float"),
            ({}, "probabilities"),
        ):
            labelled = inputs in ("labels", "volume")
            yield Call(name, arguments, inputs, target_axis=labelled, dtype="float32")
        for arguments in (softmax, {**softmax, "batch_dice": True, "ddp": False}):
            yield Call(
                name, arguments, "labels", target_axis=True, dtype="float32", call={"loss_mask": "kept"}
            )
    for name in ("RobustCrossEntropyLoss", "TopKLoss"):
        for arguments, inputs in (
            ({}, "labels"),
            ({"weight": W}, "labels"),
            ({"label_smoothing": 0.1}, "far"),
            ({"ignore_index": 255}, "ignored"),
            ({"ignore_index": 255, "weight": W}, "image-ignored"),
        ):
            yield Call(name, arguments, inputs, target_axis=True)
    yield Call("RobustCrossEntropyLoss", {"reduction": "sum"}, "volume", target_axis=True)
    yield Call("RobustCrossEntropyLoss", {"reduction": "none", "weight": W}, "labels")
    yield Call("TopKLoss", {"k": 35}, "labels", target_axis=True)
    yield Call("TopKLoss", {"k": 60, "ignore_index": 255}, "ignored", target_axis=True)

    for name in ("DC_and_CE_loss", "DC_and_topk_loss"):
        for arguments, inputs in (
            ({}, "absent"),
            ({}, "volume"),
            ({"ignore_label": 255}, "ignored"),
            ({"ignore_label": 255}, "image-ignored"),
            ({"ignore_label": 255, "soft_dice_kwargs": {**TRAINER, "batch_dice": True}}, "image-ignored"),
            ({"weight_ce": 2.0, "weight_dice": 0.5}, "labels"),
            ({"weight_dice": 0}, "labels"),
            ({"weight_ce": 0}, "labels"),
            ({"ce_kwargs": {"weight": W, "label_smoothing": 0.1}}, "absent"),
            ({"soft_dice_kwargs": {}}, "absent"),
        ):
            whole = {"soft_dice_kwargs": TRAINER, "ce_kwargs": {}, **arguments}
            yield Call(name, whole, inputs, target_axis=True, dtype="float32")
    trainer = {"soft_dice_kwargs": TRAINER, "ce_kwargs": {}}
    efficient = {**trainer, "dice_class": "MemoryEfficientSoftDiceLoss", "ignore_label": 255}
    yield Call("DC_and_CE_loss", efficient, "image-ignored", target_axis=True, dtype="float32")

    regions = {"soft_dice_kwargs": {**TRAINER, "do_bg": True}, "bce_kwargs": {}}
    for arguments, inputs in (
        ({}, "multilabel"),
        ({"weight_ce": 2.0, "weight_dice": 0.5}, "multilabel"),
        ({"dice_class": "SoftDiceLoss"}, "multilabel"),
        ({"soft_dice_kwargs": {"batch_dice": True, "ddp": False}}, "multilabel"),
        ({"use_ignore_label": True}, "regions"),
        ({"use_ignore_label": True, "weight_ce": 3.0}, "regions"),
        ({"bce_kwargs": {"pos_weight": [3.0]}}, "binary-float"),
    ):
        yield Call("DC_and_BCE_loss", {**regions, **arguments}, inputs, dtype="float32")
